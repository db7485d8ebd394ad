"""SendOrderFO: an order in a future or option, from OpenAPI+'s words to the model's, and its chejan events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.model import Action, OrderKind, Refusal, Refused, Side
from koapy.simulation.tr.contracts import contract

if TYPE_CHECKING:
    from decimal import Decimal

    from koapy.simulation.contract_model import ContractOrder, ContractTold
    from koapy.simulation.world import World


@dataclass(frozen=True, slots=True)
class ContractRequest:
    """One SendOrderFO."""

    name: str
    screen: str
    account: str
    action: Action
    side: Side
    code: str
    quantity: int
    price: Decimal
    """In points or won."""
    kind: OrderKind
    original: str


def contract_tr(request: ContractRequest) -> str:
    """Return the TR code of the answer; ours, as none was ever recorded."""
    return f"KOA_NORMAL_FO_{request.action.name if request.action is not Action.NEW else 'ORD'}"


def place_contract(world: World, request: ContractRequest) -> ContractOrder:
    """Carry an order to the model.

    Raises: Refused.
    """
    desk, now = world.contracts, contract(world.exchange, request.code)
    if desk is None or now is None:
        raise Refused(Refusal.NO_SUCH_CODE, request.code)
    units = request.price * now.contract.scale
    if units != int(units):
        raise Refused(Refusal.BAD_TICK, str(request.price))
    if request.action is Action.NEW:
        return desk.place(request.account, request.code, request.side, request.kind, int(units), request.quantity)
    original = int(request.original) if request.original.isascii() and request.original.isdigit() else 0
    known = desk.order(original)
    if known is None or known.code != request.code:
        raise Refused(Refusal.NO_SUCH_ORDER, request.original)
    if known.side is not request.side:
        raise Refused(Refusal.SIDE_MISMATCH, request.original)
    if request.action is Action.MODIFY:
        return desk.modify(request.account, original, int(units), request.quantity)
    return desk.cancel(request.account, original, request.quantity)


def order_values(world: World, told: ContractTold) -> dict[int, str]:
    """Return gubun 0 of an order in a contract, by FID."""
    order, fill = told.order, told.fill
    now = contract(world.exchange, order.code)
    if now is None:
        return {}
    write = now.plain
    state = {"accepted": "접수", "filled": "체결", "confirmed": "확인"}.get(told.what)
    values = {
        9201: order.account,
        9203: forms.order_number(order.number),
        9001: order.code,
        912: "FO",
        913: state or ("체결" if order.filled else "접수"),
        302: forms.wide(now.contract.name),
        900: str(order.quantity),
        901: write(order.price),
        902: str(order.quantity if told.what == "accepted" and order.action is not Action.CANCEL else order.open),
        903: write(order.filled_value) if fill else "0",
        904: forms.order_number(order.original),
        905: forms.ORDER_NAMES[order.action, order.side],
        906: forms.QUOTE_NAMES[order.kind],
        907: "2" if order.side is Side.BUY else "1",
        908: forms.clock(fill.time if fill else world.now()),
        10: now.write(now.last),
        27: now.write(now.offers(asks=True)[0][0]),
        28: now.write(now.offers(asks=False)[0][0]),
        938: str(order.fee) if fill else "0",
        939: "0",
        919: "0",
        920: world.order_screens.get(order.number, ""),
        922: "00",
        923: "00000000",
        819: "1" if told.what == "cleared" else "0",
    }
    if told.what == "cleared":
        values[902] = "0"
    if fill is not None:
        values |= {
            909: str(fill.number),
            910: write(order.filled_value / order.filled),
            911: str(order.filled),
            914: write(fill.price),
            915: str(fill.quantity),
        }
    return values


def balance_values(world: World, account: str, code: str) -> dict[int, str]:
    """Return gubun 4 (파생잔고) of a contract, by FID."""
    desk, now = world.contracts, contract(world.exchange, code)
    if desk is None or now is None:
        return {}
    held = desk.holding(account, code)
    size = abs(held.quantity)
    lowest, highest = now.limits()
    average = held.cost / size if size else 0.0
    gain = desk.profit(held)
    cost = held.cost * now.contract.multiplier // now.contract.scale
    return {
        9201: account,
        9001: code,
        302: forms.wide(now.contract.name),
        10: now.write(now.last),
        930: str(size),
        931: now.plain(average),
        932: str(cost),
        933: str(size),
        945: str(held.bought - held.sold),
        946: "1" if held.quantity < 0 else "2",
        950: str(held.realised - held.fees),
        951: str(desk.cash(account)),
        27: now.write(now.offers(asks=True)[0][0]),
        28: now.write(now.offers(asks=False)[0][0]),
        307: now.plain(now.base),
        8019: forms.decimal(100 * gain, cost),
        397: str(now.contract.multiplier),
        305: now.write(highest),
        306: now.write(lowest),
    }
