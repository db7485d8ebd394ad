"""How each failure of the service becomes an exception, through a real port, with both clients."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from koapy.client import (
    AsyncClient,
    Client,
    ConnectionLost,
    DeadlineExceeded,
    InvalidArgument,
    KoapyError,
    LimitExceeded,
    OpenApiError,
    OrderUnknown,
    PermissionDenied,
    PreconditionFailed,
    ServerError,
    Unauthenticated,
    Unimplemented,
    connect,
)
from koapy.server.failure import Failure, refused

Status = grpc.StatusCode

MAPPING = [
    (Status.ABORTED, OpenApiError),
    (Status.INVALID_ARGUMENT, InvalidArgument),
    (Status.NOT_FOUND, InvalidArgument),
    (Status.OUT_OF_RANGE, InvalidArgument),
    (Status.FAILED_PRECONDITION, PreconditionFailed),
    (Status.PERMISSION_DENIED, PermissionDenied),
    (Status.UNAUTHENTICATED, Unauthenticated),
    (Status.UNIMPLEMENTED, Unimplemented),
    (Status.RESOURCE_EXHAUSTED, LimitExceeded),
    (Status.DEADLINE_EXCEEDED, DeadlineExceeded),
    (Status.UNAVAILABLE, ConnectionLost),
    (Status.CANCELLED, ConnectionLost),
    (Status.INTERNAL, ServerError),
    (Status.UNKNOWN, ServerError),
    (Status.DATA_LOSS, ServerError),
    (Status.ALREADY_EXISTS, ServerError),
]


@pytest.fixture
def client_options():
    """Without a second try: what a first one raises is looked at."""
    return {"reconnect": 0}


@pytest.mark.parametrize(("status", "kind"), MAPPING, ids=[status.name for status, _ in MAPPING])
@pytest.mark.parametrize("packed", [True, False])
async def test_each_status_is_an_error_of_its_own(client, gateway, wire, status, kind, packed):
    failure = Failure(status, "조회를 못했습니다", reason="WHY", code=-200, details={"limit": "TR"})
    trailing = [("grpc-status-details-bin", failure.packed())] if packed else []
    gateway.scripts["TransactionCall"] = wire.failing(status, failure.text, trailing)
    with pytest.raises(KoapyError) as caught:
        await client.tr("opt10081")
    error = caught.value
    assert type(error) is kind
    assert "조회를 못했습니다" in str(error)
    expected = (
        ("WHY", -200, "OP_ERR_SISE_OVERFLOW", "시세조회 과부하", {"limit": "TR"}) if packed else ("", None, "", "", {})
    )
    assert (error.reason, error.code, error.name, error.message, error.details) == expected


async def test_details_of_somebody_else_are_left_alone(client, gateway, wire):
    from google.rpc import status_pb2

    other = status_pb2.Status(code=10, message="other").SerializeToString()
    gateway.scripts["TransactionCall"] = wire.failing(Status.ABORTED, "no", [("grpc-status-details-bin", other)])
    with pytest.raises(OpenApiError, match=r"^no$") as caught:
        await client.tr("opt10081")
    assert caught.value.reason == ""


@pytest.mark.parametrize(("told", "code"), [(-300, -300), ("RC4027", "RC4027"), ("0006", "0006"), (None, None)])
async def test_codes_of_messages_are_texts(client, gateway, wire, told, code):
    failure = refused("no", code=told)
    trailing = [("grpc-status-details-bin", failure.packed())]
    gateway.scripts["TransactionCall"] = wire.failing(failure.status, failure.text, trailing)
    with pytest.raises(OpenApiError) as caught:
        await client.tr("opt10081")
    assert caught.value.code == code


async def test_a_function_and_a_stream_fail_alike(client, gateway, wire):
    failure = Failure(Status.FAILED_PRECONDITION, "not logged in", reason="NOT_LOGGED_IN")
    failing = wire.failing(failure.status, failure.text, [("grpc-status-details-bin", failure.packed())])
    gateway.scripts |= {"Call": failing, "RealCall": failing}
    with pytest.raises(PreconditionFailed) as called:
        await client.GetMasterCodeName("005930")
    with pytest.raises(PreconditionFailed) as streamed:
        await anext(await client.realtime("005930"))
    assert called.value.reason == streamed.value.reason == "NOT_LOGGED_IN"


async def test_a_deadline(gateway, address, wire):
    gateway.scripts["TransactionCall"] = wire.playing(forever=True)
    async with AsyncClient(address, timeout=0.05) as client:
        with pytest.raises(DeadlineExceeded):
            await client.tr("opt10081")
    with Client(address, timeout=0.05) as client, pytest.raises(DeadlineExceeded):
        await asyncio.to_thread(client.tr, "opt10081")


async def test_metadata_goes_with_every_request(gateway, address, wire):
    gateway.scripts["RealCall"] = wire.playing()
    async with AsyncClient(address, metadata={"koapy-token": "secret"}) as client:
        await client.connected()
        assert [tick async for tick in client.realtime("005930")] == []
    assert [metadata["koapy-token"] for *_, metadata in gateway.requests] == ["secret", "secret"]


@pytest.fixture
def nowhere(unused_tcp_port):
    return f"127.0.0.1:{unused_tcp_port}"


async def test_no_server(nowhere):
    with Client(nowhere) as client, pytest.raises(ConnectionLost, match=f"no server answers at {nowhere}.*koapy serve"):
        client.connected()
    async with AsyncClient(nowhere) as client:
        with pytest.raises(ConnectionLost, match="koapy serve") as caught:
            await client.connected()
        assert not caught.value.reached
        with pytest.raises(ConnectionLost, match="no server answers") as caught:
            await client.buy("005930", 1, account="8000000011")
        assert not caught.value.reached


async def test_waiting_for_a_server(nowhere, address):
    with pytest.raises(ConnectionLost, match=r"waited 0\.05 s"):
        await asyncio.to_thread(connect, nowhere, wait=0.05)
    async with AsyncClient(nowhere) as client:
        with pytest.raises(ConnectionLost, match=r"waited 0\.05 s"):
            await client.ready(0.05)
    with await asyncio.to_thread(connect, address) as client:
        assert await asyncio.to_thread(client.connected)
    async with AsyncClient(address) as client:
        assert await client.ready() is client


class TestServerDeath:
    @pytest.fixture
    def server(self):
        script = Path(__file__).with_name("dying_gateway.py")
        with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
            yield process
            process.kill()

    @pytest.fixture
    def address(self, server):
        return f"127.0.0.1:{int(server.stdout.readline())}"

    async def test_in_mid_stream(self, client, server):
        stream = await client.realtime("005930")
        await stream.taken(1)
        server.kill()
        with pytest.raises(ConnectionLost, match=r"RealCall: the connection to 127\.0\.0\.1:\d+ broke before"):
            await anext(stream)
        assert await stream.all() == []

    async def test_in_mid_query(self, client, server):
        query = asyncio.ensure_future(client.tr("opt10081"))
        stream = await client.realtime("005930")
        await stream.taken(1)
        server.kill()
        with pytest.raises(ConnectionLost) as caught:
            await query
        assert caught.value.reached

    async def test_with_an_order_under_way(self, client, server):
        order = await client.buy("005930", 10, account="8000000011")
        await order.taken(1)
        server.kill()
        with pytest.raises(
            OrderUnknown, match="order 0163911 was sent with 0 of 10 filled when its stream broke"
        ) as caught:
            await order.result()
        assert caught.value.order.number == "0163911"
        assert isinstance(caught.value.__cause__, grpc.RpcError)
        with pytest.raises(OrderUnknown):
            await order.result()
