"""Issues listed on the Korea Exchange on 2026-03-09: names, markets, shares, reference prices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from koapy.openapi._table import day, number, rows

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class ListedIssue:
    """An issue as it was listed that day."""

    code: str
    """Six characters, mostly digits; ETNs without their Q."""
    name: str
    market: str
    """KOSPI, KOSDAQ or KONEX."""
    shares: int
    """Listed shares; of ETFs and ETNs known in thousands only."""
    sector: str
    """Name of the KRX industry index, or empty."""
    listed: date | None
    reference_price: int | None
    """기준가 of the day in won; None for the few that had none."""
    kind: str
    """stock, preferred, spac, foreign, dr, reit, fund, etf or etn."""


@cache
def listing() -> tuple[ListedIssue, ...]:
    """Return all listed issues: KOSPI, KOSDAQ and KONEX, each by code."""
    return tuple(
        ListedIssue(code, name, market, int(shares), sector, day(listed), number(price), kind)
        for code, name, market, shares, sector, listed, price, kind in rows("listing")
    )


def issue(code: str) -> ListedIssue | None:
    """Return a listed issue by its code, or None."""
    return _by_code().get(code)


@cache
def _by_code() -> dict[str, ListedIssue]:
    return {each.code: each for each in listing()}
