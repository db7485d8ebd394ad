"""Trading days of the Korea Exchange, and its time zone.

The table of closures covers 1990 to 2030; ahead of us it knows what the law had fixed when it was made. Outside these
years every weekday counts as a trading day. The Saturday sessions up to 1998-12-05 are not known here.
"""

from __future__ import annotations

from datetime import date, timedelta, timezone
from functools import cache

from koapy.openapi._table import rows

KST = timezone(timedelta(hours=9), "KST")
"""Korea's time; a fixed offset, as it has no summer time."""

_DAY = timedelta(days=1)


def is_trading_day(day: date) -> bool:
    """Whether the exchange trades on a day."""
    return day.weekday() < 5 and date(day.year, day.month, day.day) not in _closures()


def next_trading_day(day: date) -> date:
    """Return the first trading day after a day."""
    day += _DAY
    while not is_trading_day(day):
        day += _DAY
    return day


def previous_trading_day(day: date) -> date:
    """Return the last trading day before a day."""
    day -= _DAY
    while not is_trading_day(day):
        day -= _DAY
    return day


def trading_days(first: date, last: date) -> tuple[date, ...]:
    """Return the trading days from first to last, both included, ascending."""
    span = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return tuple(day for day in span if is_trading_day(day))


@cache
def _closures() -> frozenset[date]:
    """Weekdays without trading."""
    return frozenset(
        date(int(year), int(each[:2]), int(each[2:])) for year, closed in rows("closure") for each in closed.split()
    )
