"""What an account may order in futures and options, and what its positions bind.

The account's own deposit backs contracts, nothing else does, so what is asked about securities that back them (대용) is
0. Amounts are won and as wide as their items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.model import Side
from koapy.simulation.tr.accounts import filled, nothing_found
from koapy.simulation.tr.contract_ledger import nobody, owner
from koapy.simulation.tr.contracts import contract
from koapy.simulation.tr.deposits import zeros
from koapy.simulation.tr.registry import Source, responder

if TYPE_CHECKING:
    from koapy.simulation.contract_model import Holding
    from koapy.simulation.tr.accounts import Values
    from koapy.simulation.tr.request import Answer, Request


@responder("opw20008", "opw20012", "opw20014", source=Source.OWN)
def margins(request: Request) -> Answer:
    """계좌별결제예상내역, 선옵증거금상세내역, 선옵실시간증거금산출: the deposit, and what positions bind and bring."""
    who = owner(request)
    request.number("KOSPI200지수")
    if who is None:
        return nobody(request)
    desk, number = who.desk, who.number
    cash, bound, open_profit = desk.cash(number), desk.bound(number), desk.unrealised(number)
    free, estimated = max(desk.orderable(number), 0), cash + open_profit
    short = max(bound - estimated, 0)
    held = who.held
    options = sum(desk.profit(each) for each in held) - open_profit
    values: Values = {
        **dict.fromkeys(("예탁총액", "예탁현금", "예탁평가총액"), cash),
        **dict.fromkeys(("추정예탁총액", "추정예탁현금", "익일예탁총액"), estimated),
        **dict.fromkeys(("위탁증거금", "현금증거금", "위탁증거금총액", "위탁현금증거금", "유지증거금총액"), bound),
        **dict.fromkeys(
            ("추정위탁증거금총액", "추정위탁증거금현금", "추정유지증거금총액", "추정유지증거금현금"), bound
        ),
        **dict.fromkeys(("추가증거금총액", "추가증거금현금", "추정추가증거금총액", "추정추가증거금현금"), short),
        **dict.fromkeys(("유지증거금총액부족액", "유지증거금현금부족액", "유지증거금기준부족액"), short),
        **dict.fromkeys(("위탁증거금기준부족액",), short),
        **dict.fromkeys(("선물당일차금", "선물예상정산손익", "선물정산차금"), open_profit),
        **dict.fromkeys(("주문가능총액", "주문가능현금"), free),
        **dict.fromkeys(("인출가능총액", "인출가능현금"), min(free, max(cash, 0))),
        **dict.fromkeys(("수수료", "수수료합계", "선물수수료"), who.fees),
        "옵션잔고평가손익": options,
        "위험위탁증거금": bound,
        "계좌번호": number,
        "조회일자": forms.day(request.exchange.today),
        "조회건수": len(held),
    }
    rows = [_volatility_row(request, each) for each in held] if request.tr.multi else []
    known = {name: value for name, value in values.items() if name in request.tr.single_names}
    message = nothing_found(request, rows) if request.tr.multi else None
    return request.answer(zeros(request.tr.single, known), [row for row in rows if row], message=message)


def _volatility_row(request: Request, held: Holding) -> dict[str, str]:
    now = contract(request.exchange, held.code)
    if now is None:
        return {}
    values: Values = {
        "종목코드": held.code,
        "매도매수구분": "1" if held.quantity < 0 else "2",
        "미결제수량": abs(held.quantity),
        "현재가": now.plain(now.last),
        "내재변동성": forms.decimal(round(10_000 * now.contract.volatility(now.day)), 100),
        "이론지수": now.plain(now.contract.fair(now.day, now.level)),
        "잔존일수": (now.contract.expiry - now.day).days,
    }
    return filled(request.tr.multi, values)


@responder("opw20009", source=Source.OWN)
def orderable(request: Request) -> Answer:
    """선옵계좌별주문가능수량: how many a new order may have, and how many it closes. 주문가격 is in points x 1000."""
    who = owner(request)
    if who is None:
        return nobody(request)
    now = contract(request.exchange, request.text("종목코드"))
    cash, bound = who.desk.cash(who.number), who.desk.bound(who.number)
    free = max(who.desk.orderable(who.number), 0)
    values: Values = {
        **dict.fromkeys(("예탁총액", "예탁현금"), cash),
        **dict.fromkeys(("위탁증거금", "현금증거금"), bound),
        **dict.fromkeys(("주문가능금액", "주문가능총액", "주문가능현금"), free),
    }
    if now is not None:
        side = Side.SELL if request.choice("매도수구분", "2") == "1" else Side.BUY
        price = request.number("주문가격") * now.contract.scale // 1000 or now.last
        held = who.desk.holding(who.number, now.contract.code).quantity
        closing = max(-held if side is Side.BUY else held, 0)
        one = who.desk.need(who.number, now.contract.code, side, price, closing + 1)
        most = free // one if one else 0
        values |= {"신규가능수량": most, "청산가능수량": closing, "총가능수량": most + closing}
        values |= dict.fromkeys(("필요증거금총액", "필요증거금현금"), one)
        values |= dict.fromkeys(("총액부족액", "현금부족액"), max(one - free, 0))
    return request.answer(filled(request.tr.single, values))


@responder("opw20001", "opw20013", source=Source.OWN)
def after_closing(request: Request) -> Answer:
    """청산주문위탁증거금가계산, 계좌미결제청산가능수량: what closing positions in a contract would free."""
    who = owner(request)
    if who is None:
        return nobody(request)
    now = contract(request.exchange, request.text("종목코드"))
    desk, number = who.desk, who.number
    bound = desk.bound(number)
    held = desk.holding(number, now.contract.code).quantity if now is not None else 0
    closed = min(request.number("주문수량", abs(held)), abs(held))
    side = Side.SELL if held < 0 else Side.BUY
    freed = 0
    if now is not None and closed:
        # What the same position would bind if it were opened now, without the commission of that.
        whole = desk.bound_by(now.contract.code, held)
        freed = whole - desk.bound_by(now.contract.code, held - closed if side is Side.BUY else held + closed)
    after = bound - freed
    values: Values = {
        "미결제수량": abs(held),
        "청산가능수량": abs(held),
        **dict.fromkeys(("현재증거금총액", "현재증거금현금", "현재위탁증거금총액", "현재현금예탁필요액"), bound),
        **dict.fromkeys(("예상위탁증거금", "예상현금증거금", "체결위탁증거금총액", "체결현금예탁필요액"), after),
        **dict.fromkeys(("증감위탁증거금총액", "증감현금예탁필요액"), after - bound),
    }
    known = {name: value for name, value in values.items() if name in request.tr.single_names}
    return request.answer(filled(request.tr.single, known))
