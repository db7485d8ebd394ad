"""Rankings of the whole market by what has changed: against earlier days, or against some minutes ago."""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.loans import credit_rate
from koapy.simulation.tr.days import bars
from koapy.simulation.tr.fundamentals import fundamentals
from koapy.simulation.tr.rankings import ranked, traded
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.stocks import STOCK, Stock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from koapy.simulation.model import Bar
    from koapy.simulation.tr.registry import Steps
    from koapy.simulation.tr.request import Answer, Request

YEAR = 250
"""Days of the longest look back of most rankings."""


@responder("opt10016", past=1)
def new_extremes(request: Request) -> Steps:
    """신고저가: prices beyond all of the last days, by high and low or by close."""
    low, by_close = request.choice("신고저구분", "1") == "2", request.choice("고저종구분", "1") == "2"
    count = int(request.choice("기간", "5"))
    found, edges = [], {}
    for each in traded(request):
        yield
        past = request.exchange.recent(each.code, count)
        if not past:
            continue
        highest = max(bar.close if by_close else bar.high for bar in past)
        lowest = min(bar.close if by_close else bar.low for bar in past)
        now_high, now_low = (each.quote.last,) * 2 if by_close else (each.quote.high, each.quote.low)
        if now_low < lowest if low else now_high > highest:
            found.append(each)
            edges[each.code] = max(highest, each.quote.high), min(lowest, each.quote.low)

    def extra(each: Stock) -> dict[str, str]:
        highest, lowest = edges[each.code]
        return {
            "전일거래량대비율": forms.growth(each.quote.volume, each.quote.previous_volume),
            "고가": str(highest),
            "저가": str(lowest),
        }

    return ranked(request, found, lambda each: -each.quote.rate if low else each.quote.rate, extra)


@responder("opt10019", past=1, minutes=True)
def price_jumps(request: Request) -> Steps:
    """가격급등락: against the price of some minutes or days ago."""
    down, by_day = request.choice("등락구분", "1") == "2", request.choice("시간구분", "1") == "2"
    span = request.minutes("시간")
    since = request.world.now() - timedelta(minutes=span)
    earlier = {}
    for each in traded(request):
        yield
        price = _price_days_ago(each, min(span, YEAR)) if by_day else _price_at(each, since)
        if price and (each.quote.last < price if down else each.quote.last > price):
            earlier[each.code] = price
    found = [each for each in traded(request) if each.code in earlier]

    def jump(each: Stock) -> float:
        return (each.quote.last - earlier[each.code]) / earlier[each.code]

    def extra(each: Stock) -> dict[str, str]:
        price = earlier[each.code]
        return {
            "기준가": str(price),
            "기준대비": str(each.quote.last - price),
            "급등률": forms.percent(each.quote.last - price, price),
        }

    return ranked(request, found, lambda each: -jump(each) if down else jump(each), extra)


def _price_days_ago(stock: Stock, count: int) -> int:
    past = stock.exchange.recent(stock.code, count)
    return past[0].close if past else 0


def _price_at(stock: Stock, moment: datetime) -> int:
    """The price at a moment of today; before the first trade the reference price."""
    minutes = stock.exchange.today_minutes(stock.code)
    place = bisect_right(minutes, moment - timedelta(minutes=1), key=lambda bar: bar.start)
    return minutes[place - 1].close if place else stock.base


