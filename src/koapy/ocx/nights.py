"""When Kiwoom's servers are known to be away: their check each night, in which nobody can log in.

Kiwoom's guide says "from 05:00, for 1 to 5 minutes", the notice that OpenAPI+ shows says 05:05 to 05:10 on weekdays and
Saturdays and 04:00 to 04:30 on Sundays; the table has what is certain to hold both. Work at weekends is announced on
Kiwoom's pages and is in no table: a login is then tried until it succeeds.
"""

from __future__ import annotations

from datetime import datetime, time

WEEKDAYS, SUNDAYS = (time(5, 0), time(5, 10)), (time(4, 0), time(4, 30))
SUNDAY = 6


def away_until(now: datetime) -> datetime | None:
    """When the check that goes on at `now`, in Korean time, is over; None when none goes on."""
    begins, ends = SUNDAYS if now.weekday() == SUNDAY else WEEKDAYS
    if not begins <= now.time() < ends:
        return None
    return datetime.combine(now, ends, now.tzinfo)
