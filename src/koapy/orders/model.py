"""Orders as the gateway keeps them, and what it was asked to send."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class OrderState(StrEnum):
    """How far an order is, as far as the gateway knows."""

    INTENDED = "intended"
    """On disk, perhaps sent: nothing has come back."""
    SENT = "sent"
    """SendOrder returned 0; no number yet."""
    REFUSED = "refused"
    """A negative return code, an empty 주문번호, or never sent."""
    ACCEPTED = "accepted"
    """It has a number, nothing is filled."""
    PARTLY_FILLED = "partly filled"
    FILLED = "filled"
    CONFIRMED = "confirmed"
    """A cancellation, or a modification that nothing is left of: done."""
    CANCELLED = "cancelled"
    MODIFIED = "modified"
    """Another order has taken its place."""
    REJECTED = "rejected"
    """Thrown out by the exchange after it had its number."""
    EXPIRED = "expired"
    """Open when the day ended."""
    UNDETERMINED = "undetermined"
    """opt10075 and opt10076 do not tell what became of it."""

    @property
    def settled(self) -> bool:
        """Whether nothing more can become of it."""
        return self not in _UNSETTLED

    @property
    def unnumbered(self) -> bool:
        """Whether it may stand at the exchange under a number that is not known, and has not been given up."""
        return self in (OrderState.INTENDED, OrderState.SENT)


_UNSETTLED = frozenset({OrderState.INTENDED, OrderState.SENT, OrderState.ACCEPTED, OrderState.PARTLY_FILLED})


class NewOrder(NamedTuple):
    """What somebody wants sent, in the words of SendOrder and its sisters."""

    function: str
    """SendOrder, SendOrderCredit or SendOrderFO."""
    account: str
    order_type: int
    """nOrderType; of SendOrderFO its lOrdKind."""
    code: str
    quantity: int
    price: int
    """In won; 0 for market orders and cancels. SendOrderFO's decimal price stands in `extra`."""
    quote_type: str
    original: str = ""
    """The order that is cancelled or modified."""
    extra: tuple[str, ...] = ()
    """What only the sisters take (credit kind, loan date, ...)."""


class OrderRecord(NamedTuple):
    """An order of the journal, as far as the journal knows it."""

    id: int
    key: str | None
    """The idempotency key that it came with."""
    client: str
    """Who sent it."""
    time: datetime
    request: str
    """Its request name at the control, unique in the journal."""
    client_request: str
    client_screen: str
    order: NewOrder
    first_sequence: int
    """Its events have this number or a later one."""
    state: OrderState
    changed: datetime
    returned: int | None = None
    """What SendOrder returned."""
    number: str = ""
    """주문번호."""
    open: int = 0
    filled: int = 0
    amount: int = 0
    """Sum of price x quantity of the fills, in won."""
    message: str = ""

    @property
    def in_doubt(self) -> bool:
        """Whether it may have been sent, and what SendOrder returned is not known."""
        return self.state is OrderState.INTENDED

    @property
    def may_stand_unknown(self) -> bool:
        """Whether it may stand at the exchange under a number that is not known, given up or not."""
        return self.state.unnumbered or (self.state is OrderState.UNDETERMINED and not self.number)


class OrderEvent(NamedTuple):
    """One event about orders, with what the state of an order is derived from; a row of the journal."""

    sequence: int
    """1, 2, 3, ... without gaps."""
    time: datetime
    name: str
    """OnReceiveMsg, OnReceiveTrData or OnReceiveChejanData."""
    message: bytes
    """The event as it goes to clients, encoded."""
    recovered: bool = False
    """Made from opt10075 and opt10076; the control never told it."""
    order_id: int = 0
    """The order of the journal that it tells of; 0: none of them."""
    request: str = ""
    """Of an answer or a text: the request's name at the control."""
    text: str = ""
    """Of OnReceiveMsg."""
    gubun: str = ""
    """Of OnReceiveChejanData: 0 order, 1 and 4 balance."""
    account: str = ""
    code: str = ""
    """Without the letter for its kind."""
    number: str = ""
    """주문번호 of an answer or an order event; "" in the answer to a refused order."""
    original: str = ""
    """원주문번호, "" for none."""
    state: str = ""
    """주문상태 (913)."""
    kind: str = ""
    """주문구분 (905): +매수, 매도취소, +매수정정, ..."""
    ordered: int = 0
    open: int = 0
    filled: int | None = None
    """체결량 (911); None where the event tells none."""
    amount: int | None = None
    """체결누계금액 (903) in won; None likewise."""


class Halt(NamedTuple):
    """The kill switch is on."""

    by: str
    reason: str
    since: datetime
