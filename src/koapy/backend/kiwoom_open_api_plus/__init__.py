"""Import paths that programs know from KOAPY 0.9; see `koapy.backend.kiwoom_open_api_plus.grpc`."""
