"""What waits to be written to one stream: bounded, never blocking the one who puts.

Only ticks may be merged: when too many wait, a new tick takes the place of the waiting one of the same code and type,
and the merged ones are counted. Everything else that does not fit ends the stream.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.server.failure import Failure, exhausted

if TYPE_CHECKING:
    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

CAPACITY = 8192


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick as one kind of stream wants it; the message is shared by all streams of that kind."""

    code: str
    real_type: str
    message: pb.ListenResponse


@dataclass(frozen=True, slots=True)
class Returned:
    """What a control call of the stream's own has returned, or why it could not be made."""

    ask: object
    value: object


class Inbox:
    """One stream's queue. Belongs to the event loop; one task takes from it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._items: deque[list[object]] = deque()
        self._others = 0
        self._ticks: dict[tuple[str, str], list[object]] = {}
        self._failure: Failure | None = None
        self._taker: asyncio.Future[None] | None = None
        self.conflated: Counter[str] = Counter()
        """How many ticks were merged into later ones, by code."""

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: object) -> None:
        """Queue an item, or merge it, or let the stream end with RESOURCE_EXHAUSTED."""
        if self._failure is not None:
            return
        if isinstance(item, Tick):
            self._put_tick(item)
        elif self._others >= self._capacity:
            text = f"{len(self._items)} messages wait to be read by this client; read faster or listen to less"
            self.fail(exhausted(text, "STREAM_QUEUE_FULL", waiting=str(len(self._items))))
        else:
            self._others += 1
            self._items.append([item])
        self._wake()

    def fail(self, failure: Failure) -> None:
        """The stream ends with `failure` once what waits has been taken."""
        if self._failure is None:
            self._failure = failure
        self._wake()

    async def get(self) -> object:
        """The next item.

        Raises:
            Failure: nothing waits any more and the stream is to end.
        """
        while not self._items:
            if self._failure is not None:
                raise self._failure
            self._taker = asyncio.get_running_loop().create_future()
            try:
                await self._taker
            finally:
                self._taker = None
        entry = self._items.popleft()
        item = entry[0]
        if not isinstance(item, Tick):
            self._others -= 1
        elif self._ticks.get((item.code, item.real_type)) is entry:
            del self._ticks[item.code, item.real_type]
        return item

    def _put_tick(self, tick: Tick) -> None:
        key = (tick.code, tick.real_type)
        waiting = self._ticks.get(key)
        if waiting is not None and len(self._items) >= self._capacity:
            waiting[0] = tick
            self.conflated[tick.code] += 1
            return
        # A code that has nothing waiting is queued even then, so the size is bounded by the capacity and the codes.
        entry: list[object] = [tick]
        self._ticks[key] = entry
        self._items.append(entry)

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)
