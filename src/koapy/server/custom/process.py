"""One handler's processes, seen from the gateway: started with nothing of ours, and certain to end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, cast

import grpc

from koapy.handlers import folder
from koapy.handlers.files import is_library
from koapy.handlers.frames import HEADER, Kind
from koapy.server.failure import Failure, unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from koapy.handlers.limits import HandlerLimits

logger = logging.getLogger(__name__)

BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from koapy.handlers.warden import main; main(int(sys.argv[2]), sys.argv[3], sys.argv[4])"
)
REAP_SECONDS = 7.0
"""Longer than the warden takes for its own sweep."""


class HandlerGone(Exception):
    """The handler's process has ended; `code` as a shell has it, 128 and more for signals."""

    def __init__(self, code: int) -> None:
        super().__init__(f"ended with {code}")
        self.code = code


class HandlerProcess:
    """The way to a handler: frames in both directions."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        printed: asyncio.StreamReader,
        pipe: asyncio.BaseTransport,
        limits: HandlerLimits,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._printed = printed
        self._pipe = pipe
        """By which `printed` comes."""
        self._limits = limits
        self._printing = asyncio.create_task(self._log())

    @property
    def pid(self) -> int:
        """The warden's number."""
        return self._process.pid

    def send(self, frame: bytes) -> None:
        """Queue a frame; `drain` waits until there is room for more."""
        self._writer.write(frame)

    async def drain(self) -> None:
        """Wait while the handler does not read; one that has gone is told by `receive`."""
        with suppress(ConnectionError):
            await self._writer.drain()

    async def receive(self) -> tuple[Kind, bytes]:
        """The next frame.

        Raises:
            Failure: what came is no frame, or too long.
            HandlerGone: nothing will come any more.
        """
        try:
            length, number = HEADER.unpack(await self._reader.readexactly(HEADER.size))
            if length > self._limits.message_bytes:
                raise output(f"it sent {length} bytes at once; {self._limits.message_bytes} may be")
            body = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._let_go()  # it may have closed its end only
            raise HandlerGone(await self._ended()) from None
        try:
            return Kind(number), body
        except ValueError:
            raise output(f"it wrote into the gateway's channel (kind {number})") from None

    async def close(self) -> None:
        """Kill and bury the handler and everything that it has started."""
        self._let_go()
        self._writer.close()
        try:
            async with asyncio.timeout(REAP_SECONDS):
                await self._ended()
        except TimeoutError:
            logger.warning("the warden of a handler (process %d) did not end by itself", self._process.pid)
        finally:
            self._process.kill()  # its worker dies with it; nothing happens where it has ended
        await self._ended()
        # Nobody is left who could print more, so the end of it is there.
        await asyncio.wait({self._printing}, timeout=1.0)
        self._printing.cancel()
        await asyncio.gather(self._printing, return_exceptions=True)
        self._pipe.close()

    def _let_go(self) -> None:
        """Close the warden's pipe, at which it ends everything."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.close()

    async def _ended(self) -> int:
        """Wait for the end of the warden, which has been told to end, and give its code."""
        return await asyncio.to_thread(self._process.wait)

    async def _log(self) -> None:
        """Put what the handler prints into the debug log, up to a limit, and drop the rest."""
        room = self._limits.log_bytes
        while piece := await self._printed.read(4096):
            if room > 0:
                for line in piece[:room].decode("utf-8", "backslashreplace").splitlines():
                    logger.debug("handler %d prints: %r", self._process.pid, line)
            room -= len(piece)


def output(what: str) -> Failure:
    """The handler sent something that is none of a handler's business."""
    return Failure(grpc.StatusCode.ABORTED, f"the event handler was stopped: {what}", reason="HANDLER_OUTPUT")


@asynccontextmanager
async def started(limits: HandlerLimits) -> AsyncIterator[HandlerProcess]:
    """A handler's processes for as long as the block lasts; afterwards nothing is left of them.

    Raises:
        Failure: UNAVAILABLE, when the machine has no room for them.
    """
    try:
        path = folder.make()
    except OSError as error:
        raise _unable(error) from error
    try:
        try:
            process = await _start(limits, path)
        except OSError as error:
            raise _unable(error) from error
        try:
            yield process
        finally:
            await process.close()
    finally:
        # The warden has done so, unless it was killed.
        folder.remove(path)


def _unable(error: OSError) -> Failure:
    logger.warning("a handler could not be started: %s", error)
    return unavailable(f"the event handler could not be started: {error.strerror}", "HANDLER_START")


async def _start(limits: HandlerLimits, path: str) -> HandlerProcess:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        try:
            reader, writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()
            raise
        try:
            process = _spawn(limits, path, theirs.fileno())
        except BaseException:
            writer.close()
            raise
    printed = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(printed), cast("IO[bytes]", process.stdout)
    )
    return HandlerProcess(process, reader, writer, printed, pipe, limits)


def _spawn(limits: HandlerLimits, path: str, channel: int) -> subprocess.Popen[bytes]:
    # Not the loop's own way: uvloop's forks, and between fork and exec grpc's threads are not there any more, but what
    # grpc does at a fork is.
    return subprocess.Popen(
        [
            *(sys.executable, "-Iu", "-c", BOOT),
            *(json.dumps(library_path()), str(channel), path, json.dumps(asdict(limits))),
        ],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(channel,),
        env=environment(path),
        cwd=path,
        start_new_session=True,  # an interruption at the terminal is the gateway's to handle
    )


def environment(path: str) -> dict[str, str]:
    """All that a handler finds in its environment."""
    return {
        "HOME": path,
        "TMPDIR": path,
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        # Each arena and each thread reserves address space, which is what memory is limited by.
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        **({"TZ": os.environ["TZ"]} if "TZ" in os.environ else {}),
    }


def library_path() -> list[str]:
    """Where the handler's Python finds its modules: not in the gateway's working folder, nor in somebody's home."""
    return [entry for entry in sys.path if is_library(entry)]
