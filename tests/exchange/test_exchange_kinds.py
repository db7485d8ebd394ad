"""Kinds of order beyond limit and market: how each is priced, and how long it waits."""

from __future__ import annotations

from datetime import datetime

import pytest

from koapy.openapi.calendar import KST
from koapy.simulation.model import (
    AccountSetup,
    OrderCleared,
    OrderFilled,
    OrderKind,
    OrderState,
    Phase,
    PositionChanged,
    Refusal,
    Refused,
    Side,
)

BUY, SELL = Side.BUY, Side.SELL
SAMSUNG = "005930"
RICH = [AccountSetup("8000000011", 10**12, {SAMSUNG: 100_000})]
IMMEDIATE = [each for each in OrderKind if each.immediate]


@pytest.fixture
def rich(new_floor):
    return new_floor(codes=(SAMSUNG,), accounts=RICH)


def at(hour, minute=0):
    return datetime(2026, 11, 23, hour, minute, tzinfo=KST)


def price_of(floor, kind, side, level=0):
    depth = floor.exchange.depth(SAMSUNG)
    return (depth.asks if side is BUY else depth.bids)[level].price if kind.priced else 0


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("kind", [OrderKind.LIMIT_IOC, OrderKind.BEST_IOC])
def test_what_ioc_does_not_trade_at_once_is_cancelled(rich, kind, side):
    there = getattr(rich.exchange.depth(SAMSUNG), "asks" if side is BUY else "bids")[0]
    before = rich.exchange.account(rich.account)
    order = rich.exchange.place(rich.account, SAMSUNG, side, kind, price_of(rich, kind, side), there.quantity + 7)
    rich.clock.advance(0)
    assert sum(each.fill.quantity for each in rich.told(OrderFilled)) == there.quantity
    assert {each.fill.price for each in rich.told(OrderFilled)} == {there.price}
    cleared = rich.told(OrderCleared)
    assert [(each.original.number, each.original.open, each.original.state) for each in cleared] == [
        (order.number, 0, OrderState.FILLED)
    ]
    assert rich.exchange.account(rich.account).reserved == before.reserved == 0
    position = rich.exchange.account(rich.account).positions[SAMSUNG]
    assert position.orderable == position.quantity
    assert [each.position for each in rich.told(PositionChanged)] == ([position] if side is SELL else [])


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("kind", [OrderKind.LIMIT_FOK, OrderKind.BEST_FOK])
def test_fok_trades_in_full_or_not_at_all(rich, kind, side):
    there = getattr(rich.exchange.depth(SAMSUNG), "asks" if side is BUY else "bids")[0].quantity
    price = price_of(rich, kind, side)
    full = rich.exchange.place(rich.account, SAMSUNG, side, kind, price, there)
    rich.clock.advance(0)
    assert rich.exchange.order(full.number).filled == there
    assert rich.told(OrderCleared) == []
    price = price_of(rich, kind, side)
    there = getattr(rich.exchange.depth(SAMSUNG), "asks" if side is BUY else "bids")[0].quantity
    none = rich.exchange.place(rich.account, SAMSUNG, side, kind, price, there + 1)
    rich.clock.advance(0)
    now = rich.exchange.order(none.number)
    assert (now.filled, now.open, now.state) == (0, 0, OrderState.ACCEPTED)
    assert [each.original.number for each in rich.told(OrderCleared)] == [none.number]


@pytest.mark.parametrize("kind", [OrderKind.MARKET_IOC, OrderKind.MARKET_FOK])
def test_market_orders_that_do_not_wait_trade_through_the_levels(rich, kind):
    depth = rich.exchange.depth(SAMSUNG)
    quantity = depth.asks[0].quantity + 1
    order = rich.exchange.place(rich.account, SAMSUNG, BUY, kind, 0, quantity)
    rich.clock.advance(0)
    assert rich.exchange.order(order.number).filled == quantity
    assert [each.fill.price for each in rich.told(OrderFilled)] == [each.price for each in depth.asks[:2]]


