"""How many orders somebody has sent: in the last minute, and on a day in Korea.

The minute is measured by a clock that nobody can set. A day is the date that the wall clock shows in Korea; each date
has its own count, so that a clock that is set back and forth over midnight finds the counts as it left them.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi.calendar import KST

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from datetime import date, datetime

MINUTE = 60.0
DAYS = 8
"""So many dates are remembered: the clock may be set over a midnight, not over a week."""


class Counted(NamedTuple):
    """An order that has been counted, and where."""

    at: float
    day: date
    owners: tuple[Hashable, ...]


class Counts:
    """Orders by owner.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._recent: defaultdict[Hashable, deque[float]] = defaultdict(deque)
        self._days: dict[date, Counter[Hashable]] = {}

    def add(self, owners: Iterable[Hashable], now: datetime, age: float = 0.0) -> Counted:
        """Count one order of all these owners that was sent at `now`, `age` seconds ago; oldest first."""
        counted = Counted(self._clock() - age, _day(now), tuple(owners))
        of_day = self._of(counted.day)
        for owner in counted.owners:
            self._fresh(owner).append(counted.at)
            of_day[owner] += 1
        return counted

    def remove(self, counted: Counted) -> None:
        """Take an order out again."""
        for owner in counted.owners:
            with suppress(ValueError):  # more than a minute ago
                self._recent[owner].remove(counted.at)
            self._of(counted.day)[owner] -= 1

    def wait(self, owner: Hashable, most: int) -> float:
        """Seconds until this owner has sent fewer than `most` orders in the last minute; 0 when it has."""
        sent = self._fresh(owner)
        if len(sent) < most:
            return 0.0
        return max(0.0, sent[len(sent) - most] + MINUTE - self._clock()) if most else MINUTE

    def today(self, owner: Hashable, now: datetime) -> int:
        """How many orders this owner has sent on the day of `now`."""
        return self._of(_day(now))[owner]

    def _fresh(self, owner: Hashable) -> deque[float]:
        """The orders of the last minute."""
        sent, oldest = self._recent[owner], self._clock() - MINUTE
        while sent and sent[0] <= oldest:
            sent.popleft()
        return sent

    def _of(self, day: date) -> Counter[Hashable]:
        # Put last when it is used: the dates that go are those that nobody has asked about for longest.
        self._days[day] = counts = self._days.pop(day, Counter())
        while len(self._days) > DAYS:
            del self._days[next(iter(self._days))]
        return counts


def _day(now: datetime) -> date:
    return now.astimezone(KST).date()
