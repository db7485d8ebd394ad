"""OpenAPI+'s 200 screens (화면번호), lent out for the life of a request and given back always.

The screen that was given back longest ago is lent first: OpenAPI+ wants a screen not to be reused at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Self

from koapy.openapi.limit import SCREENS


class ScreensExhausted(Exception):
    """All screens are lent out."""

    def __init__(self, holders: Counter[str]) -> None:
        held = ", ".join(f"{count} by {what}" for what, count in holders.most_common(5))
        super().__init__(f"all {SCREENS} screens are in use: {held}; end one of these streams or retry later")


class Screen:
    """A screen that is lent out, until it is given back or the block of a `with` statement ends."""

    __slots__ = ("_pool", "client", "number", "owner")

    def __init__(self, number: str, owner: str, client: str, pool: Screens) -> None:
        self.number = number
        self.owner = owner
        """To whom it is lent and for what."""
        self.client = client
        """The number that the client uses."""
        self._pool = pool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.give_back(self)


class Screens:
    """The pool. Belongs to the event loop."""

    def __init__(self) -> None:
        self._free = deque(f"{number:04d}" for number in range(1001, 1001 + SCREENS))
        self._lent: dict[str, Screen] = {}
        self._waiting: deque[asyncio.Future[str]] = deque()

    @property
    def in_use(self) -> int:
        """How many screens are lent out."""
        return len(self._lent)

    def client_number(self, number: str) -> str:
        """The number under which the client knows this screen; the number itself when it is nobody's."""
        screen = self._lent.get(number)
        return screen.client if screen is not None and screen.client else number

    def take(self, owner: str, client: str = "") -> Screen:
        """A screen at once, for as long as a stream lives.

        Raises:
            ScreensExhausted: says who holds how many.
        """
        if not self._free:
            raise ScreensExhausted(self._holders())
        return self._lend(owner, client)

    def take_free(self, owner: str, client: str = "") -> Screen | None:
        """A screen for a short request, where there is one and nobody waits for it."""
        return self._lend(owner, client) if self._free and not self._waiting else None

    async def wait(self, owner: str, client: str = "") -> Screen:
        """A screen for a short request, first come first served. Cancelling gives the place in the queue back."""
        screen = self.take_free(owner, client)
        if screen is not None:
            return screen
        place: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            number = await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._hand_on(place.result())
            raise
        return self._lend(owner, client, number)

    def give_back(self, screen: Screen) -> None:
        """Take back what was lent; a second time does nothing."""
        if self._lent.get(screen.number) is screen:
            del self._lent[screen.number]
            self._hand_on(screen.number)

    def _lend(self, owner: str, client: str, number: str | None = None) -> Screen:
        screen = Screen(number or self._free.popleft(), owner, client, self)
        self._lent[screen.number] = screen
        return screen

    def _hand_on(self, number: str) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(number)
                return
        self._free.append(number)

    def _holders(self) -> Counter[str]:
        return Counter(screen.owner for screen in self._lent.values())
