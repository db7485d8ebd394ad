"""What files say of one issue: its days, its minutes, its trades."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING, Literal

from koapy.openapi.calendar import KST
from koapy.simulation.history.aggregate import estimated_value, merge, minutes_of, minutes_of_ticks
from koapy.simulation.history.columns import DAY, MINUTE, day_of, moment_of
from koapy.simulation.history.rows import Row, Rows, rows_of
from koapy.simulation.history.sheets import HistoryError
from koapy.simulation.hours import KRX
from koapy.simulation.model import Bar, Side, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Label = Literal["start", "end"]
"""What the time of a minute bar in a file means."""

LENGTHS = (60, 45, 30, 15, 10, 5, 3, 1)
"""Minutes that a bar may have: those of opt10080."""

_ENOUGH = 3
"""Bars from whose labels their length can be told."""

_AUCTION = 10 * MINUTE
_SIDES = {1: Side.BUY, -1: Side.SELL, 0: None}


@dataclass(frozen=True, slots=True)
class Record:
    """One issue's record: days ascend, and those of minutes and trades that have no row of their own are added up."""

    days: Sequence[Row]
    """Stamp, open, high, low, close, volume."""
    length: int
    """Minutes of a bar of `minutes`."""
    minutes: Rows
    ticks: Rows
    _minutes_at: dict[date, tuple[int, int]] = field(init=False)
    _ticks_at: dict[date, tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_minutes_at", self.minutes.by_day())
        object.__setattr__(self, "_ticks_at", self.ticks.by_day())

    @property
    def newest(self) -> date:
        """The last day."""
        return day_of(self.days[-1][0])

    @property
    def oldest(self) -> date:
        """The first day."""
        return day_of(self.days[0][0])

    @property
    def intraday(self) -> bool:
        """Whether there are minutes or trades of any day."""
        return bool(self._minutes_at or self._ticks_at)

    def before(self, day: date) -> int:
        """How many days there are before a day."""
        return bisect_left(self.days, day.toordinal() * DAY, key=lambda row: row[0])

    def daily(self, before: date) -> list[Bar]:
        """The days before a day, exactly as recorded."""
        return [day_bar(row) for row in self.days[: self.before(before)]]

    def day(self, day: date) -> Bar | None:
        """One day as recorded; None where there is no row of it."""
        place = self.before(day)
        if place == len(self.days) or day_of(self.days[place][0]) != day:
            return None
        return day_bar(self.days[place])

    def intraday_days(self, before: date) -> list[date]:
        """The days before a day of which there are minutes or trades, ascending."""
        return sorted(each for each in {*self._minutes_at, *self._ticks_at} if each < before)

    def has_minutes(self, day: date) -> bool:
        """Whether there are minutes or trades of a day."""
        return day in self._minutes_at or day in self._ticks_at

    def bars(self, day: date) -> list[Bar]:
        """A day's minutes as recorded, of `length`; none where there are none."""
        first, end = self._minutes_at.get(day, (0, 0))
        return [_bar(moment_of(stamp), *rest) for stamp, *rest in self.minutes.between(first, end)]

    def trades(self, day: date) -> list[Tick]:
        """A day's trades as recorded; none where there are none."""
        first, end = self._ticks_at.get(day, (0, 0))
        return [
            Tick(moment_of(stamp), price, quantity, _SIDES[side])
            for stamp, price, quantity, side in self.ticks.between(first, end)
        ]

    def exact_minutes(self, day: date, length: int) -> list[Bar] | None:
        """Bars of so many minutes as they follow from what is recorded; None where that is not fine enough."""
        if day in self._minutes_at:
            return minutes_of(self.bars(day), length) if length % self.length == 0 else None
        if day in self._ticks_at:
            return minutes_of_ticks(self.trades(day), length)
        return None


def day_bar(row: Row) -> Bar:
    """A row of days as a bar; won traded, which files lack, by `estimated_value`."""
    stamp, *rest = row
    return _bar(datetime.combine(day_of(stamp), time(), KST), *rest)


def _bar(start: datetime, opened: int, high: int, low: int, close: int, volume: int) -> Bar:
    return Bar(start, opened, high, low, close, volume, estimated_value(high, low, close, volume))


def make_record(days: Rows, minutes: Rows, ticks: Rows, label: Label, length: int) -> Record:
    """Put together what files say of an issue.

    Args:
        label: what the time of a minute bar is.
        length: minutes of a bar.
    """
    if label == "end":
        minutes = from_starts(minutes, length)
    known = {row[0]: row for row in days}
    record = Record((), length, minutes, ticks)
    for day in record.intraday_days(date.max):
        stamp = day.toordinal() * DAY
        found = record.bars(day) or minutes_of_ticks(record.trades(day), length)
        if stamp not in known:
            whole = merge(found)
            known[stamp] = (stamp, whole.open, whole.high, whole.low, whole.close, whole.volume)
    return Record([known[stamp] for stamp in sorted(known)], length, minutes, ticks)


def length_of(minutes: Rows) -> int | None:
    """Minutes of a bar: the longest that every label is a multiple of; None where too few labels are there."""
    if len(minutes) < _ENOUGH:
        return None
    step = 0
    for stamp in minutes.stamps():
        step = gcd(step, stamp % DAY // MINUTE)
        if step == 1:
            return 1
    return next(length for length in LENGTHS if step % length == 0)


def from_starts(minutes: Rows, length: int) -> Rows:
    """Bars that are labelled with their ends, labelled with their starts.

    What ends with the trading day and has nothing but the closing auction in it keeps its label: its trade comes at
    that moment, and Kiwoom labels it so (153000).
    """
    rows, span = list(minutes), length * MINUTE
    ends = [row[0] for row in rows]
    alone = {end for end, after in pairwise([*ends, 2**62]) if after - span > end and _is_auction(end, span)}
    return rows_of("minutes", ((end if end in alone else (end - 1) // span * span, *rest) for end, *rest in rows))


def _is_auction(end: int, span: int) -> bool:
    """Whether a bar ends at the close, and begins when nothing but the closing auction is on."""
    return span <= _AUCTION and moment_of(end) == KRX.close(day_of(end))


def joined(parts: Iterable[tuple[str, Rows]]) -> Rows:
    """One run of rows from those of several files of a kind.

    Raises: HistoryError: two of them have the same time.
    """
    runs = sorted(parts, key=lambda part: part[1].numbers[0])
    for (name, rows), (other, after) in pairwise(runs):
        if rows.stamps()[-1] >= after.numbers[0]:
            raise HistoryError(
                f"{other}: begins before {name} ends, and both have {rows.kind} of one code; "
                "files of a code must follow one another"
            )
    whole = rows_of(runs[0][1].kind, ())
    for _, rows in runs:
        whole.numbers.extend(rows.numbers)
    return whole
