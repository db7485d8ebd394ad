"""Clients of a server under test, over the cheap wire: subscribers, callers, and those who acknowledge."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from benchmarks.control import FLAT_OUT
from benchmarks.requests import EVENTS, HANDLED, LISTEN_TO_NOTHING, SERVICE
from benchmarks.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from benchmarks.processes import Server
    from benchmarks.wire import Connection

MOST_CONNECTIONS = 64
PATIENCE = 60.0
QUIET_SECONDS = 0.2
SEGMENT, TABLE = 0x12, 0x12
"""EventBatch.segments and Segment.tables on the wire."""


@dataclass(frozen=True, slots=True)
class Delays:
    """How late messages were, in milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, microseconds: list[int]) -> Delays:
        """Of what was measured; endless where nothing came."""
        if not microseconds:
            return cls(float("inf"), float("inf"))
        microseconds.sort()
        return cls(microseconds[len(microseconds) // 2] / 1000, microseconds[len(microseconds) * 99 // 100] / 1000)


class Counter:
    """What all subscribers of a measurement have got together."""

    def __init__(self) -> None:
        self.messages = 0
        """Messages, or the ticks in batches."""
        self.batches = 0
        self.delays: list[int] = []
        """Microseconds from the moment a tick was due."""
        self.is_exact = True
        """Whether the delay of each tick in a batch is taken, or only the one of its first."""


class Subscriber:
    """One stream of ticks."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.has_begun = False

    def message(self, body: bytes, now: int) -> None:
        self.has_begun = True
        counter = self._counter
        counter.messages += 1
        at = body.find(b"@", 0, 120) + 1
        counter.delays.append(now - int(body[at : at + 16]))

    def ended(self, now: int) -> None:
        raise RuntimeError("a subscriber's stream has ended by itself")


class BatchSubscriber:
    """One stream of batches. It counts the rows of each table, and takes the delays from the first column of it.

    A batch that is one table is looked at in full where `counter.samples` says so; otherwise its first row is.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.has_begun = False

    def message(self, body: bytes, now: int) -> None:
        self.has_begun = True
        counter = self._counter
        counter.batches += 1
        at, end = 0, len(body)
        while at < end:
            key = body[at]
            size, at = _varint(body, at + 1)
            if key == SEGMENT:
                self._segment(body, at, now)
            at += size

    def _segment(self, body: bytes, at: int, now: int) -> None:
        """A segment of one table: ticks of one real type, and nothing else."""
        if body[at] != TABLE:
            raise RuntimeError("a batch holds more than the ticks of one real type")
        _, at = _varint(body, at + 1)
        _, at = _varint(body, at + 1)  # schema
        rows, at = _varint(body, at + 1)
        size, at = _varint(body, at + 1)  # codes
        counter = self._counter
        counter.messages += rows
        size, at = _varint(body, at + size + 1)
        times = body[at : at + size] if counter.is_exact else body[at : at + 17]
        counter.delays.extend(now - int(each[1:]) for each in times.split(b"\t"))

    def ended(self, now: int) -> None:
        raise RuntimeError("a subscriber's stream has ended by itself")


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """A number, and where the next thing begins."""
    value, shift = 0, 0
    while body[at] > 127:
        value |= (body[at] & 127) << shift
        shift += 7
        at += 1
    return value | body[at] << shift, at + 1


class Idle:
    """A stream on which nothing comes."""

    def message(self, body: bytes, now: int) -> None:
        raise RuntimeError("a message on a stream that was to be idle")

    def ended(self, now: int) -> None:
        raise RuntimeError("an idle stream has ended by itself")


class Caller:
    """Makes one RPC after the other, each when the one before has ended."""

    def __init__(self, connection: Connection, method: str, bodies: Sequence[bytes], expected: int = 1) -> None:
        self._connection = connection
        self._path = SERVICE + method
        self._bodies = bodies
        self._expected = expected
        self._asked = 0
        self._got = 0
        self._began = 0
        self.goes_on = True
        self.took_before = 0
        self.ended_at = 0
        self.took: list[int] = []
        """Microseconds that each RPC has taken."""
        self._ask()

    @property
    def is_through(self) -> bool:
        """Whether nothing is under way."""
        return len(self.took) == self._asked

    def message(self, body: bytes, now: int) -> None:
        self._got += 1

    def ended(self, now: int) -> None:
        if self._got != self._expected:
            raise RuntimeError(f"{self._path} gave {self._got} messages instead of {self._expected}")
        self.ended_at = time.monotonic_ns() // 1000
        self.took.append(self.ended_at - self._began)
        if self.goes_on:
            self._ask()

    def _ask(self) -> None:
        self._got = 0
        self._began = time.monotonic_ns() // 1000
        self._connection.open(self._path, self._bodies[self._asked % len(self._bodies)], self)
        self._asked += 1


class Acknowledger:
    """Lets the control go on at each event."""

    def __init__(self, connection: Connection, request: bytes) -> None:
        self._connection = connection
        self.messages = 0
        self._number = connection.open(SERVICE + "BidirectionalListen", request, self, last=False)

    def message(self, body: bytes, now: int) -> None:
        self.messages += 1
        self._connection.send(self._number, HANDLED)

    def ended(self, now: int) -> None:
        raise RuntimeError("the stream has ended by itself")


@dataclass(frozen=True, slots=True)
class Flow:
    """What went to subscribers in some time."""

    rate: float
    """Messages a second, all subscribers together."""
    ticks: float
    """Ticks a second that the control has made."""
    lost: float
    """The share of all messages that should have come and did not."""
    delays: Delays
    cpu: float
    """The share of a core that the server has used."""
    client: float
    """The share of a core that the client has used: near 1, it is the client that was measured."""
    a_tick: float = 0.0
    """Microseconds of processor that the control's thread has used for a tick, flat out."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What RPCs that followed one another gave."""

    rate: float
    """A second."""
    delays: Delays
    """From the request to the end."""
    cost: float
    """Microseconds of processor that the server has used for one."""


class Load:
    """All clients of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._wire = Wire(server.address)
        self.counter = Counter()
        self.subscribers: list[Subscriber | BatchSubscriber] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.close()

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let everybody go on for so long, or until something is so; whether it is."""
        return self._wire.run(seconds, until)

    def connections(self, streams: int) -> list[Connection]:
        """New connections for so many streams: one each, up to a number."""
        return self._wire.connect(min(streams, MOST_CONNECTIONS))

    def subscribe(self, method: str, requests: Sequence[bytes], count: int, codes: int = 1) -> None:
        """Open so many streams of ticks and wait until each has had one."""
        kind, path = (BatchSubscriber, EVENTS) if method == "Events" else (Subscriber, SERVICE + method)
        connections = self.connections(count)
        new = [kind(self.counter) for _ in range(count)]
        self._server.tick(max(codes, min(50, 4000 / count)), codes)
        for at, subscriber in enumerate(new):
            connections[at % len(connections)].open(path, requests[at % len(requests)], subscriber)
            if at % 20 == 19:
                self.run(0.01)  # a server refuses what comes faster than it takes it
        self.subscribers += new
        if not self.run(PATIENCE, lambda: all(each.has_begun for each in new)):
            raise RuntimeError("not every subscriber has had a tick")
        self._server.tick(0)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing comes any more."""
        deadline = time.monotonic() + PATIENCE
        before = -1
        while before != self.counter.messages and time.monotonic() < deadline:
            before = self.counter.messages
            self.run(QUIET_SECONDS)

    def idle(self, count: int, connections: int) -> None:
        """Open so many streams on which nothing comes."""
        own = self._wire.connect(connections)
        for at in range(count):
            connection = own[at * connections // count]
            connection.open(SERVICE + "Listen", LISTEN_TO_NOTHING, Idle())
            if at % 20 == 19:
                self.run(0.01)  # a server refuses what comes faster than it takes it
        self.run(0.5)

    def once(self, caller: Caller) -> None:
        """Let one caller end what it has under way."""
        caller.goes_on = False
        if not self.run(PATIENCE, lambda: caller.is_through):
            raise RuntimeError("no answer")

    def calls(self, callers: Sequence[Caller], seconds: float) -> Calls:
        """Let them call for so long; the first half second is not counted."""
        self.run(min(0.5, seconds / 4))
        for each in callers:
            each.took_before = len(each.took)
        used = self._server.used()
        self.run(seconds)
        took = [one for each in callers for one in each.took[each.took_before :]]
        until = self._server.used()
        for each in callers:
            self.once(each)
        rate = len(took) / (until.at - used.at)
        return Calls(rate, Delays.of(took), until.share_since(used) / rate * 1e6 if rate else float("inf"))

    def steady(self, rate: float, seconds: float, codes: int = 1, share: float = 1.0) -> Flow:
        """Have the control tick at a rate, and wait for what comes of it; `share` of all subscribers get each tick."""
        self.counter.is_exact = True
        self._reset()
        first = self._server.count().ticks
        used, own, began = self._server.used(), time.process_time(), time.monotonic()
        self._server.tick(rate, codes)
        self.run(seconds)
        last = self._server.tick(0).ticks
        expected = (last - first) * len(self.subscribers) * share
        self.run(QUIET_SECONDS, lambda: self.counter.messages >= expected)
        wall = time.monotonic() - began
        flow = (self._server.used().share_since(used), (time.process_time() - own) / wall)
        self.settle()
        lost = 1 - self.counter.messages / expected if expected else 0.0
        return Flow(self.counter.messages / wall, (last - first) / seconds, lost, Delays.of(self.counter.delays), *flow)

    def flat_out(self, seconds: float, rate: float = FLAT_OUT) -> Flow:
        """Have the control tick as fast as it can, in one of two ways, and count what comes in some time."""
        self.counter.is_exact = False
        self._server.tick(rate)
        self.run(0.4)
        first = self._server.count()
        self.run(0.1)  # what has come while that was answered
        self._reset()
        used, own, began = self._server.used(), time.process_time(), time.monotonic()
        self.run(seconds)
        messages, wall = self.counter.messages, time.monotonic() - began
        shares = (self._server.used().share_since(used), (time.process_time() - own) / wall)
        last = self._server.count()
        made = last.ticks - first.ticks
        ticks = made / (last.at - first.at)
        expected = ticks * wall * len(self.subscribers)
        lost = max(0.0, 1 - messages / expected) if expected else 0.0
        a_tick = (last.used - first.used) / made * 1e6
        return Flow(messages / wall, ticks, lost, Delays.of(self.counter.delays), *shares, a_tick)

    def _reset(self) -> None:
        self.counter.messages = self.counter.batches = 0
        self.counter.delays.clear()
