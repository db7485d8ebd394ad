"""Orders of an account today: what is open, what was filled, what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.model import Action, OrderKind, OrderState, Side
from koapy.simulation.tr.accounts import NO_SUCH_ACCOUNT, account_of, filled, nothing_found
from koapy.simulation.tr.registry import responder

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.model import Fill, Order
    from koapy.simulation.tr.accounts import Values
    from koapy.simulation.tr.request import Answer, Request

_SIDES = {"1": Side.SELL, "2": Side.BUY}
"""매매구분, 매도수구분."""

_STATES: dict[str, Callable[[Order], bool]] = {
    "0": lambda order: order.open > 0 or order.filled > 0,
    "1": lambda order: order.open > 0,
    "2": lambda order: order.filled > 0,
}
"""체결구분. An order that was modified or cancelled in full before it traded is in none of them."""

_CHANGES = {Action.NEW: "일반", Action.MODIFY: "정정", Action.CANCEL: "취소"}


@responder("opt10075")
def open_orders(request: Request) -> Answer:
    """미체결: orders with something open, newest first; 체결구분 asks for others."""
    return _orders(request, request.choice("전체종목구분", "0") == "1", "매매구분", _open_row)


@responder("opt10076")
def filled_orders(request: Request) -> Answer:
    """체결: orders newest first, older ones than 주문번호 where that is given."""
    return _orders(request, request.choice("조회구분", "0") == "1", "매도수구분", _filled_row)


@responder("opw00007")
def order_log(request: Request) -> Answer:
    """계좌별주문체결내역상세: every order, modify and cancel of the day. Of other days nothing is known."""
    kind = request.choice("조회구분", "1")
    found = _of_day(request)
    if found is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    if kind in ("3", "4"):
        found = [order for order in found if (order.open if kind == "3" else order.filled)]
    if kind == "2":
        found.reverse()
    rows = [filled(request.tr.multi, _log_row(request, order)) for order in found]
    return request.answer({"출력건수": forms.padded(len(rows), 4)}, rows, message=nothing_found(request, rows))


@responder("opw00009")
def order_state(request: Request) -> Answer:
    """계좌별주문체결현황: every order of the day, with 조회구분 1 those that traded."""
    only_filled = request.choice("조회구분", "0") == "1"
    market = {"1": "KOSPI", "2": "KOSDAQ"}.get(request.choice("시장구분", "0"))
    found = _of_day(request)
    if found is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    instruments = request.exchange.instruments
    found = [
        order
        for order in found
        if (order.filled or not only_filled) and market in (None, instruments[order.code].market)
    ]
    sold = sum(order.filled_value for order in found if order.side is Side.SELL)
    bought = sum(order.filled_value for order in found if order.side is Side.BUY)
    last = _last_fills(request, request.text("계좌번호"))
    rows = [filled(request.tr.multi, _state_row(request, order, last.get(order.number))) for order in found]
    values: Values = {
        "매도약정금액": sold,
        "매수약정금액": bought,
        "약정금액": sold + bought,
        "조회건수": len(rows),
    }
    return request.answer(filled(request.tr.single, values), rows, message=nothing_found(request, rows))


def _orders(
    request: Request, one_code: bool, side_input: str, row: Callable[[Request, Order, Fill | None], dict[str, str]]
) -> Answer:
    account = account_of(request)
    side, state = _SIDES.get(request.choice(side_input, "0")), _STATES[request.choice("체결구분", "0")]
    code, before = request.code() if one_code else "", request.date("주문번호")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    found = [
        order
        for order in request.exchange.orders(account.number)
        if order.action is not Action.CANCEL
        and state(order)
        and side in (None, order.side)
        and code in ("", order.code)
    ]
    page = request.page([order.number for order in found], newest=before - 1 if before else None)
    last = _last_fills(request, account.number)
    shown = [found[index] for index in page.indices]
    return request.answer(rows=[row(request, order, last.get(order.number)) for order in shown], after=page.after)


def _last_fills(request: Request, account: str) -> dict[int, Fill]:
    """The last fill of each order, by the order's number."""
    return {fill.order.number: fill for fill in request.exchange.fills(account)}


def _of_day(request: Request) -> list[Order] | None:
    """Orders of the day that the opw TRs ask for, in their order; None when there is no such account."""
    account = account_of(request)
    side = _SIDES.get(request.choice("매도수구분", "0"))
    bonds = request.choice("주식채권구분", "0") == "2"
    day, first, code = request.date("주문일자"), request.date("시작주문번호") or 0, request.code()
    if account is None:
        return None
    today = request.exchange.today
    if bonds or (day is not None and day != today.year * 10000 + today.month * 100 + today.day):
        return []
    return [
        order
        for order in request.exchange.orders(account.number)
        if order.number >= first and side in (None, order.side) and code in ("", order.code)
    ]


