"""The exchange's day: which session a moment belongs to, its phases and when they change."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from koapy.openapi.calendar import KST, is_trading_day, late_hours, next_trading_day, previous_trading_day
from koapy.simulation.model import AfterHours, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

Hours = Literal["always", "krx"]

_KRX = (
    (time(0, 0), Phase.BEFORE_OPEN),
    (time(8, 30), Phase.OPENING_AUCTION),
    (time(9, 0), Phase.CONTINUOUS),
    (time(15, 20), Phase.CLOSING_AUCTION),
    (time(15, 30), Phase.CLOSED),
)

_AFTER_HOURS = (
    (time(8, 30), time(8, 40), AfterHours.EARLY),
    (time(15, 30), time(15, 40), AfterHours.WAITING),
    (time(15, 40), time(16, 0), AfterHours.LATE),
    (time(16, 0), time(18, 0), AfterHours.AUCTIONS),
)

_AUCTION = timedelta(minutes=10)
"""Between two auctions of the evening."""

_LONGER_DAYS = date(2016, 8, 1)
"""Before this day trading ended half an hour earlier."""

_OPENING_PART, _CLOSING_PART = 0.02, 0.04
"""Of a day's shares, in its auctions."""

_AVERAGE_PACE = 0.97  # of what `pace` makes of the 380 minutes of a day

_ALWAYS = ((time(0, 0), Phase.CONTINUOUS),)


class Timetable:
    """The phases of each day.

    Under "always" every day is a session, and trading is continuous from midnight to midnight. Under "krx" trading days
    are, with the usual hours, the later ones of `koapy.openapi.calendar.late_hours`, or, until July 2016, a close at
    15:00.
    """

    def __init__(self, hours: Hours) -> None:
        self._always = hours == "always"

    def _phases(self, day: date) -> list[tuple[datetime, Phase]]:
        """The phases of a day with a session, and when they begin."""
        later = (0.0, 0.0) if self._always else shift(day)
        phases = _ALWAYS if self._always else _KRX
        return [(_later(day, begins, later), phase) for begins, phase in phases]

    def _after_hours(self, day: date) -> list[tuple[datetime, datetime, AfterHours]]:
        later = shift(day)
        return [(_later(day, begins, later), _later(day, ends, later), what) for begins, ends, what in _AFTER_HOURS]

    @property
    def seconds(self) -> float:
        """Length of continuous trading in a day."""
        return 86_400.0 if self._always else 22_800.0

    def session(self, moment: datetime) -> date:
        """The day whose session a moment belongs to: on a day without one, the last that had one."""
        day = moment.date()
        return day if self._always or is_trading_day(day) else previous_trading_day(day)

    def starts_session(self, day: date) -> bool:
        """Whether a day has a session of its own."""
        return self._always or is_trading_day(day)

    def settling(self, day: date) -> tuple[date, date]:
        """When the trades of the session before and those of this one are settled: one and two sessions later."""
        after = self._after(day)
        return after, self._after(after)

    def _after(self, day: date) -> date:
        return day + timedelta(days=1) if self._always else next_trading_day(day)

    def phase(self, moment: datetime) -> Phase:
        """The phase at a moment."""
        if not self.starts_session(moment.date()):
            return Phase.CLOSED
        return next(phase for begins, phase in reversed(self._phases(moment.date())) if begins <= moment)

    def after_hours(self, moment: datetime) -> AfterHours | None:
        """What goes on outside the day's hours at a moment."""
        if self._always or not self.starts_session(moment.date()):
            return None
        found = (what for begins, ends, what in self._after_hours(moment.date()) if begins <= moment < ends)
        return next(found, None)

    def turns(self, day: date) -> Iterator[tuple[datetime, AfterHours | None, AfterHours | None]]:
        """When something outside the day's hours begins, ends or, in the evening, has an auction: what was, what is."""
        if self._always or not self.starts_session(day):
            return
        for begins, ends, what in self._after_hours(day):
            yield begins, None, what
            moment = begins + _AUCTION
            while what is AfterHours.AUCTIONS and moment < ends:
                yield moment, what, what
                moment += _AUCTION
            yield ends, what, None

    def changes(self, day: date) -> Iterator[tuple[datetime, Phase]]:
        """The phases that begin on a day with a session after its midnight, and when."""
        yield from self._phases(day)[1:]

    def close(self, day: date) -> datetime:
        """When the closing auction of a session trades, or, where there is none, when the day ends."""
        moments = (begins for begins, phase in self._phases(day) if phase is Phase.CLOSED)
        return next(moments, midnight_after(self.continuous(day)[0]))

    def pace(self, moment: datetime) -> float:
        """How busy trading is, against the average of a day: more than twice at the opening, more at the close."""
        if self._always:
            return 1.0
        start, end = self.continuous(moment.date())
        since, left = (moment - start).total_seconds() / 60, (end - moment).total_seconds() / 60
        if since < 0 or left < 0:
            return 1.0
        return (0.8 + 2.0 * math.exp(-since / 25) + 0.7 * math.exp(-left / 20)) / _AVERAGE_PACE

    def part(self, moment: datetime) -> float:
        """The part of a day's shares that is usually traded by a moment of its session: from more than 0 to 1."""
        start, end = self.continuous(moment.date())
        since, whole = (moment - start).total_seconds() / 60, (end - start).total_seconds() / 60
        if self._always:
            return max(since / whole, _OPENING_PART)
        if since >= whole:
            return 1.0
        traded = (_integral(max(since, 0.0), whole) - _integral(0.0, whole)) / (
            _integral(whole, whole) - _integral(0.0, whole)
        )
        return _OPENING_PART + (1 - _OPENING_PART - _CLOSING_PART) * traded

    def continuous(self, day: date) -> tuple[datetime, datetime]:
        """When continuous trading begins and ends in a session."""
        moments = self._phases(day)
        start = next(moment for moment, phase in moments if phase is Phase.CONTINUOUS)
        later = (moment for moment, phase in moments if moment > start)
        return start, next(later, midnight_after(start))


def _integral(since: float, whole: float) -> float:
    """Of the pace, up to so many minutes after the opening of a day with so many."""
    return 0.8 * since - 50 * math.exp(-since / 25) + 14 * math.exp((since - whole) / 20)


def shift(day: date) -> tuple[float, float]:
    """By how many hours the opening and the close of a day are later than they usually are today."""
    opening, close = late_hours(day)
    return opening, close - (0.5 if day < _LONGER_DAYS else 0.0)


def _later(day: date, at: time, later: tuple[float, float]) -> datetime:
    """The moment of a usual time; what is before noon belongs to the opening, and 18:00 is always the end."""
    hours = later[0] if time() < at < time(12) else later[1] if time(12) < at < time(18) else 0
    return datetime.combine(day, at, KST) + timedelta(hours=hours)


def midnight_after(moment: datetime) -> datetime:
    """The end of a moment's day."""
    return datetime.combine(moment.date() + timedelta(days=1), time(), KST)


KRX = Timetable("krx")
"""The hours of the Korea Exchange."""
