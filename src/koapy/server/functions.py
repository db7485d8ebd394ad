"""OpenAPI+'s functions as the control offers them, made on its thread, in the pieces in which they were asked for."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from koapy.control.apartment import Frozen
from koapy.server.failure import Failure, frozen, raised, unimplemented
from koapy.server.returns import checked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from koapy.control.apartment import Apartment
    from koapy.server.unanswered import Unanswered

    Call = tuple[str, tuple[str | int, ...]]
    """A function's name and its arguments."""

logger = logging.getLogger(__name__)


class Functions:
    """All calls of the control pass here."""

    def __init__(self, apartment: Apartment, unanswered: Unanswered) -> None:
        self._apartment = apartment
        self._unanswered = unanswered

    def require(self, name: str) -> Callable[..., Any]:
        """A function of the control.

        Raises:
            Failure: this control does not offer it.
        """
        function: Callable[..., Any] | None = getattr(self._apartment.control, name, None)
        if function is None:
            raise unimplemented(f"this control does not offer {name}")
        return function

    def make(self, calls: Iterable[Call]) -> Any:
        """Make these calls, in one piece, and give the last one's value. Runs on the control's thread.

        Raises:
            Failure: this control does not offer one of them, it raised, or returned what OpenAPI+ would not.
        """
        value = None
        for name, args in calls:
            function = self.require(name)
            self._unanswered.note(name, args)
            self._apartment.busy_with = name
            self._apartment.passwords.note(name, args)
            try:
                value = checked(name, function(*args))
            except Failure:
                raise
            except BaseException as error:  # an exit of the control's is no exit of the gateway's
                passwords = self._apartment.passwords
                logger.error("%s raised\n%s", name, passwords.trace(error))
                # Without its cause, whose text may hold a password: what is logged of a failure shows causes.
                raise raised(name, error, passwords) from None
            finally:
                self._apartment.busy_with = ""
        return value

    async def call(self, name: str, *args: str | int) -> Any:
        """Call one function of the control on its thread."""
        return await self.run(((name, args),))

    async def run(self, calls: Iterable[Call]) -> Any:
        """Make these calls, in one piece, on the control's thread, and give the last one's value.

        Raises:
            Failure: as `make` says, or the thread is frozen: the detail `sent` says whether that is "no" or "unknown".
        """
        try:
            return await self._apartment.run(self.make, calls)
        except Frozen as error:
            raise frozen(begun=error.begun) from None

    def give_back(self, calls: Sequence[Call]) -> None:
        """Make calls that give something back, before any that are asked for from now on; nobody waits for them.

        What the control makes of one changes nothing for the others: a failure is logged.
        """
        if calls:
            self._apartment.leave(self._give_back, calls)

    def _give_back(self, calls: Iterable[Call]) -> None:
        """Runs on the control's thread."""
        for name, args in calls:
            if self._apartment.has(name):
                try:
                    self.make(((name, args),))
                except Failure as failure:
                    logger.warning("not given back: %s", failure.text)

    async def settle(self, name: str, *args: str | int) -> Failure | None:
        """Call what gives something back, even when the waiting is cancelled, if the control has such a function.

        What the control makes of it changes nothing for the one who gives back: a failure is logged, and returned.
        """
        if not self._apartment.has(name):
            return None
        try:
            await self._apartment.settle(self.make, ((name, args),))
        except Failure as failure:
            logger.warning("not given back: %s", failure.text)
            return failure
        except Frozen:
            pass  # it is made when the thread is back
        return None

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """Wait, in this block, for something that comes before a call of the control.

        Raises:
            Failure: the control's thread is frozen, or freezes in the meantime.
        """
        try:
            async with self._apartment.patience():
                yield
        except Frozen as error:
            raise frozen(begun=error.begun) from None
