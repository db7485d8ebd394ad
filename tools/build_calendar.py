"""Build koapy.openapi's table of the days on which the Korea Exchange was or will be closed.

    python tools/build_calendar.py

Writes src/koapy/openapi/tables/closure.csv from the XKRX calendar of exchange_calendars: a row a year, its closures on
weekdays, as MMDD. Where that calendar is behind or differs from recorded prices, CLOSED and OPEN have the last word.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import exchange_calendars

TABLE = Path(__file__).resolve().parents[1] / "src" / "koapy" / "openapi" / "tables" / "closure.csv"
FIRST_YEAR, LAST_YEAR = 1990, 2030
# Elections have their day fixed by law, and since 2026 제헌절 is a holiday again (17 July; on a Saturday in 2027).
CLOSED = {
    date(2026, 6, 3),
    date(2026, 7, 17),
    date(2028, 4, 12),
    date(2028, 7, 17),
    date(2029, 7, 17),
    date(2030, 7, 17),
}
# Shares traded on these days.
OPEN = {date(1992, 12, 28), date(1993, 7, 7), date(1994, 2, 14), date(1994, 5, 20)}


def closures() -> dict[int, list[date]]:
    """By year, the weekdays without trading."""
    first, last = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
    calendar = exchange_calendars.get_calendar("XKRX", start=first.isoformat(), end=last.isoformat())
    sessions = ({each.date() for each in calendar.sessions} | OPEN) - CLOSED
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    closed = [day for day in days if day.weekday() < 5 and day not in sessions]
    return {year: [day for day in closed if day.year == year] for year in range(FIRST_YEAR, LAST_YEAR + 1)}


def main() -> None:
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["year", "closed"])
        writer.writerows([year, " ".join(f"{day:%m%d}" for day in days)] for year, days in closures().items())


if __name__ == "__main__":
    main()
