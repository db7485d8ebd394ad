"""CustomListen and CustomCallAndListen with a handler."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING

import grpc

from koapy.control.patience import to_the_end
from koapy.handlers.frames import Kind, pack
from koapy.openapi.functions import EVENTS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import listen as plain
from koapy.server.call import call
from koapy.server.clients import waits_for
from koapy.server.custom.acting import Acting
from koapy.server.custom.process import started
from koapy.server.custom.session import Session
from koapy.server.custom.wishes import Wishes
from koapy.server.failure import Failure, exhausted, invalid, unimplemented
from koapy.server.gaps import tell_gaps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from koapy.handlers.limits import HandlerLimits
    from koapy.server.core import Core
    from koapy.server.edge import Caller
    from koapy.server.inbox import Inbox


async def listen(core: Core, request: pb.ListenRequest, caller: Caller) -> None:
    """CustomListen: what the client's handler gives; without one, every event."""
    if not (request.code or request.class_name):
        await plain.everything(core, caller)
        return
    await _serve(core, caller, "CustomListen", request, request, caller.write, _nothing)


async def call_and_listen(core: Core, request: pb.CallAndListenRequest, caller: Caller) -> None:
    """CustomCallAndListen: the call is made when the handler listens; its answer comes first."""
    wanted = request.listen_request
    if not (wanted.code or wanted.class_name):
        await plain.call_and_everything(core, request.call_request, caller)
        return

    async def write(message: pb.ListenResponse) -> None:
        await caller.write(pb.CallAndListenResponse(listen_response=message))

    async def begin() -> None:
        answer = await call(core, request.call_request, caller)
        await caller.write(pb.CallAndListenResponse(call_response=answer))

    await _serve(core, caller, "CustomCallAndListen", request, wanted, write, begin)


async def _nothing() -> None:
    pass


async def _serve(
    core: Core,
    caller: Caller,
    rpc: str,
    request: pb.ListenRequest | pb.CallAndListenRequest,
    wanted: pb.ListenRequest,
    write: Callable[[pb.ListenResponse], Awaitable[None]],
    begin: Callable[[], Awaitable[None]],
) -> None:
    limits = _allowed(core.settings.custom_handlers, wanted)
    acting = Acting(caller)
    held = AsyncExitStack()
    try:
        held.enter_context(_place(core, limits))
        inbox = held.enter_context(core.inbox(core.quotas.wanted(caller), waits_for(acting.client, EVENTS)))
        held.callback(_tell_missed, core, caller, inbox, core.health.gap_count)
        wishes = held.enter_context(Wishes(core.router, inbox))
        held.push_async_callback(core.clients.leave, acting.client)
        held.enter_context(core.clients.get(acting.client))
        process = await held.enter_async_context(started(limits))
        session = Session(core, acting, process, inbox, wishes, limits, write, begin)
        await session.run(_start(rpc, request, caller))
    finally:
        await to_the_end(held.aclose())


def _tell_missed(core: Core, caller: Caller, inbox: Inbox, gaps: int) -> None:
    """Tell what the handler has not seen, as Listen does: ticks that were merged, times without a connection."""
    caller.tell_overflow(inbox)
    tell_gaps(core, caller, gaps)


def _allowed(limits: HandlerLimits | None, wanted: pb.ListenRequest) -> HandlerLimits:
    """The limits of handlers, where handlers are served at all."""
    if limits is None:
        text = (
            "event handlers from clients are off on this server; listen by Listen or BidirectionalListen instead, or "
            "have its operator turn them on (koapy serve --allow-custom-handlers)"
        )
        raise Failure(grpc.StatusCode.PERMISSION_DENIED, text, reason="CUSTOM_HANDLERS_OFF")
    if sys.platform == "win32":
        raise unimplemented("event handlers from clients do not run on Windows yet; listen by Listen instead")
    if not (wanted.code and wanted.class_name):
        raise invalid("an event handler needs both code and class_name, the name of a class that the code defines")
    return limits


@contextmanager
def _place(core: Core, limits: HandlerLimits) -> Iterator[None]:
    """One of the places for handlers that run at the same time."""
    if core.handlers >= limits.at_once:
        text = f"{core.handlers} event handlers run already, which is as many as may; end one first"
        raise exhausted(text, "HANDLERS", limit=str(limits.at_once))
    core.handlers += 1
    try:
        yield
    finally:
        core.handlers -= 1


def _start(rpc: str, request: pb.ListenRequest | pb.CallAndListenRequest, caller: Caller) -> bytes:
    remaining = None if caller.deadline is None else caller.deadline - asyncio.get_running_loop().time()
    facts = {"rpc": rpc, "peer": caller.client, "time_remaining": remaining}
    return pack(Kind.START, json.dumps(facts).encode() + b"\n" + request.SerializeToString())
