"""Connections that do not speak HTTP/2, or only as far as it hurts."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, Any

import fuzz_wire as wire

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable


class Garbage:
    """Makes them, a few at a time, each for a bounded time."""

    def __init__(self, host: str, port: int, chance: random.Random) -> None:
        self._address = host, port
        self._random = chance
        self.connections = 0
        self._kinds: tuple[Callable[[Any, Any], Awaitable[None]], ...] = (
            self._noise, self._frames, self._half_open, self._huge_headers, self._slow, self._settings, self._resets,
            self._no_window, self._http1, self._lies,
        )  # fmt: skip

    async def run(self, lanes: int = 3) -> None:
        """Go on until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(self._lane())

    async def once(self) -> None:
        """One connection of each kind, all at once."""
        await asyncio.gather(*(self._connect(kind) for kind in self._kinds))

    async def _lane(self) -> None:
        while True:
            await self._connect(self._random.choice(self._kinds))

    async def _connect(self, kind: Callable[[Any, Any], Awaitable[None]]) -> None:
        reader, writer = await asyncio.open_connection(*self._address)
        self.connections += 1
        try:
            async with asyncio.timeout(2.0):
                await kind(reader, writer)
                await writer.drain()
                await reader.read(2**16)
        except (OSError, TimeoutError):
            pass
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _noise(self, _: Any, writer: Any) -> None:
        writer.write(self._random.randbytes(self._random.randrange(1, 4000)))

    async def _frames(self, _: Any, writer: Any) -> None:
        chance = self._random
        out = [wire.PREFACE, wire.frame(wire.SETTINGS, 0, 0)]
        for _ in range(30):
            payload = chance.randbytes(chance.choice((0, 1, 4, 5, 6, 8, 40)))
            stream = chance.choice((0, 1, 2, 3, 2**31))
            out.append(wire.frame(chance.randrange(12), chance.randrange(256), stream, payload))
        writer.write(b"".join(out))

    async def _half_open(self, reader: Any, writer: Any) -> None:
        writer.write(self._random.choice((b"", wire.PREFACE[:10], wire.PREFACE, wire.PREFACE + b"\0\0")))
        await writer.drain()
        if self._random.random() < 0.5:
            writer.write_eof()
        await reader.read()

    async def _huge_headers(self, _: Any, writer: Any) -> None:
        block = b"".join(wire.header(b"x%d" % n, b"y" * 4000) for n in range(200))
        out = [wire.PREFACE, wire.frame(wire.SETTINGS, 0, 0), wire.frame(wire.HEADERS, 0, 1, block[:16_000])]
        rest = range(16_000, len(block), 16_000)
        out += [wire.frame(wire.CONTINUATION, 0, 1, block[at : at + 16_000]) for at in rest]
        writer.write(b"".join(out))

    async def _slow(self, _: Any, writer: Any) -> None:
        """A request a byte at a time, and never its end."""
        block = wire.start(b"/koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService/Call")
        whole = wire.frame(wire.SETTINGS, 0, 0) + wire.frame(wire.HEADERS, 4, 1, block) + b"\0\0\x40\0\0\0\0\0\x01\0\0"
        writer.write(wire.PREFACE)
        for at in range(len(whole)):
            writer.write(whole[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0.005)

    async def _settings(self, _: Any, writer: Any) -> None:
        """A flood of what has to be acknowledged."""
        out = [wire.PREFACE, wire.frame(wire.SETTINGS, 0, 0)]
        for _ in range(400):
            out.append(wire.frame(wire.SETTINGS, 0, 0, struct.pack(">HI", 4, self._random.randrange(2**31))))
            out.append(wire.frame(wire.PING, 0, 0, b"12345678"))
        writer.write(b"".join(out))

    async def _resets(self, _: Any, writer: Any) -> None:
        """Streams that are opened to be reset."""
        block = wire.start(b"/koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService/OrderListen")
        out = [wire.PREFACE, wire.frame(wire.SETTINGS, 0, 0)]
        for stream in range(1, 401, 2):
            out.append(wire.frame(wire.HEADERS, 4, stream, block) + wire.frame(wire.DATA, 1, stream, b"\0" * 5))
            out.append(wire.frame(wire.RST_STREAM, 0, stream, struct.pack(">I", 8)))
        writer.write(b"".join(out))

    async def _no_window(self, reader: Any, writer: Any) -> None:
        """A client that lets nothing be sent to it, on every stream that tells something at once."""
        settings = struct.pack(">HI", 4, 0)
        writer.write(wire.PREFACE + wire.frame(wire.SETTINGS, 0, 0, settings))
        paths = (
            b"/grpc.health.v1.Health/Watch",
            b"/koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService/LoginCall",
        )
        for number, path in enumerate(paths):
            stream = 2 * number + 1
            writer.write(wire.frame(wire.HEADERS, 4, stream, wire.start(path)))
            writer.write(wire.frame(wire.DATA, 1, stream, b"\0" * 5))
        await writer.drain()
        await asyncio.sleep(1.0)

    async def _http1(self, _: Any, writer: Any) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 500 + b"\r\n")

    async def _lies(self, _: Any, writer: Any) -> None:
        """Lengths and paddings that are not true, windows that overflow, a table that does not exist."""
        chance = self._random
        writer.write(wire.PREFACE + wire.frame(wire.SETTINGS, 0, 0))
        choices = (
            b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",
            wire.frame(wire.HEADERS, 4 | 8, 1, b"\xff\x00"),
            wire.frame(wire.WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1)) * 2,
            wire.frame(wire.WINDOW_UPDATE, 0, 0, b"\0\0\0\0"),
            wire.frame(wire.HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\x7f"),
            wire.frame(wire.HEADERS, 5, 1, b"\x3f\xff\xff\xff\xff\xff\x7f"),
            wire.frame(wire.CONTINUATION, 4, 1, b"\x83"),
            wire.frame(wire.DATA, 0, 5, b"x"),
            wire.frame(wire.PUSH, 4, 1, b"\0\0\0\x02\x83"),
            wire.frame(wire.GOAWAY, 0, 0, b"\0" * 8),
            wire.frame(wire.SETTINGS, 0, 0, b"\0" * 5),
            wire.frame(wire.HEADERS, 5, 2, wire.start(b"/x")),
        )
        writer.write(chance.choice(choices))
