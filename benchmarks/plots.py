"""Plots of what was measured, as SVG files that need nothing to be drawn or shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 78, 18, 44, 62
COLOURS = {"koapy": "#c0392b", "bare": "#7f8c8d", "bare-uvloop": "#2471a3"}
NAMES = {"koapy": "koapy", "bare": "bare grpc.aio", "bare-uvloop": "bare, uvloop"}


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture: a figure of one case over a size, both axes logarithmic."""

    file: str
    title: str
    case: str
    figure: str
    """The figure's name, with {} for the size."""
    sizes: Sequence[int]
    across: str
    upwards: str


PLOTS = (
    Plot(
        "fan-out",
        "Listen, ticks flat out, yielding",
        "listen",
        "{}.yielding.rate",
        (1, 8, 64, 512),
        "subscribers",
        "messages / s",
    ),
    Plot(
        "fan-out-realcall",
        "RealCall, ticks flat out, yielding",
        "realcall",
        "{}.yielding.rate",
        (1, 8, 64, 512),
        "subscribers",
        "messages / s",
    ),
    Plot("delay", "Listen at equal load: p99", "listen", "{}.steady.p99", (1, 8, 64, 512), "subscribers", "ms"),
    Plot(
        "cost",
        "Listen at equal load: processor",
        "listen",
        "{}.steady.cost",
        (1, 8, 64, 512),
        "subscribers",
        "us / message",
    ),
    Plot(
        "control",
        "Ticks that the control's thread keeps (Listen)",
        "listen",
        "{}.flat.ticks",
        (1, 8, 64, 512),
        "subscribers",
        "ticks / s",
    ),
    Plot("calls", "Calls beside idle streams", "growth", "calls.{}", (1, 10, 100, 1000), "idle streams", "Calls / s"),
    Plot("pages", "TransactionCall", "growth", "pages.{}", (1, 10, 100), "pages of 600 rows", "rows / s"),
    Plot(
        "orders",
        "OrderCall with a journal",
        "growth",
        "orders.{}",
        (1, 10, 100),
        "orders under way at once",
        "orders / s",
    ),
    Plot(
        "codes",
        "20 subscribers with codes of their own",
        "codes",
        "{}.cost",
        (20, 200, 2000),
        "codes in all",
        "us / message",
    ),
)


def draw(stored: dict[str, Any], folder: Path) -> None:
    """Write the plots of what was measured into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for plot in PLOTS:
        servers = stored["medians"].get(plot.case, {})
        lines = {
            name: [
                (size, figures[plot.figure.format(size)])
                for size in plot.sizes
                if 0 < figures.get(plot.figure.format(size), 0) < math.inf
            ]
            for name, figures in servers.items()
        }
        if any(lines.values()):
            (folder / f"{plot.file}.svg").write_text(_svg(plot, lines), encoding="utf-8")


def _svg(plot: Plot, lines: dict[str, list[tuple[int, float]]]) -> str:
    values = [value for line in lines.values() for _, value in line]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values) * 1.001))

    def x(size: float) -> float:
        first, last = math.log10(plot.sizes[0]), math.log10(plot.sizes[-1])
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(size) - first) / (last - first)

    def y(value: float) -> float:
        share = (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    middle = (LEFT + WIDTH - RIGHT) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{plot.title}</text>',
        f'<text x="{WIDTH - RIGHT}" y="22" text-anchor="end" fill="#555">{plot.upwards}</text>',
        f'<text x="{middle}" y="{HEIGHT - 28}" text-anchor="middle" fill="#555">{plot.across}</text>',
    ]
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        height, label = y(10**power), f"{10**power:,.0f}" if power >= 0 else f"{10.0**power:g}"
        parts.append(f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end" fill="#555">{label}</text>')
    parts += [
        f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle" fill="#555">{size:,}</text>'
        for size in plot.sizes
    ]
    for number, (name, line) in enumerate(lines.items()):
        colour, legend = COLOURS.get(name, "black"), LEFT + number * 130
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3.5" fill="{colour}"/>' for size, value in line]
        parts.append(f'<path d="M{legend} {HEIGHT - 12}h18" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{legend + 24}" y="{HEIGHT - 8}">{NAMES.get(name, name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
