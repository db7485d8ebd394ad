"""Which kinds of investors traded: parts of a day's volume.

The parts of a day are fixed by code and day, so what each kind has bought only grows as the volume does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

from koapy.simulation.figures.draws import apportion, by_byte, day_bytes, part_of, picked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from koapy.simulation.model import Bar, Instrument


class Investor(Enum):
    """Kinds of investors as the exchange tells them apart; the value is the place in `Flows`."""

    PERSON = 0
    FOREIGN = 1
    SECURITIES = 2
    INSURANCE = 3
    TRUST = 4
    OTHER_FINANCE = 5
    BANK = 6
    PENSION = 7
    PRIVATE_FUND = 8
    STATE = 9
    COMPANY = 10
    RESIDENT_FOREIGN = 11


INSTITUTIONS = (
    Investor.SECURITIES,
    Investor.INSURANCE,
    Investor.TRUST,
    Investor.OTHER_FINANCE,
    Investor.BANK,
    Investor.PENSION,
    Investor.PRIVATE_FUND,
    Investor.STATE,
)

_LARGE = (0.46, 0.29, 0.09, 0.01, 0.03, 0.002, 0.006, 0.05, 0.02, 0.004, 0.03, 0.003)
_SMALL = (0.80, 0.10, 0.03, 0.003, 0.01, 0.001, 0.001, 0.01, 0.01, 0.002, 0.02, 0.003)
"""What each kind usually does of the trading in KOSPI issues, and in all others."""

_RARE = 0.01
"""Kinds that do less than this are absent on two days of five."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What some investors did; shares and won."""

    bought: int = 0
    sold: int = 0
    bought_value: int = 0
    sold_value: int = 0

    @property
    def net(self) -> int:
        """Shares bought less those sold."""
        return self.bought - self.sold

    @property
    def net_value(self) -> int:
        """Won spent less won got."""
        return self.bought_value - self.sold_value

    def __add__(self, other: Flow) -> Flow:
        return Flow(
            self.bought + other.bought,
            self.sold + other.sold,
            self.bought_value + other.bought_value,
            self.sold_value + other.sold_value,
        )


@dataclass(frozen=True, slots=True)
class Flows:
    """What all kinds of investors did: the parts of a volume. Purchases and sales each add up to it."""

    bought: list[int]
    """Shares by kind, in the order of `Investor`."""
    sold: list[int]
    bought_value: list[int]
    sold_value: list[int]

    def of(self, *kinds: Investor) -> Flow:
        """What these kinds did together."""
        if len(kinds) == 1:
            at = kinds[0].value
            return Flow(self.bought[at], self.sold[at], self.bought_value[at], self.sold_value[at])
        places = [kind.value for kind in kinds]
        sides = (self.bought, self.sold, self.bought_value, self.sold_value)
        return Flow(*(sum([side[place] for place in places]) for side in sides))


def total(flows: Iterable[Flow]) -> Flow:
    """Add up."""
    bought = sold = bought_value = sold_value = 0
    for each in flows:
        bought += each.bought
        sold += each.sold
        bought_value += each.bought_value
        sold_value += each.sold_value
    return Flow(bought, sold, bought_value, sold_value)


def flows(instrument: Instrument, day: date, volume: int, value: int) -> Flows:
    """Return who traded so much of an issue on a day, shares and won."""
    return split(instrument.code, day, volume, value, large=instrument.market == "KOSPI")


def split(code: str, day: date, volume: int, value: int, *, large: bool = True) -> Flows:
    """Return who traded so much of anything on a day; `large` where institutions and foreigners are at home."""
    bought_by, sold_by = _weights(code, day, large=large)
    return Flows(
        apportion(volume, bought_by), apportion(volume, sold_by), apportion(value, bought_by), apportion(value, sold_by)
    )


def flow_of(kinds: Sequence[Investor], instrument: Instrument, bar: Bar) -> Flow:
    """Return what some kinds of investors did together in a daily bar, as `day_flows`."""
    bought_by, sold_by = _weights(instrument.code, bar.start.date(), large=instrument.market == "KOSPI")
    places = [kind.value for kind in kinds]
    return Flow(
        part_of(bar.volume, bought_by, places),
        part_of(bar.volume, sold_by, places),
        part_of(bar.value, bought_by, places),
        part_of(bar.value, sold_by, places),
    )


def net_of(kind: Investor, instrument: Instrument, bar: Bar) -> int:
    """Return the shares that a kind of investors bought more than it sold in a daily bar, as `day_flows`."""
    bought_by, sold_by = _weights(instrument.code, bar.start.date(), large=instrument.market == "KOSPI")
    places = (kind.value,)
    return part_of(bar.volume, bought_by, places) - part_of(bar.volume, sold_by, places)


def _weights(code: str, day: date, *, large: bool) -> tuple[list[float], list[float]]:
    """How much each kind bought and sold, against the others."""
    tables = _tables(large)
    chances, count = day_bytes("investors", code, day, 2 * len(tables)), len(tables)
    return picked(tables, chances[:count]), picked(tables, chances[count:])


@cache
def _tables(large: bool) -> tuple[tuple[float, ...], ...]:
    def table(part: float) -> tuple[float, ...]:
        return by_byte(lambda chance: part * (0.5 + chance) if part >= _RARE or chance > 0.4 else 0.0)

    return tuple(table(part) for part in (_LARGE if large else _SMALL))


def day_flows(instrument: Instrument, bar: Bar) -> Flows:
    """Return who traded in a daily bar."""
    return flows(instrument, bar.start.date(), bar.volume, bar.value)
