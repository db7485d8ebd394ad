"""An account's futures and options: orders, positions and the deposit for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.model import Side
from koapy.simulation.tr.accounts import NO_SUCH_ACCOUNT, account_of, filled, nothing_found
from koapy.simulation.tr.contracts import contract
from koapy.simulation.tr.registry import Source, responder

if TYPE_CHECKING:
    from koapy.simulation.contract_model import ContractOrder, Holding
    from koapy.simulation.futures import Contracts
    from koapy.simulation.tr.accounts import Values
    from koapy.simulation.tr.request import Answer, Request


@responder("opt50026", source=Source.OWN)
def orders(request: Request) -> Answer:
    """선옵주문체결: today's orders in contracts, newest first."""
    account, desk = account_of(request), request.world.contracts
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    found = desk.orders(account.number)[::-1] if desk is not None else []
    code, before = request.text("종목코드"), request.date("주문번호")
    side = {"1": Side.SELL, "2": Side.BUY}.get(request.text("매매구분"))
    chosen = [
        each
        for each in found
        if code in ("", each.code)
        and side in (None, each.side)
        and {"1": each.open > 0, "2": each.filled > 0}.get(request.text("체결구분"), True)
        and (not before or each.number < before)
    ]
    return request.answer(rows=[_order_row(request, each) for each in chosen if desk is not None])


@responder("opt50027", source=Source.OWN)
def balance(request: Request) -> Answer:
    """선옵잔고: what is held of each contract, and what was closed today."""
    account, desk = account_of(request), request.world.contracts
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    if desk is None:
        return request.answer(rows=[])
    rows = [_balance_row(request, desk, account.number, each) for each in desk.holdings(account.number)]
    return request.answer(rows=[each for each in rows if each])


@responder("opw20007", source=Source.OWN)
def settled_balance(request: Request) -> Answer:
    """선옵잔고현황정산가기준: positions at the present price."""
    account, desk = account_of(request), request.world.contracts
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    held = [each for each in desk.holdings(account.number) if each.quantity] if desk is not None else []
    rows = [_position(request, desk, each) for each in held if desk is not None]
    values: Values = {
        "약정금액합계": sum(int(each["약정금액"]) for each in rows),
        "평가손익합계": sum(int(each["평가손익"]) for each in rows),
        "출력건수": len(rows),
    }
    shown = [filled(request.tr.multi, each) for each in rows]
    return request.answer(filled(request.tr.single, values), shown, message=nothing_found(request, shown))


@responder("opw20010", source=Source.OWN)
def deposit(request: Request) -> Answer:
    """선옵예탁금및증거금: the deposit for contracts, and what of it is bound."""
    account, desk = account_of(request), request.world.contracts
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    if desk is None:
        return request.answer(filled(request.tr.single, {}))
    number = account.number
    cash, bound, free = desk.cash(number), desk.bound(number), max(desk.orderable(number), 0)
    values: Values = {
        **dict.fromkeys(("예탁총액", "예탁현금"), cash),
        **dict.fromkeys(("증거금총액", "증거금현금"), bound),
        **dict.fromkeys(("주문가능총액", "주문가능현금"), free),
        **dict.fromkeys(("인출가능총액", "인출가능현금"), min(free, max(cash, 0))),
        "순자산금액": cash + desk.unrealised(number),
        "선물평가손익": desk.unrealised(number),
    }
    return request.answer(filled(request.tr.single, values))


def _order_row(request: Request, order: ContractOrder) -> dict[str, str]:
    now = contract(request.exchange, order.code)
    write = now.plain if now is not None else str
    average = order.filled_value / order.filled if order.filled else 0
    return {
        "주문번호": forms.order_number(order.number),
        "종목코드": order.code,
        "종목명": now.contract.name if now is not None else "",
        "주문구분": forms.ORDER_NAMES[order.action, order.side],
        "주문가격": write(order.price),
        "주문수량": str(order.quantity),
        "체결가": write(average),
        "체결량": str(order.filled),
        "미체결수량": str(order.open),
        "주문상태": "체결" if order.filled else "확인" if order.state.value == "confirmed" else "접수",
        "원주문번호": forms.order_number(order.original),
        "매매구분": forms.QUOTE_NAMES[order.kind],
        "주문체결시간": forms.clock(order.time),
    }


def _balance_row(request: Request, desk: Contracts, account: str, held: Holding) -> dict[str, str]:
    now = contract(request.exchange, held.code)
    if now is None:
        return {}
    size = abs(held.quantity)
    cost = held.cost * now.contract.multiplier // now.contract.scale
    return {
        "계좌번호": account,
        "종목코드": held.code,
        "신용구분": "00",
        "대출일": "00000000",
        "종목명": now.contract.name,
        "현재가": now.write(now.last),
        "등락율": forms.percent(now.last - now.base, now.base),
        "누적거래량": str(now.volume),
        "보유수량": str(size),
        "매입단가": now.plain(held.cost / size if size else 0.0),
        "총매입가": str(cost),
        "주문가능수량": str(size),
        "당일매도수량": str(held.sold),
        "당일매수수량": str(held.bought),
        "당일매매수수료": str(held.fees),
        "당일매매세금": "0",
        "당일매도손익": str(held.realised - held.fees),
        "당일순매수량": str(held.bought - held.sold),
        "매매구분": "1" if held.quantity < 0 else "2",
        "당일총매도손익": str(held.realised - held.fees),
        "예수금": str(desk.cash(account)),
        "최우선매도호가": now.write(now.offers(asks=True)[0][0]),
        "최우선매수호가": now.write(now.offers(asks=False)[0][0]),
    }


def _position(request: Request, desk: Contracts, held: Holding) -> Values:
    now = contract(request.exchange, held.code)
    if now is None:
        return {"종목코드": held.code, "약정금액": 0, "평가손익": 0}
    size = abs(held.quantity)
    unit = now.contract.multiplier
    return {
        "종목코드": held.code,
        "종목명": now.contract.name,
        "매도매수구분": "1" if held.quantity < 0 else "2",
        "수량": size,
        "매입단가": now.plain(held.cost / size),
        "현재가": now.plain(now.last),
        "평가손익": desk.profit(held),
        "청산가능수량": size,
        "약정금액": held.cost * unit // now.contract.scale,
        "평가금액": size * now.last * unit // now.contract.scale,
    }
