"""Orders through keys, the journal, restarted gateways and the kill switch; the exchange goes on meanwhile."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from koapy.control.jobs import Job
from koapy.orders.journal import Journal, read_events, read_orders
from koapy.orders.model import OrderState
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2 as v1
from koapy.protocol.gateway_pb2_grpc import GatewayStub
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.server import Server, Settings
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

UNLIMITED = Settings(tr_windows=(), order_windows=(), condition_windows=(), drain_seconds=0.2, answer_seconds=3.0)
CODE = "005930"


class Counting:
    """The simulation, with a list of the orders that reached it; can keep an order's answer to itself."""

    def __init__(self) -> None:
        self.inner = SimulatedControl(seed=5, login_delay=0.01)
        self.sent: list[tuple[Any, ...]] = []
        self.submit = self.inner.submit

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def SendOrder(self, *args: Any) -> int:
        self.sent.append(args)
        return self.inner.SendOrder(*args)


class Running:
    """A gateway with a journal, and a connection to it."""

    def __init__(self, server: Server, channel: grpc.aio.Channel) -> None:
        self.server = server
        self.stub = KiwoomOpenApiPlusServiceStub(channel)
        self.v1 = GatewayStub(channel)

    async def call(self, name: str, *args: str | int) -> Any:
        arguments = [
            pb.Argument(long_value=each) if isinstance(each, int) else pb.Argument(string_value=each) for each in args
        ]
        value = (await self.stub.Call(pb.CallRequest(name=name, arguments=arguments))).return_value
        return getattr(value, value.WhichOneof("value"))

    async def login(self) -> str:
        async for _ in self.stub.LoginCall(pb.LoginRequest()):
            pass
        return (await self.call("GetLoginInfo", "ACCLIST")).split(";")[0]


@pytest.fixture
def control() -> Iterator[Counting]:
    control = Counting()
    yield control
    control.inner.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "orders.sqlite"


@asynccontextmanager
async def gateway(control: Any, journal: Path | None, settings: Settings = UNLIMITED) -> AsyncIterator[Running]:
    async with (
        Server(control, port=0, settings=settings, journal=journal) as server,
        grpc.aio.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel,
    ):
        yield Running(server, channel)


def order(account: str, quantity: int, price: int = 0, **changes: Any) -> pb.OrderRequest:
    """A buy; at the market where no price is given."""
    fields = {
        "request_name": "주문",
        "screen_no": "0001",
        "account_no": account,
        "order_type": 1,
        "code": CODE,
        "quantity": quantity,
        "price": price,
        "quote_type": "00" if price else "03",
    }
    return pb.OrderRequest(**(fields | changes))


def key(text: str) -> tuple[tuple[str, str], ...]:
    return (("koapy-idempotency-key", text),)


async def ended(stream: Any) -> tuple[list[Any], grpc.StatusCode, str]:
    """What came, the status and the reason."""
    events = []
    async with asyncio.timeout(20):
        try:
            async for event in stream:
                events.append(event)  # noqa: PERF401  what came before an error counts
        except grpc.aio.AioRpcError as error:
            packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
            info = error_details_pb2.ErrorInfo()
            status_pb2.Status.FromString(packed).details[0].Unpack(info)
            return events, error.code(), info.reason
    return events, grpc.StatusCode.OK, ""


async def low(running: Running) -> int:
    """A price at which nothing trades."""
    last = await running.call("GetMasterLastPrice", CODE)
    return int(last) * 3 // 4 // 1000 * 1000


