"""A gateway over the OCX: what its clients see when the host dies, and that no order is sent twice."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from ocx_way import ROOT, chain, load

from koapy.orders.journal import read_orders
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2 as v1
from koapy.server import Server, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

parts = load("ocx_order_parts", ROOT / "tests/server/test_server_order_safety.py")
beside = sys.modules["ocx_server_conftest"]
CODE = "005930"
SETTINGS = Settings(tr_windows=(), order_windows=(), drain_seconds=0.2, answer_seconds=10.0, patience=(0.1, 0.1))

PATIENT = replace(SETTINGS, freeze_seconds=2.0, answer_seconds=30.0)


@pytest.fixture
def control() -> Iterator[Any]:
    control = parts.Counting()
    yield control
    control.inner.close()


@asynccontextmanager
async def gateway(
    control: Any, journal: Path, settings: Settings = SETTINGS, **options: Any
) -> AsyncIterator[tuple[Any, Any]]:
    """A gateway, logged in, and the way to its control."""
    with chain(control, **options) as ocx:
        async with (
            Server(ocx, port=0, settings=settings, journal=journal) as server,
            grpc.aio.insecure_channel(server.address) as channel,
        ):
            running = parts.Running(server, channel)
            running.account = await running.login()
            yield running, ocx


async def health(running: Any, state: str) -> str:
    """Wait until the gateway is in this state, and give its words."""
    async with asyncio.timeout(40):
        while (found := await running.v1.Status(v1.StatusRequest())).state != state:
            await asyncio.sleep(0.01)
    return str(found.text)


async def replaced(running: Any, ocx: Any, host: int) -> None:
    """Wait until another host has the control, and is logged in."""
    async with asyncio.timeout(40):
        while ocx.host_pid in {None, host} or await running.call("GetConnectState") != 1:
            await asyncio.sleep(0.01)
    await health(running, "SERVING")


def address_of(ocx: Any) -> str:
    """Where the fake OCX of this one finds what it plays."""
    return next(word for word in ocx.command if word.startswith("KOAPY_FAKE_OCX=")).partition("=")[2]


async def cut_off(stream: Any) -> None:
    """Read a stream to its end, which is the loss of the connection."""
    with pytest.raises(grpc.aio.AioRpcError, match=r"the connection to OpenAPI\+ was lost") as ended:
        await asyncio.wait_for(_read(stream), 20)
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


async def _read(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass


async def order(ocx: Any, words: str) -> None:
    await asyncio.wrap_future(ocx.submit(ocx.KOA_Functions, "Fake", words))


async def found(running: Any, state: str) -> None:
    """Wait until the one order there is has been looked for and found to be so."""
    async with asyncio.timeout(40):
        while [each.state for each in (await running.v1.Orders(v1.OrdersRequest())).orders] != [state]:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("moment", "state", "arrived"), [("before", "undetermined", 0), ("after", "filled", 1)])
async def test_an_order_in_which_the_control_crashes_is_looked_for_and_never_sent_again(
    control: Any, tmp_path: Path, moment: str, state: str, arrived: int
) -> None:
    journal = tmp_path / "orders.sqlite"
    async with gateway(control, journal) as (running, ocx):
        host = ocx.host_pid
        await order(ocx, f"crash {moment} SendOrder")
        request, key = parts.order(running.account, 10), parts.key("k")
        _, status, _ = await parts.ended(running.stub.OrderCall(request, metadata=key))
        assert status is grpc.StatusCode.UNAVAILABLE
        await replaced(running, ocx, host)
        await found(running, state)
        assert len(control.sent) == arrived
        # The same key is the same order, and that has been sent, or nobody knows.
        await parts.ended(running.stub.OrderCall(request, metadata=key))
        assert len(control.sent) == arrived
    assert [(record.key, record.state.value) for record in read_orders(journal)] == [("k", state)]


async def test_an_order_whose_events_are_lost_with_the_host_ends_as_it_did(control: Any, tmp_path: Path) -> None:
    async with gateway(control, tmp_path / "orders.sqlite") as (running, ocx):
        host = ocx.host_pid
        await order(ocx, "crash before OnReceiveChejanData")
        request, key = parts.order(running.account, 10), parts.key("k")
        events, status, _ = await parts.ended(running.stub.OrderCall(request, metadata=key))
        assert [event.name for event in events] == ["OnReceiveMsg", "OnReceiveTrData"]
        assert status is grpc.StatusCode.UNAVAILABLE
        await replaced(running, ocx, host)
        await found(running, "filled")
        assert len(control.sent) == 1


async def test_a_flood_of_ticks_does_not_end_while_a_client_holds_an_event_open(control: Any, tmp_path: Path) -> None:
    async with gateway(control, tmp_path / "orders.sqlite") as (running, ocx):
        ticks = running.stub.Listen(pb.ListenRequest(slots=["OnReceiveRealData"]))
        held = running.stub.BidirectionalListen()
        slots = pb.ListenRequest(slots=["OnReceiveTrData"])
        await held.write(pb.BidirectionalListenRequest(listen_request=slots))
        async with asyncio.timeout(20):
            while not running.server.statistics()["gates"]:
                await asyncio.sleep(0.01)
        assert await running.call("SetRealReg", "0001", CODE, "10;15", "0") == 0
        await order(ocx, "flood 2000")
        await running.stub.Call(beside.request("SetInputValue", "종목코드", CODE))
        assert await running.call("CommRqData", "내 요청", "opt10001", 0, "0777") == 0
        assert (await asyncio.wait_for(held.read(), 20)).arguments[1].string_value == "내 요청"
        assert (await running.call("GetCommData", "opt10001", "내 요청", 0, "종목명")).strip() == "삼성전자"
        await held.write(pb.BidirectionalListenRequest(handled_request=pb.HandledRequest()))
        seen = [(await asyncio.wait_for(ticks.read(), 20)).arguments[0].string_value for _ in range(2000)]
        assert set(seen) == {CODE}
        for stream in (held, ticks):
            stream.cancel()
