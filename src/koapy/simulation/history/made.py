"""Daily bars that are made up: a walk backwards from today's reference price, the same for the same seed and code."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST, previous_trading_day
from koapy.simulation.history.aggregate import estimated_value
from koapy.simulation.hours import KRX
from koapy.simulation.model import Bar
from koapy.simulation.ticks import ladders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from koapy.simulation.ticks import Ladder

DAYS = 800
"""Trading days of a made-up past: more than three years."""

_MOST = 0.25
"""Largest change in a day, and of its high and low against the last close: rounding stays inside the limits."""

_HEAT = 8.0
"""How much more is traded on a day that moves: 1 % of change adds so many percent."""


def trading_days_before(day: date, count: int) -> tuple[date, ...]:
    """The last `count` trading days before a day, ascending."""
    days = []
    for _ in range(count):
        day = previous_trading_day(day)
        days.append(day)
    return tuple(reversed(days))


class Walk:
    """The made-up days of one code, newest first, made as they are asked for.

    Args:
        base: close of the newest day.
        volume: shares of a normal day.
        turmoil: standard deviation of a day's change, 0.02 for 2 %.
    """

    def __init__(self, seed: int, code: str, market: str, kind: str, base: int, volume: int, turmoil: float) -> None:
        self._seed = f"{seed}:{code}:days"
        self._market, self._kind = market, kind
        self._base = base
        self._volume = volume
        self._turmoil = turmoil

    def newest_first(self, days: tuple[date, ...]) -> Iterator[Bar]:
        """Bars of the days (ascending), beginning with the last one, whose close is the base."""
        random = Random(self._seed)
        close = self._base
        steps = ladders(self._market, self._kind, days)
        for place in range(len(days) - 1, -1, -1):
            before = self._close_before(random, steps[max(place - 1, 0)], close)
            yield self._bar(random, steps[place], days[place], before, close)
            close = before

    def _close_before(self, random: Random, ladder: Ladder, close: int) -> int:
        change = max(-0.2, min(0.2, random.gauss(0.0003, self._turmoil)))
        before = ladder.nearest(close / (1 + change))
        # Of a price of a few won one tick may be too much.
        return before if abs(close - before) <= _MOST * before else ladder.nearest(close)

    def _bar(self, random: Random, ladder: Ladder, day: date, before: int, close: int) -> Bar:
        lowest, highest = ladder.ceil(before * (1 - _MOST)), ladder.floor(before * (1 + _MOST))
        opened = ladder.nearest(before * (1 + random.gauss(0, 0.4) * self._turmoil))
        opened = max(lowest, min(highest, opened))
        high = ladder.nearest(max(opened, close) * (1 + random.expovariate(2.5) * self._turmoil))
        low = ladder.nearest(min(opened, close) * (1 - min(random.expovariate(2.5) * self._turmoil, 0.2)))
        high = max(opened, close, min(highest, high))
        low = min(opened, close, max(lowest, low))
        heat = 1 + _HEAT * abs(close - before) / before
        volume = max(1, int(self._volume * heat * random.lognormvariate(-0.2, 0.4)))
        start = datetime(day.year, day.month, day.day, tzinfo=KST)
        return Bar(start, opened, high, low, close, volume, estimated_value(high, low, close, volume))


def session_minutes(day: date) -> Iterator[datetime]:
    """Starts of the minutes in which a trading day has trades: 09:00 to 15:19 and the closing auction at 15:30."""
    start, end = KRX.continuous(day)
    while start < end:
        yield start
        start += timedelta(minutes=1)
    yield KRX.close(day)
