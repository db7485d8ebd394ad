"""The temporary folder of a handler, where alone it may write."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "koapy-handler-"


def make() -> str:
    """A new, empty one."""
    return tempfile.mkdtemp(prefix=PREFIX)


def remove(folder: str) -> None:
    """Remove a handler's folder, whatever it has done to it."""
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
