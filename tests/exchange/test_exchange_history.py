from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST, is_trading_day
from koapy.openapi.market import tick_size
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.history.aggregate import minutes_of, monthly, ticks_of, weekly, yearly
from koapy.simulation.history.intraday import minutes_of_day
from koapy.simulation.history.sheets import HistoryError
from koapy.simulation.history.walk import walked
from koapy.simulation.market import load_market
from koapy.simulation.model import Bar, Tick
from koapy.simulation.ticks import ladder

HEADER = "date,open,high,low,close,volume\n"
DAYS = (
    "20250610,59800,60100,59200,59200,20838171\n"
    "20250611,59700,60200,59500,59900,15861394\n"
    "20250612,59800,60300,59500,59500,19855391\n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "005930.csv").write_text(HEADER + DAYS, encoding="utf-8")
    (tmp_path / "0000J0.csv").write_text(HEADER + "20250613,15005,15100,15000,15050,12345\n", encoding="utf-8")
    (tmp_path / "99X999.csv").write_text(HEADER + "20250609,1203,1203,1203,1203,0\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("where this comes from", encoding="utf-8")
    return tmp_path


@pytest.fixture
def recorded(folder):
    market = load_market(folder=folder, codes=["000660"])
    return Exchange(ManualClock(market.opens), market)


def midnight(year, month, day):
    return datetime(year, month, day, tzinfo=KST)


def test_recorded_days_are_answered_exactly(recorded):
    bars = recorded.daily("005930")
    rows = [(f"{bar.start:%Y%m%d}", bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars]
    assert "".join(",".join(map(str, row)) + "\n" for row in rows) == DAYS
    assert bars[-1].value == 19855391 * (60300 + 59500 + 2 * 59500) // 4


def test_the_day_after_the_newest_row_of_all_files_is_today(recorded):
    assert recorded.today == date(2025, 6, 16)  # the 13th is a Friday
    assert recorded.clock.now() == datetime(2025, 6, 16, 9, tzinfo=KST)
    assert recorded.instruments["005930"].base_price == 59500
    assert recorded.quote("005930").previous_volume == 19855391


def test_codes_of_the_folder_join_the_market(recorded):
    assert set(recorded.instruments) == {"005930", "0000J0", "99X999", "000660"}
    assert recorded.instruments["0000J0"].kind == "etf"
    unknown = recorded.instruments["99X999"]
    assert (unknown.name, unknown.market, unknown.base_price) == ("99X999", "KOSPI", 1203)
    assert recorded.daily("000660")[-1].start == midnight(2025, 6, 13)


def test_with_recorded_days_today_begins_with_its_first_trade(recorded):
    assert recorded.today_bar("005930") is None
    assert recorded.quote("005930").last == 59500
    assert len(recorded.depth("005930").asks) == 10
    recorded.clock.advance(10)
    assert recorded.today_bar("005930").start == midnight(2025, 6, 16)


def test_minutes_and_ticks_of_recorded_days_add_up(recorded):
    minutes = [each for each in recorded.minutes("005930") if each.start >= midnight(2025, 6, 12)]
    assert len(minutes) == 381
    assert (minutes[0].open, max(each.high for each in minutes), min(each.low for each in minutes)) == (
        59800,
        60300,
        59500,
    )
    assert (minutes[-1].close, sum(each.volume for each in minutes)) == (59500, 19855391)
    ticks = [each for each in recorded.ticks("005930") if each.time >= midnight(2025, 6, 12)]
    assert sum(each.quantity for each in ticks) == 19855391


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("005930.csv", "", ":1: the first line must name the columns"),
        ("005930.csv", "day,open\n", ":1: the first line must name the columns"),
        ("005930.csv", HEADER, "at least one row"),
        ("005930.csv", HEADER.replace("low", "lowest") + "20250610,1,2,1,2,3\n", "there is no low (low or 저가"),
        ("005930.csv", HEADER + "20250610,1,2,1,2\n", ":2: 6 values are needed"),
        ("005930.csv", HEADER + "2025-06-10 9 Uhr,1,2,1,2,3\n", ":2: '9 Uhr' is no time"),
        ("005930.csv", HEADER + "20250610 090030,1,2,1,2,3\n", ":2: 2025-06-10 09:00:30: a bar begins or ends at"),
        ("005930.csv", "date,price,volume\n20250610,1,2\n", "trades need the time of day"),
        ("005930.csv", "time,price,volume\n20250610090000,1,0\n", ":2: a trade has a price and shares"),
        ("005930.csv", HEADER + "20250610,1,2,1,2,3.5\n", ":2: whole numbers"),
        ("005930.csv", HEADER + "20250631,1,2,1,2,3\n", ":2: '20250631' is no date"),
        ("005930.csv", HEADER + "250610,1,2,1,2,3\n", ":2: '250610' is no date"),
        ("005930.csv", HEADER + "20250610,1,2,1,2,3\n20250610,1,2,1,2,3\n", ":3: dates must ascend"),
        ("005930.csv", HEADER + "20250610,1,2,1,3,3\n", ":2: open 1 and close 3 must lie between"),
        ("005930.csv", HEADER + "20250610,0,0,0,5,1\n", ":2: prices must be positive"),
        ("005930.csv", HEADER + "20250610,1,2,1,2,-3\n", ":2: the volume must not be negative"),
        ("samsung-2025.csv", HEADER + DAYS, "the name must be a code"),
        ("notes.txt", "", "no price history"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(HistoryError) as error:
        load_market(folder=tmp_path, codes=[])
    assert message in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_folder_that_is_not_there_and_a_file_that_is_no_text(tmp_path):
    with pytest.raises(HistoryError, match="no such folder"):
        load_market(folder=tmp_path / "missing")
    (tmp_path / "005930.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(HistoryError, match="UTF-8"):
        load_market(folder=tmp_path)


@pytest.mark.parametrize("code", ["005930", "247540", "069500", "252670"])
def test_made_up_days_are_plausible(code):
    exchange = Exchange(ManualClock(datetime(2026, 11, 23, 10, tzinfo=KST)), load_market(codes=[code]))
    issue, bars = exchange.instruments[code], exchange.daily(code)
    assert len(bars) >= 750
    assert bars[-1].start == midnight(2026, 11, 20)
    assert bars[-1].close == issue.base_price
    for before, bar in pairwise(bars):
        day = bar.start.date()
        assert is_trading_day(day)
        assert before.start < bar.start
        prices = (bar.open, bar.high, bar.low, bar.close)
        assert all(price % tick_size(issue.market, price, day, issue.kind) == 0 for price in prices)
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert all(abs(price - before.close) <= 0.3 * before.close for price in prices)
        assert bar.volume > 0
        assert bar.low * bar.volume <= bar.value <= bar.high * bar.volume
    again = Exchange(ManualClock(datetime(2026, 11, 23, 11, tzinfo=KST)), load_market(codes=[code]), seed=5)
    other = Exchange(ManualClock(datetime(2026, 11, 23, 10, tzinfo=KST)), load_market(2, codes=[code]))
    assert again.daily(code) == bars
    assert other.daily(code) != bars


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1000, 1300), min_size=4, max_size=4).map(sorted),
    st.booleans(),
    st.integers(1, 100_000),
    st.integers(0, 5),
)
def test_minutes_and_ticks_make_the_day(prices, rises, volume, seed):
    low, first, second, high = prices
    opened, close = (first, second) if rises else (second, first)
    day = Bar(midnight(2026, 11, 20), opened, high, low, close, volume, volume * close)
    minutes = minutes_of_day(seed, "005930", day, ladder("KOSPI", "stock", date(2026, 11, 20)))
    assert minutes[0].open == opened
    assert max(each.high for each in minutes) == high
    assert min(each.low for each in minutes) == low
    assert minutes[-1].close == close
    assert sum(each.volume for each in minutes) == volume
    assert all(each.volume > 0 for each in minutes)
    assert all(each.low <= min(each.open, each.close) <= max(each.open, each.close) <= each.high for each in minutes)
    assert all(before.start < after.start for before, after in pairwise(minutes))
    ticks = walked(seed, "005930", date(2026, 11, 20), minutes, 1, ladder("KOSPI", "stock", date(2026, 11, 20)))
    assert sum(each.quantity for each in ticks) == volume
    assert all(each.quantity > 0 and low <= each.price <= high for each in ticks)
    assert all(before.time < after.time for before, after in pairwise(ticks))


def bar(start, opened, high, low, close, volume):
    return Bar(start, opened, high, low, close, volume, volume * 10)


FEW_DAYS = [
    bar(midnight(2025, 12, 30), 10, 12, 9, 11, 1),
    bar(midnight(2026, 1, 2), 11, 15, 11, 14, 2),
    bar(midnight(2026, 1, 5), 14, 14, 8, 9, 4),
    bar(midnight(2026, 2, 2), 9, 10, 9, 10, 8),
]


@pytest.mark.parametrize(
    ("longer", "expected"),
    [
        (weekly, [(2025, 12, 30, 10, 15, 9, 14, 3), (2026, 1, 5, 14, 14, 8, 9, 4), (2026, 2, 2, 9, 10, 9, 10, 8)]),
        (monthly, [(2025, 12, 30, 10, 12, 9, 11, 1), (2026, 1, 2, 11, 15, 8, 9, 6), (2026, 2, 2, 9, 10, 9, 10, 8)]),
        (yearly, [(2025, 12, 30, 10, 12, 9, 11, 1), (2026, 1, 2, 11, 15, 8, 10, 14)]),
    ],
)
def test_longer_bars_begin_with_their_first_trading_day(longer, expected):
    assert longer(FEW_DAYS) == [bar(midnight(*each[:3]), *each[3:]) for each in expected]


def test_bars_of_several_minutes_and_of_several_trades():
    at = midnight(2026, 11, 20).replace(hour=9)
    minutes = [bar(at.replace(minute=minute), 10, 11, 9, 10, 1) for minute in (1, 4, 5, 16)]
    assert [(each.start.minute, each.volume) for each in minutes_of(minutes, 5)] == [(0, 2), (5, 1), (15, 1)]
    ticks = [Tick(at.replace(second=second), 10 + second, 1) for second in range(5)]
    assert [(each.open, each.close, each.volume) for each in ticks_of(ticks, 2)] == [
        (10, 11, 2),
        (12, 13, 2),
        (14, 14, 1),
    ]
