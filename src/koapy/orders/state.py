"""What an event makes of an order. Pure: the journal applies it as it writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from koapy.orders.model import OrderState
from koapy.orders.verdict import action

if TYPE_CHECKING:
    from koapy.orders.model import OrderEvent, OrderRecord

ACCEPTED, TRADED, CONFIRMED = "접수", "체결", "확인"
ORDER = "0"


def returned(record: OrderRecord, code: int) -> OrderRecord:
    """SendOrder returned `code`."""
    record = replace(record, returned=code)
    if record.state is not OrderState.INTENDED:  # its events know better
        return record
    return replace(record, state=OrderState.REFUSED if code < 0 else OrderState.SENT)


def told(record: OrderRecord, event: OrderEvent) -> OrderRecord:
    """What `event` makes of the order; the same record where it is not about it."""
    if event.name == "OnReceiveMsg":
        return replace(record, message=event.text) if event.request == record.request else record
    if event.name == "OnReceiveTrData":
        return _answered(record, event) if event.request == record.request and not record.number else record
    if event.gubun != ORDER or not record.number or event.account != record.order.account:
        return record
    if event.number == record.number:
        return _own(record, event)
    if event.original == record.number and event.state == CONFIRMED:
        return _changed_by(record, event)
    return record


def _answered(record: OrderRecord, event: OrderEvent) -> OrderRecord:
    if not event.number:
        return replace(record, state=OrderState.REFUSED)
    live = 0 if action(record.order) == "cancel" else record.order.quantity
    return replace(record, state=OrderState.ACCEPTED, number=event.number, open=live)


def _own(record: OrderRecord, event: OrderEvent) -> OrderRecord:
    """An event of the order itself. What is through stays through; late events can only add to its fills."""
    if event.recovered and (event.filled or 0) < record.filled:
        return record  # told by the lists before the last fill was
    filled = max(record.filled, event.filled or 0)
    amount = max(record.amount, event.amount or 0)
    record = replace(record, filled=filled, amount=amount, open=event.open)
    if record.state.settled and record.state is not OrderState.UNDETERMINED:
        return replace(record, open=0)
    if event.state not in (ACCEPTED, TRADED, CONFIRMED):
        return replace(record, state=OrderState.REJECTED, open=0)
    if event.open:
        return replace(record, state=OrderState.PARTLY_FILLED if filled else OrderState.ACCEPTED)
    if action(record.order) == "cancel":
        done = event.state == CONFIRMED
        return replace(record, state=OrderState.CONFIRMED if done else OrderState.ACCEPTED)
    if filled >= record.order.quantity or (event.ordered and filled >= event.ordered):
        return replace(record, state=OrderState.FILLED)
    if event.state == CONFIRMED:
        return replace(record, state=OrderState.CONFIRMED)
    return replace(record, state=OrderState.CANCELLED)


def _changed_by(record: OrderRecord, event: OrderEvent) -> OrderRecord:
    """The confirmation of an order that cancels or modifies this one, all of it or a part."""
    if record.state.settled:
        return record
    amount = event.ordered or record.open
    if amount < record.open:
        return replace(record, open=record.open - amount)
    state = OrderState.MODIFIED if "정정" in event.kind else OrderState.CANCELLED
    return replace(record, state=state, open=0)
