"""The gateway's own service, with both clients: what is asked, and what its answers become."""

from __future__ import annotations

from datetime import date, datetime

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from koapy.client import AsyncClient, Cancellation, ConnectionLost, Halt, Unimplemented
from koapy.openapi.calendar import KST
from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as pb_grpc
from koapy.protocol import gateway_pb2 as pb
from koapy.protocol import gateway_pb2_grpc

NOW = datetime(2026, 11, 23, 9, 0, 1, 500_000, KST)


def stamp(when: datetime = NOW) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(when)
    return made


HALTED = pb.HaltState(halted=True, by="ops", reason="a test", since=stamp())
ORDER = pb.Order(
    id=7,
    time=stamp(),
    client="bot",
    function="SendOrder",
    request_name="buy 005930 10",
    account="8000000011",
    order_type=1,
    code="005930",
    quantity=10,
    price=70_000,
    quote_type="00",
    number="0163911",
    state="partly filled",
    open=4,
    filled=6,
    amount=420_000,
    message="체결",
    changed=stamp(),
)


class Operated(gateway_pb2_grpc.GatewayServicer):
    """Says what it was told to, and fails as often as it was told to."""

    def __init__(self) -> None:
        self.asked = []
        self.failures = 0

    async def _answer(self, request, context, reply):
        self.asked.append(request)
        if self.failures:
            self.failures -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        return reply

    async def Status(self, request, context):
        reply = pb.StatusResponse(
            serving=True, state="SERVING", text="fine", halt=HALTED, journal="j", last_sequence=9, unsettled=2
        )
        return await self._answer(request, context, reply)

    async def Halt(self, request, context):
        made = pb.Cancellation(account="8000000011", code="005930", original="0163911", quantity=4, error="too late")
        return await self._answer(request, context, pb.HaltResponse(state=HALTED, cancellations=[made]))

    async def Release(self, request, context):
        return await self._answer(request, context, pb.ReleaseResponse(state=HALTED))

    async def Orders(self, request, context):
        return await self._answer(request, context, pb.OrdersResponse(journal="j", last_sequence=9, orders=[ORDER]))


@pytest.fixture
def operated():
    return Operated()


@pytest.fixture
async def address(operated):
    server = grpc.aio.server()
    gateway_pb2_grpc.add_GatewayServicer_to_server(operated, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


async def test_status(client):
    status = await client.status()
    assert (status.serving, status.state, status.text) == (True, "SERVING", "fine")
    assert (status.journal, status.last_sequence, status.unsettled) == ("j", 9, 2)
    assert status.halt == Halt(True, "ops", "a test", NOW)
    assert status.halt.since.utcoffset() == NOW.utcoffset()


async def test_halt_and_release(client, operated):
    halt = await client.halt("a test", cancel_open=True)
    assert halt.cancellations == (Cancellation("8000000011", "005930", "0163911", 4, "too late"),)
    assert (halt.halted, halt.by, halt.reason, halt.since) == (True, "ops", "a test", NOW)
    assert await client.release() == Halt(True, "ops", "a test", NOW)
    asked, _ = operated.asked
    assert (asked.reason, asked.cancel_open) == ("a test", True)


@pytest.mark.filterwarnings("ignore::koapy.client.KoapyWarning")
async def test_a_halt_is_asked_for_until_it_is_there_and_a_release_once(client, operated):
    operated.failures = 2
    assert (await client.halt("a test")).halted
    assert len(operated.asked) == 3
    operated.failures = 1
    with pytest.raises(ConnectionLost):
        await client.release()
    assert len(operated.asked) == 4


@pytest.mark.parametrize(
    ("arguments", "day", "unsettled"),
    [((), "", False), ((date(2026, 11, 20),), "20261120", False), (("20261120", True), "20261120", True)],
)
async def test_orders_of_the_journal(client, operated, arguments, day, unsettled):
    found = await client.journal_orders(*arguments)
    assert (found.journal, found.last_sequence, len(found)) == ("j", 9, 1)
    (order,) = found
    told = {field.name for field in ORDER.DESCRIPTOR.fields} - {"time", "changed"}
    assert {name: getattr(order, name) for name in told} == {name: getattr(ORDER, name) for name in told}
    assert order.time == order.changed == NOW
    (asked,) = operated.asked
    assert (asked.day, asked.unsettled) == (day, unsettled)


async def test_an_older_gateway(gateway, wire):
    """One that has only the published service."""
    server = grpc.aio.server()
    pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server(gateway, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with AsyncClient(f"127.0.0.1:{port}") as client:
        with pytest.raises(Unimplemented):
            await client.status()
    await server.stop(0)
