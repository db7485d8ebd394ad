"""Which member firms traded: parts of a day's volume, fixed by code, day and volume."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from koapy.simulation.figures.draws import apportion, by_byte, day_bytes, part_of, picked
from koapy.simulation.figures.investors import Flow
from koapy.simulation.figures.tables import rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


@dataclass(frozen=True, slots=True)
class Firm:
    """A member firm of the exchange."""

    code: str
    """Three digits."""
    name: str
    foreign: bool
    weight: int
    """What it usually does, in hundredths of all trading or so."""


@cache
def firms() -> tuple[Firm, ...]:
    """All firms, by code."""
    return tuple(Firm(code, name, foreign == "Y", int(weight)) for code, name, foreign, weight in rows("firm"))


@cache
def _largest_first() -> tuple[Firm, ...]:
    return tuple(sorted(firms(), key=lambda each: (-each.weight, each.code)))


def firm(code: str) -> Firm | None:
    """A firm by its code, with or without zeros in front; None for an unknown one."""
    return next((each for each in firms() if each.code == code.zfill(3)), None)


def firm_flows(code: str, day: date, volume: int, value: int) -> dict[Firm, Flow]:
    """Return which firms traded so much of an issue on a day; purchases and sales each add up to it."""
    return dict(zip(_largest_first(), map(Flow, *_parts(code, day, volume, value)), strict=True))


def flow_of(chosen: Sequence[Firm], code: str, day: date, volume: int, value: int) -> Flow:
    """Return what some firms did together, as `firm_flows`."""
    places = _places(tuple(chosen))
    bought_by, sold_by = _weights(code, day, volume)
    return Flow(
        part_of(volume, bought_by, places),
        part_of(volume, sold_by, places),
        part_of(value, bought_by, places),
        part_of(value, sold_by, places),
    )


@cache
def _places(chosen: tuple[Firm, ...]) -> tuple[int, ...]:
    return tuple(place for place, each in enumerate(_largest_first()) if each in chosen)


def _parts(code: str, day: date, volume: int, value: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """Bought, sold, and both in won, of each firm, the largest first."""
    bought_by, sold_by = _weights(code, day, volume)
    return (
        apportion(volume, bought_by),
        apportion(volume, sold_by),
        apportion(value, bought_by),
        apportion(value, sold_by),
    )


_EARLY = 40_000
"""Shares by which half of what the first firms of a day had more than their part of it is made up for."""


def _weights(code: str, day: date, volume: int) -> tuple[list[float], list[float]]:
    """How much each firm bought and sold, against the others: of the first shares of a day others than of the day, and
    less so the more are traded.

    What a firm has done only grows: its part of the next share goes from its early to its late one.
    """
    tables = _tables()
    count = len(tables)
    chances, part = day_bytes("firms", code, day, 4 * count), _EARLY / (_EARLY + volume)

    def side(first: int) -> list[float]:
        late = picked(tables, chances[first : first + count])
        early = picked(tables, chances[first + count : first + 2 * count])
        scale = part * sum(late) / sum(early)
        return [usual * (1 - part) + each * scale for usual, each in zip(late, early, strict=True)]

    return side(0), side(2 * count)


@cache
def _tables() -> tuple[tuple[float, ...], ...]:
    def table(usual: int) -> tuple[float, ...]:
        return by_byte(lambda chance: usual * (0.2 + 1.6 * chance))

    return tuple(table(each.weight) for each in _largest_first())
