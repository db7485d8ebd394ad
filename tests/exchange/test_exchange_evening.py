"""Trading outside the day's hours, on the real server: at yesterday's close, at today's, in auctions."""

from __future__ import annotations

from datetime import datetime

import pytest

from koapy.openapi.calendar import KST
from koapy.simulation.model import (
    AccountSetup,
    AfterHoursTraded,
    OrderExpired,
    OrderFilled,
    OrderKind,
    OrderState,
    Refusal,
    Refused,
    Side,
    Traded,
)
from koapy.simulation.statefile import StateFile

BUY, SELL = Side.BUY, Side.SELL
EARLY, LATE, AUCTION = OrderKind.EARLY_CLOSE, OrderKind.LATE_CLOSE, OrderKind.LATE_AUCTION
SHARE = "005930"
SELLER, BUYER = "8000000011", "8000000022"
ACCOUNTS = [AccountSetup(SELLER, 0, {SHARE: 1000}), AccountSetup(BUYER, 10**11)]


def at(hour, minute=0, second=0):
    return datetime(2026, 11, 23, hour, minute, second, tzinfo=KST)


@pytest.fixture
def market(new_floor):
    def make(moment, server="real", **options):
        return new_floor(moment, codes=(SHARE,), accounts=ACCOUNTS, hours="krx", server=server, **options)

    return make


def refused(floor, kind, price=0, quantity=1):
    with pytest.raises(Refused) as failure:
        floor.exchange.place(BUYER, SHARE, BUY, kind, price, quantity)
    return failure.value.reason


def test_yesterdays_close_trades_for_ten_minutes_before_the_opening(market):
    floor = market(at(8, 29))
    assert refused(floor, EARLY) is Refusal.BEFORE_OPEN
    floor.clock.advance(120)
    base = floor.exchange.instruments[SHARE].base_price
    assert refused(floor, EARLY, base) is Refusal.PRICE_WITH_MARKET
    floor.exchange.place(SELLER, SHARE, SELL, EARLY, 0, 1000)
    floor.exchange.place(BUYER, SHARE, BUY, EARLY, 0, 100_000)
    floor.clock.advance(0)
    fills = floor.told(OrderFilled)
    assert {each.fill.price for each in fills} == {base}
    assert floor.exchange.order(1).filled == 1000
    open_before = floor.exchange.order(2).open
    floor.clock.advance(9 * 60)
    assert refused(floor, EARLY) is Refusal.KIND_NOT_NOW
    left = floor.exchange.order(2).open
    assert 0 < left < open_before  # others have sold to it
    assert floor.told(Traded) == []
    assert floor.exchange.after_hours(SHARE).fixed_volume >= 1000
    floor.exchange.cancel(BUYER, 2)  # what is open stays until somebody cancels it
    assert floor.exchange.account(BUYER).reserved == 0


def test_todays_close_trades_for_twenty_minutes_after_it(market):
    floor = market(at(15, 29, 50))
    floor.clock.advance(20)
    exchange, day = floor.exchange, floor.exchange.quote(SHARE)
    assert refused(floor, OrderKind.LIMIT, day.last) is Refusal.AFTER_CLOSE
    exchange.place(BUYER, SHARE, BUY, LATE, 0, 500_000)
    exchange.place(SELLER, SHARE, SELL, LATE, 0, 400)
    floor.clock.advance(9 * 60 + 49)
    assert [each for each in floor.told(OrderFilled) if each.order.kind is LATE] == []
    floor.clock.advance(2)
    assert exchange.order(2).filled == 400
    floor.clock.advance(19 * 60)
    fills = [each.fill for each in floor.told(OrderFilled)]
    assert {each.price for each in fills} == {day.last}
    assert exchange.order(1).filled > 400
    assert exchange.quote(SHARE).volume == day.volume
    floor.clock.advance(60)
    assert exchange.order(1).state is OrderState.EXPIRED
    assert exchange.account(BUYER).reserved == 0
    assert refused(floor, LATE) is Refusal.KIND_NOT_NOW


def test_the_evening_has_an_auction_each_ten_minutes_within_ten_percent(market):
    floor = market(at(16, 0, 5))
    exchange, close = floor.exchange, floor.exchange.quote(SHARE).last
    quote = exchange.after_hours(SHARE)
    assert (quote.close, quote.last, quote.volume) == (close, close, 0)
    assert 0.895 * close <= quote.lower <= 0.91 * close
    assert 1.09 * close <= quote.upper <= 1.1 * close
    above = exchange.ticks_away(SHARE, quote.upper, 1)
    assert refused(floor, AUCTION, above) is Refusal.OUTSIDE_LIMITS
    exchange.place(BUYER, SHARE, BUY, AUCTION, quote.upper, 10)
    exchange.place(SELLER, SHARE, SELL, AUCTION, quote.upper, 10)
    floor.clock.advance(590)
    assert floor.told(OrderFilled, AfterHoursTraded) == []
    floor.clock.advance(10)
    (trade,) = floor.told(AfterHoursTraded)
    assert (trade.time, trade.fixed) == (at(16, 10), False)
    assert {each.fill.price for each in floor.told(OrderFilled)} == {trade.price}
    assert exchange.order(1).filled == 10
    moved = exchange.modify(SELLER, 2, exchange.ticks_away(SHARE, quote.upper, -1))
    assert moved.kind is AUCTION
    floor.clock.advance(110 * 60)
    auctions = [each.time for each in floor.told(AfterHoursTraded)]
    assert auctions == [at(16 + minute // 60, minute % 60) for minute in range(10, 121, 10)]
    assert exchange.after_hours(SHARE).volume == sum(each.quantity for each in floor.told(AfterHoursTraded))
    assert exchange.orders(SELLER)[-1].open == 0
    assert exchange.quote(SHARE).last == close
    assert refused(floor, AUCTION, close) is Refusal.AFTER_CLOSE


def test_an_order_of_the_evening_expires_with_it(market):
    floor = market(at(17, 55))
    low = floor.exchange.after_hours(SHARE).lower
    floor.exchange.place(BUYER, SHARE, BUY, AUCTION, low, 10)
    floor.clock.advance(300)
    assert [each.order.number for each in floor.told(OrderExpired)] == [1]


@pytest.mark.parametrize("moment", [at(8, 35), at(15, 45), at(16, 30)])
def test_the_mock_server_has_no_such_hours(market, moment):
    floor = market(moment, server="mock")
    assert floor.exchange.after_hours(SHARE) is None
    for kind in (EARLY, LATE):
        assert refused(floor, kind) in (Refusal.KIND_NOT_NOW, Refusal.AFTER_CLOSE)


def test_an_order_of_the_evening_outlives_the_process(market, tmp_path):
    floor = market(at(16, 5), state=StateFile(tmp_path / "market.db"))
    low = floor.exchange.after_hours(SHARE).lower
    floor.exchange.place(BUYER, SHARE, BUY, AUCTION, low, 10)
    floor.clock.advance(400)
    quote = floor.exchange.after_hours(SHARE)
    assert quote.volume > 0
    floor.exchange.close()
    after = market(floor.clock.now(), state=StateFile(tmp_path / "market.db"))
    assert after.exchange.order(1).open == 10
    assert after.exchange.after_hours(SHARE).volume == quote.volume
    after.exchange.cancel(BUYER, 1)
    assert after.exchange.account(BUYER).reserved == 0
    after.exchange.close()
