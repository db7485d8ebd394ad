"""SendOrder and its sisters."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.openapi.order import order_type, quote_type
from koapy.simulation import forms, messages
from koapy.simulation.answers import Reply
from koapy.simulation.model import Action, OrderKind, Refusal, Refused, Side
from koapy.simulation.session import NOT_LOGGED_IN

if TYPE_CHECKING:
    from koapy.simulation.answers import Answers
    from koapy.simulation.model import Order
    from koapy.simulation.session import Session

WRONG_INPUT = -300
OTHERS_ACCOUNT = -302
TOO_MANY = -308
NO_ACCOUNT = -340
NO_CODE = -500

_KINDS = {
    "00": OrderKind.LIMIT,
    "03": OrderKind.MARKET,
    "05": OrderKind.CONDITIONAL,
    "06": OrderKind.BEST,
    "07": OrderKind.PRIORITY,
    "10": OrderKind.LIMIT_IOC,
    "13": OrderKind.MARKET_IOC,
    "16": OrderKind.BEST_IOC,
    "20": OrderKind.LIMIT_FOK,
    "23": OrderKind.MARKET_FOK,
    "26": OrderKind.BEST_FOK,
}
"""By 거래구분; the others are of Nextrade."""


@dataclass(frozen=True, slots=True)
class Request:
    """One SendOrder."""

    name: str
    screen: str
    account: str
    action: Action
    side: Side
    code: str
    quantity: int
    price: int
    kind: OrderKind | None
    """None for what the server does not offer."""
    original: str


class Orders:
    """Sends orders to the exchange and tells what it said; what becomes of them is told by chejan events."""

    def __init__(self, session: Session, answers: Answers) -> None:
        self._session = session
        self._answers = answers

    def SendOrder(
        self,
        sRQName: str,
        sScreenNo: str,
        sAccNo: str,
        nOrderType: int,
        sCode: str,
        nQty: int,
        nPrice: int,
        sHogaGb: str,
        sOrgOrderNo: str,
    ) -> int:
        """Send an order. 0: sent, which does not mean accepted; negative: an OpenAPI+ error, nothing was sent."""
        world = self._session.world
        what, how = order_type(nOrderType), quote_type(sHogaGb)
        if not self._session.connected:
            return NOT_LOGGED_IN
        if not sCode:
            return NO_CODE
        if not sAccNo:
            return NO_ACCOUNT
        if sAccNo not in world.user.accounts:
            return OTHERS_ACCOUNT
        # A cancel needs no 거래구분.
        if what is None or (how is None and (what.action != "cancel" or sHogaGb)):
            return WRONG_INPUT
        if nQty < 0 or nPrice < 0 or not self._session.use_screen(sScreenNo):
            return WRONG_INPUT
        if not self._session.orders.take(world.now()):
            return TOO_MANY
        # Routes to other venues (SOR, NXT) and program trading are for the real server, and not modelled there.
        offered = nOrderType <= 6 and (how.mock or not world.mock if how else what.action == "cancel")
        kind = (_KINDS.get(sHogaGb) if how else OrderKind.LIMIT) if offered else None
        side = Side.SELL if what.side == "sell" else Side.BUY
        request = Request(
            sRQName, sScreenNo, sAccNo, Action(what.action), side, sCode, nQty, nPrice, kind, sOrgOrderNo.strip()
        )
        self._session.later(self._send, request)
        return 0

    def SendOrderFO(
        self,
        sRQName: str,
        sScreenNo: str,
        sAccNo: str,
        sCode: str,
        lOrdKind: int,
        sSlbyTp: str,
        sOrdTp: str,
        lQty: int,
        sPrice: str,
        sOrgOrdNo: str,
    ) -> int:
        """Refuse: the simulation has no account for futures and options."""
        return NO_ACCOUNT if self._session.connected else NOT_LOGGED_IN

    def SendOrderCredit(
        self,
        sRQName: str,
        sScreenNo: str,
        sAccNo: str,
        nOrderType: int,
        sCode: str,
        nQty: int,
        nPrice: int,
        sHogaGb: str,
        sCreditGb: str,
        sLoanDate: str,
        sOrgOrderNo: str,
    ) -> int:
        """Refuse: the simulation's accounts buy with cash only."""
        return NO_ACCOUNT if self._session.connected else NOT_LOGGED_IN

    def _send(self, request: Request) -> None:
        world = self._session.world
        try:
            order = self._place(request)
        except Refused as refusal:
            number, text = "", messages.refused(world.server, refusal.reason)
        else:
            world.order_screens[order.number] = request.screen
            number, text = forms.order_number(order.number), messages.ordered(world.server, request.action, order.side)
        code = self._tr_code(request)
        self._session.events.OnReceiveMsg(request.screen, request.name, code, text)
        self._answers.tell(Reply(request.screen, request.name, code, "", {"주문번호": number}))

    def _place(self, request: Request) -> Order:
        exchange = self._session.world.exchange
        if request.kind is None:
            raise Refused(Refusal.KIND_NOT_OFFERED)
        if request.action is Action.NEW:
            return exchange.place(
                request.account, request.code, request.side, request.kind, request.price, request.quantity
            )
        original = self._original(request)
        if request.action is Action.MODIFY:
            return exchange.modify(request.account, original, request.price, request.quantity, side=request.side)
        return exchange.cancel(request.account, original, request.quantity, side=request.side)

    def _original(self, request: Request) -> int:
        """Return the number of the order to change, which must be one of this code."""
        if not (request.original.isascii() and request.original.isdigit()):
            raise Refused(Refusal.NO_SUCH_ORDER, f"{request.original!r} is no order number")
        number = int(request.original)
        try:
            order = self._session.world.exchange.order(number)
        except KeyError:
            raise Refused(Refusal.NO_SUCH_ORDER, request.original) from None
        if order.code != request.code:
            raise Refused(Refusal.NO_SUCH_ORDER, f"{request.original} is an order of {order.code}")
        return number

    def _tr_code(self, request: Request) -> str:
        instrument = self._session.world.exchange.instruments.get(request.code)
        market = "KQ" if instrument and instrument.market == "KOSDAQ" else "KP"
        if request.action is Action.NEW:
            return f"KOA_NORMAL_{request.side.name}_{market}_ORD"
        return f"KOA_NORMAL_{market}_{request.action.name}"
