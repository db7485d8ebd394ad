"""What a stranger can make a server hold: requests that are too large, too deep, or come with too much beside them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import Settings
from koapy.server.access import Role
from koapy.server.security import Security
from koapy.server.serving import options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE = "/koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService/"
SETTINGS = Settings(tr_windows=(), order_windows=(), condition_windows=(), client_streams=8, client_requests=8)
STATE = pb.CallRequest(name="GetConnectState")
EXHAUSTED, INVALID = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT


def nested(depth: int) -> bytes:
    """A field that the contract does not know, a group in a group in a group."""
    return b"\xa3\x06" * depth + b"\xa4\x06" * depth


RAW = {
    "deep": (nested(100_000), INVALID),
    "a little too deep": (nested(101), INVALID),
    "deep in a message": (b"\x12" + b"\xfe\x03" + nested(127) + b"\0\0", INVALID),
    "large": (pb.CallRequest(name="x" * 2**20).SerializeToString(), EXHAUSTED),
    "no message": (b"\xff" * 100, INVALID),
    "no text": (b"\x0a\x02\xff\xff", INVALID),
}


@pytest.fixture
async def client(place: Any, control: Any, secured: Any, connected: Any) -> AsyncIterator[Any]:
    token = place.token("bot", *Role)
    async with (
        secured(Security(tokens=place.tokens), control, SETTINGS) as server,
        connected(server, token=token) as client,
    ):
        yield client


@pytest.mark.parametrize("what", RAW)
@pytest.mark.parametrize("rpc", ["OrderCall", "BidirectionalListen"])
@pytest.mark.parametrize("known", [True, False])
async def test_requests_that_are_too_much(what: str, rpc: str, known: bool, client: Any, ending: Any) -> None:
    raw, status = RAW[what]
    metadata = client.metadata if known else ()
    if rpc == "BidirectionalListen":
        begun = client.channel.stream_stream(SERVICE + rpc)(iter([raw]), metadata=metadata, timeout=20)
    else:
        begun = client.channel.unary_stream(SERVICE + rpc)(raw, metadata=metadata, timeout=20)
    assert (await ending(begun)).code() in {status, *([] if known else [grpc.StatusCode.UNAUTHENTICATED])}
    assert (await client.call("Call", STATE)).return_value.long_value == 1


async def test_metadata_that_is_too_much(client: Any) -> None:
    many = (*client.metadata, *((f"key-{number}", "x" * 1000) for number in range(40)))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.stub.Call(STATE, metadata=many, timeout=20)
    assert refused.value.code() is EXHAUSTED
    assert (await client.call("Call", STATE)).return_value.long_value == 1


async def test_the_most_that_is_allowed(client: Any) -> None:
    request = pb.CallRequest(name="GetConnectStat" + "e" * (2**20 - 40))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.call("Call", request)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert len(refused.value.details()) < 2000


async def test_what_is_small_until_it_is_unpacked(client: Any) -> None:
    raw = b"\x0a" + b"\0" * 2**23
    begun = client.channel.unary_stream(SERVICE + "Call")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await begun(raw, metadata=client.metadata, compression=grpc.Compression.Gzip, timeout=20).read()
    assert refused.value.code() is EXHAUSTED
    assert (await client.call("Call", STATE)).return_value.long_value == 1


async def test_a_connection_that_nobody_knows_has_so_many_requests_at_once(client: Any) -> None:
    stub = health_pb2_grpc.HealthStub(client.channel)  # it asks for no token
    most = dict(options(SETTINGS))["grpc.max_concurrent_streams"]
    open_ = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(most)]
    await asyncio.gather(*(each.read() for each in open_))
    waiting = asyncio.ensure_future(stub.Watch(health_pb2.HealthCheckRequest()).read())
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await client.stub.Call(STATE, metadata=client.metadata, timeout=0.5)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert not waiting.done()
    open_[0].cancel()
    assert (await waiting).status == health_pb2.HealthCheckResponse.SERVING
