"""The client that is awaited."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import grpc
import grpc.aio

from koapy.client.connection import ADDRESS, Connection, Stub, connection, warn
from koapy.client.errors import KoapyError, closed, translated, unreachable
from koapy.client.functions import Functions
from koapy.client.parse import OrderEvent
from koapy.client.plan import Ask, Awaiting, Collect, Plan, Source
from koapy.client.queries import Queries
from koapy.client.session import Session
from koapy.client.streams import Streams
from koapy.client.trading import Trading

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from koapy.client.order import Order, OrderLog

T = TypeVar("T")

_END: Any = getattr(grpc.aio, "EOF")  # noqa: B009  the type stubs do not know it


class AsyncClient(Awaiting, Functions, Session, Queries, Streams, Trading):
    """A client of the service for asyncio; methods are awaited, streams are asynchronous iterators.

    It belongs to the loop of its first request. Use it as an asynchronous context manager, or `aclose` it, which also
    ends its streams. Cancelling what awaits a method ends the request at the server.
    """

    def __init__(
        self,
        address: str = ADDRESS,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> None:
        """Make a client, without connecting yet; arguments as of `Client`."""
        self._connection = connection(address, credentials, metadata, timeout)
        self._closed = False
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
        return self

    async def aclose(self) -> None:
        """Close the connection and end all streams; safe at any time and twice."""
        if not self._closed:
            self._closed = True
            await self._channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self._connection.address!r})"

    async def _run(self, plan: Plan[T]) -> T:
        reply = None
        with contextlib.closing(plan):
            while True:
                try:
                    step = plan.send(reply)
                except StopIteration as end:
                    result: T = end.value
                    return result
                reply = await self._perform(step)

    async def _perform(self, step: Ask | Collect) -> Any:
        metadata = step.metadata if isinstance(step, Ask) else ()
        with self._translating(step.rpc):
            call = self._call(step.rpc, step.request, metadata, timeout=self._connection.timeout)
            return await (_collect(call, step) if isinstance(step, Collect) else call)

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
        self._error: KoapyError | None = None
        self._opening = asyncio.ensure_future(self._opened(plan))

    async def _opened(self, plan: Plan[Source[T]]) -> tuple[Source[T], Any]:
        source = await self._client._run(plan)
        return source, self._client._call(source.rpc, source.request, source.metadata)

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
            source, call = await self._opening
        except asyncio.CancelledError:
            if self._closed and not _cancelling():
                raise StopAsyncIteration from None
            raise
        try:
            with self._client._translating(source.rpc):
                message = await call.read()
        except asyncio.CancelledError:
            if self._closed and not _cancelling():
                raise StopAsyncIteration from None
            self._closed = True
            raise
        except KoapyError as error:
            if self._closed or self._client._closed:
                raise StopAsyncIteration from None
            self._closed = True
            self._error = source.failed(error)
            raise self._error from error.__cause__
        if message is _END:
            self._closed = True
            warn(await call.trailing_metadata())
        else:
            self._items.extend(source.parse(message))

    def close(self) -> None:
        """End the stream here and at the server; safe at any time and twice."""
        self._closed = True
        if not self._opening.cancel() and not self._opening.cancelled() and self._opening.exception() is None:
            self._opening.result()[1].cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()


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
