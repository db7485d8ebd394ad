"""The servicer on a grpc.aio server of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as generated
from koapy.server.coding import Services
from koapy.server.servicer import KiwoomOpenApiPlusServiceServicer

if TYPE_CHECKING:
    import grpc


def add_KiwoomOpenApiPlusServiceServicer_to_server(servicer: Any, server: grpc.Server | grpc.aio.Server) -> None:
    """Have `server` serve `servicer`; as the generated function of this name, and for our servicer better.

    With the generated function alone each stream encodes each event again, and requests that cannot be decoded end
    with UNKNOWN. Servicers that are not ours are registered as they are.
    """
    if not isinstance(servicer, KiwoomOpenApiPlusServiceServicer):
        generated.add_KiwoomOpenApiPlusServiceServicer_to_server(servicer, server)
        return
    services = Services()
    generated.add_KiwoomOpenApiPlusServiceServicer_to_server(servicer, services)
    server.add_generic_rpc_handlers((services,))
