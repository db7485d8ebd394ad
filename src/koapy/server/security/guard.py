"""The door of a server: who comes in, who has to leave, and what is written down about it."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import grpc

from koapy.control.apartment import Frozen
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.access import LOCAL, Principal, forbidden
from koapy.server.failure import CONTROL_FROZEN, Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from koapy.server.access import Needs
    from koapy.server.security.audit import Audit
    from koapy.server.security.deeds import Deed
    from koapy.server.security.tokens import Entry, Tokens

logger = logging.getLogger(__name__)

AUTHORIZATION = "authorization"
SCHEME = "bearer"
COMMON_NAME = "x509_common_name"
LOOK_SECONDS = 1.0
"""How often open streams are looked at: a revoked token's end that much later at most."""
DAY = 86_400.0

NOBODY = Principal("", frozenset())
"""Who calls, as long as that is not known."""

Context = grpc.aio.ServicerContext[Any, Any]


class Guard:
    """Lets callers in by token or certificate, and ends their RPCs when they may no longer be here.

    Args:
        tokens: who may come in; None: everybody, as LOCAL.
        audit: where it is written down; None: nowhere.
        reminder: what is to be said once a day, such as that a certificate ends soon; "" for nothing.
    """

    def __init__(
        self, tokens: Tokens | None = None, audit: Audit | None = None, reminder: Callable[[], str] = lambda: ""
    ) -> None:
        self._tokens = tokens
        self._audit = audit
        self._reminder = reminder
        self._visits: set[Visit] = set()

    def visit(self, context: Context, rpc: str, peer: str) -> Visit:
        """One RPC's time here, in its own task, for a `with` statement.

        Raises:
            Failure: UNAUTHENTICATED, at once, or out of the block when the token has been revoked or has expired.
        """
        if self._tokens is None:
            return Visit(rpc, peer, LOCAL, self._audit, self._visits) if self._audit is not None else UNWATCHED
        visit = Visit(rpc, peer, NOBODY, self._audit, self._visits)
        try:
            visit.entry = self._known(self._tokens, context)
        except BaseException as error:
            visit.over(error)
            raise
        visit.principal = visit.entry.principal
        return visit

    def call(self, principal: Principal, peer: str) -> Visit:
        """One call of a handler that is being served for `principal`, written down as any other Call is."""
        return Visit("Call", peer, principal, self._audit, self._visits)

    async def watch(self) -> None:
        """End the RPCs of those who may no longer be here; runs for as long as the server does."""
        reminded = monotonic() - DAY
        while True:
            if monotonic() - reminded >= DAY:
                reminded = monotonic()
                with suppress(Exception):  # what cannot be read is told by those who need it
                    if text := self._reminder():
                        logger.warning(text)
            try:
                self._look()
            except Exception:  # whatever it is, it must not be the last look
                logger.exception("open streams could not be looked at")
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        entries = {visit.entry for visit in self._visits if visit.entry is not None}
        refused = {entry: failure for entry in entries if (failure := self._refused(entry))}
        for visit in tuple(self._visits) if refused else ():
            if visit.entry is not None and visit.entry in refused:
                visit.end(refused[visit.entry])

    def close(self) -> None:
        """Write down what is to be written down."""
        if self._audit is not None:
            self._audit.close()

    def _known(self, tokens: Tokens, context: Context) -> Entry:
        """Who calls: a token says, or without one the certificate."""
        given = [value for key, value in context.invocation_metadata() or () if key == AUTHORIZATION]
        if given:
            scheme, _, token = str(given[0]).partition(" ")
            if len(given) > 1 or scheme.lower() != SCHEME:
                raise _unauthenticated("authorization must be Bearer TOKEN, once", "TOKEN_MISSING")
            entry = tokens.by_token(token.strip())
            if entry is None:
                raise _unauthenticated("this token is unknown here, or has been revoked", "TOKEN_UNKNOWN")
        else:
            name = _common_name(context)
            if not name:
                text = "this server asks who calls: send a token (authorization: Bearer TOKEN; `koapy token create`)"
                raise _unauthenticated(text, "TOKEN_MISSING")
            entry = tokens.by_certificate(name)
            if entry is None:
                text = f"the certificate {name} stands in no entry of the server's tokens, and no token was sent"
                raise _unauthenticated(text, "CERTIFICATE_UNKNOWN")
        if failure := self._refused(entry):
            raise failure
        return entry

    def _refused(self, entry: Entry) -> Failure | None:
        """Why this one may not be here now."""
        assert self._tokens is not None
        if not self._tokens.holds(entry):
            return _unauthenticated(f"{entry.name} has been revoked or changed", "TOKEN_REVOKED")
        if self._tokens.expired(entry):
            return _unauthenticated(f"{entry.name} has expired on {entry.expires}", "TOKEN_EXPIRED")
        return None


