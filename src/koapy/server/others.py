"""The services beside the compatible one and health checking: koapy.v1, and reflection, which tells what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection_pb2_grpc import add_ServerReflectionServicer_to_server

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2, streams_pb2
from koapy.protocol.gateway_pb2_grpc import add_GatewayServicer_to_server
from koapy.protocol.streams_pb2_grpc import add_StreamsServicer_to_server
from koapy.server.gateway import GatewayServicer
from koapy.server.reflection import GuardedReflection
from koapy.server.streams import StreamsServicer

if TYPE_CHECKING:
    from koapy.server.coding import Services
    from koapy.server.security.guard import Guard
    from koapy.server.servicer import KiwoomOpenApiPlusServiceServicer

FILES = (pb, gateway_pb2, streams_pb2, health_pb2, reflection_pb2)
"""What reflection tells of."""


def add(servicer: KiwoomOpenApiPlusServiceServicer, guard: Guard, served: Services) -> None:
    """Serve them over what `servicer` has."""
    add_GatewayServicer_to_server(GatewayServicer(servicer), served)
    add_StreamsServicer_to_server(StreamsServicer(servicer), served)
    services = [service.full_name for file in FILES for service in file.DESCRIPTOR.services_by_name.values()]
    add_ServerReflectionServicer_to_server(GuardedReflection(services, guard), served)
