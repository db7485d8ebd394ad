"""How the market stood some minutes ago: a look at every issue each minute."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from koapy.simulation.clock import Clock
    from koapy.simulation.exchange import Exchange

PERIOD = 60.0
"""Seconds between two looks."""

KEPT = 60
"""Looks that are kept of each issue."""

_FIELDS = 4


class Look(NamedTuple):
    """An issue at a moment."""

    asks: int
    """Shares offered in the whole book."""
    bids: int
    """Shares asked for in the whole book."""
    volume: int
    """Shares traded on the day so far."""
    value: int
    """Won traded on the day so far."""


class Samples:
    """The latest looks at all issues, numbers in a row to spare memory. Belongs to the thread of the clock."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._kept: dict[str, array[int]] = {code: array("q") for code in exchange.instruments}
        self._look()

    def before(self, code: str, minutes: int) -> Look | None:
        """How an issue stood so many minutes ago; None when nobody looked then."""
        kept = self._kept.get(code, array("q"))
        at = len(kept) - _FIELDS * minutes
        return Look(*kept[at : at + _FIELDS]) if minutes > 0 and at >= 0 else None

    def _look(self) -> None:
        for code, kept in self._kept.items():
            tape = self._exchange.tape(code)  # not a quote, for which the past would have to be made
            kept.extend((*self._exchange.waiting(code), tape.volume, tape.value))
            if len(kept) > _FIELDS * KEPT:
                del kept[:_FIELDS]
        self._clock.call_later(PERIOD, self._look)
