"""Rankings of the whole market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.tr.registry import responder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Instrument, Quote
    from koapy.simulation.tr.request import Answer, Request

_MARKETS = {"001": "KOSPI", "101": "KOSDAQ"}

_LEFT_OUT: dict[str, tuple[str, ...]] = {
    "3": ("preferred",),
    "4": ("preferred",),
    "14": ("etf",),
    "15": ("spac",),
    "16": ("etf", "etn"),
}
"""관리종목포함: kinds of issue that a value leaves out. The others ask for what no issue of the simulation is."""

_PRICES: dict[str, Callable[[int], bool]] = {
    "1": lambda price: price < 1_000,
    "2": lambda price: price >= 1_000,
    "3": lambda price: 1_000 <= price < 2_000,
    "4": lambda price: 2_000 <= price < 5_000,
    "5": lambda price: price >= 5_000,
    "6": lambda price: 5_000 <= price < 10_000,
    "7": lambda price: price >= 10_000,
    "8": lambda price: price >= 50_000,
    "9": lambda price: price >= 100_000,
    "10": lambda price: price < 10_000,
}
"""가격구분."""

_ORDERS: dict[str, Callable[[Instrument, Quote], float]] = {
    "1": lambda instrument, quote: quote.volume,
    "2": lambda instrument, quote: quote.volume / max(instrument.shares, 1),
    "3": lambda instrument, quote: quote.value,
}
"""정렬구분."""


@responder("opt10030")
def most_traded(request: Request) -> Answer:
    """당일거래량상위: what has traded today, most first. Parts of the day (장중, 장후, 장전) are not told apart."""
    market = _MARKETS.get(request.choice("시장구분", "000"))
    order = _ORDERS[request.choice("정렬구분", "1")]
    left_out = _LEFT_OUT.get(request.choice("관리종목포함", "0"), ())
    for name in ("신용구분", "장운영구분"):
        request.choice(name, "0")
    least_volume = 1_000 * int(request.choice("거래량구분", "0"))
    least_value = 10_000_000 * int(request.choice("거래대금구분", "0"))
    price_fits = _PRICES.get(request.choice("가격구분", "0"), bool)
    found = sorted(
        (
            (instrument, quote)
            for instrument, quote in _traded(request.exchange)
            if market in (None, instrument.market)
            and instrument.kind not in left_out
            and quote.volume >= least_volume
            and quote.value >= least_value
            and price_fits(quote.last)
        ),
        key=lambda pair: (order(*pair), pair[0].code),
    )
    # Ranks change between pages, so a page goes on from a rank, not from an issue.
    page = request.page(range(len(found)))
    return request.answer(rows=[_row(*found[index]) for index in page.indices], after=page.after)


def _traded(exchange: Exchange) -> Iterator[tuple[Instrument, Quote]]:
    for code, instrument in exchange.instruments.items():
        quote = exchange.quote(code)
        if quote.volume:
            yield instrument, quote


def _row(instrument: Instrument, quote: Quote) -> dict[str, str]:
    base = quote.base_price
    return {
        "종목코드": instrument.code,
        "종목명": instrument.name,
        "현재가": forms.price(quote.last, base),
        "전일대비기호": forms.sign(quote.last, base, instrument.upper, instrument.lower),
        "전일대비": forms.change(quote.change),
        "등락률": forms.percent(quote.change, base),
        "거래량": str(quote.volume),
        "전일비": forms.growth(quote.volume, quote.previous_volume),
        "거래회전율": forms.percent(quote.volume, instrument.shares),
        "거래금액": str(forms.millions(quote.value)),
    }
