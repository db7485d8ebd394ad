"""Notices when the control's thread does not answer, and when it is back."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from koapy.control.apartment import Frozen
from koapy.server.health import State

if TYPE_CHECKING:
    from koapy.server.core import Core

logger = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
"""Seconds between two probes of the control's thread."""
PROBES = 5
"""Looks at the thread, at least, before it is taken to be frozen."""


class Watchdog:
    """Sends a call that does nothing through the control's thread, again and again, while its task runs.

    A thread is frozen when it has ended no call for `Settings.freeze_seconds`, though one was waiting. The time in
    which a client holds an event open does not count, nor does the time in which the gateway itself could not run.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._limit = core.settings.freeze_seconds
        self._interval = min(PROBE_SECONDS, self._limit / PROBES)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._watch())

    async def aclose(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await self._probe()
            await asyncio.sleep(self._interval)

    async def _probe(self) -> None:
        """Return when the thread has answered, however long that takes."""
        core = self._core
        answer = core.apartment.submit(_nothing).waiter
        silent, done, frozen = 0.0, core.apartment.done, False
        while not (await asyncio.wait({answer}, timeout=self._interval))[0]:
            if core.apartment.done != done or core.gates.holding:
                silent, done = 0.0, core.apartment.done
                continue
            # One look counts as one interval, however late it comes: a machine that slept has frozen nothing.
            silent += self._interval
            if silent >= self._limit and not frozen:
                frozen = True
                inside = f", in {core.apartment.busy_with}" if core.apartment.busy_with else ""
                self._freeze(f"the control's thread has not answered for {self._limit:g} s{inside}")
        if isinstance(answer.exception(), Frozen):
            self._freeze("the control takes no calls any more; restart the gateway")
        elif frozen:
            core.apartment.thaw()
            core.health.clear(State.CONTROL_FROZEN)

    def _freeze(self, text: str) -> None:
        core = self._core
        core.health.set(State.CONTROL_FROZEN, text)
        core.apartment.freeze()
        core.tell_frozen()


def _nothing() -> None:
    """What the thread is asked to do."""
