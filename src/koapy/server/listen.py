"""Listen, OrderListen and BidirectionalListen: events as they occur."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from koapy.openapi.functions import EVENTS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import checks
from koapy.server.bidirectional import Gate
from koapy.server.call import call
from koapy.server.events import Event, EventConnect
from koapy.server.failure import invalid
from koapy.server.inbox import Tick
from koapy.server.machines.endings import lost
from koapy.server.reading import EVERYTHING
from koapy.server.router import ORDERS, every_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from koapy.server.core import Core
    from koapy.server.edge import Caller
    from koapy.server.inbox import Inbox

REAL_DATA = "OnReceiveRealData"
LONGEST_EVENT_SECONDS = 60.0
EVENT_DEADLINE = "koapy-event-deadline"
"""Call metadata: seconds that an event of this stream waits for its acknowledgement."""


async def listen(core: Core, request: pb.ListenRequest, caller: Caller) -> None:
    """Listen: the named events with what was read inside them."""
    await follow(core, checks.events(request.slots), caller)


async def follow(
    core: Core, names: Iterable[str], caller: Caller, wrap: Callable[[pb.ListenResponse], object] | None = None
) -> None:
    """Write these events as they occur, until the client ends the stream; `wrap` puts each into another message."""
    wanted = frozenset(names)
    tick_key = every_key(REAL_DATA)
    with core.inbox() as inbox, core.router.subscribe(inbox, [every_key(name) for name in wanted - {REAL_DATA}]):
        if REAL_DATA in wanted:
            core.router.subscribe_ticks(inbox, tick_key, EVERYTHING)
        try:
            while True:
                item = await inbox.get()
                if isinstance(item, Tick | Event):
                    await caller.write(wrap(item.message) if wrap else item.message)
        finally:
            if REAL_DATA in wanted:
                core.router.unsubscribe_ticks(inbox, tick_key, EVERYTHING)
                caller.tell_conflated(inbox)


async def everything(core: Core, caller: Caller) -> None:
    """All events, as CustomListen without a handler gives them."""
    await follow(core, EVENTS, caller)


async def call_and_everything(core: Core, request: pb.CallRequest, caller: Caller) -> None:
    """CustomCallAndListen without a handler: the call's answer first, then all events."""
    answer = await call(core, request, caller)
    await caller.write(pb.CallAndListenResponse(call_response=answer))
    await follow(core, EVENTS, caller, lambda event: pb.CallAndListenResponse(listen_response=event))


async def orders(core: Core, caller: Caller) -> None:
    """OrderListen: every event of every order; ends with the connection to OpenAPI+."""
    with core.inbox() as inbox, core.router.subscribe(inbox, [ORDERS, every_key("OnEventConnect")]):
        while True:
            item = await inbox.get()
            if isinstance(item, EventConnect):
                if failure := lost(item, "ask opt10075 and opt10076 for the orders of the day after the next login"):
                    raise failure
            elif isinstance(item, Event):
                await caller.write(item.message)


async def bidirectional(core: Core, requests: AsyncIterator[pb.BidirectionalListenRequest], caller: Caller) -> None:
    """BidirectionalListen: each event waits for the client's handled_request, so that its Calls run inside it."""
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("request") != "listen_request":
        raise invalid("the first request must be a listen_request that names events in slots")
    names = checks.events(first.listen_request.slots)
    with core.inbox() as inbox:
        gate = Gate(caller.client, names, inbox, _event_seconds(core, caller))
        core.gates.add(gate)
        acknowledging = asyncio.create_task(_acknowledge(gate, requests))
        writing = asyncio.create_task(_write(inbox, caller))
        try:
            await asyncio.wait({acknowledging, writing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (writing, acknowledging):
                if task.done():
                    task.result()
        finally:
            core.gates.remove(gate)
            for task in (acknowledging, writing):
                task.cancel()
            await asyncio.gather(acknowledging, writing, return_exceptions=True)


async def _acknowledge(gate: Gate, requests: AsyncIterator[pb.BidirectionalListenRequest]) -> None:
    """Let the control go on at each handled_request; ends at stop_listen_request or when the client closes its side."""
    async for request in requests:
        kind = request.WhichOneof("request")
        if kind == "stop_listen_request":
            return
        if kind != "handled_request":
            raise invalid(f"{kind or 'an empty request'} after the first; send handled_request or stop_listen_request")
        gate.acknowledge()


async def _write(inbox: Inbox, caller: Caller) -> None:
    while True:
        item = await inbox.get()
        if isinstance(item, Event):
            await caller.write(item.bare)


def _event_seconds(core: Core, caller: Caller) -> float:
    given = caller.metadata(EVENT_DEADLINE)
    if given is None:
        return core.settings.event_seconds
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_EVENT_SECONDS:
        raise invalid(f"{EVENT_DEADLINE} {given!r}: seconds, more than 0 and at most {LONGEST_EVENT_SECONDS:g}")
    return seconds
