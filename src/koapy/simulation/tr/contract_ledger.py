"""What an account did in futures and options today, and what its positions come to.

Of other days nothing is known. Amounts are won and as wide as their items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from koapy.simulation import forms
from koapy.simulation.figures.contract import Kind
from koapy.simulation.model import Action, Side
from koapy.simulation.tr.accounts import NO_SUCH_ACCOUNT, account_of, filled, nothing_found
from koapy.simulation.tr.contracts import contract
from koapy.simulation.tr.days import day_number
from koapy.simulation.tr.registry import Source, responder

if TYPE_CHECKING:
    from koapy.simulation.contract_model import ContractOrder, Holding
    from koapy.simulation.futures import Contracts
    from koapy.simulation.tr.accounts import Values
    from koapy.simulation.tr.derived import Derived
    from koapy.simulation.tr.request import Answer, Request

_KINDS = {Kind.FUTURE: "선물", Kind.CALL: "콜", Kind.PUT: "풋"}
_SIDES = {Side.SELL: "매도", Side.BUY: "매수"}
_CHANGES = {Action.NEW: "1", Action.MODIFY: "2", Action.CANCEL: "3"}


class Owner(NamedTuple):
    """An account and the desk that keeps its contracts."""

    number: str
    desk: Contracts

    @property
    def held(self) -> list[Holding]:
        """Positions."""
        return [each for each in self.desk.holdings(self.number) if each.quantity]

    @property
    def fees(self) -> int:
        """Commission paid today."""
        return sum(each.fees for each in self.desk.holdings(self.number))


def owner(request: Request) -> Owner | None:
    """Return whose contracts are asked about, None for an unknown account."""
    for each in request.tr.inputs:
        request.label(each.name)
    account, desk = account_of(request), request.world.contracts
    return Owner(account.number, desk) if account is not None and desk is not None else None


def nobody(request: Request) -> Answer:
    """Answer for an account that is not known."""
    return request.answer(message=NO_SUCH_ACCOUNT)


def _average(now: Derived, amount: int, quantity: int) -> str:
    return now.plain(amount / quantity if quantity else 0.0)


@responder("opt50031", source=Source.OWN)
def profits(request: Request) -> Answer:
    """선옵잔고손익."""
    who = owner(request)
    if who is None:
        return nobody(request)
    return request.listed([row for each in who.held if (row := _profit_row(request, who, each))])


def _profit_row(request: Request, who: Owner, held: Holding) -> dict[str, str]:
    now = contract(request.exchange, held.code)
    if now is None:
        return {}
    size, cost, gain = abs(held.quantity), now.won(held.cost), who.desk.profit(held)
    return {
        "종목코드": held.code,
        "잔고구분": "1" if held.quantity < 0 else "2",
        "당일매도손익": str(held.realised - held.fees),
        "손익": str(gain),
        "손익율": forms.percent(gain, cost),
        "매입단가": _average(now, held.cost, size),
        "보유수량": str(size),
        "주문가능수량": str(size),
        "현재가": now.write(now.last),
        "총매입가": str(cost),
        "평가금액": str(now.won(now.last * size)),
        "당일매매수수료": str(held.fees),
        "종목명": now.contract.name,
    }


class Done(NamedTuple):
    """What was traded of a contract on one side today."""

    quantity: int
    value: int
    """Sum of price x quantity."""


def _done(orders: list[ContractOrder], side: Side) -> Done:
    mine = [each for each in orders if each.side is side]
    return Done(sum(each.filled for each in mine), sum(each.filled_value for each in mine))


@responder("opt50032", source=Source.OWN)
def realised(request: Request) -> Answer:
    """선옵당일실현손익: the contracts of which a position was closed today; 매입단가 is what was bought for today."""
    who, wanted = owner(request), request.text("종목코드")
    if who is None:
        return nobody(request)
    rows = []
    for each in who.desk.holdings(who.number):
        now = contract(request.exchange, each.code)
        if not each.realised or now is None or wanted not in ("", each.code):
            continue
        orders = [order for order in who.desk.orders(who.number) if order.code == each.code]
        bought, sold = _done(orders, Side.BUY), _done(orders, Side.SELL)
        cost = now.won(bought.value or sold.value)
        rows.append(
            {
                "종목코드": each.code,
                "종목명": now.contract.name,
                "체결구분": "매도" if each.quantity <= 0 else "매수",
                "체결량": str(min(each.bought, each.sold) or max(each.bought, each.sold)),
                "매입단가": _average(now, bought.value, bought.quantity),
                "체결가": _average(now, sold.value, sold.quantity),
                "당일매도손익": str(each.realised - each.fees),
                "손익율": forms.percent(each.realised - each.fees, cost),
                "당일매매수수료": str(each.fees),
            }
        )
    return request.listed(rows)


@responder("opw20002", source=Source.OWN)
def trades_by_kind(request: Request) -> Answer:
    """선옵당일매매변동현황: what was bought and sold today of futures, calls and puts."""
    who, day = owner(request), request.date("체결일자")
    if who is None:
        return nobody(request)
    sums: dict[str, int] = {}
    points: dict[str, int] = {}
    for order in who.desk.orders(who.number) if _is_today(request, day) else ():
        now = contract(request.exchange, order.code)
        if now is None or not order.filled:
            continue
        kind = _KINDS[now.contract.kind]
        name = f"{kind}{_SIDES[order.side]}"
        for item, amount in (("수량", order.filled), ("금액", now.won(order.filled_value))):
            sums[name + item] = sums.get(name + item, 0) + amount
        points[name] = points.get(name, 0) + order.filled_value * 100 // now.contract.scale
        fee = "선물수수료" if now.contract.kind is Kind.FUTURE else "옵션수수료"
        sums[fee] = sums.get(fee, 0) + order.fee
    averages = {f"{name}평균가격": forms.decimal(value, 100 * sums[f"{name}수량"]) for name, value in points.items()}
    widths = {field.name: field.width or 0 for field in request.tr.single}
    values: Values = {**sums, **{name: text.zfill(widths[name]) for name, text in averages.items()}}
    return request.answer(filled(request.tr.single, values))


def _is_today(request: Request, day: int | None) -> bool:
    return day in (None, day_number(request.exchange.today))


@responder("opw20003", source=Source.OWN)
def profits_of_period(request: Request) -> Answer:
    """선옵기간손익조회: today, if it is in the period."""
    who = owner(request)
    first, last = request.period()
    if who is None:
        return nobody(request)
    shown = first <= day_number(request.exchange.today) <= last
    futures_value = options_value = futures_profit = options_profit = 0
    rows = []
    for each in who.desk.holdings(who.number) if shown else ():
        now = contract(request.exchange, each.code)
        if now is None:
            continue
        orders = [order for order in who.desk.orders(who.number) if order.code == each.code]
        value, gain = now.won(sum(order.filled_value for order in orders)), each.realised + who.desk.profit(each)
        if now.contract.kind is Kind.FUTURE:
            futures_value, futures_profit = futures_value + value, futures_profit + gain
        else:
            options_value, options_profit = options_value + value, options_profit + gain
        if each.quantity:
            rows.append(
                filled(
                    request.tr.multi,
                    {
                        "종목코드": each.code,
                        "매도수구분": "1" if each.quantity < 0 else "2",
                        "잔고수량": abs(each.quantity),
                        "평균가격": _average(now, each.cost, abs(each.quantity)),
                        "전일종가": now.plain(now.base),
                        "평가손익": who.desk.profit(each),
                        "종목명": now.contract.name,
                    },
                )
            )
    cash, whole = who.desk.cash(who.number), futures_profit + options_profit - (who.fees if shown else 0)
    values: Values = {
        "선물약정금액": futures_value,
        "옵션약정금액": options_value,
        "선물정산손익": futures_profit,
        "옵션매매손익": options_profit,
        "총손익": whole,
        "평균예탁금액": cash,
        "예탁총액": cash,
        "수수료": who.fees if shown else 0,
        "수익율": forms.decimal(100 * whole, cash),
        "조회건수": len(rows),
    }
    return request.answer(filled(request.tr.single, values), rows, message=nothing_found(request, rows))


@responder("opw20004", "opw20005", source=Source.OWN)
def orders(request: Request) -> Answer:
    """선옵주문체결내역상세, and with average prices: today's orders."""
    who, day = owner(request), request.date("조회일")
    kind, state = request.choice("종목구분", "0"), request.choice("조회구분", "0")
    if who is None:
        return nobody(request)
    found = who.desk.orders(who.number) if _is_today(request, day) else []
    if request.choice("정렬구분", "1") == "2":
        found = found[::-1]
    rows = []
    for order in found:
        now = contract(request.exchange, order.code)
        if now is None or (kind != "0" and (now.contract.kind is Kind.FUTURE) is not (kind == "1")):
            continue
        if (state == "1" and not order.filled) or (state == "2" and not order.open):
            continue
        rows.append(filled(request.tr.multi, _order_row(who, order, now)))
    single = {"출력건수": forms.padded(len(rows), 4)}
    return request.answer(single, rows, message=nothing_found(request, rows))


