"""The audit log: who did what, when, and how it ended, as JSON lines. Never a secret.

A thread of its own writes the file, so that a slow disk holds nobody up. What one caller can cause without limit, such
as refusals and look-ups, is counted instead of written beyond a figure, so that nobody can push the rest out of the
files that are kept.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
from datetime import datetime
from logging.handlers import QueueHandler, RotatingFileHandler
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.server.security.files import PRIVATE, SecurityError, require_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)

FILE_BYTES = 16 * 1024 * 1024
FILES_KEPT = 10
"""Older ones are deleted: path.1 is the newest of them."""
QUEUE = 100_000
"""Lines that may wait for the disk; more are lost, which the program's own log says."""
LINES_PER_MINUTE = 300
"""Of one principal and kind, for what it can cause without limit."""
COUNTED = frozenset({"refused", "login", "stream", "query"})
FULL_SECONDS = 60.0
CLOSE_SECONDS = 5.0


class _PrivateFile(RotatingFileHandler):
    """Rotates by size; every file is its owner's only."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=True)
        self._failed = False

    def _open(self) -> IO[str]:  # type: ignore[override]
        return open(
            self.baseFilename,
            self.mode,
            encoding=self.encoding,
            opener=lambda name, flags: os.open(name, flags, PRIVATE),
        )

    def emit(self, record: logging.LogRecord) -> None:
        self._failing = False
        super().emit(record)
        if self._failed and not self._failing:
            logger.error("the audit log %s can be written again", self.baseFilename)
            self._failed = False

    def handleError(self, record: logging.LogRecord) -> None:
        self._failing = True
        if not self._failed:
            self._failed = True
            logger.exception("the audit log %s cannot be written", self.baseFilename)


class _Queue(QueueHandler):
    """Never waits: what does not fit is lost, and told once a minute."""

    _told = -FULL_SECONDS

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record

    def handleError(self, record: logging.LogRecord) -> None:
        if monotonic() - self._told >= FULL_SECONDS:
            self._told = monotonic()
            logger.error("lines of the audit log are lost: the disk does not keep up")


class Audit:
    """Writes the audit log until closed.

    Args:
        path: the file; path.1 to path.10 are the older ones.
        now: the time.
        clock: seconds, for what is written of one caller in a minute.

    Raises:
        SecurityError: the file cannot be written, or others can read it.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime] = lambda: datetime.now(KST),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._now = now
        self._clock = clock
        self._minutes: dict[tuple[str, str], _Minute] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE))
        except OSError as error:
            raise SecurityError(f"cannot write {path}: {error.strerror}") from error
        require_private(path)
        self._file = _PrivateFile(path)
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(QUEUE)
        self._thread = threading.Thread(target=self._drain, name="koapy-audit", daemon=True)
        # Not one of logging's tree: no level that anybody sets there silences it.
        self._log = logging.Logger("koapy.audit", logging.INFO)
        self._log.addHandler(_Queue(self._waiting))
        self._thread.start()

    def write(self, kind: str, principal: str, **facts: Any) -> None:
        """Write one line: the time, `kind`, the principal's name, and the facts that are not None."""
        skipped = None
        if kind in COUNTED:
            minute = self._minutes.setdefault((principal, kind), _Minute())
            if not minute.room(self._clock()):
                return
            skipped = minute.taken() or None
        line = {"time": self._now().isoformat(timespec="milliseconds"), "kind": kind, "principal": principal}
        line |= {key: value for key, value in (facts | {"skipped": skipped}).items() if value is not None}
        self._log.info("%s", json.dumps(line, ensure_ascii=False))

    def close(self) -> None:
        """Write what waits, and close the file; a disk that does not answer is waited for a few seconds."""
        for (principal, kind), minute in self._minutes.items():
            if skipped := minute.taken():
                self._log.info("%s", json.dumps({"kind": kind, "principal": principal, "skipped": skipped}))
        self._minutes.clear()
        try:
            self._waiting.put(None, timeout=CLOSE_SECONDS)
            self._thread.join(CLOSE_SECONDS)
        except queue.Full:
            pass
        if self._thread.is_alive():
            logger.error("the last lines of the audit log are lost: the disk does not answer")

    def _drain(self) -> None:
        while (record := self._waiting.get()) is not None:
            self._file.handle(record)
        self._file.close()


class _Minute:
    """How many lines one caller has had in this minute, and how many it has not got."""

    def __init__(self) -> None:
        self._since = float("-inf")
        self._count = 0
        self._skipped = 0

    def room(self, now: float) -> bool:
        if now - self._since >= FULL_SECONDS:
            self._since, self._count = now, 0
        self._count += 1
        if self._count <= LINES_PER_MINUTE:
            return True
        self._skipped += 1
        return False

    def taken(self) -> int:
        skipped, self._skipped = self._skipped, 0
        return skipped
