"""The edge between gRPC and everything else: who calls, until when, and how each kind of end is told."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import quote

import grpc
from google.protobuf.message import Message

from koapy.control.apartment import Frozen
from koapy.control.patience import to_the_end
from koapy.control.redaction import trace
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.access import LOCAL, RPC_NEEDS
from koapy.server.coding import CODED
from koapy.server.failure import LONGEST_TEXT, Failure, cut, frozen, invalid
from koapy.server.feed import Overflow
from koapy.server.quotas import REQUESTS
from koapy.server.redaction import passwords_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from koapy.server.core import Core
    from koapy.server.inbox import Inbox

Request = TypeVar("Request")
logger = logging.getLogger(__name__)

WAIT, WAIT_FOR = "koapy-wait", "koapy-wait-for"
"""Initial metadata of a request that a limit holds up: seconds until it starts, and which limit it is."""
JOURNAL, SEQUENCE = "koapy-journal", "koapy-sequence"
"""Initial metadata of what follows orders: the journal's identity, and the number of its last event."""
WARNING = "koapy-warning"
CONFLATED, DROPPED = "koapy-conflated", "koapy-dropped"
"""Trailing metadata of a stream that did not keep up: how many ticks of which codes it did not get."""


class Writer(Protocol):
    """Where a stream's messages go, and on whose behalf."""

    @property
    def client(self) -> str:
        """The connection that limits count for."""
        ...

    @property
    def deadline(self) -> float | None:
        """Loop time in seconds; None where the client has set no deadline."""
        ...

    async def write(self, message: object, /) -> None:
        """Take one message; may wait."""
        ...

    async def will_wait(self, limit: str, seconds: float) -> None:
        """A limit lets the next call start only so much later."""
        ...


class Nobody(NamedTuple):
    """Takes the messages of what the gateway does for itself on behalf of a client."""

    client: str
    deadline: float | None

    async def write(self, message: object, /) -> None:
        """Forget the message."""

    async def will_wait(self, limit: str, seconds: float) -> None:
        """Nobody to tell."""


class Caller:
    """One RPC's caller: its connection, its deadline, and the way to write to it."""

    __slots__ = ("_begun", "_context", "_initial", "_takes_bytes", "_trailing", "client", "principal")

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        self._context = context
        self._initial: tuple[tuple[str, str], ...] = ()
        self._trailing: tuple[tuple[str, str], ...] = ()
        self._begun = False
        # A servicer on somebody's own server is served without our coding.
        self._takes_bytes = CODED.get()
        self.principal = LOCAL
        """Who calls."""
        self.client: str = context.peer()
        """The connection; clients take turns by it, and what Call keeps is kept for it."""

    @property
    def deadline(self) -> float | None:
        """Loop time in seconds; None where the client has set no deadline."""
        remaining = self._context.time_remaining()
        return None if remaining is None else asyncio.get_running_loop().time() + remaining

    async def write(self, message: object, /) -> None:
        """Write to the client; waits while the client does not read. Bytes are a ListenResponse, encoded."""
        if not self._begun:
            if self._initial:
                await self.open()
            self._begun = True  # with the first message, where nothing is announced
        if isinstance(message, bytes) and not self._takes_bytes:
            message = _decoded(pb.ListenResponse.FromString, message)
        await self._context.write(message)

    async def ready(self, kind: type[Message] = pb.ListenResponse) -> Callable[[bytes], Awaitable[None]]:
        """Open the stream, and give what writes messages of this kind that are encoded, as `write` does one by one."""
        await self.open()
        if self._takes_bytes:
            write: Callable[[bytes], Awaitable[None]] = self._context.write
            return write
        decode = kind.FromString
        return lambda encoded: self._context.write(_decoded(decode, encoded))

    def announce(self, key: str, text: str) -> None:
        """Add to the initial metadata, which goes out before anything else does."""
        self._initial = (*self._initial, (key, text))

    async def open(self) -> None:
        """Send the initial metadata, if it has not been sent: the client learns that it is being served."""
        if not self._begun:
            self._begun = True
            # grpc would not know that they are on their way, and could not end an RPC that is cancelled meanwhile.
            await to_the_end(self._context.send_initial_metadata(self._initial))

    async def will_wait(self, limit: str, seconds: float) -> None:
        """Tell how long a limit holds the request up, in the initial metadata, which is sent once."""
        if not self._begun:
            self.announce(WAIT, f"{seconds:.3f}")
            self.announce(WAIT_FOR, quote(limit, safe=" "))
            await self.open()

    def metadata(self, key: str) -> str | None:
        """One value of the call's metadata."""
        for name, value in self._context.invocation_metadata() or ():
            if name == key:
                return value if isinstance(value, str) else value.decode("utf-8", "replace")
        return None

    def tell(self, key: str, text: str) -> None:
        """Add to the trailing metadata; not only ASCII, so percent-encoded."""
        others = (each for each in self._trailing if each[0] != key)
        self._trailing = (*others, (key, quote(cut(text, LONGEST_TEXT), safe=" ,:=;")))
        self._context.set_trailing_metadata(self._trailing)

    def tell_overflow(self, inbox: Inbox) -> None:
        """Tell how many ticks of which codes were merged or dropped, if any were."""
        if missed := inbox.missed:
            most = ",".join(f"{code}={count}" for code, count in missed.most_common(50))
            key = CONFLATED if inbox.overflow is Overflow.CONFLATE else DROPPED
            self.tell(key, f"total={missed.total()},{most}")

    async def fail(self, failure: Failure) -> None:
        """End the RPC with this failure."""
        trailing: tuple[tuple[str, str | bytes], ...] = (
            *self._trailing,
            ("grpc-status-details-bin", failure.packed()),
        )
        await self._context.abort(failure.status, cut(failure.text, LONGEST_TEXT), trailing)

    @property
    def silent(self) -> Nobody:
        """The same caller, for what it need not see."""
        return Nobody(self.client, self.deadline)

    @property
    def gone(self) -> bool:
        """Whether the client is no longer there."""
        return self._context.done()


