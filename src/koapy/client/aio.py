"""The client that is awaited."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack

import grpc
import grpc.aio

from koapy.client.connection import Connection, Options, Stub, connection, warn
from koapy.client.errors import KoapyError, closed, translated, unreachable
from koapy.client.functions import Functions
from koapy.client.operations import Operations
from koapy.client.parse import OrderEvent
from koapy.client.plan import Awaiting, Collect, Pause, Plan, Source, Step
from koapy.client.queries import Queries
from koapy.client.reconnect import Follow, Interruption, persistent
from koapy.client.session import Session
from koapy.client.streams import Streams, several
from koapy.client.trading import Trading

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from koapy.client.order import Order, OrderLog

T = TypeVar("T")

_END: Any = getattr(grpc.aio, "EOF")  # noqa: B009  the type stubs do not know it


class AsyncClient(Awaiting, Functions, Session, Queries, Streams, Trading, Operations):
    """A client of the service for asyncio; methods are awaited, streams are asynchronous iterators.

    It belongs to the loop of its first request. Use it as an asynchronous context manager, or `aclose` it, which also
    ends its streams. Cancelling what awaits a method ends the request at the server.
    """

    def __init__(self, address: str | None = None, *, progress: bool | None = None, **options: Unpack[Options]) -> None:
        """Make a client, without connecting yet; arguments as of `Client`."""
        self._connection, self._link = connection(address, **options)
        self._closed = False
        self._pauses: set[asyncio.Event] = set()
        self.progress = progress

    @cached_property
    def _channel(self) -> grpc.aio.Channel:
        return _channel(self._connection)  # takes the running loop, so it is made late

    @cached_property
    def _stub(self) -> Any:
        return Stub(self._channel)

    async def ready(self, timeout: float = 10.0) -> Self:
        """Wait until the server answers, at most `timeout` seconds; give the client itself. Raises: ConnectionLost."""
        try:
            await asyncio.wait_for(self._channel.channel_ready(), timeout)
        except TimeoutError:
            raise unreachable(self._connection.address, f"waited {timeout:g} s") from None
        self._link.reached = True
        return self

    async def aclose(self) -> None:
        """Close the connection and end all streams; safe at any time and twice."""
        if not self._closed:
            self._closed = True
            for ended in self._pauses:
                ended.set()
            await self._channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self._connection.address!r})"

    async def _run(self, plan: Plan[T]) -> T:
        return await self._drive(persistent(plan, self._link), asyncio.Event())

    async def _drive(self, plan: Plan[T], ended: asyncio.Event) -> T:
        """Carry a plan out; its pauses end early when `ended` is set, or the client closed."""
        with contextlib.closing(plan):
            try:
                step = next(plan)
                while True:
                    try:
                        reply = await self._perform(step, ended)
                    except KoapyError as error:
                        step = plan.throw(error)
                    else:
                        step = plan.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result

    async def _perform(self, step: Step, ended: asyncio.Event) -> Any:
        if isinstance(step, Pause):
            return await self._pause(step.seconds, ended)
        with self._translating(step.rpc):
            call = self._call(step.rpc, step.request, step.metadata, timeout=self._connection.timeout)
            return await (_collect(call, step) if isinstance(step, Collect) else call)

    async def _pause(self, seconds: float, ended: asyncio.Event) -> None:
        if self._closed:
            return
        self._pauses.add(ended)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), seconds)
        finally:
            self._pauses.discard(ended)

    def _call(self, rpc: str, request: Any, metadata: Iterable[tuple[str, str]], timeout: float | None = None) -> Any:
        if self._closed:
            raise closed(self._connection.address)
        return getattr(self._stub, rpc)(request, timeout=timeout, metadata=(*self._connection.metadata, *metadata))

    @contextlib.contextmanager
    def _translating(self, rpc: str) -> Generator[None]:
        try:
            yield
        except grpc.aio.AioRpcError as failed:
            if self._closed:
                raise closed(self._connection.address) from failed
            raise translated(failed, rpc, self._connection.address) from failed
        except asyncio.CancelledError:
            # gRPC tells a task that its call was cancelled as if the task itself was.
            if self._closed and not _cancelling():
                raise closed(self._connection.address) from None
            raise

    def _open(self, plan: Plan[Source[T]]) -> AsyncStream[T]:
        return AsyncStream(self, plan)

    def _follow(self, plan: Plan[Source[T]]) -> AsyncTickStream[T]:
        return AsyncTickStream(self, plan)

    def _send(self, plan: Plan[OrderLog]) -> AsyncOrderStream:
        return AsyncOrderStream(self, plan)


class AsyncStream(AsyncIterator[T], Generic[T]):
    """What a server tells, as it comes. Leaving its `async with` block, or `close`, ends it.

    It is opened at once, whether or not anything awaits it yet. Cancelling a wait for its next item closes it.
    """

    def __init__(self, client: AsyncClient, plan: Plan[Source[T]]) -> None:
        self._client = client
        self._items: deque[T] = deque()
        self._closed = False
        self._ended = asyncio.Event()
        self._error: KoapyError | None = None
        self._follow: Follow[T] | None = None
        self._call: Any = None
        self._requests: asyncio.Queue[Any] = asyncio.Queue()
        self._opening = asyncio.ensure_future(self._opened(plan))

    async def _opened(self, plan: Plan[Source[T]]) -> Follow[T]:
        self._follow = Follow(await self._client._run(plan), self._client._link)
        self._open(self._follow.source)
        return self._follow

    def _open(self, source: Source[T]) -> None:
        request: Any = source.request
        if source.more is not None:
            self._requests = asyncio.Queue()
            self._requests.put_nowait(request)
            if not source.more:
                self._requests.put_nowait(None)
            request = _each(self._requests)
        self._call = self._client._call(source.rpc, request, source.metadata)

    @property
    def interruptions(self) -> list[Interruption]:
        """The times in which it was not connected and that are over, in their order."""
        return self._follow.interruptions if self._follow else []

    @property
    def sequence(self) -> int:
        """Number of the last order event that has come; 0 before the first and for streams without numbers."""
        return self._follow.sequence if self._follow else 0

    @property
    def journal(self) -> str:
        """The journal that the numbers are of; "" for streams without numbers."""
        return self._follow.source.journal if self._follow else ""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Wait for the next item. Raises: KoapyError when the stream breaks."""
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            await self._read()
        return self._items.popleft()

    async def _read(self) -> None:
        try:
            follow = await self._opening
        except asyncio.CancelledError:
            if self._closed and not _cancelling():
                raise StopAsyncIteration from None
            raise
        try:
            message = await self._message(follow)
        except asyncio.CancelledError:
            if self._closed and not _cancelling():
                raise StopAsyncIteration from None
            self.close()
            raise
        except KoapyError as error:
            await self._reopen(follow, error)
            return
        if message is _END:
            self._closed = True
            warn(await self._call.trailing_metadata())
        else:
            self._items.extend(follow.took(message))
            follow.back()

    async def _message(self, follow: Follow[T]) -> Any:
        with self._client._translating(follow.source.rpc):
            # Its first metadata: a gateway has sent something, or (without any) the try has failed.
            if follow.interrupted and await self._call.initial_metadata():
                follow.back()
            return await self._call.read()

    async def _reopen(self, follow: Follow[T], error: KoapyError) -> None:
        """Open it again as soon as that is possible. Raises: StopAsyncIteration when it is closed meanwhile."""
        try:
            if not (self._closed or self._client._closed):
                await self._client._drive(follow.broke(error), self._ended)
            if self._closed or self._client._closed:
                raise StopAsyncIteration from None
            self._open(follow.source)
        except asyncio.CancelledError:
            self.close()
            raise
        except KoapyError as final:
            if self._closed or self._client._closed:
                raise StopAsyncIteration from None
            self._closed = True
            self._error = final
            raise final from error.__cause__

    def close(self) -> None:
        """End the stream here and at the server; safe at any time and twice."""
        self._closed = True
        self._ended.set()
        if not self._opening.cancel() and not self._opening.cancelled():
            self._opening.exception()  # seen, whether or not anybody has waited for it
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()


