"""Which member firms traded: parts of a day's volume, fixed by code, day and volume."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from koapy.simulation.figures.draws import apportion, many_draws
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
    places = [place for place, each in enumerate(_largest_first()) if each in chosen]
    return Flow(*(sum([side[place] for place in places]) for side in _parts(code, day, volume, value)))


def _parts(code: str, day: date, volume: int, value: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """Bought, sold, and both in won, of each firm, the largest first."""
    bought_by, sold_by = _weights(code, day, "bought", volume), _weights(code, day, "sold", volume)
    return (
        apportion(volume, bought_by),
        apportion(volume, sold_by),
        apportion(value, bought_by),
        apportion(value, sold_by),
    )


_EARLY = 40_000
"""Shares by which half of what the first firms of a day had more than their part of it is made up for."""


def _weights(code: str, day: date, side: str, volume: int) -> list[float]:
    """The part of each firm: of the first shares of a day others than of the day, and less so the more are traded.

    What a firm has done only grows: its part of the next share goes from its early to its late one.
    """
    chances = many_draws("firms", code, day, side)
    late = [usual * (0.2 + 1.6 * chance) for usual, chance in zip(_usual(), chances, strict=False)]
    early = [usual * (0.2 + 1.6 * chance) for usual, chance in zip(_usual(), reversed(chances), strict=False)]
    part = _EARLY / (_EARLY + volume)
    scale = part * sum(late) / sum(early)
    return [usual * (1 - part) + first * scale for usual, first in zip(late, early, strict=True)]


@cache
def _usual() -> tuple[int, ...]:
    return tuple(each.weight for each in _largest_first())
