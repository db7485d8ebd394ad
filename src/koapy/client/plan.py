"""Methods written once, for the client that waits and for the client that is awaited.

A plan is a generator that does no I/O: it yields the RPCs that it needs, gets their replies and returns the method's
result. The clients differ only in how they perform a step; the decorators here give each of them its own signature.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, overload

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from koapy.client.aio import AsyncOrderStream, AsyncStream, AsyncTickStream
    from koapy.client.errors import KoapyError
    from koapy.client.order import OrderLog
    from koapy.client.sync import OrderStream, Stream, TickStream
    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

P = ParamSpec("P")
T = TypeVar("T")
Now = TypeVar("Now", covariant=True)
Later = TypeVar("Later", covariant=True)

Metadata: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One RPC with one reply, which is sent back into the plan."""

    rpc: str
    request: Message
    metadata: Metadata = ()
    repeatable: bool = False
    """Whether it may be made again when the connection broke before its reply: it only reads, or does nothing twice."""
    order: bool = False
    """It sends an order under its idempotency key."""


@dataclass(frozen=True, slots=True)
class Collect:
    """One RPC with a stream of replies; it ends with the stream, or when `take` has said True (enough)."""

    rpc: str
    request: Message
    take: Callable[[pb.ListenResponse], bool]
    metadata: Metadata = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds without an RPC; closing the client ends them early."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """A stream that stays open: `parse` makes items of each message, `failed` may know a better error."""

    rpc: str
    request: Message
    parse: Callable[[Any], Iterable[T]]
    metadata: Metadata = ()
    failed: Callable[[KoapyError], KoapyError] = lambda error: error
    again: Callable[[KoapyError, int], Source[T] | None] | None = None
    """How to open it again after an error and the last number, without missing or repeating anything; None: not at
    all. Streams without it are opened again as they were, and have missed what was told meanwhile."""
    sequence: int = 0
    """The number behind which it begins."""
    ascending: bool = False
    """Whether each event has a greater number than those before it. An order's own events have not: those that were
    told before the order had its number come after the answer that brings it."""
    journal: str = ""
    """The journal that the numbers are of; "" for streams without numbers."""
    more: bool | None = None
    """Whether further requests may follow; None: the RPC takes only one."""
    otherwise: Callable[[Any], Source[T]] | None = None
    """What to open instead, given the request, where the server has no such RPC; None: nothing."""


Step: TypeAlias = Ask | Collect | Pause
Plan: TypeAlias = Generator[Step, Any, T]


def done(value: T) -> Plan[T]:
    """A plan without steps."""
    return value
    yield  # makes it a generator


class Waiting:
    """A client whose methods wait and return their result."""


class Awaiting:
    """A client whose methods return something to await."""


class Method(Generic[P, Now, Later]):
    """A method whose body is a plan; `perform` names what the client does with it."""

    def __init__(self, plan: Callable[Concatenate[Any, P], Plan[Any]], perform: str) -> None:
        self._plan = plan
        self._perform = perform

    @overload
    def __get__(self, client: None, owner: type) -> Callable[Concatenate[Any, P], Plan[Any]]: ...
    @overload
    def __get__(self, client: Waiting, owner: type) -> Callable[P, Now]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Later]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self._plan
        plan = functools.partial(self._plan, client)
        perform = getattr(client, self._perform)

        @functools.wraps(self._plan.__get__(client))
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return perform(plan(*args, **kwargs))

        return method


def waits(plan: Callable[Concatenate[Any, P], Plan[T]]) -> Method[P, T, Coroutine[Any, Any, T]]:
    """A method with a result: the one client returns it, the other a coroutine of it."""
    return Method(plan, "_run")


def streams(plan: Callable[Concatenate[Any, P], Plan[Source[T]]]) -> Method[P, Stream[T], AsyncStream[T]]:
    """A method that opens a stream of items."""
    return Method(plan, "_open")


def ticks(plan: Callable[Concatenate[Any, P], Plan[Source[T]]]) -> Method[P, TickStream[T], AsyncTickStream[T]]:
    """A method that opens a stream of ticks, whose codes may change."""
    return Method(plan, "_follow")


def orders(plan: Callable[Concatenate[Any, P], Plan[OrderLog]]) -> Method[P, OrderStream, AsyncOrderStream]:
    """A method that sends an order and gives the stream of its events."""
    return Method(plan, "_send")
