"""When ticks are handed out to streams that take all that waits as one message. Belongs to the event loop."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_RESTS = 4
"""Times of a round for which a feed rests at most, so that handing out takes a fifth of the loop's time."""
LONGEST_ROUND = 0.005
"""Seconds of a round that count: nothing is held longer than five of them."""
SLOWER_OVER = 16
"""Rounds that take longer before that is believed: what else goes on can only make one seem longer than it is."""


class Loop(Protocol):
    """What is needed of an event loop."""

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: object) -> object:
        """Call it after so many seconds."""
        ...

    def call_soon(self, callback: Callable[..., object], /, *args: object) -> object:
        """Call it behind all that is ready."""
        ...


class Pace:
    """Ticks that come one by one are handed out at once; those that come faster than they can be are held for a while.

    To hand out a batch costs the same whether it is of one tick or of a hundred, once for each stream. So a tick that
    comes before the last round is over waits until it is; and where more have come than there could have been rounds
    for, the feed rests after this one, while more gathers.

    Args:
        clock: seconds, finer than the loop's own, which may know milliseconds only.
    """

    def __init__(self, loop: Loop, clock: Callable[[], float] = perf_counter) -> None:
        self._loop = loop
        self._clock = clock
        self._round = 0.0
        """Seconds that it takes to hand out to all streams."""
        self._began = 0.0
        self._rounds = 1.0
        """How many of them the last one is given."""
        self._is_held = False

    def holds(self, hand_out: Callable[[], None]) -> bool:
        """Whether it is too early; `hand_out` is called when it no longer is."""
        if self._is_held:
            self._is_held = False
            return False
        early = self._began + self._round * self._rounds - self._clock()
        self._is_held = early > 0
        if self._is_held:
            self._loop.call_later(early, hand_out)
        return self._is_held

    def handed_out(self, ticks: int, woken: int, streams: int) -> None:
        """So many ticks, for so many of all streams, which take them when the loop comes to them."""
        now = self._clock()
        gathered, self._began = now - self._began, now
        load = ticks * self._round / gathered if gathered else 1.0
        self._rounds = min(max(1.0, load), 1 + MOST_RESTS)
        if woken:
            self._loop.call_soon(self._taken, now, streams / woken)

    def _taken(self, began: float, share: float) -> None:
        took = min((self._clock() - began) * share, LONGEST_ROUND)
        self._round += (took - self._round) / (1 if took < self._round else SLOWER_OVER)
