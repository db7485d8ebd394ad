"""The client that waits."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack

import grpc

from koapy.client.connection import Connection, Options, Stub, connection, warn
from koapy.client.errors import KoapyError, closed, translated, unreachable
from koapy.client.functions import Functions
from koapy.client.operations import Operations
from koapy.client.parse import OrderEvent
from koapy.client.plan import Collect, Pause, Plan, Source, Step, Waiting
from koapy.client.queries import Queries
from koapy.client.reconnect import Follow, Interruption, persistent
from koapy.client.session import Session
from koapy.client.streams import Streams, several
from koapy.client.trading import Trading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from koapy.client.order import Order, OrderLog

T = TypeVar("T")


class Client(Waiting, Functions, Session, Queries, Streams, Trading, Operations):
    """A client of the service; methods wait. Any number of threads may use one client at once.

    It connects with its first request; `ready` waits for a server that is only starting. When a connection breaks it
    tries again for `reconnect` seconds, warns (KoapyWarning, and the logger koapy.client), and goes on by itself.
    Use it as a context manager, or `close` it, which also ends its streams.
    """

    def __init__(self, address: str | None = None, *, progress: bool | None = None, **options: Unpack[Options]) -> None:
        """Make a client, without connecting yet.

        Args:
            address: host:port; the environment's KOAPY_ADDRESS unless given, or 127.0.0.1:5943.
            progress: show a bar on long queries: True, False, or None for on a terminal.
            options: `Options` says which there are: for TLS and tokens, reconnecting, timeouts.

        Raises: InvalidArgument, for files that cannot be read, and for a token that would travel unencrypted.
        """
        self._connection, self._link = connection(address, **options)
        self._channel = _channel(self._connection)
        self._stub = Stub(self._channel)
        self._closed = False
        self._changed = threading.Condition()
        self.progress = progress

    def ready(self, timeout: float = 10.0) -> Self:
        """Wait until the server answers, at most `timeout` seconds; give the client itself. Raises: ConnectionLost."""
        connected = grpc.channel_ready_future(self._channel)
        try:
            connected.result(timeout)
        except grpc.FutureTimeoutError:
            connected.cancel()
            raise unreachable(self._connection.address, f"waited {timeout:g} s") from None
        self._link.reached = True
        return self

    def close(self) -> None:
        """Close the connection and end all streams; safe at any time, twice, and from any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._connection.address!r})"

    def _run(self, plan: Plan[T]) -> T:
        return self._drive(persistent(plan, self._link))

    def _drive(self, plan: Plan[T], ended: Callable[[], bool] = bool) -> T:
        """Carry a plan out; its pauses end early when `ended`, or the client is closed."""
        with contextlib.closing(plan):
            try:
                step = next(plan)
                while True:
                    try:
                        reply = self._perform(step, ended)
                    except KoapyError as error:
                        step = plan.throw(error)
                    else:
                        step = plan.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result

    def _perform(self, step: Step, ended: Callable[[], bool]) -> Any:
        if isinstance(step, Pause):
            with self._changed:
                return self._changed.wait_for(lambda: self._closed or ended(), step.seconds)
        try:
            call = self._call(step.rpc, step.request, step.metadata, timeout=self._connection.timeout)
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

    def _follow(self, plan: Plan[Source[T]]) -> TickStream[T]:
        return TickStream(self, self._run(plan))

    def _send(self, plan: Plan[OrderLog]) -> OrderStream:
        return OrderStream(self, self._run(plan))


