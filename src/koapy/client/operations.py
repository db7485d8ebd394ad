"""The gateway's own service, koapy.v1: its state, the kill switch, and the journal of orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from koapy.client import requests
from koapy.client.plan import Ask, waits
from koapy.openapi.calendar import KST
from koapy.protocol import gateway_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from google.protobuf.timestamp_pb2 import Timestamp

    from koapy.client.plan import Plan


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What became of the cancellation of an open order, when the gateway was halted."""

    account: str
    code: str
    original: str
    """주문번호 of the open order."""
    quantity: int
    error: str
    """Why it could not be cancelled; "" when it was."""


@dataclass(frozen=True, slots=True)
class Halt:
    """The kill switch."""

    halted: bool
    """Whether new orders and modifications are refused."""
    by: str = ""
    """Who halted it."""
    reason: str = ""
    since: datetime | None = None
    """In KST; None when it is not halted."""
    cancellations: tuple[Cancellation, ...] = ()
    """What `halt` was asked to cancel."""


@dataclass(frozen=True, slots=True)
class Status:
    """What state a gateway is in."""

    serving: bool
    """The same as gRPC health checking says."""
    state: str
    """SERVING, NOT_LOGGED_IN, JOURNAL_FAILED, CONNECTION_LOST, MAINTENANCE, UPGRADING, CONTROL_FROZEN or
    SHUTTING_DOWN."""
    text: str
    """What that means and what leads out of it, for people."""
    halt: Halt
    journal: str
    """Identity of the journal of orders; "" without one."""
    last_sequence: int
    """Number of the last order event."""
    unsettled: int
    """Orders of today whose end is not known yet."""
    until: datetime | None = None
    """When there will be a connection to OpenAPI+ again, in KST, as far as is known; None while there is one."""
    notices: tuple[str, ...] = ()
    """What somebody should look at: boxes on the screen of OpenAPI+, and what is about to happen."""


@dataclass(frozen=True, slots=True)
class JournalOrder:
    """An order as the gateway's journal knows it; amounts and prices in won."""

    id: int
    time: datetime
    """When it was to be sent, in KST."""
    client: str
    """Who sent it: the name of a token or certificate, "local" without authentication."""
    function: str
    """SendOrder, SendOrderCredit or SendOrderFO."""
    request_name: str
    account: str
    order_type: int
    code: str
    quantity: int
    price: int
    quote_type: str
    original: str
    """The order that this one cancels or modifies."""
    number: str
    """주문번호; "" while it is not known."""
    state: str
    """intended, sent, refused, accepted, partly filled, filled, confirmed, cancelled, modified, rejected, expired or
    undetermined."""
    open: int
    filled: int
    amount: int
    """Sum of price x quantity of its fills."""
    message: str
    """OpenAPI+'s last text about it, or why it is undetermined."""
    changed: datetime
    """In KST."""


@dataclass(frozen=True, slots=True)
class JournalOrders:
    """Orders of a day, oldest first, and up to where the journal was read for them; iterates over the orders."""

    journal: str
    last_sequence: int
    """`order_events(since=last_sequence + 1, journal=journal)` tells what happens after it."""
    orders: tuple[JournalOrder, ...]

    def __iter__(self) -> Iterator[JournalOrder]:
        return iter(self.orders)

    def __len__(self) -> int:
        return len(self.orders)


class Operations:
    """What a gateway says of itself. Older ones do not: Unimplemented."""

    @waits
    def status(self) -> Plan[Status]:
        """What state the gateway is in, and why."""
        reply = yield Ask("Status", pb.StatusRequest(), repeatable=True)
        return Status(
            serving=reply.serving,
            state=reply.state,
            text=reply.text,
            halt=_halt(reply.halt),
            journal=reply.journal,
            last_sequence=reply.last_sequence,
            unsettled=reply.unsettled,
            until=_time(reply.until) if reply.HasField("until") else None,
            notices=tuple(reply.notices),
        )

    @waits
    def halt(self, reason: str, cancel_open: bool = False) -> Plan[Halt]:
        """Pull the kill switch: new orders and modifications of everybody are refused, over restarts, until `release`.

        Args:
            reason: told to whoever is refused.
            cancel_open: cancel every open order of every account too, those of other programs included.

        Raises: PermissionDenied without the role for it.
        """
        # Made again after a lost connection: halting twice is safe, not halting is not.
        reply = yield Ask("Halt", pb.HaltRequest(reason=reason, cancel_open=cancel_open), repeatable=True)
        return _halt(reply.state, reply.cancellations)

    @waits
    def release(self) -> Plan[Halt]:
        """Let orders through again; gives what it was released from. Raises: PermissionDenied."""
        reply = yield Ask("Release", pb.ReleaseRequest())
        return _halt(reply.state)

    @waits
    def journal_orders(self, day: date | str | None = None, unsettled: bool = False) -> Plan[JournalOrders]:
        """Orders of a day (a date or YYYYMMDD, in KST; today unless given) as the journal knows them.

        Args:
            unsettled: only those that may still change.
        """
        request = pb.OrdersRequest(day="" if day is None else requests.text(day), unsettled=unsettled)
        reply = yield Ask("Orders", request, repeatable=True)
        return JournalOrders(reply.journal, reply.last_sequence, tuple(map(_order, reply.orders)))


def _halt(state: pb.HaltState, cancellations: Iterable[pb.Cancellation] = ()) -> Halt:
    made = tuple(
        Cancellation(each.account, each.code, each.original, each.quantity, each.error) for each in cancellations
    )
    return Halt(state.halted, state.by, state.reason, _time(state.since) if state.HasField("since") else None, made)


def _order(order: pb.Order) -> JournalOrder:
    return JournalOrder(
        id=order.id,
        time=_time(order.time),
        client=order.client,
        function=order.function,
        request_name=order.request_name,
        account=order.account,
        order_type=order.order_type,
        code=order.code,
        quantity=order.quantity,
        price=order.price,
        quote_type=order.quote_type,
        original=order.original,
        number=order.number,
        state=order.state,
        open=order.open,
        filled=order.filled,
        amount=order.amount,
        message=order.message,
        changed=_time(order.changed),
    )


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC).astimezone(KST)
