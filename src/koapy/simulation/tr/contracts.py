"""Futures and options: which there are, and their quotes. A chain of the simulation's own on its KOSPI200."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.calendar import trading_days
from koapy.simulation import forms
from koapy.simulation.figures.chain import INDEX, at_the_money, expiries, futures, options, stock_futures
from koapy.simulation.figures.contract import Contract, Kind
from koapy.simulation.tr.contract_words import DERIVED, MOMENT
from koapy.simulation.tr.derived import Derived, known, steps
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.vocabulary import spoken

if TYPE_CHECKING:
    from datetime import date

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.tr.request import Answer, Request

_CONTINUOUS = "00000"
"""How codes end that stand for the nearest future of an underlying."""


def contracts(exchange: Exchange) -> list[Contract]:
    """Return every future and option that is listed on what the market has."""
    found: list[Contract] = []
    if INDEX in exchange.sectors:
        base = exchange.sector_quote(INDEX).base
        found += [*futures(exchange.today), *options(exchange.today, base)]
    return found + [each for each in stock_futures(exchange.today) if known(exchange, each.underlying)]


def find(exchange: Exchange, code: str) -> Contract | None:
    """Return a contract by its code, None for an unknown one."""
    wanted, listed = code.strip().upper(), contracts(exchange)
    if wanted.endswith(_CONTINUOUS):
        return next((each for each in listed if each.kind is Kind.FUTURE and each.code[1:3] == wanted[1:3]), None)
    return next((each for each in listed if each.code == wanted), None)


def contract(exchange: Exchange, code: str) -> Derived | None:
    """Return a contract as it is now, None for an unknown code."""
    found = find(exchange, code)
    return Derived(exchange, found) if found else None


def asked(request: Request) -> Derived | None:
    """Return the contract that 종목코드 names, None for an unknown one."""
    return contract(request.exchange, request.text("종목코드"))


def of_month(request: Request, kind: Kind) -> list[Derived]:
    """Return the options of 만기년월 (YYYYMM), by strike; a blank month is the nearest."""
    exchange = request.exchange
    month = request.number("만기년월")
    listed = [each for each in contracts(exchange) if each.kind is kind]
    if month:
        listed = [each for each in listed if each.expiry.year * 100 + each.expiry.month == month]
    elif listed:
        listed = [each for each in listed if each.expiry == listed[0].expiry]
    return [Derived(exchange, each) for each in listed]


def money(it: Derived) -> str:
    """Return ATM구분: 1 at the money, 2 in, 3 out of it."""
    middle = at_the_money(it.level)
    if it.contract.strike == middle:
        return "1"
    return "2" if it.contract.inner(it.level) > 0 else "3"


def converted(it: Derived) -> str:
    """Return 지수환산: the strike on the scale of KOSPI."""
    exchange = it.exchange
    if "001" not in exchange.sectors:
        return ""
    return forms.decimal(it.contract.strike * exchange.sector_quote("001").base, 100 * max(it.underlying.base, 1))


def option_row(request: Request, it: Derived) -> dict[str, str]:
    """Write an option as the lists of a month do."""
    return request.row(DERIVED, it) | {"ATM구분": money(it), "지수환산": converted(it)}


@responder("opt50001", source=Source.OWN)
def quote(request: Request) -> Answer:
    """선옵현재가정보: the quote, and today's trades below it."""
    it = asked(request)
    if it is None:
        return request.answer()
    rows = [request.row(MOMENT, step) for step in reversed(steps(it))]
    single = spoken(request.tr.single, DERIVED, it) | _extremes(it) | _pivots(it)
    single |= {name: "0" for name in request.tr.single_names if "수익율" in name or "건수" in name or name == "대용가"}
    return request.listed(rows, single)


def _extremes(it: Derived) -> dict[str, str]:
    """The highest and the lowest price since the contract was listed."""
    found = it.days()
    if not found:
        return {}
    high, low = max(found, key=lambda bar: bar.high), min(found, key=lambda bar: bar.low)
    return {
        "상장중최고가": it.write(high.high),
        "상장중최고가일": forms.day(high.start),
        "상장중최고가대비율": forms.percent(it.last - high.high, high.high),
        "상장중최저가": it.write(low.low),
        "상장중최저가일": forms.day(low.start),
        "상장중최저가대비율": forms.percent(it.last - low.low, low.low),
        "영업일기준잔존일": str(_trading_days(it.day, it.contract.expiry)),
    }


