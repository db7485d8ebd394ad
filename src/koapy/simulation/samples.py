"""What waited in the books some minutes ago: a look at every book each minute."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from koapy.simulation.clock import Clock
    from koapy.simulation.exchange import Exchange

PERIOD = 60.0
"""Seconds between two looks."""

KEPT = 60
"""Looks that are kept of each book."""


class Waiting(NamedTuple):
    """Shares that wait in a book."""

    asks: int
    bids: int


class BookSamples:
    """The latest looks at all books. Belongs to the thread of the clock."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._kept: dict[str, deque[Waiting]] = {code: deque(maxlen=KEPT) for code in exchange.instruments}
        self._look()

    def before(self, code: str, minutes: int) -> Waiting | None:
        """What waited so many minutes ago; None when nobody looked then."""
        kept = self._kept.get(code, ())
        return kept[-minutes] if 0 < minutes <= len(kept) else None

    def _look(self) -> None:
        for code, kept in self._kept.items():
            kept.append(Waiting(*self._exchange.waiting(code)))
        self._clock.call_later(PERIOD, self._look)
