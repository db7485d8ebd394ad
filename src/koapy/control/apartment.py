"""The one thread that calls a control, and the only module that crosses between threads.

Everything that goes to the control goes through `Apartment`; everything that comes back to the event loop goes through
`Portal`, which wakes the loop once for all that has queued since the last time: a wake-up costs more than an event.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from koapy.control.jobs import fulfil
from koapy.control.redaction import Passwords
from koapy.control.seam import Submitting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from koapy.control.seam import Control

T = TypeVar("T")
logger = logging.getLogger(__name__)


AT_ONCE = 1024
"""Callbacks of the control's thread that the loop runs before it turns to others."""


class Frozen(Exception):
    """The control's thread does not answer, or there is none any more, so nobody waits for it."""

    def __init__(self, begun: bool) -> None:
        super().__init__("the control's thread does not answer")
        self.begun = begun
        """Whether the call had begun and may still come to an end; otherwise it was not made and never will be."""


class Portal:
    """The way from any thread to the event loop: callbacks run there, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._awake = False

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Run `function(*args)` on the loop, soon. After the loop has closed nothing happens."""
        self._queue.append((function, args))
        if not self._awake:
            self._awake = True
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:  # the loop is closed: nobody is left to tell
                self._queue.clear()

    def _drain(self) -> None:
        # Cleared first: what is posted from now on wakes the loop again, at worst for nothing.
        self._awake = False
        queue = self._queue
        # Not what comes meanwhile, nor a long queue at one go: the loop has others to serve.
        for _ in range(min(len(queue), AT_ONCE)):
            function, args = queue.popleft()
            try:
                function(*args)
            except Exception:
                logger.exception("callback from the control's thread failed")
        if queue and not self._awake:
            self._awake = True
            self._loop.call_soon(self._drain)


class Worker:
    """A thread of ours that makes all calls of a control that has none of its own."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="koapy-apartment", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Run `function(*args)` on the thread and give its outcome."""
        future: Future[Any] = Future()
        self._queue.put((future, function, args))
        return future

    def close(self) -> None:
        """End the thread after what has been submitted; does not wait for a call that never returns."""
        self._queue.put(None)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            fulfil(*item)


class Visit:
    """The control's thread, held inside an event and running what it is given until it is let go.

    Made and held on the control's thread; `submit` and `release` may be called from any thread.
    """

    def __init__(self, holders: int) -> None:
        self._queue: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._holders = holders
        self._open = True

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any] | None:
        """Run `function(*args)` inside the event; None when the event is over."""
        future: Future[Any] = Future()
        with self._lock:
            if not self._open:
                return None
            self._queue.put((future, function, args))
        return future

    def release(self) -> None:
        """One of those who hold the event lets it go."""
        self._queue.put(None)

    def hold(self, seconds: float) -> bool:
        """Wait until all holders have let go; False when `seconds` have passed before."""
        deadline = time.monotonic() + seconds
        while self._holders:
            try:
                item = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                self._end()
                return False
            if item is None:
                self._holders -= 1
            else:
                fulfil(*item)
        self._end()
        return True

    def _end(self) -> None:
        with self._lock:
            self._open = False
        # Calls that came in while the event was let go still belong to it, and run before it is over.
        while True:
            try:
                item = self._queue.get_nowait()
            except Empty:
                return
            if item is not None:
                fulfil(*item)


_inside: ContextVar[Visit | None] = ContextVar("_inside", default=None)


def is_inside() -> bool:
    """Whether what this task submits runs inside an event."""
    return _inside.get() is not None


@contextmanager
def inside(visit: Visit) -> Iterator[None]:
    """What this task submits to an apartment while the block lasts runs inside this event."""
    token = _inside.set(visit)
    try:
        yield
    finally:
        _inside.reset(token)


