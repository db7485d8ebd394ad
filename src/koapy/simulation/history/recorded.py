"""The past of issues that have a record, and the days of it that are played as the market's today."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from koapy.simulation.history.aggregate import minutes_of_ticks
from koapy.simulation.history.intraday import minutes_of_day
from koapy.simulation.history.walk import walked
from koapy.simulation.ticks import ladder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from koapy.openapi.listing import ListedIssue
    from koapy.simulation.history.record import Record
    from koapy.simulation.model import Bar, Tick

_KEPT = 16
"""Codes whose minutes or trades are kept after they were asked for."""


class Recorded:
    """What a folder says of some issues, up to a day that the reader names.

    Args: seed: of the way that trades take through bars.
    """

    def __init__(self, seed: int, issues: Mapping[str, ListedIssue], records: Mapping[str, Record]) -> None:
        self._seed = seed
        self._issues = issues
        self.records = records
        """By code."""
        self.minutes = lru_cache(_KEPT)(self._minutes)
        self.ticks = lru_cache(_KEPT)(self._ticks)

    def _minutes(self, code: str, length: int, before: date) -> list[Bar]:
        """Bars of `length` minutes of the recorded days before a day, ascending.

        They are the file's, added up; where its bars are longer or do not fit in, they come from its trades or, if it
        has none, from those that walk through its bars.
        """
        record = self.records[code]
        found: list[Bar] = []
        for day in record.intraday_days(before):
            exact = record.exact_minutes(day, length)
            found += exact if exact is not None else minutes_of_ticks(self.played(code, day)[1], length)
        return found

    def _ticks(self, code: str, before: date) -> list[Tick]:
        """Trades of the recorded days before a day, ascending; of bars those that walk through them."""
        return [tick for day in self.records[code].intraday_days(before) for tick in self.played(code, day)[1]]

    def played(self, code: str, day: date) -> tuple[Sequence[Bar], Iterable[Tick]]:
        """A day's bars and the trades that make them, ascending.

        The trades are the recorded ones, or walk through the recorded minutes, or through minutes that are made up so
        that they add up to the day.
        """
        record, issue = self.records[code], self._issues[code]
        if trades := record.trades(day):
            return minutes_of_ticks(trades, 1), trades
        steps = ladder(issue.market, issue.kind, day)
        bars, length = record.bars(day), record.length
        if not bars:
            whole = record.day(day)
            bars = minutes_of_day(self._seed, code, whole, steps) if whole is not None and whole.volume else []
            length = 1
        return bars, walked(self._seed, code, day, bars, length, steps)
