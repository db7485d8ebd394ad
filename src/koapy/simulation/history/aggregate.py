"""Longer bars from shorter ones. All sequences ascend in time."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from koapy.simulation.model import Bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from koapy.simulation.model import Tick


def merge(bars: Sequence[Bar]) -> Bar:
    """One bar over all of them; at least one. Prices of bars without volume count only where there are no others."""
    traded = [each for each in bars if each.volume] or bars
    return Bar(
        bars[0].start,
        traded[0].open,
        max(each.high for each in traded),
        min(each.low for each in traded),
        traded[-1].close,
        sum(each.volume for each in bars),
        sum(each.value for each in bars),
    )


def estimated_value(high: int, low: int, close: int, volume: int) -> int:
    """Won traded in a bar of which only prices and volume are known: volume x (high + low + 2 x close) / 4, cut."""
    return volume * (high + low + 2 * close) // 4


def weekly(daily: Iterable[Bar]) -> list[Bar]:
    """Weeks from Monday to Sunday; each begins with its first trading day."""
    return _grouped(daily, lambda bar: bar.start.isocalendar()[:2])


def monthly(daily: Iterable[Bar]) -> list[Bar]:
    """Calendar months; each begins with its first trading day."""
    return _grouped(daily, lambda bar: (bar.start.year, bar.start.month))


def yearly(daily: Iterable[Bar]) -> list[Bar]:
    """Calendar years; each begins with its first trading day."""
    return _grouped(daily, lambda bar: bar.start.year)


def minutes_of(bars: Iterable[Bar], length: int) -> list[Bar]:
    """Bars of `length` minutes, each starting at a multiple of it after midnight, which is where it says it starts."""

    def slot(bar: Bar) -> tuple[int, int]:
        return bar.start.toordinal(), (bar.start.hour * 60 + bar.start.minute) // length

    return [_at_slot(merge(group), length) for group in _groups(bars, slot)]


def ticks_of(ticks: Iterable[Tick], length: int) -> list[Bar]:
    """Bars of `length` trades each, begun anew each day, so that the last one of a day may have fewer."""
    bars: list[Bar] = []
    for _, day in groupby(ticks, key=lambda tick: tick.time.date()):
        trades = list(day)
        bars.extend(_bar_of(trades[start : start + length]) for start in range(0, len(trades), length))
    return bars


def minutes_of_ticks(ticks: Iterable[Tick], length: int) -> list[Bar]:
    """Bars of `length` minutes from trades, as `minutes_of` labels them."""
    groups = groupby(ticks, key=lambda tick: tick.time.replace(second=0, microsecond=0))
    return minutes_of((_bar_of(list(group))._replace(start=minute) for minute, group in groups), length)


def _bar_of(ticks: Sequence[Tick]) -> Bar:
    prices = [each.price for each in ticks]
    volume = sum(each.quantity for each in ticks)
    value = sum(each.price * each.quantity for each in ticks)
    return Bar(ticks[0].time, prices[0], max(prices), min(prices), prices[-1], volume, value)


def _at_slot(bar: Bar, length: int) -> Bar:
    minute = (bar.start.hour * 60 + bar.start.minute) // length * length
    start = bar.start.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    return bar._replace(start=start)


def _grouped(bars: Iterable[Bar], key: Callable[[Bar], object]) -> list[Bar]:
    return [merge(group) for group in _groups(bars, key)]


def _groups(bars: Iterable[Bar], key: Callable[[Bar], object]) -> Iterator[list[Bar]]:
    return (list(group) for _, group in groupby(bars, key=key))
