"""A `koapy serve` in a process of its own, from its first log line to its exit code."""

from __future__ import annotations

import queue
import re
import subprocess
import sys
from collections import deque
from threading import Thread
from typing import IO, TYPE_CHECKING, Self

from koapy.cli.app import CommandError

if TYPE_CHECKING:
    from types import TracebackType

READY = re.compile(r"koapy: listening on (\S+)")
START_SECONDS = 30.0
STOP_SECONDS = 15.0
LOG_LINES = 20


class ServerProcess:
    """A context manager: the server listens on `address` inside the block, and has stopped cleanly after it.

    The server ends with this process too, however that ends.

    Raises: CommandError where the server does not start, or does not exit with 0.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._found: queue.Queue[str] = queue.Queue()
        self.address = ""
        """HOST:PORT that the server listens on."""
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        """The last lines of the server's stderr."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "koapy", "serve", "--port", "0", "--until-eof", *self._options]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            # Ctrl+C in a Windows console is for this process, which then stops the server in order.
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        assert self._process.stderr is not None
        self._reader = Thread(target=self._read, args=(self._process.stderr,), name="server log", daemon=True)
        self._reader.start()
        try:
            self.address = self._found.get(timeout=START_SECONDS)
        except queue.Empty:
            self._process.kill()
            raise CommandError(f"the server has not said where it listens within {START_SECONDS:g} s") from None
        except BaseException:
            self._process.kill()
            raise
        if not self.address:
            raise CommandError(f"the server did not start, exit code {self._process.wait(STOP_SECONDS)}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        code = self.stop()
        if code != 0 and error is None:
            raise CommandError(f"the server did not stop cleanly, exit code {code}")

    def stop(self) -> int:
        """End the server's input, wait for its exit code, and kill it where it takes too long."""
        assert self._process.stdin is not None
        # Neither signals nor Windows' Ctrl+Break, which only reaches processes of the same console.
        self._process.stdin.close()
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join()
        return code

    def _read(self, stream: IO[str]) -> None:
        """Keep the last lines, and tell where the server listens; "" where it ends without having said."""
        with stream:
            for line in stream:
                self.log.append(line.rstrip())
                if match := READY.search(line):
                    self._found.put(match[1])
        self._found.put("")
