"""Connections that break and come back, with both clients: nothing is sent twice, nothing is told twice or missed."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import datetime, timedelta

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.client import (
    AsyncClient,
    Client,
    ConnectionLost,
    Interruption,
    InvalidArgument,
    KoapyWarning,
    OrderUnknown,
    PreconditionFailed,
    Stream,
    Unimplemented,
    requests,
)
from koapy.client.order import OrderLog
from koapy.client.plan import Source
from koapy.client.reconnect import CLOSED_LONGEST, FIRST, LONGEST, RECONNECT, Follow, Link, delay
from koapy.openapi.calendar import KST
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as pb_grpc
from koapy.protocol import gateway_pb2, gateway_pb2_grpc
from koapy.server.failure import Failure, exhausted, precondition, unavailable

Status = grpc.StatusCode
pytestmark = pytest.mark.filterwarnings("ignore::koapy.client.KoapyWarning")

ACCOUNT = "8000000011"


class Journal(gateway_pb2_grpc.GatewayServicer):
    """Orders by key, as a gateway's journal has them; every event of an order is written here before it is told."""

    def __init__(self, wire) -> None:
        self.wire = wire
        self.identity = "first"
        self.sent: Counter[str] = Counter()
        self.events: list[pb.ListenResponse] = []
        self.asked: list[str] = []
        self.breaks: list[int] = []
        """After how many messages each of the next calls breaks."""
        self.failure = Failure(Status.UNAVAILABLE, "gone")
        self.more = asyncio.Event()

    async def Status(self, request, context):
        self.asked.append("Status")
        return gateway_pb2.StatusResponse(
            serving=True, state="SERVING", journal=self.identity, last_sequence=len(self.events)
        )

    def add(self, event: pb.ListenResponse) -> None:
        event.sequence = len(self.events) + 1
        self.events.append(event)
        self.more.set()

    async def order_call(self, request, context) -> None:
        """OrderCall: three events of an order that is sent once for each key."""
        metadata = dict(context.invocation_metadata())
        if metadata.get("koapy-expect-journal", self.identity) != self.identity:
            await self.fail(context, precondition("another journal", "JOURNAL_CHANGED", journal=self.identity))
        key = metadata["koapy-idempotency-key"]
        if not self.sent[key]:
            self.sent[key] += 1
            self.add(self.wire.says("[100000] 모의투자 매수주문완료"))
            self.add(self.wire.answers("0163911"))
            filled = {"f9201": ACCOUNT, "f9203": "0163911", "f9001": "A005930", "f913": "체결"}
            self.add(self.wire.chejan("0", **filled, f900="10", f902="0", f903="700000", f911="10"))
        await self.tell(context, self.events)

    async def tell(self, context, messages) -> None:
        """Send these, unless a break comes between."""
        left = self.breaks.pop(0) if self.breaks else None
        if left != 0:
            await context.send_initial_metadata((("koapy-journal", self.identity),))
        for message in messages:
            if left == 0:
                break
            await context.write(message)
            left = None if left is None else left - 1
        if left is not None:
            await self.fail(context, self.failure)

    async def fail(self, context, failure: Failure) -> None:
        silent = failure.reason == "UNAVAILABLE"  # a transport says nothing
        await context.abort(
            failure.status, failure.text, () if silent else (("grpc-status-details-bin", failure.packed()),)
        )

    async def OrderEvents(self, request, context):
        self.asked.append(f"OrderEvents {request.from_sequence} {request.journal}")
        if request.journal != self.identity:
            await self.fail(context, precondition("another journal", "JOURNAL_CHANGED"))
        first = request.from_sequence or len(self.events) + 1
        left = self.breaks.pop(0) if self.breaks else None
        await context.send_initial_metadata(())
        for number in range(first, 1_000_000):
            if left == 0:
                await self.fail(context, self.failure)
            while number > len(self.events):
                self.more.clear()
                await self.more.wait()
            await context.write(gateway_pb2.OrderEvent(sequence=number, event=self.events[number - 1]))
            left = None if left is None else left - 1


