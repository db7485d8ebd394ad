"""Program trading of issues: figures of the simulation's own. Amounts are million won."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.programs import NONE, Programs, programs
from koapy.simulation.tr.days import PAST, Day, daily, day_number, days, one_day
from koapy.simulation.tr.program_words import PROGRAM, market_of, millions, of_today
from koapy.simulation.tr.rankings import ranked, traded
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.request import plain_code
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import STOCK, Stock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from koapy.simulation.tr.request import Answer, Request

LARGEST = 50
"""Issues of opt90003."""


@responder("opt10010", source=Source.OWN)
def of_issue(request: Request) -> Answer:
    """업종프로그램: one row, of the issue that is asked for."""
    code = request.code()
    if code not in request.exchange.instruments:
        return request.answer()
    return request.answer(rows=[request.row(PROGRAM, of_today(Stock(request.exchange, code)))])


@responder("opt90003", source=Source.OWN)
def most(request: Request) -> Answer:
    """프로그램순매수상위50."""
    selling, by_value = request.choice("매매상위구분", "2") == "1", request.choice("금액수량구분", "1") == "1"
    market = market_of(request)
    known = {each.code: of_today(each) for each in traded(request) if each.instrument.market == market}

    def size(each: Stock) -> int:
        whole = known[each.code].all
        return (-1 if selling else 1) * (whole.net_value if by_value else whole.net)

    found = [each for each in traded(request) if each.code in known and size(each) > 0]
    found.sort(key=lambda each: (-size(each), each.code))
    return ranked(request, found[:LARGEST], size, lambda each: request.row(PROGRAM, known[each.code]))


@responder("opt90004", source=Source.OWN, past=PAST)
def issues_of_day(request: Request) -> Answer:
    """종목별프로그램매매현황: every issue of a market on a day, by code, and their sums."""
    exchange, market = request.exchange, market_of(request)
    number = request.date("일자") or day_number(exchange.today)
    rows, whole = [], NONE
    for each in selected(request, [Stock(exchange, code) for code in exchange.instruments]):
        day = one_day(exchange, each.code, number) if each.instrument.market == market else None
        if day is None or day.programs == NONE:
            continue
        done = day.programs
        whole += done
        part = done.all.bought + done.all.sold
        rows.append(
            request.row(STOCK, each)
            | {
                "매수체결수량": str(done.all.bought),
                "매수체결금액": millions(done.all.bought_value),
                "매도체결수량": str(done.all.sold),
                "매도체결금액": millions(done.all.sold_value),
                "순매수대금": millions(done.all.net_value),
                "전체거래비율": forms.percent(part, 2 * day.bar.volume),
            }
        )
    sums = (whole.all.bought, whole.all.bought_value, whole.all.sold, whole.all.sold_value, whole.all.net_value)
    single = {f"합계{place}": str(value) if place in (1, 3) else millions(value) for place, value in enumerate(sums, 1)}
    return request.listed(rows, single)


@responder("opt90008", source=Source.OWN)
def issue_by_time(request: Request) -> Answer:
    """종목시간별프로그램매매추이: today by the minute."""
    exchange, code = request.exchange, request.code()
    for name in ("시간일자구분", "금액수량구분"):
        request.label(name)
    if code not in exchange.instruments:
        return request.answer()
    instrument, base = exchange.instruments[code], exchange.instruments[code].base_price
    rows, volume, value, before = [], 0, 0, NONE
    for bar in exchange.today_minutes(code):
        volume, value = volume + bar.volume, value + bar.value
        now = programs(instrument, exchange.today, volume, value)
        moved = bar.close - base
        rows.append(
            {
                "시간": forms.clock(bar.start),
                "현재가": forms.price(bar.close, base),
                "대비기호": forms.sign(bar.close, base, instrument.upper, instrument.lower),
                "전일대비": forms.change(moved),
                "등락율": forms.percent(moved, base),
                "거래량": str(volume),
                "거래소구분": "KRX",
                **_issue_row(now, before),
            }
        )
        before = now
    return request.listed(rows[::-1])


def _issue_row(now: Programs, before: Programs) -> dict[str, str]:
    whole, earlier = now.all, before.all
    return {
        "프로그램매도금액": millions(whole.sold_value),
        "프로그램매수금액": millions(whole.bought_value),
        "프로그램순매수금액": forms.net(forms.millions(whole.net_value)),
        "프로그램순매수금액증감": forms.net(forms.millions(whole.net_value - earlier.net_value)),
        "프로그램매도수량": str(whole.sold),
        "프로그램매수수량": str(whole.bought),
        "프로그램순매수수량": forms.net(whole.net),
        "프로그램순매수수량증감": forms.net(whole.net - earlier.net),
    }


@responder("opt90013", source=Source.OWN)
def issue_by_day(request: Request) -> Answer:
    """종목일별프로그램매매추이."""
    exchange, code, newest = request.exchange, request.code(), request.date("날짜")
    for name in ("시간일자구분", "금액수량구분"):
        request.label(name)
    if code not in exchange.instruments:
        return request.answer()
    known = days(exchange, code)
    before = {day.number: known[place - 1].programs if place else NONE for place, day in enumerate(known)}

    def row(day: Day) -> Mapping[str, str]:
        return _issue_row(day.programs, before[day.number])

    return daily(request, row, newest=newest)


@responder("optkwpro", source=Source.OWN)
def watched(request: Request) -> Answer:
    """관심종목프로그램정보: today, a row for each code; 비율 of all that was traded."""
    exchange = request.exchange
    rows: list[Mapping[str, str]] = []
    for code in [plain_code(each) for each in request.text("종목코드").split(";") if each.strip()]:
        if code not in exchange.instruments:
            rows.append({})
            continue
        stock = Stock(exchange, code)
        done = of_today(stock)
        parts = {
            "차익매도비율": done.arbitrage.sold,
            "차익매수비율": done.arbitrage.bought,
            "비차익매도비율": done.baskets.sold,
            "비차익매수비율": done.baskets.bought,
        }
        row = request.row(PROGRAM, done) | {"합계순매수": millions(done.all.net_value)}
        rows.append(row | {name: forms.decimal(100 * part, stock.quote.volume) for name, part in parts.items()})
    return request.answer(rows=rows)
