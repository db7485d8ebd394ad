"""What an account may use for orders, and what it was worth: in the account server's wide forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.market import commission
from koapy.simulation import forms
from koapy.simulation.tr.accounts import NO_SUCH_ACCOUNT, account_of, estimated_assets, filled, nothing_found
from koapy.simulation.tr.holdings import holdings
from koapy.simulation.tr.loans import guarantee_percent
from koapy.simulation.tr.registry import Source, responder

if TYPE_CHECKING:
    from koapy.openapi.tr import TrField
    from koapy.simulation.tr.accounts import Values
    from koapy.simulation.tr.request import Answer, Request

SHARES = (20, 30, 40, 50, 60, 100)
"""Margin rates that amounts are given for."""

_TEXTS = ("명", "번호", "구분", "여부", "일자", "지점", "자명", "코드")
"""How the names of items end that are words."""


def zeros(fields: tuple[TrField, ...], values: Values) -> dict[str, str]:
    """Write amounts of 0 for what is not given, and nothing for what is a word."""
    words: Values = {field.name: "" for field in fields if field.name.endswith(_TEXTS)}
    return filled(fields, words | values)


@responder("opw00003")
def assets(request: Request) -> Answer:
    """추정자산조회."""
    account = account_of(request)
    request.choice("상장폐지조회구분", "0")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    values: Values = {"추정예탁자산": estimated_assets(account, holdings(request.world, account))}
    return request.answer(filled(request.tr.single, values))


@responder("opw00010", "opw00011", "opw00012")
def orderable(request: Request) -> Answer:
    """주문인출가능금액, 증거금율별, 신용보증금율별주문가능수량: what cash allows at each margin rate.

    An account that pays its orders in full has a rate of 100 %, one on margin that of the issue. What other rates would
    allow is reckoned from the cash.
    """
    account, code = account_of(request), request.code("종목번호")
    price = request.number("매수가격") or request.number("예상매수단가")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    instruments, free = request.exchange.instruments, account.orderable_cash
    if not price and code in instruments:
        price = request.exchange.quote(code).last
    percent = request.exchange.margin(code) if code in instruments else 100
    applied = f"{percent if account.margin else 100}%"
    quantity = request.number("매매수량")
    cost = price * quantity
    fee = commission(request.world.server, cost)
    values: Values = {
        "종목증거금율": f"{percent}%",
        "계좌증거금율": applied,
        "적용증거금율": applied,
        "종목보증금율": f"{guarantee_percent(percent)}%",
        "종목보증금율명": f"보증금{guarantee_percent(percent)}%",
        "미수불가주문가능금액": free,
        "미수불가주문가능수량": free // price if price else 0,
        "미수불가금액": free,
        "미수불가수량": free // price if price else 0,
        "미수가능금액": free,
        "미수가능수량": free // price if price else 0,
        "예수금": account.deposit,
        "주문가능현금": free,
        "인출가능금액": account.withdrawable,
        "익일인출가능금액": max(0, min(account.deposit_next, account.cash - account.reserved)),
        "매입금액": cost,
        "수수료": fee,
        "매입정산금": cost + fee if quantity else 0,
        "D2추정예수금": account.cash,
        "증거금감면60주문가능금": free,
        "증거금감면60주문가능수": free // price if price else 0,
        "증거금감면적용구분": "0",
    }
    for share in SHARES:
        amount = forms.rounded(free * 100, share)
        for word in ("증거금", "보증금"):
            values |= {f"{word}{share}주문가능금액": amount}
            values |= {f"{word}{share}주문가능수량": amount // price if price else 0}
    return request.answer(filled(request.tr.single, values))


@responder("opw00013")
def margins(request: Request) -> Answer:
    """증거금세부내역조회."""
    account = account_of(request)
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    free = account.orderable_cash
    values: Values = {
        "현금금액": account.cash,
        "현금증거금": account.reserved,
        "사용가능현금": free,
        "사용가능현금최종": free,
        "미수금": max(0, -account.deposit),
        **{f"{share}주문가능금액": forms.rounded(free * 100, share) for share in SHARES},
        "평가대용비율": forms.decimal(0, places=7),
    }
    return request.answer(filled(request.tr.single, values))


@responder("opw00017")
def today(request: Request) -> Answer:
    """계좌별당일현황."""
    account = account_of(request)
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    values: Values = {
        "D+2추정예수금": account.cash,
        "일반주식평가금액D+2": sum(each.value for each in holdings(request.world, account)),
        "매도금액": account.sold_value,
        "매수금액": account.bought_value,
        "수수료": account.fees,
        "세금": account.taxes,
    }
    return request.answer(filled(request.tr.single, values))


@responder("opw00014", source=Source.EMPTY)
def password(request: Request) -> Answer:
    """비밀번호일치여부: accounts have no passwords, so nothing is said of one."""
    return request.answer(message=None if account_of(request) else NO_SUCH_ACCOUNT)


@responder("opw20011", source=Source.EMPTY)
def margins_by_step(request: Request) -> Answer:
    """선옵계좌예비증거금상세: margins of the simulation do not come from steps of the price, so there are none."""
    request.label("증거금구분")
    if account_of(request) is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    return request.answer({"출력건수": forms.padded(0, 4)}, message=nothing_found(request, ()))
