"""Minutes of days, made up so that they add up to the daily bar."""

from __future__ import annotations

import math
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from koapy.simulation.history.aggregate import estimated_value
from koapy.simulation.history.made import session_minutes
from koapy.simulation.model import Bar

if TYPE_CHECKING:
    from datetime import datetime

    from koapy.simulation.ticks import Ladder

PRICES = 4
"""That a bar may have: open, high, low, close."""


def minutes_of_day(seed: int, code: str, day: Bar, ladder: Ladder) -> list[Bar]:
    """Bars of one minute, ascending; minutes without a trade are absent.

    Together they have the day's open, high, low, close and volume.
    """
    starts = list(session_minutes(day.start.date()))
    random = Random(f"{seed}:{code}:{day.start:%Y%m%d}")
    volumes = _volumes(random, day.volume, len(starts), closing=True)
    if not any(volumes[:-1]):
        # Too few shares to spread: all come at the opening.
        return _minutes(random, day, starts[:1], [day.volume], ladder)
    minutes = _minutes(random, day, starts[:-1], volumes[:-1], ladder)
    if volumes[-1]:  # of an auction, which has one price
        minutes.append(_bar(starts[-1], day.close, day.close, day.close, day.close, volumes[-1]))
    return minutes


def minutes_until(seed: int, code: str, part: Bar, begin: datetime, ladder: Ladder, end: datetime) -> list[Bar]:
    """Bars of one minute of a day that has gone on since `begin`, and until `end`, as `part` says."""
    starts = [begin + timedelta(minutes=minute) for minute in range((end - begin) // timedelta(minutes=1))]
    random = Random(f"{seed}:{code}:{part.start:%Y%m%d}:until")
    return _minutes(random, part, starts, _volumes(random, part.volume, len(starts), closing=False), ladder)


def _minutes(random: Random, day: Bar, starts: list[datetime], volumes: list[int], ladder: Ladder) -> list[Bar]:
    busy = [(start, volume) for start, volume in zip(starts, volumes, strict=True) if volume]
    if not busy:
        return []
    path = _path(random, day, len(busy), ladder)
    bars = []
    previous = day.open
    for (start, volume), close in zip(busy, path, strict=True):
        high, low = max(previous, close), min(previous, close)
        if high < day.high and random.random() < 0.3:
            high = ladder.up(high)
        if low > day.low and random.random() < 0.3:
            low = ladder.down(low)
        high, low = min(high, day.high), max(low, day.low)
        bars.append(_bar(start, previous, high, low, close, volume))
        previous = close
    return _reaching(bars, day)


def _bar(start: datetime, opened: int, high: int, low: int, close: int, volume: int) -> Bar:
    return Bar(start, opened, high, low, close, volume, estimated_value(high, low, close, volume))


def _volumes(random: Random, total: int, count: int, *, closing: bool) -> list[int]:
    """Split a day's shares over its minutes: more at the beginning and, if it is there, in the closing auction.

    A minute has none or enough for each of its prices.
    """
    if not count:
        return []
    weights = [random.expovariate(1.0) * (1 + 3 * max(0.0, 1 - place / 40)) for place in range(count)]
    if closing:
        weights[-1] += 8
    # Not sum(): since Python 3.12 it rounds otherwise than before.
    whole = math.fsum(weights)
    volumes = []
    left = 0
    for weight in weights[:-1]:
        left += int(total * weight / whole)
        volumes.append(left if left >= PRICES else 0)
        left -= volumes[-1]
    return [*volumes, total - sum(volumes)]


def _path(random: Random, day: Bar, count: int, ladder: Ladder) -> list[int]:
    """Closes of the minutes: a random bridge from the day's open to its close, between its low and high."""
    spread = max(day.high - day.low, 1)
    noise = 0.0
    walk = []
    for _ in range(count):
        noise += random.gauss(0, spread / 40)
        walk.append(noise)
    drift = (day.close - day.open - noise) / count
    prices = [ladder.nearest(day.open + walk[place] + drift * (place + 1)) for place in range(count)]
    path = [max(day.low, min(day.high, price)) for price in prices]
    path[-1] = day.close
    return path


def _reaching(bars: list[Bar], day: Bar) -> list[Bar]:
    """Make one minute touch the day's high and one its low, if none does."""
    if max(bar.high for bar in bars) < day.high:
        place = max(range(len(bars)), key=lambda index: bars[index].high)
        bars[place] = _stretched(bars[place], high=day.high, low=bars[place].low)
    if min(bar.low for bar in bars) > day.low:
        place = min(range(len(bars)), key=lambda index: bars[index].low)
        bars[place] = _stretched(bars[place], high=bars[place].high, low=day.low)
    return bars


def _stretched(bar: Bar, high: int, low: int) -> Bar:
    return Bar(bar.start, bar.open, high, low, bar.close, bar.volume, bar.value)
