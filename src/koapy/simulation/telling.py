"""Tells listeners what happens on an exchange: in order, and after what is running now."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from koapy.simulation.clock import Clock
    from koapy.simulation.model import Event

E = TypeVar("E", bound="Event")


class Telling:
    """The events that are still to be told.

    Args:
        before: called before each event is told; what it writes is on disk by then.
    """

    def __init__(self, clock: Clock, before: Callable[[], None]) -> None:
        self._clock = clock
        self._before = before
        self._events: deque[Event] = deque()
        self._listeners: list[tuple[Callable[[Any], object], frozenset[type]]] = []
        self._by_kind: dict[type, tuple[Callable[[Any], object], ...]] = {}
        """Who hears each kind of event: made when the first one of it happens."""
        self._planned = False

    def subscribe(self, listener: Callable[[E], object], kinds: Iterable[type[E]] = ()) -> None:
        """Have `listener` called with every event of some kinds, of all unless given, in order, after those that were
        subscribed before it.
        """
        self._listeners.append((listener, frozenset(kinds)))
        self._by_kind.clear()

    def emit(self, event: Event) -> None:
        """Have an event told after what is running now."""
        if not self._listeners:
            return
        self._events.append(event)
        if not self._planned:
            self._plan()

    def during(self, run: Callable[[], object]) -> None:
        """Run something and tell at once what it emits."""
        self._planned = True
        run()
        self._drain()

    def _plan(self) -> None:
        self._planned = True
        self._clock.call_later(0, self._drain)

    def _drain(self) -> None:
        """Tell what has happened, and what happens meanwhile."""
        self._planned = True
        try:
            while self._events:
                self._before()
                event = self._events.popleft()
                for listener in self._listening(type(event)):
                    listener(event)
        finally:
            self._planned = False
            if self._events:  # a listener failed: the others' events are not lost
                self._plan()

    def _listening(self, kind: type) -> tuple[Callable[[Any], object], ...]:
        found = self._by_kind.get(kind)
        if found is None:
            found = tuple(listener for listener, kinds in self._listeners if not kinds or kind in kinds)
            self._by_kind[kind] = found
        return found
