"""Request names (sRQName) that are unique at the control, and the way back to what the client sent.

Two clients may use the same name on the same screen at once, and an answer may come after its request has been given
up; a serial number in the name the control sees tells them apart.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from itertools import count
from typing import NamedTuple

from koapy.server.failure import invalid

LONGEST = 80
"""Bytes of CP949 that OpenAPI+ keeps of a request name."""
LONGEST_OF_CLIENTS = 1000
"""Characters of a client's own name for a request: they are kept for its answer."""

REMEMBERED = 4096
NOBODY = ""
"""Owns what an earlier process asked."""
SERIAL_BYTES = 5


class Origin(NamedTuple):
    """What the client called its request."""

    owner: str
    screen: str
    request: str


class RequestNames:
    """Issues names on the event loop; `origin` may be asked from the control's thread."""

    def __init__(self) -> None:
        # Somewhere at random: names are unique in the journal too, which outlives the process.
        self._serial = count(int.from_bytes(os.urandom(SERIAL_BYTES)))
        self._origins: OrderedDict[str, Origin] = OrderedDict()
        self._orders: OrderedDict[str, str] = OrderedDict()

    def issue(self, owner: str, screen: str, request: str) -> str:
        """A name for one request of `owner`; late answers are recognised for the last few thousand requests.

        Raises:
            Failure: the client's name, or screen, is longer than anybody's is.
        """
        if max(len(request), len(screen)) > LONGEST_OF_CLIENTS:
            text = f"a request name or screen of {max(len(request), len(screen)):,} characters"
            raise invalid(f"{text}; at most {LONGEST_OF_CLIENTS:,}, of which OpenAPI+ keeps {LONGEST} bytes")
        tail = f"~{next(self._serial):x}"
        room = LONGEST - len(tail)
        if request.isascii():
            name = request[:room] + tail
        else:
            name = request.encode("cp949", "replace")[:room].decode("cp949", "ignore") + tail
        self._origins[name] = Origin(owner, screen, request)
        if len(self._origins) > REMEMBERED:
            self._origins.popitem(last=False)
        return name

    def recall(self, name: str, screen: str, request: str) -> None:
        """A name that an earlier process has issued; nobody who is here owns what it asked."""
        self._origins[name] = Origin(NOBODY, screen, request)

    def ordered(self, number: str, screen: str) -> None:
        """The order of this number was sent by a client that calls its screen so. Runs on the control's thread."""
        self._orders[number] = screen
        if len(self._orders) > REMEMBERED:
            self._orders.popitem(last=False)

    def order_screen(self, number: str) -> str | None:
        """The client's screen of an order sent through the gateway."""
        return self._orders.get(number)

    def origin(self, name: str) -> Origin | None:
        """Who sent the request of this name; None when it was not sent through the gateway."""
        return self._origins.get(name)
