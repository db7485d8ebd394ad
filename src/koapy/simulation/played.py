"""A recorded day as an issue's market: its trades come when they came, and orders of accounts meet them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from koapy.simulation.book import Resting
from koapy.simulation.model import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from koapy.simulation.book import Book
    from koapy.simulation.model import Bar, Tick, Trade

AUCTION = timedelta(minutes=1)
"""How long after its end an auction waits for the trade that the record has of it."""


class Played:
    """The trades of one issue's day, told one after the other.

    Orders that wait are filled by them, at their price, which is the order's own or a better one, by price and time
    and up to their shares. The book beside them is made up. Orders that come take from it, but at no price that the bar
    in which the last trade was does not have.

    Args:
        bars: of the day, ascending; those that have shares say how far prices went.
        trades: that make them, ascending.
    """

    def __init__(self, bars: Sequence[Bar], trades: Iterable[Tick]) -> None:
        self._bars = [bar for bar in bars if bar.volume]
        self._place = -1
        self._trades = iter(trades)
        self.coming: Tick | None = next(self._trades, None)
        """The next trade; None when the day has no more."""
        self.told: list[Trade] = []
        """Trades that were told before the market was taken up from its state, which does not keep them."""
        self.awaited = False
        """An auction is over by the clock, and goes on until its trade comes."""
        self._last = 0
        self._side = Side.BUY

    @property
    def begun(self) -> bool:
        """Whether there was a trade."""
        return self._last > 0

    def awaits(self, now: datetime) -> bool:
        """Whether an auction that ends now still has its trade to come."""
        self.awaited = self.coming is not None and self.coming.time - now < AUCTION
        return self.awaited

    def take(self) -> tuple[Tick, Side]:
        """The next trade, and the side that came last: as recorded, else as the price moved."""
        tick = self.coming
        if tick is None:
            raise LookupError("the day has no more trades")
        self.coming = next(self._trades, None)
        if tick.side is not None:
            self._side = tick.side
        elif tick.price != self._last:
            self._side = Side.BUY if tick.price > self._last else Side.SELL
        self._last = tick.price
        while self._place + 1 < len(self._bars) and self._bars[self._place + 1].start <= tick.time:
            self._place += 1
        return tick, self._side

    def skip(self, until: datetime) -> Iterator[tuple[Tick, Side]]:
        """The trades before a moment."""
        while self.coming is not None and self.coming.time < until:
            yield self.take()

    def bound(self, side: Side, limit: int) -> int:
        """The worst price, at most `limit`, at which an order that comes may trade; one out of reach before a trade."""
        if not self.begun:
            return 0 if side is Side.BUY else 1 << 62
        bar = self._bars[max(self._place, 0)]
        return min(limit, bar.high) if side is Side.BUY else max(limit, bar.low)

    def approach(self, book: Book, side: Side, limit: int) -> None:
        """Let the made-up side that an order would meet come as near as the prices of the bar, if it is beyond them."""
        bound = self.bound(side, limit)
        if not self.begun or not book.reaches(side, limit) or book.reaches(side, bound):
            return
        own = [price for price in book.prices(side) if (price <= bound if side is Side.SELL else price >= bound)]
        if any(book.owned(side, price) for price in own):
            return
        quantity = book.quantity(side.other, book.best(side.other))
        for price in own:
            _clear(book, side, price)
        book.add(Resting(side.other, bound, quantity))


def filled_by(book: Book, tick: Tick) -> list[tuple[Resting, int]]:
    """What a trade of the record fills of the orders that wait, and how much: the made-up ones at its price go away."""
    filled = []
    for side in Side:
        left = tick.quantity
        for price in book.prices(side):
            if price < tick.price if side is Side.BUY else price > tick.price:
                break
            _clear(book, side, price)
            for order in book.orders(side, price):
                part = min(left, order.open)
                if part:
                    book.reduce(order, part)
                    filled.append((order, part))
                    left -= part
    return filled


def give_way(book: Book) -> None:
    """Take made-up orders away that an account's order has come to cross."""
    while book.best_ask and book.best_bid >= book.best_ask:
        before = book.best_ask, book.best_bid
        _clear(book, Side.SELL, book.best_ask)
        if (book.best_ask, book.best_bid) == before:
            _clear(book, Side.BUY, book.best_bid)
        if (book.best_ask, book.best_bid) == before:
            return


def leave(book: Book) -> None:
    """Take all made-up orders away."""
    for side in Side:
        for price in book.prices(side):
            _clear(book, side, price)


def _clear(book: Book, side: Side, price: int) -> None:
    for order in book.orders(side, price):
        if order.owner is None:
            book.remove(order)
