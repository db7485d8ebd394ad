"""The one thread that calls a control, and the only module that crosses between threads.

Everything that goes to the control goes through `Apartment`; everything that comes back to the event loop goes through
a `Portal`. Both hand over in batches, because waking a thread costs more than a call or an event: what has queued since
the last time goes over together.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from koapy.control.jobs import Job, Visit, fulfil
from koapy.control.redaction import Passwords
from koapy.control.seam import Submitting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from koapy.control.seam import Control

T = TypeVar("T")
logger = logging.getLogger(__name__)


AT_ONCE = 1024
"""Callbacks of the control's thread that the loop runs before it turns to others."""
CALLS_AT_ONCE = 64
"""Calls that the control's thread makes before it turns to what else it has to do."""


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
            self.wake()

    def add(self, function: Callable[..., object], *args: Any) -> None:
        """Run `function(*args)` on the loop when it is woken."""
        self._queue.append((function, args))

    def wake(self) -> None:
        """Have the loop run what has been added, if anything has."""
        if self._queue and not self._awake:
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
    """All calls to a control, on its thread: the control's own `submit`, or a `Worker` where it has none.

    Calls are made in the order in which they came. Belongs to one event loop.
    """

    def __init__(self, control: Control) -> None:
        self.control = control
        self.done = 0
        """How many calls the thread has ended; one that goes on counting is not frozen."""
        self.busy_with = ""
        """The function of the control that the thread is in; whoever makes a call says so, on that thread."""
        self.passwords = Passwords()
        """What no text about the control may hold."""
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._queue: deque[Job] = deque()
        self._coming = False
        """Whether the thread is on its way to the queue."""
        self._loop = asyncio.get_running_loop()
        self._outcomes = Portal(self._loop)
        self._waiting: dict[Job, bool] = {}
        """Calls that somebody waits for, and whether they may be taken back."""
        self._patient: set[asyncio.Timeout] = set()
        self._worker: Worker | None = None
        if isinstance(control, Submitting):
            self._submit: Callable[..., Future[Any]] = control.submit
        else:
            self._worker = Worker()
            self._submit = self._worker.submit

    def submit(self, function: Callable[..., Any], *args: Any) -> Job:
        """Have `function(*args)` called on the control's thread, inside the event that the caller is in while it lasts.

        What the call's `waiter` gets is `Frozen` where the control takes no calls any more.
        """
        job = Job(function, args, self._loop.create_future())
        visit = _inside.get()
        if visit is None or not visit.submit(lambda: self._make_inside(job)):
            self._queue.append(job)
            if not self._coming:
                self._send_for_calls()
        return job

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function(*args)` on the control's thread and wait for what it returns.

        Cancelling stops the waiting, not a call that has begun; one that has not begun is taken back.

        Raises:
            Frozen: the thread is frozen, or froze before it was through with the call.
        """
        if self._frozen:
            raise Frozen(begun=False)
        job = self.submit(function, *args)
        self._waiting[job] = True
        try:
            value: T = await job.waiter
        except asyncio.CancelledError:
            job.claim()
            raise
        finally:
            del self._waiting[job]
        return value

    def prepare(self, function: Callable[..., object], *args: Any) -> Job:
        """A call that another thread is to give to `send`, into the event that the caller is in now, if in any.

        Its `waiter`, which is nobody's to cancel, gets what the call raises, or `Frozen`; what it returns it gets from
        whoever calls `tell` on the loop.

        Raises:
            Frozen: the thread is frozen.
        """
        if self._frozen:
            raise Frozen(begun=False)
        job = Job(function, args, self._loop.create_future(), visit=_inside.get(), is_told=True)
        self._waiting[job] = True
        job.waiter.add_done_callback(lambda _: self._waiting.pop(job))
        return job

    def send(self, job: Job) -> None:
        """Have a prepared call made on the control's thread. May be called on any thread."""
        if job.visit is None or not job.visit.submit(lambda: self._make_inside(job)):
            self._queue.append(job)
            if not self._coming:
                self._send_for_calls()

    def later(self, function: Callable[[], object]) -> None:
        """Call `function` on the control's thread when it is through with what it is at."""
        try:
            self._submit(function)
        except RuntimeError:  # it has been closed
            function()

    def leave(self, function: Callable[..., object], *args: Any) -> None:
        """Have `function(*args)` called, in its turn; nobody waits for it, and nobody is told what comes of it."""
        job = Job(function, args, self._loop.create_future(), is_told=True)
        job.waiter.add_done_callback(lambda waiter: waiter.exception())  # as of a control that takes no calls any more
        self._queue.append(job)
        # What the loop is at comes first: it is about to tell a client that its request is through.
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        if self._queue and not self._coming:
            self._send_for_calls()

    async def settle(self, function: Callable[..., T], *args: Any) -> T:
        """As `run`, for calls that give something back: they are made even when the waiting is cancelled.

        Raises:
            Frozen: the thread is frozen; the call is made when it is back.
        """
        job = self.submit(function, *args)
        if self._frozen:
            raise Frozen(begun=True)
        self._waiting[job] = False
        try:
            value: T = await job.waiter
        finally:
            del self._waiting[job]
        return value

    def freeze(self) -> None:
        """The thread does not answer: end all waiting for it, and let nobody wait any more. Belongs to the loop.

        Calls that have not begun are taken back, but for those that give something back.
        """
        self._thawed.clear()
        for job, may_be_taken_back in tuple(self._waiting.items()):
            if not job.waiter.done():
                job.waiter.set_exception(Frozen(begun=not (may_be_taken_back and job.claim())))
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
        self._thawed.set()

    async def thawed(self) -> None:
        """Return when the thread is not frozen, or not any more."""
        await self._thawed.wait()

    @property
    def _frozen(self) -> bool:
        return not self._thawed.is_set()

    def _send_for_calls(self) -> None:
        """Have the thread come for what is in the queue, all of it at once."""
        self._coming = True
        try:
            coming = self._submit(self._make_calls)
        except RuntimeError:  # how an executor, and the simulation, say that they have been closed
            self._refuse(None)
        else:
            coming.add_done_callback(self._came)

    def _came(self, coming: Future[None]) -> None:
        """The thread has been there, or will not come."""
        try:
            coming.result()
        except CancelledError:
            self._refuse(None)
        except BaseException as error:
            self._refuse(error)
        # The last thing that the thread does for these calls: a loop that is woken while the thread is still busy with
        # them waits for the interpreter's lock at once.
        self._outcomes.wake()

    def _refuse(self, error: BaseException | None) -> None:
        """Nobody makes the calls that are in the queue. Runs on any thread."""
        self._coming = False
        while self._queue:
            with suppress(IndexError):  # another thread was faster
                job = self._queue.popleft()
                if job.claim():
                    job.error = error or Frozen(begun=False)
                    self._outcomes.post(job.tell)

    def _make_calls(self) -> None:
        """Make the calls that are in the queue by now. Runs on the control's thread."""
        # Cleared first: what comes from now on sends for the thread again. A control that runs its thread's events
        # inside a function, such as one that shows a window, comes here in the middle of a call, with the next call or
        # the watchdog's, and goes on where this one has stopped.
        self._coming = False
        queue = self._queue
        for _ in range(min(len(queue), CALLS_AT_ONCE)):
            try:
                job = queue.popleft()
            except IndexError:
                return
            self._make(job)
            if queue:  # the thread goes on with another one, which may take its time
                self._outcomes.wake()
        if queue and not self._coming:
            self._send_for_calls()

    def _make_inside(self, job: Job) -> None:
        """Make one call inside an event. Runs on the control's thread."""
        self._make(job)
        self._outcomes.wake()

    def _make(self, job: Job) -> None:
        """Make one call, unless it has been taken back; the woken loop hears of it. Runs on the control's thread."""
        if job.claim():
            job.make()
            self.done += 1
            if job.error is not None or not job.is_told:
                self._outcomes.add(job.tell)

    def has(self, name: str) -> bool:
        """Whether the control offers a function or an event of this name."""
        return getattr(self.control, name, None) is not None

    def close(self) -> None:
        """End the thread, where it is ours."""
        if self._worker is not None:
            self._worker.close()
