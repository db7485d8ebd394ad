"""ETFs: what their parts are worth, and what they follow. Figures of the simulation's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.funds import Tracked, nav, tracked, tracking_error
from koapy.simulation.figures.investors import INSTITUTIONS, Investor, flows, total
from koapy.simulation.model import Side
from koapy.simulation.tr.days import Day, daily, days
from koapy.simulation.tr.foreign import held
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import STOCK, Stock, stocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Bar, Instrument, SectorMoment, Trade
    from koapy.simulation.tr.request import Answer, Request

PERIODS = {"0": 5, "1": 20, "2": 120, "3": 250}
"""Trading days of 기간."""
TAXED = "보유기간과세"
HOUSES = ("KODEX", "KIWOOM", "SOL", "TIGER", "ACE", "RISE", "PLUS", "HANARO")
"""Brands of the houses that 운용사 names, in the order of its values."""
_FIRST_PRICE = 10_000
"""원주가격, which nothing is known of."""


def fund(request: Request) -> Stock | None:
    """Return the ETF or ETN that 종목코드 names, None for anything else."""
    code, known = request.code(), request.exchange.instruments
    return Stock(request.exchange, code) if code in known and known[code].fund else None


def _facts(it: Stock) -> dict[str, str]:
    index = tracked(it.instrument)
    etf = it.instrument.kind == "etf"
    return {
        "종목분류": STOCK[300](it),
        "종목명": it.instrument.name,
        "ETF대상지수명": index.name,
        "ETF대상지수코드": index.sector,
        "대상지수대비율": forms.percent(*_index_move(it.exchange, index)),
        "원주가격": str(_FIRST_PRICE),
        "ETF과세유형": TAXED if etf else "",
        "ETN과세유형": "" if etf else TAXED,
    }


def _index_move(exchange: Exchange, index: Tracked) -> tuple[int, int]:
    """Change and base of what a fund follows today; 0 of 1 where that is not known."""
    if index.sector not in exchange.sectors:
        return 0, 1
    quote = exchange.sector_quote(index.sector)
    return quote.change, quote.base


def _worth(it: Stock, price: int) -> dict[str, str]:
    """NAV at a price now, and what lies between."""
    return _apart(price, nav(it.instrument, it.exchange.today, price), _base_nav(it)) | {
        "추적오차율": _error(it.instrument, it.exchange)
    }


def _base_nav(it: Stock) -> int:
    past = it.exchange.recent(it.code, 1)
    return nav(it.instrument, past[-1].start.date(), past[-1].close) if past else 100 * it.base


def _apart(price: int, now: int, before: int) -> dict[str, str]:
    deviation = forms.percent(100 * price - now, now)
    return {
        "NAV": forms.index(now, before).strip(),
        "NAV전일대비": forms.index_change(now - before),
        "NAV등락율": forms.percent(now - before, before),
        "NAVETF": deviation,
        "NAV/ETF괴리율": deviation,
        "괴리율": deviation,
    }


def _error(instrument: Instrument, exchange: Exchange) -> str:
    return forms.decimal(tracking_error(instrument, exchange.today), 100)


@responder("opt40001", source=Source.OWN, past=1)
def returns(request: Request) -> Answer:
    """ETF수익율: of what it is worth, and of its price, in a period; and who bought it."""
    it, count = fund(request), PERIODS[request.choice("기간", "0")]
    if it is None:
        return request.answer()
    stretch = days(request.exchange, it.code, count)
    first = stretch[0]
    start = nav(it.instrument, first.date, first.bar.close)
    now = nav(it.instrument, request.exchange.today, it.quote.last)
    traded = [each.flows for each in stretch]
    row = {
        "ETF수익률": forms.percent(now - start, start),
        "체결수익률": forms.percent(it.quote.last - first.bar.close, first.bar.close),
        "외인순매수수량": forms.delta(total(each.of(Investor.FOREIGN) for each in traded).net),
        "기관순매수수량": forms.delta(total(each.of(*INSTITUTIONS) for each in traded).net),
    }
    return request.answer(rows=[row])


@responder("opt40002", source=Source.OWN)
def facts(request: Request) -> Answer:
    """ETF종목정보."""
    it = fund(request)
    return request.answer(_facts(it) if it else None)


@responder("opt40003", "opt40005", source=Source.OWN)
def by_day(request: Request) -> Answer:
    """ETF일별추이."""
    it = fund(request)
    if it is None:
        return request.answer()
    exchange, index = request.exchange, tracked(it.instrument)
    marks = _index_days(exchange, index.sector)
    known = days(exchange, it.code)
    navs = {day.number: nav(it.instrument, day.date, day.bar.close) for day in known}
    before = {
        day.number: navs[known[place - 1].number] if place else navs[day.number] for place, day in enumerate(known)
    }

    def row(day: Day) -> Mapping[str, str]:
        level = marks.get(day.number)
        return {
            "누적거래대금": str(forms.millions(day.bar.value)),
            **_apart(day.bar.close, navs[day.number], before[day.number]),
            "NAV/지수괴리율": "0.00",
            "추적오차율": forms.decimal(tracking_error(it.instrument, day.date), 100),
            **(_index_row(*level) if level else {}),
        }

    return daily(request, row)


def _index_row(level: int, base: int) -> dict[str, str]:
    return {
        "추적지수": forms.price(level, base),
        "추적현재가": forms.price(level, base),
        "추적전일대비": forms.change(level - base),
        "추적지수전일대비": forms.change(level - base),
        "추적대비기호": forms.sign(level, base),
        "추적지수전일대비기호": forms.sign(level, base),
    }


def _index_days(exchange: Exchange, sector: str) -> dict[int, tuple[int, int]]:
    """Close and the close before it of an index, by day; nothing of an index that the market has not."""
    if sector not in exchange.sectors:
        return {}
    today = exchange.sector_today_bar(sector)
    bars: list[Bar] = [*exchange.sector_daily(sector), *([today] if today else [])]
    return {
        int(forms.day(bar.start)): (bar.close, bars[place - 1].close if place else bar.open)
        for place, bar in enumerate(bars)
    }


@responder("opt40004", source=Source.OWN, past=1)
def all_funds(request: Request) -> Answer:
    """ETF전체시세: by code. All are taxed alike."""
    tax, house = request.label("과세유형"), request.text("운용사")
    against = request.choice("NAV대비", "0")
    for name in ("과세여부", "추적지수"):
        request.label(name)
    rows = []
    for each in selected(request, list(stocks(request.exchange))):
        if each.instrument.kind != "etf" or not _of_house(each, house, request) or tax not in ("", "전체", TAXED):
            continue
        now = nav(each.instrument, request.exchange.today, each.quote.last)
        above = now > 100 * each.base
        if against != "0" and above is not (against == "1"):
            continue
        index = tracked(each.instrument)
        move, base = _index_move(request.exchange, index)
        rows.append(
            request.row(STOCK, each)
            | _worth(each, each.quote.last)
            | {
                "과표기준": "",
                "배당전기준": "",
                "전일배당금": "",
                "추적지수명": index.name,
                "배수": str(index.times),
                "추적지수코드": index.sector,
                "추적지수": forms.price(base + move, base) if index.sector else "",
                "추적등락율": forms.percent(move, base),
            }
        )
    return request.listed(rows)


def _of_house(it: Stock, house: str, request: Request) -> bool:
    values = next(each.values for each in request.tr.inputs if each.name == "운용사")
    codes = [code for code, _ in values][1:]
    if house in ("", "0000") or house not in codes:
        return True
    brand = it.instrument.name.partition(" ")[0]
    place = codes.index(house)
    return brand == HOUSES[place] if place < len(HOUSES) else brand not in HOUSES


def _trades(it: Stock) -> Sequence[Trade]:
    return it.exchange.trades(it.code)


def _trade_row(it: Stock, trade: Trade) -> dict[str, str]:
    change = trade.price - it.base
    signed = trade.quantity if trade.side is Side.BUY else -trade.quantity
    return {
        "시간": forms.clock(trade.time),
        "체결시간": forms.clock(trade.time),
        "현재가": forms.price(trade.price, it.base),
        "종가": forms.price(trade.price, it.base),
        "대비기호": forms.sign(trade.price, it.base, it.instrument.upper, it.instrument.lower),
        "전일대비": forms.change(change),
        "등락율": forms.percent(change, it.base),
        "거래량": f"{signed:+d}",
        "거래대금": str(forms.millions(trade.value)),
    }


@responder("opt40006", source=Source.OWN)
def by_time(request: Request) -> Answer:
    """ETF시간대별추이: today's trades with what the fund is worth at each."""
    it = fund(request)
    if it is None:
        return request.answer()
    index = tracked(it.instrument)
    moments: Sequence[SectorMoment] = ()
    if index.sector in request.exchange.sectors:
        moments = request.exchange.sector_moments(index.sector)
    rows = []
    for trade in _trades(it):
        row = _trade_row(it, trade) | {"거래량": str(trade.volume)} | _worth(it, trade.price)
        row |= {"NAV지수": "0.00", "추적": row["추적오차율"]}
        level = next((each for each in reversed(moments) if each.time <= trade.time), None)
        if level:
            row |= _index_row(level.value, request.exchange.sector_quote(index.sector).base)
        rows.append(row)
    return request.listed(rows, _facts(it))


