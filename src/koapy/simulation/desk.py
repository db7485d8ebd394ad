"""The order desk: gives numbers, checks orders, carries them to the pits and books what trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation.book import Resting
from koapy.simulation.model import (
    Action,
    Fill,
    Order,
    OrderAccepted,
    OrderCleared,
    OrderConfirmed,
    OrderExpired,
    OrderFilled,
    OrderKind,
    OrderState,
    PositionChanged,
    Refusal,
    Refused,
    Side,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from koapy.simulation.account import Ledger, Tariff
    from koapy.simulation.model import Event
    from koapy.simulation.pit import Pit


class _Ticket:
    """An order of an account as it moves on; `snapshot` is what the world sees of it."""

    def __init__(
        self,
        desk: Desk,
        number: int,
        ledger: Ledger,
        pit: Pit,
        side: Side,
        kind: OrderKind,
        price: int,
        quantity: int,
        action: Action,
        original: int | None,
        time: datetime,
    ) -> None:
        self._desk = desk
        self.number = number
        self.ledger = ledger
        self.pit = pit
        self.side = side
        self.kind = kind
        self.price = price
        self.quantity = quantity
        self.action = action
        self.original = original
        self.time = time
        self.worst = price  # what a share may cost, whatever becomes of the order
        self.open = 0 if action is Action.CANCEL else quantity
        self.filled_quantity = self.filled_value = self.fee = self.tax = 0
        self.state = OrderState.ACCEPTED
        self.resting: Resting | None = None

    @property
    def code(self) -> str:
        return self.pit.instrument.code

    def snapshot(self) -> Order:
        return Order(
            number=self.number,
            account=self.ledger.number,
            code=self.code,
            side=self.side,
            kind=self.kind,
            price=self.price,
            quantity=self.quantity,
            open=self.open,
            filled=self.filled_quantity,
            filled_value=self.filled_value,
            fee=self.fee,
            tax=self.tax,
            original=self.original,
            action=self.action,
            state=self.state,
            time=self.time,
        )

    def bind(self) -> None:
        """Bind what the open part may need."""
        if self.side is Side.BUY:
            need = self.ledger.need(self.worst, self.open, self.filled_value, self.fee)
            self.ledger.reserve(self.number, need)

    def give_up(self, quantity: int) -> None:
        """Take a part out of the book and free what it bound."""
        self.open -= quantity
        if self.resting is not None:
            self.pit.book.reduce(self.resting, quantity)
        if self.side is Side.SELL:
            self.ledger.bind(self.code, -quantity)
        self.bind()

    def filled(self, price: int, quantity: int, time: datetime) -> None:
        """A part traded."""
        self._desk.book_fill(self, price, quantity, time)


class Desk:
    """All orders of one day.

    Args:
        pits: by code.
        ledgers: by account number.
        emit: takes what happens.
    """

    def __init__(
        self,
        pits: Mapping[str, Pit],
        ledgers: Mapping[str, Ledger],
        tariff: Tariff,
        emit: Callable[[Event], None],
    ) -> None:
        self._pits = pits
        self._ledgers = ledgers
        self._tariff = tariff
        self._emit = emit
        self._tickets: dict[int, _Ticket] = {}
        self._fills: list[Fill] = []

    def orders(self, account: str) -> list[Order]:
        """Orders of an account as they stand, by number."""
        return [each.snapshot() for each in self._tickets.values() if each.ledger.number == account]

    def order(self, number: int) -> Order:
        """One order as it stands. Unknown numbers raise KeyError."""
        return self._tickets[number].snapshot()

    def fills(self, account: str) -> list[Fill]:
        """Fills of an account, oldest first."""
        return [each for each in self._fills if each.order.account == account]

    def place(
        self,
        account: str,
        code: str,
        side: Side,
        kind: OrderKind,
        price: int,
        quantity: int,
        now: datetime,
        auction: bool,
    ) -> Order:
        """Accept a new order and trade what can be traded.

        Raises: Refused.
        """
        ledger, pit = self._ledger(account), self._pit(code)
        self._check_price(pit, kind, price)
        if quantity <= 0:
            raise Refused(Refusal.BAD_QUANTITY, str(quantity))
        worst = price if kind is OrderKind.LIMIT else _extreme(pit, side)
        ledger.check(code, side, worst, quantity)
        ticket = self._ticket(ledger, pit, side, kind, price, quantity, Action.NEW, None, now)
        ticket.worst = worst
        if side is Side.SELL:
            ledger.bind(code, quantity)
        ticket.bind()
        accepted = ticket.snapshot()
        self._emit(OrderAccepted(accepted, ledger.position(code) if side is Side.SELL else None))
        self._bring(ticket, now, auction)
        return accepted

    def modify(
        self, account: str, original: int, price: int, quantity: int, side: Side | None, now: datetime, auction: bool
    ) -> Order:
        """Move a part of an order to another price.

        Raises: Refused.
        """
        old, part = self._original(account, original, quantity, side)
        self._check_price(old.pit, OrderKind.LIMIT, price)
        if price == old.price:
            raise Refused(Refusal.SAME_PRICE, f"{price:,}")
        if old.side is Side.BUY:
            self._check_move(old, price, part)
        new = self._ticket(old.ledger, old.pit, old.side, OrderKind.LIMIT, price, part, Action.MODIFY, old.number, now)
        old.give_up(part)
        if new.side is Side.SELL:
            new.ledger.bind(new.code, part)
        new.bind()
        accepted = new.snapshot()
        self._emit(OrderAccepted(accepted, None))
        self._confirm(new, old, part)
        self._bring(new, now, auction)
        return accepted

    def cancel(self, account: str, original: int, quantity: int, side: Side | None, now: datetime) -> Order:
        """Cancel a part of an order.

        Raises: Refused.
        """
        old, part = self._original(account, original, quantity, side)
        ticket = self._ticket(old.ledger, old.pit, old.side, old.kind, 0, part, Action.CANCEL, old.number, now)
        old.give_up(part)
        accepted = ticket.snapshot()
        self._emit(OrderAccepted(accepted, None))
        self._confirm(ticket, old, part)
        if old.side is Side.SELL:
            self._emit(PositionChanged(account, old.ledger.position(old.code)))
        old.pit.changed()
        return accepted

    def max_quantity(self, account: str, code: str, side: Side, kind: OrderKind, price: int) -> int:
        """The largest quantity that `place` would take."""
        ledger, pit = self._ledger(account), self._pit(code)
        if side is Side.SELL:
            return ledger.orderable(code)
        return ledger.affordable(price if kind is OrderKind.LIMIT else _extreme(pit, side))

    def expire(self) -> None:
        """End the day: what is open is open no more."""
        for ticket in self._tickets.values():
            if not ticket.open:
                continue
            ticket.state = OrderState.EXPIRED
            self._emit(OrderExpired(ticket.snapshot()))
            ticket.give_up(ticket.open)

    def start_day(self) -> None:
        """Begin a day: numbers start at 1."""
        self._tickets.clear()
        self._fills.clear()
        for ledger in self._ledgers.values():
            ledger.start_day()

    def price_rest(self) -> None:
        """After an auction: market orders that did not trade in full wait as limit orders at the last price."""
        for ticket in self._tickets.values():
            if ticket.open and ticket.kind is OrderKind.MARKET and ticket.resting is not None:
                ticket.pit.book.remove(ticket.resting)
                self._rest(ticket, _waiting_price(ticket))

    def book_fill(self, ticket: _Ticket, price: int, quantity: int, time: datetime) -> None:
        """Book a part of an order that traded."""
        value = price * quantity
        ticket.open -= quantity
        ticket.filled_quantity += quantity
        ticket.filled_value += value
        ticket.state = OrderState.FILLED
        # Of the order's sum, not of the fill's, so that what an order costs does not depend on how it was cut up.
        fee = self._tariff.commission(ticket.filled_value) - ticket.fee
        tax = self._tariff.sale_tax(ticket.code, ticket.filled_value) - ticket.tax if ticket.side is Side.SELL else 0
        ticket.fee += fee
        ticket.tax += tax
        if ticket.side is Side.BUY:
            costs = ticket.ledger.bought(ticket.code, quantity, value, fee)
        else:
            costs = ticket.ledger.sold(ticket.code, quantity, value, fee, tax)
        ticket.bind()
        order = ticket.snapshot()
        fill = Fill(len(self._fills) + 1, order, price, quantity, time, costs.fee, costs.tax, costs.realised)
        self._fills.append(fill)
        self._emit(OrderFilled(order, fill, ticket.ledger.position(ticket.code), ticket.ledger.account()))

    def _ticket(
        self,
        ledger: Ledger,
        pit: Pit,
        side: Side,
        kind: OrderKind,
        price: int,
        quantity: int,
        action: Action,
        original: int | None,
        now: datetime,
    ) -> _Ticket:
        number = len(self._tickets) + 1
        ticket = _Ticket(self, number, ledger, pit, side, kind, price, quantity, action, original, now)
        self._tickets[number] = ticket
        return ticket

    def _ledger(self, account: str) -> Ledger:
        if account not in self._ledgers:
            raise Refused(Refusal.NO_SUCH_ACCOUNT, account)
        return self._ledgers[account]

    def _pit(self, code: str) -> Pit:
        if code not in self._pits:
            raise Refused(Refusal.NO_SUCH_CODE, code)
        return self._pits[code]

    def _check_price(self, pit: Pit, kind: OrderKind, price: int) -> None:
        if kind is OrderKind.MARKET:
            if price:
                raise Refused(Refusal.PRICE_WITH_MARKET, f"{price:,}")
            return
        day = pit.instrument
        if not day.lower <= price <= day.upper:
            raise Refused(Refusal.OUTSIDE_LIMITS, f"{price:,} is not within {day.lower:,} and {day.upper:,}")
        if price != pit.ladder.floor(price):
            raise Refused(Refusal.BAD_TICK, f"the tick at {price:,} is {pit.ladder.tick(price):,}")

    def _original(self, account: str, number: int, quantity: int, side: Side | None) -> tuple[_Ticket, int]:
        """The order that is to be changed, and how much of it."""
        ledger = self._ledger(account)
        old = self._tickets.get(number)
        if old is None or old.ledger is not ledger:
            raise Refused(Refusal.NO_SUCH_ORDER, str(number))
        if side is not None and side is not old.side:
            raise Refused(Refusal.SIDE_MISMATCH, f"{number} is a {old.side.value}")
        if not old.open:
            raise Refused(Refusal.NOTHING_OPEN, str(number))
        if quantity < 0:
            raise Refused(Refusal.BAD_QUANTITY, str(quantity))
        if quantity > old.open:
            raise Refused(Refusal.TOO_MUCH, f"{quantity:,} asked for, {old.open:,} open")
        return old, quantity or old.open

    def _check_move(self, old: _Ticket, price: int, part: int) -> None:
        """Make sure that a buy can be paid at its new price."""
        ledger = old.ledger
        kept = ledger.need(old.worst, old.open - part, old.filled_value, old.fee)
        free = ledger.orderable_cash + ledger.reserved(old.number) - kept
        need = ledger.need(price, part)
        if need > free:
            raise Refused(Refusal.NO_CASH, f"{need:,} won needed, {free:,} there")

    def _confirm(self, ticket: _Ticket, old: _Ticket, part: int) -> None:
        ticket.state = OrderState.CONFIRMED
        self._emit(OrderConfirmed(ticket.snapshot(), old.snapshot(), part))
        if not old.open:
            self._emit(OrderCleared(old.snapshot()))

    def _bring(self, ticket: _Ticket, now: datetime, auction: bool) -> None:
        """Take an order to its pit."""
        if auction:
            self._rest(ticket, ticket.worst)
        else:
            ticket.pit.trade(ticket.side, ticket.quantity, ticket.worst, now, ticket)
            if ticket.open:
                self._rest(ticket, ticket.price or _waiting_price(ticket))
        ticket.pit.changed()

    def _rest(self, ticket: _Ticket, price: int) -> None:
        ticket.resting = Resting(ticket.side, price, ticket.open, ticket)
        ticket.pit.book.add(ticket.resting)


def _extreme(pit: Pit, side: Side) -> int:
    """The worst price that a market order can get today."""
    return pit.instrument.upper if side is Side.BUY else pit.instrument.lower


def _waiting_price(ticket: _Ticket) -> int:
    """Where the rest of a market order waits: at the last price, but not behind the best one of its own side."""
    last, best = ticket.pit.last(), ticket.pit.book.best(ticket.side)
    if not best:
        return last
    return max(last, best) if ticket.side is Side.BUY else min(last, best)
