"""The other traders of one instrument: what they think it is worth, and what they do in its book.

They know little: a fair price wanders, held near the day's reference price; aggressive orders lean towards it, and the
patient ones keep at least ten prices on each side of it, as far as the limits of the day allow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from koapy.simulation.book import Resting
from koapy.simulation.model import Side

if TYPE_CHECKING:
    from random import Random

    from koapy.simulation.book import Book
    from koapy.simulation.model import Instrument
    from koapy.simulation.ticks import Ladder

LEVELS = 10
"""Prices on each side that are kept filled."""

_LEVELS_KEPT = 24
"""Prices on a side beyond which the other traders take their orders away."""

_TRADES = 0.75
"""Part of the actions that are trades."""

_LEVEL_SIZE = 14
"""Least that waits at a price, in normal trades."""

_SWEEP = 20
"""Largest aggressive order, in normal trades."""

_SECONDS_OF_TURMOIL = 23_400.0
"""Trading seconds over which the fair price moves by one day's turmoil."""

_NEWS = 0.08 / 23_400.0
"""How often, a second, news moves the fair price at once."""

_IMPACT = (0.03, 0.13)
"""By how much news moves it, from and to."""

_PULL = 1 / 14_400
"""How fast, a second, the fair price comes back to the reference price."""


class Aggression(NamedTuple):
    """An order that is meant to trade at once."""

    side: Side
    quantity: int
    limit: int


class _Drift(NamedTuple):
    """How the fair price wanders in so many seconds."""

    seconds: float
    spread: float
    """Standard deviation of its move."""
    pull: float
    """Part of the way back to the reference price."""
    news: float
    """How likely news is."""


