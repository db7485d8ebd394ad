"""Where the log lines of `koapy serve` go."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from koapy.cli.app import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LARGEST, KEPT = 10_000_000, 5
"""Bytes of a file, and how many older ones there are: FILE.1 is the newest of them."""


@contextmanager
def logged(level: str, path: Path | None) -> Iterator[None]:
    """Have lines of this level and above go to stderr, and to a file where one is given.

    The file says, too, why the command inside could not go on; on stderr the command itself does.

    Raises:
        CommandError: the file cannot be written.
    """
    console = logging.StreamHandler(sys.stderr)
    file = None if path is None else _file(path)
    logging.basicConfig(level=level.upper(), handlers=[console, *([file] if file else [])], format=FORMAT)
    try:
        yield
    except CommandError as problem:
        if file:
            said = {"name": __name__, "levelno": logging.ERROR, "levelname": "ERROR", "msg": str(problem)}
            file.handle(logging.makeLogRecord(said))
        raise


def _file(path: Path) -> logging.Handler:
    # Only here: it takes its time to load.
    from logging.handlers import RotatingFileHandler

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return RotatingFileHandler(
            path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", errors="backslashreplace"
        )
    except OSError as error:
        raise CommandError(f"the log {path} cannot be written: {error.strerror}") from error
