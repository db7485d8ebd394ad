"""Files that only their owner may read: written in one step, and looked at before they are trusted."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE, PUBLIC = 0o600, 0o644
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class SecurityError(Exception):
    """What a server is told to be safe with is not safe, or cannot be used; the text says what to do."""


def write(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Write a file so that a reader sees the old content or the new, and nobody else ever sees a private one.

    Raises:
        SecurityError: the folder cannot be written to.
    """
    new = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise SecurityError(f"cannot write {path}: {error.strerror}") from error


def read(path: Path) -> bytes:
    """The content of a file.

    Raises:
        SecurityError: there is none, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise SecurityError(f"cannot read {path}: {error.strerror}") from error


def require_private(path: Path) -> None:
    """Refuse a file with secrets in it that others than its owner can read or change. Windows has other rules.

    Raises:
        SecurityError: others can, or there is no such file; the text says what to type.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise SecurityError(f"cannot read {path}: {error.strerror}") from error
    if os.name == "posix" and found.st_mode & OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        raise SecurityError(f"{path} is open to other users of this machine (mode {mode:04o}); type: chmod 600 {path}")


def state_of(*paths: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """What changes when one of these files does; None for one that is not there."""
    return tuple(map(_state, paths))


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other commands from changing `path` while the block reads and writes it.

    Raises:
        SecurityError: another one is at it, or was killed at it.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
    except FileExistsError:
        raise SecurityError(f"another command is changing {path}; if none is, delete {lock}") from None
    except OSError as error:
        raise SecurityError(f"cannot write {lock}: {error.strerror}") from error
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
