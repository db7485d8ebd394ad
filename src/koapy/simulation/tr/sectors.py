"""Indices: their quotes, members and charts."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.history.aggregate import minutes_of, monthly, weekly, yearly
from koapy.simulation.model import Bar, SectorMoment
from koapy.simulation.tr.days import day_number
from koapy.simulation.tr.derived import Underlying
from koapy.simulation.tr.registry import responder
from koapy.simulation.tr.stocks import STOCK, Stock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import SectorQuote
    from koapy.simulation.tr.request import Answer, Request
    from koapy.simulation.tr.vocabulary import Words

WEEKS_52 = timedelta(days=364)


@responder("opt20001")
def quote(request: Request) -> Answer:
    """업종현재가: 거래량 in thousands of shares, 거래대금 in million won; below it the day every ten seconds."""
    exchange, code = request.exchange, request.text("업종코드")
    request.choice("시장구분", "0")
    if code not in exchange.sectors:
        return request.answer()
    now = exchange.sector_quote(code)
    rows, after = _through_the_day(request, now)
    return request.answer(_sector_facts(exchange, now), rows, after)


@responder("opt20006")
def days(request: Request) -> Answer:
    """업종일봉: index values in hundredths of a point."""
    return _dated(request, list)


@responder("opt20007")
def weeks(request: Request) -> Answer:
    """업종주봉: 일자 is the first trading day, as of months and years."""
    return _dated(request, weekly)


@responder("opt20008")
def months(request: Request) -> Answer:
    """업종월봉."""
    return _dated(request, monthly)


@responder("opt20019")
def years(request: Request) -> Answer:
    """업종년봉."""
    return _dated(request, yearly)


@responder("opt20004")
def ticks(request: Request) -> Answer:
    """업종틱차트: the samples of today, one each ten seconds, in bars of so many; without signs."""
    moments = _moments(request)
    return _timed(request, chunks(moments, int(request.choice("틱범위", "1"))), signed=False)


@responder("opt20005")
def minutes(request: Request) -> Answer:
    """업종분봉: a week, and today as far back as samples are kept; signed against yesterday's close."""
    length, code = int(request.choice("틱범위", "1")), request.text("업종코드")
    past: list[Bar] = []
    if code in request.exchange.sectors:
        past = minutes_of(Underlying(request.exchange, code).past_minutes(), length)
    return _timed(request, [*past, *by_minute(_moments(request), length)], signed=True)


@responder("opt20009")
def quote_by_day(request: Request) -> Answer:
    """업종현재가일별: below the quote the days."""
    exchange, code = request.exchange, request.text("업종코드")
    request.choice("시장구분", "0")
    if code not in exchange.sectors:
        return request.answer()
    bars = _sector_bars(exchange, code)
    page = request.page([day_number(bar.start) for bar in bars])
    rows = [_dated_row(bars[index], bars[index - 1].close if index else bars[index].open) for index in page.indices]
    return request.answer(_sector_facts(exchange, exchange.sector_quote(code)), rows, page.after)


@responder("opt20002")
def members(request: Request) -> Answer:
    """업종별주가: the members of an index, by code."""
    exchange, code = request.exchange, request.text("업종코드")
    request.choice("시장구분", "0")
    if code not in exchange.sectors:
        return request.answer()
    found = [Stock(exchange, each) for each in sorted(exchange.sectors[code].members)]
    return request.listed([request.row(STOCK, each) | {"현재거래량": str(each.quote.volume)} for each in found])


@responder("opt20003")
def all_sectors(request: Request) -> Answer:
    """전업종지수: every index of the market that 업종코드 names."""
    exchange = request.exchange
    market = "KOSDAQ" if request.text("업종코드").startswith("1") else "KOSPI"
    rows = []
    for sector in exchange.sectors.values():
        if sector.market == market:
            now = exchange.sector_quote(sector.code)
            row = _sector_facts(exchange, now, extremes=False) | request.row(SECTOR, now)
            rows.append(row | {"종목명": sector.name, "상장종목수": str(len(sector.members))})
    return request.listed(rows)


SECTOR: Words[SectorQuote] = {
    9001: lambda it: it.code,
    10: lambda it: forms.index(it.last, it.base),
    11: lambda it: forms.index_change(it.change),
    12: lambda it: forms.percent(it.change, it.base),
    25: lambda it: forms.sign(it.last, it.base),
    13: lambda it: str(forms.thousands(it.volume)),
    15: lambda it: str(forms.thousands(it.volume)),
    14: lambda it: str(forms.millions(it.value)),
}
"""An index now."""


def _dated(request: Request, group: Callable[[Sequence[Bar]], list[Bar]]) -> Answer:
    exchange, code = request.exchange, request.text("업종코드")
    newest = request.date("기준일자")
    if code not in exchange.sectors:
        return request.answer()
    bars = group(_sector_bars(exchange, code))
    page = request.page([day_number(bar.start) for bar in bars], newest=newest)
    return request.answer({"업종코드": code}, [_day_row(bars[index]) for index in page.indices], page.after)


def _moments(request: Request) -> Sequence[SectorMoment]:
    code = request.text("업종코드")
    return request.exchange.sector_moments(code) if code in request.exchange.sectors else ()


def chunks(moments: Sequence[SectorMoment], length: int) -> list[Bar]:
    """Bars of so many samples each; the volume is what was traded since the bar before."""
    groups = [moments[start : start + length] for start in range(0, len(moments), length)]
    return _bars(groups)


