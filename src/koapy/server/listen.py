"""Listen, OrderListen and BidirectionalListen: events as they occur."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

import grpc

from koapy.openapi.functions import EVENTS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import checks
from koapy.server.bidirectional import Gate
from koapy.server.call import call
from koapy.server.clients import waits_for
from koapy.server.edge import JOURNAL, SEQUENCE
from koapy.server.events import Event, EventConnect
from koapy.server.failure import Failure, invalid
from koapy.server.feeds import EVERY
from koapy.server.gaps import Gap, Notice, tell_gaps
from koapy.server.machines.endings import lost
from koapy.server.reading import EVERYTHING, View
from koapy.server.router import ORDERS, REAL_DATA, every_key
from koapy.server.ticks import Run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from koapy.orders.model import OrderEvent
    from koapy.server.core import Core
    from koapy.server.edge import Caller
    from koapy.server.inbox import Inbox

LONGEST_NUMBER = 18
"""Digits of a sequence number; Python refuses to read one of thousands, and SQLite one of twenty."""
FROM_SEQUENCE = "koapy-from-sequence"
"""Call metadata of OrderListen: the number of the first event that is wanted."""
CHUNK = 500
"""Events that are read from the journal at a time."""
CONNECTION = every_key("OnEventConnect")
EVENT_DEADLINE = "koapy-event-deadline"
"""Call metadata: seconds that an event of this stream waits for its acknowledgement."""


async def listen(core: Core, request: pb.ListenRequest, caller: Caller) -> None:
    """Listen: the named events with what was read inside them."""
    await follow(core, checks.events(request.slots), caller)


async def follow(
    core: Core, names: Iterable[str], caller: Caller, wrap: Callable[[bytes], object] | None = None
) -> None:
    """Write these events as they occur, until the client ends the stream; `wrap` puts each into another message."""
    wanted = frozenset(names)
    queue = core.quotas.wanted(caller) if REAL_DATA in wanted else None
    gaps = core.health.gap_count
    keys = [every_key(name) for name in wanted - {REAL_DATA}]
    with core.inbox(queue, waits_for(caller.client, wanted)) as inbox, core.router.subscribe(inbox, keys):
        ticks = core.router.feeds.follow(inbox, {EVERY: EVERYTHING}) if REAL_DATA in wanted else nullcontext()
        try:
            with ticks:
                await forward(inbox, await caller.ready() if wrap is None else _wrapping(caller, wrap))
        finally:
            caller.tell_overflow(inbox)
            tell_gaps(core, caller, gaps)


async def forward(
    inbox: Inbox, write: Callable[[bytes], Awaitable[None]], watch: Callable[[Event], None] | None = None
) -> None:
    """Write ticks and events as they come, until the stream ends; `watch` gets the events instead, and may end it."""
    writing = _forward(inbox, write, watch)
    if inbox.ticks is None:
        await writing
    else:
        # A task of its own, because after each message all is resumed that awaits one another.
        await asyncio.create_task(writing)


async def _forward(
    inbox: Inbox, write: Callable[[bytes], Awaitable[None]], watch: Callable[[Event], None] | None
) -> None:
    notice = Notice()
    while True:
        item = await inbox.get()
        if isinstance(item, Run):
            for tick in item.ticks:
                await write(notice.put_on(tick.encoded))
        elif isinstance(item, Event):
            if watch is None:
                await write(notice.put_on(item.encoded))
            else:
                watch(item)
        elif isinstance(item, Gap):
            notice.take(item)


def _wrapping(caller: Caller, wrap: Callable[[bytes], object]) -> Callable[[bytes], Awaitable[None]]:
    return lambda encoded: caller.write(wrap(encoded))


async def everything(core: Core, caller: Caller) -> None:
    """All events, as CustomListen without a handler gives them."""
    await follow(core, EVENTS, caller)


async def call_and_everything(core: Core, request: pb.CallRequest, caller: Caller) -> None:
    """CustomCallAndListen without a handler: the call's answer first, then all events."""
    answer = await call(core, request, caller)
    await caller.write(pb.CallAndListenResponse(call_response=answer))
    await follow(core, EVENTS, caller, _as_answer)


def _as_answer(event: bytes) -> pb.CallAndListenResponse:
    return pb.CallAndListenResponse(listen_response=pb.ListenResponse.FromString(event))


