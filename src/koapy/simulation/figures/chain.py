"""The futures and options that are listed on a day: on KOSPI200, and futures on some issues.

All is reckoned from the day and the index: quarterly futures, options of the next three months at strikes around
yesterday's close, expiring on second Thursdays.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from koapy.openapi.calendar import is_trading_day, previous_trading_day
from koapy.simulation.figures.contract import Contract, Kind
from koapy.simulation.figures.tables import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

INDEX = "201"
"""KOSPI200."""

QUARTERS = 4
MONTHS = 3
STEP = 250
"""Between two strikes, in hundredths of a point."""
SIDE = 10
"""Strikes above, and below, the one next to the index."""

_MULTIPLIER = 250_000
_LETTERS = "LMNPQRSTVW"
"""Of expiries in 2016 to 2025; a digit of the year in others."""
_MONTH = "123456789ABC"


def expiry_of(year: int, month: int) -> date:
    """The second Thursday, or the trading day before it."""
    first = date(year, month, 1)
    day = first + timedelta(days=(3 - first.weekday()) % 7 + 7)
    return day if is_trading_day(day) else previous_trading_day(day)


def expiries(today: date, count: int, every: int = 1) -> list[date]:
    """The next expiries, of each month or only of each third."""
    found: list[date] = []
    year, month = today.year, today.month
    while len(found) < count:
        if month % every == 0 and expiry_of(year, month) >= today:
            found.append(expiry_of(year, month))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def at_the_money(level: int) -> int:
    """The strike next to a level."""
    return round(level / STEP) * STEP


@lru_cache(64)
def futures(today: date) -> tuple[Contract, ...]:
    """KOSPI200 futures, the nearest first."""
    return tuple(
        Contract(
            _code("1", "01", expiry, "000"),
            f"F {expiry:%Y%m}",
            Kind.FUTURE,
            INDEX,
            expiry,
            0,
            100,
            (5, 0, 5),
            _MULTIPLIER,
            0.0007 * 0.05**place,
        )
        for place, expiry in enumerate(expiries(today, QUARTERS, 3))
    )


@lru_cache(64)
def options(today: date, base: int) -> tuple[Contract, ...]:
    """KOSPI200 options, by month, calls before puts, each from the lowest strike up. `base`: yesterday's close."""
    return tuple(
        _option(kind, expiry, strike, place, abs(strike - at_the_money(base)) // STEP)
        for place, expiry in enumerate(expiries(today, MONTHS))
        for kind in (Kind.CALL, Kind.PUT)
        for strike in strikes(base)
    )


def strikes(base: int) -> list[int]:
    """All strikes of a day, ascending."""
    middle = at_the_money(base)
    return [middle + step * STEP for step in range(-SIDE, SIDE + 1) if middle + step * STEP > 0]


def _option(kind: Kind, expiry: date, strike: int, place: int, away: int) -> Contract:
    call = kind is Kind.CALL
    points = f"{strike // 100}.{strike % 100 // 10}"
    return Contract(
        _code("2" if call else "3", "01", expiry, f"{strike // 100:03d}"[-3:]),
        f"{'C' if call else 'P'} {expiry:%Y%m} {points}",
        kind,
        INDEX,
        expiry,
        strike,
        100,
        (1, 1000, 5),
        _MULTIPLIER,
        0.0004 * 0.1**place * math.exp(-0.25 * away),
    )


@lru_cache(64)
def stock_futures(today: date) -> tuple[Contract, ...]:
    """Futures on issues: the next two quarters of each."""
    return tuple(
        Contract(
            _code("1", number, expiry, "000"),
            f"{name} F {expiry:%Y%m}",
            Kind.FUTURE,
            code,
            expiry,
            0,
            1,
            (50, 100_000, 100),
            10,
            0.0005 * 0.1**place,
        )
        for number, code, name in bases()
        for place, expiry in enumerate(expiries(today, 2, 3))
    )


def bases() -> Iterator[tuple[str, str, str]]:
    """Issues that futures are written on: number, code and name."""
    return ((number, code, name) for number, code, name in rows("stock_future"))


def basis(today: date, level: int) -> int:
    """How much the nearest future is above the index, in hundredths of a point."""
    return futures(today)[0].price(today, level) - level


def _code(kind: str, base: str, expiry: date, tail: str) -> str:
    """Eight characters. From the expiries of 2026 on the first one is a letter."""
    if expiry.year >= 2026:
        return f"{'ABC'[int(kind) - 1]}{base}{expiry.year % 10}{_MONTH[expiry.month - 1]}{tail}"
    year = _LETTERS[expiry.year - 2016] if expiry.year >= 2016 else str(expiry.year % 10)
    return f"{kind}{base}{year}{_MONTH[expiry.month - 1]}{tail}"
