"""An order as its events tell it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from koapy.client import parse, requests
from koapy.client.errors import (
    ConnectionLost,
    DeadlineExceeded,
    KoapyError,
    OpenApiError,
    OrderFailed,
    OrderUnknown,
    ServerError,
)
from koapy.client.parse import Accepted, Chejan, Message, OrderEvent
from koapy.client.plan import Source
from koapy.client.requests import ORDER_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.client.plan import Metadata
    from koapy.client.requests import Action, Side
    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb


class OrderState(StrEnum):
    """How far an order is."""

    SENT = "sent"
    """No answer from the exchange yet."""
    ACCEPTED = "accepted"
    """접수, nothing filled."""
    PARTLY_FILLED = "partly filled"
    FILLED = "filled"
    """체결 in full."""
    CONFIRMED = "confirmed"
    """확인: this cancellation or modification is done. A modification lives on as an order of its own number."""
    CANCELLED = "cancelled"
    """What was open has been cancelled; `filled` tells what was not."""
    MODIFIED = "modified"
    """Another order, the modification, has taken its place."""
    REJECTED = "rejected"
    """Refused; the reason is in `message`."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order and what has become of it; amounts and prices in won."""

    account: str
    code: str
    side: Side
    action: Action
    quantity: int
    """As ordered."""
    price: int
    """As ordered; 0 for 시장가."""
    quote_type: str
    """거래구분: 00 지정가, 03 시장가, ..."""
    original: str = ""
    """The order that this one cancels or modifies."""
    number: str = ""
    """주문번호, 7 digits; "" before the answer and for refused orders."""
    state: OrderState = OrderState.SENT
    filled: int = 0
    """Quantity filled."""
    amount: int = 0
    """Sum of price x quantity of its fills."""
    open: int = 0
    """Quantity still open."""
    message: str = ""
    """The last text from the server."""
    events: tuple[OrderEvent, ...] = field(default=(), repr=False)
    """Everything that was told, in its order."""

    @property
    def standing(self) -> bool:
        """Whether the exchange has accepted it, whatever became of it since."""
        return self.state not in (OrderState.SENT, OrderState.REJECTED)

    @property
    def average_price(self) -> float:
        """Average price of the fills; 0.0 without one."""
        return self.amount / self.filled if self.filled else 0.0


@dataclass(slots=True)
class OrderLog:
    """What was asked and what has been told of it so far."""

    request: pb.OrderRequest
    journal: str = ""
    """The journal that the order is for; "" when it cannot be sent again safely."""
    events: list[OrderEvent] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    """Numbers of the messages that have been read."""
    key: Metadata = field(default_factory=requests.idempotency)
    """The same for all tries."""
    perhaps_sent: bool = False
    """Whether an earlier try may have sent it."""

    def parse(self, message: pb.ListenResponse) -> Sequence[OrderEvent]:
        """The events of a message, kept for the summary; none of one that was read before the connection broke."""
        if message.sequence in self.seen:
            return ()
        if message.sequence:
            self.seen.add(message.sequence)
        events = list(parse.order_event(message))
        self.events.extend(events)
        return events

    def source(self) -> Source[OrderEvent]:
        """The stream that sends the order, or joins that of an earlier try."""
        metadata = (*self.key, *requests.expected(self.journal))
        return Source(
            "OrderCall", self.request, self.parse, metadata, self.failed, again=self.again, journal=self.journal
        )

    def again(self, error: KoapyError, sequence: int) -> Source[OrderEvent] | None:
        """How to go on after `error`; not at all where that might send the order twice or tell an event twice."""
        if error.reason == "JOURNAL_CHANGED":
            # Refused before it was sent, so it may be meant for the other journal, unless an earlier try was not.
            told = error.details.get("journal", "")
            self.journal = told if requests.sendable(told) else ""
            return self.source() if self.journal and not self.perhaps_sent else None
        if isinstance(error, ConnectionLost) and not error.reached:
            return self.source()
        numbered = all(event.sequence for event in self.events)
        refused = error.reason == "JOURNAL_FAILED" and not self.events and not self.perhaps_sent
        if not self.journal or not numbered or refused:
            return None
        self.perhaps_sent = True
        return self.source()

    @property
    def order(self) -> Order:
        """The summary so far."""
        return summary(self.request, self.events)

    def failed(self, error: KoapyError) -> KoapyError:
        """The error with which the order's stream ends: it has the summary when the order may have been sent."""
        order = self.order
        error = uncertain(error, _known(order), order, perhaps_sent=self.perhaps_sent)
        if isinstance(error, OpenApiError):
            failed = OrderFailed(
                str(error),
                reason=error.reason,
                code=error.code,
                name=error.name,
                message=error.message,
                details=error.details,
            )
            failed.order = order
            return failed
        return error


