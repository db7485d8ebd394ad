"""Where one instrument trades: its book, its tape and its other traders."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from koapy.simulation.book import Book
from koapy.simulation.flow import LEVELS, Traders
from koapy.simulation.model import BookChanged, Depth, Quote, Side, Traded
from koapy.simulation.tape import Tape
from koapy.simulation.ticks import ladder

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from random import Random

    from koapy.simulation.book import Owner
    from koapy.simulation.model import Bar, Event, Instrument

_WARM_UP = 40
"""Trades that a day in progress begins with."""

_VOLUME_A_STEP = 0.9
"""Size of a normal trade, in shares that a normal day has for each step; measured, so that days become normal."""

_VOLUME_A_LEVEL = 0.0008
"""Shares that wait at a price, as a part of a normal day's."""


class Pit:
    """One instrument's market.

    Args:
        normal_volume: shares of a normal day.
        turmoil: standard deviation of a day's change.
        day: seconds that a trading day has.
        emit: takes what happens.
    """

    def __init__(
        self,
        instrument: Instrument,
        today: date,
        random: Random,
        normal_volume: int,
        turmoil: float,
        day: float,
        emit: Callable[[Event], None],
    ) -> None:
        self.instrument = instrument
        self.book = Book()
        self.tape = Tape()
        self.interval = _interval(normal_volume * instrument.base_price)
        self.ladder = ladder(instrument.market, instrument.kind, today)
        self._random = random
        self._volume_a_second = normal_volume / day
        size = normal_volume / (day / self.interval) * _VOLUME_A_STEP
        self.traders = Traders(random, instrument, self.ladder, size, normal_volume * _VOLUME_A_LEVEL, turmoil)
        self._emit = emit

    def pause(self) -> float:
        """Seconds until the next step."""
        return self.interval * (0.5 + self._random.random())

    def step(self, now: datetime) -> None:
        """Let the other traders do one thing in continuous trading."""
        self.traders.drift(self.interval)
        order = self.traders.act(self.book)
        if order is not None:
            self.trade(order.side, order.quantity, order.limit, now)
        self.traders.tend(self.book)
        self._emit(BookChanged(self.instrument.code))

    def collect(self) -> None:
        """Let the other traders do one thing in an auction."""
        self.traders.drift(self.interval)
        self.traders.collect(self.book)
        self._emit(BookChanged(self.instrument.code))

    def warm_up(self, start: datetime, end: datetime) -> None:
        """Let the day have begun at `start`: a few trades until `end` that stand for all there would have been."""
        seconds = (end - start).total_seconds()
        count = min(_WARM_UP, int(seconds))
        for place in range(count):
            self.traders.drift(seconds / count)
            time = start + timedelta(seconds=seconds * (place + self._random.random()) / count)
            side = Side.BUY if self._random.random() < 0.5 else Side.SELL
            bid = max(self.ladder.floor(self.traders.fair), self.instrument.lower)
            ask = min(self.ladder.up(bid), self.instrument.upper)
            part = self._volume_a_second * seconds / count * (0.5 + self._random.random())
            self.tape.record(time, ask if side is Side.BUY else bid, max(1, int(part)), side, ask, bid)

    def trade(self, side: Side, quantity: int, limit: int, now: datetime, owner: Owner | None = None) -> int:
        """Match an incoming order and tell everybody. Returns how much of it traded."""
        matches = self.book.match(side, quantity, limit)
        place = traded = 0
        while place < len(matches):
            price, first = matches[place].price, place
            while place < len(matches) and matches[place].price == price:
                place += 1
            total = sum(match.quantity for match in matches[first:place])
            self._print(now, price, total, side)
            if owner is not None:
                owner.filled(price, total, now)
            for match in matches[first:place]:
                if match.resting.owner is not None:
                    match.resting.owner.filled(price, match.quantity, now)
            traded += total
        return traded

    def uncross(self, now: datetime) -> None:
        """End an auction: all that meets trades at one price."""
        price, quantity = self.book.crossing(self.tape.last or self.instrument.base_price)
        if not quantity:
            return
        pairs = self.book.uncross(quantity)
        self._print(now, price, quantity, Side.BUY)
        for buy, sell, part in pairs:
            for order in (buy, sell):
                if order.owner is not None:
                    order.owner.filled(price, part, now)
        self.traders.fair = float(price)

    def changed(self) -> None:
        """Tell that an account's order changed the book."""
        self._emit(BookChanged(self.instrument.code))

    def start_day(self, instrument: Instrument, today: date) -> None:
        """Begin a day with an empty book and tape."""
        self.instrument = instrument
        self.ladder = ladder(instrument.market, instrument.kind, today)
        self.book = Book()
        self.tape.start_day()
        self.traders.start_day(instrument, self.ladder, float(instrument.base_price))

    def last(self) -> int:
        """Price of the last trade today, else the reference price."""
        return self.tape.last or self.instrument.base_price

    def depth(self) -> Depth:
        """The visible book."""
        book = self.book
        return Depth(
            book.levels(Side.SELL, LEVELS),
            book.levels(Side.BUY, LEVELS),
            book.total(Side.SELL),
            book.total(Side.BUY),
        )

    def quote(self, previous: Bar | None) -> Quote:
        """The day so far; `previous` is the last day's bar."""
        tape, book = self.tape, self.book
        return Quote(
            code=self.instrument.code,
            base_price=self.instrument.base_price,
            last=self.last(),
            open=tape.open,
            high=tape.high,
            low=tape.low,
            volume=tape.volume,
            value=tape.value,
            buy_volume=tape.buy_volume,
            sell_volume=tape.sell_volume,
            buy_count=tape.buy_count,
            sell_count=tape.sell_count,
            best_ask=book.best_ask,
            best_bid=book.best_bid,
            last_trade=tape.trades[-1] if tape.trades else None,
            open_time=tape.open_time,
            high_time=tape.high_time,
            low_time=tape.low_time,
            previous_volume=previous.volume if previous else 0,
            previous_value=previous.value if previous else 0,
        )

    def _print(self, now: datetime, price: int, quantity: int, side: Side) -> None:
        trade = self.tape.record(now, price, quantity, side, self.book.best_ask, self.book.best_bid)
        self._emit(Traded(self.instrument.code, trade))


def _interval(value: float) -> float:
    """Mean seconds between two actions, by the won that are traded on a normal day: 0.2 to 1.4."""
    return min(1.4, max(0.2, 1.4 * float((3e9 / max(value, 1.0)) ** 0.4)))
