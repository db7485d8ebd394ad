"""What an event makes of an order. Pure: the journal applies it as it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from koapy.orders.model import OrderState
from koapy.orders.verdict import action

if TYPE_CHECKING:
    from datetime import datetime

    from koapy.orders.model import OrderEvent, OrderRecord

ACCEPTED, TRADED, CONFIRMED = "접수", "체결", "확인"
ORDER = "0"


Changes = dict[str, Any]
"""Fields of an order, and what they have become."""


def changed(record: OrderRecord, changes: Changes, when: datetime) -> OrderRecord:
    """The order with these changes; the same one where they change nothing."""
    for name, value in changes.items():
        if getattr(record, name) != value:
            return record._replace(changed=when, **changes)
    return record


def returned(record: OrderRecord, code: int) -> Changes:
    """SendOrder returned `code`."""
    if record.state is not OrderState.INTENDED:  # its events know better
        return {"returned": code}
    return {"returned": code, "state": OrderState.REFUSED if code < 0 else OrderState.SENT}


def told(record: OrderRecord, event: OrderEvent) -> OrderRecord:
    """What `event` makes of the order; the same record where it is not about it, or tells nothing new."""
    return changed(record, _changes(record, event), event.time)


def _changes(record: OrderRecord, event: OrderEvent) -> Changes:
    if event.name == "OnReceiveMsg":
        return {"message": event.text} if event.request == record.request else {}
    if event.name == "OnReceiveTrData":
        return _answered(record, event) if event.request == record.request and not record.number else {}
    if event.gubun != ORDER or not record.number or event.account != record.order.account:
        return {}
    if event.number == record.number:
        return _own(record, event)
    if event.original == record.number and event.state == CONFIRMED:
        return _changed_by(record, event)
    return {}


def _is_through(record: OrderRecord) -> bool:
    """Whether it is known how the order ended."""
    return record.state.settled and record.state is not OrderState.UNDETERMINED


def _answered(record: OrderRecord, event: OrderEvent) -> Changes:
    if _is_through(record):  # the lists have told how it ended
        return {"number": event.number}
    if not event.number:
        return {"state": OrderState.REFUSED}
    live = 0 if action(record.order) == "cancel" else record.order.quantity
    return {"state": OrderState.ACCEPTED, "number": event.number, "open": live}


def _own(record: OrderRecord, event: OrderEvent) -> Changes:
    """An event of the order itself. What is through stays through; late events can only add to its fills."""
    if event.recovered and (event.filled or 0) < record.filled:
        return {}  # told by the lists before the last fill was
    filled = max(record.filled, event.filled or 0)
    changes: Changes = {"filled": filled, "amount": max(record.amount, event.amount or 0), "open": event.open}
    if _is_through(record):
        return changes | {"open": 0}
    if event.state not in (ACCEPTED, TRADED, CONFIRMED):
        return changes | {"open": 0, "state": OrderState.REJECTED}
    return changes | {"state": _standing(record, event, filled)}


def _standing(record: OrderRecord, event: OrderEvent, filled: int) -> OrderState:
    if event.open:
        return OrderState.PARTLY_FILLED if filled else OrderState.ACCEPTED
    if action(record.order) == "cancel":
        return OrderState.CONFIRMED if event.state == CONFIRMED else OrderState.ACCEPTED
    if filled >= record.order.quantity or (event.ordered and filled >= event.ordered):
        return OrderState.FILLED
    return OrderState.CONFIRMED if event.state == CONFIRMED else OrderState.CANCELLED


def _changed_by(record: OrderRecord, event: OrderEvent) -> Changes:
    """The confirmation of an order that cancels or modifies this one, all of it or a part."""
    if record.state.settled:
        return {}
    amount = event.ordered or record.open
    if amount < record.open:
        return {"open": record.open - amount}
    return {"state": OrderState.MODIFIED if "정정" in event.kind else OrderState.CANCELLED, "open": 0}
