"""Texts of OnReceiveMsg about orders, on the mock server (as seen since 2021) and on the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.message import message
from koapy.simulation.model import Action, Refusal, Side

if TYPE_CHECKING:
    from koapy.simulation.world import ServerKind

WRONG_REQUEST = message("parse_failure")
"""Inputs that the TR does not have, or in another order; without screen, request name and TR code."""
NOT_SERVED = message("tr_not_offered")
"""A TR that the server does not offer."""

_REFUSED = {
    Refusal.BEFORE_OPEN: "before_open",
    Refusal.AFTER_CLOSE: "after_close",
    Refusal.HOLIDAY: "holiday",
    Refusal.NO_SUCH_ACCOUNT: "bad_account",
    Refusal.NO_SUCH_CODE: "no_such_code",
    Refusal.KIND_NOT_OFFERED: "kind_not_offered",
    Refusal.KIND_NOT_NOW: "kind_not_now",
    Refusal.NOTHING_TO_MEET: "kind_not_offered",
    Refusal.PRICE_WITH_MARKET: "price_with_market",
    Refusal.BAD_TICK: "bad_tick",
    Refusal.OUTSIDE_LIMITS: "outside_limits",
    Refusal.BAD_QUANTITY: "bad_quantity",
    Refusal.NO_CREDIT: "kind_not_offered",
    Refusal.NO_CASH: "no_cash",
    Refusal.NOT_HELD: "not_held",
    Refusal.NO_SUCH_ORDER: "no_such_order",
    Refusal.NOTHING_OPEN: "nothing_open",
    Refusal.SIDE_MISMATCH: "nothing_open",  # what the mock server says of the wrong side, too
    Refusal.TOO_MUCH: "cancel_too_many",
    Refusal.SAME_PRICE: "same_price",
}

_SELL_SIDE = {
    Action.MODIFY: "매도정정 주문입력이 완료되었습니다",
    Action.CANCEL: "매도취소 주문입력이 완료되었습니다",
}
"""On the real server; their numbers were never seen."""


def ordered(server: ServerKind, action: Action, side: Side, *, early: bool = False) -> str:
    """An order was accepted; `early`: one at yesterday's close, before hours (장전시간외)."""
    if server == "mock":
        # The mock server tells a modify as it tells a new order.
        return message("cancel_accepted" if action is Action.CANCEL else f"{side.value}_accepted", "mock")
    if action is Action.NEW:
        seen = early and side is Side.BUY  # of a sale it never was
        return message(f"{side.value}_accepted{'_before_hours' if seen else ''}", "real")
    return message(f"{action.value}_buy_accepted", "real") if side is Side.BUY else _SELL_SIDE[action]


def refused(
    server: ServerKind,
    reason: Refusal,
    *,
    at_close: bool = False,
    best: bool = False,
    low: bool = False,
    possible: int = 0,
) -> str:
    """An order was refused.

    Args:
        at_close: whether it was an order at a close, outside the day's hours (시간외종가).
        best: whether it was an order at the best price (최유리, 최우선).
        low: whether its price was below the day's limits.
        possible: how many shares would have been accepted.
    """
    situation = _REFUSED[reason]
    if reason is Refusal.KIND_NOT_OFFERED and best and server == "mock":
        situation = "best_not_offered"
    if reason is Refusal.PRICE_WITH_MARKET and at_close:
        situation = "price_after_hours"
    if reason is Refusal.OUTSIDE_LIMITS and server == "real":
        situation = "below_limits" if low else "bad_tick"
    return message(situation, server).replace("{}", str(possible))
