"""When Kiwoom's servers are known to be away: then nobody can log in, and sessions are cut.

Kiwoom's guide says "from 05:00, for 1 to 5 minutes", the notice that OpenAPI+ shows says 05:05 to 05:10 on weekdays and
Saturdays and 04:00 to 04:30 on Sundays; `EVERY_NIGHT` has what is certain to hold both. Work at weekends is announced
on Kiwoom's pages and in no table: the operator adds it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EVERY_NIGHT = frozenset({"mon-sat 05:00-05:10", "sun 04:00-04:30"})

STALE_UNTIL = time(6, 50)
"""A session from before this time is asked, by a box, to log in again: its masters are yesterday's."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_CLOCK = r"(\d{1,2}:\d{2})"
_WEEKLY = re.compile(rf"([a-z]{{3}})(?:-([a-z]{{3}}))? {_CLOCK}-{_CLOCK}")
_ONCE = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}}) {_CLOCK} ?- ?(?:(\d{{4}}-\d{{2}}-\d{{2}}) )?{_CLOCK}")
WANTED = "'sat 22:00-08:00', 'mon-fri 05:00-05:10' or '2026-12-05 22:00 - 2026-12-06 09:00' is wanted, in Korean time"


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which the servers are away, once or every week; the end is not part of it."""

    begins: time
    ends: time
    """Of the same day, or of the next where it is not after `begins`."""
    weekdays: frozenset[int] = frozenset()
    """0 is Monday; none: only on `first`."""
    first: date | None = None
    last: date | None = None

    def around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Those of its times that may go on at `now`."""
        if self.first is not None and self.last is not None:
            yield datetime.combine(self.first, self.begins, KST), datetime.combine(self.last, self.ends, KST)
            return
        for day in (now.date() - _DAY, now.date()):
            if day.weekday() in self.weekdays:
                over = day if self.ends > self.begins else day + _DAY
                yield datetime.combine(day, self.begins, KST), datetime.combine(over, self.ends, KST)


class Schedule:
    """All known absences.

    Args:
        texts: one for each; "sun 04:00-04:30", or "2026-12-05 22:00 - 2026-12-06 09:00" for one that is announced.

    Raises:
        ValueError: a text says none; what it should look like is said.
    """

    def __init__(self, texts: Iterable[str] = EVERY_NIGHT) -> None:
        self._absences = tuple(parsed(text) for text in sorted(texts))

    def until(self, now: datetime) -> datetime | None:
        """When the absence that goes on at `now` is over, with those that follow at once; None when none goes on."""
        here = now.astimezone(KST)
        found: datetime | None = None
        while ends := [end for each in self._absences for begin, end in each.around(here) if begin <= here < end]:
            found = here = max(ends)
        return found


def parsed(text: str) -> Absence:
    """An absence from its text.

    Raises:
        ValueError: it is none.
    """
    try:
        if found := _WEEKLY.fullmatch(text.strip().lower()):
            first, last, begins, ends = found.groups()
            return Absence(_clock(begins), _clock(ends), _weekdays(first, last or first))
        if found := _ONCE.fullmatch(text.strip()):
            day, begins, end_day, ends = found.groups()
            absence = Absence(
                _clock(begins), _clock(ends), first=date.fromisoformat(day), last=date.fromisoformat(end_day or day)
            )
            ((begin, end),) = absence.around(datetime.now(KST))
            if begin < end:
                return absence
    except ValueError as error:
        raise ValueError(f"{text!r} is no time of the servers' maintenance: {error}; {WANTED}") from None
    raise ValueError(f"{text!r} is no time of the servers' maintenance; {WANTED}")


def _clock(text: str) -> time:
    return time.fromisoformat(text.rjust(5, "0"))


def _weekdays(first: str, last: str) -> frozenset[int]:
    for name in (first, last):
        if name not in DAYS:
            raise ValueError(f"{name!r} is no day, there are {', '.join(DAYS)}")
    begin, end = DAYS.index(first), DAYS.index(last)
    return frozenset(day % len(DAYS) for day in range(begin, (end if end >= begin else end + len(DAYS)) + 1))
