"""A limit order book with price-time priority. Pure: no clock, no randomness, no accounts."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, NamedTuple, Protocol

from koapy.simulation.model import Level, Side

if TYPE_CHECKING:
    from collections.abc import Iterator, KeysView
    from datetime import datetime


class Owner(Protocol):
    """Whose order is in the book: is told when it trades."""

    def filled(self, price: int, quantity: int, time: datetime) -> None:
        """A part of the order traded."""
        ...


class Resting:
    """An order in the book."""

    __slots__ = ("open", "owner", "price", "side")

    def __init__(self, side: Side, price: int, quantity: int, owner: Owner | None = None) -> None:
        self.side = side
        self.price = price
        self.open = quantity
        """Shares that still wait; 0 when it has left the book."""
        self.owner = owner
        """Whose it is; None for the other traders."""


class Match(NamedTuple):
    """A part of a resting order that traded."""

    resting: Resting
    price: int
    quantity: int


class _Queue:
    """Orders at one price, first come first."""

    __slots__ = ("orders", "owned", "seen", "total")

    def __init__(self) -> None:
        self.orders: dict[int, Resting] = {}
        self.total = 0
        self.owned = 0
        """Orders with an owner."""
        self.seen: Level | None = None
        """What the public sees: the same object until it changes."""

    def append(self, order: Resting) -> None:
        self.orders[id(order)] = order
        self.total += order.open
        self.owned += order.owner is not None
        self.seen = None

    def remove(self, order: Resting) -> None:
        del self.orders[id(order)]
        self.total -= order.open
        self.owned -= order.owner is not None
        self.seen = None

    def take(self, quantity: int) -> None:
        self.total -= quantity
        self.seen = None


class _Half:
    """One side of the book."""

    __slots__ = ("_shown", "best", "buys", "prices", "queues", "total")

    def __init__(self, side: Side) -> None:
        self.buys = side is Side.BUY
        self.prices: list[int] = []
        """Ascending."""
        self.best = 0
        """0 without one."""
        self.queues: dict[int, _Queue] = {}
        self.total = 0
        self._shown: tuple[int, tuple[Level, ...]] | None = None

    def levels(self, count: int) -> tuple[Level, ...]:
        """The best prices, best first: the same object until an order comes, goes or trades."""
        if self._shown is None or self._shown[0] != count:
            prices = self.prices[: -count - 1 : -1] if self.buys else self.prices[:count]
            queues, levels = self.queues, []
            for price in prices:
                queue = queues[price]
                if queue.seen is None:
                    queue.seen = Level(price, queue.total, len(queue.orders))
                levels.append(queue.seen)
            self._shown = count, tuple(levels)
        return self._shown[1]

    def best_first(self) -> Iterator[int]:
        return reversed(self.prices) if self.buys else iter(self.prices)

    def reaches(self, limit: int) -> bool:
        """Whether an order of the other side with this limit would trade."""
        best = self.best
        return best != 0 and (best >= limit if self.buys else best <= limit)

    def add(self, order: Resting) -> None:
        queue = self.queues.get(order.price)
        if queue is None:
            queue = self.queues[order.price] = _Queue()
            insort(self.prices, order.price)
            self._see_best()
        queue.append(order)
        self.total += order.open
        self._shown = None

    def remove(self, order: Resting) -> None:
        queue = self.queues[order.price]
        queue.remove(order)
        self.total -= order.open
        self._shown = None
        if not queue.orders:
            self._drop(order.price)

    def take(self, order: Resting, quantity: int) -> None:
        """Trade a part of an order, which leaves the book when nothing is left of it."""
        queue = self.queues[order.price]
        order.open -= quantity
        queue.take(quantity)
        self.total -= quantity
        self._shown = None
        if not order.open:
            queue.remove(order)
            if not queue.orders:
                self._drop(order.price)

    def first(self, price: int) -> Resting:
        return next(iter(self.queues[price].orders.values()))

    def _drop(self, price: int) -> None:
        del self.queues[price]
        del self.prices[bisect_left(self.prices, price)]
        self._see_best()

    def _see_best(self) -> None:
        self.best = (self.prices[-1] if self.buys else self.prices[0]) if self.prices else 0


class Book:
    """The orders of one instrument. Prices are won, quantities shares, both positive."""

    def __init__(self) -> None:
        self._bids, self._asks = _Half(Side.BUY), _Half(Side.SELL)

    @property
    def best_ask(self) -> int:
        """Lowest selling price; 0 without one."""
        return self._asks.best

    @property
    def best_bid(self) -> int:
        """Highest buying price; 0 without one."""
        return self._bids.best

    def _half(self, side: Side) -> _Half:
        return self._bids if side is Side.BUY else self._asks

    def best(self, side: Side) -> int:
        """Best price of a side; 0 without one."""
        return self._half(side).best

    def total(self, side: Side) -> int:
        """Shares that wait on a side."""
        return self._half(side).total

    def prices(self, side: Side) -> list[int]:
        """All prices of a side, best first."""
        return list(self._half(side).best_first())

    def depth(self, side: Side) -> int:
        """How many prices a side has."""
        return len(self._half(side).prices)

    def occupied(self, side: Side) -> KeysView[int]:
        """The prices of a side at which something waits, as it is now and later."""
        return self._half(side).queues.keys()

    def quantity(self, side: Side, price: int) -> int:
        """Shares that wait at a price."""
        queue = self._half(side).queues.get(price)
        return queue.total if queue else 0

    def owned(self, side: Side, price: int) -> bool:
        """Whether an order with an owner waits at a price."""
        queue = self._half(side).queues.get(price)
        return queue is not None and queue.owned > 0

    def orders(self, side: Side, price: int) -> list[Resting]:
        """The orders at a price, first come first."""
        queue = self._half(side).queues.get(price)
        return list(queue.orders.values()) if queue else []

    def levels(self, side: Side, count: int) -> tuple[Level, ...]:
        """The best prices of a side, best first; a side or a level that has not changed is the same object as before,
        so that what has changed is found quickly.
        """
        return self._half(side).levels(count)

    def add(self, order: Resting) -> None:
        """Put an order at the end of the queue of its price. It must not trade: `match` first, or be in an auction."""
        self._half(order.side).add(order)

    def remove(self, order: Resting) -> None:
        """Take an order out; its `open` stays what it was. It must be in the book."""
        self._half(order.side).remove(order)

    def reduce(self, order: Resting, quantity: int) -> None:
        """Take a part of an order out without moving it in its queue; `quantity` is at most what is open."""
        self._half(order.side).take(order, quantity)

    def reaches(self, side: Side, limit: int) -> bool:
        """Whether an incoming order of this side and limit would trade."""
        return self._half(side.other).reaches(limit)

    def available(self, side: Side, limit: int) -> int:
        """Shares that an incoming order of this side and limit could trade."""
        other = self._half(side.other)
        total = 0
        for price in other.best_first():
            if price < limit if other.buys else price > limit:
                break
            total += other.queues[price].total
        return total

    def match(self, side: Side, quantity: int, limit: int) -> list[Match]:
        """Trade an incoming order against the other side, best price first, then first come first.

        Args: side: of the incoming order. limit: worst price it takes.
        Returns: what traded, in order; what is left of the quantity is the caller's to add.
        """
        other = self._half(side.other)
        matches: list[Match] = []
        while quantity and other.reaches(limit):
            resting = other.first(other.best)
            part = min(quantity, resting.open)
            matches.append(Match(resting, resting.price, part))
            other.take(resting, part)
            quantity -= part
        return matches

    def crossing(self, reference: int) -> tuple[int, int]:
        """The price at which an auction trades most, and how much; (0, 0) when the sides do not meet.

        Of several such prices: the one that leaves least on the heavier side, then the nearest to `reference`, then the
        higher one.
        """
        if not self._bids.prices or not self._asks.prices or self.best_bid < self.best_ask:
            return 0, 0
        # Only prices that both sides reach can be the one: walked once upwards, with what is sold up to there and what
        # is still bought from there on.
        bids, asks = self._bids.queues, self._asks.queues
        lowest, highest = self.best_ask, self.best_bid
        supply, demand = 0, sum(bids[price].total for price in self._bids.prices if price >= lowest)
        found = (0, 0, 0, 0)
        for price in sorted({*self._bids.prices, *self._asks.prices}):
            if price < lowest:
                continue
            if price > highest:
                break
            supply += asks[price].total if price in asks else 0
            traded = min(demand, supply)
            found = max(found, (traded, -abs(demand - supply), -abs(price - reference), price))
            demand -= bids[price].total if price in bids else 0
        return found[3], found[0]

    def uncross(self, quantity: int) -> list[tuple[Resting, Resting, int]]:
        """Trade the quantity that `crossing` gave: buy and sell orders in pairs, by priority, and what they trade."""
        trades: list[tuple[Resting, Resting, int]] = []
        while quantity:
            buy = self._bids.first(self.best_bid)
            sell = self._asks.first(self.best_ask)
            part = min(quantity, buy.open, sell.open)
            self._bids.take(buy, part)
            self._asks.take(sell, part)
            trades.append((buy, sell, part))
            quantity -= part
        return trades
