from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.simulation.book import Book, Resting
from koapy.simulation.model import Level, Side

SIDES = st.sampled_from(list(Side))
PRICES = st.integers(95, 105)
QUANTITIES = st.integers(1, 50)
ORDERS = st.lists(st.tuples(SIDES, PRICES, QUANTITIES, st.sampled_from(["order", "cancel", "reduce"])), max_size=60)


def bring(book: Book, side: Side, price: int, quantity: int) -> tuple[list[tuple[int, int]], Resting | None]:
    """Match an order and leave the rest in the book, as the exchange does."""
    matches = book.match(side, quantity, price)
    left = quantity - sum(each.quantity for each in matches)
    resting = Resting(side, price, left) if left else None
    if resting is not None:
        book.add(resting)
    return [(each.price, each.quantity) for each in matches], resting


def test_better_prices_trade_first_then_earlier_orders():
    book = Book()
    late, early, cheap = Resting(Side.SELL, 101, 10), Resting(Side.SELL, 101, 10), Resting(Side.SELL, 100, 5)
    for order in (early, late, cheap):
        book.add(order)
    matches = book.match(Side.BUY, 20, 101)
    assert [(each.resting, each.price, each.quantity) for each in matches] == [
        (cheap, 100, 5),
        (early, 101, 10),
        (late, 101, 5),
    ]
    assert (late.open, book.best_ask, book.total(Side.SELL)) == (5, 101, 5)


def test_an_order_takes_no_price_beyond_its_limit():
    book = Book()
    book.add(Resting(Side.BUY, 99, 10))
    book.add(Resting(Side.BUY, 98, 10))
    matches = book.match(Side.SELL, 100, 99)
    assert sum(each.quantity for each in matches) == 10
    assert book.best_bid == 98


def test_a_reduced_order_keeps_its_place():
    book = Book()
    first, second = Resting(Side.BUY, 99, 10), Resting(Side.BUY, 99, 10)
    book.add(first)
    book.add(second)
    book.reduce(first, 4)
    assert [each.resting for each in book.match(Side.SELL, 7, 99)] == [first, second]


def test_levels_are_best_first_and_add_up_their_orders():
    book = Book()
    for price, quantity in ((99, 5), (97, 1), (98, 2), (99, 6)):
        book.add(Resting(Side.BUY, price, quantity))
    assert book.levels(Side.BUY, 2) == (Level(99, 11, 2), Level(98, 2, 1))


@given(ORDERS)
def test_the_book_never_crosses_and_no_share_appears_or_vanishes(orders):
    book = Book()
    resting: list[Resting] = []
    brought = dict.fromkeys(Side, 0)
    gone = dict.fromkeys(Side, 0)
    for side, price, quantity, what in orders:
        mine = [each for each in resting if each.open and each.side is side]
        if what == "order" or not mine:
            brought[side] += quantity
            fills, rest = bring(book, side, price, quantity)
            traded = sum(count for _, count in fills)
            assert traded <= quantity
            assert all(at <= price if side is Side.BUY else at >= price for at, _ in fills)
            gone[side] += traded
            gone[side.other] += traded
            resting += [rest] if rest else []
        elif what == "cancel":
            gone[side] += mine[0].open
            book.remove(mine[0])
            mine[0].open = 0
        else:
            part = min(quantity, mine[-1].open)
            gone[side] += part
            book.reduce(mine[-1], part)
        assert not (book.best_bid and book.best_ask) or book.best_bid < book.best_ask
        for half in Side:
            assert book.total(half) == brought[half] - gone[half]
            assert book.total(half) == sum(level.quantity for level in book.levels(half, 100))


@given(ORDERS)
def test_an_auction_trades_as_much_as_any_single_price_could_and_leaves_nothing_crossed(orders):
    book = Book()
    bids = [(price, quantity) for side, price, quantity, _ in orders if side is Side.BUY]
    asks = [(price, quantity) for side, price, quantity, _ in orders if side is Side.SELL]
    for side, price, quantity, _ in orders:
        book.add(Resting(side, price, quantity))
    price, quantity = book.crossing(100)

    def at(price: int) -> int:
        demand = sum(count for limit, count in bids if limit >= price)
        return min(demand, sum(count for limit, count in asks if limit <= price))

    assert quantity == max((at(each) for each in range(94, 107)), default=0)
    pairs = book.uncross(quantity)
    assert sum(part for _, _, part in pairs) == quantity
    assert all(sell.price <= price <= buy.price for buy, sell, _ in pairs)
    assert not (book.best_bid and book.best_ask) or book.best_bid < book.best_ask


@pytest.mark.parametrize(
    ("bids", "asks", "reference", "result"),
    [
        ([(100, 10)], [(101, 10)], 100, (0, 0)),
        ([(102, 10)], [(100, 10)], 101, (102, 10)),
        ([(102, 10)], [(100, 10)], 100, (100, 10)),
        ([(102, 10), (101, 10)], [(100, 15)], 102, (101, 15)),
        ([(102, 30), (101, 10)], [(100, 15), (102, 10)], 100, (102, 25)),
    ],
)
def test_the_price_of_an_auction(bids, asks, reference, result):
    book = Book()
    for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
        for price, quantity in levels:
            book.add(Resting(side, price, quantity))
    assert book.crossing(reference) == result
