"""Trading days, against exchange_calendars and against days on which shares really traded."""

from __future__ import annotations

import csv
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.openapi.calendar import KST, is_trading_day, next_trading_day, previous_trading_day, trading_days

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "data" / "openapi"


def test_table_is_what_its_tool_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import build_calendar

    with build_calendar.TABLE.open(encoding="utf-8", newline="") as file:
        table = {int(year): closed.split() for year, closed in list(csv.reader(file))[1:]}
    fresh = {year: [f"{day:%m%d}" for day in days] for year, days in build_calendar.closures().items()}
    assert table == fresh, "run tools/build_calendar.py"
    sys.modules.pop("build_calendar")


@pytest.mark.parametrize("path", sorted(SAMPLE.glob("*.csv")), ids=lambda path: path.stem)
def test_shares_traded_on_trading_days_only(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        traded = [date.fromisoformat(row["date"]) for row in csv.DictReader(file)]
    weekdays = [day for day in traded if day.weekday() < 5]  # Saturdays traded until 1998, and are not known
    assert weekdays == list(trading_days(traded[0], traded[-1]))


@pytest.mark.parametrize(
    "closed",
    ["2024-04-10", "2024-10-01", "2025-01-27", "2025-06-03", "2026-06-03", "2026-07-17", "2026-01-01", "2025-12-31"],
)
def test_closures(closed: str) -> None:
    assert not is_trading_day(date.fromisoformat(closed))


def test_neighbours() -> None:
    assert next_trading_day(date(2025, 10, 2)) == date(2025, 10, 10)
    assert previous_trading_day(date(2025, 10, 10)) == date(2025, 10, 2)
    assert trading_days(date(2025, 10, 3), date(2025, 10, 9)) == ()
    assert trading_days(date(2025, 10, 10), date(2025, 10, 10)) == (date(2025, 10, 10),)


@given(st.dates(date(1980, 1, 1), date(2060, 1, 1)))
def test_next_and_previous_are_inverse(day: date) -> None:
    after = next_trading_day(day)
    assert is_trading_day(after)
    assert after > day
    assert trading_days(day + timedelta(days=1), after) == (after,)
    if is_trading_day(day):
        assert previous_trading_day(after) == day


def test_korea_has_one_offset() -> None:
    assert KST.utcoffset(None) == timedelta(hours=9)
