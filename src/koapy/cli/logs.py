"""Where the log lines of `koapy serve` go."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from koapy.cli.app import CommandError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LARGEST, KEPT = 10_000_000, 5
"""Bytes of a file, and how many older ones there are: FILE.1 is the newest of them."""


def log_to(level: str, file: Path | None) -> None:
    """Have lines of this level and above go to stderr, and to a file where one is given. Raises: CommandError."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if file is not None:
        handlers.append(_file(file))
    logging.basicConfig(level=level.upper(), handlers=handlers, format=FORMAT)


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
