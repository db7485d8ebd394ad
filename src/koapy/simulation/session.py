"""What the families of OpenAPI+ functions share: the world, the events, the login and the limits of one session."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from koapy.openapi.limit import ORDER_WINDOWS, SCREENS, TR_WINDOWS
from koapy.simulation.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from koapy.simulation.faults import Faults
    from koapy.simulation.world import World

logger = logging.getLogger(__name__)

NOT_LOGGED_IN = -100
"""OP_ERR_LOGIN: what functions return before the login."""
WRONG_INPUT = -105
"""OP_ERR_INPUT."""


def is_screen(screen: str) -> bool:
    """Whether this is a 화면번호: four digits, not 0000."""
    return len(screen) == 4 and screen.isascii() and screen.isdigit() and screen != "0000"


class PerSecond:
    """A limit that counts anew with each second of the clock, as OpenAPI+ does."""

    __slots__ = ("_limit", "_second", "_used")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._second: datetime | None = None
        self._used = 0

    def take(self, now: datetime) -> bool:
        """Use one slot of this second; False when there is none."""
        second = now.replace(microsecond=0)
        if second != self._second:
            self._second, self._used = second, 0
        if self._used == self._limit:
            return False
        self._used += 1
        return True


@dataclass(slots=True)
class Session:
    """One process's session with the server, as the control's thread sees it."""

    world: World
    answer_delay: float
    """Seconds from a request to its answer."""
    faults: Faults
    """What goes wrong on purpose."""
    events: Signals = field(default_factory=Signals)
    connected: bool = False
    logins: int = 0
    """How many times the connection was made; answers of an earlier one never come."""
    when_lost: list[Callable[[], object]] = field(default_factory=list)
    """Called when the connection is lost."""
    screens: set[str] = field(default_factory=set)
    queries: PerSecond = field(default_factory=lambda: PerSecond(TR_WINDOWS["guide"][0][0]))
    """CommRqData, CommKwRqData and SendCondition together."""
    orders: PerSecond = field(default_factory=lambda: PerSecond(ORDER_WINDOWS["guide"][0][0]))

    def lose(self) -> None:
        """Forget what the connection held; what was asked stays unanswered."""
        self.connected = False
        self.screens.clear()
        for forget in self.when_lost:
            forget()

    def later(self, function: Callable[..., object], *args: object, delay: float | None = None) -> None:
        """Answer in `delay` seconds, `answer_delay` unless given, if the connection lasts until then."""
        login = self.logins

        def answer() -> None:
            if not self.connected or self.logins != login:
                return
            try:
                function(*args)
            except Exception:
                # One answer that cannot be made must not stop the clock, and with it everybody else's.
                logger.exception("an answer of the simulation failed: %r%r", function, args)

        self.world.clock.call_later(self.answer_delay if delay is None else delay, answer)

    def use_screen(self, screen: str) -> bool:
        """Count `screen` among those in use; False when it is none, or one too many."""
        if not is_screen(screen) or (screen not in self.screens and len(self.screens) == SCREENS):
            return False
        self.screens.add(screen)
        return True
