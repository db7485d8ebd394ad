"""Orders and positions in futures and options.

Contracts have no book of their own: their quotes follow the underlying (`koapy.simulation.tr.derived`), and an order
trades against the five prices that are shown, as on the mock-trading server without moving them. Each account has a
deposit of its own for them. Everything here belongs to the control's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from koapy.simulation import contract_margins as margins
from koapy.simulation import contract_model, plain
from koapy.simulation.contract_model import ContractFill, ContractOrder, ContractTold, Holding
from koapy.simulation.figures.contract import Kind
from koapy.simulation.model import Action, DayStarted, OrderKind, OrderState, Phase, Refusal, Refused, Side
from koapy.simulation.tr.contracts import contract as contract_now
from koapy.simulation.tr.contracts import find

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Event
    from koapy.simulation.tr.derived import Derived

DEPOSIT = 100_000_000
"""Won for futures and options that an account begins with."""

_FIRST_NUMBER = 5_000_001
"""Order numbers of contracts, so that they are no numbers of orders in shares."""

_LOOK_SECONDS = 1.0
"""Between two looks at whether waiting orders trade."""


@dataclass(slots=True)
class _Book:
    """One account's contracts."""

    cash: int = DEPOSIT
    holdings: dict[str, Holding] = field(default_factory=dict)