async def orders(core: Core, caller: Caller) -> None:
    """OrderListen: every event of every order, from a sequence number on where the client names one."""
    given = caller.metadata(FROM_SEQUENCE)
    if given is not None and not (given.isdecimal() and len(given) <= LONGEST_NUMBER):
        raise invalid(f"{FROM_SEQUENCE} {given!r:.80}: the number of the first event that is wanted, 1 or more")
    await follow_orders(core, caller, int(given or 0), lambda kept: kept.message, lambda event: event.encoded)


async def follow_orders(
    core: Core,
    caller: Caller,
    since: int,
    kept: Callable[[OrderEvent], object],
    told: Callable[[Event], object],
) -> None:
    """Write order events as they come, before them those of the journal from number `since` on (0: none of them).

    Ends with the connection to OpenAPI+. `kept` and `told` make a message of what the journal has and of what comes.

    Raises:
        Failure: OUT_OF_RANGE where the journal does not reach that far.
    """
    journal = core.journal
    if since > journal.last_sequence + 1:
        text = f"no event {since} yet, the last one is {journal.last_sequence}; is it the number of another journal?"
        raise Failure(
            grpc.StatusCode.OUT_OF_RANGE, text, reason="SEQUENCE", details={"last": str(journal.last_sequence)}
        )
    with core.inbox() as inbox, core.router.subscribe(inbox, [ORDERS, CONNECTION]):
        caller.announce(JOURNAL, journal.identity)
        caller.announce(SEQUENCE, str(journal.last_sequence))
        await caller.open()
        if since:
            await _catch_up(core, caller, since - 1, inbox, kept)
        while True:
            item = await inbox.get()
            if isinstance(item, EventConnect):
                if failure := lost(item, "ask opt10075 and opt10076 for the orders of the day after the next login"):
                    raise failure
            elif isinstance(item, Event):
                await caller.write(told(item))


async def _catch_up(core: Core, caller: Caller, after: int, inbox: Inbox, kept: Callable[[OrderEvent], object]) -> None:
    """Write what the journal has after a number; what is told meanwhile waits in the inbox."""
    while chunk := await asyncio.to_thread(core.journal.events, after, CHUNK):
        for event in chunk:
            await caller.write(kept(event))
        after = chunk[-1].sequence
        inbox.known_up_to(after)


async def bidirectional(core: Core, requests: AsyncIterator[pb.BidirectionalListenRequest], caller: Caller) -> None:
    """BidirectionalListen: each event waits for the client's handled_request, so that its Calls run inside it."""
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("request") != "listen_request":
        raise invalid("the first request must be a listen_request that names events in slots")
    names = checks.events(first.listen_request.slots)
    gaps = core.health.gap_count
    with core.inbox(holders=waits_for(caller.client, names)) as inbox:
        gate = Gate(caller.client, names, inbox, _event_seconds(core, caller))
        read_in = {EVERYTHING} if REAL_DATA in names else set[View]()
        core.router.foresight.want(read_in, names)
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
            core.router.foresight.forget(read_in, names)
            for task in (acknowledging, writing):
                task.cancel()
            await asyncio.gather(acknowledging, writing, return_exceptions=True)
            tell_gaps(core, caller, gaps)


async def _acknowledge(gate: Gate, requests: AsyncIterator[pb.BidirectionalListenRequest]) -> None:
    """Let the control go on at each handled_request; ends at stop_listen_request or when the client closes its side."""
    handled = None
    async for request in requests:
        # Those that are the same byte by byte are the same object.
        if request is not handled:
            kind = request.WhichOneof("request")
            if kind == "stop_listen_request":
                return
            if kind != "handled_request":
                text = f"{kind or 'an empty request'} after the first; send handled_request or stop_listen_request"
                raise invalid(text)
            handled = request
        gate.acknowledge()


async def _write(inbox: Inbox, caller: Caller) -> None:
    write, notice = await caller.ready(), Notice()
    while True:
        item = await inbox.get()
        if isinstance(item, Event):
            await write(notice.put_on(item.bare))
        elif isinstance(item, Gap):
            notice.take(item)


def _event_seconds(core: Core, caller: Caller) -> float:
    given = caller.metadata(EVENT_DEADLINE)
    if given is None:
        return core.settings.event_seconds
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    longest = core.settings.longest_event_seconds
    if not 0 < seconds <= longest:
        raise invalid(f"{EVENT_DEADLINE} {given!r}: seconds, more than 0 and at most {longest:g}")
    return seconds
