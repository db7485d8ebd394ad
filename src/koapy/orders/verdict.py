"""What one order is refused for by one holder's limits, in words for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi.calendar import KST
from koapy.openapi.login import masked
from koapy.openapi.order import order_type, quote_type

if TYPE_CHECKING:
    from datetime import datetime

    from koapy.openapi.order import Action
    from koapy.orders.model import Halt, NewOrder
    from koapy.orders.rules import Holder

DERIVATIVES = "SendOrderFO"
PREFIXES = frozenset("AJQ")
"""What balances put before a code: a stock's, an ELW's, an ETN's."""
RAISE = "raise the limit in the server's configuration where it is too low"
LESS = f"order less, or {RAISE}"
REASONS = {
    "read_only": "RISK_READ_ONLY",
    "allowed_accounts": "RISK_ACCOUNT",
    "allowed_codes": "RISK_CODE",
    "denied_codes": "RISK_CODE",
    "max_quantity": "RISK_QUANTITY",
    "max_notional": "RISK_NOTIONAL",
    "price_collar": "RISK_COLLAR",
    "orders_per_minute": "RISK_ORDERS_PER_MINUTE",
    "orders_per_day": "RISK_ORDERS_PER_DAY",
}
"""The word for programs, by the field of RiskLimits."""
NO_PRICE, HALTED = "RISK_NO_PRICE", "HALTED"


class Breach(NamedTuple):
    """Why an order is refused."""

    reason: str
    """The word for programs, such as RISK_QUANTITY."""
    text: str
    """For people: which limit, whose, by how much, and what can be done."""
    limit: str
    """The field of RiskLimits, or halt."""
    whose: str = ""
    """everybody, "account 8000****11" or "client NAME"."""
    allowed: str = ""
    """The limit's value."""
    asked: str = ""
    """The order's value."""
    by: str = ""
    """How much that is too much: pieces, won or orders."""
    wait: str = ""
    """Seconds until the same order may pass; "" where waiting does not help."""

    @property
    def details(self) -> dict[str, str]:
        """What stands in the status details, beside the reason and the text."""
        named = {name: getattr(self, name) for name in ("limit", "whose", "allowed", "asked", "by", "wait")}
        return {name: value for name, value in named.items() if value}


class Case(NamedTuple):
    """An order before one holder's limits."""

    order: NewOrder
    holder: Holder
    last_price: int | None
    """In won; None where it is not known."""


def action(order: NewOrder) -> Action:
    """Whether an order is new, a modification or a cancellation; one of an unknown type is judged as a new one."""
    known = order_type(order.order_type, "SendOrderFO" if order.function == DERIVATIVES else "SendOrder")
    return known.action if known else "new"


def has_price(order: NewOrder) -> bool:
    """Whether the order is of a kind that names a price, unlike one at the market."""
    kind = quote_type(order.quote_type, "SendOrderFO" if order.function == DERIVATIVES else "SendOrder")
    return kind is None or kind.price == "required"


def has_value(order: NewOrder) -> bool:
    """Whether the order says by itself what one piece is to cost; a price of 0 does not."""
    return has_price(order) and order.price > 0


def halted_by(halt: Halt) -> Breach:
    """The kill switch."""
    why = f": {halt.reason}" if halt.reason else ""
    since = f"{halt.since.astimezone(KST):%Y-%m-%d %H:%M:%S}"
    text = (
        f"trading was halted by {halt.by} at {since} (Korea){why}; cancellations pass, new orders and modifications "
        "only after `koapy release`"
    )
    return Breach(reason=HALTED, text=text, limit="halt", whose="everybody")


def read_only(case: Case) -> Breach | None:
    """Nothing may be sent at all."""
    holder = case.holder
    if not holder.limits.read_only:
        return None
    return _breach("read_only", holder, f"read_only is set for {holder.whose}: no order and no cancellation is sent")


def account(case: Case) -> Breach | None:
    """The account is not among those allowed."""
    allowed, asked = case.holder.limits.allowed_accounts, case.order.account.strip()
    if allowed is None or asked in allowed:
        return None
    shown = ", ".join(sorted(map(masked, allowed))) or "none"
    text = f"the account {masked(asked)} is not among the accounts of {_limit(case.holder)}: {shown}"
    return _breach("allowed_accounts", case.holder, text, allowed=shown, asked=masked(asked))


def code(case: Case) -> Breach | None:
    """The code is denied, or not among those allowed."""
    limits, asked = case.holder.limits, _plain(case.order.code)
    if asked in map(_plain, limits.denied_codes):
        return _breach("denied_codes", case.holder, f"{_limit(case.holder)} denies orders of {asked}", asked=asked)
    if limits.allowed_codes is None or asked in map(_plain, limits.allowed_codes):
        return None
    shown = ", ".join(sorted(limits.allowed_codes)[:20]) or "none"
    text = f"{asked} is not among the {len(limits.allowed_codes)} codes of {_limit(case.holder)}: {shown}"
    return _breach("allowed_codes", case.holder, text, allowed=shown, asked=asked)


