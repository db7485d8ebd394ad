"""Orders whose answers are lost, and retries while the control is away: each order's stream has its own events only."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from flows import ACCOUNT, KEY, Exchange, number_of

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.remote.control import RemoteControl
from koapy.server import Server, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SETTINGS = Settings(tr_windows=(), order_windows=(), answer_seconds=0.5, patience=(0.2, 0.2, 0.4))


class Gateway:
    """A gateway over an exchange in another process, and its client."""

    def __init__(self, exchange: Exchange, stub: KiwoomOpenApiPlusServiceStub) -> None:
        self.exchange = exchange
        self.stub = stub
        self.issue: dict[str, Any] = exchange.ask("codes")[0]

    async def log_in(self) -> None:
        async for _ in self.stub.LoginCall(pb.LoginRequest()):
            pass

    def order(self, key: str, quantity: int, *, original: str = "", market: bool = False) -> Any:
        """An order that rests, or is filled at the market, or cancels another."""
        request = pb.OrderRequest(
            request_name=key,
            screen_no="0001",
            account_no=ACCOUNT,
            order_type=3 if original else 1,
            code=self.issue["code"],
            quantity=quantity,
            price=0 if market or original else self.issue["lower"],
            quote_type="03" if market else "00",
            original_order_no=original,
        )
        return self.stub.OrderCall(request, metadata=[(KEY, key)], timeout=30)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    exchange = Exchange({})
    control = RemoteControl(exchange.address)
    async with Server(control, port=0, settings=SETTINGS) as server, grpc.aio.insecure_channel(server.address) as way:
        found = Gateway(exchange, KiwoomOpenApiPlusServiceStub(way))
        await found.log_in()
        yield found
    control.close()
    exchange.close()


async def until_numbered(stream: Any) -> str:
    """주문번호 of the order whose stream this is."""
    while (event := await stream.read()) is not grpc.aio.EOF:
        if event.name == "OnReceiveTrData":
            return number_of(event)
    raise AssertionError("the stream ended without an answer")


async def test_an_answer_that_is_found_later_goes_to_its_own_order_only(gateway: Gateway) -> None:
    other = gateway.order("other", 2)
    own = await until_numbered(other)
    gateway.exchange.ask("plan", silent=1.0)
    found = ""
    while not found:
        # The first try ends as the control is silent; the next one joins, and waits for what the gateway finds.
        with contextlib.suppress(grpc.aio.AioRpcError):
            found = await until_numbered(gateway.order("silent", 3))
    assert found != own
    gateway.exchange.ask("plan")
    async for _ in gateway.order("cancel", 2, original=own):
        pass
    rest = await _all(other)
    assert [event.name for event in rest if event.name == "OnReceiveTrData"] == []
    assert {number_of(event) for event in rest if event.arguments[0].string_value == "0"} >= {own}


async def test_a_known_order_is_joined_whether_or_not_anybody_is_logged_in(gateway: Gateway) -> None:
    first = await _all(gateway.order("once", 2, market=True))
    gateway.exchange.ask("log_out")
    again = await _all(gateway.order("once", 2, market=True))
    assert [event.sequence for event in again] == [event.sequence for event in first]
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await gateway.order("new", 3, market=True).read()
    assert error.value.code() in {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNAVAILABLE}
    await gateway.log_in()
    assert len(gateway.exchange.ask("ledger")["orders"]) == 1


async def test_events_that_were_told_to_nobody_are_asked_for_when_the_connection_is_back(gateway: Gateway) -> None:
    """The gateway lives on, its way to the exchange is cut in the middle of an order."""
    gateway.exchange.ask("plan", silent=1.0)
    stream = gateway.order("cut", 4, market=True)
    while not gateway.exchange.ask("ledger")["sent"]:
        await asyncio.sleep(0.005)
    gateway.exchange.ask("cut")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asyncio.wait_for(_all(stream), 20)
    assert error.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
    gateway.exchange.ask("plan")
    async with asyncio.timeout(20):
        while True:
            try:
                events = await _all(gateway.order("cut", 4, market=True))
                break
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.05)
    fills = [event for event in events if event.arguments[0].string_value == "0"]
    assert number_of(fills[-1]) == gateway.exchange.ask("ledger")["orders"][0]["number"]
    assert len(gateway.exchange.ask("ledger")["orders"]) == 1


async def _all(stream: Any) -> list[pb.ListenResponse]:
    events = []
    while (event := await stream.read()) is not grpc.aio.EOF:
        events.append(event)
    return events
