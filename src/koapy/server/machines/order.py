"""OrderCall: one order from SendOrder to the last event that belongs to it.

A new order ends with the balance event after its last fill, or with its closing signal when it is cancelled or
modified. A cancellation or modification ends, after its own 확인, with the closing signal of the order it changes.
A balance event does not say which order caused it, so any of this account and code ends a stream whose own order is
through.

Chejan events that overtake the answer to SendOrder wait here for the order's number; the stream is the same either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.order import order_type
from koapy.orders.model import OrderState
from koapy.server.events import (
    EventConnect,
    OrderSettled,
    ReceiveChejanData,
    ReceiveMsg,
    ReceiveRealData,
    ReceiveTrData,
)
from koapy.server.failure import refused
from koapy.server.machines import Ask, Done, Limit, Numbered, Send
from koapy.server.machines.endings import lost, negative, told

if TYPE_CHECKING:
    from koapy.orders.model import NewOrder
    from koapy.server.events import Event
    from koapy.server.failure import Failure
    from koapy.server.machines import Effect

ACCOUNT, CODE, NUMBER, ORIGINAL = 9201, 9001, 9203, 904
STATE, ORDERED, OPEN, FILLED, FILLED_NOW, REJECTED_FOR, CLOSING = 913, 900, 902, 911, 915, 919, 819
STATES = ACCEPTED, TRADED, CONFIRMED = "접수", "체결", "확인"
ORDER, BALANCES = "0", ("1", "4")

EXPIRED = "EXPIRED"
"""The reason with which the stream of an order ends that its day leaves open."""

SESSION_OVER, DAY_OVER = "8", "9"
"""Phases of FID 215: the regular session is over, the whole day with its after-hours sessions is."""

AFTER_HOURS = frozenset({"61", "62", "81"})
"""Quote types of the sessions before and after the regular one."""

FILL_OR_KILL = frozenset({"10", "13", "16", "20", "23", "26"})
"""Quote types of which nothing stays open: IOC and FOK."""


class Order:
    """Sends one order and forwards what belongs to it."""

    def __init__(self, request: str, screen: str, order: NewOrder) -> None:
        self._request = request
        self._screen = screen
        self._order = order
        kind = order_type(order.order_type)
        self._original = order.original if kind and kind.action != "new" else ""
        self._number = ""
        self._sent = False
        self._reason = ""
        self._early: list[ReceiveChejanData] = []
        self._open = order.quantity
        self._filled_up = False
        self._confirmed = False
        self._original_closed = False
        self._changed_in_part: set[str] = set()

    @property
    def number(self) -> str:
        """주문번호, "" before the control has given it."""
        return self._number

    @property
    def fate(self) -> str:
        """What is known of the order, for a failure that has another cause."""
        if self._number and self._through:
            return f"the order {self._number} is through"
        if self._number:
            return f"the order {self._number} was accepted with {self._open} open; ask opt10075 and opt10076 for it"
        if self._sent:
            return "the order was sent, its number is not known; ask opt10075 and opt10076 before sending it again"
        return "nothing is known of the order; ask opt10075 and opt10076 before sending it again"

    @property
    def waiting_for(self) -> str:
        """The order's number; after that the market takes its time."""
        return "" if self._number else f"주문번호 of the order {self._request!r}; {self.fate}"

    def start(self) -> list[Effect]:
        """Send the order."""
        a = self._order
        # SendOrder's own order of arguments.
        target = (self._request, self._screen, a.account)
        values = (*target, a.order_type, a.code, a.quantity, a.price, a.quote_type, a.original)
        return [Ask((("SendOrder", values),), Limit.ORDER)]

    def returned(self, ask: Ask, value: object) -> list[Effect]:
        """A negative return of SendOrder: the order was not sent."""
        failure = negative(ask, value)
        self._sent = failure is None
        return [Done(failure)] if failure else []

    def received(self, event: Event) -> list[Effect]:
        """Forward what belongs to the order; end when it is through, refused, or the connection is lost."""
        match event:
            case ReceiveMsg():
                self._reason = event.text
                return [Send(event)]
            case ReceiveTrData():
                return self._answered(event)
            case ReceiveChejanData():
                return self._chejan(event)
            case ReceiveRealData(real_type="장시작시간", raw=raw):
                return self._phase(raw.partition("\t")[0])
            case EventConnect():
                failure = lost(event, self.fate)
                return [Done(failure)] if failure else []
            case OrderSettled():
                return [Done(self._settled(event))]
        return []

    def _settled(self, event: OrderSettled) -> Failure | None:
        """How an order ends whose own events do not tell, as the gateway was away when they came."""
        order = f"the order {self._number}" if self._number else "the order"
        match event.state:
            case OrderState.UNDETERMINED:
                return refused(
                    f"what became of {order} cannot be determined: {event.text}", reason="ORDER_UNDETERMINED"
                )
            case OrderState.EXPIRED:
                return refused(f"{order} expired with its day", reason=EXPIRED, order=self._number)
            case OrderState.REFUSED | OrderState.REJECTED:
                return told(f"{order} was refused", event.text or self._reason or "OpenAPI+ gave no reason")
        return None

    def _phase(self, phase: str) -> list[Effect]:
        """The trading day goes on; what is still open when the order's session has ended is no more."""
        after_hours = self._order.quote_type in AFTER_HOURS
        if phase not in (DAY_OVER, *(() if after_hours else (SESSION_OVER,))) or not self._number or self._through:
            return []
        text = f"the order {self._number} expired with the session: {self._open} of {self._order.quantity} open"
        return [Done(refused(text, reason=EXPIRED, order=self._number))]

    def release(self) -> list[Ask]:
        """Nothing was taken: an order registers nothing under its screen."""
        return []

    @property
    def _through(self) -> bool:
        """Whether nothing more can happen to the order itself; semantics call it armed."""
        return self._filled_up or self._confirmed

    def _answered(self, event: ReceiveTrData) -> list[Effect]:
        effects: list[Effect] = [Send(event)]
        if self._number:
            return effects
        self._number = event.order_number
        if not self._number:
            reason = self._reason or "OpenAPI+ gave no reason"
            return [*effects, Done(told("the order was refused", reason))]
        early, self._early = self._early, []
        return [*effects, Numbered(), *(effect for each in early for effect in self._chejan(each))]

    def _chejan(self, event: ReceiveChejanData) -> list[Effect]:
        if event[ACCOUNT] != self._order.account or not event[CODE].endswith(self._order.code):
            return []
        if not self._number:
            self._early.append(event)
            return []
        if event.gubun in BALANCES:
            return [Send(event), *_end(self._through)]
        if event.gubun != ORDER:
            return [Done(refused(f"the control sent a chejan event of the unknown gubun {event.gubun!r}; {self.fate}"))]
        if event[NUMBER] == self._number:
            effects = [Send(event), *self._own(event)]
            # The events that would end it came while the gateway was away.
            over = event.recovered and (self._original != "" or not self._open)
            return effects if isinstance(effects[-1], Done) else [*effects, *_end(over)]
        if event[ORIGINAL] == self._number:
            return [Send(event), *self._changed_by(event)]
        if self._original and event[NUMBER] == self._original:
            return [Send(event), *self._of_original(event)]
        return []

    def _own(self, event: ReceiveChejanData) -> list[Effect]:
        state, rest, is_new = event[STATE], event.number(OPEN), not self._original
        if is_new and rest == 0 and self._order.quote_type in FILL_OR_KILL and not _is_fill(event):
            return [Done()]
        if state not in STATES:
            return [Done(_rejected(event))]
        was_confirmed = self._confirmed
        self._open = self._open if rest is None else rest
        if is_new and rest:
            self._confirmed = False  # what was confirmed has changed a part of it only
        self._confirmed |= state == CONFIRMED
        if self._confirmed and self._original_closed:
            return [Done()]
        self._filled_up |= state == TRADED and rest == 0
        if CLOSING in event.by_fid:
            return _end(event[CLOSING] == "1" and (self._through or (is_new and rest == 0)))
        return _end(is_new and was_confirmed and rest == 0)

    def _changed_by(self, event: ReceiveChejanData) -> list[Effect]:
        """An order that cancels or modifies this one."""
        state, number = event[STATE], event[NUMBER]
        if state == CONFIRMED:
            amount = event.number(ORDERED) or self._open
            if amount < self._open:
                self._open -= amount
                self._changed_in_part.add(number)
            else:
                self._confirmed = True
            return []
        # The part that was modified lives on under the other number.
        expected = state == ACCEPTED or (state == TRADED and number in self._changed_in_part)
        return [] if expected else [Done(_rejected(event))]

    def _of_original(self, event: ReceiveChejanData) -> list[Effect]:
        """The order that this one cancels or modifies: the next event after 확인 closes it, or tells what is left."""
        if self._through:
            return [Done()]
        # Told before the 확인 where the gateway was away in between, and not again after it.
        self._original_closed |= event[CLOSING] == "1"
        return [] if event[STATE] in STATES else [Done(_rejected(event))]


def _end(over: bool) -> list[Effect]:
    return [Done()] if over else []


def _is_fill(event: ReceiveChejanData) -> bool:
    """Whether a 체결 tells of a trade, and not of a remainder that is taken out of the book."""
    told = [fid for fid in (FILLED, FILLED_NOW) if fid in event.by_fid]
    return event[STATE] == TRADED and all(event.number(fid) for fid in told)


def _rejected(event: ReceiveChejanData) -> Failure:
    reason = event[REJECTED_FOR] if event[REJECTED_FOR].strip("0") else ""
    text = f"{event[STATE] or 'no state'!r} was not expected of the order {event[NUMBER]}"
    return refused(text, message=reason, reason="ORDER_REJECTED", order=event[NUMBER])
