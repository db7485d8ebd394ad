"""The blotter: all orders and fills of one day, and which of them have changed since they were last kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from koapy.simulation.model import Fill, Order
    from koapy.simulation.ticket import Ticket


class Blotter:
    """Orders by number, fills in the order in which they came."""

    def __init__(self) -> None:
        self._tickets: dict[int, Ticket] = {}
        self._fills: list[Fill] = []
        self._changed: dict[int, None] = {}
        """Numbers of the orders that have changed since `take_changed`."""
        self._taken = 0
        """Fills that were there then."""

    @property
    def next_order(self) -> int:
        """The number of the next order."""
        return len(self._tickets) + 1

    @property
    def next_fill(self) -> int:
        """The number of the next fill."""
        return len(self._fills) + 1

    def enter(self, ticket: Ticket) -> None:
        """Add an order, which has the next number."""
        self._tickets[ticket.number] = ticket
        self.touch(ticket)

    def touch(self, ticket: Ticket) -> None:
        """Note that an order has changed."""
        self._changed[ticket.number] = None

    def add(self, fill: Fill) -> None:
        """Add a fill, which has the next number."""
        self._fills.append(fill)

    def open(self) -> Iterator[Ticket]:
        """Those of which something is open when it is their turn, by number."""
        return (each for each in tuple(self._tickets.values()) if each.open)

    def ticket(self, number: int) -> Ticket | None:
        """One order."""
        return self._tickets.get(number)

    def order(self, number: int) -> Order:
        """One order as it stands. Unknown numbers raise KeyError."""
        return self._tickets[number].snapshot()

    def orders(self, account: str) -> list[Order]:
        """Orders of an account as they stand, by number."""
        return [each.snapshot() for each in self._tickets.values() if each.ledger.number == account]

    def fills(self, account: str) -> list[Fill]:
        """Fills of an account, oldest first."""
        return [each for each in self._fills if each.order.account == account]

    def everything(self) -> tuple[list[Ticket], list[Fill]]:
        """All orders and fills of the day."""
        return list(self._tickets.values()), list(self._fills)

    def take_changed(self) -> tuple[list[Ticket], list[Fill]]:
        """Orders and fills that have changed, or come, since the last time."""
        tickets, fills = [self._tickets[number] for number in self._changed], self._fills[self._taken :]
        self._changed.clear()
        self._taken = len(self._fills)
        return tickets, fills

    def put_back(self, tickets: Iterable[Ticket], fills: list[Fill]) -> None:
        """Have `take_changed` give these again."""
        self._changed |= dict.fromkeys(each.number for each in tickets)
        self._taken -= len(fills)

    def start_day(self) -> None:
        """Begin a day: numbers start at 1."""
        self._tickets.clear()
        self._fills.clear()
        self._changed.clear()
        self._taken = 0
