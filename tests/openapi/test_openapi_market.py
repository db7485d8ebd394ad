"""Ticks, limits, fees: the tables of the exchange as rules."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.openapi.limit import (
    CODES_PER_REQUEST,
    CODES_PER_SCREEN,
    CONDITION_HITS,
    CONDITION_WINDOWS,
    LIMITS,
    ORDER_WINDOWS,
    REALTIME_CONDITIONS,
    SCREENS,
    TR_WINDOWS,
)
from koapy.openapi.market import (
    UnknownMarket,
    commission,
    commission_rate,
    market_codes,
    phases,
    price_limits,
    round_to_tick,
    sale_tax,
    sale_tax_rate,
    tick_size,
)

OLD = date(2022, 6, 1)
NOW = date(2026, 3, 9)
MARKETS = st.sampled_from(["KOSPI", "KOSDAQ", "KONEX", "ETF", "ETN", "ELW"])
DAYS = st.dates(date(1995, 1, 1), date(2030, 1, 1))
PRICES = st.integers(1, 5_000_000)


@pytest.mark.parametrize(
    ("market", "on", "bands"),
    [
        (
            "KOSPI",
            NOW,
            "0:1 1999:1 2000:5 4999:5 5000:10 20000:50 50000:100 199999:100 200000:500 500000:1000 9999999:1000",
        ),
        ("KOSDAQ", NOW, "1999:1 2000:5 5000:10 20000:50 50000:100 200000:500 500000:1000"),
        ("KONEX", NOW, "1999:1 2000:5 500000:1000"),
        ("KOSPI", OLD, "999:1 1000:5 5000:10 10000:50 50000:100 100000:500 500000:1000"),
        ("KOSDAQ", OLD, "999:1 1000:5 5000:10 10000:50 50000:100 100000:100 500000:100"),
        ("KOSPI", date(2023, 1, 24), "1999:5"),
        ("KOSPI", date(2023, 1, 25), "1999:1"),
        ("KOSPI", date(1999, 1, 4), "1000:5"),
        ("ETF", date(2023, 12, 17), "100:5 1999:5 2000:5"),
        ("ETN", date(2023, 12, 18), "100:1 1999:1 2000:5 100000:5"),
        ("ELW", NOW, "5:5 100000:5"),
    ],
)
def test_tick_sizes(market: str, on: date, bands: str) -> None:
    expected = {int(price): int(tick) for price, _, tick in (each.partition(":") for each in bands.split())}
    assert {price: tick_size(market, price, on) for price in expected} == expected


def test_kind_decides_before_market() -> None:
    assert tick_size("KOSPI", 100_000, NOW, "etf") == 5
    assert tick_size("KOSPI", 100_000, NOW, "preferred") == 100
    assert tick_size("kospi", 100_000, NOW) == 100


@pytest.mark.parametrize(
    ("market", "kind", "base", "on", "leverage", "expected"),
    [
        ("KOSPI", "stock", 77500, OLD, 1, (54300, 100500)),  # recorded: opt10001 of 2022
        ("KOSPI", "stock", 77500, NOW, 1, (54300, 100700)),
        ("KOSDAQ", "stock", 2000, NOW, 1, (1400, 2600)),
        ("KOSDAQ", "stock", 1999, NOW, 1, (1400, 2595)),  # 2598 is cut to the tick of its own band
        ("KOSPI", "stock", 5000, NOW, 1, (3500, 6500)),
        ("KOSPI", "stock", 10000, date(2014, 1, 2), 1, (8500, 11500)),
        ("KOSPI", "stock", 10000, date(1998, 12, 4), 1, (8800, 11200)),
        ("KONEX", "stock", 10000, NOW, 1, (8500, 11500)),
        ("KOSPI", "etf", 10000, NOW, 1, (7000, 13000)),
        ("KOSPI", "etf", 10000, NOW, 2, (4000, 16000)),
        ("KOSPI", "etn", 10000, NOW, -2, (4000, 16000)),
        ("KOSPI", "etf", 10000, date(2014, 1, 2), 1, (8500, 11500)),
        ("KOSPI", "elw", 100, NOW, 1, None),
    ],
)
def test_price_limits(
    market: str, kind: str, base: int, on: date, leverage: int, expected: tuple[int, int] | None
) -> None:
    assert price_limits(market, kind, base, on, leverage) == expected


@pytest.mark.parametrize(
    ("market", "on", "before", "lower", "upper"),
    [
        ("KOSPI", date(2024, 2, 13), 2595, None, 3370),
        ("KOSPI", date(2025, 4, 4), 2015, 1415, None),
        ("KOSPI", date(2024, 10, 24), 876_000, None, 1_138_000),
        ("KOSPI", date(2024, 10, 30), 1_543_000, 1_081_000, None),
        ("KOSPI", date(2024, 5, 17), 343_500, None, 446_500),
        ("KOSDAQ", date(2024, 1, 2), 1545, None, 2005),
        ("KOSDAQ", date(2024, 11, 12), 36_100, 25_300, None),
        ("KOSDAQ", date(2024, 2, 13), 206_000, None, 267_500),
    ],
)
def test_days_on_which_shares_stopped_at_their_limit(
    market: str, on: date, before: int, lower: int | None, upper: int | None
) -> None:
    limits = price_limits(market, "stock", before, on)
    assert limits is not None
    assert limits[0] == lower or limits[1] == upper


@given(MARKETS, PRICES, DAYS, st.booleans())
def test_rounding_lands_on_a_tick_and_stays(market: str, price: int, on: date, up: bool) -> None:
    rounded = round_to_tick(market, price, on, up=up)
    assert round_to_tick(market, rounded, on, up=up) == rounded
    assert rounded % tick_size(market, rounded, on) == 0
    assert price <= rounded < price + tick_size(market, price, on) if up else rounded <= price


@given(MARKETS.filter(lambda each: each != "ELW"), PRICES, DAYS, st.sampled_from([1, 2, -1, -2, 3]))
def test_limits_are_on_ticks_around_the_base(market: str, base: int, on: date, leverage: int) -> None:
    base = round_to_tick(market, base, on, up=True)
    limits = price_limits(market, "stock", base, on, leverage)
    assert limits is not None
    lower, upper = limits
    assert 0 < lower <= base <= upper
    assert lower % tick_size(market, lower, on) == 0
    assert upper % tick_size(market, upper, on) == 0
    assert upper - base <= base * 30 * abs(leverage) // 100


@given(st.sampled_from(["KOSPI", "KOSDAQ", "ETF"]), DAYS, st.integers(1, 2_000_000), st.integers(1, 1000))
def test_tick_never_falls_with_the_price(market: str, on: date, price: int, more: int) -> None:
    assert tick_size(market, price, on) <= tick_size(market, price + more, on)


@pytest.mark.parametrize(
    ("market", "kind", "on", "percent"),
    [
        ("KOSPI", "stock", NOW, "0.20"),
        ("KOSPI", "stock", date(2025, 6, 2), "0.15"),
        ("KOSPI", "preferred", date(2018, 1, 2), "0.30"),
        ("KOSDAQ", "stock", date(2024, 5, 2), "0.18"),
        ("KONEX", "stock", NOW, "0.10"),
        ("KOSDAQ", "stock", date(1990, 1, 3), "0.30"),
        ("KOSPI", "etf", NOW, "0"),
        ("KOSPI", "etn", NOW, "0"),
        ("ELW", "elw", NOW, "0"),
    ],
)
def test_sale_tax_rates(market: str, kind: str, on: date, percent: str) -> None:
    assert sale_tax_rate(market, kind, on) == Decimal(percent)


def test_fees_and_taxes_of_recorded_orders() -> None:
    assert commission_rate("mock") == Decimal("0.35")
    assert commission_rate("real") == Decimal("0.015")
    assert commission("mock", 77_000) == 260
    assert sale_tax("KOSDAQ", "stock", 805, date(2018, 1, 2)) == 2
    assert sale_tax("KOSPI", "stock", 805, date(2018, 1, 2)) == 2  # two parts of 0.15 %, each 1.2075, each cut
    assert commission("mock", 0) == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda: tick_size("NYSE", 100, NOW),
        lambda: price_limits("NYSE", "stock", 100, NOW),
        lambda: sale_tax_rate("NYSE", "stock", NOW),
        lambda: sale_tax_rate("mock", "stock", NOW),
    ],
)
def test_unknown_market_is_named(ask: object) -> None:
    with pytest.raises(UnknownMarket, match="KOSPI, KOSDAQ"):
        ask()


def test_phases_and_market_codes() -> None:
    by_value = {each.value: each for each in phases()}
    assert by_value["3"].begins == time(9)
    assert (by_value["2"].begins, by_value["2"].ends) == (time(15, 20), time(15, 30))
    assert by_value["8"].begins is None
    assert {each.code for each in market_codes() if each.used_by == "GetCodeListByMarket"} >= {"0", "10", "8", "50"}


def test_limits_by_profile() -> None:
    assert TR_WINDOWS["guide"] == ((5, 1.0),)
    assert TR_WINDOWS["koapy"] == ((5, 18.0), (25, 90.0), (50, 180.0), (1000, 3600.0))
    assert ORDER_WINDOWS["guide"] == ORDER_WINDOWS["koapy"] == ((5, 1.0),)
    assert CONDITION_WINDOWS["guide"] == ((1, 60.0),)
    assert (SCREENS, CODES_PER_SCREEN, CODES_PER_REQUEST) == (200, 100, 100)
    assert (REALTIME_CONDITIONS, CONDITION_HITS) == (10, 100)
    assert len(LIMITS) == 12
