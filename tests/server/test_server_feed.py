"""Ticks on their way to many streams: whatever comes and goes, order is kept and nothing is lost uncounted."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.realtype import real_types
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.budget import Budget
from koapy.server.events import ReceiveMsg
from koapy.server.failure import Failure
from koapy.server.feed import LONGEST_RUN, SHARES, Cursor, Feed, Overflow
from koapy.server.feeds import EVERY, Feeds, Handover
from koapy.server.foresight import Foresight
from koapy.server.inbox import Inbox
from koapy.server.pace import LONGEST_ROUND, Pace
from koapy.server.reading import EVERYTHING, View
from koapy.server.ticks import Lane, Run, Tick

if TYPE_CHECKING:
    from collections.abc import Callable

KIND = "주식체결"
LANES = {code: Lane(code, KIND, View((10,), readable=True)) for code in "abc"}


class Loop:
    """Runs what is posted, when it is told to."""

    def __init__(self) -> None:
        self._posted: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def post(self, function: Callable[..., None], *args: Any) -> None:
        self._posted.append((function, args))

    def call_soon(self, function: Callable[..., None], *args: Any) -> None:
        self.post(function, *args)

    def call_later(self, delay: float, function: Callable[..., None], *args: Any) -> None:
        self.post(function, *args)

    def turn(self) -> None:
        posted, self._posted = self._posted, []
        for function, args in posted:
            function(*args)


def judge(error: Exception) -> Failure:
    return Failure(grpc.StatusCode.INTERNAL, str(error), reason="JUDGED")


def drain(inbox: Inbox) -> list[Tick]:
    """All ticks that wait."""
    got: list[Tick] = []
    while (item := inbox.get_nowait()) is not None:
        assert isinstance(item, Run)
        got += item.ticks
    return got


class Follower:
    """A stream, what was put while it followed, and what it got."""

    def __init__(self, feed: Feed, capacity: int, overflow: Overflow, budget: Budget) -> None:
        self.inbox = Inbox(capacity, overflow, budget)
        self.cursor = self.inbox.ticks = Cursor(feed, self.inbox)
        self.sent: list[Tick] = []
        self.got: list[Tick] = []
        self.most = 0
        """How many have waited for it at the same time."""

    def put(self, tick: Tick) -> None:
        self.sent.append(tick)
        self.most = max(self.most, tick.serial - (self.got[-1].serial if self.got else self.sent[0].serial - 1))

    def take(self) -> None:
        run = self.inbox.get_nowait()
        if run is not None:
            assert isinstance(run, Run)
            self.got += run.ticks


STEPS = st.one_of(
    st.tuples(st.sampled_from("abc"), st.integers(1, 12)),  # ticks of a code
    st.just(("a", 3 * LONGEST_RUN)),  # more than wait for the loop
    st.sampled_from(["turn", "join"]),
    st.tuples(st.sampled_from(["take", "drain", "leave"]), st.integers(0, 3)),
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(list(Overflow)),
    st.sampled_from([1, 2, 5, 40, 300, 8192]),
    st.sampled_from([200, 20_000, 2**40]),
    st.lists(STEPS, max_size=40),
)
def test_any_interleaving_keeps_order_counts_and_the_newest(
    overflow: Overflow, capacity: int, limit: int, steps: list[Any]
) -> None:
    loop = Loop()
    feed = Feed(capacity, overflow, loop.post, judge)
    budget = Budget(limit)
    streams = [Follower(feed, capacity, overflow, budget)]
    gone: list[Follower] = []
    serial = 0
    for step in steps:
        if step == "turn":
            loop.turn()
        elif step == "join":
            streams.append(Follower(feed, capacity, overflow, budget))
        elif step[0] in LANES:
            for _ in range(step[1]):
                serial += 1
                tick = Tick(serial, LANES[step[0]], "raw", ["1"])
                feed.put(tick)
                for stream in streams:
                    stream.put(tick)
        elif step[1] < len(streams):
            stream = streams[step[1]]
            if step[0] == "take":
                stream.take()
            elif step[0] == "drain":
                loop.turn()
                stream.got += drain(stream.inbox)
            else:
                stream.cursor.close()
                gone.append(streams.pop(step[1]))
    loop.turn()
    for stream in streams:
        stream.got += drain(stream.inbox)
        got = [tick.serial for tick in stream.got]
        assert got == sorted(set(got))
        counted = Counter(tick.code for tick in stream.got) + stream.inbox.missed
        assert counted == Counter(tick.code for tick in stream.sent)
        assert set(stream.got) <= set(stream.sent)
        newest = {tick.code: tick for tick in stream.sent}
        if overflow is Overflow.CONFLATE:
            assert set(newest.values()) <= set(stream.got)
        elif stream.sent:
            assert stream.got[-1] is stream.sent[-1]
        if limit == 2**40 and stream.most <= capacity - min(LONGEST_RUN, max(1, capacity // SHARES)):
            assert not stream.inbox.missed
    for stream in gone:
        assert [tick.serial for tick in stream.got] == sorted({tick.serial for tick in stream.got})
    for stream in streams:
        stream.cursor.close()
    assert budget.waiting == 0


@pytest.mark.parametrize("in_batches", [False, True])
@given(st.lists(st.one_of(st.integers(1, 5), st.just("event"), st.just("turn"), st.just("take"))))
def test_other_events_keep_their_place_between_ticks(in_batches: bool, steps: list[Any]) -> None:
    """Also when they are put late, after ticks that came after them, and when ticks are held back."""
    loop = Loop()
    pace = Pace(loop, count(0, LONGEST_ROUND / 2).__next__) if in_batches else None
    feed = Feed(8192, Overflow.CONFLATE, loop.post, judge, pace)
    inbox = Inbox()
    cursor = inbox.ticks = Cursor(feed, inbox)
    serial = events = 0
    got: list[object] = []

    def take() -> bool:
        item = inbox.get_nowait()
        got.extend(item.ticks if isinstance(item, Run) else [] if item is None else [item])
        return item is not None

    for step in steps:
        if step == "turn":
            loop.turn()
        elif step == "take":
            take()
        elif step == "event":
            events += 1
            loop.post(inbox.put, ReceiveMsg("", "", "", str(serial)), serial)
        else:
            for _ in range(step):
                serial += 1
                feed.put(Tick(serial, LANES["a"], "", ["1"]))
    loop.turn()
    loop.turn()  # what was held
    while take():
        pass
    assert [item.serial for item in got if isinstance(item, Tick)] == list(range(1, serial + 1))
    assert sum(isinstance(item, ReceiveMsg) for item in got) == events
    before = 0
    for item in got:
        if isinstance(item, ReceiveMsg):
            assert int(item.text) == before
        elif isinstance(item, Tick):
            before = item.serial
    cursor.close()


def test_a_stream_that_ends_gets_what_came_before_and_nothing_after() -> None:
    loop = Loop()
    feed, inbox = Feed(8192, Overflow.CONFLATE, loop.post, judge), Inbox()
    inbox.ticks = Cursor(feed, inbox)
    for serial in range(1, 9):
        if serial == 6:
            inbox.fail(judge(ValueError("the end")))
        feed.put(Tick(serial, LANES["a"], "", ["1"]))
    loop.turn()
    run = inbox.get_nowait()
    assert isinstance(run, Run)
    assert [tick.serial for tick in run.ticks] == [1, 2, 3, 4, 5]
    with pytest.raises(Failure, match="the end"):
        inbox.get_nowait()


def test_what_cannot_be_sent_ends_every_stream_that_wants_it_and_is_judged_once() -> None:
    loop, judged = Loop(), []

    def note(error: Exception) -> Failure:
        judged.append(error)
        return judge(error)

    feed = Feed(8192, Overflow.CONFLATE, loop.post, note)
    inboxes = [Inbox(), Inbox()]
    for inbox in inboxes:
        inbox.ticks = Cursor(feed, inbox)
    bad: Any = 7
    feed.put(Tick(1, LANES["a"], "", [bad]))
    loop.turn()
    for inbox in inboxes:
        with pytest.raises(Failure):
            inbox.get_nowait()
    assert [str(each) for each in judged] == ["GetCommRealData gave 7 in the control, where OpenAPI+ gives a text"]


async def test_a_thread_that_puts_without_end_is_told_apart_from_what_was_lost() -> None:
    """The real thing: one thread puts as fast as it can, others follow on the loop at their own pace."""
    loop = asyncio.get_running_loop()
    feed = Feed(1000, Overflow.CONFLATE, lambda function: loop.call_soon_threadsafe(function), judge)
    inboxes = [Inbox(1000), Inbox(1000)]
    for inbox in inboxes:
        inbox.ticks = Cursor(feed, inbox)
    total = 60_000

    def put() -> None:
        for serial in range(1, total + 1):
            feed.put(Tick(serial, LANES["abc"[serial % 3]], "", ["1"]))

    async def follow(inbox: Inbox, pause: int) -> None:
        last = got = 0
        while last < total:
            run = await inbox.get()
            assert isinstance(run, Run)
            for tick in run.ticks:
                assert tick.serial > last
                last = tick.serial
                got += 1
                if got % pause == 0:
                    await asyncio.sleep(0)
        assert got + inbox.missed.total() == total

    thread = threading.Thread(target=put)
    thread.start()
    async with asyncio.timeout(60):
        await asyncio.gather(follow(inboxes[0], 1), follow(inboxes[1], 1000))
    thread.join()


def test_bytes_are_shared_out_between_the_feeds_of_a_client_and_given_back() -> None:
    loop = Loop()
    budget = Budget(20_000)
    with ExitStack() as held:
        feeds = [Feed(8192, Overflow.CONFLATE, loop.post, judge) for _ in range(4)]
        for feed in feeds:
            for _ in range(2):  # streams of one feed share what waits
                cursor = Cursor(feed, Inbox(budget=budget))
                held.callback(cursor.close)
        for serial in range(1, 101):
            for feed in feeds:
                feed.put(Tick(serial, LANES["a"], "x" * 100, ["1"]))
        loop.turn()
        one = Tick(1, LANES["a"], "x" * 100, ["1"]).measured()
        assert 10_000 - 8 * one <= budget.waiting <= 10_000 + 4 * one  # and the newest of the code, which stays
    assert budget.waiting == 0


class Control:
    """Answers GetCommRealData, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[int] = Counter()

    def GetCommRealData(self, code: str, fid: int) -> str:
        self.asked[fid] += 1
        return f"{code}:{fid}"


