"""The past of the market: recorded days exactly, all else made up from the seed, both only when asked for."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from functools import lru_cache
from itertools import groupby, islice
from random import Random
from typing import TYPE_CHECKING

from koapy.simulation.history.aggregate import minutes_of
from koapy.simulation.history.intraday import minutes_of_day
from koapy.simulation.history.made import DAYS, Walk, trading_days_before
from koapy.simulation.history.recorded import Recorded
from koapy.simulation.history.walk import walked
from koapy.simulation.played import Played
from koapy.simulation.ticks import ladder, ladders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from koapy.openapi.listing import ListedIssue
    from koapy.simulation.history.record import Record
    from koapy.simulation.model import Bar, Tick

WEEK = 7
"""Trading days before today that have minutes and trades."""

_MINUTES_KEPT = 48
"""Codes whose minutes are kept after they were made; half a megabyte each."""
_TRADES_KEPT = 8
"""The same of trades; some megabytes each. A chart of them is asked for page by page."""

_TURNOVER = {False: (0.0015, 0.01), True: (0.005, 0.04)}
"""Part of all shares that changes hands in a normal day, from and to; True: ETFs and ETNs."""

_TURMOIL = {False: (0.013, 0.03), True: (0.007, 0.016)}
"""Standard deviation of a day's change, from and to; True: ETFs and ETNs."""


