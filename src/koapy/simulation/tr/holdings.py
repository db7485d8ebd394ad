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
        """평가손익: what would be left after all fees, taxes and the cost."""
        return self.proceeds - self.buy_fee - self.position.cost

    @property
    def unit_cost(self) -> int:
        """매입가: average cost of a share, rounded."""
        return forms.rounded(self.position.cost, self.position.quantity)


def holdings(world: World, account: Account) -> list[Holding]:
    """Return what an account holds now, in order of first purchase."""
    return [_holding(world, position) for position in account.positions.values() if position.quantity]


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