class AsyncTickStream(AsyncStream[T]):
    """Ticks of codes, single or in batches; the codes may change while it is open."""

    async def add(self, codes: str | Iterable[str]) -> None:
        """Have the ticks of these codes too. A code that there is not ends the stream with InvalidArgument.

        Raises: Unimplemented, where the server has no stream whose codes change.
        """
        await self._steer(add=several(codes))

    async def remove(self, codes: str | Iterable[str]) -> None:
        """Have the ticks of these codes no more, but for those on their way. Raises: as `add` does."""
        await self._steer(remove=several(codes))

    async def _steer(self, **change: Iterable[str]) -> None:
        follow = await self._opening
        self._requests.put_nowait(follow.steer(**change))


class AsyncOrderStream(AsyncStream[OrderEvent]):
    """The events of one order as they come; awaited itself, it gives the order when that is through.

    The order is sent at once, whether or not anything awaits it. Closing the stream leaves the order as it is.
    """

    _log: OrderLog | None = None

    def __init__(self, client: AsyncClient, plan: Plan[OrderLog]) -> None:
        super().__init__(client, self._source(plan))

    def _source(self, plan: Plan[OrderLog]) -> Plan[Source[OrderEvent]]:
        self._log = yield from plan
        return self._log.source()

    @property
    def order(self) -> Order:
        """The order as far as its events have been read. Raises: AttributeError before its account is known."""
        if self._log is None:
            raise AttributeError("the order has not been sent yet; await its first event")
        return self._log.order

    async def accepted(self) -> Order:
        """Read on until the exchange has accepted the order, and give it. Raises: OrderFailed, as iterating does."""
        async for _ in self:
            if self.order.standing:
                break
        return self._told()

    async def result(self) -> Order:
        """Read on until the order is through, and give it; a limit order may take as long as the day."""
        async for _ in self:
            pass
        return self._told()

    def __await__(self) -> Generator[Any, None, Order]:
        return self.result().__await__()

    def _told(self) -> Order:
        if self._error is not None:
            raise self._error
        return self.order


async def _each(requests: asyncio.Queue[Any]) -> AsyncIterator[Any]:
    """The requests of a stream, until there is None."""
    while (request := await requests.get()) is not None:
        yield request


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _channel(to: Connection) -> grpc.aio.Channel:
    if to.credentials is None:
        return grpc.aio.insecure_channel(to.address, to.options)
    return grpc.aio.secure_channel(to.address, to.credentials, to.options)


async def _collect(call: Any, step: Collect) -> None:
    try:
        async for message in call:
            if step.take(message):
                return
        warn(await call.trailing_metadata())
    finally:
        call.cancel()  # nothing, once the stream has ended
