"""ELW: warrants from a table of the simulation's own, worth what their underlyings make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.chain import INDEX
from koapy.simulation.figures.firms import Firm, firm, firm_flows
from koapy.simulation.figures.investors import Flow, total
from koapy.simulation.figures.warrants import ISSUED
from koapy.simulation.tr.contract_words import MOMENT
from koapy.simulation.tr.derived import steps
from koapy.simulation.tr.papers import MILLION, WARRANT, Paper, listed, papers, plain_number
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.selection import amount
from koapy.simulation.tr.vocabulary import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from koapy.simulation.model import Bar
    from koapy.simulation.tr.derived import Step
    from koapy.simulation.tr.request import Answer, Request


def paper(request: Request) -> Paper | None:
    """Return the warrant that 종목코드 names, with or without its J, None for an unknown one."""
    code = request.text("종목코드").upper()
    code = code[1:] if len(code) == 7 and code[0] == "J" else code
    found = next((each for each in listed(request.exchange) if each.contract.code == code), None)
    return Paper(request.exchange, found) if found else None


def _row(request: Request, it: Paper) -> dict[str, str]:
    return request.row(WARRANT, it) | {"LP회원사명1": "0.00", "LP회원사명2": ""}


def _chosen(request: Request) -> list[Paper]:
    """The warrants that 발행사코드, 기초자산코드, 권리구분, LP코드 and 거래량구분 leave."""
    issuers = [request.text(name).lstrip("0") for name in ("발행사코드", "LP코드")]
    base, right = request.text("기초자산코드").lstrip("0"), request.label("권리구분")
    least = amount(request.label("거래량구분"))
    for name in ("거래종료ELW제외", "거래종료제외"):
        request.label(name)
    return [
        each
        for each in papers(request.exchange)
        if all(issuer in ("", each.warrant.issuer.code.lstrip("0")) for issuer in issuers)
        and base in ("", each.contract.underlying.lstrip("0"))
        and (right in ("", "전체") or right == ("콜" if each.warrant.call else "풋"))
        and each.volume >= least
    ]


def _ranked(request: Request, found: list[Paper], measure: Callable[[Paper], float]) -> Answer:
    found = sorted(found, key=lambda each: (-measure(each), each.contract.code))
    return request.listed([_row(request, each) | {"순위": str(place)} for place, each in enumerate(found, 1)])


def _value(it: Paper) -> int:
    return it.bar.value if it.bar else 0


@responder("opt30001", source=Source.OWN)
def jumps(request: Request) -> Answer:
    """ELW가격급등락: against the price of some minutes or days ago."""
    down, by_day = request.choice("등락구분", "1") == "2", request.choice("시간구분", "1") == "2"
    span = request.minutes("시간")
    found = [(each, _earlier(each, span, by_day)) for each in _chosen(request)]
    moved = [(each.last - price, each, price) for each, price in found if price]
    moved = [item for item in moved if (item[0] < 0 if down else item[0] > 0)]
    moved.sort(key=lambda item: (-abs(item[0]) / item[2], item[1].contract.code))
    rows = [
        _row(request, each)
        | {
            "순위": str(place),
            "거래종료ELW기준가": str(price),
            "기준대비": str(change),
            "급등율": forms.percent(change, price),
        }
        for place, (change, each, price) in enumerate(moved, 1)
    ]
    today = request.exchange.today
    return request.listed(rows, {"기준가시간": f"기준가({today:%m/%d})"})


def _earlier(it: Paper, span: int, by_day: bool) -> int:
    if by_day:
        past = [bar for bar in it.days(span + 1) if bar.start.date() < it.day]
        return past[-span].close if len(past) >= span else 0
    moments = it.moments()
    return moments[max(len(moments) - 1 - 6 * span, 0)].level if moments else 0


@responder("opt30002", source=Source.OWN)
def of_firm(request: Request) -> Answer:
    """거래원별ELW순매매상위: what a firm bought, or sold, more of in a period."""
    which, selling = firm(request.text("발행사코드") or "1"), request.choice("매매구분", "1") == "2"
    count, least = int(request.choice("기간", "1")), amount(request.label("거래량구분"))
    if which is None:
        return request.answer()
    found = []
    for each in papers(request.exchange):
        bars = each.days(count)[-count:]
        flow = total(_firm_flow(each, which, bar) for bar in bars)
        volume = sum(bar.volume for bar in bars)
        if volume >= least and bars and (-1 if selling else 1) * flow.net > 0:
            moved = bars[-1].close - bars[0].open
            found.append(
                (
                    abs(flow.net),
                    request.row(WARRANT, each)
                    | {
                        "주가등락": forms.net(moved),
                        "등락율": forms.percent(moved, bars[0].open),
                        "거래량": str(volume),
                        "순매수": forms.net(flow.net),
                        "매수거래량": f"+{flow.bought}",
                        "매도거래량": f"-{flow.sold}",
                    },
                )
            )
    found.sort(key=lambda item: (-item[0], item[1]["종목코드"]))
    return request.listed([row for _, row in found])


def _firm_flow(it: Paper, which: Firm, bar: Bar) -> Flow:
    return firm_flows(it.contract.code, bar.start.date(), bar.volume, bar.value)[which]


@responder("opt30003", source=Source.OWN)
def provider_by_day(request: Request) -> Answer:
    """ELWLP보유일별추이: of the warrant, or of the first one on the underlying."""
    code, newest = request.text("기초자산코드").strip("0"), request.date("기준일자")
    found = [
        each
        for each in papers(request.exchange)
        if code in ("", each.contract.code, each.contract.underlying.strip("0"))
    ]
    if not found:
        return request.answer()
    it = found[0]
    bars, rows, before = it.days(), [], None
    for place, bar in enumerate(bars):
        held, base = it.warrant.held(bar.start.date()), bars[place - 1].close if place else bar.open
        rows.append(
            {
                "일자": forms.day(bar.start),
                "현재가": forms.price(bar.close, base),
                "대비구분": forms.sign(bar.close, base),
                "전일대비": forms.change(bar.close - base),
                "등락율": forms.percent(bar.close - base, base),
                "거래량": str(bar.volume),
                "거래대금": str(forms.millions(bar.value)),
                "변동수량": forms.delta(held - before if before is not None else 0),
                "LP보유수량": str(held),
                "비중": forms.percent(held, ISSUED),
            }
        )
        before = held
    return request.listed([row for row in rows[::-1] if int(row["일자"]) <= (newest or 99999999)])


@responder("opt30004", source=Source.OWN)
def deviations(request: Request) -> Answer:
    """ELW괴리율: by how far the price is from what theory says."""
    return _ranked(request, _chosen(request), lambda each: abs(each.last - each.contract.fair(each.day, each.level)))


@responder("opt30005", source=Source.OWN)
def search(request: Request) -> Answer:
    """ELW조건검색."""
    orders: dict[str, Callable[[Paper], float]] = {
        "0": lambda _: 0.0,
        "1": lambda each: (each.last - each.base) / each.base,
        "2": lambda each: each.last - each.base,
        "3": lambda each: -(each.last - each.base) / each.base,
        "4": lambda each: each.base - each.last,
        "5": lambda each: each.volume,
        "6": _value,
        "7": lambda each: -each.contract.days(each.day),
    }
    return _ranked(request, _chosen(request), orders[request.choice("정렬구분", "0")])


@responder("opt30007", source=Source.OWN)
def table(request: Request) -> Answer:
    """ELW종목상세: all that were chosen, by code."""
    return _ranked(request, _chosen(request), lambda _: 0.0)


@responder("opt30009", source=Source.OWN)
def movers(request: Request) -> Answer:
    """ELW등락율순위."""
    order = request.choice("정렬구분", "1")
    falling, by_rate = order in ("3", "4"), order in ("1", "3")
    found = [each for each in _chosen(request) if (each.last < each.base if falling else each.last > each.base)]
    return _ranked(request, found, lambda each: abs(each.last - each.base) / (each.base if by_rate else 1))


@responder("opt30010", source=Source.OWN)
def waiting(request: Request) -> Answer:
    """ELW잔량순위."""
    sign = -1 if request.choice("정렬구분", "1") == "2" else 1
    return _ranked(request, _chosen(request), lambda each: sign * (each.total(asks=False) - each.total(asks=True)))


@responder("opt30006", "opt30012", source=Source.OWN)
def facts(request: Request) -> Answer:
    """ELW종목상세, ELW종목상세정보."""
    it = paper(request)
    return request.answer(spoken(request.tr.single, WARRANT, it) if it else None)


@responder("opt30011", source=Source.OWN)
def underlying(request: Request) -> Answer:
    """ELW근접율: the underlying, and how near it is to where a warrant would be knocked out, which none is."""
    it = paper(request)
    if it is None:
        return request.answer()
    below, index = it.underlying, it.contract.underlying == INDEX
    write = forms.index if index else forms.price
    change = below.level - below.base
    today = below.today
    row = {
        "종목코드": below.code,
        "종목명": below.name,
        "현재가": write(below.level, below.base),
        "대비기호": forms.sign(below.level, below.base),
        "전일대비": forms.index_change(change) if index else forms.change(change),
        "등락율": forms.percent(change, below.base),
        "누적거래량": str(forms.thousands(today.volume) if index and today else today.volume if today else 0),
        "근접율": "0.00",
    }
    return request.answer(rows=[row])


@responder("opt10048", source=Source.OWN)
def sensitivities_by_day(request: Request) -> Answer:
    """ELW일별민감도지표: 일자 is the day."""
    it = paper(request)
    if it is None:
        return request.answer()
    past = reversed(it.underlying.past(30))
    return request.listed(
        [{"일자": forms.day(bar.start), "LP": "0", **_sensitivities(it, bar.close, bar)} for bar in past]
    )


def _sensitivities(it: Paper, level: int, bar: Bar | None = None) -> dict[str, str]:
    day = bar.start.date() if bar else it.day
    found = it.contract.greeks(day, level)
    values = {"델타": found.delta, "감마": found.gamma, "쎄타": found.theta, "베가": found.vega, "로": found.rho}
    volatility = str(round(10_000 * it.contract.volatility(day)))
    return {
        "IV": volatility,
        "내재변동성": volatility,
        **{name: str(round(MILLION * value)) for name, value in values.items()},
    }


@responder("opt10049", source=Source.OWN)
def indicators(request: Request) -> Answer:
    """ELW투자지표: by minutes of today."""
    it = paper(request)
    if it is None:
        return request.answer()
    rows = []
    for step in _by_minute(it):
        price, level, strike = step.at.level, step.at.source, it.contract.strike
        gearing = 100 * level * it.contract.ratio / price
        cost = price / it.contract.ratio
        even = strike + (cost if it.warrant.call else -cost)
        delta = abs(it.contract.greeks(it.day, level).delta)
        rows.append(
            {
                "시간": forms.clock(step.at.time),
                "패리티": plain_number(100 * (level / strike if it.warrant.call else strike / level)),
                "프리미엄": plain_number(100 * (price - it.contract.inner(level)) / (level * it.contract.ratio)),
                "기어링비율": plain_number(gearing),
                "손익분기율": forms.percent(round(even - level), level),
                "현재가": it.write(price),
                "레버리지": plain_number(delta * gearing / 100),
            }
        )
    return request.listed(rows)


def _by_minute(it: Paper) -> Sequence[Step]:
    """The last step of each minute, newest first."""
    last = {step.at.time.replace(second=0, microsecond=0): step for step in steps(it)}
    return list(last.values())[::-1]


@responder("opt10050", "opt30008", source=Source.OWN)
def sensitivities(request: Request) -> Answer:
    """ELW민감도지표: by minutes of today."""
    it = paper(request)
    if it is None:
        return request.answer()
    rows = [
        request.row(MOMENT, step)
        | {"LP": "0", "ELW이론가": str(round(step.fair)), "X-Ray순간체결량증거금100%구분": "0"}
        | _sensitivities(it, step.at.source)
        for step in _by_minute(it)
    ]
    return request.listed(rows)


@responder("opt10041", source=Source.OWN)
def ended_early(request: Request) -> Answer:
    """조기종료통화단위: no warrant ends early, all are in won."""
    it = paper(request)
    return request.answer(rows=[{"조기종료여부": "N", "통화단위": "KRW"}] if it else [])


@responder("opt10011", source=Source.EMPTY)
def subscription_rights(request: Request) -> Answer:
    """신주인수권전체시세: there are none."""
    request.choice("신주인수권구분", "00")
    return request.answer()
