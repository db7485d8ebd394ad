"""Balances of an account: cash, holdings and what they are worth.

Amounts fill the width of their item with zeros. Cash is settled two trading days after a trade: 예수금 is what is
settled, D+1 and D+2 what it will be by the trades there are. Accounts of the simulation have no foreign money: those
items are zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.message import message
from koapy.simulation import forms
from koapy.simulation.tr.holdings import holdings
from koapy.simulation.tr.registry import responder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from koapy.openapi.tr import TrField
    from koapy.simulation.model import Account, Position
    from koapy.simulation.tr.holdings import Holding
    from koapy.simulation.tr.request import Answer, Request

NO_SUCH_ACCOUNT = message("bad_account")
_NOTHING_FOUND = {"mock": "[100000] 모의투자 해당조회내역이 없습니다.", "real": message("no_rows", "real")}
"""No holdings, no orders. The mock server's text was seen in the twin, which leaves the number out."""

NAME_WIDTH = 16
"""Bytes to which opw00018 cuts names."""

Values = dict[str, "int | str"]


def account_of(request: Request) -> Account | None:
    """Return the account that is asked for, None when there is no such one."""
    number = request.text("계좌번호")
    return request.exchange.account(number) if number in request.exchange.account_numbers else None


def filled(fields: Iterable[TrField], values: Mapping[str, int | str]) -> dict[str, str]:
    """Write numbers with zeros to the width of their item; texts stay. Items that are not given are amounts of 0."""
    return {field.name: _wide(values.get(field.name, 0), field.width or 0) for field in fields}


def nothing_found(request: Request, rows: Sequence[object]) -> str | None:
    """Return the message of an opw TR without rows, None for the usual one."""
    return None if rows else _NOTHING_FOUND[request.world.server]


@responder("opw00001")
def deposit(request: Request) -> Answer:
    """예수금상세현황: no rows, as there is no foreign money."""
    account = account_of(request)
    request.choice("조회구분", "2", "1")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    spent, earned = account.bought_value, account.sold_value
    cash, free = account.cash, account.orderable_cash
    values: Values = {
        "예수금": account.deposit,
        "주식증거금현금": account.reserved,
        "출금가능금액": account.withdrawable,
        "주문가능금액": free,
        **{f"{share}%종목주문가능금액": forms.rounded(free * 100, share) for share in (20, 30, 40, 100)},
        "신용담보비율": forms.padded_decimal(0),
        "현금미수금": max(0, -account.deposit),
        "현금미수금합계": max(0, -account.deposit),
        "융자금합계": sum(each.loan for each in account.loans),
        "d+1추정예수금": account.deposit_next,
        "d+1매도매수정산금": account.deposit_next - account.deposit,
        "d+1출금가능금액": max(0, min(account.deposit_next, cash - account.reserved)),
        "d+2추정예수금": cash,
        "d+2매도매수정산금": cash - account.deposit_next,
        "d+2매수정산금": spent,
        "d+2매도정산금": earned,
        "d+2출금가능금액": max(0, free),
    }
    return request.answer(filled(request.tr.single, values))


@responder("opw00004")
def evaluation(request: Request) -> Answer:
    """계좌평가현황: what each holding would bring after fees and taxes."""
    account = account_of(request)
    request.choice("상장폐지조회구분", "0")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    held = holdings(request.world, account)
    page = request.page(range(-len(held) + 1, 1))
    shown = [held[len(held) - 1 - index] for index in page.indices]
    values: Values = {
        "계좌명": "",
        "지점명": "",
        "예수금": account.deposit,
        "D+2추정예수금": account.cash,
        "유가잔고평가액": sum(each.value for each in held),
        # Recorded on the mock server: the deposit alone.
        "예탁자산평가액": account.deposit + (0 if request.world.mock else sum(each.value for each in held)),
        "총매입금액": sum(each.position.cost for each in held),
        "추정예탁자산": estimated_assets(account, held),
        **dict.fromkeys(("당일손익율", "당월손익율", "누적손익율"), _points(request, 0, 1, 2)),
        "출력건수": len(shown),
    }
    before = _yesterday(request, account)
    rows = [filled(request.tr.multi, _evaluation_row(request, each) | before(each)) for each in shown]
    return request.answer(filled(request.tr.single, values), rows, page.after, nothing_found(request, rows))


