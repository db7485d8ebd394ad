"""The base of event handlers that belong to an RPC, at its published path."""

from koapy.handlers.bases import KiwoomOpenApiPlusEventHandlerForGrpc

__all__ = ["KiwoomOpenApiPlusEventHandlerForGrpc"]
