"""koapy: a gRPC gateway to Kiwoom Securities' OpenAPI+."""

__version__ = "0.1.0"