def test_streams_of_the_same_wish_share_everything_and_others_share_what_is_read() -> None:
    loop, control = Loop(), Control()
    feeds = Feeds(control, loop.post, judge, Foresight(control))  # type: ignore[arg-type]
    view, other = View((10, 11), readable=True), View((11, 12), readable=False)
    wishes = [{"a": view, "b": view}, {"b": view, "a": view}, {"a": view, "c": view}, {"a": other}, {EVERY: view}]
    inboxes = [Inbox() for _ in wishes]
    with ExitStack() as held:
        for inbox, wish in zip(inboxes, wishes, strict=True):
            held.enter_context(feeds.follow(inbox, wish))
        assert feeds.subscriptions == 2 + 2 + 2 + 1 + 1
        feeds.tick("a", KIND, "raw")
        loop.turn()
        assert control.asked == {10: 1, 11: 1, 12: 1}
        runs = [inbox.get_nowait() for inbox in inboxes]
        assert runs[0] is runs[1]
        ticks = [run.ticks[0] for run in runs if isinstance(run, Run)]
        assert ticks[0] is ticks[2] is ticks[4]
        assert list(ticks[3].values) == ["a:11", "a:12"]
        assert ticks[3].names == ("11", "12")
        feeds.tick("c", KIND, "raw")
        loop.turn()
        assert [len(drain(inbox)) for inbox in inboxes] == [0, 0, 1, 0, 1]
    assert feeds.subscriptions == 0
    control.asked.clear()
    feeds.tick("a", KIND, "raw")
    assert not control.asked


