"""Events inside which a client reads: the slot waits for the client, and the client's Calls run in it.

This is the one place where the control's thread waits for a client, so every wait ends: with the acknowledgement, the
end of the stream, or the deadline. All clients that listen for an event are let into it together.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import grpc

from koapy.control.jobs import Visit
from koapy.server.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from koapy.server.events import Event
    from koapy.server.inbox import Inbox

EVENT_SECONDS = 5.0


class Room(Visit):
    """An event that clients are let into, and how they call the request behind it."""

    __slots__ = ("clients", "event", "request", "until")

    def __init__(self, gates: Sequence[Gate], event: Event, request: str) -> None:
        super().__init__(len(gates))
        self.clients = {gate.client for gate in gates}
        self.event = event
        self.request = request
        """The request's name at the control; "" for an event that is no answer."""
        # The gates' own timers end the wait; the second more is for a loop that is late.
        self.until = time.monotonic() + max([gate.seconds for gate in gates]) + 1.0
        """Until when it is open at most, in seconds of the monotonic clock."""


class Gate:
    """One stream's door into events. Belongs to the event loop."""

    def __init__(self, client: str, events: frozenset[str], inbox: Inbox, seconds: float = EVENT_SECONDS) -> None:
        self.client = client
        self.events = events
        self.seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._inbox = inbox
        self._visit: Visit | None = None
        self._offered = ""
        """The event that waits for its acknowledgement."""
        self._due = 0.0
        """Loop time in seconds until which it waits."""
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def offer(self, event: Event, visit: Visit | None) -> None:
        """Send the event to the client; with a visit, the control waits for `acknowledge`."""
        if self._is_closed:  # its stream has ended between the event and now
            if visit is not None:
                visit.release()
            return
        if visit is not None:
            self._visit, self._offered = visit, event.name
            self._due = self._loop.time() + self.seconds
            # One timer for all the events of some seconds: it looks at what waits when it is due.
            if self._timer is None:
                self._timer = self._loop.call_at(self._due, self._look)
        self._inbox.put(event)

    def acknowledge(self) -> None:
        """The client is through with the event that it was sent; without one, nothing happens."""
        if self._visit is not None:
            self._visit.release()
            self._visit = None

    def close(self) -> None:
        """The stream has ended, and with it all waiting for its client."""
        self._is_closed = True
        self.acknowledge()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._visit is None:
            return
        if self._due > self._loop.time():
            self._timer = self._loop.call_at(self._due, self._look)
            return
        text = (
            f"{self._offered} was not acknowledged by handled_request within {self.seconds:g} s; "
            "the control has gone on without"
        )
        self._inbox.fail(Failure(grpc.StatusCode.DEADLINE_EXCEEDED, text, reason="EVENT_NOT_HANDLED"))
        self.acknowledge()


class Gates:
    """All doors, by event. Doors are added and removed on the loop; `hold` runs on the control's thread."""

    def __init__(self) -> None:
        self._gates: dict[str, tuple[Gate, ...]] = {}
        self._room: Room | None = None
        """The one that clients are in now: an event that is nested in another has none."""

    @property
    def holding(self) -> bool:
        """Whether the control's thread is waiting for clients, within the time that they have."""
        room = self._room  # the control's thread may be leaving it
        return room is not None and time.monotonic() < room.until

    @property
    def count(self) -> int:
        """How many streams listen in both directions."""
        return len({gate for gates in self._gates.values() for gate in gates})

    def add(self, gate: Gate) -> None:
        """Let the gate's client into its events from now on."""
        for name in gate.events:
            self._gates[name] = (*self._gates.get(name, ()), gate)

    def remove(self, gate: Gate) -> None:
        """Let it into none any more, and out of the one it may be in."""
        for name in gate.events:
            rest = tuple(each for each in self._gates.get(name, ()) if each is not gate)
            if rest:
                self._gates[name] = rest
            else:
                self._gates.pop(name, None)
        gate.close()

    def want(self, event: str) -> bool:
        """Whether anybody listens for this event in both directions."""
        return event in self._gates

    def room(self, client: str) -> Room | None:
        """The event that this client is in now."""
        room = self._room
        return room if room is not None and client in room.clients else None

    def hold(self, event: Event, owner: str | None, request: str, *, wait: bool, post: Callable[..., object]) -> None:
        """Send the event to those who want it, by `post`, and wait until all are through. Runs in the slot.

        The answer to a client's own request (`owner`) is that client's alone. An event that is nested in another one
        waits for nobody, because those who should acknowledge it may be what the outer one waits for.
        """
        gates = self._gates.get(event.name, ())
        if owner is not None:
            gates = tuple(gate for gate in gates if gate.client == owner)
        if not gates:
            return
        if not wait:
            for gate in gates:
                post(gate.offer, event, None)
            return
        self._room = room = Room(gates, event, request)
        try:
            for gate in gates:
                post(gate.offer, event, room)
            room.hold(room.until)
        finally:
            self._room = None
