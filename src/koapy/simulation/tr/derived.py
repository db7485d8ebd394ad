"""What follows something else: futures, options and warrants, whose whole day comes from that of the underlying."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.draws import draws
from koapy.simulation.history import WEEK
from koapy.simulation.history.aggregate import merge, minutes_of
from koapy.simulation.history.intraday import minutes_of_day
from koapy.simulation.model import Bar
from koapy.simulation.ticks import Ladder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.figures.contract import Contract

LISTED_DAYS = 120
"""Days of a contract's past."""
LEVELS = 5
"""Prices of a side of the book."""
MONTH = 20
"""Trading days, for 역사적변동성."""
TRADING_DAYS = 252
"""Of a year, for volatilities."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The underlying at a moment of today."""

    time: datetime
    level: int
    volume: int
    """Shares, or contracts, traded so far."""
    source: int = 0
    """Of a contract: the underlying's level."""


class Underlying:
    """An index or an issue, seen alike."""

    def __init__(self, exchange: Exchange, code: str) -> None:
        self.exchange = exchange
        self.code = code
        self._index = code in exchange.sectors

    @property
    def name(self) -> str:
        """Its name."""
        known = self.exchange.sectors if self._index else self.exchange.instruments
        return known[self.code].name

    @property
    def level(self) -> int:
        """The price now, or the index in hundredths of a point."""
        return self.exchange.sector_quote(self.code).last if self._index else self.exchange.quote(self.code).last

    @property
    def base(self) -> int:
        """Yesterday's close."""
        if self._index:
            return self.exchange.sector_quote(self.code).base
        return self.exchange.instruments[self.code].base_price

    @property
    def today(self) -> Bar | None:
        """Today's bar so far."""
        return self.exchange.sector_today_bar(self.code) if self._index else self.exchange.today_bar(self.code)

    def past(self, count: int) -> Sequence[Bar]:
        """The last daily bars before today."""
        return self.exchange.sector_daily(self.code)[-count:] if self._index else self.exchange.recent(self.code, count)

    def write(self, level: int) -> str:
        """Write a level with its sign."""
        return forms.index(level, self.base) if self._index else forms.price(level, self.base)

    def past_minutes(self) -> list[Bar]:
        """Bars of one minute of the days before today, as far back as there are any: a week."""
        if not self._index:
            return [bar for bar in self.exchange.minutes(self.code) if bar.start.date() < self.exchange.today]
        return [minute for bar in self.past(WEEK) for minute in index_minutes(self.code, bar)]

    def moments(self) -> list[Moment]:
        """Today, ascending: every sample of an index, every minute of an issue."""
        if self._index:
            return [Moment(each.time, each.value, each.volume) for each in self.exchange.sector_moments(self.code)]
        found, volume = [], 0
        for bar in self.exchange.today_minutes(self.code):
            volume += bar.volume
            found.append(Moment(bar.start, bar.close, volume))
        return found


@lru_cache(64)
def index_minutes(code: str, day: Bar) -> tuple[Bar, ...]:
    """Return the minutes of a past day of an index, made up so that they are the day together."""
    return tuple(minutes_of_day(0, code, day, Ladder((0,), (1,))))


def historical(bars: Sequence[Bar], count: int) -> str:
    """Return 역사적변동성 of the last so many days, in percent of a year."""
    closes = [bar.close for bar in bars[-count - 1 :]]
    moves = [math.log(now / before) for before, now in pairwise(closes) if before and now]
    if len(moves) < 2:
        return "0.00"
    mean = sum(moves) / len(moves)
    variance = sum((each - mean) ** 2 for each in moves) / (len(moves) - 1)
    return forms.decimal(round(10_000 * math.sqrt(TRADING_DAYS * variance)), 100)


def known(exchange: Exchange, code: str) -> bool:
    """Whether the market has an index or issue of this code."""
    return code in exchange.sectors or code in exchange.instruments


