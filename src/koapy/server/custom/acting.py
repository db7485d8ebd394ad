"""A handler as a caller: its client's rights, and belongings of its own."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from koapy.server.edge import Caller

if TYPE_CHECKING:
    from koapy.server.failure import Failure

_serial = count(1)


class Acting(Caller):
    """Calls on behalf of the client whose handler it is.

    What Call keeps for a connection (inputs on their way, screens, registrations) it keeps for the handler alone, so
    that two handlers of one connection do not mix them, and so that all of it is given back with the handler.
    """

    def __init__(self, behind: Caller) -> None:
        self.principal = behind.principal
        self.client = f"{behind.client} handler {next(_serial)}"
        self._behind = behind

    @property
    def deadline(self) -> float | None:
        """The client's, as the stream's is."""
        return self._behind.deadline

    async def write(self, message: object, /) -> None:
        """Nothing of a call is written but its answer, which goes to the handler."""

    def announce(self, key: str, text: str) -> None:
        """Nobody to tell: the stream has begun."""

    async def open(self) -> None:
        """The stream has been opened."""

    async def will_wait(self, limit: str, seconds: float) -> None:
        """The handler waits without being told."""

    def metadata(self, key: str) -> str | None:
        """None: what came with the stream is not meant for each of its calls."""
        return None

    def tell(self, key: str, text: str) -> None:
        """Nobody to tell."""

    async def fail(self, failure: Failure) -> None:
        """The session tells the handler."""

    @property
    def gone(self) -> bool:
        """Whether the client is no longer there."""
        return self._behind.gone
