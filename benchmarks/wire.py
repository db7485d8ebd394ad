"""An HTTP/2 client that does as little as gRPC allows, so that a server, and not its client, is what is measured.

It keeps to what a gRPC server sends: no padding, whole messages, and an end that is read only as far as "it ended". How
much of a core it has used stands beside each figure of a fan-out.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
WIDEST = 2**31 - 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 4, 5
STATIC_NAMES = {":authority": 1, ":method": 2, ":path": 4, ":scheme": 6}
STATIC_FIELDS = 61
REPLENISH = 2**28
CHUNK = 2**19


class Stream(Protocol):
    """Who takes what comes on one stream."""

    def message(self, body: bytes, now: int) -> None:
        """One message; `now` in microseconds of the monotonic clock."""
        ...

    def ended(self, now: int) -> None:
        """The stream is over, whatever its status."""
        ...


class WireError(Exception):
    """The server has not kept to what this client understands, or has gone."""


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One HTTP/2 frame."""
    return b"%b%b%b" % (len(payload).to_bytes(3), bytes((kind, flags)), stream.to_bytes(4) + payload)


def grpc_message(body: bytes) -> bytes:
    """One uncompressed gRPC message."""
    return b"\0" + len(body).to_bytes(4) + body


@dataclass(slots=True)
class _Headers:
    """Requests' headers: a field goes out in full once, then as its number in the connection's table."""

    authority: str
    _known: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, path: str) -> bytes:
        fields = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": self.authority,
            "content-type": "application/grpc",
            "te": "trailers",
        }
        return b"".join(self._field(*each) for each in fields.items())

    def _field(self, name: str, value: str) -> bytes:
        at = self._known.get((name, value))
        if at is not None:
            return bytes((0x80 | (STATIC_FIELDS + len(self._known) - at),))
        self._known[name, value] = len(self._known)
        static = STATIC_NAMES.get(name, 0)
        return bytes((0x40 | static,)) + (b"" if static else _text(name)) + _text(value)


def _text(value: str) -> bytes:
    raw = value.encode()
    if len(raw) > 126:
        raise ValueError("longer than one byte can tell")
    return bytes((len(raw),)) + raw


class Connection:
    """One connection and its streams."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = 0
        """Bytes."""
        self._headers = _Headers(address)
        self._streams: dict[int, Stream] = {}
        self._pieces: dict[int, bytes] = {}
        self._next = 1
        self._unread = b""
        self._unsent = bytearray()
        self._room = 65_535
        self._replenished = 0
        settings = b"".join(
            key.to_bytes(2) + value.to_bytes(4)
            for key, value in ((INITIAL_WINDOW_SIZE, WIDEST), (MAX_FRAME_SIZE, 2**24 - 1))
        )
        window = (WIDEST - 65_535).to_bytes(4)
        self._unsent += PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW, 0, 0, window)

    def open(self, path: str, body: bytes, stream: Stream, *, last: bool = True) -> int:
        """Begin an RPC with one message; `last`: no other follows."""
        number, self._next = self._next, self._next + 2
        self._streams[number] = stream
        self._unsent += frame(HEADERS, END_HEADERS, number, self._headers.of(path))
        self.send(number, body, last=last)
        return number

    def send(self, number: int, body: bytes, *, last: bool = False) -> None:
        """Send a message on a stream that is open."""
        payload = grpc_message(body)
        self._room -= len(payload)
        if self._room < 0:
            raise WireError("more was sent than the server has taken")
        self._unsent += frame(DATA, END_STREAM if last else 0, number, payload)

    def flush(self) -> None:
        """Give the system what is to be sent, as far as it takes it."""
        if self._unsent:
            with contextlib.suppress(BlockingIOError):
                del self._unsent[: self.socket.send(self._unsent)]

    def read(self) -> None:
        """Take what has come, and tell the streams."""
        try:
            data = self.socket.recv(CHUNK)
        except BlockingIOError:
            return
        if not data:
            raise WireError("the server has closed the connection")
        self.received += len(data)
        self._take(self._unread + data if self._unread else data, time.monotonic_ns() // 1000)
        if self.received - self._replenished > REPLENISH:
            self._unsent += frame(WINDOW, 0, 0, (self.received - self._replenished).to_bytes(4))
            self._replenished = self.received

    def _take(self, data: bytes, now: int) -> None:
        at, end = 0, len(data)
        streams, pieces = self._streams, self._pieces
        while at + 9 <= end:
            stop = at + 9 + (data[at] << 16 | data[at + 1] << 8 | data[at + 2])
            if stop > end:
                break
            kind, flags = data[at + 3], data[at + 4]
            number = int.from_bytes(data[at + 5 : at + 9])
            if kind == DATA:
                stream = streams.get(number)
                if stream is not None:
                    whole = stop - at - 14
                    if number not in pieces and int.from_bytes(data[at + 10 : at + 14]) == whole >= 0:
                        stream.message(data[at + 14 : stop], now)
                    else:
                        self._join(number, stream, data[at + 9 : stop], now)
            elif kind != HEADERS:
                self._control(kind, flags, number, data[at + 9 : stop], now)
            if flags & END_STREAM and kind in (DATA, HEADERS):
                self._end(number, now)
            at = stop
        self._unread = data[at:]

    def _join(self, number: int, stream: Stream, piece: bytes, now: int) -> None:
        """A frame that is not exactly one message."""
        piece = self._pieces.pop(number, b"") + piece
        at = 0
        while at + 5 <= len(piece):
            stop = at + 5 + int.from_bytes(piece[at + 1 : at + 5])
            if stop > len(piece):
                break
            stream.message(piece[at + 5 : stop], now)
            at = stop
        if at < len(piece):
            self._pieces[number] = piece[at:]

    def _control(self, kind: int, flags: int, number: int, payload: bytes, now: int) -> None:
        if kind == PING and not flags & ACK:
            self._unsent += frame(PING, ACK, 0, payload)
        elif kind == SETTINGS and not flags & ACK:
            self._unsent += frame(SETTINGS, ACK, 0, b"")
        elif kind == WINDOW and number == 0:
            self._room += int.from_bytes(payload)
        elif kind == RESET:
            self._end(number, now)
        elif kind == GOAWAY:
            raise WireError(f"the server ends the connection: {payload[8:].decode(errors='replace')}")

    def _end(self, number: int, now: int) -> None:
        stream = self._streams.pop(number, None)
        self._pieces.pop(number, None)
        if stream is not None:
            stream.ended(now)


class Wire:
    """Some connections to one server, in one loop."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._selector = selectors.DefaultSelector()
        self.connections: list[Connection] = []

    def connect(self, count: int) -> list[Connection]:
        """So many connections more."""
        new = [Connection(self._address) for _ in range(count)]
        for each in new:
            self._selector.register(each.socket, selectors.EVENT_READ, each)
        self.connections += new
        return new

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Read and send for so long, or until something is so; whether it is."""
        deadline = time.monotonic() + seconds
        active: list[Connection] = []
        while True:
            # Where nothing has come, what the system did not take before may go now.
            for connection in active or self.connections:
                connection.flush()
            if until is not None and until():
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            active = [key.data for key, _ in self._selector.select(min(left, 0.02))]
            for connection in active:
                connection.read()

    def close(self) -> None:
        """End all connections, and so all streams."""
        for connection in self.connections:
            connection.socket.close()
        self._selector.close()
