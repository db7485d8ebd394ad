"""Simulated time: timers, and the loop of the thread that owns the simulation.

A clock runs everything on one thread, the one that calls `run`. Timers run in the order of their times, those of the
same time in the order in which they were set. While a timer runs, `now` is the time it was set for, so that what it
does depends on the simulated time only, not on how busy the machine is.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from koapy.openapi.calendar import KST

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_log = logging.getLogger(__name__)

FORGIVEN_LAG = 5.0
"""Real seconds that timers may be late and still see their own time. What is missed in a longer pause (a suspended
machine) is skipped, not made up for."""

TIMERS_A_TURN = 100
"""Timers that run before submitted work gets its turn."""


class Handle:
    """A timer that was set."""

    __slots__ = ("args", "function")

    def __init__(self, function: Callable[..., object], args: tuple[object, ...]) -> None:
        self.function: Callable[..., object] | None = function
        self.args = args

    def cancel(self) -> None:
        """Have it never run. Harmless when it has run or was cancelled before."""
        self.function = None
        self.args = ()


class Clock:
    """Timers and an inbox; how time passes is up to the subclass.

    `submit`, `stop` and, for a `ManualClock`, `advance` may be called on any thread; everything else belongs to the
    thread of the simulation. A timer that fails while `run` is running is logged, and the others go on.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(KST)
        self._timers: list[tuple[datetime, int, Handle]] = []
        self._order = itertools.count()
        self._inbox: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._wake = threading.Condition()
        self._stopped = False
        self._owner: int | None = None

    def now(self) -> datetime:
        """The simulated time, aware, in Korean time. Never goes back."""
        return self._now

    def call_at(self, when: datetime, function: Callable[..., object], *args: object) -> Handle:
        """Run `function(*args)` at `when`, at once after what is running now if that is past."""
        handle = Handle(function, args)
        heapq.heappush(self._timers, (max(when, self._now), next(self._order), handle))
        return handle

    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Handle:
        """Run `function(*args)` after so many simulated seconds; 0: after what is running now."""
        return self.call_at(self._now + timedelta(seconds=seconds), function, *args)

    def submit(self, function: Callable[..., T], *args: Any) -> Future[T]:
        """Run `function(*args)` on the simulation's thread, as soon as it is free, and give its outcome.

        Raises:
            RuntimeError: the clock has been stopped.
        """
        future: Future[T] = Future()
        with self._wake:
            if self._stopped:
                raise RuntimeError("the simulation has been closed")
            self._inbox.append((future, function, args))
            self._wake.notify()
        return future

    def run(self) -> None:
        """Run timers and submitted work on this thread until `stop`. Work that is still waiting then is cancelled."""
        self._owner = threading.get_ident()
        try:
            while True:
                with self._wake:
                    while not self._stopped and not self._inbox and (pause := self._pause()) != 0:
                        self._wake.wait(pause)
                    if self._stopped:
                        break
                self._run_due()
                self._work()
        finally:
            self._owner = None
            self.stop()
            for future, _, _ in self._inbox:
                future.cancel()
            self._inbox.clear()

    def stop(self) -> None:
        """End `run`, from any thread and any number of times."""
        with self._wake:
            self._stopped = True
            self._wake.notify()

    @property
    def on_thread(self) -> bool:
        """Whether the caller is the simulation's thread."""
        return self._owner == threading.get_ident()

    def _work(self) -> None:
        """Do what was submitted up to now, and no more, so that timers get their turn."""
        for _ in range(len(self._inbox)):
            future, function, args = self._inbox.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            self._now = max(self._now, self._present())
            try:
                outcome = function(*args)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(outcome)

    def _run_due(self) -> None:
        """Run timers that are due, but not so many that submitted work has to wait long."""
        present = self._present()
        for _ in range(TIMERS_A_TURN):
            if not self._timers or self._timers[0][0] > present:
                return
            try:
                self._run_next(present)
            except Exception:
                _log.exception("a timer of the simulation failed")

    def _run_next(self, present: datetime) -> None:
        when, _, handle = heapq.heappop(self._timers)
        function, args = handle.function, handle.args
        if function is None:
            return
        late = self.forgiven is not None and present - when > self.forgiven
        self._now = max(self._now, present if late else when)
        handle.cancel()
        function(*args)

    forgiven: timedelta | None = None
    """Simulated time by which timers may be late and still see their own time; None: any."""

    def _present(self) -> datetime:
        """The time that timers are measured against."""
        raise NotImplementedError

    def _pause(self) -> float | None:
        """Real seconds until the next timer is due; None when nothing can become due by itself."""
        raise NotImplementedError


class RealTimeClock(Clock):
    """Time that passes by itself.

    Args:
        start: the simulated time at construction; by default the wall clock's.
        speed: simulated seconds in a real one.
    """

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed}")
        super().__init__(start or datetime.now(KST))
        self._start = self._now
        self._speed = speed
        self.forgiven = timedelta(seconds=FORGIVEN_LAG * speed)
        self._zero = time.monotonic()

    def _present(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._zero) * self._speed)

    def _pause(self) -> float | None:
        if not self._timers:
            return None
        wait = (self._timers[0][0] - self._present()).total_seconds() / self._speed
        return max(wait, 0.0)


class ManualClock(Clock):
    """Time that passes only when told to, for tests. Timers of the present moment run by themselves."""

    def advance(self, seconds: float) -> None:
        """Let so much time pass and run what becomes due, in order. Returns when all of it has run.

        When the clock runs on a thread of its own, the timers run there.
        """
        if self._owner is None or self.on_thread:
            self._advance(seconds)
        else:
            self.submit(self._advance, seconds).result()

    def _advance(self, seconds: float) -> None:
        end = self._now + timedelta(seconds=seconds)
        while self._timers and self._timers[0][0] <= end:
            self._run_next(end)
        self._now = end

    def _present(self) -> datetime:
        return self._now

    def _pause(self) -> float | None:
        return 0.0 if self._timers and self._timers[0][0] <= self._now else None