def _order_row(who: Owner, order: ContractOrder, now: Derived) -> Values:
    last = who.desk.last_fill(order.number)
    average = _average(now, order.filled_value, order.filled)
    return {
        "주문번호": forms.order_number(order.number),
        "매매구분": _SIDES[order.side],
        "종목코드": order.code,
        "주문수량": order.quantity,
        "체결수량": order.filled,
        "미체결수량": order.open,
        "접수번호": forms.order_number(order.number),
        "접수구분": "1",
        "조작자사번": "",
        "원주문번호": forms.order_number(order.original),
        "주문유형": _CHANGES[order.action],
        "종목명": now.contract.name,
        "주문가격": now.plain(order.price),
        "체결가격": now.plain(last.price) if last else now.plain(0),
        "체결가": average,
        "체결번호": forms.order_number(last.number if last else None),
        "약정시간": forms.clock_colons(last.time) if last else "",
        "접수시간": forms.clock_colons(order.time),
        "매체": "오픈API",
    }


@responder("opw20006", source=Source.OWN)
def positions(request: Request) -> Answer:
    """선옵잔고상세현황: positions, and their sums by kind and side."""
    who, day = owner(request), request.date("조회일자")
    if who is None:
        return nobody(request)
    sums: dict[str, int] = {}
    rows, value, gain = [], 0, 0
    for each in who.held if _is_today(request, day) else ():
        now = contract(request.exchange, each.code)
        if now is None:
            continue
        side, size, cost = Side.SELL if each.quantity < 0 else Side.BUY, abs(each.quantity), now.won(each.cost)
        name = f"{_KINDS[now.contract.kind]}{_SIDES[side]}"
        for item, amount in (("수량", size), ("금액", cost)):
            sums[name + item] = sums.get(name + item, 0) + amount
        value, gain = value + cost, gain + who.desk.profit(each)
        row: Values = {
            "종목코드": each.code,
            "종목명": now.contract.name,
            "매매일자": forms.day(request.exchange.today),
            "매매구분": _SIDES[side],
            "잔고수량": size,
            "매입단가": _average(now, each.cost, size),
            "매매금액": cost,
            "현재가": now.plain(now.last),
            "평가손익": who.desk.profit(each),
            "손익율": forms.decimal(100 * who.desk.profit(each), cost),
            "평가금액": now.won(now.last * size),
        }
        rows.append(filled(request.tr.multi, row))
    values: Values = {**sums, "약정합계": value, "손익합계": gain, "조회건수": len(rows)}
    return request.answer(filled(request.tr.single, values), rows, message=nothing_found(request, rows))
