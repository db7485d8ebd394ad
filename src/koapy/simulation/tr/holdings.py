"""What a holding is worth after what selling it would cost, as the account server reckons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.openapi.market import commission, sale_tax
from koapy.simulation import forms

if TYPE_CHECKING:
    from koapy.simulation.model import Account, Instrument, Position
    from koapy.simulation.world import World


@dataclass(frozen=True, slots=True)
class Holding:
    """A position at the present price; amounts in won."""

    position: Position
    instrument: Instrument
    price: int
    value: int
    """Quantity times price (평가금액)."""
    buy_fee: int
    """Commission of what was paid."""
    sell_fee: int
    """Commission of a sale now."""
    tax: int
    """Taxes of a sale now."""

    @property
    def proceeds(self) -> int:
        """What a sale now would bring."""
        return self.value - self.sell_fee - self.tax

    @property
    def profit(self) -> int:
        """평가손익: what would be left after all fees, taxes, interest and the cost."""
        return self.proceeds - self.buy_fee - self.position.cost - self.position.interest

    @property
    def credit_kind(self) -> str:
        """신용구분: 03 bought on credit, 00 with cash."""
        return "03" if self.position.loan_date else "00"

    @property
    def loan_date(self) -> str:
        """대출일, empty for what was bought with cash."""
        return forms.day(self.position.loan_date) if self.position.loan_date else ""

    @property
    def unit_cost(self) -> int:
        """매입가: average cost of a share, rounded."""
        return forms.rounded(self.position.cost, self.position.quantity)


def holdings(world: World, account: Account) -> list[Holding]:
    """Return what an account holds now, in order of first purchase; what was bought on credit comes last."""
    everything = (*account.positions.values(), *account.loans)
    return [_holding(world, position) for position in everything if position.quantity]


def _holding(world: World, position: Position) -> Holding:
    exchange = world.exchange
    instrument, price = exchange.instruments[position.code], exchange.quote(position.code).last
    value = position.quantity * price
    return Holding(
        position,
        instrument,
        price,
        value,
        commission(world.server, position.cost),
        commission(world.server, value),
        sale_tax(instrument.market, instrument.kind, value, exchange.today),
    )
