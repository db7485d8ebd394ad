"""Minutes and trades of past days, made up so that they add up to the daily bar."""

from __future__ import annotations

import math
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from koapy.simulation.history.made import session_minutes
from koapy.simulation.model import Bar, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from koapy.simulation.ticks import Ladder


def minutes_of_day(seed: int, code: str, day: Bar, ladder: Ladder) -> list[Bar]:
    """Bars of one minute, ascending; minutes without a trade are absent.

    Together they have the day's open, high, low, close and volume.
    """
    starts = list(session_minutes(day.start.date()))
    random = Random(f"{seed}:{code}:{day.start:%Y%m%d}")
    return _minutes(random, day, starts, _volumes(random, day.volume, len(starts), closing=True), ladder)


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
        bars.append(Bar(start, previous, high, low, close, volume, volume * ((high + low + 2 * close) // 4)))
        previous = close
    return _reaching(bars, day)


def ticks_of_minute(bar: Bar) -> Iterator[Tick]:
    """At most four trades that make the bar: open, the extremes in the order that fits, close."""
    far = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    prices = [bar.open]
    for price in (*far, bar.close):
        if price != prices[-1] or bar.volume > 400:
            prices.append(price)
    prices = prices[-bar.volume :] if bar.volume < len(prices) else prices
    share, extra = divmod(bar.volume, len(prices))
    for place, price in enumerate(prices):
        seconds = 60 * place // len(prices)
        yield Tick(bar.start + timedelta(seconds=seconds), price, share + (1 if place < extra else 0))


def ticks_of_minutes(bars: Iterable[Bar]) -> list[Tick]:
    """Trades of all the bars, ascending."""
    return [tick for bar in bars for tick in ticks_of_minute(bar)]


def _volumes(random: Random, total: int, count: int, *, closing: bool) -> list[int]:
    """Split a day's shares over its minutes: more at the beginning and, if it is there, in the closing auction."""
    if not count:
        return []
    weights = [random.expovariate(1.0) * (1 + 3 * max(0.0, 1 - place / 40)) for place in range(count)]
    if closing:
        weights[-1] += 8
    # Not sum(): since Python 3.12 it rounds otherwise than before.
    whole = math.fsum(weights)
    volumes = [int(total * weight / whole) for weight in weights]
    volumes[-1] += total - sum(volumes)
    return volumes


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
