"""The phases of the trading day, for those whose life ends with it."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from koapy.control.registrations import RegistrationRefused
from koapy.control.screens import ScreensExhausted
from koapy.server.failure import Failure
from koapy.server.router import MARKET_HOURS, PHASES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from koapy.server.core import Core
    from koapy.server.inbox import Inbox

PHASE = 215


class SessionWatch:
    """Has 장시작시간 delivered while anybody follows it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @asynccontextmanager
    async def follow(self, inbox: Inbox) -> AsyncIterator[None]:
        """Put the events of 장시작시간 into `inbox`; the first item of their raw data is the phase (FID 215).

        A control that cannot deliver it is no reason to refuse what only ends with the day.
        """
        core = self._core
        with core.router.subscribe(inbox, [PHASES]):
            try:
                if core.apartment.has("SetRealReg"):
                    with suppress(Failure, RegistrationRefused, ScreensExhausted):
                        await core.registrations.add(inbox, [MARKET_HOURS], [PHASE])
                yield
            finally:
                await core.registrations.remove(inbox)