class Derived:
    """A contract now."""

    def __init__(self, exchange: Exchange, contract: Contract) -> None:
        self.exchange = exchange
        self.contract = contract
        self.underlying = Underlying(exchange, contract.underlying)
        self.day: date = exchange.today
        self.level = self.underlying.level
        before = self.underlying.past(1)
        yesterday = before[-1].start.date() if before else self.day
        self.base = contract.price(yesterday, self.underlying.base)
        """What it closed at yesterday."""
        self.before = self.mirrored(before[-1]) if before else None
        today = self.underlying.today
        self.bar = self.mirrored(today) if today else None
        """Today so far; None before the underlying has traded."""

    @property
    def last(self) -> int:
        """The price now."""
        return self.bar.close if self.bar else self.base

    @property
    def volume(self) -> int:
        """Contracts traded today."""
        return self.bar.volume if self.bar else 0

    @property
    def previous_volume(self) -> int:
        """Contracts traded yesterday."""
        return self.before.volume if self.before else 0

    @property
    def open_interest(self) -> int:
        """Contracts open now."""
        return self.contract.open_interest(self.day)

    @property
    def open_interest_before(self) -> int:
        """Contracts open when the day began."""
        return self.contract.open_interest(self.before.start.date() if self.before else self.day)

    def at(self, level: int, day: date | None = None) -> int:
        """The price at a level of the underlying."""
        return self.contract.price(day or self.day, level)

    def mirrored(self, bar: Bar) -> Bar:
        """What a bar of the underlying makes of the contract."""
        day = bar.start.date()
        opened, high, low, close = (self.at(level, day) for level in (bar.open, bar.high, bar.low, bar.close))
        volume = self.contract.volume(day, bar.volume)
        value = volume * (high + low + 2 * close) * self.contract.multiplier // (4 * self.contract.scale)
        return Bar(bar.start, opened, max(high, low), min(high, low), close, volume, value)

    def days(self, count: int = LISTED_DAYS) -> list[Bar]:
        """Daily bars, ascending, with today's."""
        past = [self.mirrored(bar) for bar in self.underlying.past(count)]
        return [*past, *([self.bar] if self.bar else [])]

    def moments(self) -> list[Moment]:
        """Today's prices and contracts traded, ascending."""
        return [
            Moment(each.time, self.at(each.level), self.contract.volume(self.day, each.volume), each.level)
            for each in self.underlying.moments()
        ]

    def past_minutes(self, length: int) -> list[Bar]:
        """Bars of so many minutes of the days before today, ascending."""
        found = []
        for day, bars in groupby(self.underlying.past_minutes(), key=lambda bar: bar.start.date()):
            traded = volume = 0
            for bar in bars:
                traded, before = traded + bar.volume, volume
                volume = self.contract.volume(day, traded)
                found.append(self.mirrored(bar)._replace(volume=volume - before))
        return minutes_of(found, length)

    def minutes(self, length: int) -> list[Bar]:
        """Bars of today of so many minutes, ascending."""
        groups: dict[datetime, list[Bar]] = {}
        moments = self.moments()
        # What was traded before the oldest moment that is kept is not its own.
        before = moments[0].volume if moments else 0
        for each in moments:
            at = (each.time.hour * 60 + each.time.minute) // length * length
            start = each.time.replace(hour=at // 60, minute=at % 60, second=0, microsecond=0)
            bar = Bar(start, *(each.level,) * 4, max(each.volume - before, 0), 0)
            before = each.volume
            groups.setdefault(start, []).append(bar)
        return [merge(bars) for bars in groups.values()]

    def offers(self, *, asks: bool, at: Moment | None = None) -> list[tuple[int, int]]:
        """The nearest prices of one side and the contracts that wait there, the same for a minute; now by default."""
        last, time = (at.level, at.time) if at else (self.last, self.exchange.clock.now())
        chances = draws("offers", self.contract.code, self.day, f"{time:%H%M}", asks)
        sizes = [1 + int(40 * chance) for chance in chances[:LEVELS]]
        step = self.contract.tick(last) * (1 if asks else -1)
        prices = [last + step * place for place in range(1 if asks else 0, LEVELS + (1 if asks else 0))]
        return [(price, size) for price, size in zip(prices, sizes, strict=True) if price > 0]

    def total(self, *, asks: bool, at: Moment | None = None) -> int:
        """Contracts that wait on one side."""
        return sum(size for _, size in self.offers(asks=asks, at=at))

    def limits(self) -> tuple[int, int]:
        """The lowest and the highest price of the day: 8 % of the underlying away."""
        width = self.underlying.base * 8 // 100
        first, second = self.at(self.underlying.base - width), self.at(self.underlying.base + width)
        return min(first, second), max(first, second)

    def won(self, amount: int) -> int:
        """Won that a sum of price x quantity comes to."""
        return amount * self.contract.multiplier // self.contract.scale

    def write(self, value: int) -> str:
        """Write a price with its sign."""
        return forms.index(value, self.base) if self.contract.scale > 1 else forms.price(value, self.base)

    def plain(self, value: float, places: int = 2) -> str:
        """Write an amount in the unit of prices without a sign."""
        if self.contract.scale == 1 and places == 2:
            return str(round(value))
        return forms.decimal(round(value * 100), 100 * self.contract.scale, places)

    def moved(self, value: int) -> str:
        """Write a change of the price."""
        return forms.index_change(value) if self.contract.scale > 1 else forms.change(value)


@dataclass(frozen=True, slots=True)
class Step:
    """A moment of a contract's day, and the one before it."""

    it: Derived
    at: Moment
    before: Moment | None

    @property
    def fair(self) -> float:
        """What theory says."""
        return self.it.contract.fair(self.it.day, self.at.source)

    @property
    def traded(self) -> int:
        """Contracts traded since the moment before."""
        return self.at.volume - (self.before.volume if self.before else self.at.volume)


def steps(it: Derived) -> list[Step]:
    """Return a contract's moments of today, ascending."""
    found = it.moments()
    return [Step(it, each, found[place - 1] if place else None) for place, each in enumerate(found)]
