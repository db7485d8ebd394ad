"""What the FIDs say of an issue now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.loans import credit_rate
from koapy.simulation.tr.fundamentals import fundamentals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Depth, Level
    from koapy.simulation.tr.vocabulary import Words

_CLASSES = {"etf": "19", "etn": "60", "reit": "6", "fund": "4"}
_CLASS = "28"
"""종목정보, 종목분류: as recorded; the letters' meaning is not known."""


class Stock:
    """An issue at this moment."""

    __slots__ = ("_depth", "exchange", "instrument", "quote")

    def __init__(self, exchange: Exchange, code: str) -> None:
        self.exchange = exchange
        self.instrument = exchange.instruments[code]
        self.quote = exchange.quote(code)
        self._depth: Depth | None = None

    @property
    def code(self) -> str:
        """Six characters."""
        return self.instrument.code

    @property
    def base(self) -> int:
        """기준가."""
        return self.quote.base_price

    @property
    def depth(self) -> Depth:
        """The visible book."""
        if self._depth is None:
            self._depth = self.exchange.depth(self.code)
        return self._depth

    @property
    def at_limit(self) -> bool:
        """Whether the price is at one of the day's limits."""
        return self.quote.last in (self.instrument.upper, self.instrument.lower)

    def price(self, value: int) -> str:
        """Write a price of this issue; 0, as recorded, where there is none."""
        return forms.price(value, self.base) if value else "0"


def stocks(exchange: Exchange) -> Iterator[Stock]:
    """Every issue, by code."""
    return (Stock(exchange, code) for code in exchange.instruments)


def _best(levels: tuple[Level, ...]) -> str:
    return str(levels[0].quantity if levels else 0)


def _ratio(part: int, whole: int) -> str:
    return forms.decimal(100 * part, whole)


def credit_percent(stock: Stock) -> str:
    """신용비율 of an issue today, 0.00 of what is no company."""
    company = fundamentals(stock.exchange, stock.code)
    if company is None:
        return "0.00"
    return forms.rate(credit_rate(stock.code, company.credit, stock.exchange.today), 100)


STOCK: Words[Stock] = {
    9001: lambda it: it.code,
    301: lambda it: it.code,
    389: lambda it: it.code,
    302: lambda it: it.instrument.name,
    300: lambda it: _CLASSES.get(it.instrument.kind, _CLASS),
    10: lambda it: forms.price(it.quote.last, it.base),
    11: lambda it: forms.change(it.quote.change),
    12: lambda it: forms.percent(it.quote.change, it.base),
    25: lambda it: forms.sign(it.quote.last, it.base, it.instrument.upper, it.instrument.lower),
    13: lambda it: str(it.quote.volume),
    14: lambda it: str(forms.millions(it.quote.value)),
    16: lambda it: it.price(it.quote.open),
    17: lambda it: it.price(it.quote.high),
    18: lambda it: it.price(it.quote.low),
    26: lambda it: forms.change(it.quote.volume - it.quote.previous_volume),
    27: lambda it: it.price(it.quote.best_ask),
    28: lambda it: it.price(it.quote.best_bid),
    30: lambda it: forms.growth(it.quote.volume, it.quote.previous_volume),
    31: lambda it: forms.percent(it.quote.volume, it.instrument.shares),
    41: lambda it: it.price(it.quote.best_ask),
    51: lambda it: it.price(it.quote.best_bid),
    61: lambda it: _best(it.depth.asks),
    71: lambda it: _best(it.depth.bids),
    121: lambda it: str(it.depth.total_ask),
    125: lambda it: str(it.depth.total_bid),
    128: lambda it: str(it.depth.total_bid - it.depth.total_ask),
    129: lambda it: _ratio(it.depth.total_bid, it.depth.total_ask),
    228: lambda it: forms.strength(it.quote.buy_volume, it.quote.sell_volume),
    304: lambda it: str(it.quote.previous_volume),
    305: lambda it: forms.price(it.instrument.upper, it.base),
    306: lambda it: forms.price(it.instrument.lower, it.base),
    307: lambda it: str(it.base),
    312: lambda it: str(forms.thousands(it.instrument.shares)),
    329: credit_percent,
    9081: lambda _: "KRX",
}
"""The issue now. 매도호가 and the like are 0 where nobody asks."""
