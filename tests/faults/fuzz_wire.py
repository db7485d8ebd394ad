"""HTTP/2 by hand, as little of it as a fuzzer needs: any bytes as a request, and what came back, many at once, cheaply.

A gRPC library would not send most of what a hostile client can. Header compression is told to the server to be off
(a dynamic table of size 0), so what it sends can be read without state.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x1, 0x4, 0x8, 0x20
CANCEL = 8
WINDOW = 65_535
LARGEST_FRAME = 16_384

STATIC = {8: (b":status", b"200"), 13: (b":status", b"404"), 14: (b":status", b"500"), 12: (b":status", b"400")}
STATIC_NAMES = {8: b":status", 31: b"content-type", 28: b"content-length", 54: b"server", 33: b"date"}

Headers = list[tuple[bytes, bytes]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def message(body: bytes, compressed: int = 0) -> bytes:
    """A gRPC message with its length in front."""
    return struct.pack(">BI", compressed, len(body)) + body


def _length(value: int) -> bytes:
    """The length of a string: 7 bits, then 7 bits a byte."""
    if value < 127:
        return bytes((value,))
    out, value = bytearray((127,)), value - 127
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)


def header(name: bytes, value: bytes) -> bytes:
    """One header field, literal and never indexed."""
    return b"\x00" + _length(len(name)) + name + _length(len(value)) + value


def start(path: bytes, more: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """The header block of a request."""
    return b"".join(
        (
            b"\x83\x86\x04",  # POST, http, and the path
            _length(len(path)),
            path,
            b"\x01\x09localhost\x0f\x10\x10application/grpc",
            b"\x00\x02te\x08trailers",
            *(header(*each) for each in more),
        )
    )


class Unreadable(Exception):
    """The server sent what this reader does not know."""


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    most = (1 << bits) - 1
    value, at = block[at] & most, at + 1
    if value < most:
        return value, at
    shift = 0
    while True:
        value += (block[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not block[at - 1] & 0x80:
            return value, at


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    packed = block[at] & 0x80
    length, at = _integer(block, at, 7)
    text = block[at : at + length]
    return (b"<huffman>" if packed else text), at + length


def fields(block: bytes) -> Headers:
    """The fields of a header block; compressed strings, in which nothing that matters is sent, stay unread."""
    found: Headers = []
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _integer(block, at, 7)
            found.append(STATIC.get(index, (b"?", b"?")))
            continue
        if first & 0xE0 == 0x20:  # a new size of the table
            _, at = _integer(block, at, 5)
            continue
        index, at = _integer(block, at, 6 if first & 0x40 else 4)
        if index:
            name = STATIC_NAMES.get(index, b"?%d" % index)
        else:
            name, at = _string(block, at)
        value, at = _string(block, at)
        found.append((name, value))
    return found


@dataclass(slots=True, eq=False)
class Exchange:
    """A request on its way and what came of it."""

    stream: int
    done: Callable[[Exchange], object]
    since: float
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    reset: int | None = None
    """The code of the server's RST_STREAM, or -1 when the connection ended."""
    cancelled: bool = False
    finished: bool = False
    took: float = 0.0
    context: object = None
    """Whatever belongs to it."""

    @property
    def status(self) -> int | None:
        """The gRPC status, where there was one."""
        text = self.headers.get(b"grpc-status")
        return int(text) if text is not None and text.isdigit() else None

    @property
    def text(self) -> str:
        """The status text, percent-encoded."""
        return self.headers.get(b"grpc-message", b"").decode("latin-1")


