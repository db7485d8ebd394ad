"""What a request must be before anything of it reaches the control; each failure says what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.functions import EVENTS
from koapy.openapi.login import masked
from koapy.openapi.nearest import did_you_mean
from koapy.openapi.order import order_type as order_kind
from koapy.openapi.order import order_types, quote_types
from koapy.openapi.order import quote_type as quote_kind
from koapy.openapi.tr import UnknownTr, tr
from koapy.server.failure import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from koapy.openapi.tr import Tr, TrInput
    from koapy.server.core import Core

LONG_MAX = 2**31 - 1
CODE, ACCOUNT = "종목코드", "계좌번호"
VENUES = ("_NX", "_AL")
SECTOR_LENGTHS, DERIVATIVE_LENGTH = (2, 3), 8
"""Digits of 장시작시간's and of sectors' codes; characters of derivatives' codes at least."""


def screen(number: str, *, may_be_empty: bool = True) -> str:
    """A screen number as OpenAPI+ wants it, or "" where the gateway may choose."""
    if number == "" and may_be_empty:
        return number
    if len(number) == 4 and number.isascii() and number.isdigit() and number != "0000":
        return number
    choose = ', or "" to have one chosen' if may_be_empty else ""
    raise invalid(f"bad screen number {number!r}: four digits from 0001 to 9999{choose}")


def events(names: Iterable[str]) -> frozenset[str]:
    """Event names that exist."""
    wanted = frozenset(names)
    if not wanted:
        raise invalid(f"no event named in slots; name at least one of {', '.join(EVENTS)}")
    for name in sorted(wanted):
        if name not in EVENTS:
            raise invalid(f"unknown event {name!r}{did_you_mean(name, EVENTS)}; the events are {', '.join(EVENTS)}")
    return wanted


def long(value: int, what: str) -> int:
    """A number that fits OpenAPI+'s 32-bit long."""
    if not -LONG_MAX - 1 <= value <= LONG_MAX:
        raise invalid(f"{what} {value} does not fit a 32-bit number")
    return value


def known_tr(code: str) -> Tr:
    """The TR of this code, in any case."""
    if not code:
        raise invalid("no transaction code; name a TR such as opt10001")
    try:
        return tr(code)
    except UnknownTr as error:
        raise invalid(str(error.args[0])) from None


async def stock_code(core: Core, code: str) -> None:
    """A code that the control's masters know."""
    plain = code
    for venue in VENUES:
        plain = plain.removesuffix(venue)
    if not plain or not plain.isascii() or not plain.isalnum():
        raise invalid(f"bad {CODE} {code!r}: six characters such as 005930")
    if core.apartment.has("GetMasterCodeName") and not await core.lookups.ask("GetMasterCodeName", plain):
        await core.require_login()  # without one the masters know no code
        raise invalid(f"unknown {CODE} {code!r}: no listed issue has it; GetCodeListByMarket lists all codes")


async def real_code(core: Core, code: str) -> None:
    """A code that real-time data can be had of: a stock's, or another kind's, which no master lists."""
    if not code or not code.isascii() or not code.replace("_", "").isalnum():
        raise invalid(f"bad code {code!r}: a code such as 005930, or a sector's such as 001")
    plain = code.split("_")[0]
    if len(plain) == 6:
        await stock_code(core, code)
    elif not (plain.isdigit() and len(plain) in SECTOR_LENGTHS) and len(plain) < DERIVATIVE_LENGTH:
        raise invalid(f"unknown code {code!r}: six characters such as 005930, or a sector's such as 001")


async def account(core: Core, number: str) -> None:
    """An account of the one who is logged in."""
    if len(number) != 10 or not number.isascii() or not number.isdigit():
        raise invalid(f"bad {ACCOUNT} {masked(number)}: ten digits")
    if core.apartment.has("GetLoginInfo"):
        known = [each for each in str(await core.lookups.ask("GetLoginInfo", "ACCNO")).split(";") if each]
        if known and number not in known:
            accounts = ", ".join(map(masked, known))
            raise invalid(f"unknown {ACCOUNT} {masked(number)}: the accounts of this login are {accounts}")


async def tr_inputs(core: Core, known: Tr, inputs: Mapping[str, str]) -> tuple[str, ...]:
    """Check the inputs of a TR that identify something; give the names that the TR does not have."""
    for each in known.inputs:
        value = inputs.get(each.name, "").strip()
        if each.name == ACCOUNT:
            if not value:
                raise invalid(f"{known.code} needs {ACCOUNT}")
            await account(core, value)
        elif each.name == CODE:
            await _code_input(core, known, each, value)
    return tuple(name for name in inputs if name not in known.input_names)


async def _code_input(core: Core, known: Tr, each: TrInput, value: str) -> None:
    if not value:
        if each.required is not False and not each.default:
            raise invalid(f"{known.code} needs {CODE}")
        return
    if each.format in {"code6", "codes;"}:
        for code in value.split(";"):
            if code:
                await stock_code(core, code)


def order(order_type: int, quote_type: str, quantity: int, price: int, original: str) -> None:
    """The parts of an order that no market could accept."""
    known = order_kind(order_type)
    if known is None:
        listed = ", ".join(f"{each.code} {each.name}" for each in order_types())
        raise invalid(f"unknown order type {order_type}; {listed}")
    if quote_kind(quote_type) is None and not (quote_type == "" and known.action == "cancel"):
        listed = ", ".join(f"{each.code} {each.name}" for each in quote_types())
        raise invalid(f"unknown quote type (거래구분) {quote_type!r}; {listed}")
    long(quantity, "quantity")
    long(price, "price")
    if quantity < 0 or (quantity == 0 and known.action == "new"):
        raise invalid(f"quantity {quantity}: at least 1 share")
    if price < 0:
        raise invalid(f"price {price}: in won, 0 for market orders and cancels")
    if known.action != "new" and not (len(original) == 7 and original.isascii() and original.isdigit()):
        raise invalid(f"{known.name} needs the original order number, seven digits such as 0000123, got {original!r}")


async def order_code(core: Core, code: str) -> None:
    """A code that an order may name: without a venue, which the order type chooses."""
    if "_" in code:
        raise invalid(f"bad {CODE} {code!r} of an order: without a venue; order types 11 to 25 choose SOR or NXT")
    await stock_code(core, code)
