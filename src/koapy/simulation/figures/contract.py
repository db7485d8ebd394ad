"""Contracts whose worth follows something else: futures, options and warrants (ELW)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from koapy.simulation.figures.draws import draws, swing
from koapy.simulation.figures.pricing import Greeks, forward, greeks, worth

if TYPE_CHECKING:
    from datetime import date


class Kind(Enum):
    """What a contract gives: the underlying, or the right to buy or sell it."""

    FUTURE = "future"
    CALL = "call"
    PUT = "put"


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract. Prices are whole units of `scale` to a point or won."""

    code: str
    name: str
    kind: Kind
    underlying: str
    """An index, or an issue."""
    expiry: date
    strike: int
    """In the underlying's own units, hundredths of a point or won; 0 of a future."""
    scale: int
    """Units to a point or won: 100 or 1."""
    ticks: tuple[int, int, int]
    """The tick below a price, that price, and the tick from there on."""
    multiplier: int
    """Won that a point, or a won, of the price stands for."""
    activity: float
    """Contracts traded for each share of the underlying, and the shape of the open interest."""
    ratio: float = 1.0
    """Part of one underlying that a contract is about, in units of the price."""

    def days(self, day: date) -> float:
        """Days that are left; half a day on the last one."""
        return max((self.expiry - day).days, 0.5)

    def volatility(self, day: date) -> float:
        """Of a year; the same through a day, so that a price only depends on the underlying."""
        return 0.16 + 0.06 * _chance("volatility", self.expiry, day)

    def fair(self, day: date, level: int) -> float:
        """What theory says, in the unit of prices, at a level of the underlying."""
        if self.kind is Kind.FUTURE:
            return self.ratio * forward(level, self.days(day))
        call = self.kind is Kind.CALL
        return self.ratio * worth(level, self.strike, self.days(day), self.volatility(day), call=call)

    def price(self, day: date, level: int) -> int:
        """What it costs: near to what theory says, and on a tick; it only falls or only rises with the level."""
        aside = 1 + 0.001 * (_chance("aside", self.code, day) - 0.5)
        fair = self.fair(day, level) * aside
        below, border, above = self.ticks
        tick = below if fair < border else above
        return max(round(fair / tick) * tick, tick)

    def tick(self, price: int) -> int:
        """The tick at a price."""
        below, border, above = self.ticks
        return below if price < border else above

    def greeks(self, day: date, level: int) -> Greeks:
        """What moves the worth of an option."""
        return greeks(level, self.strike, self.days(day), self.volatility(day), call=self.kind is Kind.CALL)

    def inner(self, level: int) -> float:
        """What exercising now would bring, in the unit of prices; of a future nothing."""
        if self.kind is Kind.FUTURE:
            return 0.0
        gain = level - self.strike if self.kind is Kind.CALL else self.strike - level
        return self.ratio * max(gain, 0)

    def volume(self, day: date, traded: int) -> int:
        """Contracts traded on a day when so many shares of the underlying were."""
        return int(traded * self.activity * (0.5 + _chance("volume", self.code, day)))

    def open_interest(self, day: date) -> int:
        """Contracts open at the end of a day."""
        return int(1_000_000_000 * self.activity * swing(day, "open", self.code))


@lru_cache(4096)
def _chance(*key: object) -> float:
    """One number of 0 up to 1 that is asked for again and again."""
    return draws(*key)[0]
