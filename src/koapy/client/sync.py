"""The client that waits."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import grpc

from koapy.client.connection import ADDRESS, Connection, Stub, connection, warn
from koapy.client.errors import KoapyError, closed, translated, unreachable
from koapy.client.functions import Functions
from koapy.client.parse import OrderEvent
from koapy.client.plan import Ask, Collect, Plan, Source, Waiting
from koapy.client.queries import Queries
from koapy.client.session import Session
from koapy.client.streams import Streams
from koapy.client.trading import Trading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from koapy.client.order import Order, OrderLog

T = TypeVar("T")


class Client(Waiting, Functions, Session, Queries, Streams, Trading):
    """A client of the service; methods wait. Any number of threads may use one client at once.

    It connects with its first request; `ready` waits for a server that is only starting. Use it as a context manager,
    or `close` it, which also ends its streams.
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
        """Make a client, without connecting yet.

        Args:
            address: host:port. credentials: gRPC's, for TLS; plaintext without.
            metadata: sent with every request. timeout: seconds for each request that is to end; None: no limit.
            progress: show a bar on long queries: True, False, or None for on a terminal.
        """
        self._connection = connection(address, credentials, metadata, timeout)
        self._channel = _channel(self._connection)
        self._stub = Stub(self._channel)
        self._closed = False
        self.progress = progress

    def ready(self, timeout: float = 10.0) -> Self:
        """Wait until the server answers, at most `timeout` seconds; give the client itself. Raises: ConnectionLost."""
        connected = grpc.channel_ready_future(self._channel)
        try:
            connected.result(timeout)
        except grpc.FutureTimeoutError:
            connected.cancel()
            raise unreachable(self._connection.address, f"waited {timeout:g} s") from None
        return self

    def close(self) -> None:
        """Close the connection and end all streams; safe at any time, twice, and from any thread."""
        self._closed = True
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._connection.address!r})"

    def _run(self, plan: Plan[T]) -> T:
        reply = None
        with contextlib.closing(plan):
            while True:
                try:
                    step = plan.send(reply)
                except StopIteration as end:
                    result: T = end.value
                    return result
                reply = self._perform(step)

    def _perform(self, step: Ask | Collect) -> Any:
        metadata = step.metadata if isinstance(step, Ask) else ()
        try:
            call = self._call(step.rpc, step.request, metadata, timeout=self._connection.timeout)
            return _collect(call, step) if isinstance(step, Collect) else call
        except grpc.RpcError as failed:
            raise self._translated(failed, step.rpc) from failed

    def _call(self, rpc: str, request: Any, metadata: Iterable[tuple[str, str]], timeout: float | None = None) -> Any:
        if self._closed:
            raise closed(self._connection.address)
        try:
            return getattr(self._stub, rpc)(request, timeout=timeout, metadata=(*self._connection.metadata, *metadata))
        except ValueError as failed:  # another thread closed the channel meanwhile
            if self._closed:
                raise closed(self._connection.address) from failed
            raise

    def _translated(self, failed: Any, rpc: str) -> KoapyError:
        return closed(self._connection.address) if self._closed else translated(failed, rpc, self._connection.address)

    def _open(self, plan: Plan[Source[T]]) -> Stream[T]:
        return Stream(self, self._run(plan))

    def _send(self, plan: Plan[OrderLog]) -> OrderStream:
        return OrderStream(self, self._run(plan))


class Stream(Iterator[T], Generic[T]):
    """What a server tells, as it comes. Leaving its `with` block, or `close`, ends it."""

    def __init__(self, client: Client, source: Source[T]) -> None:
        self._client = client
        self._source = source
        self._items: deque[T] = deque()
        self._closed = False
        self._error: KoapyError | None = None
        self._call = client._call(source.rpc, source.request, source.metadata)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Wait for the next item. Raises: KoapyError when the stream breaks."""
        while not self._items:
            if self._closed:
                raise StopIteration
            self._items.extend(self._source.parse(self._message()))
        return self._items.popleft()

    def _message(self) -> Any:
        try:
            return next(self._call)
        except StopIteration:
            warn(self._call.trailing_metadata())
            self._closed = True
            raise
        except grpc.RpcError as failed:
            if self._closed or self._client._closed:
                raise StopIteration from None
            self._closed = True
            self._error = self._source.failed(self._client._translated(failed, self._source.rpc))
            raise self._error from failed

    def close(self) -> None:
        """End the stream here and at the server; safe at any time, twice, and from any thread."""
        self._closed = True
        self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class OrderStream(Stream[OrderEvent]):
    """The events of one order as they come, and what they make of it. Closing it leaves the order as it is."""

    def __init__(self, client: Client, log: OrderLog) -> None:
        self._log = log
        super().__init__(client, log.source())

    @property
    def order(self) -> Order:
        """The order as far as its events have been read."""
        return self._log.order

    def accepted(self) -> Order:
        """Read on until the exchange has accepted the order, and give it. Raises: OrderFailed, as iterating does."""
        for _ in self:
            if self.order.standing:
                break
        return self._told()

    def result(self) -> Order:
        """Read on until the order is through, and give it; a limit order may take as long as the day."""
        for _ in self:
            pass
        return self._told()

    def _told(self) -> Order:
        if self._error is not None:
            raise self._error
        return self.order


def connect(
    address: str = ADDRESS,
    *,
    credentials: grpc.ChannelCredentials | None = None,
    metadata: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    timeout: float | None = None,
    progress: bool | None = None,
    wait: float = 10.0,
) -> Client:
    """Make a client and wait until the server answers, at most `wait` seconds; the rest as of `Client`.

    Raises: ConnectionLost.
    """
    client = Client(address, credentials=credentials, metadata=metadata, timeout=timeout, progress=progress)
    try:
        return client.ready(wait)
    except BaseException:
        client.close()
        raise


def _channel(to: Connection) -> grpc.Channel:
    if to.credentials is None:
        return grpc.insecure_channel(to.address, to.options)
    return grpc.secure_channel(to.address, to.credentials, to.options)


def _collect(call: Any, step: Collect) -> None:
    try:
        for message in call:
            if step.take(message):
                return
        warn(call.trailing_metadata())
    finally:
        call.cancel()  # nothing, once the stream has ended