def rpc(
    method: Callable[[Any, Core, Request, Caller], Awaitable[Any]],
) -> Callable[[Any, Request, grpc.aio.ServicerContext[Any, Any]], Awaitable[Any]]:
    """Make a method that speaks of callers and failures one that grpc.aio calls.

    Every end passes here: a `Failure` becomes its status, a client that went away ends the RPC quietly, and anything
    else is a bug of ours, which the client sees as INTERNAL with an id that is in the log. Every beginning does too:
    the caller is known and has the roles that `access.RPC_NEEDS` has under the method's name, or the method is not run.
    """
    name = method.__name__
    is_request = name in REQUESTS
    needs = RPC_NEEDS[name]  # an RPC that has been forgotten there cannot be imported
    is_decided_by_request = not isinstance(needs, frozenset)

    @functools.wraps(method)
    async def serve(servicer: Any, request: Request, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        caller = Caller(context)
        try:
            core: Core = await servicer.core()
            with core.rpcs, core.guard.visit(context, name, caller.client) as visit:
                caller.principal = visit.principal
                with core.quotas.admit(caller, is_request=is_request), core.clients.get(caller.client):
                    asked: Any = request
                    if is_decided_by_request and not isinstance(request, Message):
                        asked, request = await _opened(request)
                    visit.begin(asked, needs)
                    return await method(servicer, core, request, caller)
        except Failure as failure:
            if not caller.gone:
                await caller.fail(failure)
        except Frozen as error:
            await caller.fail(frozen(begun=error.begun))
        except grpc.aio.BaseError:
            raise
        except Exception as error:
            # A client that cancels while a message is being sent shows as an error of the send.
            if caller.gone:
                return None
            mark = os.urandom(4).hex()
            logger.error("%s failed [%s]\n%s", name, mark, trace(error, passwords_of(request)))
            text = f"a bug of the gateway in {name}: {type(error).__name__}; the log has it under {mark}"
            await caller.fail(Failure(grpc.StatusCode.INTERNAL, text, reason="BUG", details={"id": mark}))
        return None

    return serve


@functools.lru_cache(maxsize=64)
def _decoded(decode: Callable[[bytes], Message], encoded: bytes) -> Message:
    """The message that these bytes are, once for the streams that write it at about the same time."""
    return decode(encoded)


async def _opened(requests: Any) -> tuple[Any, Any]:
    """The first request of a stream, and the stream with it still to come."""
    first = await anext(aiter(requests), None)
    if first is None:
        raise invalid("the requests ended before the first one, which says what is wanted, such as a listen_request")
    return first, _Reopened(first, requests)


class _Reopened:
    """A stream whose first request has been looked at."""

    def __init__(self, first: Any, rest: Any) -> None:
        self._first = [first]
        self._rest = aiter(rest)

    def __aiter__(self) -> Any:
        return self if self._first else self._rest

    def __anext__(self) -> Awaitable[Any]:
        return self._again() if self._first else self._rest.__anext__()

    async def _again(self) -> Any:
        return self._first.pop()
