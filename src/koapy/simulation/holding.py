"""What an account holds of one code, bought with cash or, apart from it, on credit on one day."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from koapy.simulation import plain
from koapy.simulation.forms import rounded
from koapy.simulation.model import Position

if TYPE_CHECKING:
    Key = tuple[str, date | None]
    """Code and day of the loan; None: bought with cash."""

TEN_MILLION = 10_000_000
"""Parts of a won in which the cost of what was sold is reckoned: so many decimals opt10077 has."""

DEPOSIT_PERCENT = 45
"""Part of a buy on credit that the account pays itself (보증금률); the rest is the loan."""

_INTEREST_PERCENT = 9
"""A year, of a loan, by days."""


@dataclass(slots=True)
class Holding:
    """Figures that grow with each fill; `position` is what the world sees of them."""

    quantity: int = 0
    cost: int = 0
    average: int = 0
    bound: int = 0
    previous: int = 0
    bought: int = 0
    sold: int = 0
    bought_value: int = 0
    sold_value: int = 0
    profit: int = 0
    sold_cost: int = 0
    fees: int = 0
    taxes: int = 0
    sale_fees: int = 0
    spent: int = 0
    earned: int = 0
    loan: int = 0
    carried: dict[date, int] = field(default_factory=dict)
    """Won beyond the margin, by the day on which they are due."""

    @property
    def realised(self) -> int:
        """Profit of today's sales, rounded to a won."""
        return rounded(self.profit, TEN_MILLION)

    def buy(self, quantity: int, value: int, fee: int, loan: int) -> None:
        """Add a fill of a buy."""
        self.quantity += quantity
        self.cost += value
        self.average = rounded(self.cost, self.quantity)
        self.bought += quantity
        self.bought_value += value
        self.fees += fee
        self.spent += value + fee - loan
        self.loan += loan

    def sell(self, quantity: int, value: int, fee: int, tax: int, interest: int) -> int:
        """Add a fill of a sale; the shares were bound. Returns the profit that it realised."""
        sold = rounded(self.cost * quantity * TEN_MILLION, self.quantity)
        cost = rounded(sold, TEN_MILLION)
        before = self.realised
        repaid = self.part(self.loan, quantity)
        self.loan -= repaid
        self.carried = {day: won - self.part(won, quantity) for day, won in self.carried.items()}
        self.quantity -= quantity
        self.bound -= quantity
        self.cost -= cost
        self.sold += quantity
        self.sold_value += value
        self.profit += (value - fee - tax - interest) * TEN_MILLION - sold
        self.sold_cost += sold
        self.fees += fee
        self.sale_fees += fee
        self.taxes += tax
        self.earned += value - fee - tax - interest - repaid
        return self.realised - before

    def part(self, amount: int, quantity: int) -> int:
        """So much of an amount belongs to so many of the shares."""
        return amount * quantity // self.quantity

    def next_day(self, today: date) -> Holding:
        """What is left of it on the next day: today's figures are 0, nothing is bound."""
        carried = {day: won for day, won in self.carried.items() if day > today}
        return Holding(self.quantity, self.cost, self.average, previous=self.quantity, loan=self.loan, carried=carried)

    def dump(self, key: Key) -> dict[str, Any]:
        """All of it as plain values, but for what open orders bind."""
        code, loan_date = key
        names = {each.name for each in fields(self)} - {"bound", "carried"}
        figures = {name: getattr(self, name) for name in sorted(names)}
        carried = {day.isoformat(): won for day, won in self.carried.items()}
        return {"code": code, "loan_date": plain.plain(loan_date), **figures, "carried": carried}

    def position(self, key: Key, today: date) -> Position:
        """The position as it stands."""
        code, loan_date = key
        return Position(
            code=code,
            quantity=self.quantity,
            cost=self.cost,
            orderable=self.quantity - self.bound,
            previous_quantity=self.previous,
            bought_today=self.bought,
            sold_today=self.sold,
            bought_value=self.bought_value,
            sold_value=self.sold_value,
            realised=self.realised,
            profit=self.profit,
            sold_cost=self.sold_cost,
            fees=self.fees,
            taxes=self.taxes,
            sale_fees=self.sale_fees,
            spent=self.spent,
            earned=self.earned,
            average=self.average,
            loan=self.loan,
            loan_date=loan_date,
            interest=interest(self.loan, loan_date, today),
        )


def restored(values: dict[str, Any]) -> tuple[Key, Holding]:
    """What `Holding.dump` gave, by its key."""
    figures = dict(values)
    key = figures.pop("code"), plain.day(figures.pop("loan_date"))
    carried = {date.fromisoformat(day): won for day, won in figures.pop("carried").items()}
    return key, Holding(**figures, carried=carried)


def interest(loan: int, since: date | None, until: date) -> int:
    """Interest of a loan in won, cut to a won; 0 on the day it was taken."""
    return loan * _INTEREST_PERCENT * (until - since).days // 36_500 if since is not None else 0
