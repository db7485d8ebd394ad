"""Work that is done on another thread than the one that wants it."""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Future


def fulfil(future: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Run `function(*args)` for `future`, unless that has been cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function(*args)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


class Visit:
    """The control's thread, held inside an event and making the calls that it is given until it is let go.

    Made and held on the control's thread; `submit` and `release` may be called from any thread.
    """

    __slots__ = ("_holders", "_lock", "_open", "_queue")

    def __init__(self, holders: int) -> None:
        self._queue: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._holders = holders
        self._open = True

    def submit(self, make: Callable[[], object]) -> bool:
        """Have `make` called inside the event; False when the event is over."""
        with self._lock:
            if self._open:
                self._queue.put(make)
            return self._open

    def release(self) -> None:
        """One of those who hold the event lets it go."""
        self._queue.put(None)

    def hold(self, until: float) -> bool:
        """Wait until all holders have let go; False when it is `until` before, in seconds of the monotonic clock."""
        while self._holders:
            try:
                make = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                self._end()
                return False
            if make is None:
                self._holders -= 1
            else:
                make()
        self._end()
        return True

    def _end(self) -> None:
        with self._lock:
            self._open = False
        # Calls that came in while the event was let go still belong to it, and run before it is over.
        while not self._queue.empty():  # nobody else takes from it
            make = self._queue.get_nowait()
            if make is not None:
                make()


class Job:
    """A call on its way to the control's thread, and its outcome on the way back."""

    __slots__ = ("_args", "_function", "_unclaimed", "error", "is_told", "value", "visit", "waiter")

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        waiter: asyncio.Future[Any],
        *,
        visit: Visit | None = None,
        is_told: bool = False,
    ) -> None:
        self.visit = visit
        """The event that it belongs into, where that is still to be seen."""
        self.is_told = is_told
        """Whether somebody else calls `tell` when it has returned."""
        self._function = function
        self._args = args
        self._unclaimed = [None]
        self.waiter = waiter
        """Of the event loop; has the outcome in the end."""
        self.value: Any = None
        self.error: BaseException | None = None

    def claim(self) -> bool:
        """Take the call, to make it or to take it back: True for who comes first, on whatever thread."""
        try:
            self._unclaimed.pop()
        except IndexError:
            return False
        return True

    def make(self) -> None:
        """Make the call. Runs on the control's thread, after `claim`."""
        try:
            self.value = self._function(*self._args)
        except BaseException as error:
            self.error = error

    def tell(self) -> None:
        """Give the outcome to who waits for it, if anybody still does. Runs on the loop."""
        if self.waiter.done():
            return
        if self.error is not None:
            self.waiter.set_exception(self.error)
        else:
            self.waiter.set_result(self.value)
