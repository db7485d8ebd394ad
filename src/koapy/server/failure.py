"""The one way in which a failure reaches a caller: a status, OpenAPI+'s own code and words, and what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from koapy.openapi.error import error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from koapy.control.redaction import Passwords

DOMAIN = "koapy"

LONGEST_TEXT, LONGEST_DETAIL = 1200, 300
"""Bytes of a status text and of one of its details. A client's grpc takes 8 KB of trailing metadata, and instead of a
status with more it sees RESOURCE_EXHAUSTED, whatever had been said."""

CONTROL_FROZEN = "CONTROL_FROZEN"


class Failure(Exception):
    """Ends an RPC. `text` is the first line that people read; `reason` is a word for programs."""

    def __init__(
        self,
        status: grpc.StatusCode,
        text: str,
        *,
        reason: str = "",
        code: int | str | None = None,
        message: str = "",
        details: Mapping[str, str] | None = None,
    ) -> None:
        # A text code (RC4025, 107066) is the order server's and stands in no table.
        known = error(code) if isinstance(code, int) else None
        message = message or (known.message if known else "")
        facts = {
            "code": "" if code is None else str(code),
            "name": (known.name or "") if known else "",
            "message": message,
        }
        told = " ".join(part for part in (facts["code"], facts["name"], message) if part)
        super().__init__(f"{text}: {told}" if told and message not in text else text)
        self.status = status
        self.reason = reason or facts["name"] or status.name
        self.details = {key: value for key, value in (facts | dict(details or {})).items() if value}

    @property
    def text(self) -> str:
        """What people read."""
        return str(self)

    def packed(self) -> bytes:
        """The google.rpc.Status of the trailing metadata `grpc-status-details-bin`."""
        # Only here: a gateway has answered long before anything fails.
        from google.protobuf import any_pb2
        from google.rpc import error_details_pb2, status_pb2

        details = {key: cut(value, LONGEST_DETAIL) for key, value in self.details.items()}
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=details)
        detail = any_pb2.Any()
        detail.Pack(info)
        number: int = self.status.value[0]
        message = cut(self.text, LONGEST_TEXT)
        packed: bytes = status_pb2.Status(code=number, message=message, details=[detail]).SerializeToString()
        return packed


def cut(text: str, longest: int) -> str:
    """The beginning of a text, so many bytes of UTF-8 at most."""
    encoded = text.encode()
    return text if len(encoded) <= longest else encoded[:longest].decode(errors="ignore")


def invalid(text: str, **details: str) -> Failure:
    """A wrong argument: `text` says what was wrong and what would be right."""
    return Failure(grpc.StatusCode.INVALID_ARGUMENT, text, reason="INVALID_ARGUMENT", details=details)


def unimplemented(text: str, **details: str) -> Failure:
    """An unknown function or an option of another control; `text` names the nearest one."""
    return Failure(grpc.StatusCode.UNIMPLEMENTED, text, details=details)


def precondition(text: str, reason: str, **details: str) -> Failure:
    """A state in which this cannot be done; `text` says how to leave it."""
    return Failure(grpc.StatusCode.FAILED_PRECONDITION, text, reason=reason, details=details)


def refused(
    text: str, *, code: int | str | None = None, message: str = "", reason: str = "", **details: str
) -> Failure:
    """OpenAPI+ said no: a negative return code, an error told by OnReceiveMsg, an empty order number."""
    return Failure(grpc.StatusCode.ABORTED, text, code=code, message=message, reason=reason, details=details)


def exhausted(text: str, reason: str, **details: str) -> Failure:
    """A limit: `text` says which, and when there is room."""
    return Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, text, reason=reason, details=details)


def unavailable(text: str, reason: str, **details: str) -> Failure:
    """Control lost, login lost or shutting down; `text` says what happened to the order."""
    return Failure(grpc.StatusCode.UNAVAILABLE, text, reason=reason, details=details)


def raised(name: str, error: BaseException, passwords: Passwords) -> Failure:
    """A function of the control raised; what it says is told without these."""
    if isinstance(error, ConnectionError):  # a control in another process, and no way to it
        sent = "unknown" if getattr(error, "begun", True) else "no"
        return unavailable(passwords.redacted(str(error)), "CONNECTION_LOST", function=name, sent=sent)
    text = passwords.redacted(f"{name} raised {type(error).__name__} in the control: {error}")
    return Failure(grpc.StatusCode.INTERNAL, text, reason="CONTROL_RAISED", details={"function": name})


def unreadable(event: str, error: BaseException, passwords: Passwords) -> Failure:
    """An event came whose arguments or data are not what OpenAPI+ gives; what it told is lost."""
    if isinstance(error, Failure):
        text = f"{event} came from the control, but could not be read: {error.text}"
        return Failure(grpc.StatusCode.INTERNAL, text, reason=error.reason, details={"event": event} | error.details)
    said = passwords.redacted(str(error))
    text = f"{event} came from the control, but could not be read: {type(error).__name__}: {said}"
    return Failure(grpc.StatusCode.INTERNAL, text, reason="CONTROL_RAISED", details={"event": event})


def nonsense(what: str, value: object, wanted: str) -> Failure:
    """The control gave something that OpenAPI+ would not."""
    text = f"{what} gave {value!r:.80} in the control, where OpenAPI+ gives a {wanted}"
    return Failure(grpc.StatusCode.INTERNAL, text, reason="CONTROL_RETURNED", details={"function": what})


def frozen(*, begun: bool) -> Failure:
    """The control's thread does not answer, and this call was `begun` or never will be made."""
    fate = "the call had begun, whether it was carried out is not known" if begun else "nothing was sent"
    text = f"the control's thread does not answer; {fate}"
    return unavailable(text, CONTROL_FROZEN, sent="unknown" if begun else "no")


def silent(what: str, seconds: float) -> Failure:
    """The control did not answer in its time."""
    text = f"the control has not answered within {seconds:g} s: {what}"
    return Failure(grpc.StatusCode.DEADLINE_EXCEEDED, text, reason="CONTROL_SILENT")
