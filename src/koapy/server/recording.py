"""Between the gateway's events and the journal's: what of an event the state of an order is derived from, and back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST
from koapy.orders.model import OrderEvent
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.events import ReceiveChejanData, ReceiveMsg, ReceiveTrData, Table

if TYPE_CHECKING:
    from koapy.server.events import Event

ACCOUNT, CODE, NUMBER, ORIGINAL = 9201, 9001, 9203, 904
STATE, KIND, ORDERED, OPEN, AMOUNT, FILLED = 913, 905, 900, 902, 903, 911
NO_ORIGINAL = "0000000"

OrderRelated = ReceiveMsg | ReceiveTrData | ReceiveChejanData


def recorded(event: OrderRelated, request: str) -> OrderEvent:
    """The event for the journal; `request` is the name at the control of what it answers, "" of a chejan event."""
    time = event.time or datetime.now(KST)
    # In the order of OrderEvent's fields.
    always = (event.sequence, time, event.name, event.encoded, event.recovered, event.order_id, request)
    if isinstance(event, ReceiveMsg):
        return OrderEvent(*always, text=event.text)
    if isinstance(event, ReceiveTrData):
        return OrderEvent(*always, number=event.order_number)
    value, number = event.by_fid.get, event.number
    original = value(ORIGINAL, "")
    return OrderEvent(
        *always,
        gubun=event.gubun,
        account=value(ACCOUNT, ""),
        code=plain_code(value(CODE, "")),
        number=value(NUMBER, ""),
        original="" if original == NO_ORIGINAL else original,
        state=value(STATE, ""),
        kind=value(KIND, ""),
        ordered=number(ORDERED) or 0,
        open=number(OPEN) or 0,
        filled=number(FILLED),
        amount=number(AMOUNT),
    )


def message(kept: OrderEvent) -> pb.ListenResponse:
    """The event as it went to clients."""
    return pb.ListenResponse.FromString(kept.message)


def replayed(kept: OrderEvent) -> Event:
    """The event again, for a machine that follows the order it tells of."""
    event = _replayed(kept.name, message(kept)).numbered(kept.sequence, kept.time)
    return event.as_recovered() if kept.recovered else event


def _replayed(name: str, told: pb.ListenResponse) -> Event:
    texts = [each.string_value for each in told.arguments]
    single = told.single_data
    if name == "OnReceiveMsg":
        return ReceiveMsg(*texts)
    if name == "OnReceiveTrData":
        table = Table(tuple(single.names), (tuple(single.values),)) if told.HasField("single_data") else None
        screen, request, code, record, prev_next = texts
        return ReceiveTrData(screen, request, code, record, prev_next, table)
    gubun, count, fid_list = texts[0], told.arguments[1].long_value, texts[2]
    fids = [int(fid) for fid in fid_list.split(";") if fid]
    names, values = (dict(zip(fids, each, strict=True)) for each in (single.names, single.values))
    return ReceiveChejanData(gubun, count, fid_list, tuple(names.values()), values)


def plain_code(code: str) -> str:
    """A code without the letter for its kind (A005930 -> 005930)."""
    return code[1:] if len(code) > 6 and code[:1].isalpha() else code
