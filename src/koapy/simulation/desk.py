"""The order desk: takes orders of accounts, checks them, gives them numbers and books what trades."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from koapy.simulation import plain
from koapy.simulation.model import (
    Action,
    Fill,
    Order,
    OrderAccepted,
    OrderCleared,
    OrderConfirmed,
    OrderFilled,
    OrderKind,
    OrderState,
    Phase,
    PositionChanged,
    Refusal,
    Refused,
    Side,
)
from koapy.simulation.ticket import Ticket, check_price, limit_of, worst_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from koapy.simulation.account import Ledger, Tariff
    from koapy.simulation.blotter import Blotter
    from koapy.simulation.floor import Floor
    from koapy.simulation.holding import Key
    from koapy.simulation.model import Credit, Event
    from koapy.simulation.pit import Pit


class Desk:
    """Where accounts give orders.

    Args:
        pits: by code.
        ledgers: by account number.
        blotter: takes orders and fills.
        floor: takes orders to their pits.
        emit: takes what happens.
    """

    def __init__(
        self,
        pits: Mapping[str, Pit],
        ledgers: Mapping[str, Ledger],
        tariff: Tariff,
        blotter: Blotter,
        floor: Floor,
        emit: Callable[[Event], None],
    ) -> None:
        self._pits = pits
        self._ledgers = ledgers
        self._tariff = tariff
        self._blotter = blotter
        self._floor = floor
        self._emit = emit

    def place(
        self,
        account: str,
        code: str,
        side: Side,
        kind: OrderKind,
        price: int,
        quantity: int,
        now: datetime,
        credit: Credit | None = None,
    ) -> Order:
        """Accept a new order and trade what can be traded.

        Raises: Refused.
        """
        ledger, pit = self._ledger(account), self._pit(code)
        _check_kind(pit, kind)
        check_price(pit, kind, price)
        if quantity <= 0:
            raise Refused(Refusal.BAD_QUANTITY, str(quantity))
        limit = limit_of(pit, side, kind, price)
        worst = worst_of(pit, side, kind, limit)
        if side is Side.BUY:
            if credit is not None and self._tariff.margin(code) == 100:
                raise Refused(Refusal.NO_CREDIT, code)
            ledger.check_cash(worst, quantity, ledger.share(code, credit))
        elif (there := _free(ledger, code, credit)) < quantity:
            raise Refused(Refusal.NOT_HELD, f"{quantity:,} of {code} asked for, {there:,} there")
        ticket = self._ticket(ledger, pit, side, kind, price, quantity, Action.NEW, None, now, credit)
        ticket.limit, ticket.worst = limit, worst
        if side is Side.SELL:
            ticket.draw()
        ticket.bind()
        accepted = ticket.snapshot()
        self._emit(OrderAccepted(accepted, ledger.position(ticket.lots[0][0]) if side is Side.SELL else None))
        self._floor.bring(ticket, now)
        return accepted

    def modify(self, account: str, original: int, price: int, quantity: int, side: Side | None, now: datetime) -> Order:
        """Move a part of an order to another price.

        Raises: Refused.
        """
        old, part = self._original(account, original, quantity, side)
        # What had no price of its own has one from here on; a conditional order stays one until it has been converted.
        stays = old.kind.after_hours or (old.kind is OrderKind.CONDITIONAL and not old.unpriced)
        kind = old.kind if stays else OrderKind.LIMIT
        check_price(old.pit, kind, price)
        if price == old.price:
            raise Refused(Refusal.SAME_PRICE, f"{price:,}")
        worst = worst_of(old.pit, old.side, kind, price)
        if old.side is Side.BUY:
            self._check_move(old, worst, part)
        new = self._ticket(old.ledger, old.pit, old.side, kind, price, part, Action.MODIFY, old.number, now, old.credit)
        new.worst = worst
        old.give_up(part)
        if new.side is Side.SELL:
            new.draw()
        new.bind()
        accepted = new.snapshot()
        self._emit(OrderAccepted(accepted, None))
        self._confirm(new, old, part)
        self._floor.bring(new, now)
        return accepted

    def cancel(self, account: str, original: int, quantity: int, side: Side | None, now: datetime) -> Order:
        """Cancel a part of an order.

        Raises: Refused.
        """
        old, part = self._original(account, original, quantity, side)
        ticket = self._ticket(
            old.ledger, old.pit, old.side, old.kind, 0, part, Action.CANCEL, old.number, now, old.credit
        )
        key = old.lots[-1][0] if old.lots else None
        old.give_up(part)
        accepted = ticket.snapshot()
        self._emit(OrderAccepted(accepted, None))
        self._confirm(ticket, old, part)
        if key is not None:
            self._emit(PositionChanged(account, old.ledger.position(key)))
        old.pit.changed()
        return accepted

    def max_quantity(
        self, account: str, code: str, side: Side, kind: OrderKind, price: int, credit: Credit | None = None
    ) -> int:
        """The largest quantity that `place` would take."""
        ledger, pit = self._ledger(account), self._pit(code)
        if side is Side.SELL:
            return _free(ledger, code, credit)
        limit = limit_of(pit, side, kind, price)
        return ledger.affordable(worst_of(pit, side, kind, limit), ledger.share(code, credit))

    def restore(self, orders: Iterable[dict[str, Any]], fills: Iterable[dict[str, Any]]) -> None:
        """Take up the orders of a day as they were kept; those that are open wait for `reopen`."""
        for values in orders:
            order = plain.order({each.name: values[each.name] for each in fields(Order)})
            ticket = self._ticket(
                self._ledgers[order.account],
                self._pits[order.code],
                order.side,
                order.kind,
                order.price,
                order.quantity,
                order.action,
                order.original,
                order.time,
                order.credit,
            )
            ticket.restore(values)
        for each in fills:
            self._blotter.add(plain.fill(each))

    def book_fill(self, ticket: Ticket, price: int, quantity: int, time: datetime) -> None:
        """Book a part of an order that traded."""
        self._blotter.touch(ticket)
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
        ledger, code = ticket.ledger, ticket.code
        if ticket.side is Side.BUY:
            realised = 0
            key = ledger.bought(code, quantity, value, fee, ticket.credit)
        else:
            key, realised = self._delivered(ticket, price, quantity, fee, tax)
        ticket.bind()
        order = ticket.snapshot()
        fill = Fill(self._blotter.next_fill, order, price, quantity, time, fee, tax, realised)
        self._blotter.add(fill)
        self._emit(OrderFilled(order, fill, ledger.position(key), ledger.account()))

    def _delivered(self, ticket: Ticket, price: int, quantity: int, fee: int, tax: int) -> tuple[Key, int]:
        """Book a fill of a sale on what it draws on; give the last of it, and the profit of all."""
        realised, left, fee_left, tax_left = 0, quantity, fee, tax
        key = ticket.lots[0][0]
        for key, part in ticket.deliver(quantity):
            own_fee, own_tax = fee_left * part // left, tax_left * part // left
            realised += ticket.ledger.sold(key, part, price * part, own_fee, own_tax)
            left, fee_left, tax_left = left - part, fee_left - own_fee, tax_left - own_tax
        return key, realised

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
        credit: Credit | None,
    ) -> Ticket:
        number = self._blotter.next_order
        ticket = Ticket(number, ledger, pit, side, kind, price, quantity, action, original, now, credit, self.book_fill)
        self._blotter.enter(ticket)
        return ticket

    def _ledger(self, account: str) -> Ledger:
        if account not in self._ledgers:
            raise Refused(Refusal.NO_SUCH_ACCOUNT, account)
        return self._ledgers[account]

    def _pit(self, code: str) -> Pit:
        if code not in self._pits:
            raise Refused(Refusal.NO_SUCH_CODE, code)
        return self._pits[code]

    def _original(self, account: str, number: int, quantity: int, side: Side | None) -> tuple[Ticket, int]:
        """The order that is to be changed, and how much of it."""
        ledger = self._ledger(account)
        old = self._blotter.ticket(number)
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

    def _check_move(self, old: Ticket, price: int, part: int) -> None:
        """Make sure that a buy can be paid at its new price."""
        ledger = old.ledger
        share = ledger.share(old.code, old.credit)
        kept = ledger.need(old.worst, old.open - part, share, old.filled_value, old.fee)
        free = ledger.orderable_cash + ledger.reserved(old.number) - kept
        need = ledger.need(price, part, share)
        if need > free:
            raise Refused(Refusal.NO_CASH, f"{need:,} won needed, {free:,} there")

    def _confirm(self, ticket: Ticket, old: Ticket, part: int) -> None:
        ticket.state = OrderState.CONFIRMED
        self._blotter.touch(old)
        self._emit(OrderConfirmed(ticket.snapshot(), old.snapshot(), part))
        if not old.open:
            self._emit(OrderCleared(old.snapshot()))


def _free(ledger: Ledger, code: str, credit: Credit | None) -> int:
    """Shares that a new sale may offer."""
    return sum(free for _, free in ledger.lots(code, credit))


def _check_kind(pit: Pit, kind: OrderKind) -> None:
    """Make sure that the phase takes this kind of order.

    Raises: Refused.
    """
    if kind in (OrderKind.LIMIT, OrderKind.MARKET):
        return
    if kind.after_hours:
        taken = pit.after_hours is not None and pit.after_hours.kind is kind and pit.interruption is None
        if not taken or pit.evening is None:
            raise Refused(Refusal.KIND_NOT_NOW, f"{kind.value} in {pit.phase.value}")
        return
    if pit.auction if kind is not OrderKind.CONDITIONAL else pit.phase is Phase.CLOSING_AUCTION:
        raise Refused(Refusal.KIND_NOT_NOW, f"{kind.value} in {pit.phase.value}")