class Visit:
    """One RPC that is being served.

    Args:
        rpc: its name.
        peer: the connection that it came by.
        principal: who calls, as far as that is known yet.
        audit: where it is written down.
        others: all of those that may have to end early; it is among them for the time of its block.
    """

    __slots__ = (
        *("_audit", "_begun", "_deed", "_id", "_others", "_peer", "_rpc", "_task"),
        *("ended", "entry", "principal"),
    )

    def __init__(self, rpc: str, peer: str, principal: Principal, audit: Audit | None, others: set[Visit]) -> None:
        self.principal = principal
        self.entry: Entry | None = None
        """By which the principal was let in; None where everybody is."""
        self.ended: Failure | None = None
        """Why it has to end."""
        self._rpc = rpc
        self._peer = peer
        self._audit = audit
        self._others = others
        self._task: asyncio.Task[Any] | None = None
        self._deed: Deed | None = None
        self._begun: float | None = None
        self._id = ""

    def __enter__(self) -> Self:
        if self.entry is not None:
            self._task = asyncio.current_task()
            self._others.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = self.ended
        if self._task is not None:
            self._others.discard(self)
            if ended is not None and isinstance(error, asyncio.CancelledError):
                self._task.uncancel()
                self.over(ended)
                raise ended from None
        if self._audit is not None:
            self.over(error)

    def begin(self, request: Any, needs: Needs | Callable[[Any], Needs]) -> None:
        """Let the principal do what it asks for, and write it down.

        Args:
            request: what it asks for; of a stream, the first request.
            needs: the roles that this takes, or what tells them from the request.

        Raises:
            Failure: PERMISSION_DENIED.
        """
        if self is UNWATCHED:  # who may do everything
            return
        if self._audit is not None:
            # Only here: most servers write nothing down.
            from koapy.server.security.deeds import deed

            self._deed = deed(self._rpc, request)
        wanted = needs if isinstance(needs, frozenset) else needs(request)
        if not wanted <= self.principal.roles:
            raise forbidden(self.principal, wanted, request.name if isinstance(request, pb.CallRequest) else self._rpc)
        if self._audit is None:
            return
        self._begun = monotonic()
        if self._deed is not None and self._deed.lasts:
            self._id = os.urandom(4).hex()
            self._write(self._deed.kind, phase="begin", what=dict(self._deed.what))

    def end(self, failure: Failure) -> None:
        """Have it end with this failure, once."""
        if self.ended is None and self._task is not None:
            self.ended = failure
            self._task.cancel()

    def over(self, error: BaseException | None) -> None:
        """Write down how it ended."""
        if self._audit is None:
            return
        status, reason = _outcome(error)
        what = dict(self._deed.what) if self._deed is not None else None
        if self._begun is None:
            if isinstance(error, Failure):
                self._write("refused", what=what, status=status, reason=reason)
        elif self._deed is not None:
            seconds = round(monotonic() - self._begun, 3)
            self._write(
                self._deed.kind,
                phase="end" if self._id else None,
                what=None if self._id else what,
                status=status,
                reason=reason,
                seconds=seconds,
            )

    def _write(self, kind: str, **facts: Any) -> None:
        assert self._audit is not None
        self._audit.write(kind, self.principal.name, peer=self._peer, rpc=self._rpc, id=self._id or None, **facts)


UNWATCHED = Visit("", "", LOCAL, None, set())
"""Where everybody comes in and nothing is written down; it keeps nothing of an RPC, so that one serves all."""


def _outcome(error: BaseException | None) -> tuple[str, str | None]:
    if error is None:
        return "OK", None
    if isinstance(error, Failure):
        return error.status.name, error.reason
    if isinstance(error, Frozen):
        return "UNAVAILABLE", CONTROL_FROZEN
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "CANCELLED", None
    return "INTERNAL", None


def _common_name(context: Context) -> str:
    """Of the client's certificate, which the handshake has checked; "" without one."""
    names = tuple(context.auth_context().get(COMMON_NAME) or ())
    return names[0].decode("utf-8", "replace") if names else ""


def _unauthenticated(text: str, reason: str) -> Failure:
    return Failure(grpc.StatusCode.UNAUTHENTICATED, text, reason=reason)
