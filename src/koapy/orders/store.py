"""The journal's tables, and the way between rows and records. SQLite; a reader may look while a gateway writes."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.orders import state
from koapy.orders.model import Halt, NewOrder, OrderEvent, OrderRecord, OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA_VERSION = 1
APPLICATION = 0x6B6F6170
"""SQLite's application_id of a journal: "koap"."""

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, key TEXT, client TEXT NOT NULL, day TEXT NOT NULL, time TEXT NOT NULL,
    request TEXT NOT NULL UNIQUE, client_request TEXT NOT NULL, client_screen TEXT NOT NULL,
    function TEXT NOT NULL, account TEXT NOT NULL, order_type INTEGER NOT NULL, code TEXT NOT NULL,
    quantity INTEGER NOT NULL, price INTEGER NOT NULL, quote_type TEXT NOT NULL, original TEXT NOT NULL,
    extra TEXT NOT NULL, first_sequence INTEGER NOT NULL, state TEXT NOT NULL, returned INTEGER,
    number TEXT NOT NULL, open INTEGER NOT NULL, filled INTEGER NOT NULL, amount INTEGER NOT NULL,
    message TEXT NOT NULL, changed TEXT NOT NULL,
    UNIQUE (client, key)
);
CREATE INDEX orders_by_day ON orders (day);
CREATE INDEX orders_by_number ON orders (number);
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY, time TEXT NOT NULL, name TEXT NOT NULL, message BLOB NOT NULL,
    recovered INTEGER NOT NULL, order_id INTEGER NOT NULL, request TEXT NOT NULL, text TEXT NOT NULL,
    gubun TEXT NOT NULL, account TEXT NOT NULL, code TEXT NOT NULL, number TEXT NOT NULL, original TEXT NOT NULL,
    state TEXT NOT NULL, kind TEXT NOT NULL, ordered INTEGER NOT NULL, open INTEGER NOT NULL,
    filled INTEGER, amount INTEGER
);
CREATE INDEX events_by_code ON events (account, code, sequence);
CREATE INDEX events_by_request ON events (request, sequence);
"""

_ORDER_COLUMNS = (
    *("id", "key", "client", "day", "time", "request", "client_request", "client_screen"),
    *("function", "account", "order_type", "code", "quantity", "price", "quote_type", "original", "extra"),
    *("first_sequence", "state", "returned", "number", "open", "filled", "amount", "message", "changed"),
)
_EVENT_COLUMNS = [field.name for field in fields(OrderEvent)]
_NEW_ORDER = [field.name for field in fields(NewOrder) if field.name != "extra"]


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
            return _prepared(connection, path)
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
    return _tuned(connection, path) if not read_only else connection


_ADVICE = "Restore it from a backup, or move it away to begin a new one; orders of today are then looked up nowhere"


def _prepared(connection: sqlite3.Connection, path: Path | None) -> sqlite3.Connection:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise JournalError(f"{path} is no journal of koapy; name another file")
    _tuned(connection, path)
    connection.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('identity', ?)", (secrets.token_hex(8),))
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
    return connection


def _tuned(connection: sqlite3.Connection, path: Path | None) -> sqlite3.Connection:
    if path is None:
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        return connection
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise JournalError(f"the journal {path} is damaged: {found}. {_ADVICE}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


class Store:
    """Reads and writes rows over one connection; whoever uses it brings the transaction and the thread."""

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

    def set_meta(self, name: str, value: str | None) -> None:
        """Keep a named text; None forgets it."""
        if value is None:
            self.execute("DELETE FROM meta WHERE name = ?", (name,))
        else:
            self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def halt(self) -> Halt | None:
        """The kill switch, where it is on."""
        text = self.meta("halt")
        if text is None:
            return None
        by, reason, since = json.loads(text)
        return Halt(by=by, reason=reason, since=datetime.fromisoformat(since))

    def set_halt(self, halt: Halt | None) -> None:
        """Turn the kill switch on or off."""
        self.set_meta("halt", json.dumps([halt.by, halt.reason, halt.since.isoformat()]) if halt else None)

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

    def add_order(self, record: OrderRecord) -> None:
        """A new order."""
        _insert(self._connection, "orders", _ORDER_COLUMNS, _order_row(record))

    def change_order(self, record: OrderRecord) -> None:
        """Replace an order."""
        row = _order_row(record)
        self.execute(
            f"UPDATE orders SET {', '.join(f'{name} = :{name}' for name in _ORDER_COLUMNS)} WHERE id = :id", row
        )

    def add_event(self, event: OrderEvent) -> OrderEvent:
        """A new event, and what it makes of the orders; gives it with the order that it tells of."""
        concerned = self._concerned(event)
        own = next((each for each in concerned if event.request == each.request or event.number == each.number), None)
        event = replace(event, order_id=own.id if own else 0)
        row = {name: getattr(event, name) for name in _EVENT_COLUMNS}
        _insert(self._connection, "events", _EVENT_COLUMNS, row | {"time": event.time.isoformat()})
        for record in concerned:
            self._apply(record, event)
        return event

    def _apply(self, record: OrderRecord, event: OrderEvent) -> None:
        changed = state.told(record, event)
        if not record.number and changed.number:
            # What overtook the answer.
            early = self.events("number = ? AND sequence >= ?", changed.number, record.first_sequence)
            self.execute(
                "UPDATE events SET order_id = ? WHERE number = ? AND sequence >= ?",
                (record.id, changed.number, record.first_sequence),
            )
            for each in early:
                changed = state.told(changed, each)
        if changed != record:
            self.change_order(replace(changed, changed=event.time))

    def _concerned(self, event: OrderEvent) -> list[OrderRecord]:
        if event.request:
            return self.orders("request = ?", event.request)
        if event.gubun != state.ORDER:
            return []
        newest = "id IN (SELECT max(id) FROM orders WHERE account = ? AND number IN (?, ?) GROUP BY number)"
        return self.orders(newest, event.account, event.number or "-", event.original or "-")


def _insert(connection: sqlite3.Connection, table: str, columns: Iterable[str], row: dict[str, Any]) -> None:
    names = list(columns)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})", row
    )


def day_of(when: datetime) -> str:
    """The Korean day of a moment, YYYYMMDD."""
    return when.astimezone(KST).strftime("%Y%m%d")


def _order_row(record: OrderRecord) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(record.order, name) for name in _NEW_ORDER}
    row |= {name: getattr(record, name) for name in _ORDER_COLUMNS if hasattr(record, name)}
    return row | {
        "day": day_of(record.time),
        "time": record.time.isoformat(),
        "changed": record.changed.isoformat(),
        "state": record.state.value,
        "extra": json.dumps(record.order.extra),
    }


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
