"""The passwords in a request, which stand in no text about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.control.redaction import passwords_of_call
from koapy.openapi.login import is_password
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable


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
