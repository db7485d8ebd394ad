from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from koapy.openapi.calendar import KST, is_trading_day, trading_days
from koapy.openapi.market import tick_size
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.market import load_market
from koapy.simulation.model import (
    DayStarted,
    OrderExpired,
    OrderFilled,
    OrderKind,
    OrderState,
    Phase,
    PhaseChanged,
    Refusal,
    Refused,
    Side,
    Traded,
)

SAMSUNG = "005930"
NIGHT = datetime(2026, 11, 23, 23, 59, tzinfo=KST)


def at(hour, minute=0, day=23):
    return datetime(2026, 11, day, hour, minute, tzinfo=KST)


def on_tick(instrument, price, day):
    return price % tick_size(instrument.market, price, day, instrument.kind) == 0


@pytest.fixture(scope="module")
def default():
    """The default market, with a minute behind it."""
    clock = ManualClock(at(10))
    exchange = Exchange(clock, load_market())
    clock.advance(60)
    return exchange


def test_the_default_market(default):
    issues = default.instruments.values()
    assert len(issues) >= 200
    assert default.instruments[SAMSUNG].name == "삼성전자"
    assert {each.market for each in issues} == {"KOSPI", "KOSDAQ"}
    assert {"stock", "preferred", "reit", "fund", "dr", "foreign", "etf", "etn"} <= {each.kind for each in issues}
    assert list(default.instruments) == sorted(default.instruments)


def test_every_issue_has_ten_levels_on_tick_and_a_day_behind_it(default):
    for code, issue in default.instruments.items():
        depth, quote = default.depth(code), default.quote(code)
        assert (len(depth.asks), len(depth.bids)) == (10, 10), issue
        asks, bids = [each.price for each in depth.asks], [each.price for each in depth.bids]
        assert asks == sorted(asks)
        assert bids == sorted(bids, reverse=True)
        assert bids[0] < asks[0]
        assert all(
            on_tick(issue, price, default.today) and issue.lower <= price <= issue.upper for price in asks + bids
        )
        assert issue.lower <= quote.low <= quote.last <= quote.high <= issue.upper
        assert quote.low <= quote.open <= quote.high
        assert quote.buy_volume + quote.sell_volume == quote.volume
        assert quote.volume > 0
        assert quote.previous_volume > 0


def test_trades_happen_often_and_are_signed_by_who_came_last(default):
    last_minute = default.clock.now() - timedelta(seconds=60)
    counts = {}
    for code in default.instruments:
        trades = [each for each in default.trades(code) if each.time >= last_minute]
        counts[code] = len(trades)
        for newer, older in pairwise(trades):
            assert newer.volume == older.volume + newer.quantity
            assert newer.value == older.value + newer.price * newer.quantity
    assert counts[SAMSUNG] > 60
    assert min(counts.values()) > 15


def test_minutes_and_daily_bar_of_today_agree_with_the_quote(default):
    quote, bar = default.quote(SAMSUNG), default.today_bar(SAMSUNG)
    assert (bar.open, bar.high, bar.low, bar.close) == (quote.open, quote.high, quote.low, quote.last)
    assert (bar.volume, bar.value, bar.start) == (quote.volume, quote.value, at(0))
    today = [each for each in default.minutes(SAMSUNG) if each.start >= at(0)]
    assert sum(each.volume for each in today) == quote.volume
    assert max(each.high for each in today) == quote.high


def test_the_same_seed_clock_and_calls_give_the_same_session(new_floor):
    def session(seed):
        floor = new_floor(seed=seed)
        floor.clock.advance(20)
        order = floor.exchange.place(
            floor.account, SAMSUNG, Side.BUY, OrderKind.LIMIT, floor.exchange.quote(SAMSUNG).best_bid, 3
        )
        floor.clock.advance(20)
        floor.exchange.place(floor.account, SAMSUNG, Side.SELL, OrderKind.MARKET, 0, 30)
        floor.clock.advance(20)
        assert order.number == 1
        return floor.events

    assert session(1) == session(1)
    assert session(1) != session(2)