def _open_row(request: Request, order: Order, last: Fill | None) -> dict[str, str]:
    quote = request.exchange.quote(order.code)
    base = quote.base_price
    return _common(request, order) | {
        "계좌번호": order.account,
        "체결누계금액": str(order.filled_value),
        "시간": forms.clock(last.time if last else order.time),
        "체결번호": str(last.number) if last else "",
        "현재가": forms.price(quote.last, base),
        "매도호가": forms.price(quote.best_ask, base) if quote.best_ask else "0",
        "매수호가": forms.price(quote.best_bid, base) if quote.best_bid else "0",
        "단위체결가": str(last.price) if last else "",
        "단위체결량": str(last.quantity) if last else "",
    }


def _filled_row(request: Request, order: Order, last: Fill | None) -> dict[str, str]:
    return _common(request, order) | {"주문시간": forms.clock(order.time)}


def _common(request: Request, order: Order) -> dict[str, str]:
    return {
        "주문번호": forms.order_number(order.number),
        "종목코드": order.code,
        "주문상태": _state(order),
        "종목명": request.exchange.instruments[order.code].name,
        "주문수량": str(order.quantity),
        "주문가격": str(order.price),
        "미체결수량": str(order.open),
        "원주문번호": forms.order_number(order.original),
        "주문구분": forms.ORDER_NAMES[order.action, order.side],
        "매매구분": forms.QUOTE_NAMES[order.kind],
        "체결가": str(order.average),
        "체결량": str(order.filled),
        "당일매매수수료": str(order.fee),
        "당일매매세금": str(order.tax),
        **_venue(request, order),
        "스톱가": "0",
    }


def _venue(request: Request, order: Order) -> dict[str, str]:
    if order.number in request.world.routed:
        return {"거래소구분": "0", "거래소구분명": "SOR", "SOR구분": "Y"}
    return {"거래소구분": "1", "거래소구분명": "KRX", "SOR구분": "N"}


def _state(order: Order) -> str:
    if order.filled:
        return "체결"
    return "확인" if order.state is OrderState.CONFIRMED else "접수"


def _log_row(request: Request, order: Order) -> Values:
    """The mock server confirms an order as it takes it; the real one confirms modifies and cancels."""
    confirmed = request.world.mock or order.action is not Action.NEW
    at = forms.clock_colons(order.time)
    return _account_columns(request, order) | {
        "신용구분": _lent(order),
        "확인수량": order.quantity if confirmed else 0,
        "접수구분": "주문완료" if request.world.mock else "접수",
        "반대여부": "",
        "주문시간": at,
        "원주문": forms.order_number(order.original),
        "주문구분": _paid(order),
        "대출일": forms.day(order.credit.loan_date) if order.credit and order.credit.loan_date else "",
        "주문잔량": order.open,
        "정정취소": _CHANGES[order.action],
        "확인시간": at if confirmed else "",
    }


def _state_row(request: Request, order: Order, last: Fill | None) -> Values:
    return _account_columns(request, order) | {
        "주식채권구분": "1",
        "주문유형구분": _paid(order),
        "확인수량": 0 if order.action is Action.NEW else order.quantity,
        "예약반대": "",
        "체결번호": forms.order_number(last.number if last else None),
        "접수구분": "접수",
        "원주문번호": forms.order_number(order.original),
        "결제구분": "삼일결제",
        "신용거래구분": _lent(order),
        "정정취소구분": "" if order.action is Action.NEW else _CHANGES[order.action],
        "체결시간": forms.clock_colons(last.time) if last else "",
    }


def _account_columns(request: Request, order: Order) -> Values:
    instrument = request.exchange.instruments[order.code]
    return {
        "주문번호": forms.order_number(order.number),
        "종목번호": forms.account_code(order.code, instrument.kind),
        "매매구분": "보통가" if order.kind is OrderKind.LIMIT else forms.QUOTE_NAMES[order.kind],
        "종목명": instrument.name,
        "주문수량": order.quantity,
        "주문단가": order.price,
        "체결수량": order.filled,
        "체결단가": order.average,
        "통신구분": "오픈API",
        "거래소구분": _venue(request, order)["거래소구분명"],
    }


def _paid(order: Order) -> str:
    return f"{'신용' if order.credit else '현금'}{'매수' if order.side is Side.BUY else '매도'}"


def _lent(order: Order) -> str:
    return "자기융자" if order.credit else "보통매매"
