"""OnReceiveChejanData: orders and balances, FID by FID."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from koapy.openapi.chejan import chejan_fids
from koapy.simulation import forms
from koapy.simulation.contract_orders import balance_values, order_values
from koapy.simulation.model import (
    DayStarted,
    OrderAccepted,
    OrderCleared,
    OrderConfirmed,
    OrderFilled,
    PositionChanged,
    Side,
)

if TYPE_CHECKING:
    from koapy.simulation.contract_model import ContractTold
    from koapy.simulation.model import Account, Event, Fill, Order, Position
    from koapy.simulation.session import Session
    from koapy.simulation.world import World

ORDER, BALANCE, CONTRACTS = "0", "1", "4"
"""Gubun of the kinds of chejan event; the last is 파생잔고."""
_TERMINAL = "1100000 "
"""The terminal from which an order came; the mock server leaves it blank."""

_HEARD = (OrderAccepted, OrderFilled, OrderConfirmed, OrderCleared, PositionChanged, DayStarted)


class Chejan:
    """Tells what becomes of orders, whoever sent them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._values: dict[int, str] = {}
        self._about = 0
        """The number of the order that is told of; balances, which have none, follow the order event before them."""
        session.world.exchange.subscribe(self._heard, _HEARD)
        if session.world.contracts is not None:
            session.world.contracts.subscribe(self._heard_contract)

    def GetChejanData(self, nFid: int) -> str:
        """A value of the event that is being told; "" for a FID outside of its list, and outside of the event."""
        return self._values.get(nFid, "")

    def _heard(self, event: Event) -> None:
        world = self._session.world
        match event:
            case OrderAccepted(order, _) | OrderFilled(order, _, _, _) | OrderConfirmed(order, _, _):
                self._about = order.number
            case OrderCleared(original):
                self._about = original.number
                self._session.faults.silent.discard(self._about)  # that an order is over is always told
        match event:
            case OrderAccepted(order, position):
                self._tell(ORDER, _order(world, order, "접수") | {902: str(order.quantity), 903: "0"})
                if position is not None:
                    self._tell(BALANCE, _balance(world, world.exchange.account(order.account), position))
            case OrderFilled(order, fill, position, account):
                self._tell(ORDER, _order(world, order, "체결") | _fill(order, fill))
                self._tell(BALANCE, _balance(world, account, position))
            case OrderConfirmed(order, _, _):
                self._tell(ORDER, _order(world, order, "확인") | {903: "0"})
            case OrderCleared(original):
                state = "체결" if original.filled else "접수"
                self._tell(ORDER, _order(world, original, state) | {902: "0", 819: "1"})
            case PositionChanged(number, position):
                self._tell(BALANCE, _balance(world, world.exchange.account(number), position))
            case DayStarted():
                world.order_screens.clear()
                world.routed.clear()
                self._session.faults.silent.clear()

    def _heard_contract(self, told: ContractTold) -> None:
        world, order = self._session.world, told.order
        self._about = 0
        self._tell(ORDER, order_values(world, told))
        if told.what == "filled":
            self._tell(CONTRACTS, balance_values(world, order.account, order.code))

    def _tell(self, gubun: str, values: dict[int, str]) -> None:
        faults = self._session.faults
        if (late := faults.late.get(self._about)) is not None:
            late.append(partial(self._say, gubun, values))
        elif self._about not in faults.silent:
            self._say(gubun, values)

    def _say(self, gubun: str, values: dict[int, str]) -> None:
        if not self._session.connected:
            return
        fids = chejan_fids(gubun)
        outer, self._values = self._values, {fid: values.get(fid, "") for fid in fids}
        try:
            self._session.events.OnReceiveChejanData(gubun, len(fids), ";".join(map(str, fids)))
        finally:
            self._values = outer


def _issue(world: World, code: str) -> dict[int, str]:
    """What both kinds of event tell about the issue."""
    instrument, quote = world.exchange.instruments[code], world.exchange.quote(code)
    base = quote.base_price
    evening = world.exchange.after_hours(code)
    return {
        9001: forms.account_code(code, instrument.kind),
        302: forms.wide(instrument.name),
        10: forms.price(quote.last, base),
        27: forms.price(quote.best_ask, base),
        28: forms.price(quote.best_bid, base),
        10010: forms.price(evening.last if evening is not None and evening.volume else base, base),
    }


def _evening(world: World, code: str) -> int:
    """The price of the evening's auctions; 0 where there was none today."""
    late = world.exchange.after_hours(code)
    return late.last if late is not None and late.volume else 0


def _order(world: World, order: Order, state: str) -> dict[int, str]:
    return _issue(world, order.code) | {
        9201: order.account,
        9203: forms.order_number(order.number),
        912: "JJ",
        913: state,
        900: str(order.quantity),
        901: str(order.price),
        902: str(order.open),
        903: str(order.filled_value),
        904: forms.order_number(order.original),
        905: forms.ORDER_NAMES[order.action, order.side],
        906: forms.QUOTE_NAMES[order.kind],
        907: "2" if order.side is Side.BUY else "1",
        908: forms.clock(world.now()),
        938: "0",
        939: "0",
        919: "0",
        920: world.order_screens.get(order.number, ""),
        921: "" if world.mock else _TERMINAL,
        922: forms.credit_kind(order),
        923: forms.loan_date(order.credit.loan_date if order.credit else None),
        949: "3",
        969: "0",
        819: "0",
        2134: "1",
        2135: "KRX",
        2136: "Y" if order.number in world.routed else "N",
    }


def _fill(order: Order, fill: Fill) -> dict[int, str]:
    return {
        908: forms.clock(fill.time),
        909: str(fill.number),
        910: str(order.average),
        911: str(order.filled),
        914: str(fill.price),
        915: str(fill.quantity),
        938: str(order.fee),
        939: str(order.tax),
    }


def _balance(world: World, account: Account, position: Position) -> dict[int, str]:
    instrument, quote = world.exchange.instruments[position.code], world.exchange.quote(position.code)
    base = quote.base_price
    realised, realised_rate = str(account.realised), forms.decimal(100 * account.profit, account.sold_cost)
    return _issue(world, position.code) | {
        9201: account.number,
        917: "03" if position.loan_date else "00",
        916: forms.loan_date(position.loan_date),
        930: str(position.quantity),
        931: str(position.average),
        932: str(position.cost),
        933: str(position.orderable),
        945: str(position.bought_today - position.sold_today),
        946: "2",
        950: realised,
        951: "0",
        307: str(base),
        8019: realised_rate,
        957: "0",
        958: "0",
        918: "00000000",
        990: realised,
        991: realised_rate,
        992: "0",
        993: "0.00",
        959: "0",
        924: "0",
        25: forms.sign(quote.last, base, instrument.upper, instrument.lower),
        11: forms.change(quote.change),
        12: forms.percent(quote.change, base),
        306: forms.price(instrument.lower, base),
        305: forms.price(instrument.upper, base),
        970: "10",
        10012: "0.00",
        10025: forms.SAME,
        10011: " 0",
    }
