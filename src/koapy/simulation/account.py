"""Accounts: cash, holdings, fees and taxes. Trades settle at once; nothing is bought on credit or sold short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from koapy.simulation.model import Account, Position, Refusal, Refused, Side

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tariff(Protocol):
    """What trading costs, in won."""

    def commission(self, value: int) -> int:
        """Commission of an order that traded for so much."""
        ...

    def sale_tax(self, code: str, value: int) -> int:
        """Taxes of a sale of so much today."""
        ...


@dataclass(slots=True)
class _Holding:
    quantity: int = 0
    cost: int = 0
    average: int = 0
    bound: int = 0
    previous: int = 0
    bought: int = 0
    sold: int = 0
    bought_value: int = 0
    sold_value: int = 0
    realised: int = 0
    realised_cost: int = 0
    fees: int = 0
    taxes: int = 0


class Costs(NamedTuple):
    """What a fill added, in won."""

    fee: int
    tax: int
    realised: int


class Ledger:
    """One account.

    Cash that open buy orders may still need, commission included, and shares that open sell orders offer are bound, so
    that neither can be used twice.
    """

    def __init__(self, number: str, cash: int, holdings: Mapping[str, tuple[int, int]], tariff: Tariff) -> None:
        self.number = number
        self._tariff = tariff
        self._cash = self._opening_cash = cash
        self._reserves: dict[int, int] = {}
        self._reserved = 0
        self._holdings = {
            code: _Holding(quantity, quantity * price, price, previous=quantity)
            for code, (quantity, price) in holdings.items()
        }

    @property
    def orderable_cash(self) -> int:
        """Won that a new buy may use."""
        return self._cash - self._reserved

    def orderable(self, code: str) -> int:
        """Shares that a new sell may offer."""
        holding = self._holdings.get(code)
        return holding.quantity - holding.bound if holding else 0

    def affordable(self, price: int) -> int:
        """Shares that can be bought at a price, commission included."""
        count = self.orderable_cash // price
        while count > 0 and (over := self.need(price, count) - self.orderable_cash) > 0:
            count -= -(-over // price)
        return max(count, 0)

    def need(self, price: int, quantity: int, value: int = 0, fee: int = 0) -> int:
        """Cash that an open buy may still take, having traded for `value` and paid `fee`."""
        rest = price * quantity
        return rest + self._tariff.commission(value + rest) - fee if quantity else 0

    def reserve(self, number: int, amount: int) -> None:
        """Bind cash for an open buy order, in place of what it bound before; 0 frees it."""
        self._reserved += amount - self._reserves.pop(number, 0)
        if amount:
            self._reserves[number] = amount

    def reserved(self, number: int) -> int:
        """Cash that an order binds."""
        return self._reserves.get(number, 0)

    def bind(self, code: str, quantity: int) -> None:
        """Bind shares for an open sell order; negative: free them."""
        self._holdings[code].bound += quantity

    def check(self, code: str, side: Side, price: int, quantity: int) -> None:
        """Make sure that a new order can be paid or delivered.

        Raises: Refused.
        """
        if side is Side.BUY:
            need = self.need(price, quantity)
            if need > self.orderable_cash:
                raise Refused(Refusal.NO_CASH, f"{need:,} won needed, {self.orderable_cash:,} there")
        elif quantity > self.orderable(code):
            raise Refused(Refusal.NOT_HELD, f"{quantity:,} of {code} asked for, {self.orderable(code):,} there")

    def bought(self, code: str, quantity: int, value: int, fee: int) -> Costs:
        """Book a fill of a buy that added `fee`."""
        holding = self._holdings.setdefault(code, _Holding())
        holding.quantity += quantity
        holding.cost += value
        holding.average = holding.cost // holding.quantity
        holding.bought += quantity
        holding.bought_value += value
        holding.fees += fee
        self._cash -= value + fee
        return Costs(fee, 0, 0)

    def sold(self, code: str, quantity: int, value: int, fee: int, tax: int) -> Costs:
        """Book a fill of a sell that added `fee` and `tax`. The shares must have been bound."""
        holding = self._holdings[code]
        cost = holding.cost * quantity // holding.quantity
        realised = value - cost - fee - tax
        holding.quantity -= quantity
        holding.bound -= quantity
        holding.cost -= cost
        holding.sold += quantity
        holding.sold_value += value
        holding.realised += realised
        holding.realised_cost += cost
        holding.fees += fee
        holding.taxes += tax
        self._cash += value - fee - tax
        return Costs(fee, tax, realised)

    def start_day(self) -> None:
        """Begin a day: today's figures are 0, sold positions go, nothing is bound."""
        self._opening_cash = self._cash
        self._reserves.clear()
        self._reserved = 0
        self._holdings = {
            code: _Holding(each.quantity, each.cost, each.average, previous=each.quantity)
            for code, each in self._holdings.items()
            if each.quantity
        }

    def position(self, code: str) -> Position:
        """What is held of a code, all 0 if nothing."""
        held = self._holdings.get(code, _Holding())
        return Position(
            code=code,
            quantity=held.quantity,
            cost=held.cost,
            orderable=held.quantity - held.bound,
            previous_quantity=held.previous,
            bought_today=held.bought,
            sold_today=held.sold,
            bought_value=held.bought_value,
            sold_value=held.sold_value,
            realised=held.realised,
            realised_cost=held.realised_cost,
            fees=held.fees,
            taxes=held.taxes,
            average=held.average,
        )

    def account(self) -> Account:
        """The account now."""
        positions = {code: self.position(code) for code in self._holdings}
        return Account(
            number=self.number,
            cash=self._cash,
            opening_cash=self._opening_cash,
            reserved=self._reserved,
            positions=positions,
            bought_value=sum(each.bought_value for each in positions.values()),
            sold_value=sum(each.sold_value for each in positions.values()),
            realised=sum(each.realised for each in positions.values()),
            realised_cost=sum(each.realised_cost for each in positions.values()),
            fees=sum(each.fees for each in positions.values()),
            taxes=sum(each.taxes for each in positions.values()),
        )
