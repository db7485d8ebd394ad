"""When the gateway logs in by itself: not while the servers are away, after a pause when a login was lost, and once."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from koapy.control.outlook import Closed, Outlook

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.ocx.nights import Schedule

STEADY_SECONDS = 60.0
"""A login that has lasted so long is taken to be sound: what fails next is a new failure."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
"""Seconds before a login is tried again; each pause is twice the one before."""
UNDER_WAY_SECONDS = 30.0
"""For so long a login that has been asked for may be on its way without a window to be seen."""

SATURDAY = 5


class Logins:
    """Changed on the control's thread only; any thread may look.

    Args:
        schedule: when the servers are away.
        now: the time in Korea; what it says decides about nothing but absences.
        again: whether to log in again by itself when a login is lost.
        clock: seconds, for pauses.
    """

    def __init__(
        self,
        schedule: Schedule,
        now: Callable[[], datetime],
        *,
        again: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._schedule = schedule
        self._now = now
        self._again = again
        self._clock = clock
        self._pause = FIRST_PAUSE
        self._due: float | None = None
        self.next: datetime | None = None
        """When a login is made by itself."""
        self.wanted = False
        """Whether there was a login that is to be made again when it is lost, or one waits for its time."""
        self.since: float | None = None
        """When the login that there is was made."""
        self._asked: float | None = None

    @property
    def away_until(self) -> datetime | None:
        """When the absence of the servers is over that goes on now."""
        return self._schedule.until(self._now())

    @property
    def due(self) -> bool:
        """Whether a login is to be made now."""
        return self._due is not None and self._clock() >= self._due

    @property
    def under_way(self) -> bool:
        """Whether one has been asked for not long ago, and nothing has come of it."""
        return self._asked is not None and self._clock() - self._asked < UNDER_WAY_SECONDS

    @property
    def asked(self) -> bool:
        """Whether one has been asked for, and nothing has come of it."""
        return self._asked is not None

    def put_off(self, seconds: float = 0.0) -> None:
        """A login is wanted, after so long and when the servers are there."""
        here = self._now()
        later = here + timedelta(seconds=seconds)
        self.wanted, self._asked = True, None
        self.next = self._schedule.until(later) or later
        self._due = self._clock() + (self.next - here).total_seconds()

    def begun(self) -> None:
        """A login is asked for now."""
        self._due = self.next = None
        self._asked = self._clock()

    def succeeded(self) -> None:
        """OnEventConnect has told success."""
        self._due = self.next = self._asked = None
        self.wanted, self.since = True, self._clock()

    def failed(self) -> bool:
        """A login was lost or has failed; whether it is made again by itself."""
        lasted = None if self.since is None else self._clock() - self.since
        self.since = self._asked = None
        if not (self.wanted and self._again):
            return False
        if self._due is None:  # else told twice, by an event and by the end of its process
            if lasted is not None and lasted > STEADY_SECONDS:
                self._pause = FIRST_PAUSE
            self.put_off(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return True

    @property
    def outlook(self) -> Outlook:
        """What can be said without looking at the screen."""
        here = self._now()
        until = self._schedule.until(here)
        then = "" if self.next is None else f"the login is made again at {self.next:%H:%M:%S}"
        if until is not None:
            text = f"Kiwoom's servers are away for maintenance until {until:%H:%M}"
            if self.since is not None:
                return Outlook(notices=(f"{text}, and may cut the connection",))
            then = f"; {then}" if then else "; logins wait until then"
            return Outlook(closed=Closed.MAINTENANCE, text=text + then, until=until)
        if not then:
            return Outlook(text="log in again by LoginCall")
        found = Outlook(text=then, until=self.next)
        if here.weekday() >= SATURDAY:
            found = found._replace(text=f"{then}; at weekends Kiwoom may be working on its servers")
        return found
