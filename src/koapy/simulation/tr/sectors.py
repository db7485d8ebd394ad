"""Indices: their quote through the day, and their daily chart."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.model import SectorMoment
from koapy.simulation.tr.charts import day_number
from koapy.simulation.tr.registry import responder

if TYPE_CHECKING:
    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Bar, SectorQuote
    from koapy.simulation.tr.request import Answer, Request

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
    exchange, code = request.exchange, request.text("업종코드")
    newest = request.date("기준일자")
    if code not in exchange.sectors:
        return request.answer()
    bars = _sector_bars(exchange, code)
    page = request.page([day_number(bar.start) for bar in bars], newest=newest)
    return request.answer({"업종코드": code}, [_day_row(bars[index]) for index in page.indices], page.after)


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


def _sector_facts(exchange: Exchange, now: SectorQuote) -> dict[str, str]:
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
        **_extremes(exchange, now),
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