class Apartment:
    """All calls to a control, on its thread: the control's own `submit`, or a `Worker` where it has none."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.done = 0
        """How many calls the thread has ended; one that goes on counting is not frozen."""
        self.busy_with = ""
        """The function of the control that the thread is in; whoever makes a call says so, on that thread."""
        self.passwords = Passwords()
        """What no text about the control may hold."""
        self._frozen = False
        self._waiting: dict[asyncio.Future[Any], Callable[[], bool]] = {}
        """Those who wait for a call, and what takes the call back if it has not begun."""
        self._patient: set[asyncio.Timeout] = set()
        self._worker: Worker | None = None
        if isinstance(control, Submitting):
            self._submit: Callable[..., Future[Any]] = control.submit
        else:
            self._worker = Worker()
            self._submit = self._worker.submit

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run `function(*args)` on the control's thread; inside the event that the caller is in, while it lasts.

        Raises:
            Frozen: the control takes no calls any more.
        """
        visit = _inside.get()
        future = visit.submit(self._made, function, args) if visit is not None else None
        if future is not None:
            return future
        try:
            return self._submit(self._made, function, args)
        except RuntimeError as error:  # how an executor, and the simulation, say that they have been closed
            raise Frozen(begun=False) from error

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function(*args)` on the control's thread and wait for what it returns.

        Cancelling stops the waiting, not a call that has begun; one that has not begun is taken back where possible.

        Raises:
            Frozen: the thread is frozen, or froze before it was through with the call.
        """
        if self._frozen:
            raise Frozen(begun=False)
        future = self.submit(function, *args)
        try:
            return await self._outcome(future, future.cancel)
        except asyncio.CancelledError:
            future.cancel()
            raise

    async def settle(self, function: Callable[..., T], *args: Any) -> T:
        """As `run`, for calls that give something back: they are made even when the waiting is cancelled.

        Raises:
            Frozen: the thread is frozen; the call is made when it is back.
        """
        future = self.submit(function, *args)
        if self._frozen:
            raise Frozen(begun=True)
        return await self._outcome(future, lambda: False)

    def freeze(self) -> None:
        """The thread does not answer: end all waiting for it, and let nobody wait any more. Belongs to the loop.

        Calls that have not begun are taken back, but for those that give something back.
        """
        self._frozen = True
        for waiter, take_back in tuple(self._waiting.items()):
            if not waiter.done():
                waiter.set_exception(Frozen(begun=not take_back()))
        for waiting in self._patient:
            waiting.reschedule(asyncio.get_running_loop().time())
        self._patient.clear()

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """Wait, in this block, for something that comes before a call.

        Raises:
            Frozen: the thread is frozen, or freezes in the meantime, so that the waiting is for nothing.
        """
        if self._frozen:
            raise Frozen(begun=False)
        waiting = asyncio.timeout(None)
        try:
            async with waiting:
                self._patient.add(waiting)
                yield
        except TimeoutError:
            if waiting.expired():
                raise Frozen(begun=False) from None
            raise
        finally:
            self._patient.discard(waiting)

    def thaw(self) -> None:
        """The thread answers again."""
        self._frozen = False

    async def _outcome(self, future: Future[T], take_back: Callable[[], bool]) -> T:
        """What a call gives, or `Frozen`."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()

        def ended(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop has closed: nobody waits any more
                loop.call_soon_threadsafe(_hand_over, future, waiter)

        self._waiting[waiter] = take_back
        future.add_done_callback(ended)
        try:
            return await waiter
        finally:
            del self._waiting[waiter]

    def _made(self, function: Callable[..., T], args: tuple[Any, ...]) -> T:
        """Make the call. Runs on the control's thread."""
        try:
            return function(*args)
        finally:
            self.done += 1

    def has(self, name: str) -> bool:
        """Whether the control offers a function or an event of this name."""
        return getattr(self.control, name, None) is not None

    def close(self) -> None:
        """End the thread, where it is ours."""
        if self._worker is not None:
            self._worker.close()


def _hand_over(future: Future[T], waiter: asyncio.Future[T]) -> None:
    """Give a call's outcome to the one who waits for it, if anybody still does."""
    if waiter.done():
        return
    if future.cancelled():  # by the control: whoever waits here would have been cancelled first
        waiter.set_exception(Frozen(begun=False))
    elif (error := future.exception()) is not None:
        waiter.set_exception(error)
    else:
        waiter.set_result(future.result())
