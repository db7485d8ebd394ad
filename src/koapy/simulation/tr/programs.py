"""Program trading: of an issue, and of the whole market. Figures of the simulation's own.

Amounts are million won. What the market did is the sum of what was done in its issues; how that came about through
today follows the volume of its index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.chain import basis
from koapy.simulation.figures.investors import Flow
from koapy.simulation.figures.programs import NONE, Programs, own_account, programs
from koapy.simulation.tr.days import LOOK_BACK, PAST, Day, daily, day_number, days, one_day
from koapy.simulation.tr.rankings import ranked, traded
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.request import plain_code
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import STOCK, Stock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.tr.request import Answer, Request
    from koapy.simulation.tr.vocabulary import Words

LARGEST = 50
"""Issues of opt90003."""
_INDEX = {"KOSPI": "001", "KOSDAQ": "101"}
KOSPI200 = "201"


def of_today(stock: Stock) -> Programs:
    """Return what programs have done of an issue today."""
    return programs(stock.instrument, stock.exchange.today, stock.quote.volume, stock.quote.value)


def _millions(won: int) -> str:
    return str(forms.millions(won))


def _net_millions(won: int) -> str:
    return forms.delta(forms.millions(won))


PROGRAM: Words[Programs] = {
    202: lambda it: str(it.all.sold),
    204: lambda it: _millions(it.all.sold_value),
    206: lambda it: str(it.all.bought),
    208: lambda it: _millions(it.all.bought_value),
    210: lambda it: forms.delta(it.all.net),
    212: lambda it: _net_millions(it.all.net_value),
    502: lambda it: str(it.arbitrage.sold),
    505: lambda it: _millions(it.arbitrage.sold_value),
    511: lambda it: str(it.arbitrage.bought),
    514: lambda it: _millions(it.arbitrage.bought_value),
    522: lambda it: _net_millions(it.arbitrage.net_value),
    523: lambda it: forms.delta(it.arbitrage.net),
    526: lambda it: str(it.baskets.sold),
    529: lambda it: _millions(it.baskets.sold_value),
    535: lambda it: str(it.baskets.bought),
    538: lambda it: _millions(it.baskets.bought_value),
    546: lambda it: _net_millions(it.baskets.net_value),
    547: lambda it: forms.delta(it.baskets.net),
    500: lambda it: str(it.arbitrage.sold - own_account(it.arbitrage.sold)),
    503: lambda it: _millions(it.arbitrage.sold_value - own_account(it.arbitrage.sold_value)),
    509: lambda it: str(it.arbitrage.bought - own_account(it.arbitrage.bought)),
    512: lambda it: _millions(it.arbitrage.bought_value - own_account(it.arbitrage.bought_value)),
    520: lambda it: forms.delta(it.arbitrage.net - own_account(it.arbitrage.net)),
    518: lambda it: _net_millions(it.arbitrage.net_value - own_account(it.arbitrage.net_value)),
    524: lambda it: str(it.baskets.sold),
    527: lambda it: _millions(it.baskets.sold_value),
    533: lambda it: str(it.baskets.bought),
    536: lambda it: _millions(it.baskets.bought_value),
    544: lambda it: forms.delta(it.baskets.net),
    542: lambda it: _net_millions(it.baskets.net_value),
    504: lambda it: _millions(own_account(it.arbitrage.sold_value)),
    513: lambda it: _millions(own_account(it.arbitrage.bought_value)),
    764: lambda it: _net_millions(it.all.net_value),
}
"""What programs did. 위탁 is for customers, 자기 on the firms' own account."""


def _market(request: Request) -> str:
    label = request.label("시장구분") or request.label("종목코드") or "코스피"
    return "KOSDAQ" if label == "코스닥" else "KOSPI"


def market_today(exchange: Exchange, market: str) -> Programs:
    """Return what programs have done of a market today."""
    whole = NONE
    for code, instrument in exchange.instruments.items():
        if instrument.market == market and not instrument.fund:
            whole += of_today(Stock(exchange, code))
    return whole


def market_days(exchange: Exchange, market: str, count: int) -> dict[int, Programs]:
    """Return what programs did of a market on each of the newest days, newest first."""
    sums: dict[int, Programs] = {}
    for code, instrument in exchange.instruments.items():
        if instrument.market == market and not instrument.fund:
            for day in days(exchange, code, count):
                sums[day.number] = sums.get(day.number, NONE) + day.programs
    return dict(sorted(sums.items(), reverse=True)[:count])


