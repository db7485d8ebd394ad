"""What contracts cost: margins, commission, and the prices that an order meets. The figures are our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation.figures.contract import Kind
from koapy.simulation.model import Side

if TYPE_CHECKING:
    from koapy.simulation.tr.derived import Derived

_PERCENT = 10
"""Of the value of a future, or of what a sold option is about, that it binds."""

_FEE_PPM = {Kind.FUTURE: 30, Kind.CALL: 1_500, Kind.PUT: 1_500}
"""Commission, in millionths of the value."""


def need(now: Derived, held: int, side: Side, price: int, quantity: int) -> int:
    """Won that an order binds while so many contracts are held: nothing for what closes them."""
    closing = max(-held if side is Side.BUY else held, 0)
    opening = max(quantity - closing, 0)
    if not opening:
        return 0
    if side is Side.BUY and now.contract.kind is not Kind.FUTURE:
        return now.won(price * opening) + fee(now, price * opening)
    return bound_by(now, opening if side is Side.BUY else -opening) + fee(now, price * opening)


def bound_by(now: Derived, quantity: int) -> int:
    """Won that a position binds as margin."""
    future = now.contract.kind is Kind.FUTURE
    if quantity > 0 and not future:
        return 0
    about = now.last if future else int(now.level * now.contract.ratio)
    premium = 0 if future else now.last
    return now.won(abs(quantity) * (about * _PERCENT // 100 + premium))


def fee(now: Derived, value: int) -> int:
    """Commission on a sum of price x quantity, cut to 10 won."""
    return now.won(value) * _FEE_PPM[now.contract.kind] // 1_000_000 // 10 * 10


def reached(now: Derived, side: Side, limit: int) -> list[tuple[int, int]]:
    """The prices on the other side that an order takes, best first, and the contracts there."""
    buys = side is Side.BUY
    return [(price, size) for price, size in now.offers(asks=buys) if (price <= limit if buys else price >= limit)]
