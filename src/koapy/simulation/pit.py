"""Where one instrument trades: its book, its tape and its other traders."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from koapy.simulation import plain
from koapy.simulation.book import Book, Resting
from koapy.simulation.evening import Evening
from koapy.simulation.flow import LEVELS, Traders
from koapy.simulation.model import BookChanged, Depth, Interrupted, Interruption, Phase, Quote, Resumed, Side, Traded
from koapy.simulation.played import Played, filled_by, give_way, leave
from koapy.simulation.tape import Tape
from koapy.simulation.ticks import ladder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime
    from random import Random

    from koapy.simulation.book import Match, Owner
    from koapy.simulation.model import AfterHours, Bar, Event, Instrument
    from koapy.simulation.volatility import Kind, Watch, When

_WARM_UP = 40
"""Trades that stand for those of a day in progress."""

_TRADES_A_STEP = 0.8
"""Trades that a step brings, about."""

_CLOSING_SECONDS = 900.0
"""Seconds of usual trading that a closing auction stands for."""

_OPENING_SECONDS = 450.0
"""The same of an opening auction."""

_VOLUME_A_STEP = 1.1
"""Size of a normal trade, in shares that a normal day has for each step; measured, so that days become normal."""

_VOLUME_A_LEVEL = 0.0008
"""Shares that wait at a price, as a part of a normal day's."""


