"""ELW: warrants on an index or an issue, from a table of the simulation's own.

A warrant rolls on: its expiry lies some months after the one that is next, its strike was set by the price half a year
before the month began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from koapy.openapi.calendar import is_trading_day, next_trading_day
from koapy.simulation.figures.chain import INDEX, expiries
from koapy.simulation.figures.contract import Contract, Kind
from koapy.simulation.figures.draws import draws
from koapy.simulation.figures.firms import Firm, firm
from koapy.simulation.figures.tables import rows

if TYPE_CHECKING:
    from datetime import date

ISSUED = 10_000_000
"""Shares of every warrant."""


@dataclass(frozen=True, slots=True)
class Warrant:
    """A warrant on a day."""

    contract: Contract
    issuer: Firm
    """Who issued it, and provides quotes (LP)."""
    series: str
    """회차."""
    moneyness: int
    """Strike in percent of the price at which it was set."""
    listed: date

    @property
    def call(self) -> bool:
        """Whether it is a right to buy."""
        return self.contract.kind is Kind.CALL

    @property
    def last_day(self) -> date:
        """최종거래일: the one before the expiry."""
        return self.contract.expiry

    @property
    def paid(self) -> date:
        """지급일."""
        return next_trading_day(next_trading_day(self.contract.expiry))

    def held(self, day: date) -> int:
        """What the provider of quotes holds at the end of a day."""
        return int(ISSUED * (0.85 + 0.149 * draws("provider", self.contract.code, day)[0]))


def underlyings() -> list[str]:
    """Return what there are warrants on: KOSPI200 and some issues."""
    return sorted({row[1] for row in rows("warrant")})


def warrants(today: date, levels: dict[str, tuple[str, int]]) -> list[Warrant]:
    """Return the warrants on what is known, by code.

    Args: levels: of each underlying its name, and the price that strikes are set by.
    """
    found = []
    for code, underlying, kind, moneyness, months, ratio, issuer, series in rows("warrant"):
        by, known = firm(issuer), levels.get(underlying)
        if by is None or known is None:
            continue
        name, level = known
        expiry = expiries(today, int(months))[-1]
        strike = _rounded(level * int(moneyness) // 100, underlying)
        contract = Contract(
            code,
            f"{by.name.replace(' ', '')[:2]}{series}{name}{'콜' if kind == 'call' else '풋'}",
            Kind(kind),
            underlying,
            expiry,
            strike,
            1,
            (5, 0, 5),
            1,
            0.002 if underlying == INDEX else 0.05,
            # Of an index a contract pays so many won a point, and levels are hundredths of one.
            float(ratio) / 100 if underlying == INDEX else float(ratio),
        )
        found.append(Warrant(contract, by, series, int(moneyness), _listed(expiry)))
    return sorted(found, key=lambda each: each.contract.code)


def _rounded(strike: int, underlying: str) -> int:
    step = 250 if underlying == INDEX else 500
    return max(round(strike / step), 1) * step


def _listed(expiry: date) -> date:
    day = expiry - timedelta(days=182)
    return day if is_trading_day(day) else next_trading_day(day)
