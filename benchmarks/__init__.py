"""How fast the gateway is, beside a bare gRPC server that does nothing else: `python3 run.py bench --help`."""