class Pit:
    """One instrument's market.

    Args:
        normal_volume: shares of a normal day.
        turmoil: standard deviation of a day's change.
        day: seconds that a trading day has.
        watch: what would interrupt its trading, if anything does.
        emit: takes what happens.
        interrupted: called with the pit when an interruption begins; it calls `resume` when it is to end.
    """

    def __init__(
        self,
        instrument: Instrument,
        today: date,
        random: Random,
        normal_volume: int,
        turmoil: float,
        day: float,
        watch: Watch | None,
        emit: Callable[[Event], None],
        interrupted: Callable[[Pit], None],
    ) -> None:
        self.instrument = instrument
        self.phase = Phase.CLOSED
        """Of the exchange's day."""
        self.auction = False
        """Orders are collected and do not trade as they come."""
        self.watch = watch
        self.interruptions: list[Interruption] = []
        """Today's, the last one as it stands."""
        self.book = Book()
        self.tape = Tape()
        self.interval = _interval(normal_volume * instrument.base_price)
        self.ladder = ladder(instrument.market, instrument.kind, today)
        self._random = random
        self._volume_a_second = normal_volume / day
        size = normal_volume / (day / self.interval) * _VOLUME_A_STEP
        self.traders = Traders(random, instrument, self.ladder, size, normal_volume * _VOLUME_A_LEVEL, turmoil)
        self.known_from: datetime | None = None
        """Since when the tape has every trade, if the day began before."""
        self.early: Bar | None = None
        """The part of the day of which no minutes were seen, until `early_until`."""
        self.early_until: datetime | None = None
        self.auctioned = (0, 0)
        """Price and quantity of the last auction that traded today."""
        self.after_hours: AfterHours | None = None
        """What goes on outside the day's hours, kept by the exchange."""
        self.played: Played | None = None
        """The recorded day that is the market; None: the other traders make it."""
        self.evening: Evening | None = None
        """Where that is; None on a server that has no such thing."""
        self._emit = emit
        self._interrupted = interrupted

    @property
    def interruption(self) -> Interruption | None:
        """The one that lasts."""
        return self.interruptions[-1] if self.interruptions and self.interruptions[-1].ended is None else None

    def open_evening(self, random: Random) -> None:
        """Have trading outside the day's hours, too."""
        self.evening = Evening(self, random, self._volume_a_second, self._emit)

    def begin_phase(self, phase: Phase) -> None:
        """Take over the exchange's phase."""
        self.phase = phase
        self._see_auction()

    def _see_auction(self) -> None:
        awaited = self.played is not None and self.played.awaited
        self.auction = self.phase.auction or self.interruption is not None or awaited

    def pause(self) -> float:
        """Seconds until the next step."""
        return self.interval * (0.5 + self._random.random())

    def chance(self) -> float:
        """A number from 0 to 1, the next of this instrument's."""
        return self._random.random()

    def step(self, now: datetime) -> None:
        """Let the other traders do one thing in continuous trading; beside a recorded day they only touch the book."""
        if self.played is not None:
            if self.played.begun:
                self.traders.fidget(self.book)
                self.changed()
            return
        self.traders.drift(self.interval)
        order = self.traders.act(self.book)
        if order is not None:
            traded = self.trade(order.side, order.quantity, order.limit, now)
            if traded < order.quantity and self.interruption is not None:
                self.book.add(Resting(order.side, order.limit, order.quantity - traded))
        if not self.auction:
            self.traders.tend(self.book)
        self._emit(BookChanged(self.instrument.code))

    def collect(self) -> None:
        """Let the other traders do one thing in an auction."""
        if self.played is None:
            self.traders.drift(self.interval)
        elif self.played.coming is None:
            return
        else:
            self.traders.fair = float(self.played.coming.price)
        self.traders.collect(self.book)
        self._emit(BookChanged(self.instrument.code))

    def warm_up(self, start: datetime, end: datetime) -> None:
        """Let the day have begun at `start`: the figures of all the trades that there would have been until `end`.

        Its minutes are made when they are asked for, from `early`.
        """
        seconds = (end - start).total_seconds()
        count = min(_WARM_UP, int(seconds))
        for place in range(count):
            self.traders.drift(seconds / count)
            time = start + timedelta(seconds=seconds * (place + self._random.random()) / count)
            side = Side.BUY if self._random.random() < 0.5 else Side.SELL
            bid = max(self.ladder.floor(self.traders.fair), self.instrument.lower)
            ask = min(self.ladder.up(bid), self.instrument.upper)
            part = self._volume_a_second * seconds / count * (0.5 + self._random.random())
            self.tape.count(time, ask if side is Side.BUY else bid, max(1, int(part)), side, ask, bid)
        each = max(1, int(seconds / self.interval * _TRADES_A_STEP / max(count, 1)))
        self.tape.buy_count *= each
        self.tape.sell_count *= each
        self.known_from = self.early_until = end
        self.early = self.tape.bar(start.date())
        opened = int(self._volume_a_second * min(seconds, _OPENING_SECONDS))
        self.auctioned = self.tape.open, max(1, min(opened, self.tape.volume))
        if self.watch is not None and self.tape.volume:
            self.watch.reference = self.tape.open
            if self.watch.judge(self.tape.last, self.tape.last) is not None:
                self.watch.reference = self.tape.last  # as if an interruption had been on the way

    def close_early(self, now: datetime) -> None:
        """Let the closing auction of a day that was warmed up have been at `now`."""
        price = min(max(self.ladder.nearest(self.traders.fair), self.instrument.lower), self.instrument.upper)
        quantity = max(1, int(self._volume_a_second * _CLOSING_SECONDS))
        self.tape.record(now, price, quantity, Side.BUY, self.ladder.up(price), price)
        self.auctioned = price, quantity

    def reachable(self, side: Side, limit: int) -> int:
        """Shares that an incoming order could trade at once, before an interruption."""
        if self.played is not None:
            self.played.approach(self.book, side, limit)
        return self.book.available(side, self._bound(side, limit))

    def trade(self, side: Side, quantity: int, limit: int, now: datetime, owner: Owner | None = None) -> int:
        """Match an incoming order and tell everybody. Returns how much of it traded.

        The order whose next price would be too far away interrupts the trading; what is left of it is the caller's.
        """
        if self.played is not None:
            self.played.approach(self.book, side, limit)
        bound, last = self._bound(side, limit), self.last()
        traded = 0
        matches = self.book.match(side, quantity, bound)
        if matches:
            traded = self._tell_matches(matches, side, now, owner)
        if traded < quantity and bound != limit and self.book.reaches(side, limit):
            self._interrupt(self.book.best(side.other), last, now)
        return traded

    def uncross(self, now: datetime) -> None:
        """End an auction: all that meets trades at one price."""
        if self.played is not None:
            leave(self.book)
        price, quantity = self.crossing()
        if not quantity:
            return
        pairs = self.book.uncross(quantity)
        self.auctioned = price, quantity
        self._print(now, price, quantity, Side.BUY)
        for buy, sell, part in pairs:
            for order in (buy, sell):
                if order.owner is not None:
                    order.owner.filled(price, part, now)
        self.traders.fair = float(price)
        if self.watch is not None:
            self.watch.reference = price

    def crossing(self) -> tuple[int, int]:
        """Price and quantity of the auction if it ended now; (0, 0) when nothing would trade."""
        return self.book.crossing(self.last())

    def prolong(self, now: datetime) -> bool:
        """Whether the auction that ends now would give a price too far away, and goes on as an interruption."""
        if self.played is not None:
            return self.played.awaits(now)
        price, quantity = self.crossing()
        if not quantity or self.watch is None:
            return False
        when: When = "opening" if self.phase is Phase.OPENING_AUCTION else "closing"
        kind = self.watch.judge(price, self.last(), when)
        if kind is not None:
            self._begin(kind, price, self.last(), now)
        return kind is not None

    def resume(self, now: datetime) -> None:
        """End an interruption: what it has collected trades, and the book is tended again."""
        self.end_interruption(now)
        self.uncross(now)
        self.changed()

    def end_interruption(self, now: datetime) -> None:
        """Let an interruption be over; what it has collected stays."""
        over = self.interruptions[-1] = replace(self.interruptions[-1], ended=now)
        self._see_auction()
        self._emit(Resumed(over))

    def _bound(self, side: Side, limit: int) -> int:
        if self.played is not None:
            return self.played.bound(side, limit)
        return limit if self.watch is None else self.watch.bound(side, limit, self.last())

    def _interrupt(self, price: int, last: int, now: datetime) -> None:
        if self.watch is None or self.played is not None:
            return
        kind = self.watch.judge(price, last)
        if kind is not None:
            self._begin(kind, price, last, now)

    def _begin(self, kind: Kind, price: int, last: int, now: datetime) -> None:
        reference = self.watch.reference if self.watch is not None else 0
        count = len(self.interruptions) + 1
        interruption = Interruption(self.instrument.code, kind, price, reference, last, now, None, count)
        self.interruptions.append(interruption)
        self._see_auction()
        self._emit(Interrupted(interruption))
        self._interrupted(self)

    def _tell_matches(self, matches: list[Match], side: Side, now: datetime, owner: Owner | None) -> int:
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

    def changed(self) -> None:
        """Tell that an account's order changed the book."""
        if self.played is not None and not self.auction:
            give_way(self.book)
        self._emit(BookChanged(self.instrument.code))

    def play(self, played: Played | None) -> None:
        """Let a recorded day be the market from here on."""
        self.played = played
        if played is not None:
            self.tape.trades = deque(self.tape.trades)  # all of the day

    def play_before(self, moment: datetime, *, told: bool) -> None:
        """Let the recorded trades before a moment have happened; `told`: the tape has them."""
        if self.played is None:
            return
        tape = Tape() if told else self.tape
        for tick, side in self.played.skip(moment):
            bid = tick.price - (self.ladder.tick(tick.price) if side is Side.BUY else 0)
            trade = tape.record(tick.time, tick.price, tick.quantity, side, self.ladder.up(bid), bid)
            if told:
                self.played.told.append(trade)
            self.traders.fair = float(tick.price)

    def play_next(self) -> None:
        """Let the next recorded trade happen. In an auction orders of accounts wait for the one that ends it."""
        if self.played is None:
            return
        meets = self.played.awaited or not self.auction
        self.played.awaited = False
        self._see_auction()
        tick, side = self.played.take()
        filled = filled_by(self.book, tick) if meets else []
        if not self.auction:
            # The last price is the best one of the side that was hit.
            self.traders.fair = tick.price - (self.ladder.tick(tick.price) / 2 if side is Side.BUY else 0)
            self.traders.tend(self.book)
        self._print(tick.time, tick.price, tick.quantity, side)
        for order, part in filled:
            if order.owner is not None:
                order.owner.filled(tick.price, part, tick.time)
        self.changed()

    def tend(self) -> None:
        """Have the other traders' orders in place, unless there is nothing yet that they could stand around."""
        if self.interruption is None and (self.played is None or (self.played.begun and not self.played.awaited)):
            self.traders.tend(self.book)

    def start_day(self, instrument: Instrument, today: date) -> None:
        """Begin a day with an empty book and tape."""
        self.instrument = instrument
        self.ladder = ladder(instrument.market, instrument.kind, today)
        self.book = Book()
        self.tape.start_day()
        if self.evening is not None:
            self.evening.start_day()
        self.known_from = self.early = self.early_until = None
        self.auctioned = (0, 0)
        self.interruptions.clear()
        self._see_auction()
        if self.watch is not None:
            self.watch.reference = instrument.base_price
        self.traders.start_day(instrument, self.ladder, float(instrument.base_price))

    def dump(self) -> dict[str, Any]:
        """The day so far as plain values, but for its minutes and single trades."""
        return {
            "base": self.instrument.base_price,
            **self.tape.dump(),
            "fair": self.traders.fair,
            "reference": self.watch.reference if self.watch is not None else 0,
            "interruptions": plain.plain(self.interruptions),
            "auctioned": list(self.auctioned),
            "evening": self.evening.dump() if self.evening is not None else None,
            "early": plain.plain(self.early),
            "early_until": plain.plain(self.early_until),
        }

    def restore(self, values: dict[str, Any], minutes: Iterable[Bar], now: datetime) -> None:
        """Become what `dump` gave; an interruption that lasted is over."""
        self.tape.restore(values, minutes)
        self.traders.fair = values["fair"]
        if self.watch is not None:
            self.watch.reference = values["reference"]
        price, quantity = values["auctioned"]
        self.auctioned = price, quantity
        known = map(plain.interruption, values["interruptions"])
        self.interruptions = [each if each.ended else replace(each, ended=now) for each in known]
        if self.evening is not None and values["evening"] is not None:
            self.evening.restore(values["evening"])
        self.early = plain.bar(values["early"]) if values["early"] else None
        self.early_until = plain.moment(values["early_until"])
        self.known_from = now

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
