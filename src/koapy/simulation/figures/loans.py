"""Shares on loan and on credit, and short sales, day by day.

A balance is a smooth function of the day, so that what was lent and given back is its change, and nothing needs to be
remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from koapy.openapi.calendar import previous_trading_day
from koapy.simulation.figures.draws import draws, swing

if TYPE_CHECKING:
    from datetime import date

    from koapy.simulation.model import Bar, Instrument

CREDIT_GROUPS = {"A": 20, "C": 40}
"""Groups of issues that may be bought on credit, and the margin rate of each in percent."""

_TURNED = 0.008
"""Of a balance, what is given back at most on a day on which it does not fall."""


@dataclass(frozen=True, slots=True)
class Loan:
    """A balance on a day, in shares."""

    lent: int
    """New on this day."""
    repaid: int
    balance: int
    """At the end of the day."""

    @property
    def change(self) -> int:
        """Against the day before."""
        return self.lent - self.repaid

    def __add__(self, other: Loan) -> Loan:
        return Loan(self.lent + other.lent, self.repaid + other.repaid, self.balance + other.balance)


def credit_rate(code: str, usual: int, day: date) -> int:
    """Return which part of the shares is bought on credit, in hundredths of a percent.

    Args: usual: the company's part in the long run, in the same unit.
    """
    return round(usual * swing(day, "credit", code))


def credit(instrument: Instrument, usual: int, day: date) -> Loan:
    """Return the purchases on credit (융자) of an issue; `usual` as of `credit_rate`."""
    return _loan("credit", instrument, usual / 10_000, day)


def lending(instrument: Instrument, day: date) -> Loan:
    """Return the shares of an issue that are lent (대차); nothing of a fund."""
    if instrument.fund:
        return Loan(0, 0, 0)
    return _loan("lending", instrument, _usually_lent(instrument.code), day)


@lru_cache(1 << 13)
def _usually_lent(code: str) -> float:
    """The part of an issue's shares that is lent in the long run."""
    return float(0.003 + 0.04 * draws("lending", code)[0] ** 2)


def short_sold(instrument: Instrument, bar: Bar) -> tuple[int, int]:
    """Return what was sold short in a daily bar: shares and won. Only what can be borrowed is."""
    if instrument.fund:
        return 0, 0
    part = 0.01 + 0.09 * draws("short", instrument.code, bar.start.date())[0]
    return int(bar.volume * part), int(bar.value * part)


def _loan(what: str, instrument: Instrument, usual: float, day: date) -> Loan:
    balance = _balance(what, instrument, usual, day)
    change = balance - _balance(what, instrument, usual, previous_trading_day(day))
    repaid = int(_TURNED * draws(what, instrument.code, day)[0] * balance) + max(0, -change)
    return Loan(repaid + change, repaid, balance)


def _balance(what: str, instrument: Instrument, usual: float, day: date) -> int:
    return int(instrument.shares * usual * swing(day, what, instrument.code))
