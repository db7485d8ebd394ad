"""How a machine's calls come to the control: at once where the limits let them, otherwise as soon as they do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from koapy.control.apartment import Frozen
from koapy.server.failure import frozen, silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.control.limits import Held
    from koapy.server.core import Core
    from koapy.server.edge import Writer
    from koapy.server.machines import Ask

    Told = Callable[[object], object]
    """Gets what a call has returned, or why it could not be made, as an exception."""


class Asking:
    """Makes the asks of one run. Belongs to the event loop."""

    def __init__(self, core: Core, writer: Writer) -> None:
        self._core = core
        self._writer = writer
        self._underway: set[_Underway] = set()

    def begin(self, ask: Ask, told: Told) -> bool:
        """Have these calls made, and `told` called when they have returned; False where a limit makes them wait."""
        held = self._core.limits.begin(ask.limit, ask.key)
        if held is not None:
            self._make(ask, held, told)
        return held is not None

    async def make(self, ask: Ask) -> object:
        """As `begin`, once the limits allow it. Cancelling stops the waiting for them; for the rest there is `stop`."""
        held = await self._core.limits.hold(ask.limit, ask.key, self._writer)
        value: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._make(ask, held, lambda made: None if value.done() else value.set_result(made))
        return await value

    def stop(self) -> None:
        """Take back the calls that have not begun, and tell nobody what comes of the others."""
        for each in tuple(self._underway):
            each.stop()

    def _make(self, ask: Ask, held: Held, told: Told) -> None:
        try:
            underway = _Underway(self._core, ask, held, told, self._underway)
        except Frozen as error:
            held.withdraw()
            told(frozen(begun=error.begun))
        else:
            underway.begin()


class _Underway:
    """Calls on their way to the control and back; they count against their limits until they have returned."""

    __slots__ = ("_ask", "_core", "_held", "_job", "_late", "_others", "_told")

    def __init__(self, core: Core, ask: Ask, held: Held, told: Told, others: set[_Underway]) -> None:
        self._core = core
        self._ask = ask
        self._held = held
        self._told: Told | None = told
        self._others = others
        self._job = core.apartment.prepare(self._make)
        self._late = asyncio.get_running_loop().call_later(core.settings.answer_seconds, self._is_late)

    def begin(self) -> None:
        self._others.add(self)
        self._job.waiter.add_done_callback(self._ended)
        self._core.apartment.send(self._job)

    def stop(self) -> None:
        """Tell nobody; and if the calls have not begun, they never will."""
        self._told = None
        if self._job.claim():
            self._job.tell()

    def _make(self) -> object:
        """Runs on the control's thread."""
        core = self._core
        value = self._job.value = core.functions.make(self._ask.calls)
        # The loop is woken once for this and for the events that the thread goes on to tell, if it does.
        core.portal.add(self._job.tell)
        core.apartment.later(core.portal.wake)
        return value

    def _is_late(self) -> None:
        told = self._told
        self.stop()
        if told is not None:
            told(silent(self._ask.calls[-1][0], self._core.settings.answer_seconds))

    def _ended(self, made: asyncio.Future[Any]) -> None:
        """The calls have returned, or failed, or the control's thread is frozen, or they were taken back."""
        self._late.cancel()
        self._others.discard(self)
        self._held.end()
        error = made.exception()
        if self._told is not None:
            self._told(frozen(begun=error.begun) if isinstance(error, Frozen) else error or made.result())