def _trading_days(first: date, last: date) -> int:
    return len(trading_days(first, last)) - 1


def _pivots(it: Derived) -> dict[str, str]:
    """피봇 and what follows from it: of yesterday's prices."""
    if it.before is None:
        return {}
    high, low = it.before.high, it.before.low
    pivot = (high + low + it.before.close) / 3
    return {
        "피봇": it.plain(pivot),
        "1차저항": it.plain(2 * pivot - low),
        "2차저항": it.plain(pivot + high - low),
        "1차저지": it.plain(2 * pivot - high),
        "2차저지": it.plain(pivot - high + low),
    }


@responder("opt50003", source=Source.OWN)
def facts(request: Request) -> Answer:
    """선옵시고저가."""
    it = asked(request)
    return request.answer(spoken(request.tr.single, DERIVED, it) if it else None)


@responder("opt50040", source=Source.OWN)
def facts_row(request: Request) -> Answer:
    """선옵시고저가: the same in one row."""
    it = asked(request)
    return request.answer(rows=[request.row(DERIVED, it)] if it else [])


@responder("opt50019", source=Source.OWN)
def facts_now(request: Request) -> Answer:
    """선물옵션현재가정보."""
    it = asked(request)
    if it is None:
        return request.answer()
    value, before = (bar.value if bar else 0 for bar in (it.bar, it.before))
    single = spoken(request.tr.single, DERIVED, it)
    return request.answer(single | {"거래대금증감": forms.change(forms.millions(value - before))})


@responder("opt50033", source=Source.OWN)
def days_left(request: Request) -> Answer:
    """선옵잔존일조회: of the next four months."""
    it = asked(request)
    if it is None:
        return request.answer()
    single = spoken(request.tr.single, DERIVED, it)
    names = (
        ("잔존일수", "영업일기준잔존일"),
        ("차근달력기준잔존일", "차근영업일기준잔존일"),
        ("차차근달력기준잔존일", "차차근영업일기준잔존일"),
        ("차차차근달력기준잔존일", "차차차근영업일기준잔존일"),
    )
    for (calendar, trading), expiry in zip(names, expiries(it.day, len(names)), strict=True):
        single |= {calendar: str((expiry - it.day).days), trading: str(_trading_days(it.day, expiry))}
    return request.answer(single)


@responder("optfofid", source=Source.OWN)
def many(request: Request) -> Answer:
    """선물전체시세: the catalogue has one record and no rows, so of the codes asked for the first one counts."""
    codes = [code for code in request.text("종목코드").split(";") if code.strip()]
    it = contract(request.exchange, codes[0]) if codes else None
    if it is None:
        return request.answer()
    single = spoken(request.tr.single, DERIVED, it) | {"지수환산": converted(it) if it.contract.strike else ""}
    return request.answer(single | {"영업일기준잔존일": str(_trading_days(it.day, it.contract.expiry))})


@responder("opt50004", "opt50065", source=Source.OWN)
def strikes(request: Request) -> Answer:
    """콜옵션행사가, 풋옵션행사가."""
    kind = Kind.CALL if request.tr.code == "opt50004" else Kind.PUT
    return request.listed([option_row(request, each) for each in of_month(request, kind)])


@responder("opt50021", "opt50022", source=Source.OWN)
def one_side(request: Request) -> Answer:
    """콜, 풋종목결제월별시세."""
    kind = Kind.CALL if request.tr.code == "opt50021" else Kind.PUT
    return request.listed([option_row(request, each) for each in of_month(request, kind)])


@responder("opt50020", source=Source.OWN)
def both_sides(request: Request) -> Answer:
    """복수종목결제월별시세: a row for each strike, calls on the left."""
    rows = []
    for call, put in zip(of_month(request, Kind.CALL), of_month(request, Kind.PUT), strict=True):
        row = {name: value for name, value in option_row(request, call).items() if not name.startswith("풋_")}
        right = {name: value for name, value in option_row(request, put).items() if name.startswith("풋_")}
        rows.append(row | right | {"풋_ATM구분": money(put), "풋_지수환산": converted(put)})
    return request.listed(rows)


