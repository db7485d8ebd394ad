"""The journal's tables, and the way between rows and records. SQLite; a reader may look while a gateway writes."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.orders.model import Halt, NewOrder, OrderEvent, OrderRecord, OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCHEMA_VERSION = 2
FRAME_BYTES = 4120
"""A page of the file, in the write-ahead log."""
CHECKPOINT_PAGES = 1000
"""How much the write-ahead log holds before it is moved into the file, which makes one order wait."""
LOG_BYTES = (CHECKPOINT_PAGES + 100) * FRAME_BYTES
"""The size of the log from the beginning on: to write into a file costs the disk half of what it costs to make it grow.
A transaction may go beyond what it holds."""
APPLICATION = 0x6B6F6170
"""SQLite's application_id of a journal: "koap"."""

# What an order's transactions do not touch costs them nothing, so indexes leave out what nobody looks for: the orders
# that have no key or no number yet, and the events that answer no request or tell of no code.
_ORDERS = """
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, key TEXT, client TEXT NOT NULL, day TEXT NOT NULL, time TEXT NOT NULL,
    request TEXT NOT NULL UNIQUE, client_request TEXT NOT NULL, client_screen TEXT NOT NULL,
    function TEXT NOT NULL, account TEXT NOT NULL, order_type INTEGER NOT NULL, code TEXT NOT NULL,
    quantity INTEGER NOT NULL, price INTEGER NOT NULL, quote_type TEXT NOT NULL, original TEXT NOT NULL,
    extra TEXT NOT NULL, first_sequence INTEGER NOT NULL, state TEXT NOT NULL, returned INTEGER,
    number TEXT NOT NULL, open INTEGER NOT NULL, filled INTEGER NOT NULL, amount INTEGER NOT NULL,
    message TEXT NOT NULL, changed TEXT NOT NULL
);
CREATE UNIQUE INDEX orders_by_key ON orders (client, key) WHERE key IS NOT NULL;
CREATE INDEX orders_by_day ON orders (day);
CREATE INDEX orders_by_number ON orders (number) WHERE number <> '';
"""
_EVENTS_INDEXES = """
CREATE INDEX events_by_code ON events (account, code, sequence) WHERE code <> '';
CREATE INDEX events_by_request ON events (request, sequence) WHERE request <> '';
"""
SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
{_ORDERS}
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY, time TEXT NOT NULL, name TEXT NOT NULL, message BLOB NOT NULL,
    recovered INTEGER NOT NULL, order_id INTEGER NOT NULL, request TEXT NOT NULL, text TEXT NOT NULL,
    gubun TEXT NOT NULL, account TEXT NOT NULL, code TEXT NOT NULL, number TEXT NOT NULL, original TEXT NOT NULL,
    state TEXT NOT NULL, kind TEXT NOT NULL, ordered INTEGER NOT NULL, open INTEGER NOT NULL,
    filled INTEGER, amount INTEGER
);
{_EVENTS_INDEXES}
"""
_FROM_1 = f"""
DROP INDEX orders_by_day;
DROP INDEX orders_by_number;
ALTER TABLE orders RENAME TO orders_before;
{_ORDERS}
INSERT INTO orders SELECT * FROM orders_before;
DROP TABLE orders_before;
DROP INDEX events_by_code;
DROP INDEX events_by_request;
{_EVENTS_INDEXES}
"""
"""What makes a journal of schema 1 one of this schema: it had the same columns, and everything in its indexes."""

_ORDER_COLUMNS = (
    *("id", "key", "client", "day", "time", "request", "client_request", "client_screen"),
    *("function", "account", "order_type", "code", "quantity", "price", "quote_type", "original", "extra"),
    *("first_sequence", "state", "returned", "number", "open", "filled", "amount", "message", "changed"),
)
_EVENT_COLUMNS = OrderEvent._fields
_CHANGING = ("state", "returned", "number", "open", "filled", "amount", "message", "changed")

ROWS_AT_ONCE = 32
"""Rows of one statement; SQLite keeps as many statements ready."""
_INSERT_ORDERS = f"INSERT INTO orders ({', '.join(_ORDER_COLUMNS)}) VALUES ?"
_INSERT_EVENTS = f"INSERT INTO events ({', '.join(_EVENT_COLUMNS)}) VALUES ?"
_CHANGE_ORDERS = (
    f"UPDATE orders SET {', '.join(f'{name} = new.column{at}' for at, name in enumerate(_CHANGING, 2))} "
    "FROM (VALUES ?) AS new WHERE orders.id = new.column1"
)
Row = Sequence[object]
Statement = tuple[str, Sequence[Any]]
"""SQL, and the values for its places."""
_NEW_ORDER = [name for name in NewOrder._fields if name != "extra"]


class JournalError(Exception):
    """The journal cannot be used; the text says why and what to do."""


def connect(path: Path | None, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to a journal file, or to one that lasts as long as the connection.

    Raises:
        JournalError: there is no such file, or it is no journal of this release.
    """
    try:
        if path is None:
            connection = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        else:
            if not read_only:
                # Accounts and orders are nobody else's business; what SQLite puts beside the file is as private as it.
                with suppress(OSError):  # SQLite says better what is wrong
                    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            mode = "ro" if read_only else "rwc"
            uri = f"{path.absolute().as_uri()}?mode={mode}"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not read_only:
            _prepare(connection, path)
            return _with_long_log(connection)
        application = connection.execute("PRAGMA application_id").fetchone()[0]
    except sqlite3.Error as error:
        raise JournalError(f"the journal {path} cannot be opened: {error}. {_ADVICE}") from error
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"the journal {path} was written by a newer koapy (schema {version}, this one knows {SCHEMA_VERSION}); "
            "use that release, or name another file"
        )
    if application != APPLICATION:
        raise JournalError(f"{path} is no journal of koapy; name another file")
    if read_only:  # earlier schemas have the same columns
        return connection
    _tune(connection, path)
    if version < SCHEMA_VERSION:
        _change(connection, _FROM_1)
    return _with_long_log(connection)