def test_a_day_ends_at_midnight(new_floor):
    floor = new_floor(NIGHT)
    exchange, account = floor.exchange, floor.account
    price = exchange.ticks_away(SAMSUNG, exchange.quote(SAMSUNG).best_bid, -8)
    exchange.place(account, SAMSUNG, Side.BUY, OrderKind.LIMIT, price, 3)
    exchange.place(account, SAMSUNG, Side.BUY, OrderKind.MARKET, 0, 2)
    past = len(exchange.daily(SAMSUNG))
    floor.clock.advance(59.9)
    bar, index = exchange.today_bar(SAMSUNG), exchange.sector_quote("001")
    cash = exchange.account(account).cash
    floor.clock.advance(5)
    assert [each.order.number for each in floor.told(OrderExpired)] == [1]
    assert floor.told(OrderExpired)[0].order.state is OrderState.EXPIRED
    assert [each.day for each in floor.told(DayStarted)] == [exchange.today] == [at(0, day=24).date()]
    closed = exchange.daily(SAMSUNG)[-1]
    assert (closed.start, closed.open, len(exchange.daily(SAMSUNG))) == (at(0), bar.open, past + 1)
    assert exchange.instruments[SAMSUNG].base_price == closed.close
    assert exchange.quote(SAMSUNG).volume < bar.volume // 10
    assert exchange.quote(SAMSUNG).previous_volume == closed.volume
    assert exchange.sector_daily("001")[-1].start == at(0)
    assert abs(exchange.sector_daily("001")[-1].close - index.last) < index.last // 100
    assert exchange.sector_quote("001").base == exchange.sector_daily("001")[-1].close
    assert exchange.account(account).opening_cash == cash
    assert exchange.account(account).reserved == 0
    assert exchange.account(account).positions[SAMSUNG].previous_quantity == 102
    assert exchange.orders(account) == []
    assert exchange.place(account, SAMSUNG, Side.SELL, OrderKind.MARKET, 0, 1).number == 1
    minutes = exchange.minutes(SAMSUNG)
    assert [each.start for each in minutes] == sorted({each.start for each in minutes})


@pytest.mark.parametrize(
    ("moment", "phase", "refusal"),
    [
        (at(8), Phase.BEFORE_OPEN, Refusal.BEFORE_OPEN),
        (at(8, 45), Phase.OPENING_AUCTION, None),
        (at(11), Phase.CONTINUOUS, None),
        (at(15, 25), Phase.CLOSING_AUCTION, None),
        (at(16), Phase.CLOSED, Refusal.AFTER_CLOSE),
        (at(11, day=22), Phase.CLOSED, Refusal.HOLIDAY),
    ],
)
def test_the_hours_of_the_exchange(new_floor, moment, phase, refusal):
    floor = new_floor(moment, hours="krx")
    assert floor.exchange.phase is phase
    assert is_trading_day(floor.exchange.today)
    if refusal is None:
        assert floor.exchange.place(floor.account, SAMSUNG, Side.BUY, OrderKind.MARKET, 0, 1).number == 1
    else:
        with pytest.raises(Refused) as refused:
            floor.exchange.place(floor.account, SAMSUNG, Side.BUY, OrderKind.MARKET, 0, 1)
        assert refused.value.reason is refusal


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        (datetime(2026, 1, 2, 9, 15, tzinfo=KST), Phase.BEFORE_OPEN),
        (datetime(2026, 1, 2, 9, 45, tzinfo=KST), Phase.OPENING_AUCTION),
        (datetime(2026, 1, 2, 15, 25, tzinfo=KST), Phase.CLOSING_AUCTION),
        (at(9, 45, day=19), Phase.OPENING_AUCTION),  # the college entrance examination
        (at(16, 0, day=19), Phase.CONTINUOUS),
        (at(16, 25, day=19), Phase.CLOSING_AUCTION),
        (at(16, 30, day=19), Phase.CLOSED),
    ],
)
def test_the_later_hours_of_some_days(new_floor, moment, phase):
    assert new_floor(moment, hours="krx", codes=(SAMSUNG,)).exchange.phase is phase


