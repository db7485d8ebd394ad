"""One gateway a journal: a lock on a file beside it, which ends with the process, however that ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from koapy.orders.store import JournalError

if TYPE_CHECKING:
    from pathlib import Path


class JournalInUse(JournalError):
    """Another gateway uses the journal."""

    def __init__(self, path: Path, by: str) -> None:
        super().__init__(f"the journal {path} is in use by the gateway of process {by}; give each gateway its own file")
        self.path = path


def acquire(path: Path) -> IO[str]:
    """Hold the journal at `path` until `release` or the end of the process.

    Raises:
        JournalInUse: somebody else holds it.
        JournalError: nothing can be written there.
    """
    if path.is_dir():
        raise JournalError(
            f"the journal {path} cannot be opened: it is a folder, and must be a file such as orders.sqlite"
        )
    beside = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be written: {error.strerror}") from error
    file = os.fdopen(descriptor, "r+", encoding="ascii", errors="replace")
    try:
        _lock(file)
    except OSError:
        by = _holder(file)
        file.close()
        raise JournalInUse(path, by) from None
    try:
        file.seek(PID_AT)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
    except OSError as error:
        with suppress(OSError):  # what could not be written is tried once more
            file.close()
        raise JournalError(f"the journal {path} cannot be written: {error.strerror}") from error
    return file


def release(file: IO[str] | None) -> None:
    """Let it go; the file stays, as removing it would let two hold it."""
    if file is not None:
        file.close()


PID_AT = 1
"""Where the process's number stands: Windows lets nobody read the byte that is locked."""


def _holder(file: IO[str]) -> str:
    file.seek(PID_AT)
    return file.read(20).strip() or "unknown"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
