"""A network between a server and a client that can be cut without a word, slowed down, and mended."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from fault_host import Host

CLIENT, SERVER = "10.77.0.1", "10.77.0.2"


class Unavailable(Exception):
    """This kind of network cannot be had here; the text says why."""


class Link:
    """A network; an asynchronous context manager.

    `server` and `client` stand in front of the commands of the two sides; `bind` is where the server listens.
    """

    server: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    bind = "127.0.0.1"

    async def join(self, host: Host) -> str:
        """Lay the cable to the server that runs; gives the address for clients."""
        raise NotImplementedError

    async def cut(self) -> None:
        """From now on nothing arrives, in either direction, and nobody is told."""
        raise NotImplementedError

    async def slow(self) -> None:
        """Make everything late, and let some of it be lost."""
        raise NotImplementedError

    async def mend(self) -> None:
        """All is well again."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it away."""


class Namespaces(Link):
    """Two network namespaces of the test's own and a cable between them."""

    server = ("unshare", "-n")
    bind = "0.0.0.0"  # of a namespace in which there is nobody else

    async def __aenter__(self) -> Self:
        missing = [tool for tool in ("unshare", "nsenter", "ip", "tc") if shutil.which(tool) is None]
        if missing:
            raise Unavailable(f"there is no {', '.join(missing)}")
        pipe = asyncio.subprocess.PIPE
        command = ("unshare", "-n", "sh", "-c", "ip link set lo up && echo && exec sleep 600")
        self._holder = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        assert self._holder.stdout
        assert self._holder.stderr
        if not await self._holder.stdout.readline():
            raise Unavailable(f"no network namespace may be made here: {await self._holder.stderr.read()!r}")
        self.client = self._in(self._holder.pid)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.kill()
        await self._holder.wait()

    async def join(self, host: Host) -> str:
        self._sides = (self._in(self._holder.pid), "va"), (self._in(host.pid), "vb")
        try:
            await run(
                *self.client, "ip", "link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", str(host.pid)
            )
        except OSError as error:
            raise Unavailable(f"no cable between two namespaces: {error}") from None
        for (side, name), address in zip(self._sides, (CLIENT, SERVER), strict=True):
            await run(*side, "ip", "address", "add", f"{address}/24", "dev", name)
            await run(*side, "ip", "link", "set", name, "up")
        return f"{SERVER}:{host.address.rpartition(':')[2]}"

    async def cut(self) -> None:
        await self._queue("pfifo", "limit", "0")  # a queue in which nothing has room

    async def slow(self) -> None:
        try:
            await self._queue("netem", "delay", "40ms", "15ms", "loss", "5%")
        except OSError:  # a kernel without it: so little room at so low a rate that packets wait, and some are lost
            await self._queue("tbf", "rate", "400kbit", "burst", "3000", "limit", "6000")

    async def mend(self) -> None:
        for side, name in self._sides:
            with contextlib.suppress(OSError):  # there was nothing to take away
                await run(*side, "tc", "qdisc", "del", "dev", name, "root")

    async def _queue(self, *words: str) -> None:
        for side, name in self._sides:
            await run(*side, "tc", "qdisc", "replace", "dev", name, "root", *words)

    @staticmethod
    def _in(pid: int) -> tuple[str, ...]:
        return ("nsenter", "-t", str(pid), "-n")


async def run(*command: str) -> None:
    """Run a command. Raises: OSError, with what it said."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise OSError(said.decode("utf-8", "replace").strip())


class Proxy(Link):
    """A process in the middle, for where no namespaces may be made: both sides have a connection that still stands."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._late = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, host: Host) -> str:
        self._to = host.address.rpartition(":")[::2]
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        name, port = self._listening.sockets[0].getsockname()
        return f"{name}:{port}"

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def cut(self) -> None:
        self._open.clear()

    async def slow(self) -> None:
        self._late = 0.03

    async def mend(self) -> None:
        self._late = 0.0
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        await self._open.wait()  # nobody answers while it is cut
        there, back = await asyncio.open_connection(self._to[0], int(self._to[1]))
        try:
            await asyncio.wait(
                [asyncio.ensure_future(self._pump(reader, back)), asyncio.ensure_future(self._pump(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            back.transport.abort()
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self._late:
                    await asyncio.sleep(self._late)
                await self._open.wait()
                writer.write(data)
                await writer.drain()