def test_orders_of_an_auction_trade_together_at_its_end(new_floor):
    floor = new_floor(at(8, 59), hours="krx", codes=(SAMSUNG,))
    exchange, account = floor.exchange, floor.account
    exchange.place(account, SAMSUNG, Side.BUY, OrderKind.MARKET, 0, 5)
    exchange.place(account, SAMSUNG, Side.SELL, OrderKind.LIMIT, exchange.instruments[SAMSUNG].lower, 7)
    floor.clock.advance(59)
    assert floor.told(Traded, OrderFilled) == []
    quantity = exchange.expected(SAMSUNG)[1]
    assert quantity >= 5
    floor.clock.advance(1)
    assert floor.told(PhaseChanged)[-1].phase is Phase.CONTINUOUS
    assert len({each.trade.price for each in floor.told(Traded)}) == 1
    fills = floor.told(OrderFilled)
    assert {each.fill.price for each in fills} == {floor.told(Traded)[0].trade.price}
    assert sum(each.fill.quantity for each in fills) == 12
    assert exchange.expected(SAMSUNG) == (0, 0)
    bar = exchange.today_bar(SAMSUNG)
    assert bar.open == fills[0].fill.price
    depth = exchange.depth(SAMSUNG)
    assert depth.bids[0].price < depth.asks[0].price


def test_a_day_of_the_exchange_from_before_the_open_to_the_next_morning(new_floor):
    floor = new_floor(at(8, 29), hours="krx", codes=(SAMSUNG,))
    exchange, account = floor.exchange, floor.account
    assert exchange.today_bar(SAMSUNG) is None
    floor.clock.advance(31 * 60)
    price = exchange.ticks_away(SAMSUNG, exchange.quote(SAMSUNG).best_bid, -2000)
    exchange.place(account, SAMSUNG, Side.BUY, OrderKind.LIMIT, price, 1)
    floor.clock.advance(6 * 3600 + 30 * 60)
    assert [each.phase for each in floor.told(PhaseChanged)] == [
        Phase.OPENING_AUCTION,
        Phase.CONTINUOUS,
        Phase.CLOSING_AUCTION,
        Phase.CLOSED,
    ]
    assert [each.order.number for each in floor.told(OrderExpired)] == [1]
    close = exchange.today_bar(SAMSUNG)
    assert exchange.trades(SAMSUNG)[0].time == at(15, 30)
    floor.clock.advance(9 * 3600)
    assert exchange.today == at(0, day=24).date()
    assert (exchange.phase, exchange.today_bar(SAMSUNG)) == (Phase.BEFORE_OPEN, None)
    assert exchange.daily(SAMSUNG)[-1] == close


def test_a_weekend_keeps_the_last_session(new_floor):
    floor = new_floor(at(12, day=20), hours="krx", codes=(SAMSUNG,))
    floor.clock.advance(3.5 * 3600)
    friday = floor.exchange.quote(SAMSUNG)
    floor.clock.advance(24 * 3600)
    assert floor.exchange.today == at(0, day=20).date()
    assert floor.exchange.quote(SAMSUNG) == friday
    floor.clock.advance(32.5 * 3600 + 60)
    assert floor.exchange.today == at(0, day=23).date()


def test_indices_follow_their_members(default):
    whole = default.sector_quote("001")
    members = [default.instruments[code] for code in default.sectors["001"].members]
    worth = sum(each.shares * default.quote(each.code).last for each in members)
    base = sum(each.shares * each.base_price for each in members)
    assert whole.last == whole.base * worth // base
    assert whole.rising + whole.falling + whole.unchanged == len(members)
    assert whole.low <= whole.open <= whole.high
    assert whole.low <= whole.last <= whole.high
    assert {each.market for each in members} == {"KOSPI"}
    assert not any(each.fund for each in members)
    past = default.sector_daily("001")
    assert past[-1].close == whole.base
    assert [each.start.date() for each in past] == list(trading_days(past[0].start.date(), past[-1].start.date()))
    assert all(each.low <= min(each.open, each.close) <= max(each.open, each.close) <= each.high for each in past)
    assert {"001", "101", "201", "013"} <= set(default.sectors)
    assert default.sector_today_bar("001").close == whole.last
