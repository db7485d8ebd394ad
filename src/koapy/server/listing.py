"""What opt10075 and opt10076 list of an account's orders, and events that tell it to those who missed the real ones.

Neither lists cancellations, nor orders that were cancelled or modified before anything was filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi.fid import fid_name
from koapy.openapi.order import order_type
from koapy.orders.verdict import action, has_price
from koapy.server.events import ORDER_NUMBER, ReceiveChejanData, ReceiveTrData, Table
from koapy.server.recording import NO_ORIGINAL, plain_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from koapy.orders.model import NewOrder, OrderRecord

OPEN_ORDERS, TRADED_ORDERS = "opt10075", "opt10076"
Row = dict[str, str]


def open_inputs(account: str) -> Row:
    """Of opt10075: whatever is open."""
    return {"계좌번호": account, "전체종목구분": "0", "매매구분": "0", "종목코드": "", "체결구분": "1"}


def traded_inputs(account: str) -> Row:
    """Of opt10076: whatever has traded."""
    return {
        "종목코드": "",
        "조회구분": "0",
        "매도수구분": "0",
        "계좌번호": account,
        "비밀번호": "",
        "주문번호": "",
        "체결구분": "2",
    }


class Listed(NamedTuple):
    """One order as the exchange lists it."""

    account: str
    number: str
    original: str
    """"" for none."""
    code: str
    kind: str
    """주문구분: +매수, -매도정정, ..."""
    quote: str
    """매매구분: 보통, 시장가, ..."""
    time: str
    ordered: int
    price: int
    open: int
    filled: int
    amount: int
    """Sum of price x quantity of its fills, in won; by opt10076 alone its 체결가 x 체결량."""

    def fits(self, order: NewOrder) -> bool:
        """Whether this is for the same code and side; an exchange that was made anew gives numbers a second time."""
        known = order_type(order.order_type)
        side = {"sell": "매도", "buy": "매수"}.get(known.side, "") if known is not None else ""
        return self.code == order.code and side in self.kind

    def like(self, order: NewOrder) -> bool:
        """Whether this may be that order."""
        return (
            self.fits(order)
            and self.ordered == order.quantity
            and (self.price == order.price or not has_price(order))
            and self.original == (order.original if action(order) == "modify" else "")
        )


def merged(account: str, opened: Iterable[Row], traded: Iterable[Row]) -> list[Listed]:
    """Both lists as one; what one says later than the other counts."""
    found: dict[str, Listed] = {}
    for row in (*traded, *opened):
        listed = _listed(account, row)
        before = found.get(listed.number)
        if before is not None and (before.filled > listed.filled or before.open < listed.open):
            listed = before._replace(amount=max(before.amount, listed.amount))
        found[listed.number] = listed
    return list(found.values())


def _listed(account: str, row: Row) -> Listed:
    original = row.get("원주문번호", "")
    filled = _number(row, "체결량")
    return Listed(
        account=account,
        number=row["주문번호"],
        original="" if original in ("", NO_ORIGINAL) else original,
        code=plain_code(row["종목코드"]),
        kind=row["주문구분"],
        quote=row.get("매매구분", ""),
        time=row.get("시간") or row.get("주문시간") or "",
        ordered=_number(row, "주문수량"),
        price=_number(row, "주문가격"),
        open=_number(row, "미체결수량"),
        filled=filled,
        amount=_number(row, "체결누계금액") or filled * _number(row, "체결가"),
    )


def numbered(record: OrderRecord, number: str) -> ReceiveTrData:
    """The answer to an order that never came: its number."""
    table = Table((ORDER_NUMBER,), ((number,),))
    return ReceiveTrData(record.client_screen, record.client_request, "", "", "", table).as_recovered()


def standing(record: OrderRecord, listed: Listed) -> ReceiveChejanData:
    """How an order that is listed stands."""
    untouched = "확인" if action(record.order) == "modify" else "접수"
    over = not listed.open and listed.filled < listed.ordered
    return _chejan(
        {
            9201: listed.account,
            9203: listed.number,
            9001: f"A{listed.code}",
            913: "체결" if listed.filled else untouched,
            900: str(listed.ordered),
            901: str(listed.price),
            902: str(listed.open),
            903: str(listed.amount),
            904: listed.original or NO_ORIGINAL,
            905: listed.kind,
            906: listed.quote,
            908: listed.time,
            911: str(listed.filled) if listed.filled else "",
            819: "1" if over else "0",
        }
    )


def closed(record: OrderRecord) -> ReceiveChejanData:
    """The end of an order that has a number and is listed no more: what was open has been taken back."""
    return _chejan(
        _of(record)
        | {
            913: "체결" if record.filled else "접수",
            902: "0",
            903: str(record.amount),
            911: str(record.filled) if record.filled else "",
            819: "1",
        }
    )


def confirmed(record: OrderRecord) -> ReceiveChejanData:
    """The confirmation of a cancellation whose original is open no more."""
    return _chejan(_of(record) | {913: "확인", 902: "0", 903: "0", 911: "", 819: "0"})


def _of(record: OrderRecord) -> dict[int, str]:
    order = record.order
    known = order_type(order.order_type)
    return {
        9201: order.account,
        9203: record.number,
        9001: f"A{order.code}",
        900: str(order.quantity),
        901: str(order.price),
        904: order.original or NO_ORIGINAL,
        905: known.name if known else "",
    }


def _chejan(values: Mapping[int, str]) -> ReceiveChejanData:
    listed, names = ";".join(map(str, values)), tuple(map(fid_name, values))
    return ReceiveChejanData("0", len(values), listed, names, values).as_recovered()


def _number(row: Row, name: str) -> int:
    digits = row.get(name, "").strip().lstrip("+-")
    return int(digits) if digits.isdecimal() else 0