class Stream(Iterator[T], Generic[T]):
    """What a server tells, as it comes. Leaving its `with` block, or `close`, ends it."""

    def __init__(self, client: Client, source: Source[T]) -> None:
        self._client = client
        self._follow = Follow(source, client._link)
        self._items: deque[T] = deque()
        self._closed = False
        self._error: KoapyError | None = None
        self._requests: SimpleQueue[Any] = SimpleQueue()
        self._forgotten = weakref.finalize(self, self._requests.put, None)
        self._call = self._opened(source)

    def _opened(self, source: Source[T]) -> Any:
        """The call; where further requests may follow, gRPC takes them in a thread of its own."""
        request: Any = source.request
        self._end_requests()
        if source.more:
            # That thread ends with the call that it belongs to, and with a stream that is forgotten.
            self._requests = requests = SimpleQueue[Any]()
            self._forgotten.detach()
            self._forgotten = weakref.finalize(self, requests.put, None)
            requests.put(request)
            request = iter(requests.get, None)
        elif source.more is not None:
            request = iter((request,))
        return self._client._call(source.rpc, request, source.metadata)

    def _end_requests(self) -> None:
        self._requests.put(None)

    @property
    def interruptions(self) -> list[Interruption]:
        """The times in which it was not connected and that are over, in their order."""
        return self._follow.interruptions

    @property
    def sequence(self) -> int:
        """Number of the last order event that has come; 0 before the first and for streams without numbers."""
        return self._follow.sequence

    @property
    def journal(self) -> str:
        """The journal that the numbers are of; "" for streams without numbers."""
        return self._follow.source.journal

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Wait for the next item. Raises: KoapyError when the stream breaks."""
        while not self._items:
            if self._closed:
                raise StopIteration
            self._items.extend(self._follow.took(self._message()))
            self._follow.back()
        return self._items.popleft()

    def _message(self) -> Any:
        while True:
            try:
                # Its first metadata: a gateway has sent something, or (without any) the try has failed.
                if self._follow.interrupted and self._call.initial_metadata():
                    self._follow.back()
                return next(self._call)
            except StopIteration:
                warn(self._call.trailing_metadata())
                self._closed = True
                raise
            except grpc.RpcError as failed:
                self._reopen(failed)
                failed.__traceback__ = None  # it is the old call, and would keep a stream that is forgotten

    def _reopen(self, failed: grpc.RpcError) -> None:
        """Open it again as soon as that is possible. Raises: StopIteration when it is closed meanwhile."""
        client, follow = self._client, self._follow
        try:
            if self._closed or client._closed:
                raise StopIteration from None
            client._drive(follow.broke(client._translated(failed, follow.source.rpc)), lambda: self._closed)
            with client._changed:
                if self._closed or client._closed:
                    raise StopIteration from None
                self._call = self._opened(follow.source)
        except KoapyError as error:
            if self._closed or client._closed:
                raise StopIteration from None
            self._closed = True
            self._end_requests()
            self._error = error
            raise error from failed

    def close(self) -> None:
        """End the stream here and at the server; safe at any time, twice, and from any thread."""
        with self._client._changed:
            self._closed = True
            self._client._changed.notify_all()
        self._end_requests()
        self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class TickStream(Stream[T]):
    """Ticks of codes, single or in batches; the codes may change while it is open, from any thread."""

    def add(self, codes: str | Iterable[str]) -> None:
        """Have the ticks of these codes too. A code that there is not ends the stream with InvalidArgument.

        Raises: Unimplemented, where the server has no stream whose codes change.
        """
        self._steer(add=several(codes))

    def remove(self, codes: str | Iterable[str]) -> None:
        """Have the ticks of these codes no more, but for those on their way. Raises: as `add` does."""
        self._steer(remove=several(codes))

    def _steer(self, **change: Iterable[str]) -> None:
        with self._client._changed:  # not while it is being opened again
            self._requests.put(self._follow.steer(**change))


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
    address: str | None = None, *, wait: float = 10.0, progress: bool | None = None, **options: Unpack[Options]
) -> Client:
    """Make a client and wait until the server answers, at most `wait` seconds; the rest as of `Client`.

    Raises: ConnectionLost, and InvalidArgument as `Client` does.
    """
    client = Client(address, progress=progress, **options)
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
