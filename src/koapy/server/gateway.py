"""The koapy.v1 service: resuming order events, the journal's orders, the kill switch, the gateway's state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from koapy.orders.journal import JournalFailed
from koapy.protocol import gateway_pb2 as pb
from koapy.protocol import gateway_pb2_grpc as pb_grpc
from koapy.server.edge import rpc
from koapy.server.failure import invalid, precondition, unavailable
from koapy.server.halting import cancel_open_orders
from koapy.server.listen import follow_orders
from koapy.server.recording import message

if TYPE_CHECKING:
    from datetime import datetime

    from koapy.orders.model import Halt, OrderEvent, OrderRecord
    from koapy.server.core import Core
    from koapy.server.edge import Caller
    from koapy.server.events import Event
    from koapy.server.servicer import KiwoomOpenApiPlusServiceServicer

NO_REASON = "no reason given"


class GatewayServicer(pb_grpc.GatewayServicer):
    """Serves koapy.v1.Gateway over what another servicer has."""

    def __init__(self, servicer: KiwoomOpenApiPlusServiceServicer) -> None:
        self.core = servicer.core

    @rpc
    async def OrderEvents(self, core: Core, request: pb.OrderEventsRequest, caller: Caller) -> None:
        """Stream order events from a number on."""
        own = core.journal.identity
        if request.journal not in ("", own):
            text = f"this gateway keeps the journal {own}, not {request.journal}; begin anew, from 1 for all it has"
            raise precondition(text, "JOURNAL_CHANGED", journal=own)
        if request.from_sequence < 0:
            raise invalid(f"from_sequence {request.from_sequence}: 1 or more, or 0 for what comes from now on")
        await follow_orders(core, caller, request.from_sequence, _kept, _told)

    @rpc
    async def Orders(self, core: Core, request: pb.OrdersRequest, caller: Caller) -> pb.OrdersResponse:
        """The journal's orders of a day."""
        day = request.day
        if day and not (len(day) == 8 and day.isdecimal()):
            raise invalid(f"bad day {day!r}: YYYYMMDD, or empty for today")
        records = await asyncio.to_thread(lambda: core.journal.orders(day, unsettled=request.unsettled))
        return pb.OrdersResponse(
            journal=core.journal.identity,
            last_sequence=core.journal.last_sequence,
            orders=[_order(record) for record in records],
        )

    @rpc
    async def Halt(self, core: Core, request: pb.HaltRequest, caller: Caller) -> pb.HaltResponse:
        """Throw the kill switch, then cancel what is open, where that is asked for."""
        reason = request.reason.strip() or NO_REASON
        try:
            halt = await asyncio.wrap_future(core.journal.halt(caller.principal.name, reason))
        except JournalFailed as error:
            text = f"halted for now, but not over a restart: {error}; nothing was cancelled"
            raise unavailable(text, "JOURNAL_FAILED") from None
        cancelled = await cancel_open_orders(core, caller) if request.cancel_open else []
        return pb.HaltResponse(state=_halt(halt), cancellations=cancelled)

    @rpc
    async def Release(self, core: Core, request: pb.ReleaseRequest, caller: Caller) -> pb.ReleaseResponse:
        """Let orders through again."""
        before = core.journal.halted
        try:
            await asyncio.wrap_future(core.journal.release())
        except JournalFailed as error:
            raise unavailable(f"still halted: {error}", "JOURNAL_FAILED") from None
        return pb.ReleaseResponse(state=_halt(before))

    @rpc
    async def Status(self, core: Core, request: pb.StatusRequest, caller: Caller) -> pb.StatusResponse:
        """What state the gateway is in."""
        return pb.StatusResponse(
            serving=core.health.serving,
            state=core.health.state.value,
            text=core.health.text,
            halt=_halt(core.journal.halted),
            journal=core.journal.identity,
            last_sequence=core.journal.last_sequence,
            unsettled=len(core.journal.orders(unsettled=True)),
            until=_time(core.health.until) if core.health.until else None,
            notices=core.health.notices,
        )


def _time(when: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(when)
    return stamp


def _kept(kept: OrderEvent) -> pb.OrderEvent:
    event = message(kept)
    return pb.OrderEvent(
        sequence=kept.sequence,
        time=_time(kept.time),
        event=event,
        order_id=kept.order_id,
        recovered=kept.recovered,
    )


def _told(event: Event) -> pb.OrderEvent:
    return pb.OrderEvent(
        sequence=event.sequence,
        time=_time(event.time) if event.time else None,
        event=event.message,
        order_id=event.order_id,
        recovered=event.recovered,
    )


def _halt(halt: Halt | None) -> pb.HaltState:
    if halt is None:
        return pb.HaltState()
    return pb.HaltState(halted=True, by=halt.by, reason=halt.reason, since=_time(halt.since))


def _order(record: OrderRecord) -> pb.Order:
    order = record.order
    return pb.Order(
        id=record.id,
        time=_time(record.time),
        client=record.client,
        function=order.function,
        request_name=record.client_request,
        account=order.account,
        order_type=order.order_type,
        code=order.code,
        quantity=order.quantity,
        price=order.price,
        quote_type=order.quote_type,
        original=order.original,
        number=record.number,
        state=record.state.value,
        open=record.open,
        filled=record.filled,
        amount=record.amount,
        message=record.message,
        changed=_time(record.changed),
    )
