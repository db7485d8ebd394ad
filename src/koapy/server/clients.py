"""What Call keeps for a connection: inputs on their way to a request, and the screens that the client calls by number.

gRPC does not say when a connection ends. What was kept is given back when the connection's last RPC has ended a while
ago, or earlier when its screens are needed by others.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from koapy.control.screens import ScreensExhausted
from koapy.server.failure import exhausted
from koapy.server.machines.condition import REAL_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator

    from koapy.control.screens import Screen
    from koapy.server.core import Core
    from koapy.server.failure import Failure

IDLE_SECONDS = 60.0


def codes_of(holder: Hashable) -> Hashable:
    """Whose a registration is: the client's, whichever of its screens holds it; else that of the holder itself."""
    return registered_by(holder[0]) if isinstance(holder, tuple) else holder


def registered_by(peer: str) -> Hashable:
    """Whose the codes of a client's Calls are."""
    return ("codes", peer)


def searches_of(peer: str) -> Hashable:
    """Whose the condition searches of a client's Calls are."""
    return ("searches", peer)


def waits_for(peer: str, events: Collection[str]) -> Iterator[Hashable]:
    """What a client's stream of these events waits for, of what the client's Calls have registered and searched."""
    if "OnReceiveRealData" in events:
        yield registered_by(peer)
    if "OnReceiveRealCondition" in events:
        yield searches_of(peer)


class Client:
    """One connection's belongings, and one of its RPCs for each block that is open: what it has called for stays."""

    def __init__(self, peer: str, silent: Callable[[Client], None]) -> None:
        self.peer = peer
        self._silent = silent
        self.inputs: list[tuple[str, str]] = []
        """SetInputValue since the last request."""
        self.screens: dict[str, Screen] = {}
        """The screen at the control, by the client's number."""
        self.registered: set[str] = set()
        """The client's screens that hold real-time registrations."""
        self.searches: dict[tuple[str, str, int], int] = {}
        """Condition searches by the client's screen, name and index, and of which type they are."""
        self.streams = 0
        self.since = 0.0
        """Loop time in seconds at which its last RPC ended, while none is open."""
        self.timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self.streams += 1

    def __exit__(self, *_: object) -> None:
        self.streams -= 1
        if not self.streams:
            self._silent(self)

    def holder(self, screen: str) -> tuple[str, str]:
        """Under which name this client's screen holds real-time registrations."""
        return self.peer, screen


class Clients:
    """All connections that have used Call or have a stream open. Belongs to the event loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._clients: dict[str, Client] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._clients)

    def get(self, peer: str) -> Client:
        """The belongings of a connection that has an RPC open, or is about to."""
        client = self._clients.get(peer)
        if client is None:
            client = self._clients[peer] = Client(peer, self._silent)
        return client

    async def screen(self, client: Client, number: str) -> Screen:
        """The control's screen for a client's number, the same one each time."""
        known = client.screens.get(number)
        if known is not None:
            return known
        try:
            screen = self._core.screens.take("Call", number)
        except ScreensExhausted as error:
            await self._evict()
            try:
                screen = self._core.screens.take("Call", number)
            except ScreensExhausted:
                raise exhausted(str(error), "SCREENS") from None
        client.screens[number] = screen
        return screen

    def searches(self) -> list[tuple[Client, tuple[str, str, int]]]:
        """The condition searches that go on until they are stopped, as `Client.searches` has them."""
        return [
            (client, search)
            for client in self._clients.values()
            for search, search_type in client.searches.items()
            if search_type == REAL_TIME and search[0] in client.screens
        ]

    async def give_back(self, client: Client, number: str) -> Failure | None:
        """Free everything that a client's screen holds (DisconnectRealData); give what the control makes of that."""
        screen = client.screens.pop(number, None)
        client.registered.discard(number)
        failure: Failure | None = None
        try:
            await self._core.registrations.remove(client.holder(number))
            for search in [search for search in client.searches if search[0] == number]:
                del client.searches[search]
                if screen is not None:
                    await self._core.functions.settle("SendConditionStop", screen.number, search[1], search[2])
            if screen is not None:
                failure = await self._core.functions.settle("DisconnectRealData", screen.number)
        finally:
            if screen is not None:
                self._core.screens.give_back(screen)
        return failure

    async def leave(self, peer: str) -> None:
        """Give everything of one of them back now."""
        client = self._clients.get(peer)
        if client is not None:
            await self._leave(client)

    async def aclose(self) -> None:
        """Give everything back for all of them."""
        for client in tuple(self._clients.values()):
            await self._leave(client)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def _silent(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        client.since = loop.time()
        # One timer for all the Calls of a minute: it looks at what has become of the client when it is due.
        if client.timer is None:
            client.timer = loop.call_later(IDLE_SECONDS, self._look, client)

    def _look(self, client: Client) -> None:
        client.timer = None
        if client.streams:
            return
        loop = asyncio.get_running_loop()
        due = client.since + IDLE_SECONDS
        if due > loop.time():
            client.timer = loop.call_at(due, self._look, client)
            return
        # Its next RPC, however soon it comes, begins anew.
        if self._clients.get(client.peer) is client:
            del self._clients[client.peer]
        task = asyncio.ensure_future(self._leave(client))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, client: Client) -> None:
        if self._clients.get(client.peer) is client:
            del self._clients[client.peer]
        if client.timer is not None:
            client.timer.cancel()
        for number in {*client.screens, *client.registered}:
            await self.give_back(client, number)

    async def _evict(self) -> None:
        """Part with the connections that have no stream open; the longest silent are no better than the rest."""
        for client in [client for client in self._clients.values() if not client.streams and client.screens]:
            await self._leave(client)
