"""What holds whatever is ordered, in every phase of the day: cash, shares, limits, books."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.simulation.model import (
    AccountSetup,
    Action,
    AfterHoursTraded,
    Credit,
    OrderAccepted,
    OrderFilled,
    OrderKind,
    Refused,
    Side,
    Traded,
)

BUY, SELL = Side.BUY, Side.SELL
SHARE = "001770"
CASH, MARGIN = "8000000011", "8000000022"
ACCOUNTS = [AccountSetup(CASH, 50_000_000, {SHARE: 300}), AccountSetup(MARGIN, 5_000_000, {SHARE: 50}, margin=True)]
BEGINNINGS = [(8, 35, 0), (8, 59, 30), (10, 0, 0), (15, 19, 40), (15, 29, 30), (15, 39, 0), (16, 9, 0)]

WORDS = ["place"] * 6 + ["credit", "credit", "modify", "cancel", "wait", "wait", "sweep"]


def actions_of(seed):
    """Thirty actions; drawn here, because lists that Hypothesis draws hardly trade."""
    random = Random(seed)
    for _ in range(30):
        yield (
            random.choice(WORDS),
            random.choice([CASH, MARGIN]),
            random.choice([BUY, SELL]),
            random.choice(list(OrderKind)),
            random.randint(-9, 9),
            random.randint(1, 250),
        )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BEGINNINGS), st.integers(0, 2**32))
def test_cash_shares_limits_and_books_hold(new_floor, beginning, seed):
    floor = new_floor(
        datetime(2026, 11, 23, *beginning, tzinfo=KST), codes=(SHARE,), accounts=ACCOUNTS, hours="krx", server="real"
    )
    exchange = floor.exchange
    starts = {each: exchange.account(each) for each in (CASH, MARGIN)}
    volume = exchange.quote(SHARE).volume
    for number, (what, account, side, kind, ticks, quantity) in enumerate(actions_of(seed)):
        price = exchange.ticks_away(SHARE, exchange.quote(SHARE).last, ticks)
        try:
            if what == "place":
                exchange.place(account, SHARE, side, kind, price if kind.priced else 0, quantity)
            elif what == "credit":
                exchange.place(account, SHARE, side, kind, price if kind.priced else 0, quantity, Credit())
            elif what == "sweep":  # far enough for an interruption, now and then
                exchange.place(account, SHARE, SELL, OrderKind.LIMIT, exchange.ticks_away(SHARE, price, 60), 1)
                exchange.place(account, SHARE, BUY, OrderKind.MARKET, 0, 20 * quantity)
            elif what == "modify":
                exchange.modify(account, quantity % (number + 2), price, quantity % 7)
            elif what == "cancel":
                exchange.cancel(account, quantity % (number + 2), quantity % 7)
            else:
                floor.clock.advance(quantity / 3)
        except Refused:
            pass
        for each, start in starts.items():
            check_account(exchange, each, start)
            check_orders(exchange, each)
        check_book(exchange)
    floor.clock.advance(0)
    told = floor.told(OrderFilled)
    assert [each.fill for each in told if each.order.account == CASH] == exchange.fills(CASH)
    assert exchange.quote(SHARE).volume == volume + sum(each.trade.quantity for each in floor.told(Traded))
    check_trades(floor)


def check_account(exchange, number, start):
    now, fills, orders = exchange.account(number), exchange.fills(number), exchange.orders(number)
    sides = Counter()
    for each in fills:
        sides[each.order.side] += each.price * each.quantity
    costs = sum(each.fee + each.tax for each in fills)
    held = (*now.positions.values(), *now.loans)
    # A loan is of the day, so that it has cost no interest yet.
    assert now.cash == start.cash - sides[BUY] + sides[SELL] - costs + sum(each.loan for each in now.loans)
    assert (now.deposit, now.deposit_next) == (start.deposit, start.deposit_next)
    assert now.fees + now.taxes == costs
    assert now.realised == sum(each.realised for each in fills)
    assert now.reserved >= 0
    assert now.orderable_cash >= 0
    assert (now.carried > 0) <= (number == MARGIN)
    assert 0 <= now.carried <= sum(each.cost for each in now.positions.values() if each.bought_today)
    came = sum(each.quantity for each in fills if each.order.side is BUY)
    went = sum(each.quantity for each in fills if each.order.side is SELL)
    before = sum(each.quantity for each in start.positions.values())
    assert sum(each.quantity for each in held) == before + came - went
    assert all(0 <= each.orderable <= each.quantity and each.loan >= 0 for each in held)
    assert sum(each.quantity - each.orderable for each in held) == sum(
        each.open for each in orders if each.side is SELL
    )
    if not any(each.open for each in orders if each.side is BUY):
        assert now.reserved == 0


def check_orders(exchange, number):
    fills = exchange.fills(number)
    for order in exchange.orders(number):
        parts = [each for each in fills if each.order.number == order.number]
        assert order.filled == sum(each.quantity for each in parts)
        assert 0 <= order.open <= order.quantity - order.filled
        assert order.filled_value == sum(each.price * each.quantity for each in parts)
        assert (order.fee, order.tax) == (sum(each.fee for each in parts), sum(each.tax for each in parts))
        assert not (order.kind.immediate and order.open)
        assert not (order.kind.whole and order.action is Action.NEW and order.filled not in (0, order.quantity))
        day = exchange.instruments[order.code]
        assert all(day.lower <= each.price <= day.upper for each in parts)
        if order.kind.priced and order.price and order.kind is not OrderKind.CONDITIONAL:
            assert all(each.price <= order.price if order.side is BUY else each.price >= order.price for each in parts)


def check_book(exchange):
    depth = exchange.depth(SHARE)
    own = [each for number in (CASH, MARGIN) for each in exchange.orders(number) if not each.kind.after_hours]
    assert depth.total_bid >= sum(each.open for each in own if each.side is BUY)
    assert depth.total_ask >= sum(each.open for each in own if each.side is SELL)
    for levels, ascending in ((depth.asks, True), (depth.bids, False)):
        prices = [each.price for each in levels]
        assert prices == sorted(set(prices), reverse=not ascending)
        assert all(each.quantity > 0 and each.orders > 0 for each in levels)
    if not exchange.auction(SHARE) and depth.asks and depth.bids:
        assert depth.bids[0].price < depth.asks[0].price


def check_trades(floor):
    """Each trade of the public has the fills of accounts in it, at its price, and no more than twice its shares."""
    printed, filled = Counter(), Counter()
    for each in floor.told(Traded):
        printed[each.trade.time, each.trade.price] += each.trade.quantity
    for each in floor.told(AfterHoursTraded):
        printed[each.time, each.price] += each.quantity
    for each in floor.told(OrderFilled):
        filled[each.fill.time, each.fill.price] += each.fill.quantity
    assert all(quantity <= 2 * printed[key] for key, quantity in filled.items())
    numbers = [each.order.number for each in floor.told(OrderAccepted)]
    assert numbers == list(range(1, len(numbers) + 1))
