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


def late_hours(day: date) -> tuple[int, int]:
    """Return by how many hours the opening and the close are later than usual on a trading day.

    Both by one on the day of the college entrance examination, the opening alone on the first trading day of a year.
    The examination's dates are known from 2010 to 2026; of other years the third Thursday of November is assumed.
    """
    day = date(day.year, day.month, day.day)
    if day == _examination(day.year):
        return 1, 1
    first = day.month == 1 and previous_trading_day(day).year < day.year
    return (1, 0) if first else (0, 0)


_EXAMINATIONS = {
    date(year, month, number)
    for year, month, number in (
        *((2010, 11, 18), (2011, 11, 10), (2012, 11, 8), (2013, 11, 7), (2014, 11, 13), (2015, 11, 12)),
        *((2016, 11, 17), (2017, 11, 23), (2018, 11, 15), (2019, 11, 14), (2020, 12, 3), (2021, 11, 18)),
        *((2022, 11, 17), (2023, 11, 16), (2024, 11, 14), (2025, 11, 13), (2026, 11, 19)),
    )
}


def _examination(year: int) -> date:
    """The day of the college entrance examination (수능)."""
    known = (each for each in _EXAMINATIONS if each.year == year)
    november = date(year, 11, 1)
    return next(known, november + timedelta(days=(3 - november.weekday()) % 7 + 14))


@cache
def _closures() -> frozenset[date]:
    """Weekdays without trading."""
    return frozenset(
        date(int(year), int(each[:2]), int(each[2:])) for year, closed in rows("closure") for each in closed.split()
    )