@responder("opt50043", source=Source.OWN)
def most_traded_stock_futures(request: Request) -> Answer:
    """주식선물거래량상위종목."""
    by_value = request.choice("거래대금구분", "0") == "1"
    found = _stock_futures(request.exchange)
    found.sort(
        key=lambda each: (-((each.bar.value if each.bar else 0) if by_value else each.volume), each.contract.code)
    )
    return request.listed([request.row(DERIVED, each) for each in found])


def _stock_futures(exchange: Exchange) -> list[Derived]:
    return [Derived(exchange, each) for each in stock_futures(exchange.today) if known(exchange, each.underlying)]


@responder("opt50044", source=Source.OWN)
def stock_future_table(request: Request) -> Answer:
    """주식선물시세표: the nearest expiry, the one after it, or all; with their sums."""
    place = int(request.choice("근월물구분", "9"))
    found = _stock_futures(request.exchange)
    ends = sorted({each.contract.expiry for each in found})
    if place <= len(ends):
        found = [each for each in found if each.contract.expiry == ends[place - 1]]
    # The catalogue has values and labels the other way round here. There are futures on KOSPI issues only.
    if request.text("입력구분") not in ("", "1", "코스피"):
        found = []
    single = {
        "거래량합계": str(sum(each.volume for each in found)),
        "거래대금합계": str(sum(forms.millions(each.bar.value if each.bar else 0) for each in found)),
    }
    return request.listed([request.row(DERIVED, each) for each in found], single)


@responder("opw20015", source=Source.OWN)
def selling_margins(request: Request) -> Answer:
    """옵션매도주문증거금: of the options of a month, in won; classes other than KOSPI200 have none."""
    exchange = request.exchange
    month = request.number("월물구분")
    if request.choice("클래스구분", "01") != "01":
        return request.answer()
    listed = [each for each in contracts(exchange) if each.kind is not Kind.FUTURE]
    months = sorted({each.expiry for each in listed})
    wanted = [each for each in months if not month or each.year * 100 + each.month == month]
    if not wanted or not listed:
        return request.answer()
    calls, puts = (
        [Derived(exchange, each) for each in listed if each.expiry == wanted[0] and each.kind is kind]
        for kind in (Kind.CALL, Kind.PUT)
    )
    rows = [
        {"행사가격": forms.decimal(call.contract.strike, 100), **_margin(call, "콜"), **_margin(put, "풋")}
        for call, put in zip(calls, puts, strict=True)
    ]
    middle = min(calls, key=lambda each: abs(each.contract.strike - each.level))
    return request.listed(
        rows,
        {
            "종목코드": middle.contract.code,
            "ATM행사가격": forms.decimal(middle.contract.strike, 100),
            "위치": forms.padded(calls.index(middle) + 1, 4),
            "조회건수": forms.padded(len(rows), 4),
        },
    )


def _margin(it: Derived, side: str) -> dict[str, str]:
    """What selling one asks for: its worth if the index moves 8 % against the seller."""
    move = it.underlying.base * 8 // 100
    worst = it.at(it.underlying.base + (move if it.contract.kind is Kind.CALL else -move))
    return {
        f"{side}조정이론가": it.plain(it.contract.fair(it.day, it.level)),
        f"{side}최대이론가": it.plain(worst),
        f"{side}전일종가": it.plain(it.base),
        f"{side}주문증거금": str(worst * it.contract.multiplier // it.contract.scale),
    }


def front(exchange: Exchange) -> Derived | None:
    """Return the nearest future, None without an index."""
    return Derived(exchange, futures(exchange.today)[0]) if INDEX in exchange.sectors else None


def months(exchange: Exchange) -> list[str]:
    """Return the months of the options (YYYYMM), the nearest first."""
    if INDEX not in exchange.sectors:
        return []
    return [f"{each:%Y%m}" for each in dict.fromkeys(each.expiry for each in contracts(exchange) if each.strike)]
