"""The last ticks for all streams that want the same: put on the control's thread, read on the loop by cursors.

A tick is put once, however many streams want it, and costs a stream nothing before it takes it. What is put waits in a
queue until the loop is woken, or is late; then it is sealed into runs, which are what streams take. A stream that has
not taken a run when there is no more room for it gets, of all the runs it missed, the newest tick of each code and
type, where it asked for that, and is told how many it did not get.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter, deque
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING

from koapy.server.ticks import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from koapy.server.budget import Budget
    from koapy.server.inbox import Inbox
    from koapy.server.pace import Pace
    from koapy.server.ticks import Judge, Tick

LONGEST_RUN = 256
SHARES = 16
"""A run takes at most one in so many of a feed's places and bytes: what has no room goes by runs."""
MOST_LOSSES = 64
"""Lost runs whose counts are kept apart before those that no stream tells apart any more are added up."""

_at, _lane, serial_of = attrgetter("at"), attrgetter("lane"), attrgetter("serial")


class Overflow(StrEnum):
    """What becomes of ticks when too many wait."""

    CONFLATE = "conflate"
    """Of those that do not fit, the newest of each code and type stays."""
    DROP_OLDEST = "drop-oldest"
    """The oldest go."""


class Feed:
    """Ticks for those who want the same ticks, in the same way.

    Args:
        capacity: ticks that may wait for the slowest of its streams.
        overflow: what becomes of ticks beyond that.
        post: has a function run on the loop, from any thread.
        judge: what streams end with for whom a tick cannot be read.
        pace: of streams that take all that waits at once.
    """

    def __init__(
        self,
        capacity: int,
        overflow: Overflow,
        post: Callable[..., None],
        judge: Judge,
        pace: Pace | None = None,
    ) -> None:
        self._capacity = capacity
        self._overflow = overflow
        self._post = post
        self.judge = judge
        self._pace = pace
        self._queue: deque[Tick] = deque()
        self._is_posted = False
        # Whoever seals or takes holds it. The control's thread does not wait for it: then others seal for it.
        self._lock = threading.Lock()
        self._cursors: set[Cursor] = set()
        self._waiting: dict[Inbox, None] = {}
        self._budgets: Counter[Budget] = Counter()
        self._limits: tuple[int, int] | None = None
        self._longest_run = min(LONGEST_RUN, max(1, capacity // SHARES))
        self._runs: deque[Run] = deque()
        self._first = 0
        """The number of the first run that is there; runs are counted from 0."""
        self._front = 0
        """The number of the first run that no stream has taken."""
        self._hindmost: Cursor | None = None
        """The stream that was furthest behind when that was looked at."""
        self._count = 0
        self._size = 0
        self._newest = 0
        self._fresh = 0
        """Ticks that have been sealed since streams were woken."""
        self._kept: dict[tuple[str, str], tuple[int, Tick]] = {}
        """The newest lost tick of each code and type, and the number of its run."""
        self._lost: list[tuple[int, Counter[str]]] = []
        """How many ticks of which codes were lost, from which run on."""
        self._most_losses = MOST_LOSSES
        self._caught_up: dict[int, tuple[Run | None, Counter[str]]] = {}

    @property
    def cursors(self) -> tuple[Cursor, ...]:
        """Those who read it. May be asked on any thread."""
        return tuple(self._cursors)

    @property
    def _end(self) -> int:
        """The number of the run that is sealed next."""
        return self._first + len(self._runs)

    def put(self, tick: Tick) -> None:
        """Take a tick. Runs on the control's thread, and never waits there."""
        self._queue.append(tick)
        if not self._is_posted:
            self._is_posted = True
            self._post(self._tell)
        elif len(self._queue) >= LONGEST_RUN and self._lock.acquire(blocking=False):
            # The loop is late: what waits for it must not grow beyond all bounds.
            try:
                self._seal()
            finally:
                self._lock.release()

    def join(self, cursor: Cursor) -> int:
        """Have one more stream read it: the number of the first run that will be its."""
        with self._lock:
            self._seal()
            self._cursors.add(cursor)
            self._budgets[cursor.inbox.budget] += 1
            self._limits = None
            self._front = self._end
            return self._end

    def leave(self, cursor: Cursor) -> None:
        """One stream less."""
        with self._lock:
            self._cursors.discard(cursor)
            self._waiting.pop(cursor.inbox, None)
            self._budgets[cursor.inbox.budget] -= 1
            self._budgets = +self._budgets
            self._limits = None
            self._trim()

    def limits_changed(self) -> None:
        """One of its clients may have more waiting, or less, than until now."""
        self._limits = None

    def wait(self, inbox: Inbox) -> None:
        """Wake this stream when there is a tick."""
        self._waiting[inbox] = None

    def end(self) -> int:
        """The serial of the newest tick until now."""
        with self._lock:
            self._seal()
            return self._newest

    def take(self, cursor: Cursor, until: int | None) -> Run | None:
        """The next run for a stream; None when it has had all.

        Of what is held back, only ticks up to the serial `until` are to be had.
        """
        with self._lock:
            if until is not None and self._pace is not None:
                self._seal(until)
            if cursor.at < self._first:
                run = self._catch_up(cursor)
                if run is not None:
                    return run
            at = cursor.at - self._first
            if at >= len(self._runs):
                return None
            cursor.at += 1
            self._front = max(self._front, cursor.at)
            return self._runs[at]

    def waiting(self, at: int) -> int:
        """About how many bytes wait from a run on."""
        with self._lock:
            runs = list(self._runs)[max(0, at - self._first) :]
            kept = [tick for number, tick in self._kept.values() if number >= at]
        return sum(run.size for run in runs) + (Run(kept).size if kept else 0)

    def _tell(self) -> None:
        """Wake those who wait for a tick. Belongs to the loop."""
        if self._pace is not None and self._pace.holds(self._tell):
            return
        self._is_posted = False  # first: what is put from now on wakes the loop again, at worst for nothing
        with self._lock:
            self._seal()
            ticks, self._fresh = self._fresh, 0
        waiting, self._waiting = self._waiting, {}
        for inbox in waiting:
            inbox.wake()
        if self._pace is not None:
            self._pace.handed_out(ticks, len(waiting), len(self._cursors))

    def _seal(self, until: int | None = None) -> None:
        """Make runs of what is in the queue, up to this serial, where somebody wants it; who calls holds the lock."""
        queue = self._queue
        count = len(queue)  # what is put meanwhile comes later
        if until is not None:
            count = bisect_right(queue, until, hi=count, key=serial_of)
        ticks = [queue.popleft() for _ in range(count)]
        if not ticks or not self._cursors:
            return
        self._newest = ticks[-1].serial
        self._fresh += len(ticks)
        self._trim()
        most, share = self._room()
        if self._runs and self._front < self._end and len(self._runs[-1].ticks) < self._longest_run:
            # Nobody has taken the last run, so it can grow: who is behind gets fewer and longer ones.
            last = self._runs.pop()
            self._count -= len(last.ticks)
            self._size -= last.size
            ticks = [*last.ticks, *ticks]
        for run in self._parts(ticks, share):
            self._runs.append(run)
            self._count += len(run.ticks)
            self._size += run.size
        # There is always room for the last run, whatever its size.
        while len(self._runs) > 1 and (self._count > self._capacity or self._size > most):
            self._lose()

    def _parts(self, ticks: list[Tick], share: int) -> Iterator[Run]:
        whole, most = Run(ticks), self._longest_run
        if len(ticks) > 1 and whole.size > share:
            most = min(most, max(1, len(ticks) * share // whole.size))
        if len(ticks) <= most:
            yield whole
        else:
            yield from (Run(ticks[at : at + most]) for at in range(0, len(ticks), most))

    def _room(self) -> tuple[int, int]:
        """How many bytes may wait, for the client that may have most, and be in one run, for the one that may least."""
        if self._limits is None:
            most = max(budget.share for budget in self._budgets)
            self._limits = most, min(most // SHARES, *(budget.run_share for budget in self._budgets))
        return self._limits

    def _trim(self) -> None:
        """Forget what every stream has had; whoever calls holds the lock."""
        if self._hindmost in self._cursors and self._hindmost.at <= self._first:
            return
        self._hindmost = min(self._cursors, key=_at, default=None)
        low = self._hindmost.at if self._hindmost is not None else self._end
        while self._first < low:
            self._forget_first()
        while self._lost and self._lost[0][0] < low:
            del self._lost[0]
        if not self._lost:
            self._most_losses = MOST_LOSSES
            self._kept.clear()
            self._caught_up.clear()

    def _forget_first(self) -> Run:
        run = self._runs.popleft()
        self._first += 1
        self._count -= len(run.ticks)
        self._size -= run.size
        return run

    def _lose(self) -> None:
        """Take the first run from those streams that have not had it."""
        number, run = self._first, self._forget_first()
        self._caught_up.clear()
        self._lost.append((number, _by_code(run.ticks)))
        if self._overflow is Overflow.CONFLATE:
            newest = {tick.lane: tick for tick in run.ticks}
            self._kept.update((lane.key, (number, tick)) for lane, tick in newest.items())
        if len(self._lost) > self._most_losses:
            self._add_up()

    def _add_up(self) -> None:
        """Join counts that no stream tells apart, because none stands between them."""
        marks = {cursor.at for cursor in self._cursors}
        joined: list[tuple[int, Counter[str]]] = []
        for number, counted in self._lost:
            if joined and number not in marks:
                joined[-1][1].update(counted)
            else:
                joined.append((number, counted))
        self._lost, self._most_losses = joined, 2 * len(joined) + MOST_LOSSES

    def _catch_up(self, cursor: Cursor) -> Run | None:
        """Put a stream behind what is lost; what is kept of it is its next run."""
        at = cursor.at
        cursor.at = self._first
        found = self._caught_up.get(at)
        if found is None:
            kept = sorted((tick for number, tick in self._kept.values() if number >= at), key=serial_of)
            lost: Counter[str] = Counter()
            for number, counted in self._lost:
                if number >= at:
                    lost.update(counted)
            lost.subtract(_by_code(kept))
            found = self._caught_up[at] = (Run(kept) if kept else None, +lost)
        run, missed = found
        cursor.inbox.missed.update(missed)
        return run


def _by_code(ticks: Iterable[Tick]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for lane, count in Counter(map(_lane, ticks)).items():  # a loop in C over ticks, of which there are more than lanes
        counted[lane.code] += count
    return counted


class Cursor:
    """How far one stream has come in a feed. Belongs to the loop."""

    __slots__ = ("_feed", "_rest", "at", "inbox", "run")

    def __init__(self, feed: Feed, inbox: Inbox) -> None:
        self.inbox = inbox
        """The stream's: what is woken when there may be something to take."""
        self._feed = feed
        self._rest: Run | None = None
        self.run: Run | None = None
        """What it has taken last, until it takes again."""
        self.at = 0
        """The number of its next run."""
        inbox.budget.follow(feed, self)
        self.at = feed.join(self)

    def close(self) -> None:
        """Read no more."""
        self._feed.leave(self)
        self.inbox.budget.leave(self._feed, self)

    def wait(self) -> None:
        """Have the stream woken when there may be something to take."""
        self._feed.wait(self.inbox)

    def end(self) -> int:
        """The serial of the newest tick until now."""
        return self._feed.end()

    def take(self, until: int | None) -> Run | None:
        """The next ticks, None where there are none; with `until`, only those up to this serial.

        Raises:
            Failure: a tick cannot be read.
        """
        run = self.run = self._rest or self._feed.take(self, until)
        self._rest = None
        if run is None:
            return None
        run.check(self._feed.judge)
        if until is None or run.ticks[-1].serial <= until:
            return run
        cut = bisect_right(run.ticks, until, key=serial_of)
        self._rest = Run(run.ticks[cut:]) if cut else run
        return Run(run.ticks[:cut]) if cut else None