_ADVICE = "Restore it from a backup, or move it away to begin a new one; orders of today are then looked up nowhere"


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise JournalError(f"{path} is no journal of koapy; name another file")
    _tune(connection, path)
    identity = os.urandom(8).hex()
    _change(connection, f"{SCHEMA} INSERT INTO meta VALUES ('identity', '{identity}')")


def _change(connection: sqlite3.Connection, statements: str) -> None:
    """Give the file this schema, in one transaction."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _tune(connection: sqlite3.Connection, path: Path | None) -> None:
    # What a statement may have to take back is kept in memory, not in a file that is made for it.
    connection.execute("PRAGMA temp_store = MEMORY")
    if path is None:
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        return
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise JournalError(f"the journal {path} is damaged: {found}. {_ADVICE}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def _with_long_log(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, whose write-ahead log has its size: SQLite takes zeros behind what it has written for its end.

    Where the disk has no room for that, the log grows as it is written.
    """
    file = connection.execute("PRAGMA database_list").fetchone()[2]
    with suppress(OSError), Path(f"{file}-wal").open("r+b", buffering=0) as log:  # not every journal has one
        size = log.seek(0, os.SEEK_END)
        zeros, written = bytes(max(0, LOG_BYTES - size)), 0
        with suppress(OSError):
            written = log.write(zeros)
        if written < len(zeros):
            log.truncate(size)
    return connection


class Store:
    """Reads and writes rows over one connection; whoever uses it brings the thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.execute = connection.execute

    @property
    def identity(self) -> str:
        """What tells this journal from any other."""
        return self.meta("identity") or ""

    @property
    def last_sequence(self) -> int:
        """The newest event's number; 0 without one."""
        found: int | None = self.execute("SELECT max(sequence) FROM events").fetchone()[0]
        return found or 0

    @property
    def last_order(self) -> int:
        """The newest order's id; 0 without one."""
        found: int | None = self.execute("SELECT max(id) FROM orders").fetchone()[0]
        return found or 0

    def meta(self, name: str) -> str | None:
        """A named text."""
        row = self.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def halt(self) -> Halt | None:
        """The kill switch, where it is on."""
        text = self.meta("halt")
        if text is None:
            return None
        by, reason, since = json.loads(text)
        return Halt(by=by, reason=reason, since=datetime.fromisoformat(since))

    def orders(self, where: str = "1", *values: object) -> list[OrderRecord]:
        """The orders for which the SQL condition holds, in the order of their ids."""
        rows = self.execute(f"SELECT {', '.join(_ORDER_COLUMNS)} FROM orders WHERE {where} ORDER BY id", values)
        return [_record(dict(zip(_ORDER_COLUMNS, row, strict=True))) for row in rows.fetchall()]

    def events(self, where: str, *values: object, limit: int = -1) -> list[OrderEvent]:
        """The events for which the SQL condition holds, oldest first."""
        rows = self.execute(
            f"SELECT {', '.join(_EVENT_COLUMNS)} FROM events WHERE {where} ORDER BY sequence LIMIT {limit}", values
        )
        return [_event(dict(zip(_EVENT_COLUMNS, row, strict=True))) for row in rows.fetchall()]

    def write(self, statements: Sequence[Statement]) -> None:
        """All of these are on disk after it, or nothing of them is."""
        execute = self.execute
        if len(statements) < 2:  # each is a transaction by itself
            for each in statements:
                execute(*each)
            return
        try:
            execute("BEGIN IMMEDIATE")
            for each in statements:
                execute(*each)
            execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                execute("ROLLBACK")
            raise