class Door:
    """A port at which a server can be closed and opened again."""

    def __init__(self, gateway, journal) -> None:
        self._gateway, self._journal = gateway, journal
        self._server = None
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def open(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server(self._gateway, self._server)
        if self._journal is not None:
            gateway_pb2_grpc.add_GatewayServicer_to_server(self._journal, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop(0)
            self._server = None


@pytest.fixture
def journal(gateway, wire):
    made = Journal(wire)
    gateway.scripts["OrderCall"] = made.order_call
    return made


@pytest.fixture
async def door(gateway, journal):
    door = Door(gateway, journal)
    await door.open()
    yield door
    await door.close()


@pytest.fixture
def address(door):
    return door.address


@pytest.fixture
def told():
    return []


@pytest.fixture
def client_options(told):
    return {"on_reconnect": told.append}


async def until(met):
    """Nobody tells a test what a client is doing, so it looks."""
    async with asyncio.timeout(20):
        while not met():
            await asyncio.sleep(0.005)


def numbers(events):
    return [event.sequence for event in events]


class TestDelay:
    @given(st.integers(0, 10_000), st.floats(0, 1))
    def test_it_grows_up_to_a_bound_and_is_spread_from_nothing_on(self, tries, chance):
        assert delay(tries, 0.0) == 0
        assert 0 <= delay(tries, chance) <= delay(tries, 1.0) <= LONGEST
        assert delay(tries, 1.0) <= delay(tries + 1, 1.0)

    def test_its_ends(self):
        assert delay(0, 1.0) == FIRST
        assert delay(1, 1.0) == 2 * FIRST
        assert delay(100, 1.0) == LONGEST


class TestTheTimeOfTries:
    """A stream's life with a clock by hand: waits are at their longest."""

    @pytest.fixture
    def clock(self):
        return [0.0]

    @pytest.fixture
    def follow(self, clock):
        source = Source("RealCall", pb.RealRequest(), lambda message: [message])
        link = Link("here:1", reconnect=30.0, reached=True)
        return Follow(source, link, lambda: clock[0], lambda: 1.0)

    def lost(self, follow, clock):
        """The wait after a loss, which passes."""
        (pause,) = follow.broke(ConnectionLost("gone"))
        clock[0] += pause.seconds
        return pause.seconds

    def closed(self, follow, clock, seconds, reason="MAINTENANCE"):
        """The wait after hearing that the gateway is closed for so long, which passes."""
        until = (datetime.now(KST) + timedelta(seconds=seconds)).isoformat()
        (pause,) = follow.broke(ConnectionLost("closed", reason=reason, details={"until": until}))
        clock[0] += pause.seconds
        return pause.seconds

    def test_it_ends_when_the_gateway_stays_away(self, follow, clock):
        waits = []
        while sum(waits) < 30.0:
            waits.append(self.lost(follow, clock))
        with pytest.raises(ConnectionLost, match="gone"):
            self.lost(follow, clock)
        assert follow.interruptions == []
        assert sum(waits) == 30.0
        assert waits[:6] == [0.2, 0.4, 0.8, 1.6, LONGEST, LONGEST]

    @pytest.mark.parametrize("reason", ["MAINTENANCE", "UPGRADING"])
    def test_it_begins_anew_when_the_gateway_is_open_again(self, follow, clock, reason):
        self.lost(follow, clock)
        waits = []
        while (left := 600.0 - clock[0]) > 0:
            waits.append(self.closed(follow, clock, left, reason))
        # Asked now and then: it may be open earlier, or go away meanwhile.
        assert max(waits) == CLOSED_LONGEST
        assert len(waits) < 40
        assert clock[0] < 600.0 + 2 * LONGEST
        # What is left of the closure when it was told for the last time may be a little less than the clock has it.
        while clock[0] < 629.0:
            self.lost(follow, clock)
        clock[0] = 631.0
        with pytest.raises(ConnectionLost, match="gone"):
            self.lost(follow, clock)

    @pytest.mark.parametrize("until", ["", "soon", "2099-11-24T05:10:00", "2020-11-24T05:10:00+09:00"])
    def test_a_closure_of_which_no_end_is_known_counts(self, follow, clock, until):
        self.lost(follow, clock)
        closed = ConnectionLost("closed", reason="MAINTENANCE", details={"until": until})
        while clock[0] < 30.0:
            (pause,) = follow.broke(closed)
            clock[0] += pause.seconds
        with pytest.raises(ConnectionLost, match="closed"):
            list(follow.broke(closed))

    def test_an_order_that_may_not_have_been_sent_is_not_sent_so_much_later(self, clock):
        request = requests.order("buy", "new", account=ACCOUNT, code="005930", quantity=1, price=None, quote_type=None)
        log = OrderLog(request, journal="first")
        follow = Follow(log.source(), Link("here:1", reconnect=30.0, reached=True), lambda: clock[0], lambda: 1.0)
        self.lost(follow, clock)
        while clock[0] < 30.0:
            self.closed(follow, clock, 600.0)
        with pytest.raises(OrderUnknown, match="closed"):
            self.closed(follow, clock, 600.0)

    def test_a_message_begins_it_anew(self, follow, clock):
        for _ in range(100):
            assert self.lost(follow, clock) == FIRST
            assert list(follow.took(pb.ListenResponse())) == [pb.ListenResponse()]
            follow.back()
        assert len(follow.interruptions) == 100

    def test_a_while_without_a_loss_begins_it_anew(self, follow, clock):
        for _ in range(100):
            assert self.lost(follow, clock) == FIRST
            follow.back()
            clock[0] += LONGEST + 1

    def test_an_answer_without_news_does_not(self, follow, clock):
        while clock[0] < 30.0:
            self.lost(follow, clock)
            follow.back()
        with pytest.raises(ConnectionLost):
            self.lost(follow, clock)


class TestOrders:
    @pytest.mark.parametrize("breaks", [[0], [1], [2], [0, 0, 1], [3], [2, 1, 3, 0]])
    async def test_each_event_comes_once_and_the_order_is_sent_once(self, client, journal, breaks):
        journal.breaks = list(breaks)
        stream = await client.buy("005930", 10)
        assert numbers(await stream.all()) == [1, 2, 3]
        order = await stream.result()
        assert (order.state, order.filled, len(order.events)) == ("filled", 10, 3)
        assert list(journal.sent.values()) == [1]
        assert journal.breaks == []
        assert all(isinstance(each, Interruption) and not each.lost for each in stream.interruptions)

    @pytest.mark.parametrize("breaks", [[], [1], [2], [3], [1, 2, 3]])
    async def test_what_came_before_the_number_comes_after_it(self, client, gateway, journal, wire, breaks):
        """An answer that was lost, and found out later, has a greater number than the events that it brings."""
        filled = {"f9201": ACCOUNT, "f9203": "0163911", "f9001": "A005930", "f913": "체결"}
        told = [wire.answers("0163911")] + [
            wire.chejan("0", **filled, f900="10", f902=f"{10 - done}", f903="7", f911=f"{done}") for done in (4, 10)
        ]
        for event, number in zip(told, (9, 3, 5), strict=True):
            event.sequence = number

        async def script(request, context):
            await journal.tell(context, told)

        gateway.scripts["OrderCall"] = script
        journal.breaks = list(breaks)
        stream = await client.buy("005930", 10)
        assert numbers(await stream.all()) == [9, 3, 5]
        assert (await stream.result()).state == "filled"

    async def test_what_is_told_of_an_interruption(self, client, journal, told, caplog):
        journal.breaks = [2]
        stream = await client.buy("005930", 10)
        with caplog.at_level(logging.WARNING, "koapy.client"), pytest.warns(KoapyWarning) as caught:
            await stream.all()
        (interruption,) = stream.interruptions
        assert told == [interruption]
        assert interruption.since <= interruption.until <= datetime.now(interruption.until.tzinfo)
        assert interruption.until.utcoffset().total_seconds() == 9 * 3600
        assert interruption.resumed_from == 3
        lost, back = [str(each.message) for each in caught]
        assert "OrderCall" in lost
        assert f"trying again for {RECONNECT:g} s" in lost
        assert "is back after" in back
        assert "nothing was missed" in back
        assert [each.message for each in caplog.records] == [lost, back]

    @pytest.mark.parametrize(
        "failure",
        [
            unavailable("shutting down", "SHUTTING_DOWN"),
            exhausted("read too slowly", "STREAM_QUEUE_FULL"),
            unavailable("disk full", "JOURNAL_FAILED"),
            Failure(Status.DEADLINE_EXCEEDED, "silent", reason="CONTROL_SILENT"),
        ],
        ids=lambda failure: failure.reason,
    )
    async def test_what_a_gateway_says_before_it_goes(self, client, journal, failure):
        journal.breaks, journal.failure = [1], failure
        stream = await client.sell("005930", 10)
        assert numbers(await stream.all()) == [1, 2, 3]
        assert list(journal.sent.values()) == [1]

    async def test_a_gateway_that_is_silent_after_it_came_back(self, client, gateway, journal):
        async def breaking(request, context):
            journal.breaks, journal.failure = [1], failures.pop(0)
            if not failures:
                gateway.scripts["OrderCall"] = journal.order_call
            await journal.order_call(request, context)

        failures = [
            Failure(Status.UNAVAILABLE, "gone"),
            precondition("not logged in yet", "NOT_LOGGED_IN"),
            Failure(Status.DEADLINE_EXCEEDED, "silent", reason="CONTROL_SILENT"),
            unavailable("no connection to OpenAPI+", "CONNECTION_LOST"),
        ]
        gateway.scripts["OrderCall"] = breaking
        stream = await client.sell("005930", 10)
        assert numbers(await stream.all()) == [1, 2, 3]
        assert list(journal.sent.values()) == [1]

    @pytest.mark.parametrize("client_options", [{"reconnect": 1.0}])
    async def test_an_open_order_outlasts_a_night_of_the_gateway(self, client, gateway, journal):
        """Which takes longer than the client tries."""
        over = datetime.now(KST) + timedelta(seconds=2.0)
        closed = unavailable("closed", "MAINTENANCE", until=over.isoformat())
        told = []

        async def night(request, context):
            if datetime.now(KST) < over:
                journal.breaks = [1]
                journal.failure = closed if told else unavailable("the connection was lost", "CONNECTION_LOST")
                told.append(journal.failure.reason)
            await journal.order_call(request, context)

        gateway.scripts["OrderCall"] = night
        stream = await client.sell("005930", 10)
        assert numbers(await stream.all()) == [1, 2, 3]
        assert told[:2] == ["CONNECTION_LOST", "MAINTENANCE"]
        assert list(journal.sent.values()) == [1]

    async def test_an_order_that_was_refused_for_the_journal_is_not_tried_again(self, client, journal):
        journal.breaks, journal.failure = [0], unavailable("disk full; not sent", "JOURNAL_FAILED", sent="no")
        with pytest.raises(ConnectionLost, match="disk full") as caught:
            await (await client.buy("005930", 10)).result()
        assert caught.value.reason == "JOURNAL_FAILED"

    async def test_all_tries_have_one_key_and_name_the_journal(self, client, gateway, journal):
        journal.breaks = [1, 1]
        await (await client.buy("005930", 10)).all()
        sent = [metadata for name, _, metadata in gateway.requests if name == "OrderCall"]
        assert len(sent) == 3
        assert len({metadata["koapy-idempotency-key"] for metadata in sent}) == 1
        assert {metadata["koapy-expect-journal"] for metadata in sent} == {"first"}

    async def test_the_journal_is_asked_for_once(self, client, journal):
        for _ in range(3):
            await (await client.buy("005930", 10)).all()
        assert journal.asked == ["Status"]

    @pytest.mark.parametrize("seen", [0, 2])
    async def test_another_journal_does_not_get_the_order(self, client, gateway, journal, seen):
        async def replaced(request, context):
            gateway.scripts["OrderCall"] = journal.order_call
            journal.breaks = [seen]
            try:
                await journal.order_call(request, context)
            finally:
                journal.identity, journal.breaks = "second", []
                journal.sent.clear()

        gateway.scripts["OrderCall"] = replaced
        stream = await client.buy("005930", 10)
        assert len(await stream.taken(seen)) == seen
        with pytest.raises(OrderUnknown, match=r"another journal.*not sent a second time.*open_orders") as caught:
            await stream.result()
        assert caught.value.reason == "JOURNAL_CHANGED"
        assert len(caught.value.order.events) == seen
        assert not journal.sent
        # The next order is one for the journal that is there now.
        assert (await (await client.buy("005930", 10)).result()).state == "filled"

    async def test_a_first_try_may_be_meant_for_a_journal_that_is_new(self, client, journal):
        await (await client.buy("005930", 10)).all()
        journal.identity = "second"
        assert (await (await client.buy("005930", 10)).result()).state == "filled"
        assert list(journal.sent.values()) == [1, 1]

    async def test_events_without_numbers_are_not_told_twice(self, client, gateway, wire, journal):
        break_ = wire.failing(Status.UNAVAILABLE, "gone", after=[wire.says("모의투자"), wire.answers("0163911")])
        gateway.scripts["OrderCall"] = break_
        stream = await client.buy("005930", 10)
        with pytest.raises(OrderUnknown) as caught:
            await stream.result()
        assert len(caught.value.order.events) == 2
        assert len(gateway.asked("OrderCall")) == 1

    async def test_a_gateway_that_stays_away(self, gateway, door, journal, client_options):
        async def going(request, context):
            closing.append(asyncio.create_task(door.close()))
            await asyncio.Event().wait()

        closing: list[asyncio.Task[None]] = []
        gateway.scripts["OrderCall"] = going
        async with AsyncClient(door.address, reconnect=0.3) as client:
            with pytest.raises(OrderUnknown, match="not known") as caught:
                await client.buy("005930", 10)
        # The last try found nobody; that an earlier one may have sent it is what counts.
        assert caught.value.order.state == "sent"
        assert len(gateway.asked("OrderCall")) == 1

    async def test_a_function_is_made_again_under_its_key(self, client, gateway, journal):
        tries = iter([True, True, False])

        async def breaking(request, context):
            if request.name == "SendOrder" and next(tries):
                await context.abort(Status.UNAVAILABLE, "gone")

        gateway.scripts["Call"] = breaking
        gateway.functions["SendOrder"] = 0
        assert await client.SendOrder("rq", "0101", ACCOUNT, 1, "005930", 1, 0, "03", "") == 0
        sent = [metadata for _, request, metadata in gateway.requests if getattr(request, "name", "") == "SendOrder"]
        assert len(sent) == 3
        assert len({metadata["koapy-idempotency-key"] for metadata in sent}) == 1
        assert {metadata["koapy-expect-journal"] for metadata in sent} == {"first"}

    async def test_a_function_of_another_journal(self, client, gateway, journal):
        failures = iter([Failure(Status.UNAVAILABLE, "gone"), precondition("another journal", "JOURNAL_CHANGED")])

        async def breaking(request, context):
            await journal.fail(context, next(failures))

        gateway.scripts["Call"] = breaking
        with pytest.raises(OrderUnknown, match="open_orders"):
            await client.SendOrder("rq", "0101", ACCOUNT, 1, "005930", 1, 0, "03", "")

    async def test_undetermined_orders_are_unknown_ones(self, client, gateway, journal):
        journal.breaks = [2]
        journal.failure = Failure(Status.ABORTED, "opt10075 does not know it", reason="ORDER_UNDETERMINED")
        with pytest.raises(OrderUnknown, match="opt10075") as caught:
            await (await client.buy("005930", 10)).result()
        assert caught.value.order.number == "0163911"

    @pytest.mark.parametrize("client_options", [{"reconnect": 0}])
    async def test_without_reconnecting(self, client, gateway, journal):
        journal.breaks = [1]
        with pytest.raises(OrderUnknown):
            await (await client.buy("005930", 10)).result()
        assert len(gateway.asked("OrderCall")) == 1
        assert journal.asked == []


class TestWithoutJournal:
    @pytest.fixture
    async def door(self, gateway):
        door = Door(gateway, None)
        await door.open()
        yield door
        await door.close()

    async def test_an_order_is_never_sent_again(self, client, gateway, wire):
        gateway.scripts["OrderCall"] = wire.failing(Status.UNAVAILABLE, "gone")
        gateway.scripts["Call"] = wire.failing(Status.UNAVAILABLE, "gone")
        with pytest.raises(OrderUnknown):
            await (await client.buy("005930", 10, account=ACCOUNT)).result()
        with pytest.raises(OrderUnknown):
            await client.SendOrder("rq", "0101", ACCOUNT, 1, "005930", 1, 0, "03", "")
        assert len(gateway.asked("OrderCall")) == len(gateway.asked("Call")) == 1

    async def test_order_events_come_from_now_on(self, client, gateway, wire):
        gateway.scripts["OrderListen"] = wire.playing(wire.answers("0163911"))
        (event,) = await (await client.order_events()).all()
        assert (event.number, event.sequence) == ("0163911", 0)
        with pytest.raises(Unimplemented):
            await (await client.order_events(since=1)).all()


class TestOrderEvents:
    @pytest.fixture(autouse=True)
    def events(self, journal, wire):
        for number in range(1, 6):
            journal.add(wire.answers(f"{number:07}"))

    @pytest.mark.parametrize("breaks", [[], [0], [1, 0, 2], [1, 1, 1]])
    async def test_none_is_missed_and_none_comes_twice(self, client, journal, breaks):
        journal.breaks = list(breaks)
        stream = await client.order_events(since=2)
        assert numbers(await stream.taken(4)) == [2, 3, 4, 5]
        await stream.close()
        assert len(journal.asked) == 2 + len(breaks)
        assert journal.asked[1] == "OrderEvents 2 first"

    async def test_from_now_on_without_missing_what_comes_in_a_break(self, client, journal, wire):
        journal.breaks = [0]
        stream = await client.order_events()
        first = asyncio.ensure_future(stream.taken(2))
        await until(lambda: any(each.startswith("OrderEvents 6") for each in journal.asked))
        journal.add(wire.answers("0000006"))
        journal.add(wire.answers("0000007"))
        assert numbers(await first) == [6, 7]
        await stream.close()

    async def test_where_to_go_on_another_day(self, client):
        stream = await client.order_events(since=1)
        last = (await stream.taken(3))[-1]
        assert (stream.inner.sequence, stream.inner.journal) == (last.sequence, "first") == (3, "first")
        await stream.close()
        again = await client.order_events(since=last.sequence + 1, journal="first")
        assert numbers(await again.taken(2)) == [4, 5]
        await again.close()
        with pytest.raises(PreconditionFailed) as caught:
            await anext(await client.order_events(since=1, journal="second"))
        assert caught.value.reason == "JOURNAL_CHANGED"

    async def test_numbers_begin_with_one(self, client):
        with pytest.raises(InvalidArgument, match="begin with 1"):
            await (await client.order_events(since=0)).all()


class TestOtherStreams:
    def tick(self, wire):
        return wire.event("OnReceiveRealData", "005930", "주식체결", "raw", single={"현재가": "-77100"})

    async def test_they_are_opened_again_and_have_a_gap(self, client, gateway, wire, told):
        gateway.scripts["RealCall"] = self.breaking(gateway, wire)
        stream = await client.realtime("005930")
        assert len(await stream.taken(2)) == 2
        (interruption,) = stream.inner.interruptions
        assert told == [interruption]
        assert (interruption.lost, interruption.resumed_from) == (True, None)
        first, second = gateway.asked("RealCall")
        assert first == second
        await stream.close()

    async def test_a_gap_of_the_gateway_s_own_is_told_of_too(self, client, gateway, wire, told):
        after = self.tick(wire)
        after.gaps.append("2026-11-24T05:00:01+09:00/2026-11-24T05:10:04+09:00")
        gateway.scripts["RealCall"] = wire.playing(self.tick(wire), after, self.tick(wire))
        stream = await client.realtime("005930")
        assert len(await stream.taken(3)) == 3
        (interruption,) = stream.inner.interruptions
        assert told == [interruption]
        assert (interruption.lost, interruption.until - interruption.since) == (True, timedelta(seconds=603))
        assert len(gateway.asked("RealCall")) == 1
        await stream.close()

    def breaking(self, gateway, wire):
        async def script(request, context):
            gateway.scripts["RealCall"] = wire.playing(self.tick(wire), forever=True)
            await context.write(self.tick(wire))
            await context.abort(Status.UNAVAILABLE, "gone")

        return script

    async def test_a_restarted_gateway_is_logged_in_again(self, client, gateway, wire, journal):
        async def script(request, context):
            asked = len(gateway.asked("RealCall"))
            if asked == 1:
                await context.abort(Status.UNAVAILABLE, "gone")
            if len(gateway.asked("LoginCall")) == 1:
                await journal.fail(context, precondition("not logged in", "NOT_LOGGED_IN"))
            await context.write(self.tick(wire))

        gateway.scripts |= {"RealCall": script, "LoginCall": wire.playing(wire.event("OnEventConnect", 0))}
        await client.login()
        assert len(await (await client.realtime("005930")).all()) == 1
        assert len(gateway.asked("LoginCall")) == 2

    @pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
    async def test_a_gateway_that_was_never_there_is_not_waited_for(self, unused_tcp_port, host):
        async with AsyncClient(f"{host}:{unused_tcp_port}") as client:
            with pytest.raises(ConnectionLost, match="no server answers") as caught:
                await anext(client.realtime("005930"))
            assert not caught.value.reached

    async def test_a_callback_or_a_warning_that_raises_costs_no_message(self, client, gateway, wire, told):
        client.inner._link.on_reconnect = lambda interruption: 1 / 0
        gateway.scripts["RealCall"] = self.breaking(gateway, wire)
        stream = await client.realtime("005930")
        await stream.taken(1)
        with pytest.raises(ZeroDivisionError):
            await stream.taken(1)
        assert len(await stream.taken(1)) == 1
        await stream.close()


class TestQueries:
    async def test_what_only_reads_is_asked_again(self, client, gateway, wire):
        def once(rpc, then):
            async def script(request, context):
                gateway.scripts.pop(rpc)
                if then is not None:
                    gateway.scripts[rpc] = then
                await context.abort(Status.UNAVAILABLE, "gone")

            return script

        page = wire.playing(wire.page("opt10081", [{"일자": "20261120"}]))
        gateway.scripts |= {"TransactionCall": once("TransactionCall", page), "Call": once("Call", None)}
        gateway.functions["GetMasterCodeName"] = "삼성전자"
        assert len(await client.tr("opt10081")) == 1
        assert await client.GetMasterCodeName("005930") == "삼성전자"
        assert (len(gateway.asked("TransactionCall")), len(gateway.asked("Call"))) == (2, 2)

    async def test_an_answer_that_had_begun_is_not(self, client, gateway, wire):
        page = wire.page("opt10081", [{"일자": "20261120"}], more=True)
        gateway.scripts["TransactionCall"] = wire.failing(Status.UNAVAILABLE, "gone", after=[page])
        with pytest.raises(ConnectionLost):
            await client.tr("opt10081")
        assert len(gateway.asked("TransactionCall")) == 1

    async def test_what_does_something_is_not(self, client, gateway, wire):
        gateway.scripts["Call"] = wire.failing(Status.UNAVAILABLE, "gone")
        with pytest.raises(ConnectionLost):
            await client.CommRqData("주식", "opt10001", 0, "0101")
        assert len(gateway.asked("Call")) == 1

    async def test_a_gateway_that_comes_back_in_time(self, client, gateway, door, caplog):
        gateway.functions["CommRqData"] = 0
        await client.connected()
        await door.close()
        reading = asyncio.ensure_future(client.connected())
        await until(lambda: "trying again" in caplog.text)
        # Nothing is sent while it is away, so even this is asked when it is back.
        asking = asyncio.ensure_future(client.CommRqData("주식", "opt10001", 0, "0101"))
        await until(lambda: caplog.text.count("trying again") == 2)
        await door.open()
        assert (await reading, await asking) == (True, 0)


class TestEnds:
    @pytest.fixture
    def client_options(self):
        return {"reconnect": None}

    @pytest.fixture
    async def away(self, client, gateway, door, wire, caplog):
        """A stream whose gateway went while it was read."""
        tick = wire.event("OnReceiveRealData", "005930", "주식체결", "raw", single={})
        gateway.scripts["RealCall"] = wire.playing(tick, forever=True)
        stream = await client.realtime("005930")
        await stream.taken(1)
        waiting = asyncio.ensure_future(stream.all())
        await door.close()
        await until(lambda: "trying again without end" in caplog.text)
        return stream, waiting

    @pytest.mark.parametrize("what", ["stream", "client"])
    async def test_closing_ends_the_wait(self, client, away, what):
        stream, waiting = away
        if what == "stream":
            await stream.close()
        elif isinstance(client.inner, Client):
            await client.close()
        else:
            await client.aclose()
        async with asyncio.timeout(5):
            assert await waiting == []
        assert await stream.all() == []

    async def test_cancelling_ends_the_wait(self, away):
        stream, waiting = away
        if isinstance(stream.inner, Stream):
            await stream.close()  # a thread cannot be cancelled
            return
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await stream.all() == []

    async def test_a_query_that_waits_ends_with_the_client(self, client, door, caplog):
        await client.connected()
        await door.close()
        asking = asyncio.ensure_future(client.connected())
        await until(lambda: "trying again" in caplog.text)
        await (client.close() if isinstance(client.inner, Client) else client.aclose())
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionLost, match="has been closed"):
                await asking
