"""The exchange's day: which session a moment belongs to, its phases and when they change."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from koapy.openapi.calendar import KST, is_trading_day, next_trading_day, previous_trading_day
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

_AVERAGE_PACE = 0.97  # of what `pace` makes of the 380 minutes of a day

_ALWAYS = ((time(0, 0), Phase.CONTINUOUS),)


class Timetable:
    """The phases of each day.

    Under "always" every day is a session, and trading is continuous from midnight to midnight. Under "krx" trading days
    are, with the usual hours; the later hours of the year's first day and of the day of the college entrance
    examination are not kept.
    """

    def __init__(self, hours: Hours) -> None:
        self._always = hours == "always"
        self._phases = _ALWAYS if self._always else _KRX

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
        return next(phase for begins, phase in reversed(self._phases) if begins <= moment.time())

    def after_hours(self, moment: datetime) -> AfterHours | None:
        """What goes on outside the day's hours at a moment."""
        if self._always or not self.starts_session(moment.date()):
            return None
        at = moment.time()
        return next((what for begins, ends, what in _AFTER_HOURS if begins <= at < ends), None)

    def turns(self, day: date) -> Iterator[tuple[datetime, AfterHours | None, AfterHours | None]]:
        """When something outside the day's hours begins, ends or, in the evening, has an auction: what was, what is."""
        if self._always or not self.starts_session(day):
            return
        for begins, ends, what in _AFTER_HOURS:
            yield datetime.combine(day, begins, KST), None, what
            if what is AfterHours.AUCTIONS:
                for minutes in range(10, 120, 10):
                    yield datetime.combine(day, begins, KST) + timedelta(minutes=minutes), what, what
            yield datetime.combine(day, ends, KST), what, None

    def changes(self, day: date) -> Iterator[tuple[datetime, Phase]]:
        """The phases that begin on a day with a session after its midnight, and when."""
        for begins, phase in self._phases[1:]:
            yield datetime.combine(day, begins, KST), phase

    def close(self, day: date) -> datetime:
        """When the closing auction of a session trades, or, where there is none, when the day ends."""
        moments = [begins for begins, phase in self._phases if phase is Phase.CLOSED]
        return datetime.combine(day, moments[0], KST) if moments else midnight_after(self.continuous(day)[0])

    def pace(self, moment: datetime) -> float:
        """How busy trading is, against the average of a day: more than twice at the opening, more at the close."""
        if self._always:
            return 1.0
        start, end = self.continuous(moment.date())
        since, left = (moment - start).total_seconds() / 60, (end - moment).total_seconds() / 60
        if since < 0 or left < 0:
            return 1.0
        return (0.8 + 2.0 * math.exp(-since / 25) + 0.7 * math.exp(-left / 20)) / _AVERAGE_PACE

    def continuous(self, day: date) -> tuple[datetime, datetime]:
        """When continuous trading begins and ends in a session."""
        moments = [(datetime.combine(day, begins, KST), phase) for begins, phase in self._phases]
        start = next(moment for moment, phase in moments if phase is Phase.CONTINUOUS)
        later = (moment for moment, phase in moments if moment > start)
        return start, next(later, midnight_after(start))


def midnight_after(moment: datetime) -> datetime:
    """The end of a moment's day."""
    return datetime.combine(moment.date() + timedelta(days=1), time(), KST)
