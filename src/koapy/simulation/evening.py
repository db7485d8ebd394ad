"""Trading outside the day's hours: at yesterday's close before the opening, at today's after it, and in auctions in the
evening. Each has a book of its own, and none moves the day's prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation.book import Book, Resting
from koapy.simulation.flow import LEVELS
from koapy.simulation.model import AfterHours, AfterHoursChanged, AfterHoursQuote, AfterHoursTraded, Depth, Side

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from koapy.simulation.book import Match, Owner
    from koapy.simulation.model import Event
    from koapy.simulation.pit import Pit

LIMIT_PERCENT = 10
"""Of the close, both ways, in the evening; the day's own limits hold as well."""

_SECONDS_AT_ONCE = 30.0
"""Of usual trading, that a crowd wants at yesterday's or today's close when that begins."""

_DEVIATION = 0.004
"""Standard deviation of the prices in the evening, about the close."""


class Evening:
    """One issue outside the day's hours.

    Args:
        random: of these other traders.
        usual: shares that a second of the day's trading has.
        emit: takes what happens.
    """

    def __init__(self, pit: Pit, random: Random, usual: float, emit: Callable[[Event], None]) -> None:
        self._pit = pit
        self._random = random
        self._usual = usual
        self._emit = emit
        self.start_day()

    def start_day(self) -> None:
        """Begin a day with empty books and nothing traded."""
        self.book = Book()
        self._fixed = 0
        self._open = self._high = self._low = self._last = self._volume = self._value = 0

    @property
    def limits(self) -> tuple[int, int]:
        """The lowest and highest price of the evening's auctions."""
        pit, close = self._pit, self._pit.last()
        low = max(pit.ladder.ceil(close * (100 - LIMIT_PERCENT) / 100), pit.instrument.lower)
        return low, min(pit.ladder.floor(close * (100 + LIMIT_PERCENT) / 100), pit.instrument.upper)

    def quote(self) -> AfterHoursQuote:
        """As it stands."""
        lower, upper = self.limits
        close = self._pit.last()
        return AfterHoursQuote(
            code=self._pit.instrument.code,
            close=close,
            last=self._last or close,
            open=self._open,
            high=self._high,
            low=self._low,
            volume=self._volume,
            value=self._value,
            lower=lower,
            upper=upper,
            best_ask=self.book.best_ask,
            best_bid=self.book.best_bid,
            total_ask=self.book.total(Side.SELL),
            total_bid=self.book.total(Side.BUY),
            fixed_volume=self._fixed,
        )

    def depth(self) -> Depth:
        """The visible book of the part that is on."""
        book = self.book
        totals = book.total(Side.SELL), book.total(Side.BUY)
        return Depth(book.levels(Side.SELL, LEVELS), book.levels(Side.BUY, LEVELS), *totals)

    def fixed_price(self, what: AfterHours) -> int:
        """The one price at which there is trading outside the evening."""
        return self._pit.instrument.base_price if what is AfterHours.EARLY else self._pit.last()

    def begin(self, what: AfterHours, now: datetime) -> None:
        """A part begins: what has waited for it trades, and a crowd comes that wants more on one side."""
        if what is not AfterHours.LATE:
            self.book = Book()  # what was open in the part before has expired, or waits for nothing any more
        else:
            _, quantity = self.book.crossing(self.fixed_price(what))
            if quantity:
                self._fix(self.book.uncross(quantity), quantity, now)
        if what in (AfterHours.EARLY, AfterHours.LATE):
            side = Side.BUY if self._random.random() < 0.5 else Side.SELL
            quantity = int(self._random.expovariate(1.0) * self._usual * _SECONDS_AT_ONCE)
            if quantity:
                self.bring(side, quantity, self.fixed_price(what), now)

    def step(self, what: AfterHours, now: datetime) -> None:
        """Let the other traders do one thing."""
        side = Side.BUY if self._random.random() < 0.5 else Side.SELL
        quantity = 1 + int(self._random.expovariate(1.0) * self._usual * 5)
        if what is AfterHours.AUCTIONS:
            lower, upper = self.limits
            about = self._last or self._pit.last()
            price = self._pit.ladder.nearest(about * (1 + self._random.gauss(0, _DEVIATION)))
            self.book.add(Resting(side, min(max(price, lower), upper), quantity))
        elif what is not AfterHours.WAITING:
            self.bring(side, quantity, self.fixed_price(what), now)
        self.changed()

    def bring(self, side: Side, quantity: int, price: int, now: datetime, owner: Owner | None = None) -> None:
        """An order at the one price of the hour: what meets it trades, the rest of the others' waits."""
        matches = self.book.match(side, quantity, price)
        traded = sum(each.quantity for each in matches)
        if traded:
            self._fix_with(matches, traded, price, now, owner)
        if owner is None and traded < quantity:
            self.book.add(Resting(side, price, quantity - traded))

    def auction(self, now: datetime) -> None:
        """One of the evening's auctions ends."""
        price, quantity = self.book.crossing(self._last or self._pit.last())
        if not quantity:
            return
        pairs = self.book.uncross(quantity)
        if not self._volume:
            self._open = self._high = self._low = price
        self._high, self._low, self._last = max(self._high, price), min(self._low, price), price
        self._volume += quantity
        self._value += price * quantity
        self._emit(AfterHoursTraded(self._pit.instrument.code, now, price, quantity, fixed=False))
        for buy, sell, part in pairs:
            for order in (buy, sell):
                if order.owner is not None:
                    order.owner.filled(price, part, now)
        self.changed()

    def chance(self) -> float:
        """A number from 0 to 1, the next of this issue's."""
        return self._random.random()

    def changed(self) -> None:
        """Tell that the book may have changed."""
        self._emit(AfterHoursChanged(self._pit.instrument.code))

    def dump(self) -> list[int]:
        """What was traded, as plain values."""
        return [self._fixed, self._open, self._high, self._low, self._last, self._volume, self._value]

    def restore(self, values: list[int]) -> None:
        """Become what `dump` gave."""
        self._fixed, self._open, self._high, self._low, self._last, self._volume, self._value = values

    def _fix(self, pairs: list[tuple[Resting, Resting, int]], quantity: int, now: datetime) -> None:
        """What has waited for today's close trades."""
        price = self._pit.last()
        self._fixed += quantity
        self._emit(AfterHoursTraded(self._pit.instrument.code, now, price, quantity, fixed=True))
        for buy, sell, part in pairs:
            for order in (buy, sell):
                if order.owner is not None:
                    order.owner.filled(price, part, now)

    def _fix_with(self, matches: list[Match], traded: int, price: int, now: datetime, owner: Owner | None) -> None:
        self._fixed += traded
        self._emit(AfterHoursTraded(self._pit.instrument.code, now, price, traded, fixed=True))
        if owner is not None:
            owner.filled(price, traded, now)
        for each in matches:
            if each.resting.owner is not None:
                each.resting.owner.filled(price, each.quantity, now)
