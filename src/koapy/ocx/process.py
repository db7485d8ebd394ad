"""The host process and the pipes to it."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from koapy.remote.link import CHUNK

if TYPE_CHECKING:
    from collections.abc import Sequence

EXECUTABLE = Path(__file__).parent / "bin" / "koapy-ocx-host.exe"

ENDINGS = {
    0: "it was asked to",
    10: "its pipe was closed",
    11: "the gateway was silent for a minute",
    12: "what it was sent is not the protocol",
    13: "the gateway did not read what it said",
    14: "it refused",
    15: "the table of boxes says so",
    16: "the control crashed",
}
"""What the host's exit codes mean; ocx/host/ending.hpp has the same table."""

LOOK_SECONDS = 0.5
if sys.platform == "win32":
    CREATION_FLAGS = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
else:
    CREATION_FLAGS = 0
END_SECONDS = 3.0
"""A host that is asked to end may take so long before it is killed."""


class HostNotFound(OSError):
    """The host's program, or what could run it, is not on this machine."""


def host_command(executable: Path = EXECUTABLE) -> list[str]:
    """How the host is started on this machine: by itself on Windows, through Wine elsewhere.

    Raises:
        HostNotFound: the program is not here, or Wine is not.
    """
    if not executable.exists():
        raise HostNotFound(
            f"{executable} is not there: install koapy from a wheel, or build it by tools/build_ocx.py of the clone"
        )
    if sys.platform == "win32":
        return [str(executable)]
    wine = shutil.which("wine")
    if wine is None:
        raise HostNotFound("the OpenAPI+ control runs on Windows; elsewhere Wine takes its place, which is not here")
    return [wine, str(executable)]


class HostProcess:
    """A host process as something that frames go over; it ends with the pipes, and with this process.

    Raises:
        HostNotFound: it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        environment = os.environ | {"WINEDEBUG": os.environ.get("WINEDEBUG", "-all")}
        try:
            # A session or process group of its own: Ctrl-C is for the gateway, which then ends the host in order.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=environment,
                start_new_session=sys.platform != "win32",
                creationflags=CREATION_FLAGS,
            )
        except OSError as error:
            raise HostNotFound(f"{command[0]} cannot be started: {error}") from error
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        if sys.platform != "win32":
            for pipe in (self._in, self._out):
                os.set_blocking(pipe.fileno(), False)

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return self._process.pid

    def read(self) -> bytes:
        """Wait for bytes.

        Raises:
            ConnectionError: the process has ended; the text says how.
        """
        while True:
            try:
                data = os.read(self._out.fileno(), CHUNK)
            except BlockingIOError:
                # A child of the host may hold its pipe open, so the pipe's end is not what tells of the host's.
                if not select.select([self._out], [], [], LOOK_SECONDS)[0] and self._process.poll() is not None:
                    raise ConnectionError(self._ended()) from None
                continue
            if not data:
                raise ConnectionError(self._ended())
            return data

    def write(self, data: bytes) -> None:
        """Write all of it, waiting as long as it takes; what a host does not read that has ended is lost.

        Raises:
            ConnectionError: the pipe has been closed on this side.
        """
        view = memoryview(data)
        try:
            while view:
                # None: a pipe that does not wait is full.
                view = view[self._in.write(view) or 0 :]
                if view and sys.platform != "win32":
                    select.select([], [self._in], [], LOOK_SECONDS)
        except ValueError as error:  # closed here, by another thread
            raise ConnectionError("the pipe to the host is closed") from error
        except OSError:
            pass  # `read` says how the host has ended, after its last words

    def try_write(self, data: bytes) -> int:
        """Write what goes without waiting; 0 on Windows, whose pipes do not say, and where the host has ended.

        Raises:
            ConnectionError: the pipe has been closed on this side.
        """
        try:
            return 0 if sys.platform == "win32" else self._in.write(data) or 0
        except ValueError as error:
            raise ConnectionError("the pipe to the host is closed") from error
        except OSError:
            return 0

    def close(self) -> None:
        """Have the host end, kill it if it does not, and wait until it is gone: there must never be two."""
        with suppress(OSError):
            self._in.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ended(self) -> str:
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return "the host closed its pipe"
        why = ENDINGS.get(code) or ("it was killed" if code < 0 else f"exit code {code}")
        return f"the host process ended: {why}"
