"""Company figures that an exchange does not know: earnings, book value, par value, shares abroad.

The simulation makes them up, from the code alone, so that conditions such as a low PER have something to find. They are
plausible and stay the same, but are not the real companies' figures.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.simulation import forms

if TYPE_CHECKING:
    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Instrument

EOK = 100_000_000
"""억원, the unit of capital, sales and profits, in won."""


@dataclass(frozen=True, slots=True)
class Fundamentals:
    """Figures of one company; amounts in 억원, ratios in hundredths of a percent."""

    par: int
    """액면가 in won; 0 for foreign companies."""
    capital: int
    eps: int
    """Won a share; negative for a loss."""
    bps: int
    """Won a share."""
    sales: int
    operating: int
    net: int
    ev_ebitda: int
    """EV/EBITDA in hundredths."""
    foreign: int
    """외인소진률."""
    credit: int
    """신용비율."""
    floating: int
    """유통비율 in tenths of a percent."""

    def per(self, price: int) -> float | None:
        """Price in earnings, None for a loss."""
        return price / self.eps if self.eps > 0 else None

    def pbr(self, price: int) -> float:
        """Price in book values."""
        return price / self.bps


def fundamentals(exchange: Exchange, code: str) -> Fundamentals | None:
    """Return the figures of a company, None for what is none (ETF, ETN, fund). Unknown codes raise KeyError.

    They are scaled to the last close of the year before, so that ratios are plausible at today's price and the figures
    stay the same all year.
    """
    instrument = exchange.instruments[code]
    if instrument.fund or instrument.kind == "fund":
        return None
    return _made_up(instrument, _reference(exchange, instrument))


def _reference(exchange: Exchange, instrument: Instrument) -> int:
    new_year = exchange.today.replace(month=1, day=1)
    return exchange.close_before(instrument.code, new_year) or instrument.base_price


def _made_up(instrument: Instrument, reference: int) -> Fundamentals:
    draw = random.Random(f"fundamentals:{instrument.code}")
    par = 0 if instrument.kind == "foreign" else draw.choice((100, 100, 200, 500, 500, 500, 1000, 5000))
    bps = max(1, round(reference / draw.lognormvariate(0.0, 0.6)))
    loss = draw.random() < 0.15
    earnings = reference / draw.lognormvariate(2.4, 0.55)
    eps = round(-0.5 * earnings if loss else earnings) or 1
    net = forms.rounded(eps * instrument.shares, EOK)
    margin, tax = draw.uniform(0.02, 0.15), draw.uniform(1.1, 1.4)
    return Fundamentals(
        par=par,
        capital=forms.rounded(instrument.shares * (par or 500), EOK),
        eps=eps,
        bps=bps,
        sales=round(abs(net) / margin),
        operating=round(net * tax),
        net=net,
        ev_ebitda=round(100 * draw.uniform(2, 20)),
        foreign=round(100 * draw.uniform(0.5, 55)),
        credit=round(100 * draw.uniform(0.02, 3)),
        floating=round(10 * draw.uniform(25, 85)),
    )
