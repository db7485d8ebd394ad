"""Ticks in batches: at once where they come one by one, together where they come faster than they can be handed out."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

import grpc
from hypothesis import given
from hypothesis import strategies as st

from koapy.server.failure import Failure
from koapy.server.feed import Cursor, Feed, Overflow
from koapy.server.inbox import Inbox
from koapy.server.pace import LONGEST_ROUND, MOST_RESTS, Pace
from koapy.server.reading import View
from koapy.server.ticks import Lane, Run, Tick

if TYPE_CHECKING:
    from collections.abc import Callable

LANE = Lane("005930", "주식체결", View((10,), readable=True))


class Loop:
    """An event loop with a time of its own, which passes where something takes its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = count()
        self._due: list[tuple[float, int, Callable[..., Any], tuple[Any, ...]]] = []

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        self.call_later(0.0, function, *args)

    call_soon = post

    def call_later(self, delay: float, function: Callable[..., Any], *args: Any) -> None:
        heappush(self._due, (self.now + delay, next(self._order), function, args))

    def run(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            at, _, function, args = heappop(self._due)
            self.now = max(self.now, at)
            function(*args)
        self.now = max(self.now, until)


class Stream:
    """Takes all that waits when it is woken, which takes a while, and waits again."""

    def __init__(self, loop: Loop, feed: Feed, cost: float) -> None:
        self._loop = loop
        self._cost = cost
        self._is_ready = True
        self.inbox = Inbox()
        self.inbox.wake = self._woken  # type: ignore[method-assign]
        self.cursor = self.inbox.ticks = Cursor(feed, self.inbox)
        self.cursor.wait()
        self.batches: list[list[tuple[int, float]]] = []
        """Ticks and when they were taken, by the messages that they would be."""

    def _woken(self) -> None:
        self._loop.call_soon(self._take)

    def _take(self) -> None:
        batch: list[tuple[int, float]] = []
        while (run := self.inbox.get_nowait()) is not None:
            assert isinstance(run, Run)
            batch += [(tick.serial, self._loop.now) for tick in run.ticks]
        if batch:
            self.batches.append(batch)
            self._loop.now += self._cost
        self.cursor.wait()


def handed_out(gaps: list[float], streams: int, cost: float) -> tuple[list[float], list[Stream]]:
    """Ticks that come so many seconds after one another: when each was put, and who got what."""
    loop = Loop()
    feed = Feed(8192, Overflow.CONFLATE, loop.post, _judge, Pace(loop, lambda: loop.now))
    following = [Stream(loop, feed, cost) for _ in range(streams)]
    at, put = 0.0, []
    for serial, gap in enumerate(gaps, 1):
        at += gap
        loop.run(at)
        put.append(loop.now)
        feed.put(Tick(serial, LANE, "", ["1"]))
    loop.run(at + 60)
    return put, following


def _judge(error: Exception) -> Failure:
    return Failure(grpc.StatusCode.INTERNAL, str(error))


@given(
    st.lists(st.sampled_from([0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1.0]), min_size=1, max_size=200),
    st.integers(1, 5),
    st.sampled_from([0.0, 1e-5, 1e-4, 1e-3]),
)
def test_every_tick_comes_once_in_order_and_is_not_held_long(gaps: list[float], streams: int, cost: float) -> None:
    put, following = handed_out(gaps, streams, cost)
    for stream in following:
        taken = [each for batch in stream.batches for each in batch]
        assert [serial for serial, _ in taken] == list(range(1, len(gaps) + 1))
        # Its own round, and the one that was under way.
        longest = (1 + MOST_RESTS) * LONGEST_ROUND + 2 * streams * cost
        assert all(at - put[serial - 1] <= longest + 1e-9 for serial, at in taken)


def test_ticks_that_leave_time_for_a_round_wait_for_nothing() -> None:
    put, following = handed_out([0.0011] * 300, 10, 0.0001)
    assert [[serial for serial, _ in batch] for batch in following[0].batches] == [[each] for each in range(1, 301)]
    assert [batch[0][1] for batch in following[0].batches] == put


def test_ticks_that_come_faster_than_rounds_leave_the_loop_most_of_its_time() -> None:
    _, following = handed_out([0.0001] * 10_000, 10, 0.0001)
    batches = following[0].batches
    # A second of ticks; a round of a millisecond, and four of rest.
    assert 190 <= len(batches) <= 220
    sizes = [len(batch) for batch in batches[100:-1]]  # by then it knows how long a round is
    assert 45 <= min(sizes) <= max(sizes) <= 55


def test_after_a_flood_the_next_tick_waits_for_nothing() -> None:
    put, following = handed_out([*[0.0001] * 1000, 1.0, 0.01], 10, 0.0001)
    assert following[0].batches[-2:] == [[(1001, put[-2])], [(1002, put[-1])]]


async def test_on_a_real_loop_what_is_held_comes_by_itself() -> None:
    loop = asyncio.get_running_loop()
    feed = Feed(8192, Overflow.CONFLATE, loop.call_soon_threadsafe, _judge, Pace(loop))
    inbox = Inbox()
    inbox.ticks = Cursor(feed, inbox)
    for serial in range(1, 1001):
        feed.put(Tick(serial, LANE, "", ["1"]))
        if serial % 10 == 0:
            await asyncio.sleep(0)
    taken: list[int] = []
    while len(taken) < 1000:
        run = await inbox.get()
        assert isinstance(run, Run)
        taken += [tick.serial for tick in run.ticks]
    assert taken == list(range(1, 1001))