def by_minute(moments: Sequence[SectorMoment], length: int) -> list[Bar]:
    """Bars of so many minutes each, under the minute in which they begin."""
    slots = groupby(moments, key=lambda each: (each.time.hour * 60 + each.time.minute) // length)
    found = _bars([list(group) for _, group in slots])
    return [each._replace(start=_minute(each.start, length)) for each in found]


def _minute(moment: datetime, length: int) -> datetime:
    at = (moment.hour * 60 + moment.minute) // length * length
    return moment.replace(hour=at // 60, minute=at % 60, second=0, microsecond=0)


def _bars(groups: Sequence[Sequence[SectorMoment]]) -> list[Bar]:
    bars, before = [], groups[0][0].volume if groups else 0
    for group in groups:
        values = [each.value for each in group]
        volume, before = group[-1].volume - before, group[-1].volume
        bars.append(Bar(group[0].time, values[0], max(values), min(values), values[-1], volume, 0))
    return bars


def _timed(request: Request, bars: Sequence[Bar], *, signed: bool) -> Answer:
    exchange, code = request.exchange, request.text("업종코드")
    if code not in exchange.sectors:
        return request.answer()
    base = exchange.sector_quote(code).base
    page = request.page([int(bar.start.timestamp()) for bar in bars])
    rows = []
    for index in page.indices:
        bar = bars[index]
        prices = {"현재가": bar.close, "시가": bar.open, "고가": bar.high, "저가": bar.low}
        rows.append(
            {name: forms.price(value, base) if signed else str(value) for name, value in prices.items()}
            | {"거래량": str(forms.thousands(bar.volume)), "체결시간": forms.moment(bar.start)}
        )
    return request.answer({"업종코드": code}, rows, page.after)


def _dated_row(bar: Bar, base: int) -> dict[str, str]:
    return {
        "일자n": forms.day(bar.start),
        "현재가n": forms.index(bar.close, base),
        "전일대비기호n": forms.sign(bar.close, base),
        "전일대비n": forms.index_change(bar.close - base),
        "등락률n": forms.percent(bar.close - base, base),
        "누적거래량n": str(forms.thousands(bar.volume)),
    }


def _sector_bars(exchange: Exchange, code: str) -> list[Bar]:
    today = exchange.sector_today_bar(code)
    return [*exchange.sector_daily(code), *([today] if today else [])]


def _day_row(bar: Bar) -> dict[str, str]:
    return {
        "현재가": str(bar.close),
        "거래량": str(forms.thousands(bar.volume)),
        "일자": forms.day(bar.start),
        "시가": str(bar.open),
        "고가": str(bar.high),
        "저가": str(bar.low),
        "거래대금": str(forms.millions(bar.value)),
    }


def _sector_facts(exchange: Exchange, now: SectorQuote, *, extremes: bool = True) -> dict[str, str]:
    members = len(exchange.sectors[now.code].members)
    return {
        "현재가": forms.index(now.last, now.base),
        "전일대비기호": forms.sign(now.last, now.base),
        "전일대비": forms.index_change(now.change),
        "등락률": forms.percent(now.change, now.base),
        "거래량": str(forms.thousands(now.volume)),
        "거래대금": str(forms.millions(now.value)),
        "거래형성종목수": str(now.traded),
        "거래형성비율": forms.percent(now.traded, members),
        "시가": forms.index(now.open, now.base),
        "고가": forms.index(now.high, now.base),
        "저가": forms.index(now.low, now.base),
        "상한": str(now.upper),
        "상승": str(now.rising),
        "보합": str(max(0, now.traded - now.rising - now.falling)),
        "하락": str(now.falling),
        "하한": str(now.lower),
        **(_extremes(exchange, now) if extremes else {}),
    }


def _extremes(exchange: Exchange, now: SectorQuote) -> dict[str, str]:
    bars = _sector_bars(exchange, now.code)
    if not bars:
        return {}
    first = bisect_left([bar.start for bar in bars], bars[-1].start - WEEKS_52)
    recent = bars[first:]
    high, low = max(recent, key=lambda bar: bar.high), min(recent, key=lambda bar: bar.low)
    return {
        "52주최고가": forms.index(high.high, now.base),
        "52주최고가일": forms.day(high.start),
        "52주최고가대비율": forms.percent(now.last - high.high, high.high),
        "52주최저가": forms.index(low.low, now.base),
        "52주최저가일": forms.day(low.start),
        "52주최저가대비율": forms.percent(now.last - low.low, low.low),
    }


def _through_the_day(request: Request, now: SectorQuote) -> tuple[list[dict[str, str]], int | None]:
    """Rows of the index every ten seconds, the newest being now, and the key of the next page."""
    moments = [each for each in request.exchange.sector_moments(now.code) if each.volume]
    present = SectorMoment(request.world.now(), now.last, now.volume)
    if now.traded and (not moments or _slot(moments[-1]) != _slot(present)):
        moments.append(present)
    page = request.page([_slot(each) for each in moments])
    # What was traded before the oldest moment that is kept is not its own.
    rows = [_moment_row(moments[index], now.base, moments[max(index - 1, 0)].volume) for index in page.indices]
    return rows, page.after


def _slot(moment: SectorMoment) -> int:
    """The tens of seconds that a row stands for."""
    return int(moment.time.timestamp()) // 10


def _moment_row(moment: SectorMoment, base: int, volume_before: int) -> dict[str, str]:
    at, value = moment.time, moment.value
    return {
        "시간n": forms.clock(at.replace(second=at.second // 10 * 10)),
        "현재가n": forms.index(value, base),
        "전일대비기호n": forms.sign(value, base),
        "전일대비n": forms.index_change(value - base),
        # Recorded without a plus sign, unlike 등락률 above.
        "등락률n": forms.decimal(100 * (value - base), base),
        "거래량n": str(forms.thousands(moment.volume - volume_before)),
        "누적거래량n": str(forms.thousands(moment.volume)),
    }
