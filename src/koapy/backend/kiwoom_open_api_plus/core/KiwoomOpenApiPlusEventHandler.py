"""The base of event handlers at its published path."""

from koapy.handlers.bases import KiwoomOpenApiPlusEventHandler

__all__ = ["KiwoomOpenApiPlusEventHandler"]
