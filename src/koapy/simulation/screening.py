"""The conditions (조건식) of the simulated user: what each one finds on the market, now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.simulation.tr.fundamentals import fundamentals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Quote
    from koapy.simulation.tr.fundamentals import Fundamentals

HITS = 20
"""How many codes a condition that ranks finds."""
STRONG = 1.0
"""Percent above or below the reference price that make a day strong or weak."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition under its name; `find` gives the codes, ascending."""

    name: str
    find: Callable[[Exchange], list[str]]


@dataclass(frozen=True, slots=True)
class Company:
    """A company at its present price."""

    code: str
    price: int
    figures: Fundamentals


def _companies(exchange: Exchange, *, large: bool) -> list[Company]:
    """The larger or the smaller half of the companies by market value at the reference price."""
    figures = {code: fundamentals(exchange, code) for code in exchange.instruments}
    known = [(code, found) for code, found in figures.items() if found is not None]

    def size(item: tuple[str, Fundamentals]) -> tuple[int, str]:
        instrument = exchange.instruments[item[0]]
        return -instrument.shares * instrument.base_price, item[0]

    known.sort(key=size)
    half = (len(known) + 1) // 2
    chosen = known[:half] if large else known[half:]
    return [Company(code, exchange.quote(code).last, found) for code, found in chosen]


def preparation(exchange: Exchange) -> Iterator[None]:
    """Have every company's figures at hand, a company a step: the first look at them makes up years of prices."""
    for code in exchange.instruments:
        fundamentals(exchange, code)
        yield


def _cheapest(companies: list[Company], measure: Callable[[Company], float]) -> list[str]:
    return sorted(each.code for each in sorted(companies, key=lambda each: (measure(each), each.code))[:HITS])


def _large_cheap_good(exchange: Exchange) -> list[str]:
    """Of the profitable large ones the lowest price in earnings."""
    good = [each for each in _companies(exchange, large=True) if each.figures.eps > 0]
    return _cheapest(good, lambda each: each.figures.per(each.price) or 0.0)


def _small_cheap(exchange: Exchange) -> list[str]:
    """Of the smaller ones the lowest price in book values."""
    return _cheapest(_companies(exchange, large=False), lambda each: each.figures.pbr(each.price))


def _where(holds: Callable[[Quote], bool]) -> Callable[[Exchange], list[str]]:
    return lambda exchange: [code for code in exchange.instruments if holds(exchange.quote(code))]


CONDITIONS = (
    Condition("대형 저평가 우량주", _large_cheap_good),
    Condition("중소형 저평가주", _small_cheap),
    Condition("당일 강세주", _where(lambda quote: quote.rate >= STRONG)),
    Condition("당일 약세주", _where(lambda quote: quote.rate <= -STRONG)),
)
"""By index."""