@responder("opt40007", source=Source.OWN)
def trades(request: Request) -> Answer:
    """ETF시간대별체결."""
    it = fund(request)
    if it is None:
        return request.answer()
    return request.listed([_trade_row(it, trade) for trade in _trades(it)], _facts(it))


@responder("opt40008", source=Source.OWN)
def bought_by_day(request: Request) -> Answer:
    """ETF일자별체결: the last trade, and below it the days with who bought."""
    it = fund(request)
    if it is None:
        return request.answer()
    last = it.quote.last_trade
    single = _trade_row(it, last) if last else {}

    def row(day: Day) -> Mapping[str, str]:
        return {
            "외인순매수수량": forms.net(day.flows.of(Investor.FOREIGN).net),
            "기관순매수수량": forms.net(day.flows.of(*INSTITUTIONS).net),
        }

    return daily(request, row, single=single)


@responder("opt40009", source=Source.OWN)
def worth(request: Request) -> Answer:
    """ETF시간대별체결: what the fund is worth now, in one row."""
    it = fund(request)
    if it is None:
        return request.answer()
    row = {
        **_worth(it, it.quote.last),
        "주식수": STOCK[312](it),
        "기준가": str(it.base),
        "외인보유수량": str(held(request.exchange, it.instrument)),
        "대용가": str(it.base * 8 // 100 * 10),
        "원주가격": str(_FIRST_PRICE),
    }
    return request.answer(rows=[row])


@responder("opt40010", source=Source.OWN)
def foreigners_by_time(request: Request) -> Answer:
    """ETF시간대별추이: today's trades with what foreigners had bought by then."""
    it = fund(request)
    if it is None:
        return request.answer()
    rows = []
    for trade in _trades(it):
        now = flows(it.instrument, request.exchange.today, trade.volume, trade.value)
        rows.append(_trade_row(it, trade) | {"외인순매수": forms.net(now.of(Investor.FOREIGN).net)})
    return request.listed(rows)