def uncertain(error: KoapyError, known: str, order: Order | None = None, *, perhaps_sent: bool = False) -> KoapyError:
    """OrderUnknown, when this error, or an earlier try, leaves open what became of an order; else the error itself."""
    open_ = isinstance(error, DeadlineExceeded | ServerError) or error.reason in _OPEN
    lost = isinstance(error, ConnectionLost) and error.reached
    settled = isinstance(error, OpenApiError) and not open_
    if not perhaps_sent and error.details.get("sent") == "no":
        return error
    if settled or not (open_ or lost or perhaps_sent):
        return error
    then = "it was not sent a second time; look at open_orders and fills before you order again"
    unknown = OrderUnknown(f"{known}: {error}; {then}", reason=error.reason, details=error.details)
    unknown.order = order
    return unknown


_OPEN = frozenset({"ORDER_UNDETERMINED", "STREAM_QUEUE_FULL"})
"""Reasons that leave open what became of an order, whatever their status."""


def _known(order: Order) -> str:
    if not order.number:
        return f"whether the order of {order.quantity} {order.code} was accepted is not known"
    return (
        f"order {order.number} was {order.state} with {order.filled} of {order.quantity} filled when its stream broke"
    )


def summary(request: pb.OrderRequest, events: Sequence[OrderEvent]) -> Order:
    """What the events make of the order. Events may come in any order; the number is known from the answer only."""
    side, action = next(key for key, code in ORDER_TYPES.items() if code == request.order_type)
    answer = next((event for event in events if isinstance(event, Accepted)), None)
    number = answer.number if answer else ""
    messages = [event.text for event in events if isinstance(event, Message)]
    own = [event for event in events if isinstance(event, Chejan) and number and event.order_number == number]
    last = own[-1] if own else None
    fills = [event for event in own if event.fids.get(911)]
    return Order(
        account=request.account_no,
        code=request.code,
        side=side,
        action=action,
        quantity=request.quantity,
        price=request.price,
        quote_type=request.quote_type,
        original=request.original_order_no,
        number=number,
        state=_state(own, events) if answer is None or number else OrderState.REJECTED,
        filled=fills[-1].number_of(911) if fills else 0,
        amount=fills[-1].number_of(903) if fills else 0,
        open=last.number_of(902) if last else 0,
        message=messages[-1] if messages else "",
        events=tuple(events),
    )


def _state(own: Sequence[Chejan], events: Sequence[OrderEvent]) -> OrderState:
    """The state that the order's own events tell; a closing one says only by others what closed it."""
    if not own:
        return OrderState.SENT
    last, filled = own[-1], max(event.number_of(911) for event in own)
    if not filled and any(event.state == "확인" for event in own):
        return OrderState.CONFIRMED
    if last.number_of(902):
        return OrderState.PARTLY_FILLED if filled else OrderState.ACCEPTED
    if filled >= last.number_of(900):
        return OrderState.FILLED
    replaced = any(
        isinstance(event, Chejan) and event.original == last.order_number and "정정" in event.kind for event in events
    )
    return OrderState.MODIFIED if replaced else OrderState.CANCELLED
