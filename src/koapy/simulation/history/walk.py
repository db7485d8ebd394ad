"""The trades that make a bar: open, low, high, close, or open, high, low, close where it falls."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from koapy.simulation.hours import KRX
from koapy.simulation.model import Tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from koapy.simulation.model import Bar
    from koapy.simulation.ticks import Ladder

MORE = 8
"""Trades between those of open, low, high and close, at most, for each minute of a bar."""

_MOST_MINUTES = 10
"""A longer bar has no more trades than one of so many minutes."""


def walk(bar: Bar, length: int, random: Random, ladder: Ladder) -> list[Tick]:
    """Trades, ascending in time, whose prices and shares make exactly the bar.

    The first comes when the bar begins, at the opening of the day if that is in the bar; the last one is the closing
    auction's where the bar goes on to that. A bar of the closing auction alone is one trade. Shares that are too few
    for all prices of the bar leave out those of its middle; a bar without shares has no trades.

    Args: length: minutes of the bar.
    """
    path = way_points(bar)
    if not bar.volume:
        return []
    if len(path) > bar.volume:
        path = [*path[: bar.volume - 1], bar.close]
    first, end, auction = _span(bar.start, length)
    if auction and first == end and len(path) == 1:
        return [Tick(end, bar.close, bar.volume)]
    more = int(random.random() * (MORE + 1) * min(length, _MOST_MINUTES))
    prices = list(_steps(path, min(more, bar.volume - len(path)), random, ladder))
    times = _times(first, end, len(prices), random)
    if auction and len(times) > 1:
        times[-1] = max(_hours(bar.start.date())[2], times[-1])
    return [Tick(*each) for each in zip(times, prices, parts(bar.volume, len(prices), random), strict=True)]


def walked(seed: object, code: str, day: date, bars: Iterable[Bar], length: int, ladder: Ladder) -> Iterator[Tick]:
    """The trades that make the bars of a day, ascending; the same for the same seed, code, day and bars."""
    random = Random(f"{seed}:{code}:{day:%Y%m%d}:walk")
    return (tick for bar in bars for tick in walk(bar, length, random, ladder))


def way_points(bar: Bar) -> list[int]:
    """The prices of a bar in the order in which it reaches them, none twice in a row."""
    far = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    path = [bar.open]
    for price in (*far, bar.close):
        if price != path[-1]:
            path.append(price)
    return path


def parts(total: int, count: int, random: Random) -> list[int]:
    """Cut a number into positive ones by chance; `count` is at most `total`."""
    weights = [random.expovariate(1.0) for _ in range(count)]
    whole = math.fsum(weights)  # not sum(): since Python 3.12 it rounds otherwise than before
    found = [1 + int((total - count) * weight / whole) for weight in weights]
    found[-1] += total - sum(found)
    return found


def _span(start: datetime, length: int) -> tuple[datetime, datetime, bool]:
    """From when to when a bar has trades, and whether its last one is the closing auction's."""
    end = start + timedelta(minutes=length)
    opening, auction, close = _hours(start.date())
    first = opening if start < opening < end else start
    if start <= close < end:
        return first, max(min(end, auction), first), True
    return first, auction if first < auction < end else end, False


@lru_cache(maxsize=64)
def _hours(day: date) -> tuple[datetime, datetime, datetime]:
    """The opening, the beginning of the closing auction, and the close."""
    return *KRX.continuous(day), KRX.close(day)


def _steps(path: list[int], more: int, random: Random, ladder: Ladder) -> Iterator[int]:
    """The way points, and so many prices on the way between them."""
    legs = list(pairwise(path)) or [(path[0], path[0])]
    added: list[list[float]] = [[] for _ in legs]
    for _ in range(more):
        added[int(random.random() * len(legs))].append(random.random())
    for (begin, end), places in zip(legs, added, strict=True):
        yield begin
        low, high = min(begin, end), max(begin, end)
        for place in sorted(places):
            yield min(max(ladder.nearest(begin + (end - begin) * place), low), high)
    if len(path) > 1:
        yield path[-1]


def _times(first: datetime, end: datetime, count: int, random: Random) -> list[datetime]:
    """So many moments, the first one given, all different."""
    room = max((end - first) // timedelta(microseconds=1) - count, 0)
    offsets = [0, *sorted(int(room * random.random()) for _ in range(count - 1))]
    return [first + timedelta(microseconds=offset + place) for place, offset in enumerate(offsets)]
