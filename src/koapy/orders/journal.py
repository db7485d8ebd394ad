"""The order journal: what was to be sent is on disk before it is sent, and what came back before it is passed on.

One thread writes, everything that waits in one transaction (group commit), in the order in which it was given. When
the disk refuses, intents are refused, and everything else waits, is tried again, and is told to nobody meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST
from koapy.orders import lock, state
from koapy.orders.book import Book
from koapy.orders.entries import Barrier, Change, Intent, Probe, SetHalt, Told, promised
from koapy.orders.model import Halt, NewOrder, OrderEvent, OrderRecord, OrderState
from koapy.orders.store import JournalError, Store, connect, day_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from koapy.orders.entries import Entry, Then

logger = logging.getLogger(__name__)

__all__ = ["Journal", "JournalError", "JournalFailed", "read_events", "read_orders"]

AT_ONCE = 512
"""Entries of one transaction."""
RETRY_SECONDS = 1.0
"""How long a disk that refuses is left alone."""
CLOSE_SECONDS = 10.0
WRONG = (
    *(sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError),
    *(LookupError, TypeError, ValueError, OverflowError),
)
"""How an entry fails that no disk would take."""

_UNSETTLED = tuple(each.value for each in OrderState if not each.settled)
_IS_UNSETTLED = f"state IN ({', '.join('?' * len(_UNSETTLED))})"
_UNNUMBERED = tuple(each.value for each in OrderState if each.unnumbered)
_IS_UNNUMBERED = f"state IN ({', '.join('?' * len(_UNNUMBERED))})"


class JournalFailed(Exception):
    """This could not be put on disk, and was not done; the text says why."""


class Journal:
    """Orders and their events in a file, or for as long as the process lasts.

    The event loop asks, places and resolves; the control's thread tells events. All of it may be called on any thread,
    but `event` on one at a time, as it numbers what it is given.

    Args:
        path: the file; None: nothing is kept.

    Raises:
        JournalError: the file cannot be used.
        JournalInUse: another gateway uses it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock_file = lock.acquire(path) if path is not None else None
        try:
            connection = connect(path)
            self._writing = Store(connection)
            self._book = Book(self._writing)
            # A transient database belongs to one connection; a lock keeps its reader out of a transaction.
            self._between = threading.RLock() if path is None else contextlib.nullcontext()
            self._connections = [connection]
            if path is not None:
                self._connections.append(connect(path, read_only=True))
            self._reading = Store(self._connections[-1])
            self._reader = threading.RLock()
            self.identity = self._writing.identity
            """What tells this journal from any other."""
            self._sequence = self._writing.last_sequence
            self._orders = self._writing.last_order
            self.halted: Halt | None = self._writing.halt()
            """The kill switch, as of the last `halt` or `release` that is on disk."""
        except (sqlite3.Error, JournalError) as error:
            lock.release(self._lock_file)
            if isinstance(error, sqlite3.Error):
                raise JournalError(f"the journal {path} cannot be used: {error}") from error
            raise
        self.trouble: str | None = None
        """Why nothing can be written at the moment."""
        self.on_trouble: Callable[[str | None], object] = lambda _: None
        """Called on the writing thread when `trouble` has changed."""
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="koapy-journal", daemon=True)
        self._thread.start()

    @property
    def last_sequence(self) -> int:
        """The number of the newest event, on disk or on its way there."""
        return self._sequence

    @property
    def last_order(self) -> int:
        """The id of the newest order, on disk or on its way there."""
        return self._orders

    def intend(
        self,
        order: NewOrder,
        *,
        key: str | None,
        client: str,
        request: str,
        client_request: str,
        client_screen: str,
        then: Then,
    ) -> None:
        """Put on disk that this order is about to be sent.

        `then` is called on the writing thread with the order, or with JournalFailed where that is not possible: it
        must not be sent then.
        """
        now = datetime.now(KST)
        self._orders += 1
        record = OrderRecord(
            id=self._orders,
            key=key,
            client=client,
            time=now,
            request=request,
            client_request=client_request,
            client_screen=client_screen,
            order=order,
            first_sequence=self._sequence + 1,
            state=OrderState.INTENDED,
            changed=now,
        )
        self._queue.put(Intent(record, then))

    def returned(self, order_id: int, code: int, then: Then) -> None:
        """SendOrder returned `code`; `then` is called on the writing thread when that is on disk, or cannot be."""
        self._queue.put(Change(order_id, lambda record: state.returned(record, code), then))

    def _change(self, order_id: int, to: Callable[[OrderRecord], state.Changes]) -> Future[OrderRecord]:
        """Change an order as `to` says, on the writing thread; the future has what is on disk then."""
        future = promised()

        def then(outcome: OrderRecord | Exception) -> None:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self._queue.put(Change(order_id, to, then))
        return future

    def unsent(self, order_id: int, why: str) -> Future[OrderRecord]:
        """The order was certainly not sent; its key is free again."""
        return self._change(order_id, lambda _: {"state": OrderState.REFUSED, "key": None, "message": why})

    def settle(self, order_id: int, to: OrderState, why: str) -> Future[OrderRecord]:
        """Say what became of an order whose events do not tell."""
        return self._change(
            order_id, lambda record: {} if record.state.settled else {"state": to, "message": why, "open": 0}
        )

    def event(self, event: OrderEvent, then: Callable[[int], object]) -> None:
        """Keep an event, whose sequence must be the next one.

        `then` is called when it is on disk, with the id of the order that it tells of, 0 for none.
        """
        if event.sequence != self._sequence + 1:
            raise ValueError(f"event {event.sequence} after {self._sequence}")
        self._sequence = event.sequence
        self._queue.put(Told(event, then))

    def after(self, then: Callable[[], object]) -> None:
        """Call `then` when all events before it are on disk and told."""
        self._queue.put(Barrier(then))

    def halt(self, by: str, reason: str) -> Future[Halt | None]:
        """Turn the kill switch on; the future gives it when it is on disk. `halted` says so at once."""
        return self._set_halt(Halt(by=by, reason=reason, since=datetime.now(KST)))

    def release(self) -> Future[Halt | None]:
        """Turn the kill switch off; the future gives None when that is on disk, and `halted` only then."""
        return self._set_halt(None)

    def _set_halt(self, halt: Halt | None) -> Future[Halt | None]:
        if halt is not None:
            self.halted = halt
        entry = SetHalt(halt, self)
        self._queue.put(entry)
        return entry.future

    def find(self, client: str, key: str) -> OrderRecord | None:
        """The order that this client sent with this idempotency key."""
        return next(iter(self._read_orders("client = ? AND key = ?", client, key)), None)

    def order(self, order_id: int) -> OrderRecord:
        """The order of this id. Raises: KeyError."""
        known = self._book.known(order_id)
        if known is not None:
            return known
        for record in self._read_orders("id = ?", order_id):
            return record
        raise KeyError(order_id)

    def orders(self, day: str = "", *, unsettled: bool = False) -> list[OrderRecord]:
        """The orders of a day (YYYYMMDD, Korean time; "": today), or those of it that may still change."""
        extra = (f" AND {_IS_UNSETTLED}", _UNSETTLED) if unsettled else ("", ())
        return self._read_orders(f"day = ?{extra[0]}", day or day_of(datetime.now(KST)), *extra[1])

    def unsettled(self) -> list[OrderRecord]:
        """All orders of any day that may still change."""
        return self._read_orders(_IS_UNSETTLED, *_UNSETTLED)

    def unnumbered(self, first: int, last: int) -> list[OrderRecord]:
        """The orders with ids from `first` to `last` that have no number yet and may get one."""
        return self._read_orders(f"id BETWEEN ? AND ? AND {_IS_UNNUMBERED}", first, last, *_UNNUMBERED)

    def events(self, after: int, limit: int) -> list[OrderEvent]:
        """At most `limit` events with higher numbers than `after`, oldest first; blocks as long as the disk takes."""
        with self._reader, self._between:
            return self._reading.events("sequence > ?", after, limit=limit)

    def events_of(self, record: OrderRecord) -> list[OrderEvent]:
        """Everything that may concern an order: answers to its request, events of its account and code."""
        # Indexes have no empty texts, and SQLite must be told that none is looked for.
        where = "sequence >= ? AND ((request = ? AND request <> '') OR (account = ? AND code = ? AND code <> ''))"
        with self._reader, self._between:
            return self._reading.events(
                where, record.first_sequence, record.request, record.order.account, record.order.code
            )

    def close(self) -> None:
        """Write what waits, and let the file go; harmless twice."""
        self._queue.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _read_orders(self, where: str, *values: object) -> list[OrderRecord]:
        with self._reader, self._between:
            return self._reading.orders(where, *values)

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception:
            logger.exception("the journal's thread has failed; nothing is written any more")
            self._report("the journal's thread has failed; the log says why. Restart the gateway")
        finally:
            with self._reader:
                # The writing one last: only that can move the write-ahead log into the file, which then is the journal.
                for connection in reversed(self._connections):
                    connection.close()
            lock.release(self._lock_file)

    def _write_all(self) -> None:
        waiting: list[Entry] = []
        closing = False
        while not closing:
            more, closing = self._taken(RETRY_SECONDS if self.trouble else None)
            waiting += more
            # A disk that has refused is tried again even when nothing waits, so that its recovery is noticed.
            waiting = self._written([*waiting, Probe()] if self.trouble else waiting)
        if waiting:
            logger.error("%d entries of the journal are lost with this process: %s", len(waiting), self.trouble)

    def _taken(self, seconds: float | None) -> tuple[list[Entry], bool]:
        """What waits in the queue, at most so many seconds for the first one, and whether the journal closes."""
        taken: list[Entry] = []
        with contextlib.suppress(Empty):
            entry = self._queue.get(timeout=seconds)
            while entry is not None:
                taken.append(entry)
                if len(taken) == AT_ONCE:
                    return taken, False
                entry = self._queue.get_nowait()
            return taken, True
        return taken, False

    def _written(self, entries: list[Entry]) -> list[Entry]:
        """Write these in one transaction and tell who waits for them; those that are to be tried again come back.

        An entry that is wrong in itself fails alone.
        """
        try:
            with self._between:
                for entry in entries:
                    entry.write(self._book)
                self._book.write()
        except WRONG as wrong:
            self._book = Book(self._writing)
            return self._written_singly(entries, wrong)
        except sqlite3.Error as error:
            self._book = Book(self._writing)
            return self._refused(entries, str(error))
        self._report(None)
        for entry in entries:
            _guarded(entry.done)
        return []

    def _written_singly(self, entries: list[Entry], wrong: Exception) -> list[Entry]:
        """The same, one after the other, so that it shows which one is wrong."""
        if len(entries) == 1:
            logger.error("an entry of the journal could not be written", exc_info=wrong)
            _guarded(entries[0].failed, JournalFailed(f"the journal does not take it: {wrong}"))
            return []
        for at, entry in enumerate(entries, 1):
            waiting = self._written([entry])
            if self.trouble:  # nothing overtakes what waits
                return waiting + self._refused(entries[at:], self.trouble)
        return []

    def _refused(self, entries: list[Entry], why: str) -> list[Entry]:
        """The disk does not take these: those that cannot wait fail, the others come back."""
        self._report(why)
        for entry in entries:
            if not entry.can_wait:
                _guarded(entry.failed, JournalFailed(f"the journal cannot be written: {why}"))
        return [entry for entry in entries if entry.can_wait]

    def _report(self, trouble: str | None) -> None:
        if trouble == self.trouble:
            return
        if trouble is None:
            logger.warning("the journal can be written again")
        else:
            logger.error("the journal cannot be written: %s", trouble)
        self.trouble = trouble
        _guarded(self.on_trouble, trouble)


def read_orders(path: Path, day: str = "") -> list[OrderRecord]:
    """The orders of a day in a journal file, also while a gateway uses it.

    Raises:
        JournalError: there is no such file, or it is no journal.
    """
    with contextlib.closing(connect(path, read_only=True)) as connection:
        return Store(connection).orders("day = ?", day or day_of(datetime.now(KST)))


def read_events(path: Path, after: int = 0) -> list[OrderEvent]:
    """The events after a number in a journal file, also while a gateway uses it.

    Raises:
        JournalError: there is no such file, or it is no journal.
    """
    with contextlib.closing(connect(path, read_only=True)) as connection:
        return Store(connection).events("sequence > ?", after)


def _guarded(function: Callable[..., object], *args: object) -> None:
    try:
        function(*args)
    except Exception:
        logger.exception("whoever waited for the journal has failed")
