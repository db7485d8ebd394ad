from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.simulation.model import (
    AccountSetup,
    Action,
    BookChanged,
    OrderAccepted,
    OrderCleared,
    OrderConfirmed,
    OrderFilled,
    OrderKind,
    OrderState,
    PositionChanged,
    Refusal,
    Refused,
    Side,
    Traded,
)

BUY, SELL, LIMIT, MARKET = Side.BUY, Side.SELL, OrderKind.LIMIT, OrderKind.MARKET
SAMSUNG, ETF = "005930", "069500"


def own(floor):
    return floor.told(OrderAccepted, OrderFilled, OrderConfirmed, OrderCleared, PositionChanged)


def away(floor, side, ticks=8, code=SAMSUNG):
    """A price at which an order rests."""
    quote = floor.exchange.quote(code)
    best = quote.best_bid if side is BUY else quote.best_ask
    return floor.exchange.ticks_away(code, best, -ticks if side is BUY else ticks)


def test_a_market_order_fills_at_once_and_is_told_in_order(floor):
    before = floor.exchange.account(floor.account)
    order = floor.exchange.place(floor.account, SAMSUNG, BUY, MARKET, 0, 10)
    assert (order.number, order.open, order.filled, order.state) == (1, 10, 0, OrderState.ACCEPTED)
    assert floor.events == []  # nothing is told before the caller has returned
    floor.clock.advance(0)
    accepted, *fills = own(floor)
    assert accepted == OrderAccepted(order, None)
    last = fills[-1]
    assert (last.order.open, last.order.filled, last.order.state) == (0, 10, OrderState.FILLED)
    assert last.position.bought_today == 10
    account = floor.exchange.account(floor.account)
    assert last.account == account
    assert account.cash == before.cash - last.order.filled_value - last.order.fee
    assert account.reserved == 0
    assert [type(each) for each in floor.events] == [OrderAccepted, *[Traded, OrderFilled] * len(fills), BookChanged]


def test_each_part_of_a_fill_is_told_as_it_stood(floor, new_floor):
    ask = floor.exchange.depth(SAMSUNG).asks
    quantity = ask[0].quantity + 1
    rich = new_floor(accounts=[AccountSetup("1234567890", 10**12)])
    order = rich.exchange.place(rich.account, SAMSUNG, BUY, LIMIT, ask[3].price, quantity)
    rich.clock.advance(0)
    fills = rich.told(OrderFilled)
    assert [(each.fill.price, each.fill.quantity, each.order.open) for each in fills] == [
        (ask[0].price, ask[0].quantity, 1),
        (ask[1].price, 1, 0),
    ]
    assert rich.exchange.order(order.number).average == fills[-1].order.filled_value // quantity


def test_a_limit_order_away_from_the_market_rests_in_the_visible_book(floor):
    price = away(floor, BUY, 3)
    before = next(each for each in floor.exchange.depth(SAMSUNG).bids if each.price == price)
    order = floor.exchange.place(floor.account, SAMSUNG, BUY, LIMIT, price, 7)
    after = next(each for each in floor.exchange.depth(SAMSUNG).bids if each.price == price)
    assert (after.quantity, after.orders) == (before.quantity + 7, before.orders + 1)
    assert floor.exchange.order(order.number).open == 7
    assert floor.exchange.account(floor.account).reserved >= 7 * price


def test_a_resting_order_is_hit_when_the_market_comes_to_it(floor):
    best = floor.exchange.quote(SAMSUNG).best_bid
    order = floor.exchange.place(floor.account, SAMSUNG, BUY, LIMIT, best, 3)
    for _ in range(600):
        floor.clock.advance(5)
        if not floor.exchange.order(order.number).open:
            break
    assert floor.exchange.order(order.number).filled == 3
    assert {each.fill.price for each in floor.told(OrderFilled)} == {best}


