"""The orders that are being written: what is known of them in memory, and what of it is not in the file yet.

Every entry of a transaction changes the book, and the book goes into the file once, with one statement for each kind of
row. An order that is not in memory is read; the file stays the truth, and a book that has been forgotten is as good.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING

from koapy.orders import state, store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from koapy.orders.model import OrderEvent, OrderRecord
    from koapy.orders.store import Statement, Store

REMEMBERED = 4096
"""Orders, numbers without an order, and order events without one, that are kept in memory."""


class Book:
    """Belongs to the thread that writes, but for `known`."""

    def __init__(self, file: Store) -> None:
        self._file = file
        self._orders: OrderedDict[int, OrderRecord] = OrderedDict()
        self._of_request: dict[str, int] = {}
        self._of_number: OrderedDict[tuple[str, str], int | None] = OrderedDict()
        """The newest order of an account and a number; None: there is none."""
        self._unclaimed: dict[str, list[OrderEvent]] = defaultdict(list)
        """Events of orders that nobody knows, by their number: they may have overtaken the answer that tells it."""
        self._unclaimed_numbers: deque[tuple[int, str]] = deque()
        """The same ones' sequence and number, oldest first."""
        self._unclaimed_since = file.last_sequence + 1
        """From which sequence on all of them are here."""
        self._new: dict[int, OrderRecord] = {}
        self._changed: dict[int, OrderRecord] = {}
        self._told: list[tuple[OrderEvent, int]] = []
        """Events, and the orders that they tell of."""
        self._freed: list[int] = []
        """Orders whose keys may be used again."""
        self._claims: list[OrderRecord] = []
        """Orders whose first events were written before anybody knew whose they were."""
        self._notes: list[Statement] = []

    def known(self, order_id: int) -> OrderRecord | None:
        """An order as it is in the file, where it is in memory. May be called on any thread."""
        found = self._orders.get(order_id)
        # In this order: what is not in the file is noted before it is kept.
        return None if order_id in self._new or order_id in self._changed else found

    def add(self, record: OrderRecord) -> None:
        """A new order."""
        self._new[record.id] = record
        self._keep(record)

    def order(self, order_id: int) -> OrderRecord:
        """An order as it is by now. Raises: LookupError."""
        found = self._orders.get(order_id)
        if found is None:
            for found in self._file.orders("id = ?", order_id):
                self._keep(found)
        if found is None:
            raise LookupError(f"there is no order {order_id}")
        return found

    def change(self, record: OrderRecord) -> None:
        """An order that has been asked for has become this."""
        if record.key is None and self._orders[record.id].key is not None:
            self._freed.append(record.id)
        if record.id in self._new:
            self._new[record.id] = record
        else:
            self._changed[record.id] = record
        self._keep(record)

    def tell(self, event: OrderEvent) -> int:
        """A new event, and what it makes of the orders; gives the id of the order that it tells of, 0 for none."""
        concerned = self._concerned(event)
        own = next((each.id for each in concerned if event.request == each.request or event.number == each.number), 0)
        if not own and event.gubun == state.ORDER:
            self._wait_for_number(event)
        self._told.append((event, own))
        for record in concerned:
            changed = state.told(record, event)
            if changed.number and not record.number:
                changed = self._claim(changed)
            if changed is not record:
                self.change(changed)
        return own

    def note(self, statement: Statement) -> None:
        """Something of the file besides orders and events."""
        self._notes.append(statement)

    def write(self) -> None:
        """Put into the file what is not there yet, all of it or nothing."""
        self._file.write(
            [
                *store.new_orders(self._new.values()),
                *store.new_events(self._told),
                *store.changed_orders(self._changed.values()),
                *map(store.freed_key, self._freed),
                *map(store.claimed_events, self._claims),
                *self._notes,
            ]
        )
        self._written()

    def _written(self) -> None:
        self._new.clear()
        self._changed.clear()
        self._told.clear()
        self._freed.clear()
        self._claims.clear()
        self._notes.clear()
        while len(self._orders) > REMEMBERED:
            _, gone = self._orders.popitem(last=False)
            self._of_request.pop(gone.request, None)
            self._of_number.pop((gone.order.account, gone.number), None)
        while len(self._of_number) > 2 * REMEMBERED:
            self._of_number.popitem(last=False)

    def _keep(self, record: OrderRecord) -> None:
        self._orders[record.id] = record
        self._of_request[record.request] = record.id
        if record.number:
            self._note(record.order.account, record.number, record.id)

    def _note(self, account: str, number: str, order_id: int | None) -> None:
        known = self._of_number.get((account, number))
        if order_id is None or known is None or order_id > known:
            self._of_number[account, number] = order_id

    def _wait_for_number(self, event: OrderEvent) -> None:
        self._unclaimed[event.number].append(event)
        self._unclaimed_numbers.append((event.sequence, event.number))
        if len(self._unclaimed_numbers) > REMEMBERED:
            sequence, number = self._unclaimed_numbers.popleft()
            self._unclaimed_since = sequence + 1
            self._unclaimed.pop(number, None)

    def _claim(self, record: OrderRecord) -> OrderRecord:
        """The order has its number: what overtook the answer is its own."""
        early = self._unclaimed.pop(record.number, ())
        if record.first_sequence < self._unclaimed_since:  # some may be in the file alone
            kept = self._file.events("number = ? AND sequence >= ?", record.number, record.first_sequence)
            early = [*kept, *(event for event, _ in self._told if event.number == record.number)]
        early = [each for each in early if each.sequence >= record.first_sequence]
        if early:
            self._claims.append(record)
        when = record.changed
        for each in early:
            record = state.told(record, each)
        return record._replace(changed=when) if early else record

    def _concerned(self, event: OrderEvent) -> Iterable[OrderRecord]:
        """The orders that an event may be about, by their ids."""
        if event.request:
            return self._by_request(event.request)
        if event.gubun != state.ORDER:
            return ()
        found = {self._by_number(event.account, number) for number in (event.number, event.original) if number}
        return [self.order(each) for each in sorted(each for each in found if each is not None)]

    def _by_request(self, request: str) -> list[OrderRecord]:
        known = self._of_request.get(request)
        if known is not None:
            return [self.order(known)]
        found = self._file.orders("request = ?", request)
        for each in found:
            self._keep(each)
        return found

    def _by_number(self, account: str, number: str) -> int | None:
        key = (account, number)
        if key not in self._of_number:
            newest = "id = (SELECT max(id) FROM orders WHERE account = ? AND number = ? AND number <> '')"
            found = self._file.orders(newest, account, number)
            for each in found:
                self._keep(each)
            if not found:
                self._note(account, number, None)
        return self._of_number[key]