class Traders:
    """Everybody but the accounts.

    Args:
        random: of this instrument alone.
        size: shares of a normal trade.
        level: shares that usually wait at a price.
        turmoil: standard deviation of a day's change.
    """

    def __init__(
        self, random: Random, instrument: Instrument, ladder: Ladder, size: float, level: float, turmoil: float
    ) -> None:
        self._random = random
        self._size = max(size, 1.0)
        self._level = max(level, _LEVEL_SIZE * self._size)
        self._turmoil = turmoil
        self._drift = _Drift(0.0, 0.0, 0.0, 0.0)
        self.start_day(instrument, ladder, float(instrument.base_price))

    def start_day(self, instrument: Instrument, ladder: Ladder, fair: float) -> None:
        """Take over a day's reference price, limits and ticks."""
        self._base, self._lower, self._upper = instrument.base_price, instrument.lower, instrument.upper
        self._fund = instrument.fund  # follows many issues, so that no news is its own
        self._ladder = ladder
        self._limits = float(self._lower), float(self._upper)
        self._set_fair(fair)
        self._tended: tuple[int, int, int] | None = None

    def _set_fair(self, fair: float) -> None:
        lower, upper = self._limits
        self.fair = lower if fair < lower else min(fair, upper)

    def drift(self, seconds: float) -> None:
        """Let the fair price wander for so long."""
        if seconds != self._drift.seconds:
            spread = self._turmoil * math.sqrt(seconds / _SECONDS_OF_TURMOIL)
            self._drift = _Drift(seconds, spread, min(_PULL * seconds, 1.0), 0.0 if self._fund else _NEWS * seconds)
        _, spread, pull, news = self._drift
        random = self._random
        move = random.gauss(math.log(self._base / self.fair) * pull, spread)
        if news and random.random() < news:
            move += random.choice((1, -1)) * random.uniform(*_IMPACT)
        self._set_fair(self.fair * math.exp(move))

    def quantity(self) -> int:
        """Shares of one order."""
        return 1 + int(self._random.expovariate(1.0) * self._size)

    def act(self, book: Book) -> Aggression | None:
        """Do one thing: give an aggressive order, or add to the book or take from it."""
        ask, bid = book.best_ask, book.best_bid
        fair, half = self.fair, self._ladder.tick(int(self.fair)) / 2
        if ask and fair >= ask + half:
            return Aggression(Side.BUY, self._sweep(book.quantity(Side.SELL, ask)), ask)
        if bid and fair <= bid - half:
            return Aggression(Side.SELL, self._sweep(book.quantity(Side.BUY, bid)), bid)
        if self._random.random() < _TRADES:
            lean = (fair - (ask + bid) / 2) / (2 * half) if ask and bid else 0.0
            side = Side.BUY if self._random.random() < 0.5 + 0.35 * max(-1.0, min(1.0, lean)) else Side.SELL
            best = book.best(side.other)
            return Aggression(side, self.quantity(), best) if best else None
        self.fidget(book)
        return None

    def tend(self, book: Book) -> None:
        """Keep ten prices on each side, none that has become unfair, and none far away."""
        self._withdraw(book)
        low = max(self._ladder.floor(self.fair), self._lower)
        state = (low, book.best_ask, book.best_bid)
        if state == self._tended:
            return
        self._fill_asks(book, low)
        self._fill_bids(book, low)
        for side in Side:
            if book.depth(side) > _LEVELS_KEPT:
                self._trim(book, side)
        self._tended = (low, book.best_ask, book.best_bid)

    def collect(self, book: Book) -> None:
        """Add one order to an auction; its price may cross the other side."""
        side = Side.BUY if self._random.random() < 0.5 else Side.SELL
        tick = self._ladder.tick(int(self.fair))
        price = self._ladder.nearest(self.fair + self._random.gauss(0, 3) * tick)
        price = min(max(price, self._lower), self._upper)
        if book.quantity(side, price) < 3 * self._level:
            book.add(Resting(side, price, 3 * self.quantity()))

    def gap(self) -> None:
        """Let the fair price jump, as it does over night."""
        self.drift(_SECONDS_OF_TURMOIL / 4)

    def _sweep(self, there: int) -> int:
        return min(there, int(_SWEEP * self._size) + 1)

    def fidget(self, book: Book) -> None:
        """Add an order to a price near the best one, or take the newest one there away."""
        random = self._random
        side = Side.BUY if random.random() < 0.5 else Side.SELL
        prices = book.prices(side)
        place = int(random.expovariate(0.4))
        if place >= min(len(prices), LEVELS):
            return
        price = prices[place]
        if random.random() < 0.5 and book.quantity(side, price) < 3 * self._level:
            book.add(Resting(side, price, 2 * self.quantity()))
            return
        orders = book.orders(side, price)
        if len(orders) > 1 and orders[-1].owner is None:
            book.remove(orders[-1])

    def _withdraw(self, book: Book) -> None:
        """Take the others' orders off the wrong side of the fair price; those of accounts are there to be hit."""
        half = self._ladder.tick(int(self.fair)) / 2
        if (ask := book.best_ask) and ask <= self.fair - half:
            self._clear_until(book, Side.SELL, self.fair - half)
        if (bid := book.best_bid) and bid >= self.fair + half:
            self._clear_until(book, Side.BUY, self.fair + half)

    def _fill_asks(self, book: Book, low: int) -> None:
        ladder, there = self._ladder, book.occupied(Side.SELL)
        price = ladder.up(max(low, book.best_bid))
        for place in range(LEVELS + 1):
            if price > self._upper:
                return
            if price not in there and (place or self._random.random() < 0.6):
                self._settle(book, Side.SELL, price, place)
            price = ladder.up(price)

    def _fill_bids(self, book: Book, low: int) -> None:
        ladder, there = self._ladder, book.occupied(Side.BUY)
        ask = book.best_ask
        price = min(low, ladder.down(ask)) if ask else low
        for place in range(LEVELS + 1):
            if price < self._lower:
                return
            if price not in there and (place or self._random.random() < 0.6):
                self._settle(book, Side.BUY, price, place)
            price = ladder.down(price)

    def _settle(self, book: Book, side: Side, price: int, place: int) -> None:
        """Place what usually waits at a price, as two orders."""
        size = self._level * (0.3 + self._random.random()) * (1 + 0.1 * place)
        first = 1 + int(size * self._random.random())
        book.add(Resting(side, price, first))
        if (rest := int(size) - first) > 0:
            book.add(Resting(side, price, rest))

    def _trim(self, book: Book, side: Side) -> None:
        prices = book.prices(side)
        for price in prices[_LEVELS_KEPT:]:
            self._clear(book, side, price)

    def _clear_until(self, book: Book, side: Side, end: float) -> None:
        for price in book.prices(side):
            if price > end if side is Side.SELL else price < end:
                return
            self._clear(book, side, price)

    def _clear(self, book: Book, side: Side, price: int) -> None:
        """Take the others' orders away from a price."""
        for order in book.orders(side, price):
            if order.owner is None:
                book.remove(order)
