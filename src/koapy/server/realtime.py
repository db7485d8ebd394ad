"""RealCall and BidirectionalRealCall: ticks of the codes that a stream asks for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from koapy.control.registrations import FIDS_PER_CALL, RegistrationRefused
from koapy.control.screens import ScreensExhausted
from koapy.openapi.error import error
from koapy.server import checks
from koapy.server.events import EventConnect
from koapy.server.failure import exhausted, invalid, refused
from koapy.server.listen import forward
from koapy.server.machines.endings import lost
from koapy.server.reading import View
from koapy.server.router import every_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
    from typing import Any

    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
    from koapy.server.core import Core
    from koapy.server.edge import Caller
    from koapy.server.events import Event
    from koapy.server.inbox import Inbox

STOCK_FIDS = (10, 27, 41)
"""For a stream that names no FIDs: one of each real type that a stock has by itself."""


async def real(core: Core, request: pb.RealRequest, caller: Caller) -> None:
    """RealCall: ends with the client."""
    if not request.code_list:
        raise invalid("no code in code_list; name at least one such as 005930")
    if request.opt_type not in {"", "0", "1"}:
        raise invalid(f"opt_type {request.opt_type!r}: 0 replaces the codes of a screen, 1 adds to them")
    for number in request.screen_no:
        checks.screen(number)
    fids = fids_of(request.fid_list)
    view = _view(fids, request.flags)
    async with Ticks.open(core, caller) as ticks:
        codes = await ticks.checked(request.code_list)
        with core.router.feeds.follow(ticks.inbox, dict.fromkeys(codes, view)):
            await ticks.register(codes, fids)
            await ticks.forward()


async def bidirectional_real(core: Core, requests: AsyncIterator[pb.BidirectionalRealRequest], caller: Caller) -> None:
    """BidirectionalRealCall: codes come and go while the stream stays open; its half-close does not end it."""
    async with Ticks.open(core, caller) as ticks:
        with core.router.feeds.follow(ticks.inbox, {}):
            await until_stopped(ticks.forward(), _steer(ticks, requests))


async def until_stopped(forwards: Coroutine[Any, Any, None], steers: Coroutine[Any, Any, bool]) -> None:
    """Until the client has asked to stop, or either fails."""
    forwarding, steering = asyncio.create_task(forwards), asyncio.create_task(steers)
    try:
        await asyncio.wait({forwarding, steering}, return_when=asyncio.FIRST_COMPLETED)
        if steering.done() and not steering.result():
            await forwarding
        elif forwarding.done():
            forwarding.result()
    finally:
        for task in (forwarding, steering):
            task.cancel()
        await asyncio.gather(forwarding, steering, return_exceptions=True)


async def _steer(ticks: Ticks, requests: AsyncIterator[pb.BidirectionalRealRequest]) -> bool:
    """Apply what the client asks; whether it asked to stop."""
    fids: tuple[int, ...] = ()
    view: View | None = None
    wish: dict[str, View] = {}
    async for request in requests:
        kind = request.WhichOneof("request")
        if kind == "initialize_request":
            wish.clear()
            await ticks.change(wish)
            await ticks.remove(None)
            fids = fids_of(request.initialize_request.fid_list)
            view = _view(fids, request.initialize_request.flags)
        elif kind == "register_request":
            if view is None:
                raise invalid("register_request before initialize_request, which says what to give of a tick")
            register = request.register_request
            own = fids_of(register.fid_list) if register.fid_list else fids
            codes = await ticks.checked(register.code_list)
            wish |= dict.fromkeys(codes, view)
            await ticks.change(wish)
            await ticks.register(codes, own)
        elif kind == "remove_request":
            gone = [code for code in dict.fromkeys(request.remove_request.code_list) if code in wish]
            for code in gone:
                del wish[code]
            await ticks.change(wish)
            await ticks.remove(gone)
        elif kind == "stop_request":
            return True
        else:
            raise invalid("empty request; send initialize_request, register_request, remove_request or stop_request")
    return False


class Ticks:
    """The registrations of one stream of ticks."""

    def __init__(self, core: Core, caller: Caller, inbox: Inbox) -> None:
        self._core = core
        self._caller = caller
        self.inbox = inbox
        inbox.holders.add(self)

    @classmethod
    @asynccontextmanager
    async def open(cls, core: Core, caller: Caller) -> AsyncIterator[Ticks]:
        """A stream's registrations, which end with the block."""
        queue = core.quotas.wanted(caller)
        core.functions.require("SetRealReg")
        await core.require_login()
        with core.inbox(queue) as inbox, core.router.subscribe(inbox, [every_key("OnEventConnect")]):
            ticks = cls(core, caller, inbox)
            try:
                yield ticks
            finally:
                caller.tell_overflow(inbox)
                # All means all that is held: an earlier removal may have been cancelled on its way.
                await ticks.remove(None)

    async def checked(self, codes: Iterable[str]) -> tuple[str, ...]:
        """These codes, each once, when they are such that can be registered."""
        wanted = tuple(dict.fromkeys(codes))
        for code in wanted:
            await checks.real_code(self._core, code)
        return wanted

    async def change(self, wish: Mapping[str, View]) -> None:
        """Have the stream follow these codes, and no others, from now on."""
        await self._core.router.feeds.change(self.inbox, wish, self._core.apartment.run)

    async def register(self, codes: Sequence[str], fids: tuple[int, ...]) -> None:
        """Have the control tick for these codes. The stream follows them already: ticks may come at once."""
        try:
            await self._core.registrations.add(self, codes, fids or STOCK_FIDS)
        except RegistrationRefused as refusal:
            known = error(refusal.code)
            text = f"SetRealReg was refused for {', '.join(codes[:5])}: {known or refusal.code}"
            raise refused(text, code=refusal.code) from None
        except ScreensExhausted as full:
            raise exhausted(str(full), "SCREENS") from None

    async def remove(self, codes: Sequence[str] | None) -> None:
        """Let these codes go, or all; the stream follows them no more."""
        await self._core.registrations.remove(self, codes)

    async def forward(self) -> None:
        """Write the ticks as they come; ends with the connection to OpenAPI+."""
        await forward(self.inbox, await self._caller.ready(), _end_with_connection)


def _end_with_connection(event: Event) -> None:
    if isinstance(event, EventConnect) and (failure := lost(event, "register again after the next login")):
        raise failure


def fids_of(given: Sequence[int]) -> tuple[int, ...]:
    """FIDs that SetRealReg takes, each once."""
    fids = tuple(dict.fromkeys(given))
    if any(fid < 0 for fid in fids):
        raise invalid(f"bad FID {min(fids)}: FIDs are numbers such as 10 (현재가)")
    if len(fids) > FIDS_PER_CALL:
        raise invalid(f"{len(fids)} FIDs; at most {FIDS_PER_CALL} at a time, one of a real type brings all of it")
    return fids


def _view(fids: tuple[int, ...], flags: pb.RealRequestFlags) -> View:
    infer = flags.infer_fids or not fids
    return View(None if infer else fids, flags.readable_names, flags.fast_parse and infer)
