"""The trading floor: where accepted orders trade, wait and end, and what the day does to those that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation.book import Resting
from koapy.simulation.model import AfterHours, OrderCleared, OrderExpired, OrderKind, OrderState, PositionChanged
from koapy.simulation.ticket import extreme, waiting_price

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from datetime import datetime

    from koapy.simulation.blotter import Blotter
    from koapy.simulation.model import Event
    from koapy.simulation.ticket import Ticket


class Floor:
    """Carries orders to their pits.

    Args:
        blotter: has all orders of the day.
        emit: takes what happens.
    """

    def __init__(self, blotter: Blotter, emit: Callable[[Event], None]) -> None:
        self._blotter = blotter
        self._emit = emit

    def bring(self, ticket: Ticket, now: datetime) -> None:
        """Trade what can be traded of a new order, and let the rest wait where its kind does."""
        pit, kind = ticket.pit, ticket.kind
        if kind.after_hours:
            self._bring_late(ticket, now)
            return
        if not pit.auction and (not kind.whole or pit.reachable(ticket.side, ticket.limit) >= ticket.quantity):
            pit.trade(ticket.side, ticket.quantity, ticket.limit, now, ticket)
        if ticket.open:
            if kind.immediate:
                self._drop(ticket)
            elif pit.auction:
                self._rest(ticket, ticket.limit, unpriced=kind.unlimited)
            else:
                self._rest(ticket, waiting_price(ticket) if kind.unlimited else ticket.limit)
        pit.changed()

    def reopen(self, now: datetime) -> None:
        """Bring the open orders of a day that is taken up again back to their books, first come first."""
        for ticket in self._blotter.open():
            pit = ticket.pit
            if ticket.kind.after_hours:
                self._rest_late(ticket)
                continue
            if not pit.auction:
                pit.trade(ticket.side, ticket.open, ticket.limit, now, ticket)
            if ticket.open and ticket.unpriced and not pit.auction:
                self._rest(ticket, waiting_price(ticket))
            elif ticket.open:
                self._rest(ticket, ticket.limit, unpriced=ticket.unpriced)

    def convert(self) -> None:
        """The closing auction begins: conditional orders become market orders."""
        for ticket in self._blotter.open():
            if ticket.kind is OrderKind.CONDITIONAL and ticket.resting is not None:
                ticket.pit.book.remove(ticket.resting)
                self._rest(ticket, extreme(ticket.pit, ticket.side), unpriced=True)

    def price_rest(self, codes: Container[str]) -> None:
        """After an auction: market orders that did not trade in full wait as limit orders at the last price."""
        for ticket in self._blotter.open():
            if ticket.unpriced and ticket.resting is not None and ticket.code in codes:
                ticket.pit.book.remove(ticket.resting)
                self._rest(ticket, waiting_price(ticket))

    def expire(self, codes: Container[str], *, but: OrderKind | None = None) -> None:
        """End the day of some issues: what is open is open no more, but for orders of one kind."""
        for ticket in self._blotter.open():
            if ticket.code not in codes or ticket.kind is but:
                continue
            ticket.state = OrderState.EXPIRED
            self._blotter.touch(ticket)
            self._emit(OrderExpired(ticket.snapshot()))
            ticket.give_up(ticket.open)

    def _bring_late(self, ticket: Ticket, now: datetime) -> None:
        """Take an order to where there is trading outside the day's hours."""
        evening = ticket.pit.evening
        if evening is None:
            return
        if ticket.pit.after_hours in (AfterHours.EARLY, AfterHours.LATE):
            evening.bring(ticket.side, ticket.quantity, ticket.limit, now, ticket)
        if ticket.open:
            self._rest_late(ticket)
        evening.changed()

    def _rest_late(self, ticket: Ticket) -> None:
        if ticket.pit.evening is not None:
            ticket.book = ticket.pit.evening.book
            self._rest(ticket, ticket.limit)

    def _drop(self, ticket: Ticket) -> None:
        """Cancel what an immediate order did not trade."""
        key = ticket.lots[-1][0] if ticket.lots else None
        ticket.give_up(ticket.open)
        self._emit(OrderCleared(ticket.snapshot()))
        if key is not None:
            self._emit(PositionChanged(ticket.ledger.number, ticket.ledger.position(key)))

    def _rest(self, ticket: Ticket, price: int, *, unpriced: bool = False) -> None:
        ticket.limit, ticket.unpriced = price, unpriced
        self._blotter.touch(ticket)
        ticket.resting = Resting(ticket.side, price, ticket.open, ticket)
        ticket.book.add(ticket.resting)
