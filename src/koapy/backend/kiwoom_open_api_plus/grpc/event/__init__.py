"""The published import path of the base of event handlers that belong to an RPC."""
