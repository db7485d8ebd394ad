"""Charts: ticks, minutes, days, weeks, months and years of a stock.

Those of the regular session (정규장) are the same: the simulation has no other venue and no trades after hours.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.history.aggregate import monthly, ticks_of, weekly, yearly
from koapy.simulation.tr.days import bars, day_number
from koapy.simulation.tr.registry import responder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Bar
    from koapy.simulation.tr.request import Answer, Request

TICKS = ("1", "3", "5", "10", "30")
"""틱범위 of opt10079."""
MINUTES = ("1", "3", "5", "10", "15", "30", "45", "60")
"""틱범위 of opt10080."""


@responder("opt10081", "opt10101")
def days(request: Request) -> Answer:
    """주식일봉차트: 거래대금 in million won, of the other periods in won."""
    return _dated(request, list, forms.millions)


@responder("opt10082", "opt10102")
def weeks(request: Request) -> Answer:
    """주식주봉차트: 일자 is the first trading day, as of months and years."""
    return _dated(request, weekly, int)


@responder("opt10083", "opt10103")
def months(request: Request) -> Answer:
    """주식월봉차트."""
    return _dated(request, monthly, int)


@responder("opt10094", "opt10104")
def years(request: Request) -> Answer:
    """주식년봉차트."""
    return _dated(request, yearly, int)


@responder("opt10080", "opt10100")
def minutes(request: Request) -> Answer:
    """주식분봉차트: prices signed against the day's reference price."""
    code, span = request.code(), int(request.choice("틱범위", "1", *MINUTES))
    request.choice("수정주가구분", "0", "1")
    if code not in request.exchange.instruments:
        return request.answer()
    found = request.exchange.minutes(code, span)
    page = request.page([int(bar.start.timestamp()) for bar in found])
    base_of = _reference_prices(request.exchange, code)
    rows = [_moment_row(found[index], base_of(found[index].start)) for index in page.indices]
    return request.answer({"종목코드": code}, rows, page.after)


@responder("opt10079", "opt10099")
def ticks(request: Request) -> Answer:
    """주식틱차트: prices without a sign, unlike those of minutes."""
    code, span = request.code(), int(request.choice("틱범위", "1", *TICKS, *MINUTES))
    request.choice("수정주가구분", "0", "1")
    if code not in request.exchange.instruments:
        return request.answer()
    found = ticks_of(request.exchange.ticks(code), span)
    page = request.page([int(bar.start.timestamp() * 1_000_000) for bar in found])
    rows = [_moment_row(found[index], None) for index in page.indices]
    return request.answer({"종목코드": code}, rows, page.after)


def _dated(request: Request, group: Callable[[Sequence[Bar]], list[Bar]], amount: Callable[[int], int]) -> Answer:
    code = request.code()
    request.choice("수정주가구분", "0", "1")
    newest, oldest = request.date("기준일자"), request.date("끝일자")
    if code not in request.exchange.instruments:
        return request.answer()
    found = group(bars(request.exchange, code))
    keys = [day_number(bar.start) for bar in found]
    if oldest is not None and keys and oldest > min(keys[-1], newest or keys[-1]):
        oldest = None  # recorded: a 끝일자 later than the whole chart has no effect
    page = request.page(keys, newest=newest, oldest=oldest)
    rows = [_day_row(found[index], amount) for index in page.indices]
    if rows:
        rows[0]["종목코드"] = code
    return request.answer({"종목코드": code}, rows, page.after)


def _day_row(bar: Bar, amount: Callable[[int], int]) -> dict[str, str]:
    return {
        "현재가": str(bar.close),
        "거래량": str(bar.volume),
        "거래대금": str(amount(bar.value)),
        "일자": forms.day(bar.start),
        "시가": str(bar.open),
        "고가": str(bar.high),
        "저가": str(bar.low),
    }


def _moment_row(bar: Bar, base: int | None) -> dict[str, str]:
    prices = {"현재가": bar.close, "시가": bar.open, "고가": bar.high, "저가": bar.low}
    return {
        "거래량": str(bar.volume),
        "체결시간": forms.moment(bar.start),
        **{name: str(value) if base is None else forms.price(value, base) for name, value in prices.items()},
    }


def _reference_prices(exchange: Exchange, code: str) -> Callable[[datetime], int]:
    """Return a function that knows the reference price of the day of a moment: the close before it."""
    bars = exchange.daily(code)
    starts = [bar.start for bar in bars[-30:]]
    closes = [bar.close for bar in bars[-30:]]
    today, base = exchange.today, exchange.instruments[code].base_price

    def base_of(moment: datetime) -> int:
        if moment.date() >= today:
            return base
        before = bisect_left(starts, moment.replace(hour=0, minute=0, second=0, microsecond=0))
        return closes[before - 1] if before else base

    return base_of