def test_best_takes_the_price_of_the_other_side_and_waits_there(rich):
    ask = rich.exchange.depth(SAMSUNG).asks[0]
    order = rich.exchange.place(rich.account, SAMSUNG, BUY, OrderKind.BEST, 0, ask.quantity + 5)
    now = rich.exchange.order(order.number)
    assert (now.filled, now.open, now.price) == (ask.quantity, 5, 0)
    assert rich.exchange.quote(SAMSUNG).best_bid == ask.price


def test_priority_waits_at_the_best_price_of_its_own_side(rich):
    bid = rich.exchange.depth(SAMSUNG).bids[0]
    order = rich.exchange.place(rich.account, SAMSUNG, BUY, OrderKind.PRIORITY, 0, 5)
    assert rich.exchange.order(order.number).open == 5
    after = rich.exchange.depth(SAMSUNG).bids[0]
    assert (after.price, after.quantity, after.orders) == (bid.price, bid.quantity + 5, bid.orders + 1)


@pytest.mark.parametrize("kind", [each for each in OrderKind if not (each.priced or each.after_hours)])
def test_kinds_without_a_price_take_none(rich, kind):
    with pytest.raises(Refused) as refused:
        rich.exchange.place(rich.account, SAMSUNG, BUY, kind, rich.exchange.quote(SAMSUNG).last, 1)
    assert refused.value.reason is Refusal.PRICE_WITH_MARKET


@pytest.mark.parametrize("kind", [*IMMEDIATE, OrderKind.BEST, OrderKind.PRIORITY])
def test_auctions_take_no_orders_that_need_a_book_that_trades(new_floor, kind):
    floor = new_floor(at(8, 45), hours="krx", codes=(SAMSUNG,), accounts=RICH)
    price = floor.exchange.instruments[SAMSUNG].base_price if kind.priced else 0
    with pytest.raises(Refused) as refused:
        floor.exchange.place(floor.account, SAMSUNG, BUY, kind, price, 1)
    assert refused.value.reason is Refusal.KIND_NOT_NOW


def test_a_conditional_order_is_a_market_order_in_the_closing_auction(new_floor):
    floor = new_floor(at(15, 19), hours="krx", codes=(SAMSUNG,), accounts=RICH)
    exchange, upper = floor.exchange, floor.exchange.instruments[SAMSUNG].upper
    price = exchange.ticks_away(SAMSUNG, exchange.quote(SAMSUNG).best_bid, -500)
    order = exchange.place(floor.account, SAMSUNG, BUY, OrderKind.CONDITIONAL, price, 5)
    assert exchange.order(order.number).open == 5
    assert exchange.account(floor.account).reserved >= 5 * upper
    floor.clock.advance(60)
    assert exchange.phase is Phase.CLOSING_AUCTION
    assert exchange.depth(SAMSUNG).bids[0].price == upper
    with pytest.raises(Refused) as refused:
        exchange.place(floor.account, SAMSUNG, BUY, OrderKind.CONDITIONAL, price, 5)
    assert refused.value.reason is Refusal.KIND_NOT_NOW
    floor.clock.advance(600)
    fills = floor.told(OrderFilled)
    assert sum(each.fill.quantity for each in fills) == 5
    assert {each.fill.price for each in fills} == {exchange.quote(SAMSUNG).last}
    assert exchange.account(floor.account).reserved == 0


def test_a_conditional_order_that_is_modified_stays_one(rich):
    low = rich.exchange.ticks_away(SAMSUNG, rich.exchange.quote(SAMSUNG).best_bid, -8)
    order = rich.exchange.place(rich.account, SAMSUNG, BUY, OrderKind.CONDITIONAL, low, 5)
    moved = rich.exchange.modify(rich.account, order.number, rich.exchange.ticks_away(SAMSUNG, low, 1))
    assert moved.kind is OrderKind.CONDITIONAL
    assert rich.exchange.account(rich.account).reserved >= 5 * rich.exchange.instruments[SAMSUNG].upper
