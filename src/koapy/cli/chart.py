"""A candle chart of a few bars, drawn with characters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from rich.text import Text

from koapy.cli.output import FALLEN, RISEN

if TYPE_CHECKING:
    from collections.abc import Sequence

PITCH = 3
"""Columns from one candle to the next."""

MARKS = 6
"""At most so many steps between the prices at the left."""

# What the upper and the lower half of a character cell hold: 0 nothing, 1 the wick, 2 the body.
_GLYPHS = {
    (0, 0): " ",
    (0, 1): "╷",
    (0, 2): "╻",
    (1, 0): "╵",
    (1, 1): "│",
    (1, 2): "╽",
    (2, 0): "╹",
    (2, 1): "╿",
    (2, 2): "┃",
}
_EIGHTHS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar. Prices in won, volume in shares; `label` stands below it where there is room."""

    label: str
    open: int
    high: int
    low: int
    close: int
    volume: int

    @property
    def style(self) -> str:
        """Red where the bar rose, blue where it fell."""
        return RISEN if self.close > self.open else FALLEN if self.close < self.open else ""


def candle_chart(candles: Sequence[Candle], height: int = 12) -> Text:
    """The candles from left to right, oldest first, with prices at the left, then volumes and labels below.

    Args: height: lines for the prices, at least 2.
    """
    if not candles:
        return Text("no bars")
    scale = _Scale(min(each.low for each in candles), max(each.high for each in candles), height)
    prices = scale.marks()
    margin = max(len(shown) for shown in [*prices.values(), "volume"])
    chart = Text()
    for line in reversed(range(height)):
        chart.append(f"{prices.get(line, ''):>{margin}} ", "dim")
        for each in candles:
            chart.append(
                _GLYPHS[_half(scale, each, 2 * line + 1), _half(scale, each, 2 * line)].center(PITCH), each.style
            )
        chart.append("\n")
    _volumes(chart, candles, margin)
    _labels(chart, candles, margin)
    return chart


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a price stands among `lines` lines of two half cells each; line 0 is the lowest."""

    bottom: int
    top: int
    lines: int

    def level(self, price: int) -> int:
        """Half cells above the lowest one."""
        return round((price - self.bottom) / max(self.top - self.bottom, 1) * (2 * self.lines - 1))

    def marks(self) -> dict[int, str]:
        """Round prices by the line they stand on."""
        span = self.top - self.bottom
        sizes = (factor * 10**power for power in count() for factor in (1, 2, 5))
        step = next(size for size in sizes if span // size <= MARKS)
        first = -(-self.bottom // step) * step
        return {self.level(price) // 2: f"{price:,}" for price in range(first, self.top + 1, step)}


def _half(scale: _Scale, candle: Candle, half: int) -> int:
    """What of `candle` lies in one half cell: 0 nothing, 1 the wick, 2 the body."""
    low, high = sorted((scale.level(candle.open), scale.level(candle.close)))
    if low <= half <= high:
        return 2
    return 1 if scale.level(candle.low) <= half <= scale.level(candle.high) else 0


def _volumes(chart: Text, candles: Sequence[Candle], margin: int) -> None:
    most = max(max(each.volume for each in candles), 1)
    chart.append(f"{'volume':>{margin}} ", "dim")
    for each in candles:
        eighths = max(1, round(each.volume / most * 8)) if each.volume else 0
        chart.append(_EIGHTHS[eighths].center(PITCH), each.style)
    chart.append("\n")


def _labels(chart: Text, candles: Sequence[Candle], margin: int) -> None:
    """Every label that does not touch the one before it."""
    line = " " * (margin + 1)
    free = 0
    for index, each in enumerate(candles):
        start = margin + 1 + index * PITCH
        if start >= free:
            line = line.ljust(start) + each.label
            free = start + len(each.label) + 2
    chart.append(line, "dim")
