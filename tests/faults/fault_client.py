"""A client of the gateway under test, as small as the faults' tests need it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2_grpc
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fault_host import Host


class Client:
    """One client of the gateway under test."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.channel = grpc.aio.insecure_channel(host.address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = KiwoomOpenApiPlusServiceStub(self.channel)
        self.gateway = gateway_pb2_grpc.GatewayStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def order(self, key: str, quote: str = "03", price: int = 0) -> Any:
        """A purchase; a limit at `low` stays open."""
        request = pb.OrderRequest(
            request_name="주문",
            account_no=self.host.ready["accounts"][0],
            order_type=1,
            code=self.host.ready["codes"][0],
            quantity=1,
            price=price,
            quote_type=quote,
        )
        return self.stub.OrderCall(request, metadata=(("koapy-idempotency-key", key),), timeout=30)

    def listen(self, since: int | None = None) -> Any:
        """OrderListen, from a number on."""
        metadata = () if since is None else (("koapy-from-sequence", str(since)),)
        return self.stub.OrderListen(pb.ListenRequest(), metadata=metadata, timeout=60)

    async def serving(self) -> bool:
        """What health checking says."""
        told = await self.health.Check(health_pb2.HealthCheckRequest())
        return bool(told.status == health_pb2.HealthCheckResponse.SERVING)

    async def until_serving(self, *, serving: bool) -> None:
        """Wait until health checking says so."""
        async with asyncio.timeout(20):
            while await self.serving() is not serving:
                await asyncio.sleep(0.02)

    async def sent(self) -> int:
        """Orders that have reached the exchange."""
        return int((await asyncio.to_thread(self.host.ask, "orders"))["orders"])


@contextlib.asynccontextmanager
async def client_of(host: Host) -> AsyncIterator[Client]:
    client = Client(host)
    try:
        yield client
    finally:
        await client.channel.close()


def reason(error: grpc.aio.AioRpcError) -> str:
    """The word for programs in a status."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            info = error_details_pb2.ErrorInfo()
            status_pb2.Status.FromString(value).details[0].Unpack(info)
            return info.reason
    return ""


async def until(met: Callable[[], bool]) -> None:
    """Wait for what other tasks bring."""
    async with asyncio.timeout(20):
        while not met():
            await asyncio.sleep(0.01)


def values(message: Any) -> dict[str, str]:
    """The single data of an event."""
    return dict(zip(message.single_data.names, message.single_data.values, strict=True))


async def end_of(stream: Any, told: list[Any]) -> grpc.aio.AioRpcError | None:
    """Read a stream to its end into `told`."""
    try:
        async for message in stream:
            told.append(message)  # noqa: PERF401  what came before an error is told too
    except grpc.aio.AioRpcError as error:
        return error
    return None