def quantity(case: Case) -> Breach | None:
    """Too many at once."""
    most, asked = case.holder.limits.max_quantity, case.order.quantity
    if most is None or 0 < asked <= most:
        return None
    if asked <= 0:
        return _no_quantity("max_quantity", most, case.holder)
    text = f"quantity {asked:,} is {asked - most:,} above max_quantity {most:,} of {_limit(case.holder)}"
    return _breach("max_quantity", case.holder, f"{text}; {LESS}", allowed=most, asked=asked, by=asked - most)


def notional(case: Case) -> Breach | None:
    """Too much money at once."""
    most, order = case.holder.limits.max_notional, case.order
    if most is None:
        return None
    if order.quantity <= 0:
        return _no_quantity("max_notional", most, case.holder)
    price = _price_of(case)
    if price is None:
        return _no_price("max_notional", case)
    asked = price * order.quantity
    if asked <= most:
        return None
    at = "" if has_value(order) else " (the last price)"
    text = (
        f"{order.quantity:,} x {price:,} won{at} = {asked:,} won is {asked - most:,} won above max_notional {most:,} "
        f"won of {_limit(case.holder)}; {LESS}"
    )
    return _breach("max_notional", case.holder, text, allowed=most, asked=asked, by=asked - most)


def collar(case: Case) -> Breach | None:
    """The price is too far from the last one, as a slip of the finger makes it."""
    percent, order = case.holder.limits.price_collar, case.order
    if percent is None or not has_price(order):
        return None
    if case.last_price is None or case.last_price <= 0 or order.function == DERIVATIVES:
        return _no_price("price_collar", case)
    # Only here: most gateways have no collar.
    from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

    last, part = Decimal(case.last_price), Decimal(str(percent)) / 100
    low, high = (last * (1 - part)).to_integral_value(ROUND_CEILING), (last * (1 + part)).to_integral_value(ROUND_FLOOR)
    if low <= order.price <= high:
        return None
    away = (order.price - last) / last * 100
    excess = order.price - high if order.price > high else low - order.price
    text = (
        f"price {order.price:,} is {away:+.2f} % away from the last price {case.last_price:,}, {excess:,} won outside "
        f"price_collar {percent:g} % of {_limit(case.holder)}; use {max(low, 1):,} to {high:,}, or {RAISE}"
    )
    return _breach("price_collar", case.holder, text, allowed=percent, asked=f"{away:.2f}", by=excess)


def of_day(holder: Holder, sent: int, now: datetime) -> Breach | None:
    """Too many on one day; `sent` were before this one."""
    most = holder.limits.orders_per_day
    if most is None or sent < most:
        return None
    day = f"{now.astimezone(KST):%Y-%m-%d}"
    text = (
        f"order {sent + 1:,} of {day} (Korea) is {sent + 1 - most:,} above orders_per_day {most:,} of "
        f"{_limit(holder)}; go on tomorrow, or {RAISE}"
    )
    return _breach("orders_per_day", holder, text, allowed=most, asked=sent + 1, by=sent + 1 - most)


def of_minute(holder: Holder, wait: float) -> Breach | None:
    """Too many in a minute; the next may go in `wait` seconds."""
    most = holder.limits.orders_per_minute
    if most is None or wait <= 0:
        return None
    text = (
        f"order {most + 1:,} within a minute is 1 above orders_per_minute {most:,} of {_limit(holder)}; the next "
        f"may go in {wait:.1f} s"
    )
    return _breach("orders_per_minute", holder, text, allowed=most, asked=most + 1, by=1, wait=f"{wait:.3f}")


def _price_of(case: Case) -> int | None:
    """What one piece costs; a derivative's price is in points, and what a point is worth the gateway does not know."""
    if case.order.function == DERIVATIVES:
        return None
    price = case.order.price if has_value(case.order) else case.last_price
    return price if price and price > 0 else None


def _no_price(limit: str, case: Case) -> Breach:
    holder = case.holder
    if case.order.function == DERIVATIVES:
        text = f"{limit} of {_limit(holder)} cannot be held against futures and options, whose prices are points"
        return _breach(limit, holder, f"{text}; limit those by max_quantity alone", NO_PRICE)
    text = f"{limit} of {_limit(holder)} needs the last price of {case.order.code}, which is not known"
    return _breach(limit, holder, f"{text}; order when it has been traded, or with a price of your own", NO_PRICE)


def _no_quantity(limit: str, most: int, holder: Holder) -> Breach:
    text = f"an order without a quantity, which means all that is open, cannot be held against {limit} {most:,} of "
    return _breach(limit, holder, f"{text}{_limit(holder)}; name the quantity", allowed=most, asked=0)


def _plain(code: str) -> str:
    code = code.strip().upper()
    return code[1:] if len(code) == 7 and code[0] in PREFIXES else code


def _limit(holder: Holder) -> str:
    return f"the limits of {holder.whose}"


def _breach(limit: str, holder: Holder, text: str, reason: str = "", **values: object) -> Breach:
    shown = {name: str(value) for name, value in values.items()}
    return Breach(reason=reason or REASONS[limit], text=text, limit=limit, whose=holder.whose, **shown)