def test_a_cancel_frees_what_was_bound(floor):
    order = floor.exchange.place(floor.account, SAMSUNG, BUY, LIMIT, away(floor, BUY), 7)
    cancel = floor.exchange.cancel(floor.account, order.number)
    floor.clock.advance(0)
    _, accepted, confirmed, cleared = own(floor)
    assert accepted == OrderAccepted(cancel, None)
    assert (cancel.number, cancel.original, cancel.action, cancel.open, cancel.side) == (2, 1, Action.CANCEL, 0, BUY)
    assert (confirmed.order.state, confirmed.quantity) == (OrderState.CONFIRMED, 7)
    assert (cleared.original.number, cleared.original.open, cleared.original.state) == (1, 0, OrderState.ACCEPTED)
    assert floor.exchange.account(floor.account).reserved == 0


def test_a_cancel_in_part_leaves_the_rest_open(floor):
    order = floor.exchange.place(floor.account, SAMSUNG, BUY, LIMIT, away(floor, BUY), 7)
    floor.exchange.cancel(floor.account, order.number, 3)
    floor.clock.advance(0)
    assert floor.told(OrderCleared) == []
    assert floor.exchange.order(order.number).open == 4


def test_cancelling_a_sell_tells_that_more_can_be_sold(floor):
    order = floor.exchange.place(floor.account, SAMSUNG, SELL, LIMIT, away(floor, SELL), 40)
    floor.exchange.cancel(floor.account, order.number)
    floor.clock.advance(0)
    accepted, *_, changed = own(floor)
    assert accepted.position.orderable == 60
    assert changed == PositionChanged(floor.account, floor.exchange.account(floor.account).positions[SAMSUNG])
    assert changed.position.orderable == 100


@pytest.mark.parametrize("part", [0, 4])
def test_a_modify_gets_a_number_of_its_own_and_the_end_of_the_queue(floor, part):
    old_price, price = away(floor, SELL, 9), away(floor, SELL, 8)
    order = floor.exchange.place(floor.account, SAMSUNG, SELL, LIMIT, old_price, 10)
    moved = part or 10
    level = next(each for each in floor.exchange.depth(SAMSUNG).asks if each.price == price)
    modify = floor.exchange.modify(floor.account, order.number, price, part)
    assert (modify.number, modify.original, modify.quantity, modify.open) == (2, 1, moved, moved)
    assert floor.exchange.order(1).open == 10 - moved
    assert floor.exchange.account(floor.account).positions[SAMSUNG].orderable == 90
    after = next(each for each in floor.exchange.depth(SAMSUNG).asks if each.price == price)
    assert after.quantity == level.quantity + moved
    floor.clock.advance(0)
    assert [type(each) for each in own(floor)[1:4]] == [OrderAccepted, OrderConfirmed, *([OrderCleared] * (not part))]


def test_a_modify_into_the_market_fills_under_its_own_number(floor):
    order = floor.exchange.place(floor.account, SAMSUNG, BUY, LIMIT, away(floor, BUY), 5)
    floor.exchange.modify(floor.account, order.number, away(floor, SELL, 2))
    floor.clock.advance(0)
    kinds = [(type(each), each.order.number) for each in own(floor) if not isinstance(each, OrderCleared)]
    assert kinds[:3] == [(OrderAccepted, 1), (OrderAccepted, 2), (OrderConfirmed, 2)]
    assert set(kinds[3:]) == {(OrderFilled, 2)}
    assert floor.exchange.order(2).open == 0


def test_a_sale_realises_a_profit_after_its_fee_and_tax(floor):
    floor.exchange.place(floor.account, SAMSUNG, SELL, MARKET, 0, 10)
    floor.clock.advance(0)
    order = floor.exchange.order(1)
    account = floor.exchange.account(floor.account)
    base = floor.exchange.instruments[SAMSUNG].base_price
    assert order.fee == order.filled_value * 35 // 100_000 * 10
    assert order.tax == order.filled_value * 5 // 10_000 + order.filled_value * 15 // 10_000
    assert account.realised == order.filled_value - 10 * base - order.fee - order.tax
    assert account.cash == account.opening_cash + order.filled_value - order.fee - order.tax
    assert account.positions[SAMSUNG].average == base


def test_funds_are_sold_without_tax(floor):
    floor.exchange.place(floor.account, ETF, SELL, MARKET, 0, 10)
    floor.clock.advance(0)
    assert floor.exchange.order(1).tax == 0


