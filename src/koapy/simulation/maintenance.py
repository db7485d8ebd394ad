"""When the server is checked: sessions are cut and no login succeeds until it is over."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi.calendar import KST

if TYPE_CHECKING:
    from koapy.simulation.clock import Clock
    from koapy.simulation.faults import Faults


class Check(NamedTuple):
    """A check of the server, by days of the week (0: Monday)."""

    days: range
    begins: time
    ends: time


# As Kiwoom's notice has it, which the guide's "1 to 5 minutes from 05:00" contradicts.
CHECKS = (Check(range(6), time(5, 5), time(5, 10)), Check(range(6, 7), time(4), time(4, 30)))


class Maintenance:
    """Cuts the connection at each check from the clock's present on."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._next()

    def _next(self) -> None:
        begins, ends = next_check(self._clock.now())
        self._clock.call_at(begins, self._begin, ends)

    def _begin(self, ends: datetime) -> None:
        self._faults.cut(ends)
        self._next()


def next_check(now: datetime) -> tuple[datetime, datetime]:
    """Return when the next check begins and ends."""
    for later in range(8):
        day = now.date() + timedelta(days=later)
        for check in CHECKS:
            begins = datetime.combine(day, check.begins, KST)
            if day.weekday() in check.days and begins > now:
                return begins, datetime.combine(day, check.ends, KST)
    raise AssertionError("there is a check on every day of the week")
