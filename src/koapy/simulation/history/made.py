"""Daily bars that are made up: a walk backwards from today's reference price, the same for the same seed and code."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import chain, islice
from random import Random
from statistics import NormalDist
from struct import iter_unpack
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST, previous_trading_day
from koapy.simulation.history.aggregate import estimated_value
from koapy.simulation.hours import KRX
from koapy.simulation.model import Bar
from koapy.simulation.ticks import ladders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from koapy.simulation.ticks import Ladder

DAYS = 800
"""Trading days of a made-up past: more than three years."""

_MOST = 0.25
"""Largest change in a day, and of its high and low against the last close: rounding stays inside the limits."""

_COARSE = 50
"""Ticks of which a price must have as many for rounding not to matter to the limits."""

_GRAIN = 4096
"""Different numbers of a kind."""

_AT_ONCE = 16
"""Days whose random numbers are drawn together."""

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
        # A ranking of the whole market has a million of these made at once: hence no calls for what is usual.
        steps, volume, close = ladders(self._market, self._kind, days), self._volume, self._base
        start = tick = end = 0
        known: Ladder | None = None
        everything = zip(reversed(days), reversed(steps), self.closes_before(steps), self._shapes(), strict=False)
        for day, ladder, before, (gap, up, down, much) in everything:
            if ladder is not known or not start <= close < end:
                start, tick, end = _even(ladder, close)
                known = ladder
            opened = int(before * gap / tick + 0.5) * tick
            high = int((opened if opened > close else close) * up / tick + 0.5) * tick
            low = int((opened if opened < close else close) * down / tick + 0.5) * tick
            if low < start or high >= end or not start <= before < end:
                opened, high, low = _prices(ladder, before, close, gap, up, down)
            shares = int(volume * (1 + _HEAT * abs(close - before) / before) * much) or 1
            value = estimated_value(high, low, close, shares)
            yield Bar(_midnight(day), opened, high, low, close, shares, value)
            close = before

    def closes_before(self, steps: Sequence[Ladder]) -> Iterator[int]:
        """What closed a day earlier than each day, newest first; `steps` are the days' ladders, ascending."""
        close, normal, turmoil = self._base, _numbers()[0], self._turmoil
        start = tick = end = 0
        known: Ladder | None = None
        older = chain(islice(reversed(steps), 1, None), steps[:1])
        for ladder, (move,) in zip(older, self._draws("<H10x"), strict=False):
            if ladder is not known or not start <= close < end:
                start, tick, end = _even(ladder, close)
                known = ladder
            price = close / (1.0003 + turmoil * normal[move >> 4])
            close = int(price / tick + 0.5) * tick if start <= price < end else _rounded(ladder, price, close)
            yield close

    def _shapes(self) -> Iterator[tuple[float, float, float, float]]:
        """Of each day: what the opening, the high and the low are in parts of the price that they follow, and how much
        was traded in parts of what is normal.
        """
        normal, exponential, lognormal = _numbers()
        turmoil, unrest = self._turmoil, 0.4 * self._turmoil
        for gap, up, down, much in self._draws("<2x4H2x"):
            yield (
                1 + unrest * normal[gap >> 4],
                1 + turmoil * exponential[up >> 4],
                1 - turmoil * exponential[down >> 4],
                lognormal[much >> 4],
            )

    def _draws(self, form: str) -> Iterator[tuple[int, ...]]:
        """Random numbers of each day, newest first: those that a form of its 12 bytes names."""
        random = Random(self._seed)
        while True:
            yield from iter_unpack(form, random.randbytes(12 * _AT_ONCE))


def _even(ladder: Ladder, price: int) -> tuple[int, int, int]:
    """From where, by what tick and up to where prices about this one are even, and no tick matters to the limits."""
    start, tick, end = ladder.band(price)
    return max(start, _COARSE * tick), tick, end


def _rounded(ladder: Ladder, price: float, close: int) -> int:
    before = ladder.nearest(price)
    # Of a price of a few won one tick may be too much.
    return before if abs(close - before) <= _MOST * before else ladder.nearest(close)


def _prices(ladder: Ladder, before: int, close: int, gap: float, up: float, down: float) -> tuple[int, int, int]:
    """Open, high and low where ticks change within the day, or are coarse."""
    lowest, highest = ladder.ceil(before * (1 - _MOST)), ladder.floor(before * (1 + _MOST))
    opened = max(lowest, min(highest, ladder.nearest(before * gap)))
    high = max(opened, close, min(highest, ladder.nearest(max(opened, close) * up)))
    low = min(opened, close, max(lowest, ladder.nearest(min(opened, close) * down)))
    return opened, high, low


@cache
def _numbers() -> tuple[list[float], list[float], list[float]]:
    """Normal, exponential and lognormal numbers, each as likely as the others of its kind."""
    points = [(place + 0.5) / _GRAIN for place in range(_GRAIN)]
    normal = [NormalDist().inv_cdf(point) for point in points]
    return normal, [-math.log(1 - point) / 2.5 for point in points], [math.exp(0.4 * each - 0.2) for each in normal]


@lru_cache(2 * DAYS)
def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=KST)


def session_minutes(day: date) -> Iterator[datetime]:
    """Starts of the minutes in which a trading day has trades: 09:00 to 15:19 and the closing auction at 15:30."""
    start, end = KRX.continuous(day)
    while start < end:
        yield start
        start += timedelta(minutes=1)
    yield KRX.close(day)
