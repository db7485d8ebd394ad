"""What can go wrong, as a tree; each error is made at one place, `translated`, from a gRPC status.

KoapyError                 everything below: `code`, `name` and `message` are OpenAPI+'s own, where it told them
├── OpenApiError           OpenAPI+ said no: a negative return code, a message, an empty order number
│   └── OrderFailed        it refused or ended an order; `order` says how far that came
├── OrderUnknown           what became of an order cannot be told; whether it stands must be looked up
├── InvalidArgument        the request was wrong; the text says what would be right; nothing was sent
├── PreconditionFailed     not logged in, a risk limit, the kill switch, another journal; the text says the way out
├── Unauthenticated        the token or the certificate is missing, unknown or revoked
├── PermissionDenied       the caller is known and may not do this
├── Unimplemented          no such function, or the control behind the server does not offer it
├── LimitExceeded          the wait for a limit would have been too long, or a stream's queue is full
├── DeadlineExceeded       no answer in time
├── ConnectionLost         no server there, or it went away in the middle and did not come back in time
└── ServerError            anything else; the text has what the server's log has
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import grpc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from koapy.client.order import Order


class KoapyError(Exception):
    """Any failure of a request; the text is for people, the attributes are for programs."""

    def __init__(
        self,
        text: str,
        *,
        reason: str = "",
        code: int | str | None = None,
        name: str = "",
        message: str = "",
        details: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.reason = reason
        """A word for programs, such as OP_ERR_SISE_OVERFLOW or NOT_LOGGED_IN; "" when the server told none."""
        self.code = code
        """OpenAPI+'s negative return code, or the code of a message as text (RC4027); None when it gave none."""
        self.name = name
        """The published name of the code, such as OP_ERR_SISE_OVERFLOW, or ""."""
        self.message = message
        """OpenAPI+'s own Korean text, or ""."""
        self.details = dict(details or {})
        """Whatever else the server told."""


class OpenApiError(KoapyError):
    """OpenAPI+ said no: a negative return code, an error told by OnReceiveMsg, an empty order number."""


class OrderFailed(OpenApiError):
    """OpenAPI+ refused the order, or ended it before it was through."""

    order: Order
    """How far the order came."""


class OrderUnknown(KoapyError):
    """What became of an order that may have been sent cannot be told, and it was not sent a second time.

    Look at `open_orders` and `fills` before ordering again.
    """

    order: Order | None = None
    """What was known of the order; None for a call of SendOrder itself."""


class InvalidArgument(KoapyError):
    """The request was wrong; nothing reached the control."""


class PreconditionFailed(KoapyError):
    """This cannot be done in the present state; the text says how to leave it."""


class Unauthenticated(KoapyError):
    """The server does not know the caller: the token or the certificate is missing, unknown or revoked."""


class PermissionDenied(KoapyError):
    """The caller is known and may not do this."""


class Unimplemented(KoapyError):
    """There is no such function, or the control does not offer it."""


class LimitExceeded(KoapyError):
    """A limit leaves no room in time and nothing was sent, or a stream was read too slowly (STREAM_QUEUE_FULL)."""


class DeadlineExceeded(KoapyError):
    """The answer did not come in time."""


class ConnectionLost(KoapyError):
    """There is no server, it went away, or the client was closed."""

    reached = True
    """False when no connection was made, so that nothing can have been sent."""
    untold = False
    """Whether gRPC has kept to itself how the RPC ended: a request of its was on the way when it did."""


class ServerError(KoapyError):
    """A failure that is not the caller's doing."""


class KoapyWarning(UserWarning):
    """What the server left out of a request that it otherwise answered; that a connection was lost, or is back."""


_BY_STATUS: Mapping[grpc.StatusCode, type[KoapyError]] = {
    grpc.StatusCode.ABORTED: OpenApiError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.OUT_OF_RANGE: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: InvalidArgument,
    grpc.StatusCode.FAILED_PRECONDITION: PreconditionFailed,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitExceeded,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: ConnectionLost,
    grpc.StatusCode.CANCELLED: ConnectionLost,
}
_UNTOLD = "Internal error from Core"
"""What grpc.aio says, as INTERNAL, where it cannot send because the RPC is over, or the connection."""
_OWN_FACTS = ("code", "name", "message")


class _Failed(Protocol):
    """What the errors of both gRPC clients have in common."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> Any: ...


def translated(failed: _Failed, rpc: str, address: str) -> KoapyError:
    """The error that a failed RPC raises: by its status, with the facts of its trailing metadata."""
    status, text = failed.code(), failed.details() or ""
    kind = _BY_STATUS.get(status, ServerError)
    reason, facts = _told(failed.trailing_metadata())
    if kind is ServerError and text == _UNTOLD:
        lost = _lost(status, text, rpc, address)
        lost.untold = True
        return lost
    if kind is ConnectionLost and not reason:
        return _lost(status, text, rpc, address)
    return kind(
        text or f"{rpc}: {status.name}",
        reason=reason,
        code=_code(facts.get("code", "")),
        name=facts.get("name", ""),
        message=facts.get("message", ""),
        details={key: value for key, value in facts.items() if key not in _OWN_FACTS},
    )


def unreachable(address: str, why: str) -> ConnectionLost:
    """The error of a connection that could not be made."""
    lost = ConnectionLost(f"no server answers at {address} ({why}); `koapy serve` starts one")
    lost.reached = False
    return lost


def closed(address: str) -> ConnectionLost:
    """The error of using a client that has been closed."""
    lost = ConnectionLost(f"this client of {address} has been closed; make a new one", reason="CLIENT_CLOSED")
    lost.reached = False
    return lost


def _lost(status: grpc.StatusCode, text: str, rpc: str, address: str) -> ConnectionLost:
    """The server said nothing: gRPC itself found the connection missing or broken."""
    if "handshak" in text.lower():
        lost = ConnectionLost(f"no TLS with {address}, see `ca` and `certificate` of the client: {text}")
        lost.reached = False
        return lost
    if "failed to connect" in text or text.startswith("errors resolving"):
        why = text.rpartition(": ")[2].rstrip("]")
        closed_ = "; so does one with TLS when it is asked without, see `ca`" if why == "Socket closed" else ""
        return unreachable(address, why + closed_)
    return ConnectionLost(
        f"{rpc}: the connection to {address} broke before the answer was complete ({text or status.name})"
    )


def _code(text: str) -> int | str | None:
    return int(text) if text.startswith("-") else text or None


def _told(trailing: Any) -> tuple[str, Mapping[str, str]]:
    """Reason and facts of the google.rpc.Status in the trailing metadata, if it has one of ours."""
    packed = dict(trailing or ()).get("grpc-status-details-bin")
    if not packed:
        return "", {}
    from google.rpc import error_details_pb2, status_pb2  # only failures need them

    status = status_pb2.Status.FromString(packed)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == "koapy":
            return info.reason, dict(info.metadata)
    return "", {}
