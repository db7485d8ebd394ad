"""What state the gateway is in: told to those who check its health, and to requests that cannot be served in it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from koapy.openapi.calendar import KST
from koapy.openapi.error import error
from koapy.server.failure import Failure, unavailable

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
GAPS_REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without a connection to OpenAPI+, in Korean time."""

    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.since.isoformat(timespec='seconds')}/{self.until.isoformat(timespec='seconds')}"


class Health:
    """The state and its reasons. Belongs to the event loop."""

    def __init__(self) -> None:
        self._reasons: dict[State, str] = {}
        self._changed = asyncio.Event()
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
        return self._reasons.get(self.state) or TEXTS[self.state]

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

    def connected(self, code: int, prospect: str = "") -> None:
        """OnEventConnect has come with this code; `prospect` says what leads out of it, where the control knows."""
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
        then = prospect or "log in again by LoginCall"
        text = f"the connection to OpenAPI+ was lost at {self._lost_since:%H:%M:%S} ({told}); {then}"
        self.set(State.CONNECTION_LOST, text)

    def refusal(self, state: State, then: str = "nothing was sent") -> Failure | None:
        """What a request ends with that cannot be served while this is the matter; None while it is not."""
        if state not in self._reasons:
            return None
        text = self._reasons[state] or TEXTS[state]
        return unavailable(f"{text}; {then}", state.value)

    def gaps_since(self, count: int) -> list[Gap]:
        """The gaps after the first `count`, as far as they are remembered, oldest first."""
        fresh = min(self.gap_count - count, len(self._gaps))
        return list(self._gaps)[len(self._gaps) - fresh :]

    async def changed(self) -> None:
        """Return when the state may have changed since the last time."""
        await self._changed.wait()
        self._changed.clear()

    def _tell(self, before: State) -> None:
        self._changed.set()
        if self.state is not before:
            quiet = self.serving or self.state is State.SHUTTING_DOWN
            level = logging.INFO if quiet else logging.WARNING
            logger.log(level, "%s, previously %s: %s", self.state, before, self.text)
