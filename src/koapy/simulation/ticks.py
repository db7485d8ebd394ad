"""Prices an issue can have: the ticks of one day, and of a stretch of days."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING

from koapy.openapi.market import tick_size

if TYPE_CHECKING:
    from datetime import date

_NONE = 1 << 62  # no price is as high
_HIGHEST = 1 << 26  # no tick table changes above 67 million won


class Ladder:
    """The tick table of one market on one day, made for quick steps up and down."""

    __slots__ = ("starts", "ticks")

    def __init__(self, starts: tuple[int, ...], ticks: tuple[int, ...]) -> None:
        self.starts = starts
        """Lowest price of each band, ascending."""
        self.ticks = ticks
        """Tick of each band."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ladder) and (self.starts, self.ticks) == (other.starts, other.ticks)

    def __hash__(self) -> int:
        return hash((self.starts, self.ticks))

    def tick(self, price: int) -> int:
        """The tick at a price."""
        return self.ticks[bisect_right(self.starts, price) - 1]

    def band(self, price: int) -> tuple[int, int, int]:
        """The lowest price that has the same tick, the tick, and the lowest price above that has another."""
        place = bisect_right(self.starts, price)
        return self.starts[place - 1], self.ticks[place - 1], (*self.starts, _NONE)[place]

    def floor(self, price: float) -> int:
        """The nearest price on a tick that is not above."""
        tick = self.ticks[bisect_right(self.starts, price) - 1]
        return int(price // tick) * tick

    def ceil(self, price: float) -> int:
        """The nearest price on a tick that is not below."""
        tick = self.ticks[bisect_right(self.starts, price) - 1]
        return -int(-price // tick) * tick

    def nearest(self, price: float) -> int:
        """The nearest price on a tick, at least one tick."""
        tick = self.ticks[bisect_right(self.starts, price) - 1]
        return max(int(price / tick + 0.5), 1) * tick

    def up(self, price: int) -> int:
        """The next price above a price on a tick."""
        return price + self.ticks[bisect_right(self.starts, price) - 1]

    def down(self, price: int) -> int:
        """The next price below a price on a tick."""
        return price - self.ticks[bisect_right(self.starts, price - 1) - 1]


@lru_cache(maxsize=4096)
def ladder(market: str, kind: str, on: date) -> Ladder:
    """The ladder of an issue's market on a day.

    Raises: UnknownMarket.
    """
    starts, ticks = [0], [tick_size(market, 1, on, kind)]
    while (start := _next_start(market, kind, on, starts[-1], ticks[-1])) is not None:
        starts.append(start)
        ticks.append(tick_size(market, start, on, kind))
    return Ladder(tuple(starts), tuple(ticks))


def _next_start(market: str, kind: str, on: date, start: int, tick: int) -> int | None:
    """The lowest price with another tick; ticks only grow with the price."""
    low, high = max(start, 1), _HIGHEST
    if tick_size(market, high, on, kind) == tick:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if tick_size(market, middle, on, kind) == tick:
            low = middle
        else:
            high = middle
    return high


def ladders(market: str, kind: str, days: tuple[date, ...]) -> list[Ladder]:
    """The ladder of each day; days ascending. Assumes that a table once left does not come back."""
    if not days:
        return []
    first, last = ladder(market, kind, days[0]), ladder(market, kind, days[-1])
    if first == last:
        return [first] * len(days)
    half = len(days) // 2
    return ladders(market, kind, days[:half]) + ladders(market, kind, days[half:])
