"""The past of the market: recorded days exactly, all else made up from the seed, both only when asked for."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from koapy.simulation.history.intraday import minutes_of_day, ticks_of_minutes
from koapy.simulation.history.made import DAYS, Walk, trading_days_before
from koapy.simulation.ticks import ladder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from koapy.openapi.listing import ListedIssue
    from koapy.simulation.history.files import RecordedDays
    from koapy.simulation.model import Bar, Tick

WEEK = 7
"""Trading days before today that have minutes and trades."""

_MINUTES_KEPT = 48
"""Codes whose minutes are kept after they were made; half a megabyte each."""

_TURNOVER = {False: (0.0015, 0.01), True: (0.005, 0.04)}
"""Part of all shares that changes hands in a normal day, from and to; True: ETFs and ETNs."""

_TURMOIL = {False: (0.013, 0.03), True: (0.007, 0.016)}
"""Standard deviation of a day's change, from and to; True: ETFs and ETNs."""


class History:
    """What happened before a day.

    Args:
        seed: of what is made up.
        issues: by code.
        recorded: days of some of them, by code.
        before: the first day that is not past.
    """

    def __init__(
        self, seed: int, issues: Mapping[str, ListedIssue], recorded: Mapping[str, RecordedDays], before: date
    ) -> None:
        self.seed = self._seed = seed
        self.before = before
        self._issues = issues
        self._recorded = recorded
        self.days = trading_days_before(before, DAYS)
        """Days that what is made up covers, ascending."""
        self._daily: dict[str, list[Bar]] = {}
        self._begun: dict[str, tuple[list[Bar], Iterator[Bar]]] = {}
        """Days made so far, newest first, and what makes the ones before them."""
        self._added: dict[str, list[Bar]] = {}
        self._newest: dict[str, Bar | None] = {}
        """Of the days before the first that is not past: asked for with each quote."""
        self._minutes = lru_cache(_MINUTES_KEPT)(self._make_minutes)

    def base_price(self, code: str) -> int:
        """The last close before the first day that is not past."""
        recorded = self._recorded.get(code)
        price = recorded.rows[-1][4] if recorded else self._issues[code].reference_price
        return price or 1000

    def normal_volume(self, code: str) -> int:
        """Shares traded on a normal day: of the last 20 recorded days, or what suits the issue's size."""
        recorded = self._recorded.get(code)
        if recorded:
            last = recorded.rows[-20:]
            return max(1, sum(row[5] for row in last) // len(last))
        return max(20, int(self._issues[code].shares * self._draw(code, "turnover", _TURNOVER)))

    def turmoil(self, code: str) -> float:
        """Standard deviation of a day's change: 0.02 is 2 %."""
        return self._draw(code, "turmoil", _TURMOIL)

    def daily(self, code: str) -> Sequence[Bar]:
        """Daily bars, ascending. The sequence grows when a day is added."""
        bars = self._daily.get(code)
        if bars is None:
            recorded = self._recorded.get(code)
            bars = recorded.bars() if recorded else self._made(code, None)
            self._begun.pop(code, None)
            self._daily[code] = bars = bars + self._added.get(code, [])
        return bars

    def recent(self, code: str, count: int) -> Sequence[Bar]:
        """The last `count` daily bars, ascending; what is made up is made no further back than that."""
        if code in self._daily or code in self._recorded:
            return self.daily(code)[-count:]
        added = self._added.get(code, [])
        missing = count - len(added)
        return self._made(code, missing) + added if missing > 0 else added[-count:]

    def last_day(self, code: str) -> Bar | None:
        """The newest daily bar; None for an issue without a past."""
        if self._added.get(code):
            return self._added[code][-1]
        if code not in self._newest:
            self._newest[code] = next(reversed(self.recent(code, 1)), None)
        return self._newest[code]

    def minutes(self, code: str) -> Sequence[Bar]:
        """Bars of one minute of the last week of trading days, ascending; minutes without a trade are absent."""
        return self._minutes(code)

    def ticks(self, code: str) -> list[Tick]:
        """Trades of the last week of trading days, ascending."""
        return ticks_of_minutes(self._minutes(code))

    def take_up(self, days: Mapping[str, Sequence[Bar]]) -> None:
        """Append days that a market has seen before, by code, ascending; of recorded ones the record is true."""
        for code, bars in days.items():
            newest = self._recorded[code].newest if code in self._recorded else date.min
            for bar in bars:
                if code in self._issues and bar.start.date() > newest:
                    self.add(code, bar)

    def add(self, code: str, bar: Bar) -> None:
        """Append a day that has become past."""
        self._added.setdefault(code, []).append(bar)
        if code in self._daily:
            self._daily[code].append(bar)

    def _made(self, code: str, count: int | None) -> list[Bar]:
        """The newest made-up days, ascending; all without a count."""
        if code not in self._begun:
            self._begun[code] = [], self._walk(code)
        bars, older = self._begun[code]
        if count is None or count > len(bars):
            bars.extend(islice(older, None if count is None else count - len(bars)))
        return bars[:count][::-1]

    def _walk(self, code: str) -> Iterator[Bar]:
        issue = self._issues[code]
        days = tuple(day for day in self.days if issue.listed is None or day >= issue.listed)
        walk = Walk(
            self._seed,
            code,
            issue.market,
            issue.kind,
            self.base_price(code),
            self.normal_volume(code),
            self.turmoil(code),
        )
        return walk.newest_first(days)

    def _make_minutes(self, code: str) -> list[Bar]:
        issue = self._issues[code]
        past = len(self.daily(code)) - len(self._added.get(code, ()))
        days = self.daily(code)[max(past - WEEK, 0) : past]
        return [
            minute
            for day in days
            for minute in minutes_of_day(self._seed, code, day, ladder(issue.market, issue.kind, day.start.date()))
        ]

    def _draw(self, code: str, what: str, ranges: Mapping[bool, tuple[float, float]]) -> float:
        """A figure of the code that stays the same."""
        lowest, highest = ranges[self._issues[code].kind in ("etf", "etn")]
        return lowest + (highest - lowest) * Random(f"{self._seed}:{code}:{what}").random() ** 2
