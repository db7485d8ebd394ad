"""ELWs as they are now, and what the FIDs say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.chain import INDEX
from koapy.simulation.figures.warrants import ISSUED, Warrant, underlyings, warrants
from koapy.simulation.tr.contract_words import DERIVED
from koapy.simulation.tr.derived import Derived, Underlying, known

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.tr.vocabulary import Words

STRIKES_SET = 120
"""Trading days before today at whose close strikes are set."""
MILLION = 1_000_000


class Paper(Derived):
    """A warrant now."""

    def __init__(self, exchange: Exchange, warrant: Warrant) -> None:
        super().__init__(exchange, warrant.contract)
        self.warrant = warrant

    @property
    def strike(self) -> str:
        """행사가격: points or won."""
        return forms.decimal(self.contract.strike, 100 if self.contract.underlying == INDEX else 1)

    @property
    def ratio(self) -> float:
        """전환비율: won a point, or part of a share."""
        return self.contract.ratio * (100 if self.contract.underlying == INDEX else 1)

    @property
    def gearing(self) -> float:
        """기어링비율: the underlying in prices of the warrant."""
        return 100 * self.level * self.contract.ratio / self.last

    @property
    def parity(self) -> float:
        """패리티: the underlying in percent of the strike, the other way round of a put."""
        level, strike = self.level, self.contract.strike
        return 100 * (level / strike if self.warrant.call else strike / level)

    @property
    def break_even(self) -> float:
        """손익분기점 in the underlying's units."""
        cost = self.last / self.contract.ratio
        return self.contract.strike + (cost if self.warrant.call else -cost)

    @property
    def held(self) -> int:
        """What the provider of quotes holds."""
        return self.warrant.held(self.day)


def listed(exchange: Exchange) -> list[Warrant]:
    """Return every warrant on what the market has, by code."""
    levels = {}
    for code in underlyings():
        if known(exchange, code):
            below = Underlying(exchange, code)
            past = below.past(STRIKES_SET)
            levels[code] = below.name, past[0].close if past else below.base
    return warrants(exchange.today, levels)


def papers(exchange: Exchange) -> list[Paper]:
    """Return every warrant as it is now, by code."""
    return [Paper(exchange, each) for each in listed(exchange)]


def plain_number(value: float, places: int = 2) -> str:
    """Write a number with so many decimals."""
    return forms.decimal(round(value * 10**places), 10**places, places)


def _scaled(name: str) -> Callable[[Paper], str]:
    return lambda it: str(round(MILLION * getattr(it.contract.greeks(it.day, it.level), name)))


def _deviation(it: Paper) -> str:
    """괴리율; 0 of a warrant that is worth nothing, as in the guide."""
    return DERIVED[186](it) if round(it.contract.fair(it.day, it.level)) else "0"


def _with_colour(rate: str) -> str:
    """A rate with the second minus that opt30005 has."""
    return f"-{rate}" if rate.startswith("-") else rate


WARRANT: Words[Paper] = {
    **DERIVED,
    185: lambda it: forms.rate(round(100 * (it.last - it.contract.fair(it.day, it.level))), 100),
    186: lambda it: _deviation(it),
    312: lambda _: str(ISSUED),
    371: lambda it: forms.day(it.contract.expiry),
    372: lambda it: forms.day(it.contract.expiry),
    395: lambda it: it.contract.underlying,
    412: lambda it: plain_number(it.contract.tick(it.last)),
    413: lambda it: it.warrant.issuer.name,
    414: lambda it: it.underlying.name,
    419: lambda _: "100.00",
    425: lambda it: it.strike,
    426: lambda it: "콜" if it.warrant.call else "풋",
    427: lambda _: "유럽형",
    428: lambda it: f"{it.underlying.name} {'콜' if it.warrant.call else '풋'}",
    429: lambda _: "현금결제",
    430: lambda it: forms.day(it.warrant.last_day),
    431: lambda it: plain_number(it.ratio, 4),
    432: lambda _: "100.00",
    433: lambda _: "0.00",
    434: lambda it: forms.day(it.warrant.paid),
    437: lambda _: "Y",
    438: lambda _: "Y",
    439: lambda it: forms.day(it.warrant.listed),
    440: lambda it: it.warrant.issuer.name,
    441: lambda it: it.warrant.series,
    442: lambda it: it.underlying.name,
    443: lambda it: "콜" if it.warrant.call else "풋",
    444: lambda it: str(it.held),
    445: lambda it: str((it.contract.expiry - it.day).days),
    446: lambda it: forms.percent(it.held, ISSUED),
    447: lambda it: forms.day(it.warrant.last_day),
    661: lambda it: it.warrant.issuer.name,
    664: lambda it: it.warrant.issuer.name,
    666: lambda it: plain_number(it.parity),
    667: lambda it: plain_number(it.gearing),
    668: lambda it: forms.percent(round(it.break_even - it.level), it.level),
    669: lambda it: plain_number(it.gearing),
    670: lambda it: str(round(it.contract.fair(it.day, it.level))),
    671: lambda it: str(round(10_000 * it.contract.volatility(it.day))),
    672: _scaled("delta"),
    673: _scaled("gamma"),
    674: _scaled("theta"),
    675: _scaled("vega"),
    676: _scaled("rho"),
    682: lambda it: plain_number(abs(it.contract.greeks(it.day, it.level).delta) * it.gearing / 100, 6),
    683: lambda it: plain_number(it.break_even / (100 if it.contract.underlying == INDEX else 1)),
    686: lambda it: _with_colour(DERIVED[186](it)),
    687: lambda it: plain_number(it.contract.inner(it.level)),
    689: lambda _: "N",
    706: lambda _: "0",
    709: lambda it: plain_number(100 * it.contract.volatility(it.day)),
}
"""A warrant now.

내재변동성 is hundredths of a percent where IV has decimals, the sensitivities are millionths, as recorded.
"""