class History:
    """What happened before today.

    Args:
        seed: of what is made up.
        issues: by code.
        records: what a folder says of some of them, by code.
        before: the first day that the market itself sees.
        today: the day that it sees now; nothing of a record is told from there on.
    """

    def __init__(
        self, seed: int, issues: Mapping[str, ListedIssue], records: Mapping[str, Record], before: date, today: date
    ) -> None:
        self.seed = self._seed = seed
        self.before = before
        self._issues = issues
        self._recorded = Recorded(seed, issues, records)
        self._records = records
        self.days = trading_days_before(before, DAYS)
        """Days that what is made up covers, ascending."""
        self._daily: dict[str, list[Bar]] = {}
        self._begun: dict[str, tuple[list[Bar], Iterator[Bar]]] = {}
        """Days made so far, newest first, and what makes the ones before them."""
        self._added: dict[str, list[Bar]] = {}
        self._newest: dict[str, Bar | None] = {}
        """Of the days before the first that is not past: asked for with each quote."""
        self._minutes = lru_cache(_MINUTES_KEPT)(self._make_minutes)
        self._trades = lru_cache(_TRADES_KEPT)(self._make_trades)
        self.start_day(today)

    def start_day(self, today: date) -> None:
        """Let the days before `today` be past."""
        self.today = today
        self._newest.clear()
        for code in self._records:
            self._daily.pop(code, None)

    def base_price(self, code: str, last: int | None = None) -> int:
        """Today's reference price: the close before today; of an issue whose record begins later, its first price.

        Args: last: the last price that the market has seen, which counts where there is no record.
        """
        record = self._records.get(code)
        if record is None:
            price = last or self._issues[code].reference_price
        elif past := self.daily(code):
            price = past[-1].close
        else:
            price = next((row[1] or row[4] for row in record.days), 0)
        return price or 1000

    def normal_volume(self, code: str) -> int:
        """Shares traded on a normal day: of the last 20 recorded days, or what suits the issue's size."""
        record = self._records.get(code)
        if record is not None:
            past = record.before(self.today)
            last = record.days[max(past - 20, 0) : past] or record.days[:20]
            return max(1, sum(row[5] for row in last) // len(last))
        return max(20, int(self._issues[code].shares * self._draw(code, "turnover", _TURNOVER)))

    def turmoil(self, code: str) -> float:
        """Standard deviation of a day's change: 0.02 is 2 %."""
        return self._draw(code, "turmoil", _TURMOIL)

    def daily(self, code: str) -> Sequence[Bar]:
        """Daily bars before today, ascending. The sequence grows when a day is added."""
        bars = self._daily.get(code)
        if bars is None:
            record = self._records.get(code)
            bars = record.daily(self.today) if record else self._made(code, None)
            self._begun.pop(code, None)
            self._daily[code] = bars = bars + self._added.get(code, [])
        return bars

    def recent(self, code: str, count: int) -> Sequence[Bar]:
        """The last `count` daily bars, ascending; what is made up is made no further back than that."""
        if code in self._daily or code in self._records:
            return self.daily(code)[-count:]
        added = self._added.get(code, [])
        missing = count - len(added)
        return self._made(code, missing) + added if missing > 0 else added[-count:]

    def close_before(self, code: str, day: date) -> int | None:
        """The last close before a day; None for an issue without an earlier one. It makes up closes alone."""
        if code in self._daily or code in self._records or code in self._added:
            return next((bar.close for bar in reversed(self.daily(code)) if bar.start.date() < day), None)
        days, walk = self._listed_days(code), self._walk(code)
        later = len(days) - bisect_left(days, day)
        if later >= len(days):
            return None
        steps = ladders(self._issues[code].market, self._issues[code].kind, days[-later - 1 :])
        return next(islice(walk.closes_before(steps), later - 1, None)) if later else self.base_price(code)

    def last_day(self, code: str) -> Bar | None:
        """The newest daily bar; None for an issue without a past."""
        if self._added.get(code):
            return self._added[code][-1]
        if code not in self._newest:
            self._newest[code] = next(reversed(self.recent(code, 1)), None)
        return self._newest[code]

    def minutes(self, code: str, length: int) -> Sequence[Bar]:
        """Bars of `length` minutes, ascending; minutes without a trade are absent.

        Of an issue whose record has minutes or trades those of its past days, of others what is made up of the last
        week of trading days.
        """
        if self.has_minutes(code):
            return self._recorded.minutes(code, length, self.today)
        return minutes_of(self._minutes(code), length)

    def ticks(self, code: str) -> Sequence[Tick]:
        """Trades of the days that `minutes` has, ascending."""
        if self.has_minutes(code):
            return self._recorded.ticks(code, self.today)
        return self._trades(code)

    def _make_trades(self, code: str) -> list[Tick]:
        issue = self._issues[code]
        days = groupby(self._minutes(code), key=lambda bar: bar.start.date())
        return [
            tick
            for day, bars in days
            for tick in walked(self._seed, code, day, bars, 1, ladder(issue.market, issue.kind, day))
        ]

    def quiet(self, code: str, length: int, now: datetime) -> list[Bar]:
        """Today's bars without volume that are over by now, of an issue whose record makes bars of `length` minutes."""
        record = self._records.get(code)
        if record is None or length % record.length:
            return []
        over = now - timedelta(minutes=record.length)
        return [bar for bar in record.bars(self.today) if not bar.volume and bar.start <= over]

    def has_minutes(self, code: str) -> bool:
        """Whether an issue's record has minutes or trades."""
        record = self._records.get(code)
        return record is not None and record.intraday

    def told(self, code: str, day: date) -> bool:
        """Whether `minutes` and `ticks` have a day from the issue's record."""
        return day < self.today and self.has_minutes(code) and self._records[code].has_minutes(day)

    def covers(self, code: str, day: date) -> bool:
        """Whether an issue's record says what happened on a day, were it that nothing did."""
        record = self._records.get(code)
        return record is not None and record.oldest <= day <= record.newest

    def played(self, code: str) -> Played | None:
        """Today as the issue's record has it, to be played; None where the record ends before or begins later."""
        return Played(*self._recorded.played(code, self.today)) if self.covers(code, self.today) else None

    def recorded_day(self, code: str) -> Bar | None:
        """Today's whole bar where it is played and has trading."""
        day = self._records[code].day(self.today) if self.covers(code, self.today) else None
        return day if day is not None and day.volume else None

    def take_up(self, days: Mapping[str, Sequence[Bar]]) -> None:
        """Append days that a market has seen before, by code, ascending."""
        for code, bars in days.items():
            for bar in bars:
                if code in self._issues:
                    self.add(code, bar)

    def add(self, code: str, bar: Bar) -> None:
        """Append a day that has become past; of recorded ones the record is true."""
        if self.covers(code, bar.start.date()):
            return
        self._added.setdefault(code, []).append(bar)
        if code in self._daily:
            self._daily[code].append(bar)

    def _made(self, code: str, count: int | None) -> list[Bar]:
        """The newest made-up days, ascending; all without a count."""
        if code not in self._begun:
            self._begun[code] = [], self._walk(code).newest_first(self._listed_days(code))
        bars, older = self._begun[code]
        if count is None or count > len(bars):
            bars.extend(islice(older, None if count is None else count - len(bars)))
        return bars[:count][::-1]

    def _listed_days(self, code: str) -> tuple[date, ...]:
        listed = self._issues[code].listed
        return self.days[bisect_left(self.days, listed) :] if listed else self.days

    def _walk(self, code: str) -> Walk:
        issue = self._issues[code]
        return Walk(
            self._seed,
            code,
            issue.market,
            issue.kind,
            self.base_price(code),
            self.normal_volume(code),
            self.turmoil(code),
        )

    def _make_minutes(self, code: str) -> list[Bar]:
        issue = self._issues[code]
        recent = self.recent(code, WEEK + len(self._added.get(code, ())))
        days = [bar for bar in recent if bar.start.date() < self.before][-WEEK:]
        return [
            minute
            for day in days
            for minute in minutes_of_day(self._seed, code, day, ladder(issue.market, issue.kind, day.start.date()))
        ]

    def _draw(self, code: str, what: str, ranges: Mapping[bool, tuple[float, float]]) -> float:
        """A figure of the code that stays the same."""
        lowest, highest = ranges[self._issues[code].kind in ("etf", "etn")]
        return lowest + (highest - lowest) * Random(f"{self._seed}:{code}:{what}").random() ** 2
