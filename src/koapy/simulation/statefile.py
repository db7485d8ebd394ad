"""The file in which a simulated market outlives its process: SQLite, written in whole transactions.

Items have a kind and a key and are JSON; bars of one minute have a table of their own. One process at a time. What has
been written is there after a crash of the process (`kill -9`); a crash of the machine may take the last moments.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_APPLICATION = 0x6B6F6170  # "koap"
_VERSION = 2

_SCHEMA = """
create table items (kind text, key text, value text not null, primary key (kind, key)) without rowid;
create table minutes (
    code text, start text, open integer, high integer, low integer, close integer, volume integer, value integer,
    primary key (code, start)
) without rowid;
"""

Minute = tuple[str, str, int, int, int, int, int, int]
"""Code, start, open, high, low, close, volume, value."""


class StateError(ValueError):
    """A state file cannot be used; the text names the file and says what is wrong."""


class StateFile:
    """The file, opened and locked until `close`; it is made where there is none.

    Raises:
        StateError: it is in use, of something else, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The simulation's thread is the only one that uses it; it is opened before that thread begins.
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            reason = "another gateway uses it" if "locked" in str(error) else f"it is no usable state file: {error}"
            raise StateError(f"{path}: {reason}") from error

    def _prepare(self) -> None:
        run = self._db.execute
        run("pragma locking_mode = exclusive")
        run("pragma journal_mode = wal")
        run("pragma synchronous = normal")
        run("begin immediate")
        try:
            if not run("select count(*) from sqlite_master").fetchone()[0]:
                for statement in _SCHEMA.split(";"):
                    run(statement)
                run(f"pragma application_id = {_APPLICATION}")
                run(f"pragma user_version = {_VERSION}")
            known = run("pragma application_id").fetchone()[0], run("pragma user_version").fetchone()[0]
        finally:
            run("commit")
        if known != (_APPLICATION, _VERSION):
            raise sqlite3.DatabaseError(f"application and version are {known}, not {(_APPLICATION, _VERSION)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Have all that is written inside be there afterwards, or, when anything fails, none of it.

        Raises: sqlite3.Error.
        """
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            self._db.execute("rollback")
            raise

    def items(self, kind: str) -> dict[str, Any]:
        """All items of a kind by key, ascending."""
        found = self._db.execute("select key, value from items where kind = ? order by key", (kind,))
        return {key: json.loads(value) for key, value in found}

    def put(self, kind: str, items: Iterable[tuple[str, Any]]) -> None:
        """Write items, in place of those that had these keys."""
        rows = [(kind, key, json.dumps(value, ensure_ascii=False, separators=(",", ":"))) for key, value in items]
        self._db.executemany("insert or replace into items values (?, ?, ?)", rows)

    def forget(self, *kinds: str) -> None:
        """Delete all items of some kinds."""
        self._db.executemany("delete from items where kind = ?", [(kind,) for kind in kinds])

    def minutes(self, code: str) -> list[Minute]:
        """The minutes of a code, ascending."""
        return self._db.execute("select * from minutes where code = ? order by start", (code,)).fetchall()

    def put_minutes(self, rows: Iterable[Minute]) -> None:
        """Write minutes, in place of those with the same code and start."""
        self._db.executemany("insert or replace into minutes values (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def forget_minutes(self, before: str) -> None:
        """Delete the minutes that start before a moment, written as they are."""
        self._db.execute("delete from minutes where start < ?", (before,))

    def close(self) -> None:
        """Let the file go. Harmless twice."""
        self._db.close()
