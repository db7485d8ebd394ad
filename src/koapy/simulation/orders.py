"""SendOrder and its sisters."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from koapy.openapi.order import DERIVATIVE_SIDES, credit_types, order_type, quote_type
from koapy.simulation import forms, messages
from koapy.simulation.answers import Reply
from koapy.simulation.contract_orders import ContractRequest, contract_tr, place_contract
from koapy.simulation.model import Action, Credit, OrderKind, Refusal, Refused, Side
from koapy.simulation.session import NOT_LOGGED_IN

if TYPE_CHECKING:
    from koapy.simulation.answers import Answers
    from koapy.simulation.faults import Chance
    from koapy.simulation.model import Instrument, Order
    from koapy.simulation.session import Session

WRONG_INPUT = -300
OTHERS_ACCOUNT = -302
OVER_2_BILLION, OVER_5_BILLION = -303, -304
OVER_1_PERCENT, OVER_3_PERCENT = -305, -306
TOO_MANY = -308
NO_ACCOUNT = -340
NO_CODE = -500

REPAY = "33"
"""sCreditGb of a sale that pays back the loan of one day."""

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
    "61": OrderKind.EARLY_CLOSE,
    "62": OrderKind.LATE_AUCTION,
    "81": OrderKind.LATE_CLOSE,
}
"""By 거래구분; the others are of Nextrade."""
_BEST = ("06", "07")
_SOR = (11, 12, 13, 15)
"""Order types that leave the choice of a venue to the server."""
_AT_CLOSE = (OrderKind.EARLY_CLOSE, OrderKind.LATE_CLOSE)


@dataclass(frozen=True, slots=True)
class Request:
    """One SendOrder."""

    name: str
    screen: str
    account: str
    action: Action
    side: Side | None
    """None: that of the original."""
    code: str
    quantity: int
    price: int
    kind: OrderKind | None
    """None for what the server does not offer."""
    original: str
    credit: Credit | None
    best: bool
    """Whether at the best price (최유리, 최우선), of which the mock server speaks in particular."""
    routed: bool
    """Whether by SOR."""


_CONTRACT_KINDS = {
    "1": OrderKind.LIMIT,
    "2": OrderKind.LIMIT,
    "3": OrderKind.MARKET,
    "4": OrderKind.BEST,
    "5": OrderKind.LIMIT_IOC,
    "6": OrderKind.LIMIT_FOK,
    "7": OrderKind.MARKET_IOC,
    "8": OrderKind.MARKET_FOK,
    "9": OrderKind.BEST_IOC,
    "A": OrderKind.BEST_FOK,
}
"""By sOrdTp of SendOrderFO. Contracts have no closing auction here, so a conditional order is a limit order."""
_PRICE = re.compile(r"\d{0,9}(\.\d{1,2})?")


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
        return self._take(sRQName, sScreenNo, sAccNo, nOrderType, sCode, nQty, nPrice, sHogaGb, sOrgOrderNo, None)

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
        """Send an order in a future or option; 0: sent, negative: an OpenAPI+ error, nothing was sent.

        `sSlbyTp` 1 sells, 2 buys; `sPrice` is text, in points or won.
        """
        world = self._session.world
        what, how = order_type(lOrdKind, "SendOrderFO"), quote_type(sOrdTp.strip(), "SendOrderFO")
        if not self._session.connected:
            return NOT_LOGGED_IN
        if not sCode:
            return NO_CODE
        if not sAccNo or world.contracts is None:
            return NO_ACCOUNT
        if sAccNo not in world.user.accounts:
            return OTHERS_ACCOUNT
        side = DERIVATIVE_SIDES.get(sSlbyTp)
        if what is None or side is None or lQty < 0 or (how is None and what.action != "cancel"):
            return WRONG_INPUT
        if not _PRICE.fullmatch(sPrice.strip()) or not self._session.use_screen(sScreenNo):
            return WRONG_INPUT
        if not self._session.orders.take(world.now()):
            return TOO_MANY
        kind = _CONTRACT_KINDS[how.code] if how is not None else OrderKind.LIMIT
        self._session.later(
            self._send_contract,
            ContractRequest(
                sRQName,
                sScreenNo,
                sAccNo,
                Action(what.action),
                Side(side),
                sCode.strip(),
                lQty,
                Decimal(sPrice.strip() or 0),
                kind,
                sOrgOrdNo.strip(),
            ),
        )
        return 0

    def _send_contract(self, request: ContractRequest) -> None:
        world = self._session.world
        try:
            order = place_contract(world, request)
        except Refused as refusal:
            number, text = "", messages.refused(world.server, refusal.reason)
        else:
            world.order_screens[order.number] = request.screen
            number, text = forms.order_number(order.number), messages.ordered(world.server, request.action, order.side)
        code = contract_tr(request)
        self._session.events.OnReceiveMsg(request.screen, request.name, code, text)
        self._answers.tell(Reply(request.screen, request.name, code, "", {"주문번호": number}))

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
        """Send an order on credit: as SendOrder, `sCreditGb` 03 buys, 33 pays one day's loan back, 99 the oldest."""
        known = {each.code: each for each in credit_types()}
        what, how = order_type(nOrderType), known.get(sCreditGb)
        if how is None or what is None or how.side != what.side:
            return WRONG_INPUT if self._session.connected else NOT_LOGGED_IN
        credit = Credit()
        if sCreditGb == REPAY:
            try:
                credit = Credit(datetime.strptime(sLoanDate.strip(), "%Y%m%d").date())  # noqa: DTZ007  a day alone
            except ValueError:
                return WRONG_INPUT if self._session.connected else NOT_LOGGED_IN
        return self._take(sRQName, sScreenNo, sAccNo, nOrderType, sCode, nQty, nPrice, sHogaGb, sOrgOrderNo, credit)

    def _take(
        self,
        name: str,
        screen: str,
        account: str,
        number: int,
        code: str,
        quantity: int,
        price: int,
        quote: str,
        original: str,
        credit: Credit | None,
    ) -> int:
        """Check what a server need not be asked about, and send the rest."""
        world = self._session.world
        what, how = order_type(number), quote_type(quote)
        if not self._session.connected:
            return NOT_LOGGED_IN
        if not code:
            return NO_CODE
        if not account:
            return NO_ACCOUNT
        if account not in world.user.accounts:
            return OTHERS_ACCOUNT
        # A cancel needs no 거래구분.
        if what is None or (how is None and (what.action != "cancel" or quote)):
            return WRONG_INPUT
        if quantity < 0 or price < 0 or not self._session.use_screen(screen):
            return WRONG_INPUT
        if what.action == "new" and (much := _too_much(world.exchange.instruments.get(code), quantity, price)):
            return much
        if not self._session.orders.take(world.now()):
            return TOO_MANY
        # Orders for the other venue (NXT) and program trading are for the real server, and not modelled there.
        routed = number in _SOR
        offered = (number <= 6 or routed) and (how.mock or not world.mock if how else what.action == "cancel")
        if (credit is not None or routed) and world.mock:
            offered = False
        kind = (_KINDS.get(quote) if how else OrderKind.LIMIT) if offered else None
        side = {"sell": Side.SELL, "buy": Side.BUY}.get(what.side)
        action, best = Action(what.action), quote in _BEST
        request = Request(
            name, screen, account, action, side, code, quantity, price, kind, original.strip(), credit, best, routed
        )
        fault = self._session.faults.draw("order", name)
        if fault is not None and fault.kind == "code":
            return fault.fault.returned
        self._session.later(self._send, request, fault, delay=self._under_way(fault))
        return 0

    def _under_way(self, fault: Chance | None) -> float:
        """How long an order takes to the exchange."""
        delay = self._session.answer_delay
        if fault is not None and fault.kind == "frozen":
            self._session.faults.freeze(fault)
        return delay + fault.seconds() if fault is not None and fault.kind == "transit" else delay

    def _send(self, request: Request, fault: Chance | None) -> None:
        if fault is not None and fault.kind == "refused":
            self._tell(request, "", fault.fault.message)
            return
        world = self._session.world
        try:
            order = self._place(request)
        except Refused as refusal:
            self._answer(request, "", self._refused(request, refusal.reason), fault)
            return
        world.order_screens[order.number] = request.screen
        if request.routed or order.original in world.routed:
            world.route(order.number)
        early = order.kind is OrderKind.EARLY_CLOSE
        text = messages.ordered(world.server, request.action, order.side, early=early)
        self._answer(request, forms.order_number(order.number), text, fault)

    def _answer(self, request: Request, number: str, text: str, fault: Chance | None) -> None:
        """Tell what became of an order, at once or as a fault has it."""
        faults, kind = self._session.faults, fault.kind if fault is not None else ""
        if fault is None or kind not in ("early", "delayed", "lost", "silent"):
            self._tell(request, number, text)
        elif kind in ("early", "delayed"):
            wait = fault.seconds()
            self._session.later(self._tell, request, number, text, delay=wait)
            if kind == "delayed" and number:
                faults.hold(int(number), self._session.world.now() + timedelta(seconds=wait))
        elif kind == "silent" and number:
            faults.silent.add(int(number))

    def _tell(self, request: Request, number: str, text: str) -> None:
        code = self._tr_code(request)
        self._session.events.OnReceiveMsg(request.screen, request.name, code, text)
        self._answers.tell(Reply(request.screen, request.name, code, "", {"주문번호": number}))

    def _refused(self, request: Request, reason: Refusal) -> str:
        world, known = self._session.world, self._session.world.exchange.instruments.get(request.code)
        possible = 0
        if known is not None and request.kind is not None and reason in (Refusal.NO_CASH, Refusal.NOT_HELD):
            side, kind = request.side or Side.BUY, request.kind
            possible = world.exchange.max_quantity(
                request.account, request.code, side, kind, request.price, request.credit
            )
        low = known is not None and request.price < known.lower
        at_close = request.kind in _AT_CLOSE
        return messages.refused(world.server, reason, at_close=at_close, best=request.best, low=low, possible=possible)

    def _place(self, request: Request) -> Order:
        exchange = self._session.world.exchange
        if request.kind is None:
            raise Refused(Refusal.KIND_NOT_OFFERED)
        if request.side is not None and request.action is Action.NEW:
            return exchange.place(
                request.account,
                request.code,
                request.side,
                request.kind,
                request.price,
                request.quantity,
                request.credit,
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
        if request.side is not None and request.action is Action.NEW:
            return f"KOA_NORMAL_{request.side.name}_{market}_ORD"
        return f"KOA_NORMAL_{market}_{request.action.name}"


def _too_much(issue: Instrument | None, quantity: int, price: int) -> int:
    """The code for an order that is larger than anybody means: won that it comes to, or a part of all shares."""
    amount = quantity * price
    if amount > 2_000_000_000:
        return OVER_5_BILLION if amount > 5_000_000_000 else OVER_2_BILLION
    if issue is not None and quantity * 100 > issue.shares:
        return OVER_3_PERCENT if quantity * 100 > 3 * issue.shares else OVER_1_PERCENT
    return 0