class Contracts:
    """All orders and positions in contracts.

    Args:
        exchange: what the underlyings do; a state that it keeps is taken up, and holds these orders too.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._books = {number: _Book() for number in exchange.account_numbers}
        self._orders: dict[int, ContractOrder] = {}
        self._limits: dict[int, int] = {}
        """Of orders that wait, by number."""
        self._fills: dict[int, ContractFill] = {}
        """The last one of each order."""
        self._count = 0
        self._day = exchange.today
        self._listeners: list[Callable[[ContractTold], object]] = []
        self._looking = False
        self._take_up(exchange.kept("contracts"))
        exchange.subscribe(self._heard, [DayStarted])

    def subscribe(self, listener: Callable[[ContractTold], object]) -> None:
        """Have `listener` called with everything that happens to orders, after what is running then."""
        self._listeners.append(listener)

    def orders(self, account: str) -> list[ContractOrder]:
        """Today's orders, by number."""
        return [each for each in self._orders.values() if each.account == account]

    def order(self, number: int) -> ContractOrder | None:
        """One of today's orders."""
        return self._orders.get(number)

    def last_fill(self, number: int) -> ContractFill | None:
        """The last fill of an order."""
        return self._fills.get(number)

    def holdings(self, account: str) -> list[Holding]:
        """What an account has, and what it has closed today."""
        return list(self._books[account].holdings.values())

    def holding(self, account: str, code: str) -> Holding:
        """What an account has of a contract."""
        return self._books[account].holdings.get(code, Holding(code))

    def cash(self, account: str) -> int:
        """The deposit: premiums, realised profits and commissions are in it."""
        return self._books[account].cash

    def unrealised(self, account: str) -> int:
        """Won that closing all futures now would bring."""
        book = self._books[account]
        return sum(self.profit(each) for each in book.holdings.values() if self._kind(each.code) is Kind.FUTURE)

    def profit(self, holding: Holding) -> int:
        """Won that closing a position at the present price would bring, before commission."""
        now = contract_now(self._exchange, holding.code)
        if now is None or not holding.quantity:
            return 0
        gain = abs(holding.quantity) * now.last - holding.cost
        return now.won(gain if holding.quantity > 0 else -gain)

    def bound(self, account: str) -> int:
        """Won that positions and open orders bind as margin."""
        held = sum(self.bound_by(each.code, each.quantity) for each in self._books[account].holdings.values())
        waiting = (each for each in self.orders(account) if each.open)
        return held + sum(self.need(each.account, each.code, each.side, each.price, each.open) for each in waiting)

    def orderable(self, account: str) -> int:
        """Won that a new order may bind."""
        return self.cash(account) + self.unrealised(account) - self.bound(account)

    def place(self, account: str, code: str, side: Side, kind: OrderKind, price: int, quantity: int) -> ContractOrder:
        """Accept a new order, and trade what can be traded.

        Raises: Refused.
        """
        now = self._now(code)
        if quantity <= 0:
            raise Refused(Refusal.BAD_QUANTITY, str(quantity))
        limit = self._limit(now, side, kind, price)
        need, free = self.need(account, code, side, limit, quantity), self.orderable(account)
        if need > free:
            raise Refused(Refusal.NO_CASH, f"{need:,} won needed, {free:,} there")
        order = self._new(account, code, side, kind, price, quantity, Action.NEW, None)
        self._limits[order.number] = limit
        self._tell(ContractTold("accepted", order))
        if not kind.whole or sum(size for _, size in margins.reached(now, side, limit)) >= quantity:
            self._trade(order.number, now)
        if kind.immediate and self._orders[order.number].open:
            self._close(order.number)
        self._save()
        return order

    def modify(self, account: str, original: int, price: int, quantity: int = 0) -> ContractOrder:
        """Move what is open of an order, or a part, to another price under a new number.

        Raises: Refused.
        """
        old, part = self._original(account, original, quantity)
        now = self._now(old.code)
        limit = self._limit(now, old.side, OrderKind.LIMIT, price)
        if price == old.price:
            raise Refused(Refusal.SAME_PRICE, str(price))
        self._orders[original] = replace(old, open=old.open - part)
        if self.need(account, old.code, old.side, limit, part) > self.orderable(account):
            self._orders[original] = old
            raise Refused(Refusal.NO_CASH, f"{part} at {price}")
        new = self._new(account, old.code, old.side, OrderKind.LIMIT, price, part, Action.MODIFY, original)
        self._limits[new.number] = limit
        self._confirm(new, original)
        self._trade(new.number, now)
        self._save()
        return new

    def cancel(self, account: str, original: int, quantity: int = 0) -> ContractOrder:
        """Cancel what is open of an order, or a part.

        Raises: Refused.
        """
        old, part = self._original(account, original, quantity)
        self._orders[original] = replace(old, open=old.open - part)
        new = self._new(account, old.code, old.side, old.kind, 0, part, Action.CANCEL, original)
        self._confirm(new, original)
        self._save()
        return new

    def _now(self, code: str) -> Derived:
        if self._exchange.phase is not Phase.CONTINUOUS:
            before = self._exchange.phase in (Phase.BEFORE_OPEN, Phase.OPENING_AUCTION)
            raise Refused(Refusal.BEFORE_OPEN if before else Refusal.AFTER_CLOSE)
        found = find(self._exchange, code)
        now = contract_now(self._exchange, code)
        if now is None or found is None or found.code != code:
            raise Refused(Refusal.NO_SUCH_CODE, code)
        return now

    def _limit(self, now: Derived, side: Side, kind: OrderKind, price: int) -> int:
        """The worst price at which an order may trade."""
        lowest, highest = now.limits()
        if kind.priced:
            if not lowest <= price <= highest:
                raise Refused(Refusal.OUTSIDE_LIMITS, f"{price:,} is not within {lowest:,} and {highest:,}")
            if price % now.contract.tick(price):
                raise Refused(Refusal.BAD_TICK, f"the tick at {price:,} is {now.contract.tick(price)}")
            return price
        if price:
            raise Refused(Refusal.PRICE_WITH_MARKET, f"{price:,}")
        if kind.unlimited:
            return highest if side is Side.BUY else lowest
        return now.offers(asks=side is Side.BUY)[0][0]

    def need(self, account: str, code: str, side: Side, price: int, quantity: int) -> int:
        """Won that an order binds: nothing for what closes a position."""
        now = contract_now(self._exchange, code)
        return margins.need(now, self.holding(account, code).quantity, side, price, quantity) if now is not None else 0

    def bound_by(self, code: str, quantity: int) -> int:
        """Won that a position binds as margin."""
        now = contract_now(self._exchange, code)
        return margins.bound_by(now, quantity) if now is not None else 0

    def _kind(self, code: str) -> Kind | None:
        found = find(self._exchange, code)
        return found.kind if found else None

    def _new(
        self,
        account: str,
        code: str,
        side: Side,
        kind: OrderKind,
        price: int,
        quantity: int,
        action: Action,
        original: int | None,
    ) -> ContractOrder:
        waits = 0 if action is Action.CANCEL else quantity
        order = ContractOrder(
            _FIRST_NUMBER + len(self._orders),
            account,
            code,
            side,
            kind,
            price,
            quantity,
            waits,
            0,
            0,
            0,
            original,
            action,
            OrderState.ACCEPTED,
            self._exchange.clock.now(),
        )
        self._orders[order.number] = order
        return order

    def _original(self, account: str, number: int, quantity: int) -> tuple[ContractOrder, int]:
        order = self._orders.get(number)
        if order is None or order.account != account:
            raise Refused(Refusal.NO_SUCH_ORDER, str(number))
        if not order.open:
            raise Refused(Refusal.NOTHING_OPEN, str(number))
        if quantity < 0:
            raise Refused(Refusal.BAD_QUANTITY, str(quantity))
        if quantity > order.open:
            raise Refused(Refusal.TOO_MUCH, f"{quantity} asked for, {order.open} open")
        return order, quantity or order.open

    def _confirm(self, new: ContractOrder, original: int) -> None:
        self._tell(ContractTold("accepted", new))
        confirmed = self._orders[new.number] = replace(new, state=OrderState.CONFIRMED)
        self._tell(ContractTold("confirmed", confirmed))
        if not self._orders[original].open:
            self._tell(ContractTold("cleared", self._orders[original]))

    def _close(self, number: int) -> None:
        self._orders[number] = replace(self._orders[number], open=0)
        self._tell(ContractTold("cleared", self._orders[number]))

    def _trade(self, number: int, now: Derived, *, waited: bool = False) -> None:
        """Trade an order against the prices that are shown; one that has waited is met at its own price."""
        order, limit = self._orders[number], self._limits[number]
        for price, size in margins.reached(now, order.side, limit):
            part = min(size, self._orders[number].open)
            if part:
                self._fill(number, now, limit if waited and order.price else price, part)
        if self._orders[number].open:
            self._look_later()

    def _fill(self, number: int, now: Derived, price: int, quantity: int) -> None:
        order, book = self._orders[number], self._books[self._orders[number].account]
        held = book.holdings.get(order.code, Holding(order.code))
        fee = margins.fee(now, order.filled_value + price * quantity) - order.fee
        signed = quantity if order.side is Side.BUY else -quantity
        after, gain = held.after(signed, price)
        realised = now.won(gain)
        # Of a future only profits move; an option is paid for.
        book.cash += (realised if now.contract.kind is Kind.FUTURE else now.won(-signed * price)) - fee
        book.holdings[order.code] = replace(after, realised=held.realised + realised, fees=held.fees + fee)
        self._count += 1
        fill = self._fills[number] = ContractFill(self._count, price, quantity, self._exchange.clock.now())
        self._orders[number] = replace(
            order,
            open=order.open - quantity,
            filled=order.filled + quantity,
            filled_value=order.filled_value + price * quantity,
            fee=order.fee + fee,
            state=OrderState.FILLED,
        )
        self._tell(ContractTold("filled", self._orders[number], fill))

    def _look_later(self) -> None:
        if not self._looking:
            self._looking = True
            self._exchange.clock.call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """See whether the market has come to waiting orders."""
        self._looking = False
        waiting = [each for each in self._orders.values() if each.open]
        if waiting and self._exchange.phase is Phase.CONTINUOUS:
            count = self._count
            for order in waiting:
                if (now := contract_now(self._exchange, order.code)) is not None:
                    self._trade(order.number, now, waited=True)
            if self._count != count:
                self._save()
        if any(each.open for each in waiting):
            self._look_later()

    def _tell(self, told: ContractTold) -> None:
        for listener in self._listeners:
            self._exchange.clock.call_later(0, listener, told)

    def _heard(self, event: Event) -> None:
        self._start_day()
        self._save()

    def _start_day(self) -> None:
        """Settle yesterday: futures at its close, contracts that have expired at what they are worth; orders end."""
        self._day = self._exchange.today
        self._orders.clear()
        self._limits.clear()
        self._fills.clear()
        self._count = 0
        for book in self._books.values():
            left = [self._settled(book, each) for each in book.holdings.values() if each.quantity]
            book.holdings = {each.code: each for each in left if each is not None}

    def _settled(self, book: _Book, held: Holding) -> Holding | None:
        now = contract_now(self._exchange, held.code)
        if now is None:
            return None  # expired; what it was worth at its last close has been settled day by day, but for options
        if now.contract.kind is not Kind.FUTURE:
            return Holding(held.code, held.quantity, held.cost)
        gain = abs(held.quantity) * now.base - held.cost
        book.cash += now.won(gain if held.quantity > 0 else -gain)
        return Holding(held.code, held.quantity, abs(held.quantity) * now.base)

    def _save(self) -> None:
        self._exchange.keep(
            "contracts",
            {
                "day": plain.plain(self._day),
                "count": self._count,
                "orders": plain.plain(list(self._orders.values())),
                "limits": {str(number): limit for number, limit in self._limits.items()},
                "fills": {str(number): plain.plain(each) for number, each in self._fills.items()},
                "books": {
                    number: {"cash": book.cash, "holdings": plain.plain(list(book.holdings.values()))}
                    for number, book in self._books.items()
                },
            },
        )

    def _take_up(self, kept: dict[str, Any] | None) -> None:
        if kept is None:
            return
        for number, values in kept["books"].items():
            held = [Holding(**each) for each in values["holdings"]]
            self._books[number] = _Book(values["cash"], {each.code: each for each in held})
        if kept["day"] != plain.plain(self._exchange.today):
            self._start_day()
            return
        self._count = kept["count"]
        self._limits = {int(number): limit for number, limit in kept["limits"].items()}
        self._orders = {each["number"]: contract_model.order(each) for each in kept["orders"]}
        self._fills = {int(number): contract_model.fill(each) for number, each in kept["fills"].items()}
        if any(each.open for each in self._orders.values()):
            self._look_later()
