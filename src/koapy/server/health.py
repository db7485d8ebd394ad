"""What state the gateway is in: told to those who check its health, and to requests that cannot be served in it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import datetime
from enum import StrEnum

from koapy.control.outlook import Closed, Outlook
from koapy.openapi.calendar import KST
from koapy.openapi.error import error
from koapy.server.failure import Failure, unavailable
from koapy.server.gaps import Gap

logger = logging.getLogger(__name__)


class State(StrEnum):
    """What the gateway can do at this moment; the gravest that is true."""

    SERVING = "SERVING"
    """All is well."""
    NOT_LOGGED_IN = "NOT_LOGGED_IN"
    """Nobody has logged in yet. Health says SERVING, because logging in is what can be done."""
    JOURNAL_FAILED = "JOURNAL_FAILED"
    """Orders cannot be written down, so none is sent; everything else works."""
    CONNECTION_LOST = "CONNECTION_LOST"
    """OpenAPI+ was connected and is no more."""
    MAINTENANCE = "MAINTENANCE"
    """There is no login because Kiwoom's servers are away, as every night; it is made when they are back."""
    UPGRADING = "UPGRADING"
    """A new version of OpenAPI+ is being installed, for which it may not run."""
    CONTROL_FROZEN = "CONTROL_FROZEN"
    """The control's thread does not answer."""
    SHUTTING_DOWN = "SHUTTING_DOWN"
    """The gateway is going away."""


GRAVITY = tuple(State)
TEXTS = {
    State.SERVING: "connected to OpenAPI+",
    State.NOT_LOGGED_IN: "not logged in to OpenAPI+; log in by LoginCall or CommConnect",
    State.SHUTTING_DOWN: "the gateway is shutting down",
}
CLOSED = {Closed.UPGRADING: State.UPGRADING, Closed.MAINTENANCE: State.MAINTENANCE}
AWAY = (State.UPGRADING, State.MAINTENANCE, State.CONNECTION_LOST)
"""States in which there is no connection to OpenAPI+, the gravest first."""
GAPS_REMEMBERED = 20


class Health:
    """The state and its reasons. Belongs to the event loop."""

    def __init__(self) -> None:
        self._reasons: dict[State, str] = {}
        self._changed = asyncio.Event()
        self._outlook = Outlook()
        self._lost_since: datetime | None = None
        self._gaps: deque[Gap] = deque(maxlen=GAPS_REMEMBERED)
        self.gap_count = 0
        """How often the connection was lost and came back."""

    @property
    def state(self) -> State:
        """The gravest of what is the matter."""
        return max(self._reasons, key=GRAVITY.index, default=State.SERVING)

    @property
    def text(self) -> str:
        """For people: what is the matter, and what leads out of it."""
        return self._words(self.state)

    @property
    def until(self) -> datetime | None:
        """When there will be a connection again, as far as is known; None while there is one."""
        return self._outlook.until if self.state in AWAY else None

    @property
    def notices(self) -> tuple[str, ...]:
        """What somebody should look at: boxes on the screen of OpenAPI+, and what is about to happen."""
        return self._outlook.notices

    @property
    def serving(self) -> bool:
        """What gRPC health checking says."""
        return self.state in {State.SERVING, State.NOT_LOGGED_IN}

    def set(self, state: State, text: str = "") -> None:
        """This is the matter from now on."""
        before = self.state
        self._reasons[state] = text
        self._tell(before)

    def clear(self, state: State) -> None:
        """This is the matter no more; harmless when it was not."""
        before = self.state
        self._reasons.pop(state, None)
        self._tell(before)

    def foresee(self, outlook: Outlook) -> None:
        """What the control says of itself from now on."""
        if outlook == self._outlook:
            return
        before, self._outlook = self.state, outlook
        for why, state in CLOSED.items():
            if outlook.closed is why:
                self._reasons[state] = outlook.text
            else:
                self._reasons.pop(state, None)
        self._tell(before)

    def connected(self, code: int) -> None:
        """OnEventConnect has come with this code."""
        if code >= 0:
            if self._lost_since is not None:
                self._gaps.append(Gap(self._lost_since, datetime.now(KST)))
                self.gap_count += 1
                self._lost_since = None
            self.clear(State.NOT_LOGGED_IN)
            self.clear(State.CONNECTION_LOST)
            return
        told = error(code) or code
        if State.NOT_LOGGED_IN in self._reasons:
            self.set(State.NOT_LOGGED_IN, f"the login failed ({told}); log in by LoginCall or CommConnect")
            return
        self._lost_since = self._lost_since or datetime.now(KST)
        text = f"the connection to OpenAPI+ was lost at {self._lost_since:%H:%M:%S} ({told})"
        self.set(State.CONNECTION_LOST, text)

    def refusal(self, state: State, then: str = "nothing was sent") -> Failure | None:
        """What a request ends with that cannot be served while this is the matter; None while it is not."""
        if state not in self._reasons:
            return None
        until = self._outlook.until if state in AWAY else None
        known = {"until": until.isoformat(timespec="seconds")} if until else {}
        return unavailable(f"{self._words(state)}; {then}", state.value, **known)

    def away(self) -> Failure | None:
        """What a request ends with that takes the connection to OpenAPI+; None while there is one."""
        return next(filter(None, map(self.refusal, AWAY)), None)

    def closed(self) -> Failure | None:
        """The same while that is so by plan, and logins wait for the end of it."""
        return next(filter(None, map(self.refusal, CLOSED.values())), None)

    def restored(self) -> None:
        """Only now is all registered anew: until now something may have been missed."""
        if self._gaps:
            self._gaps[-1] = self._gaps[-1]._replace(until=datetime.now(KST))

    def gaps_since(self, count: int) -> list[Gap]:
        """The gaps after the first `count`, as far as they are remembered, oldest first."""
        fresh = min(self.gap_count - count, len(self._gaps))
        return list(self._gaps)[len(self._gaps) - fresh :]

    async def changed(self) -> None:
        """Return when the state may have changed since the last time."""
        await self._changed.wait()
        self._changed.clear()

    def _words(self, state: State) -> str:
        parts = [self._reasons.get(state) or TEXTS[state]]
        if state is State.CONNECTION_LOST:
            parts.append(self._outlook.text or "log in again by LoginCall")
        return "; ".join((*parts, *self._outlook.notices))

    def _tell(self, before: State) -> None:
        self._changed.set()
        if self.state is not before:
            quiet = self.serving or self.state is State.SHUTTING_DOWN
            level = logging.INFO if quiet else logging.WARNING
            logger.log(level, "%s, previously %s: %s", self.state, before, self.text)