@responder("opw00005")
def execution_balance(request: Request) -> Answer:
    """체결잔고."""
    account = account_of(request)
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    held, free = holdings(request.world, account), account.orderable_cash
    cost, profit = sum(each.position.cost for each in held), sum(each.profit for each in held)
    values: Values = {
        "예수금": account.deposit,
        "예수금D+1": account.deposit_next,
        "예수금D+2": account.cash,
        "출금가능금액": account.withdrawable,
        "주문가능현금": free,
        "현금미수금": max(0, -account.deposit),
        "증거금현금": account.reserved,
        "신용융자합계": sum(each.loan for each in account.loans),
        "주식매수총액": cost,
        "평가금액합계": sum(each.value for each in held),
        "총손익합계": profit,
        "총손익률": _points(request, profit, cost, 4),
        "총재매수가능금액": free,
        **{f"{share}주문가능금액": forms.rounded(free * 100, share) for share in (20, 30, 40, 50, 60, 100)},
        "신용담보비율": forms.padded_decimal(0),
        "조회건수": len(held),
    }
    rows = [filled(request.tr.multi, _execution_row(request, each)) for each in held]
    return request.answer(filled(request.tr.single, values), rows, message=nothing_found(request, rows))


@responder("opw00018")
def balance(request: Request) -> Answer:
    """계좌평가잔고내역: each day's loan is a row of its own, whether 합산 or 개별 is asked for."""
    account = account_of(request)
    request.choice("조회구분", "2")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    held = holdings(request.world, account)
    cost, profit = sum(each.position.cost for each in held), sum(each.profit for each in held)
    values: Values = {
        "총매입금액": cost,
        "총평가금액": sum(each.value for each in held),
        "총평가손익금액": profit,
        "총수익률(%)": _wide_points(request, profit, cost),
        "추정예탁자산": estimated_assets(account, held),
        "총융자금액": sum(each.loan for each in account.loans),
        "조회건수": len(held),
    }
    before = _yesterday(request, account)
    rows = [filled(request.tr.multi, _balance_row(request, each, cost) | before(each)) for each in held]
    return request.answer(filled(request.tr.single, values), rows, message=nothing_found(request, rows))


@responder("opt10085")
def returns(request: Request) -> Answer:
    """계좌수익률: everything held or traded today; unpadded, codes without a letter."""
    account = account_of(request)
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    rows = [_return_row(request, position) for position in (*account.positions.values(), *account.loans)]
    page = request.page(range(-len(rows) + 1, 1))
    return request.answer(rows=[rows[len(rows) - 1 - index] for index in page.indices], after=page.after)


def _yesterday(request: Request, account: Account) -> Callable[[Holding], Values]:
    """How to tell of a holding what was bought and sold of it on the trading day before."""
    past = request.exchange.past_days(account.number)
    traded = {(each.code, each.loan_date): each for each in past[-1].positions} if past else {}

    def told(holding: Holding) -> Values:
        found = traded.get((holding.instrument.code, holding.position.loan_date))
        return {
            "전일매수수량": found.bought_today if found else 0,
            "전일매도수량": found.sold_today if found else 0,
        }

    return told


def _evaluation_row(request: Request, each: Holding) -> Values:
    return {
        "종목코드": forms.account_code(each.instrument.code, each.instrument.kind),
        "종목명": each.instrument.name,
        "보유수량": each.position.quantity,
        "평균단가": each.unit_cost,
        "현재가": each.price,
        "평가금액": each.proceeds - each.buy_fee,
        "손익금액": each.profit,
        "손익율": _points(request, each.profit, each.position.cost, 4),
        "대출일": each.loan_date,
        "매입금액": each.position.cost,
        "결제잔고": each.position.previous_quantity,
        "금일매수수량": each.position.bought_today,
        "금일매도수량": each.position.sold_today,
    }


