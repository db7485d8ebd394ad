"""변동성완화장치: an order that would move the price too far begins an auction."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest

from koapy.openapi.calendar import KST
from koapy.simulation.book import Book
from koapy.simulation.flow import Traders
from koapy.simulation.model import (
    AccountSetup,
    Interrupted,
    OrderExpired,
    OrderFilled,
    OrderKind,
    OrderState,
    Phase,
    Refusal,
    Refused,
    Resumed,
    Side,
    Traded,
)
from koapy.simulation.ticks import ladder
from koapy.simulation.volatility import LARGE, SMALL, Watch

BUY, SELL, LIMIT, MARKET = Side.BUY, Side.SELL, OrderKind.LIMIT, OrderKind.MARKET
SAMSUNG = "005930"
SELLER, BUYER = "8000000011", "8000000022"
ACCOUNTS = [AccountSetup(SELLER, 0, {SAMSUNG: 1000}), AccountSetup(BUYER, 10**14)]


def at(hour, minute=0, second=0):
    return datetime(2026, 11, 23, hour, minute, second, tzinfo=KST)


@pytest.fixture
def market(new_floor):
    return new_floor(codes=(SAMSUNG,), accounts=ACCOUNTS)


def price_at(floor, percent, reference=None):
    """The price on a tick next above so many percent from the last trade."""
    last = reference or floor.exchange.quote(SAMSUNG).last
    price = floor.exchange.ticks_away(SAMSUNG, last, 0)
    while (price - last) * 100 < last * percent:
        price = floor.exchange.ticks_away(SAMSUNG, price, 1)
    return price


def sweep(floor, percent, offered=10):
    """Buy all that is offered up to a share that waits so many percent above the last trade; give that price."""
    price = price_at(floor, percent)
    floor.exchange.place(SELLER, SAMSUNG, SELL, LIMIT, price, offered)
    quantity = floor.exchange.depth(SAMSUNG).total_ask + 5
    floor.exchange.place(BUYER, SAMSUNG, BUY, LIMIT, price, quantity)
    return price


@pytest.mark.parametrize("percent", [3, 4])
def test_an_order_that_moves_the_price_too_far_interrupts_the_trading(market, percent):
    last, reference = market.exchange.quote(SAMSUNG).last, market.exchange.quote(SAMSUNG).open
    price = sweep(market, percent)
    market.clock.advance(0)
    (told,) = market.told(Interrupted)
    vi = told.interruption
    assert (vi.code, vi.kind, vi.price, vi.count, vi.ended) == (SAMSUNG, "dynamic", price, 1, None)
    assert (vi.dynamic_reference, vi.static_reference, vi.began) == (last, reference, market.clock.now())
    assert all(each.trade.price < price for each in market.told(Traded))
    assert market.exchange.order(1).filled == 0
    assert market.exchange.order(2).open == 15
    assert market.exchange.interruption(SAMSUNG) == vi
    assert market.exchange.auction(SAMSUNG)
    assert market.exchange.expected(SAMSUNG)[1] >= 10
    assert market.exchange.phase is Phase.CONTINUOUS


def test_a_smaller_move_does_not(market):
    sweep(market, 2)
    market.clock.advance(0)
    assert market.told(Interrupted) == []
    assert market.exchange.order(1).filled == 10


def test_an_interruption_ends_with_an_auction_after_two_minutes_and_a_bit(market):
    sweep(market, 4)
    market.clock.advance(119)
    assert market.told(Resumed) == []
    before = len(market.told(Traded))
    market.clock.advance(31.1)
    (resumed,) = market.told(Resumed)
    vi = resumed.interruption
    assert 120 <= (vi.ended - vi.began).total_seconds() <= 150
    assert market.exchange.interruption(SAMSUNG) is None
    assert market.exchange.interruptions() == [vi]
    auction = market.told(Traded)[before].trade
    assert auction.time == vi.ended
    assert market.exchange.depth(SAMSUNG).asks[0].price > market.exchange.depth(SAMSUNG).bids[0].price
    fills = [each for each in market.told(OrderFilled) if each.fill.time == vi.ended]
    assert {each.fill.price for each in fills} == {auction.price}
    assert 2 in {each.order.number for each in fills}


def test_the_price_of_the_auction_is_what_later_trades_are_measured_against(market):
    sweep(market, 4)
    market.clock.advance(151)
    auction = next(
        each.trade for each in market.told(Traded) if each.trade.time == market.told(Resumed)[0].interruption.ended
    )
    sweep(market, 4)
    market.clock.advance(0)
    second = market.told(Interrupted)[1].interruption
    assert (second.count, second.static_reference) == (2, auction.price)


@pytest.mark.parametrize("kind", [OrderKind.LIMIT_FOK, OrderKind.LIMIT_IOC])
def test_orders_that_do_not_wait_stop_before_the_limit(market, kind):
    price = price_at(market, 4)
    market.exchange.place(SELLER, SAMSUNG, SELL, LIMIT, price, 10)
    total = market.exchange.depth(SAMSUNG).total_ask
    market.exchange.place(BUYER, SAMSUNG, BUY, kind, price, total)
    market.clock.advance(0)
    assert market.exchange.order(2).open == 0
    assert market.exchange.order(1).filled == 0
    assert bool(market.told(Traded)) is (kind is OrderKind.LIMIT_IOC)


def test_an_interruption_takes_orders_but_none_that_need_a_book_that_trades(market):
    sweep(market, 4)
    assert market.exchange.place(BUYER, SAMSUNG, BUY, MARKET, 0, 1).open == 1
    assert market.exchange.place(BUYER, SAMSUNG, BUY, OrderKind.CONDITIONAL, price_at(market, -1), 1).open == 1
    with pytest.raises(Refused) as refused:
        market.exchange.place(BUYER, SAMSUNG, BUY, OrderKind.BEST, 0, 1)
    assert refused.value.reason is Refusal.KIND_NOT_NOW


def test_an_interruption_before_the_close_becomes_part_of_the_closing_auction(new_floor):
    floor = new_floor(at(15, 19), hours="krx", codes=(SAMSUNG,), accounts=ACCOUNTS)
    sweep(floor, 4)
    floor.clock.advance(59)
    assert floor.told(Resumed) == []
    traded = len(floor.told(Traded))
    floor.clock.advance(1)
    assert floor.told(Resumed)[0].interruption.ended == at(15, 20)
    floor.clock.advance(599)
    assert len(floor.told(Traded)) == traded
    assert len(floor.told(Resumed)) == 1


def test_a_closing_price_too_far_away_comes_two_minutes_later(new_floor):
    floor = new_floor(at(15, 29), hours="krx", codes=(SAMSUNG,), accounts=ACCOUNTS)
    exchange = floor.exchange
    price = price_at(floor, 8)
    exchange.place(SELLER, SAMSUNG, SELL, LIMIT, price, 1000)
    exchange.place(BUYER, SAMSUNG, BUY, LIMIT, price, 10_000_000)
    floor.clock.advance(60)
    assert exchange.phase is Phase.CLOSED
    assert floor.told(Interrupted)[0].interruption.kind == "dynamic"
    assert floor.told(Traded, OrderExpired) == []
    exchange.place(BUYER, SAMSUNG, BUY, LIMIT, price, 1)  # still collected
    floor.clock.advance(151)
    ended = floor.told(Resumed)[0].interruption.ended
    assert [each.trade.time for each in floor.told(Traded)] == [ended]
    assert exchange.order(1).filled == 1000
    assert exchange.order(2).state is OrderState.EXPIRED
    with pytest.raises(Refused):
        exchange.place(BUYER, SAMSUNG, BUY, LIMIT, price, 1)


def test_an_opening_price_too_far_from_the_reference_price_comes_later(new_floor):
    floor = new_floor(at(8, 59), hours="krx", codes=(SAMSUNG,), accounts=ACCOUNTS)
    exchange = floor.exchange
    base = exchange.instruments[SAMSUNG].base_price
    exchange.place(BUYER, SAMSUNG, BUY, LIMIT, price_at(floor, 11, base), 10_000_000)
    floor.clock.advance(60)
    vi = floor.told(Interrupted)[0].interruption
    assert (vi.kind, vi.static_reference) == ("static", base)
    assert exchange.today_bar(SAMSUNG) is None
    floor.clock.advance(151)
    assert exchange.today_bar(SAMSUNG).open >= base * 1.1


def test_news_moves_the_price_too_far_now_and_then(market):
    issue = market.exchange.instruments[SAMSUNG]
    traders = Traders(Random("news"), issue, ladder(issue.market, issue.kind, at(9).date()), 10.0, 100.0, 0.02)
    book = Book()
    traders.tend(book)
    moved = 0
    for _ in range(100 * 2340):  # a hundred days, ten seconds at a time
        before = traders.fair
        traders.drift(10.0)
        if abs(traders.fair / before - 1) > 0.03:
            moved += 1
            traders.tend(book)
            ask, bid = book.best_ask, book.best_bid
            assert bid <= traders.fair + traders.fair * 0.005
            assert ask >= traders.fair - traders.fair * 0.005
            assert bid < ask
    assert 2 <= moved <= 20


@pytest.mark.parametrize("dynamic", [LARGE, SMALL])
@pytest.mark.parametrize("last", [995, 9_990, 51_300])
def test_bound_and_judgement_agree_at_every_price(dynamic, last):
    watch = Watch(dynamic, last)
    for side, prices in ((BUY, range(last, 2 * last)), (SELL, range(last, 0, -1))):
        worst = watch.bound(side, prices[-1], last)
        assert watch.judge(worst, last) is None
        assert watch.judge(worst + (1 if side is BUY else -1), last) == "dynamic"
        assert watch.judge(prices[-1], last) == "both"
