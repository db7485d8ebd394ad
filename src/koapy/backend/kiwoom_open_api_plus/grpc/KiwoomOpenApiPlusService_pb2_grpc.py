"""Stub, servicer base and registration at their published path."""

from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import (
    KiwoomOpenApiPlusService,
    KiwoomOpenApiPlusServiceServicer,
    KiwoomOpenApiPlusServiceStub,
)
from koapy.server.registration import add_KiwoomOpenApiPlusServiceServicer_to_server

__all__ = [
    "KiwoomOpenApiPlusService",
    "KiwoomOpenApiPlusServiceServicer",
    "KiwoomOpenApiPlusServiceStub",
    "add_KiwoomOpenApiPlusServiceServicer_to_server",
]
