"""Accounts: cash, holdings, fees, taxes and loans. Trades are settled two trading days later; nothing is sold short."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from koapy.simulation.holding import DEPOSIT_PERCENT, Holding, interest, restored
from koapy.simulation.model import Account, PastDay, Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from koapy.simulation.holding import Key
    from koapy.simulation.model import Credit, Position


_DAYS_KEPT = 250


class Tariff(Protocol):
    """What trading costs, in won."""

    def commission(self, value: int) -> int:
        """Commission of an order that traded for so much."""
        ...

    def sale_tax(self, code: str, value: int) -> int:
        """Taxes of a sale of so much today."""
        ...

    def margin(self, code: str) -> int:
        """Percent of a buy that binds cash at once in a margin account (증거금률)."""
        ...


class Ledger:
    """One account.

    Cash that open buy orders may still need, commission included, and shares that open sell orders offer are bound, so
    that neither can be used twice.

    Args:
        cash: settled.
        holdings: quantity and price by code.
        margin: see `AccountSetup.margin`.
        today: the day of the session.
        settles: when today's trades are settled, and when those of the day before.
    """

    def __init__(
        self,
        number: str,
        cash: int,
        holdings: Mapping[str, tuple[int, int]],
        tariff: Tariff,
        *,
        margin: bool,
        today: date,
        settles: tuple[date, date],
    ) -> None:
        self.number = number
        self._tariff = tariff
        self._margin = margin
        self._today = today
        self._next, self._settles = settles
        self._cash = self._opening_cash = self._deposit = cash
        self._due: dict[date, int] = {}
        self._reserves: dict[int, int] = {}
        self._reserved = 0
        self._past: list[PastDay] = []
        self._holdings: dict[Key, Holding] = {
            (code, None): Holding(quantity, quantity * price, price, previous=quantity)
            for code, (quantity, price) in holdings.items()
        }

    @property
    def orderable_cash(self) -> int:
        """Won that a new buy may use."""
        carried = sum(sum(each.carried.values()) for each in self._holdings.values()) if self._margin else 0
        return self._cash + carried - self._reserved

    def lots(self, code: str, credit: Credit | None) -> list[tuple[Key, int]]:
        """What a new sale of a code may offer: the holdings it draws on, in order, and the free shares of each."""
        if credit is None:
            keys: list[Key] = [(code, None)]
        elif credit.loan_date is not None:
            keys = [(code, credit.loan_date)]
        else:
            keys = [key for key in self._holdings if key[0] == code and key[1] is not None]
        free = ((key, self._holdings.get(key, Holding())) for key in keys)
        return [(key, held.quantity - held.bound) for key, held in free if held.quantity > held.bound]

    def share(self, code: str, credit: Credit | None) -> int:
        """Percent of a buy that binds cash."""
        if credit is not None:
            return DEPOSIT_PERCENT
        return self._tariff.margin(code) if self._margin else 100

    def affordable(self, price: int, share: int) -> int:
        """Shares that can be bought at a price, commission included; `share` as of `share`."""
        free = self.orderable_cash
        count = max(free, 0) * 100 // (price * share)
        while count > 0 and (over := self.need(price, count, share) - free) > 0:
            count -= -(-over * 100 // (price * share))
        return max(count, 0)

    def need(self, price: int, quantity: int, share: int, value: int = 0, fee: int = 0) -> int:
        """Cash that an open buy may still take, having traded for `value` and paid `fee`."""
        rest = price * quantity
        return -(-rest * share // 100) + self._tariff.commission(value + rest) - fee if quantity else 0

    def reserve(self, number: int, amount: int) -> None:
        """Bind cash for an open buy order, in place of what it bound before; 0 frees it."""
        self._reserved += amount - self._reserves.pop(number, 0)
        if amount:
            self._reserves[number] = amount

    def reserved(self, number: int) -> int:
        """Cash that an order binds."""
        return self._reserves.get(number, 0)

    def bind(self, key: Key, quantity: int) -> None:
        """Bind shares for an open sell order; negative: free them."""
        self._holdings[key].bound += quantity

    def check_cash(self, price: int, quantity: int, share: int) -> None:
        """Make sure that a new buy can be paid.

        Raises: Refused.
        """
        need, free = self.need(price, quantity, share), self.orderable_cash
        if need > free:
            raise Refused(Refusal.NO_CASH, f"{need:,} won needed, {free:,} there")

    def bought(self, code: str, quantity: int, value: int, fee: int, credit: Credit | None) -> Key:
        """Book a fill of a buy that added `fee`. Returns what it went to."""
        key: Key = (code, None if credit is None else self._today)
        holding = self._holdings.setdefault(key, Holding())
        own = -(-value * self.share(code, credit) // 100)
        loan = value - own if credit is not None else 0
        holding.buy(quantity, value, fee, loan)
        if credit is None and own < value:
            holding.carried[self._settles] = holding.carried.get(self._settles, 0) + value - own
        self._pay(loan - value - fee)
        return key

    def sold(self, key: Key, quantity: int, value: int, fee: int, tax: int) -> int:
        """Book a fill of a sell that added `fee` and `tax`. The shares must have been bound. Returns the profit."""
        holding = self._holdings[key]
        loan = holding.part(holding.loan, quantity)
        owed = interest(loan, key[1], self._today)
        realised = holding.sell(quantity, value, fee, tax, owed)
        self._pay(value - fee - tax - loan - owed)
        return realised

    def start_day(self, today: date, settles: tuple[date, date], prices: Mapping[str, int]) -> None:
        """Begin a day: what is due is settled, today's figures are 0, sold positions go, nothing is bound.

        Args:
            prices: the last ones of the day that ends, by code.
        """
        self._past.append(self._ended(prices))
        del self._past[:-_DAYS_KEPT]
        self._today = today
        self._next, self._settles = settles
        self._deposit += sum(won for day, won in self._due.items() if day <= today)
        self._due = {day: won for day, won in self._due.items() if day > today}
        self._opening_cash = self._cash
        self._reserves.clear()
        self._reserved = 0
        self._holdings = {key: each.next_day(today) for key, each in self._holdings.items() if each.quantity}

    def _ended(self, prices: Mapping[str, int]) -> PastDay:
        """Today, as it is remembered."""
        everything = sorted(self._holdings.items(), key=lambda item: item[0][1] is not None)
        return PastDay(
            day=self._today,
            settles=self._settles,
            deposit=self._deposit,
            cash=self._cash,
            value=sum(prices.get(code, 0) * held.quantity for (code, _), held in everything),
            loan=sum(held.loan for _, held in everything),
            positions=tuple(held.position(key, self._today) for key, held in everything if held.bought or held.sold),
        )

    @property
    def past(self) -> tuple[PastDay, ...]:
        """The days before today that the account has seen to their end, ascending; at most a year."""
        return tuple(self._past)

    def remember(self, days: Iterable[PastDay]) -> None:
        """Have seen these days, ascending."""
        self._past = list(days)

    def position(self, key: Key) -> Position:
        """What is held of a code, all 0 if nothing."""
        return self._holdings.get(key, Holding()).position(key, self._today)

    def account(self) -> Account:
        """The account now."""
        everything = [held.position(key, self._today) for key, held in self._holdings.items()]
        return Account(
            number=self.number,
            cash=self._cash,
            opening_cash=self._opening_cash,
            reserved=self._reserved,
            positions={each.code: each for each in everything if each.loan_date is None},
            bought_value=sum(each.bought_value for each in everything),
            sold_value=sum(each.sold_value for each in everything),
            realised=sum(each.realised for each in everything),
            profit=sum(each.profit for each in everything),
            sold_cost=sum(each.sold_cost for each in everything),
            fees=sum(each.fees for each in everything),
            taxes=sum(each.taxes for each in everything),
            deposit=self._deposit,
            deposit_next=self._deposit + sum(won for day, won in self._due.items() if day <= self._next),
            carried=self.orderable_cash - self._cash + self._reserved,
            margin=self._margin,
            loans=tuple(each for each in everything if each.loan_date is not None),
        )

    def dump(self) -> dict[str, Any]:
        """All of it as plain values, but for what open orders bind."""
        return {
            "cash": self._cash,
            "opening_cash": self._opening_cash,
            "deposit": self._deposit,
            "due": {day.isoformat(): won for day, won in self._due.items()},
            "holdings": [each.dump(key) for key, each in self._holdings.items()],
        }

    def restore(self, values: dict[str, Any]) -> None:
        """Become what `dump` gave."""
        self._cash, self._opening_cash = values["cash"], values["opening_cash"]
        self._deposit = values["deposit"]
        self._due = {date.fromisoformat(day): won for day, won in values["due"].items()}
        self._holdings = dict(map(restored, values["holdings"]))

    def _pay(self, won: int) -> None:
        """Take or give cash, to be settled when today's trades are."""
        self._cash += won
        self._due[self._settles] = self._due.get(self._settles, 0) + won
