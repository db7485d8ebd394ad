"""The auctions after hours (시간외단일가): the book of one issue, and a ranking. The mock server has none of it.

Prices are signed against the close of the day's hours, from which their limits are reckoned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.tr.registry import responder
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import Stock, stocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from koapy.simulation.model import AfterHoursQuote, Level
    from koapy.simulation.tr.request import Answer, Request

LEVELS = 5
"""Prices of a side that opt10087 shows."""


@responder("opt10087")
def book(request: Request) -> Answer:
    """시간외단일가: one row; -0 and 0 where nobody offers anything."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    quote, evening, depth = exchange.after_hours(code), exchange.after_hours_depth(code), exchange.depth(code)
    close = quote.close if quote else exchange.quote(code).last
    row = dict.fromkeys(request.tr.multi_names, "0") | {
        "호가잔량기준시간": forms.clock(request.world.now()),
        "매도호가총잔량": str(depth.total_ask),
        "매수호가총잔량": str(depth.total_bid),
    }
    row |= _side("매도", evening.asks if evening else (), close) | _side("매수", evening.bids if evening else (), close)
    if evening is not None:
        row |= {
            "시간외단일가_매도호가총잔량": str(evening.total_ask),
            "시간외단일가_매수호가총잔량": str(evening.total_bid),
        }
    return request.answer(rows=[row | _moved(quote, close)])


def _side(side: str, levels: Sequence[Level], close: int) -> dict[str, str]:
    row = {f"시간외단일가_{side}호가{place}": "-0" for place in range(1, LEVELS + 1)}
    for place, level in enumerate(levels[:LEVELS], 1):
        row |= {
            f"시간외단일가_{side}호가{place}": forms.price(level.price, close),
            f"시간외단일가_{side}호가수량{place}": str(level.quantity),
        }
    return row


def _moved(quote: AfterHoursQuote | None, close: int) -> dict[str, str]:
    """The price of the evening: the close, with the sign 0 that was recorded then, before its first trade."""
    if quote is None or not quote.volume:
        return {"시간외단일가_현재가": str(close), "시간외단일가_등락률": "0.00"}
    change = quote.last - close
    return {
        "시간외단일가_현재가": forms.price(quote.last, close),
        "시간외단일가_전일대비기호": forms.sign(quote.last, close, quote.upper, quote.lower),
        "시간외단일가_전일대비": forms.change(change),
        "시간외단일가_등락률": forms.percent(change, close),
        "시간외단일가_누적거래량": str(quote.volume),
    }


@responder("opt10098")
def movers(request: Request) -> Answer:
    """시간외단일가등락율순위: what has traded in the evening. The conditions on volume and amount are about the day."""
    order = request.choice("정렬기준", "1")
    found = [(each, quote) for each in selected(request, list(stocks(request.exchange))) if (quote := _traded(each))]
    measures: dict[str, Callable[[AfterHoursQuote], float]] = {
        "1": lambda quote: (quote.last - quote.close) / quote.close,
        "2": lambda quote: quote.last - quote.close,
        "3": lambda quote: (quote.close - quote.last) / quote.close,
        "4": lambda quote: quote.close - quote.last,
    }
    measure = measures.get(order)
    chosen = [
        pair for pair in found if (measure(pair[1]) > 0 if measure is not None else pair[1].last == pair[1].close)
    ]
    chosen.sort(key=lambda pair: (-(measure(pair[1]) if measure is not None else pair[1].volume), pair[0].code))
    return request.listed([_row(place, *pair) for place, pair in enumerate(chosen, 1)])


def _traded(stock: Stock) -> AfterHoursQuote | None:
    quote = stock.exchange.after_hours(stock.code)
    return quote if quote is not None and quote.volume else None


def _row(place: int, stock: Stock, quote: AfterHoursQuote) -> dict[str, str]:
    change = quote.last - quote.close
    return {
        "순위": str(place),
        "종목코드": stock.code,
        "종목명": stock.instrument.name,
        "현재가": forms.price(quote.last, quote.close),
        "전일대비기호": forms.sign(quote.last, quote.close, quote.upper, quote.lower),
        "전일대비": forms.change(change),
        "등락률": forms.percent(change, quote.close),
        "매도총잔량": str(quote.total_ask),
        "매수총잔량": str(quote.total_bid),
        "누적거래량": str(quote.volume),
        "누적거래대금": str(forms.millions(quote.value)),
        "당일종가": str(quote.close),
        "당일종가등락률": forms.percent(quote.close - stock.base, stock.base),
    }
