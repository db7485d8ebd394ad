"""What the gateway and a handler's process say to each other: a length, a kind, and bytes."""

from __future__ import annotations

import json
import struct
import threading
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

HEADER = struct.Struct(">IB")
"""Length of the body, kind."""


class Kind(IntEnum):
    """What a frame is; bodies are messages of the service or JSON."""

    # from the gateway
    START = 1
    """JSON, a line break, the request."""
    EVENT = 2
    """A ListenResponse; ticks have FIDs as names."""
    ANSWER = 3
    """A CallResponse, also for LISTEN."""
    REFUSED = 4
    """JSON: status, reason, text."""
    STOP = 5
    """The stream ends; say goodbye."""
    # from the worker
    LISTEN = 16
    """JSON: the names of all events that are wanted from now on."""
    CALL = 17
    """A CallRequest."""
    ENTERED = 18
    """JSON: what confines the process; the handler is ready for events."""
    NEXT = 19
    """A ListenResponse for the client."""
    DONE = 20
    """The oldest event has been handled."""
    FINISH = 21
    """A thread of the handler's wants to stop."""
    END = 22
    """JSON: how it ended, what there is to say about it."""


def pack(kind: Kind, body: bytes = b"") -> bytes:
    """A frame."""
    return HEADER.pack(len(body), kind) + body


def pack_json(kind: Kind, content: Any) -> bytes:
    """A frame with JSON in it."""
    return pack(kind, json.dumps(content).encode())


class Channel:
    """The worker's end. Any thread may send, one thread receives."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        self._lock = threading.Lock()

    def send(self, frame: bytes) -> None:
        """Send a frame; waits while the gateway does not read."""
        with self._lock:
            self._connection.sendall(frame)

    def receive(self) -> tuple[Kind, bytes]:
        """The next frame.

        Raises:
            EOFError: the gateway has gone.
        """
        length, kind = HEADER.unpack(self._exactly(HEADER.size))
        return Kind(kind), self._exactly(length)

    def _exactly(self, size: int) -> bytes:
        read = self._file.read(size)
        if len(read) < size:
            raise EOFError
        return read