def test_a_position_that_was_sold_stays_until_the_day_ends(new_floor):
    floor = new_floor(datetime(2026, 11, 23, 23, 59, tzinfo=KST))
    floor.exchange.place(floor.account, ETF, SELL, MARKET, 0, 50)
    floor.clock.advance(0)
    assert floor.exchange.account(floor.account).positions[ETF].quantity == 0
    floor.clock.advance(60)
    assert ETF not in floor.exchange.account(floor.account).positions


def test_the_largest_quantity_is_accepted_and_one_more_is_not(floor):
    for kind, price in ((MARKET, 0), (LIMIT, away(floor, BUY))):
        most = floor.exchange.max_quantity(floor.account, SAMSUNG, BUY, kind, price)
        with pytest.raises(Refused, match="cash"):
            floor.exchange.place(floor.account, SAMSUNG, BUY, kind, price, most + 1)
    upper = floor.exchange.instruments[SAMSUNG].upper
    worst = floor.exchange.max_quantity(floor.account, SAMSUNG, BUY, MARKET, 0)
    assert worst == floor.exchange.max_quantity(floor.account, SAMSUNG, BUY, LIMIT, upper)
    floor.exchange.place(floor.account, SAMSUNG, BUY, LIMIT, away(floor, BUY), most)
    assert floor.exchange.account(floor.account).orderable_cash >= 0


@pytest.mark.parametrize(
    ("reason", "code", "side", "kind", "price", "quantity"),
    [
        (Refusal.NO_SUCH_CODE, "999999", BUY, MARKET, 0, 1),
        (Refusal.PRICE_WITH_MARKET, SAMSUNG, BUY, MARKET, 1000, 1),
        (Refusal.BAD_QUANTITY, SAMSUNG, BUY, MARKET, 0, 0),
        (Refusal.BAD_QUANTITY, SAMSUNG, SELL, MARKET, 0, -1),
        (Refusal.OUTSIDE_LIMITS, SAMSUNG, BUY, LIMIT, 0, 1),
        (Refusal.OUTSIDE_LIMITS, SAMSUNG, SELL, LIMIT, 10**7, 1),
        (Refusal.BAD_TICK, SAMSUNG, BUY, LIMIT, 150_001, 1),
        (Refusal.NO_CASH, SAMSUNG, BUY, LIMIT, 150_000, 10**6),
        (Refusal.NO_CASH, SAMSUNG, BUY, MARKET, 0, 10**6),
        (Refusal.NOT_HELD, SAMSUNG, SELL, MARKET, 0, 101),
        (Refusal.NOT_HELD, "247540", SELL, MARKET, 0, 1),
    ],
)
def test_a_refused_order_changes_nothing(floor, reason, code, side, kind, price, quantity):
    before = floor.exchange.account(floor.account)
    with pytest.raises(Refused) as refused:
        floor.exchange.place(floor.account, code, side, kind, price, quantity)
    assert refused.value.reason is reason
    floor.clock.advance(0)
    assert own(floor) == []
    assert floor.exchange.orders(floor.account) == []
    assert floor.exchange.account(floor.account) == before


def test_an_unknown_account_is_refused(floor):
    with pytest.raises(Refused) as refused:
        floor.exchange.place("0000000000", SAMSUNG, BUY, MARKET, 0, 1)
    assert refused.value.reason is Refusal.NO_SUCH_ACCOUNT


