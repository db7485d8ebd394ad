"""Tells listeners what happens on an exchange: in order, and after what is running now."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.clock import Clock
    from koapy.simulation.model import Event


class Telling:
    """The events that are still to be told.

    Args:
        before: called before each event is told; what it writes is on disk by then.
    """

    def __init__(self, clock: Clock, before: Callable[[], None]) -> None:
        self._clock = clock
        self._before = before
        self._events: deque[Event] = deque()
        self._listeners: list[Callable[[Event], object]] = []
        self._planned = False

    def subscribe(self, listener: Callable[[Event], object]) -> None:
        """Have `listener` called with every event, in order, after those that were subscribed before it."""
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        """Have an event told after what is running now."""
        if not self._listeners:
            return
        self._events.append(event)
        self._plan()

    def during(self, run: Callable[[], object]) -> None:
        """Run something and tell at once what it emits."""
        self._planned = True
        run()
        self._drain()

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            self._clock.call_later(0, self._drain)

    def _drain(self) -> None:
        """Tell what has happened, and what happens meanwhile."""
        self._planned = True
        try:
            while self._events:
                self._before()
                event = self._events.popleft()
                for listener in tuple(self._listeners):
                    listener(event)
        finally:
            self._planned = False
            if self._events:  # a listener failed: the others' events are not lost
                self._plan()
