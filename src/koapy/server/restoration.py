"""After a lost connection: what outlives it is registered anew with the next login, and those who wait are told."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from koapy.control.apartment import Frozen
from koapy.control.outlook import Outlook
from koapy.openapi.error import error
from koapy.server.clients import codes_of, searches_of
from koapy.server.conditions import load_conditions
from koapy.server.edge import Nobody
from koapy.server.failure import CONTROL_FROZEN, Failure, refused
from koapy.server.health import State
from koapy.server.machines import Limit
from koapy.server.machines.condition import REAL_TIME

if TYPE_CHECKING:
    from koapy.control.registrations import Refusal
    from koapy.server.core import Core

logger = logging.getLogger(__name__)

GATEWAY = Nobody("gateway", None)
"""On whose behalf conditions are searched again."""
FOUND = 1
"""What SendCondition returns when the search has been sent."""
LOOK_SECONDS = 0.5
"""Between two looks at what a control says of itself: times pass, and boxes appear, without any event."""


class Restoration:
    """Follows the connection to OpenAPI+. Belongs to the event loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._untold = 0
        """The newest gaps, of which the streams have not been told yet."""

    async def begin(self) -> None:
        """Ask whether somebody has logged in already; a control that cannot say is taken to be logged in."""
        if hasattr(self._core.apartment.control, "outlook"):
            self._looking = asyncio.create_task(self._look())
        try:
            connected = await self._core.connected()
        except Failure as failure:
            logger.warning("the control does not say whether it is connected: %s", failure.text)
            return
        if connected is False:
            self._core.health.set(State.NOT_LOGGED_IN)

    def connected(self, code: int) -> None:
        """OnEventConnect has come with this code."""
        health = self._core.health
        lost = health.refusal(State.CONNECTION_LOST) is not None
        health.foresee(getattr(self._core.apartment.control, "outlook", Outlook()))
        health.connected(code)
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if code >= 0 and lost:
            self._untold += 1
            self._task = asyncio.create_task(self._restore())

    async def aclose(self) -> None:
        """Restore nothing more."""
        tasks = [each for each in (self._task, self._looking) if each is not None]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        """Follow what the control says of itself."""
        while True:
            self._core.health.foresee(self._core.apartment.control.outlook)
            await asyncio.sleep(LOOK_SECONDS)

    async def _restore(self) -> None:
        try:
            # A box of OpenAPI+'s, such as its account window, may stop its thread in the middle of it.
            while not await self._registered_anew():
                await self._core.apartment.thawed()
        except Failure as failed:
            logger.warning("not everything could be registered again after the login: %s", failed)
        finally:
            self._tell_gaps()

    async def _registered_anew(self) -> bool:
        """Register all that is to outlive a lost connection; False where the control's thread has frozen."""
        core = self._core
        try:
            refusals = await core.registrations.restore()
            # Searches may have to wait for a minute, and tell by their lists that they begin anew.
            self._tell_gaps()
            for refusal in refusals:
                self._end_streams(refusal)
            searches = await self._search_again()
        except Frozen:
            return False
        except Failure as failed:
            if failed.reason != CONTROL_FROZEN:
                raise
            return False
        logger.info(
            "connected again after %s: %d codes and %d condition searches registered anew, %d codes refused",
            ", ".join(map(str, core.health.gaps_since(core.health.gap_count - 1))),
            core.registrations.codes,
            searches,
            sum(len(refusal.codes) for refusal in refusals),
        )
        return True

    def _end_streams(self, refusal: Refusal) -> None:
        """Nothing will come of these codes: streams that wait for it are not to go on as if all were well."""
        known = ", ".join(refusal.codes[:5]) + (", ..." if len(refusal.codes) > 5 else "")
        text = f"SetRealReg was refused for {known} after the new login, register them again"
        failure = refused(f"{text}: {error(refusal.code) or refusal.code}", code=refusal.code)
        logger.warning("%s", failure.text)
        self._core.fail_streams(map(codes_of, refusal.holders), failure)

    def _tell_gaps(self) -> None:
        """Tell the streams that have outlived a gap of it, behind all that came before."""
        if self._untold:
            self._core.health.restored()
            for gap in self._core.health.gaps_since(self._core.health.gap_count - self._untold):
                self._core.tell_all(gap)
            self._untold = 0

    async def _search_again(self) -> int:
        """Repeat the real-time condition searches; how many there were. Their lists come once more."""
        core = self._core
        searches = core.clients.searches()
        if searches:
            await load_conditions(core, GATEWAY, force=False)
        for client, search in searches:
            number, name, index = search
            with await core.limits.hold(Limit.CONDITION, f"{index}^{name}", GATEWAY):
                if search not in client.searches or (screen := client.screens.get(number)) is None:
                    continue  # stopped meanwhile
                if await core.functions.run((("SendCondition", (screen.number, name, index, REAL_TIME)),)) != FOUND:
                    client.searches.pop(search, None)
                    text = f"SendCondition was refused for {index}^{name} after the new login, send it again"
                    logger.warning("%s", text)
                    core.fail_streams([searches_of(client.peer)], refused(text))
        return len(searches)