def test_streams_that_come_and_go_change_what_is_read_of_ticks_that_have_been_seen() -> None:
    loop, control = Loop(), Control()
    feeds = Feeds(control, loop.post, judge, Foresight(control))  # type: ignore[arg-type]
    first, second, every = Inbox(), Inbox(), Inbox()
    feeds.tick("a", KIND, "nobody")
    with feeds.follow(first, {"a": View((10,), readable=True)}):
        feeds.tick("a", KIND, "one")
        with (
            feeds.follow(second, {"a": View((11,), readable=True)}),
            feeds.follow(every, {EVERY: View((12,), readable=True)}),
        ):
            feeds.tick("a", KIND, "two")
            loop.turn()
            assert [tick.raw for tick in drain(second)] == ["two"]
            assert [tick.raw for tick in drain(every)] == ["two"]
        feeds.tick("a", KIND, "three")
        loop.turn()
        assert [tick.raw for tick in drain(first)] == ["one", "two", "three"]
    assert control.asked == {10: 3, 11: 1, 12: 1}


def ticks_alive() -> int:
    return sum(isinstance(each, Tick) for each in gc.get_objects())


def test_what_waits_for_a_loop_that_does_not_turn_is_bounded() -> None:
    feed, inbox = Feed(100, Overflow.CONFLATE, Loop().post, judge), Inbox(100)
    cursor = inbox.ticks = Cursor(feed, inbox)
    gc.collect()
    before = ticks_alive()
    for serial in range(20 * LONGEST_RUN):
        feed.put(Tick(serial, LANES["a"], "", ["1"]))
    assert ticks_alive() - before <= 100 + LONGEST_RUN + len(LANES)
    cursor.close()