async def test_a_retry_joins_the_order_that_there_is(control: Counting, journal: Path) -> None:
    async with gateway(control, journal) as first:
        account = await first.login()
        request = order(account, 10)
        told = await ended(first.stub.OrderCall(request, metadata=key("k")))
        again = await ended(first.stub.OrderCall(request, metadata=key("k")))
        assert told == again
        assert [event.sequence for event in told[0]] == sorted({event.sequence for event in told[0]})
        assert len(control.sent) == 1
        # The same key for something else is a slip that must not pass for a retry.
        _, status, reason = await ended(first.stub.OrderCall(order(account, 11), metadata=key("k")))
        assert (status, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    async with gateway(control, journal) as second:
        assert await ended(second.stub.OrderCall(request, metadata=key("k"))) == told
        # Without a key each call is an order, as it always was.
        await ended(second.stub.OrderCall(request))
    assert len(control.sent) == 2
    assert [(record.key, record.state) for record in read_orders(journal)] == [
        ("k", OrderState.FILLED),
        (None, OrderState.FILLED),
    ]


async def test_tries_at_once_are_one_order_and_each_sees_all_of_it(control: Counting, journal: Path) -> None:
    async with gateway(control, journal) as running:
        account = await running.login()
        request = order(account, 10)
        calls = [ended(running.stub.OrderCall(request, metadata=key("k"))) for _ in range(8)]
        told = await asyncio.gather(*calls)
    assert len(control.sent) == 1
    assert all(each == told[0] for each in told)


async def test_call_joins_by_its_key_too(control: Counting, journal: Path) -> None:
    async with gateway(control, journal) as running:
        account = await running.login()
        args = ["주문", "0001", account, 1, CODE, 10, 0, "03", ""]
        arguments = [
            pb.Argument(long_value=each) if isinstance(each, int) else pb.Argument(string_value=each) for each in args
        ]
        request = pb.CallRequest(name="SendOrder", arguments=arguments)
        replies = [await running.stub.Call(request, metadata=key("k")) for _ in range(2)]
        # What was sent already needs no login any more.
        await asyncio.wrap_future(control.inner.lose_connection())
        replies.append(await running.stub.Call(request, metadata=key("k")))
    assert [reply.return_value.long_value for reply in replies] == [0, 0, 0]
    assert len(control.sent) == 1


async def test_keys_of_an_order_that_was_not_sent_are_free(control: Counting, journal: Path) -> None:
    async with gateway(control, journal) as running:
        account = await running.login()
        await running.v1.Halt(v1.HaltRequest(reason="시험"))
        assert (await ended(running.stub.OrderCall(order(account, 10), metadata=key("k"))))[1:] == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "HALTED",
        )
        await running.v1.Release(v1.ReleaseRequest())
        assert (await ended(running.stub.OrderCall(order(account, 10), metadata=key("k"))))[1] is grpc.StatusCode.OK
    assert len(control.sent) == 1


async def test_another_journal_is_refused_where_the_client_names_its_own(control: Counting, journal: Path) -> None:
    async with gateway(control, None) as running:
        account = await running.login()
        metadata = (*key("k"), ("koapy-expect-journal", "0123456789abcdef"))
        _, status, reason = await ended(running.stub.OrderCall(order(account, 10), metadata=metadata))
        assert (status, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "JOURNAL_CHANGED")
        identity = (await running.v1.Status(v1.StatusRequest())).journal
        metadata = (*key("k"), ("koapy-expect-journal", identity))
        stream = running.stub.OrderCall(order(account, 10), metadata=metadata)
        assert dict(await stream.initial_metadata())["koapy-journal"] == identity
        assert (await ended(stream))[1] is grpc.StatusCode.OK


async def test_order_events_resume_without_gaps_and_twice_nothing(control: Counting, journal: Path) -> None:
    async with gateway(control, journal) as first:
        account = await first.login()
        for quantity in (1, 2, 3):
            await ended(first.stub.OrderCall(order(account, quantity)))
        count = (await first.v1.Status(v1.StatusRequest())).last_sequence
        assert count == 3 * 5
    async with gateway(control, journal) as second:
        request = v1.OrderEventsRequest(from_sequence=4)
        stream = second.v1.OrderEvents(request)
        assert dict(await stream.initial_metadata())["koapy-sequence"] == str(count)
        legacy = second.stub.OrderListen(pb.ListenRequest(), metadata=(("koapy-from-sequence", "4"),))
        await ended(second.stub.OrderCall(order(account, 4)))
        told = [await stream.read() for _ in range(4, count + 6)]
        same = [await legacy.read() for _ in range(4, count + 6)]
    assert [event.sequence for event in told] == list(range(4, count + 6))
    assert [event.event for event in told] == same
    assert {event.order_id for event in told if event.event.name == "OnReceiveChejanData"} >= {1, 2, 3, 4}
    assert [event.sequence for event in read_events(journal)] == list(range(1, count + 6))