def market_moments(exchange: Exchange, market: str) -> list[tuple[datetime, Programs]]:
    """Return what programs had done of a market at each minute of today, newest first."""
    index = _INDEX[market]
    if index not in exchange.sectors:
        return []
    now, whole = market_today(exchange, market), max(exchange.sector_quote(index).volume, 1)
    by_minute = {each.time.replace(second=0, microsecond=0): each.volume for each in exchange.sector_moments(index)}
    return [
        (moment, Programs(_scaled(now.arbitrage, volume, whole), _scaled(now.baskets, volume, whole)))
        for moment, volume in reversed(by_minute.items())
    ]


def _scaled(flow: Flow, part: int, whole: int) -> Flow:
    values = (flow.bought, flow.sold, flow.bought_value, flow.sold_value)
    return Flow(*(value * part // whole for value in values))


@responder("opt10010", source=Source.OWN)
def of_issue(request: Request) -> Answer:
    """업종프로그램: one row, of the issue that is asked for."""
    code = request.code()
    if code not in request.exchange.instruments:
        return request.answer()
    return request.answer(rows=[request.row(PROGRAM, of_today(Stock(request.exchange, code)))])


@responder("opt50008", source=Source.OWN)
def market_by_minute(request: Request) -> Answer:
    """프로그램매매추이차트."""
    rows = [
        {"체결시간": forms.clock(moment)} | request.row(PROGRAM, each)
        for moment, each in market_moments(request.exchange, _market(request))
    ]
    return request.listed(rows)


@responder("opt90003", source=Source.OWN)
def most(request: Request) -> Answer:
    """프로그램순매수상위50."""
    selling, by_value = request.choice("매매상위구분", "2") == "1", request.choice("금액수량구분", "1") == "1"
    market = _market(request)
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
    exchange, market = request.exchange, _market(request)
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
                "매수체결금액": _millions(done.all.bought_value),
                "매도체결수량": str(done.all.sold),
                "매도체결금액": _millions(done.all.sold_value),
                "순매수대금": _millions(done.all.net_value),
                "전체거래비율": forms.percent(part, 2 * day.bar.volume),
            }
        )
    sums = (whole.all.bought, whole.all.bought_value, whole.all.sold, whole.all.sold_value, whole.all.net_value)
    single = {
        f"합계{place}": str(value) if place in (1, 3) else _millions(value) for place, value in enumerate(sums, 1)
    }
    return request.listed(rows, single)


@responder("opt90005", source=Source.OWN, past=PAST)
def market_trend(request: Request) -> Answer:
    """프로그램매매추이: a market through today, or by day."""
    exchange, market = request.exchange, _market(request)
    for name in ("금액수량구분", "분틱구분"):
        request.label(name)
    if request.choice("시간구분", "1") == "1":
        marks = _marks(exchange)
        rows = [
            request.row(PROGRAM, each)
            | {"체결시간": forms.clock(moment), "일자": forms.day(moment)}
            | marks.get(moment, {})
            for moment, each in market_moments(exchange, market)
        ]
        return request.listed(rows)
    known = market_days(exchange, market, LOOK_BACK)
    return request.listed(
        [
            request.row(PROGRAM, each) | {"일자": str(number)} | _day_mark(exchange, number)
            for number, each in known.items()
            if number <= (request.date("날짜") or number)
        ]
    )


def _marks(exchange: Exchange) -> dict[datetime, dict[str, str]]:
    """KOSPI200 and the basis of its nearest future, by minute."""
    if KOSPI200 not in exchange.sectors:
        return {}
    base = exchange.sector_quote(KOSPI200).base
    return {
        each.time.replace(second=0, microsecond=0): {
            "KOSPI200": forms.index(each.value, base),
            "BASIS": forms.rate(basis(exchange.today, each.value), 100),
        }
        for each in exchange.sector_moments(KOSPI200)
    }


