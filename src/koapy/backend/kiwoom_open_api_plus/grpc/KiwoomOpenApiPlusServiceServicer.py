"""The servicer at its published path."""

from koapy.server.servicer import KiwoomOpenApiPlusServiceServicer

__all__ = ["KiwoomOpenApiPlusServiceServicer"]
