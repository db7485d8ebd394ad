"""Runs a machine: makes its calls when the limits allow, feeds it what comes back, writes what it sends."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from koapy.control.patience import to_the_end
from koapy.server.asking import Asking
from koapy.server.events import Event
from koapy.server.failure import CONTROL_FROZEN, silent, unavailable
from koapy.server.inbox import Froze, Returned
from koapy.server.machines import Ask, Done, Numbered, Send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from koapy.server.core import Core
    from koapy.server.edge import Writer
    from koapy.server.inbox import Inbox
    from koapy.server.machines import Effect, Machine


async def drive(
    core: Core,
    machine: Machine,
    inbox: Inbox,
    writer: Writer,
    make: Callable[[Ask], Awaitable[object]] | None = None,
    begin: Callable[[Ask, Callable[[object], None]], bool] | None = None,
    numbered: Callable[[], object] | None = None,
) -> None:
    """Run `machine` to its end; `inbox` must be subscribed to its events.

    Args:
        make: makes the machine's calls, limits and all, where they need more than to be made.
        begin: begins a call that need not wait for anything, and tells later what came of it, a failure included;
            False where it has to wait, which is then for `make` to do.
        numbered: called when the machine's order has its number, which the client has been told.

    Raises:
        Failure: the machine ended with it, or the control is silent past its time.
    """
    asking = Asking(core, writer)
    run = _Run(core, inbox, writer, make or asking.make, begin or asking.begin, numbered)
    try:
        await run.work(machine)
    finally:
        if run.asking is not None:
            await to_the_end(_stopped(run.asking))
        asking.stop()
        core.functions.give_back([call for ask in machine.release() for call in ask.calls])


async def _stopped(asking: asyncio.Task[None]) -> None:
    """Ask nothing more."""
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


class _Run:
    """One machine's run: the asks go out one at a time, what they return comes in through the stream's own inbox."""

    def __init__(
        self,
        core: Core,
        inbox: Inbox,
        writer: Writer,
        make: Callable[[Ask], Awaitable[object]],
        begin: Callable[[Ask, Callable[[object], None]], bool],
        numbered: Callable[[], object] | None,
    ) -> None:
        self._core = core
        self._make = make
        self._begin = begin
        self._numbered = numbered
        self._inbox = inbox
        self._writer = writer
        self._asks: deque[Ask] = deque()
        self._outstanding = 0
        self.asking: asyncio.Task[None] | None = None
        """Makes the asks, while there are some."""
        self._waiting_for = ""
        """What the control owes since the last ask."""
        self._due = 0.0
        """Loop time in seconds until which it has time for that."""

    def _ask(self, ask: Ask) -> None:
        self._outstanding += 1
        self._waiting_for = ""
        # Behind those that wait, if there are some.
        if self.asking is None and self._begin(ask, partial(self._made, ask)):
            return
        self._asks.append(ask)
        if self.asking is None:
            self.asking = asyncio.create_task(self._make_all())

    async def _make_all(self) -> None:
        """Make the asks, in order."""
        while self._asks:
            ask = self._asks.popleft()
            try:
                value: object = await self._make(ask)
            except Exception as error:
                # A bug of ours ends the run as a failure does; the machine would wait for the answer for ever.
                value = error
            self._made(ask, value)
        self.asking = None

    def _made(self, ask: Ask, value: object) -> None:
        self._inbox.put(Returned(ask, value))

    async def work(self, machine: Machine) -> None:
        """Apply effects and feed the machine until it is done."""
        effects: deque[Effect] = deque(machine.start())
        while True:
            while effects:
                effect = effects.popleft()
                if isinstance(effect, Send):
                    await self._writer.write(effect.event.encoded)
                elif isinstance(effect, Ask):
                    self._ask(effect)
                elif isinstance(effect, Numbered):
                    if self._numbered is not None:
                        self._numbered()
                elif isinstance(effect, Done):
                    if effect.failure is not None:
                        raise effect.failure
                    return
            item = self._inbox.get_nowait()
            effects.extend(self._fed(machine, await self._waited(machine) if item is None else item))

    async def _waited(self, machine: Machine) -> object:
        """The next item, which has not come yet; None: nothing comes, and that is well."""
        waiting_for = "" if self._outstanding else machine.waiting_for
        if not waiting_for:
            return await self._inbox.get()
        seconds = self._core.settings.answer_seconds
        if waiting_for != self._waiting_for:  # what else comes meanwhile, such as a login, is no answer
            self._waiting_for, self._due = waiting_for, asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(self._due):
                return await self._inbox.get()
        except TimeoutError:
            if not machine.waiting_for:  # it has turned out why it takes so long
                return None
            raise silent(waiting_for, seconds) from None

    def _fed(self, machine: Machine, item: object) -> Iterable[Effect]:
        """What the machine does when something has come."""
        if isinstance(item, Event):
            return machine.received(item)
        if isinstance(item, Returned):
            self._outstanding -= 1
            if isinstance(item.value, Exception):
                raise item.value
            assert isinstance(item.ask, Ask)
            return machine.returned(item.ask, item.value)
        # A call that is on its way ends by itself, and says whether it had begun.
        if isinstance(item, Froze) and not self._outstanding and (waiting_for := machine.waiting_for):
            raise unavailable(f"{item.text}; waited for {waiting_for}", CONTROL_FROZEN)
        return ()
