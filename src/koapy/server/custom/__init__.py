"""Event handlers that clients send as code: the gateway's side of their processes."""