@responder("opt10023", past=2, minutes=True)
def volume_jumps(request: Request) -> Answer:
    """거래량급증: today's volume against yesterday's, or that of the last minutes against as many before them."""
    order, by_minute = request.choice("정렬구분", "1"), request.choice("시간구분", "2") == "1"
    span = request.minutes("시간")
    found = traded(request)
    pairs = {
        each.code: _volumes(each, request.world.now(), span)
        if by_minute
        else (each.quote.previous_volume, each.quote.volume)
        for each in found
    }

    def grown(each: Stock) -> int:
        then, now = pairs[each.code]
        return now - then

    wanted = 1 if order in ("1", "2") else -1
    by_rate = order in ("2", "4")
    found = [each for each in found if wanted * grown(each) > 0 and pairs[each.code][0]]

    def measure(each: Stock) -> float:
        return wanted * grown(each) / (pairs[each.code][0] if by_rate else 1)

    def extra(each: Stock) -> dict[str, str]:
        then, now = pairs[each.code]
        return {
            "이전거래량": str(then),
            "현재거래량": str(now),
            "급증량": forms.delta(now - then),
            "급증률": forms.percent(now - then, then),
        }

    return ranked(request, found, measure, extra)


def _volumes(stock: Stock, now: datetime, span: int) -> tuple[int, int]:
    """Shares of the last minutes, and of as many before them."""
    step = timedelta(minutes=span)
    first, middle = now - 2 * step, now - step
    minutes = [bar for bar in stock.exchange.today_minutes(stock.code) if bar.start >= first]
    return (
        sum(bar.volume for bar in minutes if bar.start < middle),
        sum(bar.volume for bar in minutes if bar.start >= middle),
    )


@responder("opt10024", past=1)
def volume_records(request: Request) -> Steps:
    """거래량갱신: more has traded today than on any of the last days."""
    count = int(request.choice("주기구분", "5"))
    most = {}
    for each in traded(request):
        yield
        past = request.exchange.recent(each.code, count)
        if past and each.quote.volume > max(bar.volume for bar in past):
            most[each.code] = max(bar.volume for bar in past)
    found = [each for each in traded(request) if each.code in most]
    return ranked(
        request,
        found,
        lambda each: each.quote.volume,
        lambda each: {"이전거래량": str(most[each.code]), "현재거래량": str(each.quote.volume)},
    )


@responder("opt10025", past=1)
def volume_by_price(request: Request) -> Steps:
    """매물대집중: ranges of prices in which at least so much of the volume of the last days was traded."""
    least, entered = request.number("매물집중비율", 50), request.choice("현재가진입", "0") == "1"
    count, days = max(request.number("매물대수", 10), 1), int(request.choice("주기구분", "50"))
    rows = []
    for each in traded(request):
        yield
        for low, high, volume, whole in _bands(bars(request.exchange, each.code, days), count):
            inside = low <= each.quote.last <= high
            if 100 * volume >= least * whole and (entered or not inside):
                rows.append((volume / whole, each, low, high, volume, whole))
    rows.sort(key=lambda row: (-row[0], row[1].code, row[2]))
    page = request.top(len(rows))
    return request.answer(
        rows=[
            request.row(STOCK, each)
            | {
                "가격대시작": str(low),
                "가격대끝": str(high),
                "매물량": str(volume),
                "매물비": forms.percent(volume, whole),
            }
            for _, each, low, high, volume, whole in (rows[index] for index in page.indices)
        ],
        after=page.after,
    )


def _bands(past: Sequence[Bar], count: int) -> list[tuple[int, int, int, int]]:
    """Cut the range of prices into so many: first and last price, shares traded there, and of all."""
    low, high = min(bar.low for bar in past), max(bar.high for bar in past)
    width = (high - low) // count + 1
    volumes = [0] * count
    for bar in past:
        volumes[((bar.high + bar.low + bar.close) // 3 - low) // width] += bar.volume
    whole = sum(volumes)
    return [(low + place * width, low + (place + 1) * width - 1, volume, whole) for place, volume in enumerate(volumes)]


@responder("opt10033", source=Source.OWN, past=1)
def most_credit(request: Request) -> Steps:
    """신용비율상위."""
    rates = {}
    for each in traded(request):
        yield
        company = fundamentals(request.exchange, each.code)
        rates[each.code] = credit_rate(each.code, company.credit, request.exchange.today) if company else 0
    found = [each for each in traded(request) if rates[each.code]]
    return ranked(request, found, lambda each: rates[each.code])
