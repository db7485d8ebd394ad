"""The door of a server: who comes in, who has to leave, and what is written down about it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import grpc

from koapy.control.apartment import Frozen
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.access import LOCAL, require
from koapy.server.failure import CONTROL_FROZEN, Failure
from koapy.server.security.deeds import deed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from koapy.server.access import Needs, Principal
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

    @contextmanager
    def visit(self, context: Context, rpc: str) -> Iterator[Visit]:
        """One RPC's time here, in its own task.

        Raises:
            Failure: UNAUTHENTICATED, at once, or later when the token has been revoked or has expired.
        """
        visit = Visit(rpc, context.peer(), self._audit)
        try:
            visit.welcome(*self._known(context))
            self._visits.add(visit)
            try:
                yield visit
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if visit.ended is None or task is None:
                    raise
                task.uncancel()
                raise visit.ended from None
            finally:
                self._visits.discard(visit)
        except BaseException as error:
            visit.over(error)
            raise
        visit.over(None)

    @contextmanager
    def call(self, principal: Principal, peer: str) -> Iterator[Visit]:
        """One call of a handler that is being served for `principal`, written down as any other Call is."""
        visit = Visit("Call", peer, self._audit)
        visit.welcome(principal)
        try:
            yield visit
        except BaseException as error:
            visit.over(error)
            raise
        visit.over(None)

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

    def _known(self, context: Context) -> tuple[Principal, Entry | None]:
        """Who calls: a token says, or without one the certificate."""
        if self._tokens is None:
            return LOCAL, None
        given = [value for key, value in context.invocation_metadata() or () if key == AUTHORIZATION]
        if given:
            scheme, _, token = str(given[0]).partition(" ")
            if len(given) > 1 or scheme.lower() != SCHEME:
                raise _unauthenticated("authorization must be Bearer TOKEN, once", "TOKEN_MISSING")
            entry = self._tokens.by_token(token.strip())
            if entry is None:
                raise _unauthenticated("this token is unknown here, or has been revoked", "TOKEN_UNKNOWN")
        else:
            name = _common_name(context)
            if not name:
                text = "this server asks who calls: send a token (authorization: Bearer TOKEN; `koapy token create`)"
                raise _unauthenticated(text, "TOKEN_MISSING")
            entry = self._tokens.by_certificate(name)
            if entry is None:
                text = f"the certificate {name} stands in no entry of the server's tokens, and no token was sent"
                raise _unauthenticated(text, "CERTIFICATE_UNKNOWN")
        if failure := self._refused(entry):
            raise failure
        return entry.principal, entry

    def _refused(self, entry: Entry) -> Failure | None:
        """Why this one may not be here now."""
        assert self._tokens is not None
        if not self._tokens.holds(entry):
            return _unauthenticated(f"{entry.name} has been revoked or changed", "TOKEN_REVOKED")
        if self._tokens.expired(entry):
            return _unauthenticated(f"{entry.name} has expired on {entry.expires}", "TOKEN_EXPIRED")
        return None


class Visit:
    """One RPC that is being served."""

    def __init__(self, rpc: str, peer: str, audit: Audit | None) -> None:
        self.principal = LOCAL
        self.entry: Entry | None = None
        """By which the principal was let in; None where everybody is."""
        self.ended: Failure | None = None
        """Why it has to end."""
        self._rpc = rpc
        self._peer = peer
        self._audit = audit
        self._task = asyncio.current_task()
        self._deed: Deed | None = None
        self._name = ""
        self._begun: float | None = None
        self._id = ""

    def welcome(self, principal: Principal, entry: Entry | None = None) -> None:
        """It is known who calls."""
        self.principal, self.entry, self._name = principal, entry, principal.name

    def begin(self, request: Any, needs: Needs) -> None:
        """Let the principal do what it asks for, and write it down.

        Raises:
            Failure: PERMISSION_DENIED.
        """
        if self._audit is not None:
            self._deed = deed(self._rpc, request)
        require(self.principal, needs, request.name if isinstance(request, pb.CallRequest) else self._rpc)
        self._begun = monotonic()
        if self._audit is not None and self._deed is not None and self._deed.lasts:
            self._id = secrets.token_hex(4)
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
        self._audit.write(kind, self._name, peer=self._peer, rpc=self._rpc, id=self._id or None, **facts)


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
