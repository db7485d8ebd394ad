"""The phases of the trading day (장시작시간, FID 215), for those whose life ends with it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from koapy.control.registrations import RegistrationRefused
from koapy.control.screens import ScreensExhausted
from koapy.server.failure import Failure
from koapy.server.router import MARKET_HOURS

if TYPE_CHECKING:
    from koapy.server.core import Core

PHASE = 215


class SessionWatch:
    """Has 장시작시간 delivered from the moment on at which anybody wants it, for good: every order does."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def begin(self) -> None:
        """Have it delivered, if it is not yet.

        A control that cannot deliver it is no reason to refuse what only ends with the day.
        """
        core = self._core
        if not core.registrations.held_by(self) and core.apartment.has("SetRealReg"):
            with suppress(Failure, RegistrationRefused, ScreensExhausted):
                await core.registrations.add(self, [MARKET_HOURS], [PHASE])

    async def aclose(self) -> None:
        """Have it delivered no more."""
        await self._core.registrations.remove(self)
