"""Counts the time that a handler's own code takes, without that in which it waits for us."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stopwatch:
    """Calls `expired` once when the time allowed has passed while the handler was running. Belongs to the loop."""

    def __init__(self, expired: Callable[[str, float], None]) -> None:
        self._expired = expired
        self._loop = asyncio.get_running_loop()
        self._left: float | None = None
        self._allowed = 0.0
        self._what = ""
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def allow(self, seconds: float, what: str) -> None:
        """From now on the handler has so many seconds for `what`."""
        self._left, self._allowed, self._what = seconds, seconds, what
        self._restart()

    def off(self) -> None:
        """The handler has nothing to do."""
        self._left = None
        self._restart()

    def run(self) -> None:
        """The handler's time begins, or goes on."""
        self._since = self._loop.time()
        self._restart()

    def pause(self) -> None:
        """It waits for us."""
        if self._since is not None and self._left is not None:
            self._left -= self._loop.time() - self._since
        self._since = None
        self._restart()

    def _restart(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._since is not None and self._left is not None:
            self._since = self._loop.time()
            self._timer = self._loop.call_later(max(0.0, self._left), self._expired, self._what, self._allowed)
