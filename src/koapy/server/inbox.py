"""What waits to be written to one stream: bounded, never blocking the one who puts.

Ticks come from a feed, which other streams may share, and may be merged or dropped there, as the stream's request says.
Everything else waits here, one item after the other; what does not fit ends the stream.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple, Self

from koapy.server.budget import Budget
from koapy.server.events import Event
from koapy.server.failure import Failure, exhausted
from koapy.server.feed import Overflow

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from koapy.server.feed import Cursor
    from koapy.server.feeds import Handover

CAPACITY = 8192


class Returned(NamedTuple):
    """What a control call of the stream's own has returned, or why it could not be made."""

    ask: object
    value: object


class Froze(NamedTuple):
    """The control's thread does not answer: who waits for an answer waits no more."""

    text: str


_Entry = tuple[int, object, int]
"""The serial of the newest tick that came before it, the item, and its bytes."""


class Inbox:
    """One stream's queue. Belongs to the event loop; one task takes from it.

    Args:
        capacity: messages that may wait; ticks and others for themselves.
        overflow: what becomes of ticks beyond that.
        budget: the client's, shared with its other streams.
        among: all that are open; it is one of them until the block of a `with` statement ends.
    """

    def __init__(
        self,
        capacity: int = CAPACITY,
        overflow: Overflow = Overflow.CONFLATE,
        budget: Budget | None = None,
        among: set[Inbox] | None = None,
    ) -> None:
        self.capacity = capacity
        self.overflow = overflow
        self.budget = budget or Budget()
        self.ticks: Cursor | Handover | None = None
        """Where the stream's ticks come from; None: it wants none."""
        self.holders: set[Hashable] = set()
        """Whose codes and condition searches are waited for here."""
        self.takes_all = False
        """Whether its stream takes all that waits at once, as one message."""
        self.missed: Counter[str] = Counter()
        """How many ticks were merged into later ones, or dropped for them, by code."""
        self._among = set() if among is None else among
        self._others: deque[_Entry] = deque()
        self._sequence = 0
        self._floor = 0
        self._failure: Failure | None = None
        self._is_closed = False
        self._last_tick: int | None = None
        self._taker: asyncio.Future[None] | None = None

    def __enter__(self) -> Self:
        self._among.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._among.discard(self)
        self.close()

    def __len__(self) -> int:
        """How much waits that is no tick."""
        return len(self._others)

    def put(self, item: object, after: int | None = None) -> None:
        """Queue an item, or let the stream end with RESOURCE_EXHAUSTED.

        Args:
            after: the serial of the newest tick that came before it; None: all that have come.
        """
        if self._failure is not None or self._is_closed or (self._floor and self._is_known(item)):
            return
        if len(self._others) >= self.capacity or self.budget.is_full:
            self.fail(self._overfull())
        else:
            self._add(item, self._now() if after is None else after)
        self.wake()

    def known_up_to(self, sequence: int) -> None:
        """Order events up to this number are known from elsewhere: leave out what waits of them, and what comes."""
        self._floor = max(sequence, self._floor)
        for after, item, _ in self._taken_out():
            if not self._is_known(item):
                self._add(item, after)

    def precede(self, events: Iterable[Event]) -> None:
        """Put order events that are known from elsewhere before all that waits, and leave them out after that."""
        known = list(events)
        self.known_up_to(max((each.sequence for each in known), default=0))
        waiting = self._taken_out()
        for event in known:
            self._add(event, 0)
        for after, item, _ in waiting:
            self._add(item, after)
        self.wake()

    def _taken_out(self) -> list[_Entry]:
        """All that waits and is no tick, to be put in again."""
        taken = list(self._others)
        self._others.clear()
        self.budget.held -= sum(size for _, _, size in taken)
        return taken

    def _is_known(self, item: object) -> bool:
        return isinstance(item, Event) and 0 < item.sequence <= self._floor

    def fail(self, failure: Failure) -> None:
        """The stream ends with `failure` once what waits has been taken."""
        if self._failure is None:
            self._failure = failure
            self._last_tick = self._now()
        self.wake()

    def close(self) -> None:
        """The stream has ended: what waits, or is still on its way here, is forgotten, and its bytes are given back."""
        self._is_closed = True
        self._taken_out()

    async def get(self) -> object:
        """The next item; ticks come as a `Run` of them.

        Raises:
            Failure: nothing waits any more and the stream is to end.
        """
        while (item := self.get_nowait()) is None:
            self._taker = asyncio.get_running_loop().create_future()
            if self.ticks is not None:
                self.ticks.wait()
            try:
                await self._taker
            finally:
                self._taker = None
        return item

    def get_nowait(self) -> object | None:
        """As `get`, but None where nothing waits."""
        ticks, others = self.ticks, self._others
        if ticks is not None:
            run = ticks.take(others[0][0] if others else self._last_tick)
            if run is not None:
                return run
        if others:
            _, item, size = others.popleft()
            self.budget.held -= size
            return item
        if self._failure is not None:
            raise self._failure
        return None

    def wake(self) -> None:
        """There may be something to take."""
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    def _now(self) -> int:
        return self.ticks.end() if self.ticks is not None else 0

    def _add(self, item: object, after: int) -> None:
        size = 0
        if isinstance(item, Event):
            size = item.size
            self._sequence = item.sequence or self._sequence
        self.budget.held += size
        self._others.append((after, item, size))

    def _overfull(self) -> Failure:
        """Why what may not be dropped does not fit."""
        budget, last = self.budget, {"sequence": str(self._sequence)} if self._sequence else {}
        if (count := len(self._others)) >= self.capacity:
            text = f"{count} messages wait to be read by this stream's client; read faster or listen to less"
            return exhausted(text, "STREAM_QUEUE_FULL", waiting=str(count), **last)
        held = budget.waiting
        text = f"{held} bytes wait to be read by this client, {budget.limit} may; read faster"
        return exhausted(text, "CLIENT_BYTES", limit=str(budget.limit), held=str(held), **last)
