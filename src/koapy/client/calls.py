"""Plans that several methods share: function calls and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.client import parse, requests
from koapy.client.errors import PreconditionFailed, ServerError
from koapy.client.plan import Ask

if TYPE_CHECKING:
    from koapy.client.plan import Plan
    from koapy.client.requests import Value


def value(name: str, *arguments: Value) -> Plan[Value | None]:
    """Call a function; an order function gets an idempotency key."""
    order = name.startswith("SendOrder")
    key = requests.idempotency() if order else ()
    reads = name.startswith(("Get", "Is"))
    reply = yield Ask("Call", requests.call(name, *arguments), key, repeatable=reads, order=order)
    return parse.value(reply.return_value)


def text(name: str, *arguments: Value) -> Plan[str]:
    """Call a function that returns a text."""
    returned = yield from value(name, *arguments)
    if not isinstance(returned, str):
        raise ServerError(f"{name} returned {returned!r}, no text")
    return returned


def number(name: str, *arguments: Value) -> Plan[int]:
    """Call a function that returns an integer, negative codes included."""
    returned = yield from value(name, *arguments)
    if not isinstance(returned, int):
        raise ServerError(f"{name} returned {returned!r}, no integer")
    return returned


def nothing(name: str, *arguments: Value) -> Plan[None]:
    """Call a function without a result."""
    yield from value(name, *arguments)


def accounts() -> Plan[list[str]]:
    """The account numbers of the login."""
    listed = yield from text("GetLoginInfo", "ACCLIST")
    return parse.items(listed)


def account_or_first(account: str | None) -> Plan[str]:
    """The given account, or the first one of the login."""
    if account is not None:
        return account
    listed = yield from accounts()
    if not listed:
        raise PreconditionFailed("there is no account; log in first with login(), or name one", reason="NO_ACCOUNT")
    return listed[0]