class Connection(asyncio.Protocol):
    """One connection with many requests in flight."""

    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        """Done when the connection has ended; its result says how."""
        self.open: dict[int, Exchange] = {}
        self.goaway: str | None = None
        self._loop = asyncio.get_running_loop()
        self._stream = -1
        self._buffer = bytearray()
        self._block: tuple[int, int, bytearray] | None = None
        self._room = WINDOW
        self._stream_room = WINDOW
        self._held: deque[tuple[int, bytes, int]] = deque()
        self._owed = 0

    @classmethod
    async def to(cls, host: str, port: int) -> Connection:
        """Connect."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet: no table for compressed headers, large windows."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        settings = struct.pack(">HIHIHI", 1, 0, 2, 0, 4, 2**20)
        transport.write(
            PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**30))
        )

    def connection_lost(self, error: Exception | None) -> None:
        """Everything that is open has ended."""
        for exchange in tuple(self.open.values()):
            exchange.reset = -1
            self._finish(exchange)
        if not self.closed.done():
            self.closed.set_result(self.goaway or repr(error))

    def request(
        self, block: bytes, body: bytes, done: Callable[[Exchange], object], *, half_close: bool = True
    ) -> Exchange:
        """Send a request; `done` is called with its exchange once it has ended."""
        self._stream += 2
        exchange = Exchange(self._stream, done, self._loop.time())
        self.open[self._stream] = exchange
        first, rest = block[:LARGEST_FRAME], block[LARGEST_FRAME:]
        out = [frame(HEADERS, 0 if rest else END_HEADERS, self._stream, first)]
        while rest:
            first, rest = rest[:LARGEST_FRAME], rest[LARGEST_FRAME:]
            out.append(frame(CONTINUATION, 0 if rest else END_HEADERS, self._stream, first))
        self.transport.write(b"".join(out))
        self.data(exchange, body, half_close=half_close)
        return exchange

    def data(self, exchange: Exchange, body: bytes, *, half_close: bool) -> None:
        """More of a request's body; what does not fit the server's windows waits."""
        pieces = [body[at : at + LARGEST_FRAME] for at in range(0, len(body), LARGEST_FRAME)] or [b""]
        for piece in pieces:
            last = half_close and piece is pieces[-1]
            if piece or last:
                self._held.append((exchange.stream, piece, END_STREAM if last else 0))
        self._send()

    def cancel(self, exchange: Exchange) -> None:
        """The client wants no more of it."""
        if not exchange.finished:
            exchange.cancelled = True
            self.transport.write(frame(RST_STREAM, 0, exchange.stream, struct.pack(">I", CANCEL)))
            self._finish(exchange)

    def close(self) -> None:
        """Hang up."""
        self.transport.abort()

    def _send(self) -> None:
        out = []
        while self._held and len(self._held[0][1]) <= self._room:
            stream, piece, flags = self._held.popleft()
            if stream in self.open:
                self._room -= len(piece)
                out.append(frame(DATA, flags, stream, piece))
        if out:
            self.transport.write(b"".join(out))

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        while end - at >= 9:
            length = (buffer[at] << 16) | (buffer[at + 1] << 8) | buffer[at + 2]
            if end - at < 9 + length:
                break
            kind, flags = buffer[at + 3], buffer[at + 4]
            stream = int.from_bytes(buffer[at + 5 : at + 9], "big") & 0x7FFFFFFF
            self._frame(kind, flags, stream, bytes(buffer[at + 9 : at + 9 + length]))
            at += 9 + length
        del buffer[:at]
        if self._owed > 2**20:
            self.transport.write(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._owed)))
            self._owed = 0

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == DATA:
            self._owed += len(payload)
            exchange = self.open.get(stream)
            if exchange is not None:
                if len(exchange.body) < 2**16:
                    exchange.body += payload
                if payload and not flags & END_STREAM:
                    update = struct.pack(">I", len(payload))
                    self.transport.write(frame(WINDOW_UPDATE, 0, stream, update))
                self._over(stream, flags)
        elif kind == HEADERS:
            cut = payload[0] if flags & PADDED else 0
            skip = (1 if flags & PADDED else 0) + (5 if flags & PRIORITIZED else 0)
            self._block = (stream, flags, bytearray(payload[skip : len(payload) - cut]))
            self._headers(flags)
        elif kind == CONTINUATION and self._block is not None:
            self._block[2].extend(payload)
            self._headers(flags)
        elif kind == RST_STREAM:
            exchange = self.open.get(stream)
            if exchange is not None:
                exchange.reset = struct.unpack(">I", payload)[0]
                self._finish(exchange)
        elif kind == SETTINGS and not flags & ACK:
            self.transport.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.transport.write(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream == 0:
            self._room += struct.unpack(">I", payload)[0]
            self._send()
        elif kind == GOAWAY:
            self.goaway = f"GOAWAY {struct.unpack('>I', payload[4:8])[0]} {payload[8:].decode('latin-1')}"

    def _headers(self, flags: int) -> None:
        if not flags & END_HEADERS or self._block is None:
            return
        (stream, begun, block), self._block = self._block, None
        exchange = self.open.get(stream)
        if exchange is not None:
            exchange.headers.update(fields(bytes(block)))
            self._over(stream, begun)

    def _over(self, stream: int, flags: int) -> None:
        if flags & END_STREAM:
            self._finish(self.open[stream])

    def _finish(self, exchange: Exchange) -> None:
        if not exchange.finished:
            exchange.finished = True
            exchange.took = self._loop.time() - exchange.since
            self.open.pop(exchange.stream, None)
            exchange.done(exchange)


def messages(body: bytes) -> list[bytes]:
    """The messages of a response body, as far as they are whole."""
    found, at = [], 0
    while len(body) - at >= 5:
        length = struct.unpack(">I", body[at + 1 : at + 5])[0]
        if len(body) - at < 5 + length:
            break
        found.append(bytes(body[at + 5 : at + 5 + length]))
        at += 5 + length
    return found
