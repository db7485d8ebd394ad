"""Who traded one issue: kinds of investors, day by day and through the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.investors import INSTITUTIONS, Flow, Investor, flows, total
from koapy.simulation.tr.days import Day, daily, days
from koapy.simulation.tr.foreign import exhausted, held, held_by_day
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.request import plain_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from koapy.simulation.figures.investors import Flows
    from koapy.simulation.tr.request import Answer, Request

    Measure = Callable[[Flow], int]

KINDS: Mapping[str, tuple[Investor, ...]] = {
    "개인투자자": (Investor.PERSON,),
    "외국인투자자": (Investor.FOREIGN,),
    "기관계": INSTITUTIONS,
    "금융투자": (Investor.SECURITIES,),
    "보험": (Investor.INSURANCE,),
    "투신": (Investor.TRUST,),
    "기타금융": (Investor.OTHER_FINANCE,),
    "은행": (Investor.BANK,),
    "연기금등": (Investor.PENSION,),
    "사모펀드": (Investor.PRIVATE_FUND,),
    "국가": (Investor.STATE,),
    "기타법인": (Investor.COMPANY,),
    "내외국인": (Investor.RESIDENT_FOREIGN,),
}
"""Columns of the TRs that list all kinds."""


def measure(request: Request) -> Measure:
    """Return what the inputs ask of a flow: 금액수량구분 (amounts in million won), 매매구분, 단위구분."""
    by_value = request.label("금액수량구분") != "수량"
    side = request.choice("매매구분", "0")
    unit = int(request.choice("단위구분", "1")) if "단위구분" in request.tr.input_names else 1

    def value(flow: Flow) -> int:
        values = (
            (flow.net_value, flow.bought_value, flow.sold_value) if by_value else (flow.net, flow.bought, flow.sold)
        )
        found = values[int(side)]
        return forms.millions(found) if by_value else forms.rounded(found, unit)

    return value


def columns(request: Request, traded: Flows, write: Callable[[int], str] = str) -> dict[str, str]:
    """Write what all kinds of investors did, as the inputs ask for it."""
    value = measure(request)
    return {name: write(value(traded.of(*kinds))) for name, kinds in KINDS.items()}


def signed(value: int) -> str:
    """Write a number with its sign, 0 without."""
    return forms.delta(value)


@responder("opt10059", "opt10060", source=Source.OWN)
def by_day(request: Request) -> Answer:
    """종목별투자자기관별, and its chart, whose 누적거래대금 has the FID and the value of the volume."""
    newest = request.date("일자")
    measure(request)

    def row(day: Day) -> dict[str, str]:
        amount = day.bar.volume if request.tr.code == "opt10060" else forms.millions(day.bar.value)
        return {
            "등락율": signed(forms.rounded(10_000 * day.change, day.base)),
            "누적거래량": str(day.bar.volume),
            "누적거래대금": str(amount),
            **columns(request, day.flows),
        }

    return daily(request, row, newest=newest)


@responder("opt10061", source=Source.OWN)
def of_period(request: Request) -> Answer:
    """종목별투자자기관별합계: one row."""
    first, last = request.period()
    code, value = request.code(), measure(request)
    if code not in request.exchange.instruments:
        return request.answer()
    found = [each.flows for each in days(request.exchange, code) if first <= each.number <= last]
    row = {name: forms.net(value(total(each.of(*kinds) for each in found))) for name, kinds in KINDS.items()}
    return request.answer(rows=[row])


@responder("opt10009", source=Source.OWN)
def institutions_now(request: Request) -> Answer:
    """주식기관: one row, of the newest day."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    found = days(exchange, code, 20)
    if not found:
        return request.answer()
    institutions = [each.flows.of(*INSTITUTIONS).net for each in found]
    last, instrument = found[-1], exchange.instruments[code]
    row = {
        "날짜": forms.day(last.bar.start),
        "종가": forms.price(last.bar.close, last.base),
        "대비": forms.change(last.change),
        "기관기간누적": str(sum(institutions)),
        "기관일변순매매": str(institutions[-1]),
        "외국인일변순매매": str(last.flows.of(Investor.FOREIGN).net),
        "외국인지분율": exhausted(held(exchange, instrument), instrument),
    }
    return request.answer(rows=[row])


