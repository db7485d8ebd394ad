"""What an account has realised, today and on the days before, and its orders in other forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.holding import TEN_MILLION
from koapy.simulation.model import Action, Side
from koapy.simulation.tr.accounts import NO_SUCH_ACCOUNT, account_of
from koapy.simulation.tr.days import day_number
from koapy.simulation.tr.registry import Source, responder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from koapy.simulation.model import Account, Order, Position
    from koapy.simulation.tr.request import Answer, Request


_CENTS, _ALL = 2, 7
"""Decimals of what a share has cost, and of what its sale has brought, in opt10072 and in opt10077."""


def _traded(request: Request, account: Account, first: int, last: int) -> list[tuple[date, list[Position]]]:
    """What was bought or sold on each day from first to last (YYYYMMDD), newest first; on credit comes last."""
    exchange = request.exchange
    held = (*account.positions.values(), *account.loans)
    known = [(exchange.today, [each for each in held if each.bought_today or each.sold_today])]
    known += [(each.day, list(each.positions)) for each in reversed(exchange.past_days(account.number))]
    return [(day, positions) for day, positions in known if positions and first <= day_number(day) <= last]


def _asked(request: Request, first: str, last: str) -> tuple[int, int]:
    """The days that are asked for; today where an input is blank."""
    today = day_number(request.exchange.today)
    return request.date(first) or today, request.date(last) or today


@responder("opt10072", "opt10073")
def realised_by_issue(request: Request) -> Answer:
    """일자별종목별실현손익: an issue that was sold on a day a row; opt10072 has one day, opt10073 a period."""
    account, code = account_of(request), request.code()
    first, last = _asked(request, "시작일자", "종료일자" if request.tr.code == "opt10073" else "시작일자")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    found = _traded(request, account, first, last)
    return request.listed([row for day, positions in found for row in _realised(request, day, positions, code, _CENTS)])


def _realised(
    request: Request, day: date, positions: Sequence[Position], code: str, places: int
) -> list[dict[str, str]]:
    sold = [each for each in positions if each.sold_today and code in ("", each.code)]
    return [_realised_row(request, day, each, places) for each in sold if each.code in request.exchange.instruments]


def _realised_row(request: Request, day: date, each: Position, places: int) -> dict[str, str]:
    instrument = request.exchange.instruments[each.code]
    code, profit = forms.account_code(each.code, instrument.kind), forms.decimal(each.profit, TEN_MILLION, places)
    return {
        "일자": forms.day(day),
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
    """일자별실현손익: a day on which something was traded a row, newest first."""
    account, (first, last) = account_of(request), _asked(request, "시작일자", "종료일자")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    found = [(day, _sums(positions)) for day, positions in _traded(request, account, first, last)]
    rows = [{"일자": forms.day(day)} | {name: str(won) for name, won in sums.items()} for day, sums in found]
    single = {total: str(sum(sums[name] for _, sums in found)) for total, name in _TOTALS.items()}
    return request.answer(single, rows)


_TOTALS = {
    "총매수금액": "매수금액",
    "총매도금액": "매도금액",
    "실현손익": "당일매도손익",
    "매매수수료": "당일매매수수료",
    "매매세금": "당일매매세금",
}


def _sums(positions: Sequence[Position]) -> dict[str, int]:
    return {
        "매수금액": sum(each.bought_value for each in positions),
        "매도금액": sum(each.sold_value for each in positions),
        "당일매도손익": sum(each.realised for each in positions),
        "당일매매수수료": sum(each.fees for each in positions),
        "당일매매세금": sum(each.taxes for each in positions),
    }


@responder("opt10077")
def realised_today(request: Request) -> Answer:
    """당일실현손익상세."""
    account, code = account_of(request), request.code()
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    held, today = (*account.positions.values(), *account.loans), request.exchange.today
    single = {"당일실현손익": str(sum(each.realised for each in held if code in ("", each.code)))}
    return request.listed(_realised(request, today, held, code, _ALL), single)


@responder("opt10170")
def diary(request: Request) -> Answer:
    """당일매매일지: what was traded on a day; with 단주구분 1 only as many sales as there were purchases."""
    account, matched = account_of(request), request.choice("단주구분", "2") == "1"
    kind, (first, last) = request.choice("현금신용구분", "0"), _asked(request, "기준일자", "기준일자")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    found = [each for _, positions in _traded(request, account, first, last) for each in positions]
    traded = [
        each
        for each in found
        if each.code in request.exchange.instruments and (kind == "0" or (kind == "2") is (each.loan_date is not None))
    ]
    rows = [_diary_row(each, matched) for each in traded]
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


def _diary_row(each: Position, matched: bool) -> dict[str, int]:
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
        "거래소구분명": "S-KRX" if order.number in request.world.routed else "KRX",
        "주문구분": forms.ORDER_NAMES[order.action, order.side],
    }


@responder("opt10012", "opw00006", source=Source.EMPTY)
def of_others(request: Request) -> Answer:
    """주문체결, 관리자별주문체결내역: for other kinds of users; recorded empty."""
    if "계좌번호" in request.tr.input_names and account_of(request) is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    return request.answer({"출력건수": forms.padded(0, 4)} if request.tr.single else None)