async def test_a_stream_that_does_not_read_has_no_more_than_two_feeds_however_often_it_changes() -> None:
    loop, view = Loop(), View((10,), readable=True)
    feeds, inbox = Feeds(Control(), loop.post, judge, Foresight(Control())), Inbox()  # type: ignore[arg-type]

    async def run(function: Callable[[], int]) -> int:
        return function()

    with feeds.follow(inbox, {}):
        await feeds.change(inbox, {"a": view}, run)
        feeds.tick("a", KIND, "first")
        drain(inbox)
        loop.turn()
        await feeds.change(inbox, {"b": view}, run)
        feeds.tick("b", KIND, "second")
        later = asyncio.create_task(feeds.change(inbox, {"c": view}, run))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not later.done()
        assert feeds.subscriptions == 2
        loop.turn()
        assert [tick.raw for tick in drain(inbox)] == ["first", "second"]
        await later
        feeds.tick("b", KIND, "no more")
        feeds.tick("c", KIND, "third")
        loop.turn()
        assert [tick.raw for tick in drain(inbox)] == ["third"]
    assert feeds.subscriptions == 0


async def test_a_tick_that_is_taken_while_a_change_is_on_its_way_comes_once() -> None:
    loop, inbox, view = Loop(), Inbox(), View((10,), readable=True)
    feeds = Feeds(Control(), loop.post, judge, Foresight(Control()))  # type: ignore[arg-type]
    taken: list[Tick] = []

    async def run(function: Callable[[], int]) -> int:
        last = function()
        feeds.tick("a", KIND, "meanwhile")
        loop.turn()
        taken.extend(drain(inbox))
        return last

    with feeds.follow(inbox, {"a": view}):
        await feeds.change(inbox, {"a": view, "b": view}, run)
        feeds.tick("a", KIND, "then")
        loop.turn()
        taken.extend(drain(inbox))
    assert [tick.raw for tick in taken] == ["meanwhile", "then"]


def test_prices_of_trades_are_read_where_somebody_wants_them() -> None:
    loop, seen = Loop(), []
    feeds = Feeds(Control(), loop.post, judge, Foresight(Control()))  # type: ignore[arg-type]
    feeds.on_trade = lambda code, price: seen.append((code, price))
    inbox = Inbox()
    with feeds.follow(inbox, {"a": View((11,), readable=True)}):
        feeds.tick("a", KIND, "")
        feeds.tick("a", "주식호가잔량", "")
        feeds.tick("b", KIND, "")
        loop.turn()
        assert seen == [("a", "a:10")]
        assert [list(tick.values) for tick in drain(inbox)] == [["a:11"]] * 2