@responder("opt10045", source=Source.OWN)
def institutions_by_day(request: Request) -> Answer:
    """종목별기관매매추이: sums run from the first day; the average prices are of what was bought, or sold."""
    first, last = request.period()
    code, exchange = request.code(), request.exchange
    sides = [request.choice(name, "1") for name in ("기관추정단가구분", "외인추정단가구분")]
    if code not in exchange.instruments:
        return request.answer()
    instrument = exchange.instruments[code]
    known = days(exchange, code)
    found = [each for each in known if first <= each.number <= last]
    holdings = held_by_day(exchange, instrument, known)
    groups = INSTITUTIONS, (Investor.FOREIGN,)
    institutions, foreigners = ([each.flows.of(*kinds) for each in found] for kinds in groups)
    rows, sums = [], [0, 0]
    for each, here, there in zip(found, institutions, foreigners, strict=True):
        sums = [sums[0] + here.net, sums[1] + there.net]
        rows.append(
            {
                "일자": forms.day(each.bar.start),
                "종가": forms.price(each.bar.close, each.base),
                "대비기호": forms.sign(each.bar.close, each.base),
                "전일대비": forms.change(each.change),
                "등락율": forms.percent(each.change, each.base),
                "거래량": str(each.bar.volume),
                "기관기간누적": str(sums[0]),
                "기관일별순매매수량": str(here.net),
                "외인기간누적": str(sums[1]),
                "외인일별순매매수량": str(there.net),
                "한도소진율": exhausted(holdings[each.number], instrument),
            }
        )
    single = {
        "기관추정평균가": str(average(total(institutions), sides[0] == "1")),
        "외인추정평균가": str(average(total(foreigners), sides[1] == "1")),
    }
    return request.listed(rows[::-1], single)


def average(flow: Flow, bought: bool) -> int:
    """Return the average price that was paid, or got."""
    return forms.rounded(flow.bought_value, flow.bought) if bought else forms.rounded(flow.sold_value, flow.sold)


@responder("opt10086", source=Source.OWN)
def prices_by_day(request: Request) -> Answer:
    """일별주가, with who traded. What foreigners hold is blank of a zero, as recorded where they hold nothing."""
    newest = request.date("조회일자")
    by_value = request.choice("표시구분", "0") == "1"
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    instrument = exchange.instruments[code]
    holdings = held_by_day(exchange, instrument, days(exchange, code))

    def shown(flow: Flow) -> str:
        return forms.net(forms.millions(flow.net_value) if by_value else flow.net)

    def row(day: Day) -> dict[str, str]:
        person, foreign, here = (
            shown(day.flows.of(*kinds)) for kinds in ((Investor.PERSON,), (Investor.FOREIGN,), INSTITUTIONS)
        )
        part = exhausted(holdings[day.number], instrument)
        credit = forms.decimal(day.credit_rate, 100)
        return {
            "금액(백만)": str(forms.millions(day.bar.value)),
            "신용비": credit,
            "신용잔고율": credit,
            "개인": person,
            "개인순매수": person,
            "기관": here,
            "기관순매수": here,
            "외인수량": foreign,
            "외인순매수": foreign,
            "외국계": foreign,
            "프로그램": shown(day.programs.all),
            "외인비": part,
            "외인보유": part,
            "외인비중": part,
        }

    return daily(request, row, newest=newest)


@responder("opt10064", source=Source.OWN)
def through_the_day(request: Request) -> Answer:
    """장중투자자별매매차트: the figures of every half hour, the oldest first."""
    code, exchange = request.code(), request.exchange
    for name in ("시장구분", "매매구분"):
        request.label(name)
    if code not in exchange.instruments:
        return request.answer()
    rows = [{"시간": forms.clock(moment), **columns(request, each)} for moment, each in tallies(request, code)]
    return request.listed(rows)


def tallies(request: Request, code: str) -> list[tuple[datetime, Flows]]:
    """Return who had traded an issue at each half hour of today, from before its first trade on to now."""
    exchange = request.exchange
    instrument = exchange.instruments[code]
    minutes = exchange.today_minutes(code)
    if not minutes:
        return []
    start = minutes[0].start.replace(minute=minutes[0].start.minute // 30 * 30)
    found = [(start, flows(instrument, exchange.today, 0, 0))]
    volume = value = 0
    for place, bar in enumerate(minutes):
        volume, value = volume + bar.volume, value + bar.value
        following = minutes[place + 1].start if place + 1 < len(minutes) else None
        mark = bar.start.replace(minute=bar.start.minute // 30 * 30)
        if following is None or following.replace(minute=following.minute // 30 * 30) != mark:
            at = request.world.now() if following is None else following
            found.append((at.replace(second=0), flows(instrument, exchange.today, volume, value)))
    return found


@responder("optkwinv", source=Source.OWN)
def watched(request: Request) -> Answer:
    """관심종목투자자정보: what foreigners did today, a row for each code."""
    exchange = request.exchange
    rows: list[Mapping[str, str]] = []
    for code in [plain_code(each) for each in request.text("종목코드").split(";") if each.strip()]:
        today = exchange.today_bar(code) if code in exchange.instruments else None
        if today is None:
            rows.append({})
            continue
        instrument = exchange.instruments[code]
        flow = Day(exchange, instrument, today, instrument.base_price).flows.of(Investor.FOREIGN)
        rows.append(
            {
                "종목명": instrument.name,
                "매도수량": str(flow.sold),
                "매수수량": str(flow.bought),
                "순매수수량": str(flow.net),
                "매도금액": str(forms.millions(flow.sold_value)),
                "매수금액": str(forms.millions(flow.bought_value)),
                "순매수금액": str(forms.millions(flow.net_value)),
            }
        )
    return request.answer(rows=rows)