async def test_numbers_of_another_journal_are_refused(control: Counting, journal: Path) -> None:
    async with gateway(control, journal) as running:
        ahead = running.v1.OrderEvents(v1.OrderEventsRequest(from_sequence=7))
        assert (await ended(ahead))[1:] == (grpc.StatusCode.OUT_OF_RANGE, "SEQUENCE")
        foreign = running.v1.OrderEvents(v1.OrderEventsRequest(from_sequence=1, journal="0123456789abcdef"))
        assert (await ended(foreign))[1:] == (grpc.StatusCode.FAILED_PRECONDITION, "JOURNAL_CHANGED")
        bad = running.stub.OrderListen(pb.ListenRequest(), metadata=(("koapy-from-sequence", "-1"),))
        assert (await ended(bad))[1] is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_happened_while_the_gateway_was_away_is_looked_up(control: Counting, journal: Path) -> None:
    async with gateway(control, journal) as first:
        account = await first.login()
        price = await low(first)
        waiting = first.stub.OrderCall(order(account, 10, price), metadata=key("cancelled"))
        number = [await waiting.read() for _ in range(2)][1].single_data.values[0]
        standing = first.stub.OrderCall(order(account, 7, price), metadata=key("standing"))
        assert [(await standing.read()).name for _ in range(3)][2] == "OnReceiveChejanData"
    # By hand, in Kiwoom's own program, as it were.
    cancel = ("취소", "0002", account, 3, CODE, 10, 0, "00", number)
    assert control.submit(control.inner.SendOrder, *cancel).result() == 0
    await asyncio.wrap_future(control.submit(lambda: None))
    await until(lambda: control.submit(lambda: not control.inner.world.exchange.order(int(number)).open).result())
    async with gateway(control, journal) as second:
        events, status, _ = await ended(second.stub.OrderCall(order(account, 10, price), metadata=key("cancelled")))
        assert status is grpc.StatusCode.OK
        assert events[-1].recovered
        assert dict(zip(events[-1].single_data.names, events[-1].single_data.values, strict=True))["미체결수량"] == "0"
        states = {each.quantity: each.state for each in (await second.v1.Orders(v1.OrdersRequest())).orders}
        assert states == {10: "cancelled", 7: "accepted"}
        halted = await second.v1.Halt(v1.HaltRequest(reason="끝", cancel_open=True))
        assert [(each.quantity, each.error) for each in halted.cancellations] == [(7, "")]
        assert not (await second.v1.Orders(v1.OrdersRequest(unsettled=True))).orders


async def test_the_kill_switch_outlives_the_gateway_and_lets_cancels_pass(control: Counting, journal: Path) -> None:
    async with gateway(control, journal) as first:
        account = await first.login()
        price = await low(first)
        waiting = first.stub.OrderCall(order(account, 10, price))
        number = [await waiting.read() for _ in range(3)][1].single_data.values[0]
        state = (await first.v1.Halt(v1.HaltRequest(reason="too many losses"))).state
        assert (state.halted, state.by, state.reason) == (True, "local", "too many losses")
    async with gateway(control, journal) as second:
        _, status, reason = await ended(second.stub.OrderCall(order(account, 1)))
        assert (status, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "HALTED")
        changes = {"order_type": 3, "original_order_no": number, "price": 0, "quote_type": "00"}
        assert (await ended(second.stub.OrderCall(order(account, 10, **changes))))[1] is grpc.StatusCode.OK
        assert (await second.v1.Release(v1.ReleaseRequest())).state.reason == "too many losses"
        assert (await ended(second.stub.OrderCall(order(account, 1))))[1] is grpc.StatusCode.OK


async def test_two_gateways_do_not_share_a_journal(control: Counting, journal: Path) -> None:
    from koapy.orders.lock import JournalInUse

    async with gateway(control, journal):
        other = SimulatedControl(seed=6)
        with pytest.raises(JournalInUse, match="in use by the gateway of process"):
            async with gateway(other, journal):
                pass
        other.close()


async def until(met: Any) -> None:
    """Nobody tells when the exchange is through with what another program sent, so the test looks."""
    async with asyncio.timeout(10):
        while not met():
            await asyncio.sleep(0.005)


async def test_an_outcome_may_be_on_disk_before_the_call_has_returned(
    control: Counting, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, returned, make = asyncio.get_running_loop(), Journal.returned, Job.make
    is_back = threading.Event()

    def at_once(own: Journal, order_id: int, code: int, then: Callable[[object], object]) -> None:
        told = threading.Event()

        def tell(outcome: object) -> None:
            then(outcome)
            told.set()

        is_back.clear()
        loop.call_soon_threadsafe(is_back.wait, 10)  # the loop looks only afterwards
        returned(own, order_id, code, tell)
        assert told.wait(10)

    def made(job: Job) -> None:
        make(job)
        is_back.set()

    monkeypatch.setattr(Journal, "returned", at_once)
    monkeypatch.setattr(Job, "make", made)
    async with gateway(control, journal) as running:
        account = await running.login()
        assert await running.call("SendOrder", "주문", "0001", account, 1, CODE, 1, 0, "03", "") == 0