def test_refused_changes_of_an_order(floor):
    exchange, account = floor.exchange, floor.account
    price = away(floor, BUY)
    exchange.place(account, SAMSUNG, BUY, LIMIT, price, 5)
    exchange.place(account, SAMSUNG, BUY, MARKET, 0, 5)
    upper = exchange.instruments[SAMSUNG].upper
    poor = exchange.place(
        account, SAMSUNG, BUY, LIMIT, price, exchange.max_quantity(account, SAMSUNG, BUY, LIMIT, price)
    )
    for reason, change in (
        (Refusal.NO_SUCH_ORDER, lambda: exchange.cancel(account, 99)),
        (Refusal.NO_SUCH_ORDER, lambda: exchange.cancel(account, 0)),
        (Refusal.NOTHING_OPEN, lambda: exchange.cancel(account, 2)),
        (Refusal.TOO_MUCH, lambda: exchange.cancel(account, 1, 6)),
        (Refusal.BAD_QUANTITY, lambda: exchange.cancel(account, 1, -1)),
        (Refusal.SIDE_MISMATCH, lambda: exchange.cancel(account, 1, side=SELL)),
        (Refusal.SAME_PRICE, lambda: exchange.modify(account, 1, price)),
        (Refusal.BAD_TICK, lambda: exchange.modify(account, 1, price + 1)),
        (Refusal.OUTSIDE_LIMITS, lambda: exchange.modify(account, 1, upper * 2)),
        (Refusal.TOO_MUCH, lambda: exchange.modify(account, 1, price - 100, 6)),
        (Refusal.NO_CASH, lambda: exchange.modify(account, poor.number, upper)),
    ):
        before = exchange.orders(account), exchange.account(account)
        with pytest.raises(Refused) as refused:
            change()
        assert refused.value.reason is reason
        assert (exchange.orders(account), exchange.account(account)) == before


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["place", "market", "modify", "cancel", "wait"]),
        st.sampled_from([BUY, SELL]),
        st.sampled_from([SAMSUNG, ETF]),
        st.integers(-6, 6),
        st.integers(0, 120),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(ACTIONS)
def test_cash_and_shares_add_up_whatever_is_ordered(new_floor, actions):
    floor = new_floor(codes=(SAMSUNG, ETF))
    exchange, account = floor.exchange, floor.account
    start = exchange.account(account)
    for number, (what, side, code, ticks, quantity) in enumerate(actions):
        price = exchange.ticks_away(code, exchange.quote(code).last, ticks)
        try:
            if what == "place":
                exchange.place(account, code, side, LIMIT, price, quantity)
            elif what == "market":
                exchange.place(account, code, side, MARKET, 0, quantity)
            elif what == "modify":
                exchange.modify(account, quantity % (number + 1), price, quantity % 7)
            elif what == "cancel":
                exchange.cancel(account, quantity % (number + 1), quantity % 7)
            else:
                floor.clock.advance(quantity)
        except Refused:
            pass
        check(exchange, account, start)
    for order in exchange.orders(account):
        if order.open:
            exchange.cancel(account, order.number)
    floor.clock.advance(0)
    end = exchange.account(account)
    assert end.reserved == 0
    assert all(each.orderable == each.quantity for each in end.positions.values())
    told = floor.told(OrderFilled)
    assert [each.fill for each in told] == exchange.fills(account)


def check(exchange, account, start):
    """What must hold at every moment."""
    now, fills, orders = exchange.account(account), exchange.fills(account), exchange.orders(account)
    bought = [each for each in fills if each.order.side is BUY]
    sold = [each for each in fills if each.order.side is SELL]
    spent = sum(each.price * each.quantity for each in bought)
    earned = sum(each.price * each.quantity for each in sold)
    costs = sum(each.fee + each.tax for each in fills)
    assert now.cash == start.cash - spent + earned - costs
    assert now.fees + now.taxes == costs
    assert 0 <= now.reserved <= now.cash
    assert now.realised == sum(each.realised for each in fills)
    for code, position in now.positions.items():
        before = start.positions[code].quantity if code in start.positions else 0
        came = sum(each.quantity for each in bought if each.order.code == code)
        went = sum(each.quantity for each in sold if each.order.code == code)
        assert position.quantity == before + came - went
        assert 0 <= position.orderable <= position.quantity
        bound = sum(each.open for each in orders if each.code == code and each.side is SELL)
        assert position.orderable == position.quantity - bound
    for order in orders:
        parts = [each for each in fills if each.order.number == order.number]
        assert order.filled == sum(each.quantity for each in parts) <= order.quantity
        assert (order.fee, order.tax) == (sum(each.fee for each in parts), sum(each.tax for each in parts))
        if order.kind is LIMIT and order.price:
            assert all(each.price <= order.price if order.side is BUY else each.price >= order.price for each in parts)
    for code in {each.code for each in orders}:
        quote = exchange.quote(code)
        assert not (quote.best_bid and quote.best_ask) or quote.best_bid < quote.best_ask