def _execution_row(request: Request, each: Holding) -> Values:
    return {
        "신용구분": each.credit_kind,
        "대출일": each.loan_date,
        "만기일": "",
        "종목번호": forms.account_code(each.instrument.code, each.instrument.kind),
        "종목명": each.instrument.name,
        "결제잔고": each.position.previous_quantity,
        "현재잔고": each.position.quantity,
        "현재가": each.price,
        "매입단가": each.unit_cost,
        "매입금액": each.position.cost,
        "평가금액": each.proceeds - each.buy_fee,
        "평가손익": each.profit,
        "손익률": _points(request, each.profit, each.position.cost, 4),
    }


def _balance_row(request: Request, each: Holding, total_cost: int) -> Values:
    return {
        "종목번호": forms.account_code(each.instrument.code, each.instrument.kind),
        "종목명": forms.cut(each.instrument.name, NAME_WIDTH),
        "평가손익": each.profit,
        "수익률(%)": _wide_points(request, each.profit, each.position.cost),
        "매입가": each.unit_cost,
        "전일종가": each.instrument.base_price,
        "보유수량": each.position.quantity,
        "매매가능수량": each.position.orderable,
        "현재가": each.price,
        "금일매수수량": each.position.bought_today,
        "금일매도수량": each.position.sold_today,
        "매입금액": each.position.cost,
        "매입수수료": each.buy_fee,
        "평가금액": each.value,
        "평가수수료": each.sell_fee,
        "세금": each.tax,
        "수수료합": each.buy_fee + each.sell_fee,
        "보유비중(%)": _wide_points(request, each.position.cost, total_cost),
        "신용구분": each.credit_kind,
        "신용구분명": "자기융자" if each.loan_date else "",
        "대출일": each.loan_date,
    }


def _return_row(request: Request, position: Position) -> dict[str, str]:
    exchange = request.exchange
    quote = exchange.quote(position.code)
    return {
        "일자": forms.day(exchange.today),
        "종목코드": position.code,
        "종목명": exchange.instruments[position.code].name,
        "현재가": forms.price(quote.last, quote.base_price),
        "매입가": str(forms.rounded(position.cost, position.quantity)),
        "매입금액": str(position.cost),
        "보유수량": str(position.quantity),
        "당일매도손익": str(position.realised),
        # Recorded empty on a day without trades, unlike the taxes.
        "당일매매수수료": str(position.fees) if position.fees else "",
        "당일매매세금": str(position.taxes),
        "신용구분": "03" if position.loan_date else "00",
        "대출일": forms.loan_date(position.loan_date),
        "결제잔고": str(position.previous_quantity),
        "청산가능수량": str(position.orderable),
        "신용금액": str(position.loan),
        "신용이자": str(position.interest),
        "만기일": "00000000",
    }


def estimated_assets(account: Account, held: Iterable[Holding]) -> int:
    """Return 추정예탁자산: the cash after settlement and what selling everything would bring, loans paid back."""
    owed = sum(each.loan + each.interest for each in account.loans)
    return account.cash + sum(each.proceeds for each in held) - owed


def _points(request: Request, part: int, whole: int, places: int) -> str:
    """Write a percentage: plain on the mock server, on the real one without its point and with four decimals."""
    if request.world.mock:
        return forms.decimal(100 * part, whole, places)
    return forms.padded(forms.rounded(1_000_000 * part, whole), 12)


def _wide_points(request: Request, part: int, whole: int) -> str:
    """As `_points`, but filled with zeros on the mock server too."""
    return forms.padded_decimal(100 * part, whole) if request.world.mock else _points(request, part, whole, 4)


def _wide(value: int | str, width: int) -> str:
    return value if isinstance(value, str) else forms.padded(value, width)