def meta(name: str, value: str | None) -> Statement:
    """Keep a named text; None forgets it."""
    if value is None:
        return "DELETE FROM meta WHERE name = ?", (name,)
    return "INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value)


def halt(it: Halt | None) -> Statement:
    """Turn the kill switch on or off."""
    return meta("halt", json.dumps([it.by, it.reason, it.since.isoformat()]) if it else None)


def new_orders(records: Iterable[OrderRecord]) -> Iterator[Statement]:
    """New orders."""
    return _of_rows(_INSERT_ORDERS, [_order_row(each) for each in records])


def changed_orders(records: Iterable[OrderRecord]) -> Iterator[Statement]:
    """Orders have become these, but for their keys."""
    return _of_rows(_CHANGE_ORDERS, [_change_row(each) for each in records])


def freed_key(order_id: int) -> Statement:
    """The key of this order may be used again."""
    return "UPDATE orders SET key = NULL WHERE id = ?", (order_id,)


def new_events(events: Iterable[tuple[OrderEvent, int]]) -> Iterator[Statement]:
    """New events, each with the id of the order that it tells of."""
    return _of_rows(_INSERT_EVENTS, [_event_row(event, order_id) for event, order_id in events])


def claimed_events(record: OrderRecord) -> Statement:
    """The events of its number since its beginning tell of this order."""
    return (
        "UPDATE events SET order_id = ? WHERE number = ? AND sequence >= ?",
        (record.id, record.number, record.first_sequence),
    )


def _of_rows(statement: str, rows: list[Row]) -> Iterator[Statement]:
    """Many rows with one statement: at each statement the interpreter's lock goes through many hands."""
    for at in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[at : at + ROWS_AT_ONCE]
        yield _with_places(statement, len(some), len(some[0])), list(chain.from_iterable(some))


def day_of(when: datetime) -> str:
    """The Korean day of a moment, YYYYMMDD."""
    return when.astimezone(KST).date().isoformat().replace("-", "")


@lru_cache
def _with_places(statement: str, rows: int, columns: int) -> str:
    """The statement with a place for each value."""
    return statement.replace("?", ", ".join(["(" + ", ".join("?" * columns) + ")"] * rows))


def _order_row(record: OrderRecord) -> Row:
    order = record.order
    # In the order of _ORDER_COLUMNS.
    return (
        *(record.id, record.key, record.client, day_of(record.time), record.time.isoformat()),
        *(record.request, record.client_request, record.client_screen),
        *(order.function, order.account, order.order_type, order.code, order.quantity, order.price),
        *(order.quote_type, order.original, json.dumps(order.extra) if order.extra else "[]", record.first_sequence),
        *_change_row(record)[1:],
    )


def _change_row(record: OrderRecord) -> Row:
    # In the order of _CHANGE_ORDERS, whose last columns are those of an order.
    return (
        *(record.id, record.state.value, record.returned, record.number, record.open, record.filled),
        *(record.amount, record.message, record.changed.isoformat()),
    )


def _event_row(event: OrderEvent, order_id: int) -> Row:
    sequence, time, name, message, recovered, _, *rest = event
    return (sequence, time.isoformat(), name, message, recovered, order_id, *rest)


def _record(row: dict[str, Any]) -> OrderRecord:
    del row["day"]
    order = NewOrder(**{name: row.pop(name) for name in _NEW_ORDER}, extra=tuple(json.loads(row.pop("extra"))))
    for name in ("time", "changed"):
        row[name] = datetime.fromisoformat(row[name])
    row["state"] = OrderState(row["state"])
    return OrderRecord(order=order, **row)


def _event(row: dict[str, Any]) -> OrderEvent:
    row["time"] = datetime.fromisoformat(row["time"])
    row["recovered"] = bool(row["recovered"])
    return OrderEvent(**row)