WISHES = [{"a": View((10,), readable=True)}, {code: View((10,), readable=True) for code in "ab"}, {}]
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), st.sampled_from("abc")),
        st.tuples(st.just("take"), st.sampled_from([None, 1])),
        st.tuples(st.just("turn"), st.none()),
        st.tuples(st.just("event"), st.booleans()),
        st.tuples(st.just("change"), st.tuples(st.sampled_from([*WISHES, {EVERY: EVERYTHING}]), st.text("abc"))),
    ),
    max_size=40,
)


@given(CHANGES)
def test_a_stream_that_changes_its_wish_has_each_tick_of_either_once(steps: list[tuple[str, Any]]) -> None:
    """Ticks go on while it changes; events keep their place among them."""
    loop = Loop()
    feeds = Feeds(Control(), loop.post, judge, Foresight(Control()))  # type: ignore[arg-type]
    inbox, other = Inbox(), Inbox()
    expected: list[object] = []
    got: list[object] = []
    wish: dict[str, View] = WISHES[0]

    def tick(code: str) -> None:
        feeds.tick(code, KIND, "")
        if code in wish or EVERY in wish:
            expected.append(feeds.serial)

    def take(most: int | None = None) -> None:
        while most is None or most:
            item = inbox.get_nowait()
            if item is None:
                return
            got.extend([each.serial for each in item.ticks] if isinstance(item, Run) else [item])
            most = most - 1 if most else most

    async def change(following: dict[str, View], meanwhile: str) -> None:
        nonlocal wish

        async def run(function: Callable[[], int]) -> int:
            for code in meanwhile:
                tick(code)
            last = function()
            loop.turn()  # what came before comes to the loop before
            return last

        while isinstance(inbox.ticks, Handover) and not inbox.ticks.is_over.is_set():  # else it would wait for that
            loop.turn()
            take(1)
        await feeds.change(inbox, following, run)
        wish = following

    with feeds.follow(other, WISHES[1]), feeds.follow(inbox, wish):
        for kind, argument in steps:
            if kind == "tick":
                tick(argument)
            elif kind == "take":
                take(argument)
            elif kind == "turn":
                loop.turn()
            elif kind == "event":
                event = object()
                expected.append(event)
                if argument:
                    loop.post(inbox.put, event, feeds.serial)
                else:
                    loop.turn()
                    inbox.put(event)
            else:
                asyncio.run(change(*argument))
        loop.turn()
        take()
        assert got == expected
        assert not inbox.missed
    assert feeds.subscriptions == 0


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
VIEWS = [
    EVERYTHING,
    View(None, readable=False),
    View((10, 20, 10_000), readable=True),
    View((), readable=True),
    View(None, readable=True, raw=True),
]


@settings(max_examples=300)
@given(
    TEXT,
    st.sampled_from([*(each.name for each in real_types()), "no such type"]),
    TEXT,
    st.sampled_from(VIEWS),
    st.data(),
)
def test_ticks_are_encoded_as_protobuf_does(code: str, kind: str, raw: str, view: View, data: st.DataObject) -> None:
    lane = Lane(code, kind, view)
    fewer = data.draw(st.integers(0, len(lane.names))) if view.raw else len(lane.names)
    values = data.draw(st.lists(TEXT, min_size=fewer, max_size=fewer))
    arguments = [pb.Argument(string_value=each) for each in (code, kind, raw)]
    message = pb.ListenResponse(name="OnReceiveRealData", arguments=arguments)
    message.single_data.CopyFrom(pb.SingleData(names=lane.names[:fewer], values=values))
    assert Tick(1, lane, raw, values).encoded == message.SerializeToString()


def test_what_comes_for_a_stream_that_has_ended_takes_no_room() -> None:
    budget = Budget()
    inbox = Inbox(budget=budget)
    event = ReceiveMsg("0001", "질의", "opt10001", "조회가 완료되었습니다")
    inbox.put(event)
    assert budget.waiting > 0
    inbox.close()
    inbox.put(event)
    assert budget.waiting == 0
