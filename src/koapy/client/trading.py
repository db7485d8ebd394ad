"""Orders: each call sends one, once, and gives the stream of its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.client import calls, parse, requests, trs
from koapy.client.errors import PreconditionFailed
from koapy.client.order import Order, OrderLog
from koapy.client.plan import orders
from koapy.client.queries import gathered
from koapy.client.reconnect import journal

if TYPE_CHECKING:
    from koapy.client.plan import Plan
    from koapy.client.reconnect import Link
    from koapy.client.requests import Action, Side


class Trading:
    """An order is sent when its method is called, once.

    When the connection breaks, the client asks again under the same key: the gateway's journal knows whether it sent
    the order, joins its stream, or sends it then, `reconnect` seconds later at most. A gateway that cannot know is
    not asked; that is OrderUnknown.
    """

    _link: Link

    @orders
    def buy(
        self, code: str, quantity: int, price: int | None = None, *, account: str | None = None, quote_type: str = ""
    ) -> Plan[OrderLog]:
        """Buy.

        Args:
            price: in won; without one at the market (시장가).
            account: the first one of the login unless given.
            quote_type: 거래구분, such as 05 조건부지정가; 00 with a price and 03 without one unless given.

        Raises, when the stream is read: OrderFailed, OrderUnknown, InvalidArgument, PreconditionFailed, LimitExceeded,
            ConnectionLost. Closing the stream or cancelling what awaits it leaves the order as it is.
        """
        return _new(self._link, "buy", code, quantity, price, account, quote_type)

    @orders
    def sell(
        self, code: str, quantity: int, price: int | None = None, *, account: str | None = None, quote_type: str = ""
    ) -> Plan[OrderLog]:
        """Sell; as `buy`."""
        return _new(self._link, "sell", code, quantity, price, account, quote_type)

    @orders
    def modify(
        self, order: Order | str, price: int, quantity: int | None = None, *, account: str | None = None
    ) -> Plan[OrderLog]:
        """Give an open order another price (정정); it goes on under the number of the modification.

        Args:
            order: the order, or its number, for which the open orders of `account` are asked first.
            quantity: all that is open unless given.
        """
        return _other(self._link, "modify", order, price, quantity, account)

    @orders
    def cancel(self, order: Order | str, quantity: int | None = None, *, account: str | None = None) -> Plan[OrderLog]:
        """Cancel what is open of an order (취소), or `quantity` of it; arguments as of `modify`."""
        return _other(self._link, "cancel", order, 0, quantity, account)


@dataclass(frozen=True, slots=True)
class _Open:
    """What must be known of an order to cancel or modify it."""

    number: str
    account: str
    code: str
    side: Side
    open: int


def _new(
    link: Link, side: Side, code: str, quantity: int, price: int | None, account: str | None, quote_type: str
) -> Plan[OrderLog]:
    number = yield from calls.account_or_first(account)
    request = requests.order(
        side, "new", account=number, code=code, quantity=quantity, price=price, quote_type=quote_type
    )
    return OrderLog(request, (yield from journal(link)))


def _other(
    link: Link, action: Action, order: Order | str, price: int, quantity: int | None, account: str | None
) -> Plan[OrderLog]:
    if isinstance(order, Order) and order.number and order.open:
        known = _Open(order.number, order.account, order.code, order.side, order.open)
    else:
        number = order.number if isinstance(order, Order) else order
        known = yield from _looked_up(number, (order.account if isinstance(order, Order) else account))
    request = requests.order(
        known.side,
        action,
        account=known.account,
        code=known.code,
        quantity=known.open if quantity is None else quantity,
        price=price,
        quote_type=requests.LIMIT,
        original=known.number,
    )
    return OrderLog(request, (yield from journal(link)))


def _looked_up(number: str, account: str | None) -> Plan[_Open]:
    account = yield from calls.account_or_first(account)
    pages = yield from gathered(trs.open_orders(account))
    rows = [dict(zip(pages.names, row, strict=True)) for row in pages.rows]
    found = next((row for row in rows if row["주문번호"] == number), None)
    if found is None:
        numbers = ", ".join(row["주문번호"] for row in rows) or "none"
        raise PreconditionFailed(
            f"no open order {number!r} in account {account}; open are: {numbers}", reason="NO_OPEN_ORDER"
        )
    side: Side = "sell" if "매도" in found["주문구분"] else "buy"
    return _Open(number, account, parse.plain_code(found["종목코드"]), side, int(found["미체결수량"]))
