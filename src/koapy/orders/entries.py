"""What the journal's thread is given: something to be written, and whom to tell when it is on disk."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from koapy.openapi.calendar import KST
from koapy.orders import state, store

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.orders.book import Book
    from koapy.orders.journal import Journal
    from koapy.orders.model import Halt, OrderEvent, OrderRecord

    Then = Callable[[OrderRecord | Exception], object]
    """Called on the writing thread with the order as it is on disk, or with JournalFailed: nothing is."""

logger = logging.getLogger(__name__)


def promised() -> Future[Any]:
    """A future that is under way: what is given to the journal is written, whether or not somebody still waits."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


class Entry(Protocol):
    """Something to be written, and whom to tell."""

    can_wait: bool
    """Whether it is kept for a disk that refuses it."""

    def write(self, book: Book) -> None:
        """Put it into the book; what is raised says that the entry itself is wrong."""

    def done(self) -> None:
        """It is on disk."""

    def failed(self, error: Exception) -> None:
        """It is not, and never will be."""


class Intent:
    """An order that is about to be sent."""

    can_wait = False

    def __init__(self, record: OrderRecord, then: Then) -> None:
        self._record = record
        self._then = then

    def write(self, book: Book) -> None:
        """Put it into the book."""
        book.add(self._record)

    def done(self) -> None:
        """Tell who waits for it."""
        self._then(self._record)

    def failed(self, error: Exception) -> None:
        """Tell who waits for it."""
        self._then(error)


class Change:
    """An order becomes something else."""

    can_wait = True

    def __init__(self, order_id: int, to: Callable[[OrderRecord], state.Changes], then: Then) -> None:
        self._order_id = order_id
        self._to = to
        self._then = then
        self._record: OrderRecord | None = None

    def write(self, book: Book) -> None:
        """Put it into the book."""
        record = book.order(self._order_id)
        self._record = state.changed(record, self._to(record), datetime.now(KST))
        if self._record is not record:
            book.change(self._record)

    def done(self) -> None:
        """Tell who waits for it."""
        assert self._record is not None
        self._then(self._record)

    def failed(self, error: Exception) -> None:
        """Tell who waits for it."""
        self._then(error)


class Probe:
    """Finds out whether the disk takes anything."""

    can_wait = False

    def write(self, book: Book) -> None:
        """Put it into the book."""
        book.note(store.meta("probed", datetime.now(KST).isoformat()))

    def done(self) -> None:
        """Nobody waits for it."""

    def failed(self, error: Exception) -> None:
        """Nobody waits for it."""


class Told:
    """An event."""

    can_wait = True

    def __init__(self, event: OrderEvent, then: Callable[[int], object]) -> None:
        self._event = event
        self._then = then
        self._order_id = 0

    def write(self, book: Book) -> None:
        """Put it into the book."""
        self._order_id = book.tell(self._event)

    def done(self) -> None:
        """Tell who waits for it."""
        self._then(self._order_id)

    def failed(self, error: Exception) -> None:
        """Nobody waits for it but those who follow the numbers."""
        logger.error("event %d is missing in the journal: %s", self._event.sequence, error)


class Barrier:
    """Something that is to happen when all before it is on disk and told."""

    can_wait = True

    def __init__(self, then: Callable[[], object]) -> None:
        self._then = then

    def write(self, book: Book) -> None:
        """Nothing to write."""

    def done(self) -> None:
        """Tell who waits for it."""
        self._then()

    def failed(self, error: Exception) -> None:
        """Cannot happen, as nothing is written."""


class SetHalt:
    """The kill switch."""

    can_wait = False

    def __init__(self, halt: Halt | None, journal: Journal) -> None:
        self._halt = halt
        self._journal = journal
        self.future: Future[Halt | None] = promised()

    def write(self, book: Book) -> None:
        """Put it into the book."""
        book.note(store.halt(self._halt))

    def done(self) -> None:
        """Tell who waits for it."""
        self._journal.halted = self._halt
        self.future.set_result(self._halt)

    def failed(self, error: Exception) -> None:
        """Tell who waits for it."""
        self.future.set_exception(error)
