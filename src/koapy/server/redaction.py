"""Passwords in requests: which values they are, and texts without them.

What a control says when it fails may repeat what it was given, so the texts of its errors pass here before they reach
a log or a client.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from koapy.openapi.login import is_password
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"


def passwords_of(message: object) -> tuple[str, ...]:
    """The passwords in a request."""
    return tuple(value for value in _passwords(message) if value.strip())


def _passwords(message: object) -> Iterable[str]:
    if isinstance(message, pb.CallRequest):
        return passwords_of_call(message.name, [each.string_value for each in message.arguments])
    if isinstance(message, pb.CallAndListenRequest):
        return _passwords(message.call_request)
    if isinstance(message, pb.TransactionRequest):
        return [value for name, value in message.inputs.items() if is_password(name)]
    if isinstance(message, pb.LoginRequest):
        given = message.credentials
        return [given.user_password, given.cert_password, *given.account_passwords.values()]
    return ()


def passwords_of_call(function: str, args: Iterable[Any]) -> tuple[str, ...]:
    """The passwords among the arguments of a function: what SetInputValue gives for an input that holds one."""
    given = tuple(map(str, args))
    if function != "SetInputValue" or not (given and is_password(given[0])):
        return ()
    return tuple(value for value in given[1:] if value.strip())


def redacted(text: str, passwords: Iterable[str]) -> str:
    """The text without these, as they are and as Python shows them."""
    forms = {form for each in passwords for form in (each, repr(each)[1:-1], ascii(each)[1:-1])}
    # The longest first, as one may be part of another.
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def trace(error: BaseException, passwords: Iterable[str]) -> str:
    """The traceback of an error, for a log, without these."""
    return redacted("".join(traceback.format_exception(error)).rstrip(), passwords)
