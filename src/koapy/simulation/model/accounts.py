"""Accounts and what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


@dataclass(frozen=True, slots=True)
class Position:
    """What an account holds of one code. A position that was sold today stays, with quantity 0, until the day ends."""

    code: str
    quantity: int
    cost: int
    """Won paid for what is held, without fees."""
    orderable: int
    """Held less what open sell orders bind."""
    previous_quantity: int
    """Held when the day began."""
    bought_today: int
    sold_today: int
    bought_value: int
    """Won of today's buys, without fees."""
    sold_value: int
    """Won of today's sales, before fees and taxes."""
    realised: int
    """Profit realised today, after the sales' fees and taxes, in whole won."""
    profit: int
    """The same in ten-millionths of a won: what a share has cost is seldom whole."""
    sold_cost: int
    """Cost of what was sold today, in ten-millionths of a won."""
    fees: int
    """Commission paid today."""
    taxes: int
    """Sale taxes paid today."""
    sale_fees: int
    """The part of the commission that was for sales."""
    spent: int
    """Cash that today's buys take when they are settled, with their commission and without what was lent for them."""
    earned: int
    """Cash that today's sales bring when they are settled: after fees, taxes and loans that were paid back."""
    average: int
    """Average cost of a share after the last purchase, rounded to a won."""
    loan: int = 0
    """Won lent for what is held (신용융자); 0 for what was bought with cash."""
    loan_date: date | None = None
    """Day on which a position on credit was bought (대출일), each day's a position of its own. None: with cash."""
    interest: int = 0
    """Of the loan, up to today; taken when it is paid back."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account at one moment."""

    number: str
    cash: int
    """What will be there when all trades are settled (D+2)."""
    opening_cash: int
    """Cash when the day began."""
    reserved: int
    """Bound in open buy orders, expected commission included."""
    positions: Mapping[str, Position] = field(hash=False)
    """What was bought with cash, by code, in order of first purchase."""
    bought_value: int
    """Won of today's buys, without fees."""
    sold_value: int
    """Won of today's sales, before fees and taxes."""
    realised: int
    """Profit realised today, after the sales' fees and taxes, in whole won."""
    profit: int
    """The same in ten-millionths of a won: what a share has cost is seldom whole."""
    sold_cost: int
    """Cost of what was sold today, in ten-millionths of a won."""
    fees: int
    """Commission paid today."""
    taxes: int
    """Sale taxes paid today."""
    deposit: int
    """Settled cash (예수금). Less than nothing: what is overdue (미수)."""
    deposit_next: int
    """What it will be on the next trading day, by what is known now (D+1)."""
    carried: int
    """Won of unsettled buys beyond their margin, which bind no cash until they are settled; 0 for cash accounts."""
    margin: bool = False
    """See `AccountSetup.margin`."""
    loans: tuple[Position, ...] = ()
    """What was bought on credit, one position a code and day, in order of purchase."""

    @property
    def orderable_cash(self) -> int:
        """Cash that a new buy may use."""
        return self.cash + self.carried - self.reserved

    @property
    def withdrawable(self) -> int:
        """Cash that may leave the account today (출금가능금액)."""
        return max(0, min(self.deposit, self.deposit_next, self.cash - self.reserved))

    @property
    def realised_rate(self) -> float:
        """Profit realised today in percent of what the sold shares had cost."""
        return 100 * self.profit / self.sold_cost if self.sold_cost else 0.0


@dataclass(frozen=True, slots=True)
class PastDay:
    """What an account did on a day that is over, and what it had at its end."""

    day: date
    settles: date
    """When the trades of the day are settled."""
    deposit: int
    """Settled cash (예수금) at the end of the day."""
    cash: int
    """What was there with all trades settled."""
    value: int
    """What its holdings were worth at the last prices of the day."""
    loan: int
    """Won lent for them."""
    positions: tuple[Position, ...]
    """What was bought or sold, as it stood at the end of the day; the last ones are those on credit."""


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """An account to start with."""

    number: str
    cash: int
    holdings: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Shares by code, bought at the reference price; codes that the market lacks are left out."""
    margin: bool = False
    """Buys take the margin of the issue (증거금) at once, the rest when they are settled. False: all at once."""
