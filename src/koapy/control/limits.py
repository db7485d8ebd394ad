"""OpenAPI+'s request limits as waiting: fair between clients, refused at once where a deadline cannot be met.

A call counts from the moment it has returned: between the permit and the control lie two threads, and a control that
counts arrivals must never see more than the window allows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.openapi.limit import Window


class LimitExceeded(Exception):
    """The call could not start before its deadline; nothing was sent."""

    def __init__(self, limit: str, wait: float) -> None:
        super().__init__(f"{limit}: next free slot in {wait:.2f} s, after the deadline; extend it or retry then")
        self.limit = limit
        self.wait = wait
        """Seconds until there would have been room."""


class Windows:
    """How many calls fit into each of several sliding windows. Pure: the time is handed in, in seconds."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = tuple(windows)
        self._returned: deque[float] = deque(maxlen=max((calls for calls, _ in windows), default=1))
        self._running = 0

    def free_at(self, now: float, ahead: int = 0) -> float:
        """When a call can start that has `ahead` others before it, if those that run return at once."""
        times = [*self._returned, *[now] * self._running]
        start = now
        for _ in range(ahead + 1):
            for calls, seconds in self._windows:
                if len(times) >= calls:
                    start = max(start, times[-calls] + seconds)
            times.append(start)
        return start

    def idle(self, now: float) -> bool:
        """Whether no call counts any more."""
        longest = max((seconds for _, seconds in self._windows), default=0.0)
        return not self._running and all(at + longest <= now for at in self._returned)

    def begin(self) -> None:
        """A call starts."""
        self._running += 1

    def end(self, now: float) -> None:
        """A call has returned."""
        self._running -= 1
        self._returned.append(now)

    def forget(self) -> None:
        """A call that had begun was not made after all."""
        self._running -= 1


class _Waiter:
    __slots__ = ("client", "ready")

    def __init__(self, client: str) -> None:
        self.client = client
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class RateLimit:
    """One limit shared by all clients. Belongs to the event loop."""

    def __init__(self, name: str, windows: Sequence[Window]) -> None:
        self.name = name
        self._windows = Windows(windows)
        self._queues: dict[str, deque[_Waiter]] = {}
        """Those who wait, by client; the order of the dict is the order of the turns."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return sum(map(len, self._queues.values()))

    @property
    def idle(self) -> bool:
        """Whether it is as good as new: nobody waits, and no call counts any more."""
        return not self._queues and self._windows.idle(asyncio.get_running_loop().time())

    def expected_wait(self, client: str) -> float:
        """Seconds that a call of `client` would wait if it came now."""
        now = asyncio.get_running_loop().time()
        own = len(self._queues.get(client, ()))
        ahead = own + sum(min(len(queue), own + 1) for other, queue in self._queues.items() if other != client)
        return self._windows.free_at(now, ahead) - now

    async def begin(self, client: str, deadline: float | None = None) -> None:
        """Wait for a slot and take it, for one call; pair it with `end` or `withdraw`.

        Args:
            client: whose call this is; clients take turns.
            deadline: loop time in seconds by which the call must start.

        Raises:
            LimitExceeded: at once, when the slot would come later. Cancelling gives the place back.
        """
        wait = self.expected_wait(client)
        if deadline is not None and asyncio.get_running_loop().time() + wait > deadline:
            raise LimitExceeded(self.name, wait)
        waiter = _Waiter(client)
        self._queues.setdefault(client, deque()).append(waiter)
        self._serve()
        try:
            await waiter.ready
        except asyncio.CancelledError:
            self._leave(waiter)
            raise

    def try_begin(self) -> bool:
        """Take a slot if one is free now and nobody waits for it; pair it with `end` or `withdraw`."""
        now = asyncio.get_running_loop().time()
        if self._queues or self._windows.free_at(now) > now:
            return False
        self._windows.begin()
        return True

    def end(self) -> None:
        """The call for which the slot was taken has returned."""
        self._windows.end(asyncio.get_running_loop().time())
        self._serve()

    def withdraw(self) -> None:
        """The call for which the slot was taken is not made after all: it counts for nothing."""
        self._windows.forget()
        self._serve()

    def _leave(self, waiter: _Waiter) -> None:
        queue = self._queues.get(waiter.client)
        if queue is not None and waiter in queue:
            queue.remove(waiter)
            if not queue:
                del self._queues[waiter.client]
        elif waiter.ready.done() and not waiter.ready.cancelled():
            self._windows.forget()
        self._serve()

    def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queues:
            now = loop.time()
            free_at = self._windows.free_at(now)
            if free_at > now:
                self._timer = loop.call_at(free_at, self._serve)
                return
            client, queue = next(iter(self._queues.items()))
            waiter = queue.popleft()
            del self._queues[client]
            if queue:
                self._queues[client] = queue  # to the end: the next turn is another client's
            if not waiter.ready.done():
                self._windows.begin()
                waiter.ready.set_result(None)


class Held:
    """The places of one call under several limits; a `with` statement ends them when the call has been made in it."""

    __slots__ = ("_limits",)

    def __init__(self) -> None:
        self._limits: list[RateLimit] = []

    def __enter__(self) -> None:
        """The call is made now."""

    def __exit__(self, *_: object) -> None:
        self.end()

    def add(self, limit: RateLimit) -> None:
        """A place has been taken under this one, too."""
        self._limits.append(limit)

    def end(self) -> None:
        """The call has returned."""
        for each in self._limits:
            each.end()

    def withdraw(self) -> None:
        """The call is not made after all."""
        for each in self._limits:
            each.withdraw()