def _day_mark(exchange: Exchange, number: int) -> dict[str, str]:
    if KOSPI200 not in exchange.sectors:
        return {}
    bars = [*exchange.sector_daily(KOSPI200)[-LOOK_BACK - 1 :]]
    today = exchange.sector_today_bar(KOSPI200)
    bars += [today] if today else []
    for place, bar in enumerate(bars):
        if day_number(bar.start.date()) == number:
            before = bars[place - 1].close if place else bar.open
            return {
                "KOSPI200": forms.index(bar.close, before),
                "BASIS": forms.rate(basis(bar.start.date(), bar.close), 100),
            }
    return {}


@responder("opt90006", source=Source.OWN, past=PAST)
def arbitrage_balance(request: Request) -> Answer:
    """프로그램매매차익잔고추이: what has been bought, and sold, over the last days, and its change."""
    known = market_days(request.exchange, "KOSPI", LOOK_BACK)
    rows, sums = [], Flow()
    for number, each in reversed(known.items()):
        sums += each.arbitrage
        rows.append(
            {
                "일자": str(number),
                "매수차익거래수량": str(sums.bought),
                "매수차익거래금액": _millions(sums.bought_value),
                "매수차익거래증감액": forms.net(forms.millions(each.arbitrage.bought_value)),
                "매도차익거래수량": str(sums.sold),
                "매도차익거래금액": _millions(sums.sold_value),
                "매도차익거래증감액": forms.net(forms.millions(each.arbitrage.sold_value)),
            }
        )
    until = request.date("날짜") or 99999999
    return request.listed([row for row in rows[::-1] if int(row["일자"]) <= until])


@responder("opt90007", source=Source.OWN, past=PAST)
def market_sums(request: Request) -> Answer:
    """프로그램매매누적추이: a market by day, and summed up since the first day of the list."""
    exchange, market = request.exchange, _market(request)
    by_value = request.choice("금액수량구분", "1") == "1"
    rows, sums = [], NONE

    def shown(flow: Flow) -> str:
        return _net_millions(flow.net_value) if by_value else forms.delta(flow.net)

    for number, each in reversed(market_days(exchange, market, LOOK_BACK).items()):
        sums += each
        rows.append(
            {
                "일자": str(number),
                **_day_mark(exchange, number),
                "차익거래당일": shown(each.arbitrage),
                "차익거래누적": shown(sums.arbitrage),
                "비차익거래당일": shown(each.baskets),
                "비차익거래누적": shown(sums.baskets),
                "전체당일": shown(each.all),
                "전체누적": shown(sums.all),
            }
        )
    until = request.date("날짜") or 99999999
    return request.listed([row for row in rows[::-1] if int(row["일자"]) <= until])


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
        "프로그램매도금액": _millions(whole.sold_value),
        "프로그램매수금액": _millions(whole.bought_value),
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


@responder("opt90010", "opt90011", source=Source.OWN, past=PAST)
def arbitrage_now(request: Request) -> Answer:
    """차익잔고현황: arbitrage of a day, with KOSPI200 futures alone; the other half repeats the day before."""
    known = market_days(request.exchange, "KOSPI", LOOK_BACK)
    asked = request.date("일자") or 99999999
    request.label("금액수량구분")
    chosen = [number for number in known if number <= asked][:2]
    if not chosen:
        return request.answer()
    row: dict[str, str] = {}
    for number, tail in zip(chosen, ("", "2"), strict=False):
        each = known[number]
        row |= {"종목코드1" if not tail else "종목코드2": KOSPI200}
        for side, flow in (("매도", each.arbitrage.sold_value), ("매수", each.arbitrage.bought_value)):
            own = own_account(flow)
            for who, amount in (("위탁", flow - own), ("자기", own), ("", flow)):
                row |= {f"차익{side}{who}금액{tail}": _millions(amount)}
                # The other leg of the trade, on the other side.
                other = "매수" if side == "매도" else "매도"
                row |= {f"차익{other}{who}선물금액{tail}": _millions(amount)}
                for kind in ("CALL", "PUT"):
                    row |= {f"차익{side}{who}{kind}금액{tail}": "0"}
    return request.answer({"기준일자": str(chosen[0])}, [row])


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
        row = request.row(PROGRAM, done) | {"합계순매수": _millions(done.all.net_value)}
        rows.append(row | {name: forms.decimal(100 * part, stock.quote.volume) for name, part in parts.items()})
    return request.answer(rows=rows)
