"""What an account has realised today, and its orders in other forms. Of other days the accounts know nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.holding import TEN_MILLION
from koapy.simulation.model import Action, Side
from koapy.simulation.tr.accounts import NO_SUCH_ACCOUNT, account_of
from koapy.simulation.tr.days import day_number
from koapy.simulation.tr.registry import Source, responder

if TYPE_CHECKING:
    from koapy.simulation.model import Account, Order, Position
    from koapy.simulation.tr.request import Answer, Request


_CENTS, _ALL = 2, 7
"""Decimals of what a share has cost, and of what its sale has brought, in opt10072 and in opt10077."""


def _sold(account: Account, code: str) -> list[Position]:
    """What was sold of today, one position each; those that had been bought on credit come last."""
    everything = (*account.positions.values(), *account.loans)
    return [each for each in everything if each.sold_today and code in ("", each.code)]


def _asked_for_today(request: Request, first: str, last: str) -> bool:
    """Whether the days that are asked for have today among them; a blank last day is today."""
    today = day_number(request.exchange.today)
    begin, end = request.date(first) or today, request.date(last) if last else None
    return begin <= today <= (end or today)


@responder("opt10072", "opt10073")
def realised_by_issue(request: Request) -> Answer:
    """일자별종목별실현손익: an issue that was sold today a row."""
    account, code = account_of(request), request.code()
    shown = _asked_for_today(request, "시작일자", "종료일자" if request.tr.code == "opt10073" else "")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    return request.listed([_realised(request, each, _CENTS) for each in _sold(account, code)] if shown else [])


def _realised(request: Request, each: Position, places: int) -> dict[str, str]:
    instrument = request.exchange.instruments[each.code]
    code, profit = forms.account_code(each.code, instrument.kind), forms.decimal(each.profit, TEN_MILLION, places)
    return {
        "일자": forms.day(request.exchange.today),
        "당일hts매도수수료": "0",
        "종목명": instrument.name,
        "체결량": str(each.sold_today),
        "매입단가": forms.decimal(each.sold_cost, each.sold_today * TEN_MILLION, places),
        "체결가": str(forms.rounded(each.sold_value, each.sold_today)),
        "당일매도손익": profit,
        "손익율": forms.percent(each.profit, each.sold_cost),
        "종목코드": code,
        "당일매매수수료": str(each.fees),
        "당일매매세금": str(each.taxes),
        "인출가능금액": "0",
        "대출일": forms.day(each.loan_date) if each.loan_date else "",
        "신용구분": "자기융자" if each.loan_date else "현금잔고",
        "종목코드1": code,
        "당일매도손익1": profit,
    }


@responder("opt10074")
def realised_by_day(request: Request) -> Answer:
    """일자별실현손익: today, if something was traded."""
    account, shown = account_of(request), _asked_for_today(request, "시작일자", "종료일자")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    if not shown or not (account.bought_value or account.sold_value):
        zeros = dict.fromkeys(request.tr.single_names, "0")
        return request.answer(zeros)
    bought, sold = str(account.bought_value), str(account.sold_value)
    profit, fees, taxes = str(account.realised), str(account.fees), str(account.taxes)
    row = {
        "일자": forms.day(request.exchange.today),
        "매수금액": bought,
        "매도금액": sold,
        "당일매도손익": profit,
        "당일매매수수료": fees,
        "당일매매세금": taxes,
    }
    single = {"총매수금액": bought, "총매도금액": sold, "실현손익": profit, "매매수수료": fees, "매매세금": taxes}
    return request.answer(single, [row])


@responder("opt10077")
def realised_today(request: Request) -> Answer:
    """당일실현손익상세."""
    account, code = account_of(request), request.code()
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    sold = _sold(account, code)
    single = {"당일실현손익": str(sum(each.realised for each in sold))}
    return request.listed([_realised(request, each, _ALL) for each in sold], single)


@responder("opt10170")
def diary(request: Request) -> Answer:
    """당일매매일지: what was traded today; with 단주구분 1 only as many sales as there were purchases."""
    account, matched = account_of(request), request.choice("단주구분", "2") == "1"
    kind, shown = request.choice("현금신용구분", "0"), _asked_for_today(request, "기준일자", "기준일자")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    cash = account.positions.values() if kind != "2" else ()
    wanted = (*cash, *(account.loans if kind != "1" else ()))
    traded = [each for each in wanted if each.bought_today or each.sold_today] if shown else []
    rows = [_diary_row(request, each, matched) for each in traded]
    sums = {name: sum(row[name] for row in rows) for name in ("매도금액", "매수금액", "수수료_제세금", "손익금액")}
    single = {
        "총매도금액": str(sums["매도금액"]),
        "총매수금액": str(sums["매수금액"]),
        "총수수료_세금": str(sums["수수료_제세금"]),
        "총정산금액": str(sums["매도금액"] - sums["매수금액"] - sums["수수료_제세금"]),
        "총손익금액": str(sums["손익금액"]),
        "총수익률": forms.decimal(100 * sums["손익금액"], sum(row["원가"] for row in rows)),
    }
    written = [
        {name: str(value) for name, value in row.items()}
        | {
            "종목명": request.exchange.instruments[each.code].name,
            "종목코드": each.code,
            "수익률": forms.decimal(100 * row["손익금액"], row["원가"]),
        }
        for row, each in zip(rows, traded, strict=True)
    ]
    return request.listed(written, single)


def _diary_row(request: Request, each: Position, matched: bool) -> dict[str, int]:
    sold = min(each.sold_today, each.bought_today) if matched else each.sold_today
    part = sold / each.sold_today if each.sold_today else 0
    return {
        "매수평균가": forms.rounded(each.bought_value, each.bought_today),
        "매수수량": each.bought_today,
        "매도평균가": forms.rounded(each.sold_value, each.sold_today),
        "매도수량": sold,
        "수수료_제세금": each.fees + each.taxes,
        "손익금액": int(each.realised * part),
        "매도금액": int(each.sold_value * part),
        "매수금액": each.bought_value,
        "원가": int(each.sold_cost * part / TEN_MILLION),
    }


@responder("opt10088")
def split_order(request: Request) -> Answer:
    """미체결분할주문상세: one venue, so an order that is open has one part, itself."""
    account, number = account_of(request), request.date("주문번호")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    orders = [each for each in request.exchange.orders(account.number) if each.open and each.number == number]
    return request.answer(rows=[_split_row(request, each) for each in orders if each.action is not Action.CANCEL])


def _split_row(request: Request, order: Order) -> dict[str, str]:
    quote = request.exchange.quote(order.code)
    return {
        "종목코드": order.code,
        "계좌번호": order.account,
        "종목명": request.exchange.instruments[order.code].name,
        "주문번호": forms.order_number(order.number),
        "주문수량": str(order.quantity),
        "주문가격": str(order.price),
        "미체결수량": str(order.open),
        "매매구분": forms.QUOTE_NAMES[order.kind],
        "매도수구분": "2" if order.side is Side.BUY else "1",
        "체결량": str(order.filled),
        "주문상태": "체결" if order.filled else "접수",
        "현재가": forms.price(quote.last, quote.base_price),
        "거래소구분": "1",
        "거래소구분명": "KRX",
        "주문구분": forms.ORDER_NAMES[order.action, order.side],
    }


@responder("opt10012", "opw00006", source=Source.EMPTY)
def of_others(request: Request) -> Answer:
    """주문체결, 관리자별주문체결내역: for other kinds of users; recorded empty."""
    if "계좌번호" in request.tr.input_names and account_of(request) is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    return request.answer({"출력건수": forms.padded(0, 4)} if request.tr.single else None)
