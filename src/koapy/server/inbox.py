"""What waits to be written to one stream: bounded, never blocking the one who puts.

Only ticks may be merged or dropped, as the stream's request says: when too many wait, a new tick takes the place of the
waiting one of the same code and type, or the oldest goes; either is counted. Everything else that does not fit ends the
stream.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from koapy.server.events import Event
from koapy.server.failure import Failure, exhausted

if TYPE_CHECKING:
    from collections.abc import Iterable

CAPACITY = 8192
UNBOUNDED = 2**63
TICKS_SHARE = 2
"""Ticks may fill one in so many of a client's bytes, so that there is room for what must not be dropped."""


class Overflow(StrEnum):
    """What becomes of ticks when too many wait."""

    CONFLATE = "conflate"
    """The newest takes the place of the waiting one of the same code and type."""
    DROP_OLDEST = "drop-oldest"
    """The oldest goes."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick as one kind of stream wants it, encoded once for all streams of that kind."""

    code: str
    real_type: str
    encoded: bytes
    """The message as it goes to all of them."""

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return len(self.encoded)


@dataclass(frozen=True, slots=True)
class Returned:
    """What a control call of the stream's own has returned, or why it could not be made."""

    ask: object
    value: object


@dataclass(frozen=True, slots=True)
class Froze:
    """The control's thread does not answer: who waits for an answer waits no more."""

    text: str


@dataclass(slots=True)
class Budget:
    """The bytes that may wait for one client, in all of its streams together."""

    limit: int = UNBOUNDED
    held: int = 0


@dataclass(slots=True)
class _Entry:
    serial: int
    item: object
    size: int


class Inbox:
    """One stream's queue. Belongs to the event loop; one task takes from it.

    Args:
        capacity: messages that may wait.
        overflow: what becomes of ticks beyond that.
        budget: the client's, shared with its other streams.
    """

    def __init__(
        self, capacity: int = CAPACITY, overflow: Overflow = Overflow.CONFLATE, budget: Budget | None = None
    ) -> None:
        self._capacity = capacity
        self._drops = overflow is Overflow.DROP_OLDEST
        self._budget = budget or Budget()
        # Two queues in one order: the oldest tick must be found without looking through what may not be dropped.
        self._ticks: deque[_Entry] = deque()
        self._others: deque[_Entry] = deque()
        self._serial = 0
        self._newest: dict[tuple[str, str], _Entry] = {}
        self._sequence = 0
        self._floor = 0
        self._failure: Failure | None = None
        self._taker: asyncio.Future[None] | None = None
        self.conflated: Counter[str] = Counter()
        """How many ticks were merged into later ones, by code."""
        self.dropped: Counter[str] = Counter()
        """How many ticks were dropped for later ones, by code."""

    def __len__(self) -> int:
        return len(self._ticks) + len(self._others)

    def put(self, item: object) -> None:
        """Queue an item, or merge it, or let the stream end with RESOURCE_EXHAUSTED."""
        if self._failure is not None or self._is_known(item):
            return
        if isinstance(item, Tick):
            self._put_tick(item)
        elif (failure := self._overfull()) is not None:
            self.fail(failure)
        else:
            self._put_other(item)
        self._wake()

    def known_up_to(self, sequence: int) -> None:
        """Order events up to this number are known from elsewhere: leave out what waits of them, and what comes."""
        self._floor = max(sequence, self._floor)
        for item in self._taken_out():
            if not self._is_known(item):
                self._put_other(item)

    def precede(self, events: Iterable[Event]) -> None:
        """Put order events that are known from elsewhere before all that waits, and leave them out after that."""
        known = list(events)
        self.known_up_to(max((each.sequence for each in known), default=0))
        for item in (*known, *self._taken_out()):
            self._put_other(item)
        self._wake()

    def _taken_out(self) -> list[object]:
        """All that waits and is no tick, to be put in again."""
        taken = list(self._others)
        self._others.clear()
        self._budget.held -= sum(entry.size for entry in taken)
        return [entry.item for entry in taken]

    def _is_known(self, item: object) -> bool:
        return isinstance(item, Event) and 0 < item.sequence <= self._floor

    def fail(self, failure: Failure) -> None:
        """The stream ends with `failure` once what waits has been taken."""
        if self._failure is None:
            self._failure = failure
        self._wake()

    def close(self) -> None:
        """The stream has ended: what waits is forgotten, and its bytes are given back."""
        for entry in (*self._ticks, *self._others):
            self._budget.held -= entry.size
        self._ticks.clear()
        self._others.clear()
        self._newest.clear()

    async def get(self) -> object:
        """The next item.

        Raises:
            Failure: nothing waits any more and the stream is to end.
        """
        ticks, others = self._ticks, self._others
        while not ticks and not others:
            if self._failure is not None:
                raise self._failure
            self._taker = asyncio.get_running_loop().create_future()
            try:
                await self._taker
            finally:
                self._taker = None
        if ticks and (not others or ticks[0].serial < others[0].serial):
            entry = self._oldest_tick()
        else:
            entry = others.popleft()
            self._budget.held -= entry.size
        return entry.item

    def _put_other(self, item: object) -> None:
        size = 0
        if isinstance(item, Event):
            size = item.size
            self._sequence = item.sequence or self._sequence
        self._others.append(self._entry(item, size))

    def _overfull(self) -> Failure | None:
        """Why what may not be dropped does not fit, if it does not."""
        budget, last = self._budget, {"sequence": str(self._sequence)} if self._sequence else {}
        if len(self._others) >= self._capacity:
            text = f"{len(self)} messages wait to be read by this stream's client; read faster or listen to less"
            return exhausted(text, "STREAM_QUEUE_FULL", waiting=str(len(self)), **last)
        if budget.held >= budget.limit:
            text = f"{budget.held} bytes wait to be read by this client, {budget.limit} may; read faster"
            return exhausted(text, "CLIENT_BYTES", limit=str(budget.limit), held=str(budget.held), **last)
        return None

    def _put_tick(self, tick: Tick) -> None:
        key = (tick.code, tick.real_type)
        if len(self) >= self._capacity or self._budget.held >= self._budget.limit // TICKS_SHARE:
            if self._drops:
                if self._ticks:
                    oldest = self._oldest_tick().item
                    assert isinstance(oldest, Tick)
                    self.dropped[oldest.code] += 1
            elif (waiting := self._newest.get(key)) is not None:
                self._budget.held += tick.size - waiting.size
                waiting.item, waiting.size = tick, tick.size
                self.conflated[tick.code] += 1
                return
        # What has nothing waiting is queued even then, so the size is bounded by the capacity and the codes.
        self._newest[key] = entry = self._entry(tick, tick.size)
        self._ticks.append(entry)

    def _entry(self, item: object, size: int) -> _Entry:
        self._serial += 1
        self._budget.held += size
        return _Entry(self._serial, item, size)

    def _oldest_tick(self) -> _Entry:
        entry = self._ticks.popleft()
        self._budget.held -= entry.size
        item = entry.item
        assert isinstance(item, Tick)
        key = (item.code, item.real_type)
        if self._newest.get(key) is entry:
            del self._newest[key]
        return entry

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)
