"""Program trading of whole markets: figures of the simulation's own. Amounts are million won.

What a market did is the sum of what was done in its issues; how that came about through today follows the volume of its
index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.chain import basis
from koapy.simulation.figures.investors import Flow
from koapy.simulation.figures.programs import NONE, Programs, own_account
from koapy.simulation.tr.days import LOOK_BACK, day_number, days
from koapy.simulation.tr.program_words import PROGRAM, market_of, millions, net_millions, of_today
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.stocks import Stock

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.tr.registry import Steps
    from koapy.simulation.tr.request import Answer, Request

_INDEX = {"KOSPI": "001", "KOSDAQ": "101"}
KOSPI200 = "201"


def market_today(exchange: Exchange, market: str) -> Programs:
    """Return what programs have done of a market today."""
    whole = NONE
    for code, instrument in exchange.instruments.items():
        if instrument.market == market and not instrument.fund:
            whole += of_today(Stock(exchange, code))
    return whole


def market_days(exchange: Exchange, market: str, count: int) -> Generator[None, None, dict[int, Programs]]:
    """Return what programs did of a market on each of the newest days, newest first, an issue a step."""
    sums: dict[int, Programs] = {}
    for code, instrument in exchange.instruments.items():
        if instrument.market == market and not instrument.fund:
            yield
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


@responder("opt50008", source=Source.OWN)
def market_by_minute(request: Request) -> Answer:
    """프로그램매매추이차트."""
    rows = [
        {"체결시간": forms.clock(moment)} | request.row(PROGRAM, each)
        for moment, each in market_moments(request.exchange, market_of(request))
    ]
    return request.listed(rows)


@responder("opt90005", source=Source.OWN, past=1)
def market_trend(request: Request) -> Steps:
    """프로그램매매추이: a market through today, or by day."""
    exchange, market = request.exchange, market_of(request)
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
    known = yield from market_days(exchange, market, LOOK_BACK)
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


@responder("opt90006", source=Source.OWN, past=1)
def arbitrage_balance(request: Request) -> Steps:
    """프로그램매매차익잔고추이: what has been bought, and sold, over the last days, and its change."""
    known = yield from market_days(request.exchange, "KOSPI", LOOK_BACK)
    rows, sums = [], Flow()
    for number, each in reversed(known.items()):
        sums += each.arbitrage
        rows.append(
            {
                "일자": str(number),
                "매수차익거래수량": str(sums.bought),
                "매수차익거래금액": millions(sums.bought_value),
                "매수차익거래증감액": forms.net(forms.millions(each.arbitrage.bought_value)),
                "매도차익거래수량": str(sums.sold),
                "매도차익거래금액": millions(sums.sold_value),
                "매도차익거래증감액": forms.net(forms.millions(each.arbitrage.sold_value)),
            }
        )
    until = request.date("날짜") or 99999999
    return request.listed([row for row in rows[::-1] if int(row["일자"]) <= until])


@responder("opt90007", source=Source.OWN, past=1)
def market_sums(request: Request) -> Steps:
    """프로그램매매누적추이: a market by day, and summed up since the first day of the list."""
    exchange, market = request.exchange, market_of(request)
    by_value = request.choice("금액수량구분", "1") == "1"
    rows, sums = [], NONE

    def shown(flow: Flow) -> str:
        return net_millions(flow.net_value) if by_value else forms.delta(flow.net)

    known = yield from market_days(exchange, market, LOOK_BACK)
    for number, each in reversed(known.items()):
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


@responder("opt90010", "opt90011", source=Source.OWN, past=1)
def arbitrage_now(request: Request) -> Steps:
    """차익잔고현황: arbitrage of a day, with KOSPI200 futures alone; the other half repeats the day before."""
    known = yield from market_days(request.exchange, "KOSPI", LOOK_BACK)
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
                row |= {f"차익{side}{who}금액{tail}": millions(amount)}
                # The other leg of the trade, on the other side.
                other = "매수" if side == "매도" else "매도"
                row |= {f"차익{other}{who}선물금액{tail}": millions(amount)}
                for kind in ("CALL", "PUT"):
                    row |= {f"차익{side}{who}{kind}금액{tail}": "0"}
    return request.answer({"기준일자": str(chosen[0])}, [row])
