"""An order of an account on its way, and the prices that its kind stands for."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from koapy.simulation import plain
from koapy.simulation.model import Action, Order, OrderKind, OrderState, Refusal, Refused, Side

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from koapy.simulation.account import Ledger
    from koapy.simulation.book import Resting
    from koapy.simulation.holding import Key
    from koapy.simulation.model import Credit
    from koapy.simulation.pit import Pit


class Ticket:
    """An order as it moves on; `snapshot` is what the world sees of it.

    Args:
        book_fill: called with ticket, price, quantity and time when a part trades.
    """

    def __init__(
        self,
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
        credit: Credit | None,
        book_fill: Callable[[Ticket, int, int, datetime], None],
    ) -> None:
        self._book_fill = book_fill
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
        self.credit = credit
        self.lots: list[tuple[Key, int]] = []
        """Of a sale: what it draws on, and how much of each is still open."""
        self.limit = price
        """The worst price at which it may trade now."""
        self.worst = price
        """What a share may cost, whatever becomes of the order."""
        self.open = 0 if action is Action.CANCEL else quantity
        self.filled_quantity = self.filled_value = self.fee = self.tax = 0
        self.state = OrderState.ACCEPTED
        self.resting: Resting | None = None
        self.book = pit.book
        """Where it waits, if it does."""
        self.unpriced = False
        """Waits in an auction at any price."""

    @property
    def code(self) -> str:
        """Of the issue."""
        return self.pit.instrument.code

    def snapshot(self) -> Order:
        """The order as it stands."""
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
            credit=self.credit,
        )

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            **plain.plain(self.snapshot()),
            "limit": self.limit,
            "worst": self.worst,
            "unpriced": self.unpriced,
            "lots": [(code, plain.plain(loan_date), count) for (code, loan_date), count in self.lots],
        }

    def restore(self, values: dict[str, Any]) -> None:
        """Become what `dump` gave, and bind what it bound; it does not wait in the book yet."""
        order = plain.order({each.name: values[each.name] for each in fields(Order)})
        self.open, self.state = order.open, order.state
        self.filled_quantity, self.filled_value = order.filled, order.filled_value
        self.fee, self.tax = order.fee, order.tax
        self.limit, self.worst, self.unpriced = values["limit"], values["worst"], values["unpriced"]
        self.lots = [((code, plain.day(loan_date)), count) for code, loan_date, count in values["lots"]]
        for key, count in self.lots:
            self.ledger.bind(key, count)
        self.bind()

    def draw(self) -> None:
        """Bind the shares that a sale offers, the oldest loan's first."""
        left = self.open
        for key, free in self.ledger.lots(self.code, self.credit):
            part = min(left, free)
            if part:
                self.lots.append((key, part))
                self.ledger.bind(key, part)
            left -= part

    def deliver(self, quantity: int) -> list[tuple[Key, int]]:
        """Take so many shares that traded from what the sale draws on."""
        taken = []
        while quantity:
            key, there = self.lots.pop(0)
            part = min(quantity, there)
            if part < there:
                self.lots.insert(0, (key, there - part))
            taken.append((key, part))
            quantity -= part
        return taken

    def bind(self) -> None:
        """Bind the cash that the open part of a buy may need."""
        if self.side is Side.BUY:
            share = self.ledger.share(self.code, self.credit)
            need = self.ledger.need(self.worst, self.open, share, self.filled_value, self.fee)
            self.ledger.reserve(self.number, need)

    def give_up(self, quantity: int) -> None:
        """Take a part out of the book and free what it bound."""
        self.open -= quantity
        if self.resting is not None:
            self.book.reduce(self.resting, quantity)
        while quantity and self.lots:
            key, there = self.lots.pop()
            part = min(quantity, there)
            if part < there:
                self.lots.append((key, there - part))
            self.ledger.bind(key, -part)
            quantity -= part
        self.bind()

    def filled(self, price: int, quantity: int, time: datetime) -> None:
        """A part traded."""
        self._book_fill(self, price, quantity, time)


def check_price(pit: Pit, kind: OrderKind, price: int) -> None:
    """Make sure that an order names a price that its kind and the day allow.

    Raises: Refused.
    """
    if not kind.priced:
        if price:
            raise Refused(Refusal.PRICE_WITH_MARKET, f"{price:,}")
        return
    lower, upper = pit.instrument.lower, pit.instrument.upper
    if kind is OrderKind.LATE_AUCTION and pit.evening is not None:
        lower, upper = pit.evening.limits
    if not lower <= price <= upper:
        raise Refused(Refusal.OUTSIDE_LIMITS, f"{price:,} is not within {lower:,} and {upper:,}")
    if price != pit.ladder.floor(price):
        raise Refused(Refusal.BAD_TICK, f"the tick at {price:,} is {pit.ladder.tick(price):,}")


def limit_of(pit: Pit, side: Side, kind: OrderKind, price: int) -> int:
    """The worst price at which a new order may trade.

    Raises: Refused, when it is the book's to say and the book is empty there.
    """
    if kind.priced:
        return price
    if kind.unlimited:
        return extreme(pit, side)
    if kind.after_hours:
        return pit.instrument.base_price if kind is OrderKind.EARLY_CLOSE else pit.last()
    best = pit.book.best(side if kind is OrderKind.PRIORITY else side.other)
    if not best:
        raise Refused(Refusal.NOTHING_TO_MEET, kind.value)
    return best


def worst_of(pit: Pit, side: Side, kind: OrderKind, limit: int) -> int:
    """What a share may cost at most; a conditional order may become a market order."""
    return extreme(pit, side) if kind is OrderKind.CONDITIONAL else limit


def extreme(pit: Pit, side: Side) -> int:
    """The worst price that an order can get today."""
    return pit.instrument.upper if side is Side.BUY else pit.instrument.lower


def waiting_price(ticket: Ticket) -> int:
    """Where the rest of a market order waits: at the last price, but not behind the best one of its own side."""
    last, best = ticket.pit.last(), ticket.pit.book.best(ticket.side)
    if not best:
        return last
    return max(last, best) if ticket.side is Side.BUY else min(last, best)
