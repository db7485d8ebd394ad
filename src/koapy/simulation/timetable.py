"""장시작시간: what the exchange announces through a trading day, second by second as it was recorded."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST, is_trading_day, next_trading_day
from koapy.simulation.hours import shift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from koapy.simulation.clock import Clock

PHASE_CODE = "09"
"""The code under which OpenAPI+ tells the phases of the day."""

DAY_OVER = ("9", "999999", "000000")
"""What is announced last on a day: value, time, remaining time."""

_MIDNIGHT = datetime(2000, 1, 1, tzinfo=KST)  # of any day
_ENDS = [
    # At the time, value, the time it tells, how often.
    (time(9), "3", "090000", 1),
    (time(15, 30), "4", "153000", 1),
    (time(15, 31), "8", "888888", 1),
    (time(15, 35), "s", "153500", 17),
    (time(15, 40), "a", "154000", 1),
    (time(15, 45), "e", "154500", 17),
    (time(16), "b", "160000", 1),
    (time(16), "c", "160000", 1),
    (time(18), "d", "180000", 1),
    (time(18, 1), "9", "999999", 1),
]


class Timetable:
    """Announces the phases of every trading day from the clock's present on.

    Args:
        told: called with value, time and remaining time, as FIDs 215, 20 and 214 have them.
    """

    def __init__(self, clock: Clock, told: Callable[[str, str, str], object]) -> None:
        self._clock = clock
        self._told = told
        self._day(datetime.combine(clock.now().date(), time(), KST))

    def _day(self, midnight: datetime) -> None:
        if is_trading_day(midnight.date()):
            for at, value, moment, remaining in announcements(*shift(midnight.date())):
                when = datetime.combine(midnight.date(), at, KST)
                if when > self._clock.now():
                    self._clock.call_at(when, self._told, value, moment, remaining)
        following = datetime.combine(next_trading_day(midnight.date()), time(), KST)
        self._clock.call_at(following, self._day, following)


@cache
def announcements(opening: float = 0, close: float = 0) -> tuple[tuple[time, str, str, str], ...]:
    """What is announced on a day, in order: when, value, the time it tells, the time that remains.

    Args: by how many hours opening and close are later than usual. The end of the day, at 18:00, is not.
    """
    told = [
        *_countdown("0", _later(time(8, 30), opening), _later(time(9), opening)),
        *_countdown("2", _later(time(15, 20), close), _later(time(15, 30), close)),
    ]
    for at, value, moment, times in _ENDS:
        hours = opening if at < time(12) else close if at < time(18) else 0
        # Times beyond 24 hours are no times but marks.
        text = f"{_later(time(int(moment[:2]), int(moment[2:4])), hours):%H%M%S}" if moment < "240000" else moment
        told += [(_later(at, hours), value, text, "000000")] * times
    return tuple(sorted(told, key=lambda each: each[0]))


def _later(at: time, hours: float) -> time:
    return (datetime.combine(_MIDNIGHT, at) + timedelta(hours=hours)).time()


def _countdown(value: str, begin: time, end: time) -> Iterator[tuple[time, str, str, str]]:
    """Every minute, in the last one every ten seconds."""
    moment, over = (
        _MIDNIGHT.replace(hour=begin.hour, minute=begin.minute),
        _MIDNIGHT.replace(hour=end.hour, minute=end.minute),
    )
    while moment < over:
        left = over - moment
        yield moment.time(), value, f"{moment:%H%M%S}", f"{_MIDNIGHT + left:%H%M%S}"
        moment += timedelta(minutes=1) if left > timedelta(minutes=1) else timedelta(seconds=10)
