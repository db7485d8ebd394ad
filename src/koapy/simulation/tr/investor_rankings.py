"""Who traded on the whole market: kinds of investors, by issue and by sector."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.investors import INSTITUTIONS, Flow, Investor, flows, total
from koapy.simulation.tr.days import LOOK_BACK, PAST, Day, day_number, days, in_period, one_day
from koapy.simulation.tr.investors import average, columns
from koapy.simulation.tr.rankings import ranked, traded
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.sectors import SECTOR
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import STOCK, Stock, stocks

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from koapy.simulation.figures.investors import Flows
    from koapy.simulation.tr.registry import Steps
    from koapy.simulation.tr.request import Answer, Request


GROUPS: Mapping[str, tuple[Investor, ...]] = {
    "개인": (Investor.PERSON,),
    "외국인": (Investor.FOREIGN,),
    "외국계": (Investor.FOREIGN,),
    "금융투자": (Investor.SECURITIES,),
    "투신": (Investor.TRUST,),
    "기타금융": (Investor.OTHER_FINANCE,),
    "은행": (Investor.BANK,),
    "보험": (Investor.INSURANCE,),
    "연기금": (Investor.PENSION,),
    "국가": (Investor.STATE,),
    "기타법인": (Investor.COMPANY,),
    "기관계": INSTITUTIONS,
}
"""Kinds of investors by the label of the input that chooses one."""

TEN_THOUSAND = 10_000
"""Won: the unit of 순매수금액 in opt10044 and opt10058, by the arithmetic of recorded rows."""

EOK = 100_000_000

HALF_HOUR = 30
"""Minutes between the tallies of opt10063."""

LONGEST = 20
"""Days in a row that are counted at most."""


def flow_now(stock: Stock, kinds: Sequence[Investor]) -> Flow:
    """Return what some investors have done today."""
    quote = stock.quote
    return flows(stock.instrument, stock.exchange.today, quote.volume, quote.value).of(*kinds)


def _sums(
    request: Request, found: list[Stock], *groups: Sequence[Investor]
) -> Generator[None, None, dict[str, list[Flow]]]:
    """What groups of investors did in the period that is asked for, by code; nothing of an issue that did not trade."""
    first, last = request.period()
    sums = {}
    for each in found:
        known = in_period(request.exchange, each.code, first, last)
        if known:
            sums[each.code] = [total(day.done_by(*kinds) for day in known) for kinds in groups]
        yield
    return sums


@responder("opt10044", source=Source.OWN, past=1)
def institutions(request: Request) -> Steps:
    """일별기관매매종목: what institutions bought or sold most of in a period."""
    return _most(request, INSTITUTIONS, "순매수수량", "순매수금액")


@responder("opt10058", source=Source.OWN, past=1)
def one_kind(request: Request) -> Steps:
    """투자자별일별매매종목: the same of one kind of investors."""
    kinds = GROUPS[request.label("투자자구분") or "기관계"]
    return _most(request, kinds, "순매도수량", "순매도금액")


def _most(request: Request, kinds: Sequence[Investor], quantity: str, amount: str) -> Steps:
    selling = request.choice("매매구분", "2") == "1"
    sign = "-" if selling else "+"
    found = selected(request, list(stocks(request.exchange)))
    # Everything that was bought, by whomever, is what was traded.
    sums = yield from _sums(request, found, kinds, tuple(Investor))
    wanted = [each for each in found if each.code in sums and (-1 if selling else 1) * sums[each.code][0].net_value > 0]

    def extra(each: Stock) -> dict[str, str]:
        flow, everybody = sums[each.code]
        mean = average(flow, not selling)
        return {
            quantity: f"{sign}{abs(flow.net)}",
            amount: f"{sign}{forms.rounded(abs(flow.net_value), TEN_THOUSAND)}",
            "추정평균가": f" {mean}",
            "평균가대비": forms.net(each.quote.last - mean),
            "대비율": forms.percent(each.quote.last - mean, mean),
            "기간거래량": f" {everybody.bought}",
        }

    return ranked(request, wanted, lambda each: abs(sums[each.code][0].net_value), extra)


@responder("opt10051", source=Source.OWN, past=PAST)
def by_sector(request: Request) -> Answer:
    """업종별투자자순매수: amounts in 억원, or thousands of shares, of all sectors of a market on a day."""
    exchange = request.exchange
    market = {"0": "KOSPI", "1": "KOSDAQ"}[request.choice("시장구분", "0")]
    by_value = request.choice("금액수량구분", "0") == "0"
    number = request.date("기준일자") or day_number(exchange.today)
    members = {code: one_day(exchange, code, number) for code in exchange.instruments}
    known = {code: day.flows for code, day in members.items() if day}
    rows = []
    for sector in exchange.sectors.values():
        if sector.market != market:
            continue
        quote = exchange.sector_quote(sector.code)
        parts = [known[code] for code in sector.members if code in known]
        rows.append(
            request.row(SECTOR, quote)
            | {
                "업종코드": sector.code,
                "업종명": sector.name,
                "현재가": forms.price(quote.last, quote.base),
                "전일대비": forms.change(quote.change),
                "등락율": str(forms.rounded(10_000 * quote.change, quote.base)),
                **{f"{name}순매수": _net(parts, kinds, by_value) for name, kinds in SECTOR_KINDS.items()},
            }
        )
    return request.listed(rows)


SECTOR_KINDS: Mapping[str, tuple[Investor, ...]] = {
    "증권": (Investor.SECURITIES,),
    "보험": (Investor.INSURANCE,),
    "투신": (Investor.TRUST,),
    "은행": (Investor.BANK,),
    "종신금": (Investor.OTHER_FINANCE,),
    "기금": (Investor.PENSION,),
    "기타법인": (Investor.COMPANY,),
    "개인": (Investor.PERSON,),
    "외국인": (Investor.FOREIGN,),
    "내국인대우외국인": (Investor.RESIDENT_FOREIGN,),
    "국가": (Investor.STATE,),
    "사모펀드": (Investor.PRIVATE_FUND,),
    "기관계": INSTITUTIONS,
}


def _net(parts: Sequence[Flows], kinds: Sequence[Investor], by_value: bool) -> str:
    """The net of a sector: even what rounds to zero has a sign, as recorded."""
    flow = total(each.of(*kinds) for each in parts)
    exact, unit = (flow.net_value, EOK) if by_value else (flow.net, 1000)
    return f"{'-' if exact < 0 else '+'}{abs(forms.rounded(exact, unit))}"


@responder("opt10062", source=Source.OWN, past=1)
def both(request: Request) -> Steps:
    """동일순매매순위: what institutions and foreigners bought, or sold, alike in a period; amounts in million won."""
    selling, by_value = request.choice("매매구분", "1") == "2", request.choice("정렬조건", "1") == "2"
    unit, sign = int(request.choice("단위구분", "1")), -1 if selling else 1
    found = selected(request, list(stocks(request.exchange)))
    sums = yield from _sums(request, found, INSTITUTIONS, (Investor.FOREIGN,))
    wanted = [each for each in found if each.code in sums and all(sign * flow.net > 0 for flow in sums[each.code])]

    def extra(each: Stock) -> dict[str, str]:
        institutions, foreigners = sums[each.code]
        whole = institutions + foreigners
        return {
            "기관순매매수량": forms.net(forms.rounded(institutions.net, unit)),
            "기관순매매금액": forms.net(forms.millions(institutions.net_value)),
            "기관순매매평균가": f" {average(institutions, not selling)}",
            "외인순매매수량": forms.net(forms.rounded(foreigners.net, unit)),
            "외인순매매금액": forms.net(forms.millions(foreigners.net_value)),
            "외인순매매평균가": f" {average(foreigners, not selling)}",
            "순매매수량": forms.net(forms.rounded(whole.net, unit)),
            "순매매금액": forms.net(forms.millions(whole.net_value)),
        }

    def measure(each: Stock) -> float:
        whole = total(sums[each.code])
        return abs(whole.net_value if by_value else whole.net)

    return ranked(request, wanted, measure, extra)


@responder("opt10063", source=Source.OWN)
def during_the_day(request: Request) -> Answer:
    """장중투자자별매매: today of one kind of investors, and half an hour before; 0 when nobody looked then."""
    kinds = GROUPS[request.label("투자자별") or "외국인"]
    both_wanted, by_value = request.choice("동시순매수구분", "0") == "1", request.choice("금액수량구분", "1") == "1"
    request.label("외국계전체")
    found = traded(request)
    now = {each.code: flow_now(each, kinds) for each in found}
    if both_wanted:
        found = [each for each in found if all(flow_now(each, k).net > 0 for k in ((Investor.FOREIGN,), INSTITUTIONS))]

    def extra(each: Stock) -> dict[str, str]:
        flow, then = now[each.code], _flow_before(request, each, kinds)
        amounts = {
            "순매수금액": (flow.net_value, then.net_value),
            "매수금액": (flow.bought_value, then.bought_value),
            "매도금액": (flow.sold_value, then.sold_value),
        }
        shares = {"매수수량": (flow.bought, then.bought), "매도수량": (-flow.sold, -then.sold)}
        return {
            **{name: str(forms.millions(value)) for name, (value, _) in amounts.items()},
            **{f"{name}증감": str(forms.millions(value - before)) for name, (value, before) in amounts.items()},
            **{name: forms.delta(value) for name, (value, _) in shares.items()},
            **{f"{name}증감": forms.delta(value - before) for name, (value, before) in shares.items()},
            "이전순매수금액": str(forms.millions(then.net_value)),
            "순매수수량": forms.delta(flow.net),
            "이점시전순매수수량": forms.delta(then.net),
            "순매수증감": forms.delta(flow.net - then.net),
        }

    return ranked(request, found, lambda each: now[each.code].net_value if by_value else now[each.code].net, extra)


def _flow_before(request: Request, stock: Stock, kinds: Sequence[Investor]) -> Flow:
    """What some investors had done today half an hour ago."""
    samples, today = request.world.samples, request.exchange.today
    look = samples.before(stock.code, HALF_HOUR) if samples else None
    # Yesterday's last looks have more volume than a morning.
    if look is None or look.volume > stock.quote.volume:
        return Flow()
    return flows(stock.instrument, today, look.volume, look.value).of(*kinds)


@responder("opt10065", source=Source.OWN)
def most_during_the_day(request: Request) -> Answer:
    """장중투자자별매매상위: shares of one kind of investors, most first."""
    selling = request.choice("매매구분", "1") == "2"
    kinds = GROUPS[request.label("기관구분") or "외국인"]
    now = {each.code: flow_now(each, kinds) for each in traded(request)}
    wanted = [each for each in traded(request) if (-1 if selling else 1) * now[each.code].net > 0]

    def extra(each: Stock) -> dict[str, str]:
        flow = now[each.code]
        return {"매도량": f"-{flow.sold}", "매수량": f"+{flow.bought}", "순매도": forms.delta(flow.net)}

    return ranked(request, wanted, lambda each: abs(now[each.code].net), extra)


@responder("opt10066", source=Source.OWN)
def after_the_day(request: Request) -> Answer:
    """장중투자자별매매차트: what every kind did of every issue today, by code."""

    def extra(each: Stock) -> dict[str, str]:
        quote = each.quote
        return columns(request, flows(each.instrument, request.exchange.today, quote.volume, quote.value))

    request.label("매매구분")
    wanted = request.code()
    found = [each for each in traded(request) if wanted in ("", each.code)]
    return ranked(request, found, lambda _: 0.0, extra)


@responder("opt10131", source=Source.OWN, past=1)
def in_a_row(request: Request) -> Steps:
    """기관외국인연속매매현황: what institutions and foreigners bought in a period, and for how many days in a row."""
    exchange, period = request.exchange, int(request.choice("기간", "1"))
    by_value = request.label("금액수량구분") != "수량"
    request.label("순매도수구분")
    if request.choice("종목업종구분", "0") == "1":
        return request.answer()
    first, last = request.period()
    rows: list[tuple[float, Stock, dict[str, str]]] = []
    for each in selected(request, list(stocks(exchange))):
        yield
        known = days(exchange, each.code, max(period, LONGEST) if period else LOOK_BACK)
        found = known[-period:] if period else [day for day in known if first <= day.number <= last]
        if not found:
            continue
        done = {day: _both(day) for day in dict.fromkeys((*found, *known[-LONGEST:]))}
        sums = {name: total(done[day][place] for day in found) for place, name in enumerate(("기관", "외국인", ""))}
        if sums[""].net_value <= 0:
            continue
        row = {
            "기간중주가등락률": forms.percent(found[-1].bar.close - found[0].base, found[0].base),
            "기관순매매금액": forms.net(forms.millions(sums["기관"].net_value)),
            "기관순매매량": forms.net(sums["기관"].net),
            "외국인순매매량": forms.net(sums["외국인"].net),
            "외국인순매매액": forms.net(forms.millions(sums["외국인"].net_value)),
            "순매매량": forms.net(sums[""].net),
            "순매매액": forms.net(forms.millions(sums[""].net_value)),
        }
        for place, names in enumerate(_STRETCH_NAMES):
            count, flow = _stretch([done[day][place] for day in known[-LONGEST:]])
            values = forms.delta(count), forms.net(flow.net), forms.net(forms.millions(flow.net_value))
            row |= dict(zip(names, values, strict=True))
        rows.append((sums[""].net_value if by_value else sums[""].net, each, row))
    rows.sort(key=lambda row: (-row[0], row[1].code))
    return request.listed(
        [request.row(STOCK, each) | row | {"순위": str(place)} for place, (_, each, row) in enumerate(rows, 1)]
    )


_STRETCH_NAMES = (
    ("기관계연속순매수일수", "기관계연속순매수량", "기관계연속순매수금액"),
    ("외국인연속순매수일수", "외국인연속순매수량", "외국인연속순매수금액"),
    ("합계연속순매수일수", "합계연속순매매수량", "합계연속순매수금액"),
)


def _both(day: Day) -> tuple[Flow, Flow, Flow]:
    """What institutions, foreigners and both together did on a day."""
    institutions, foreigners = day.done_by(*INSTITUTIONS), day.done_by(Investor.FOREIGN)
    return institutions, foreigners, institutions + foreigners


def _stretch(past: Sequence[Flow]) -> tuple[int, Flow]:
    """The last days on which the same was done, negative of sales, and what was done on them."""
    buying = past[-1].net > 0
    row = list(takewhile(lambda flow: flow.net > 0 if buying else flow.net < 0, reversed(past)))
    return (len(row) if buying else -len(row)), total(row)


@responder("opt90009", source=Source.OWN, past=PAST)
def most_by_both(request: Request) -> Answer:
    """외국인기관매매상위: four lists side by side; 천만원 and thousands of shares."""
    exchange = request.exchange
    by_value = request.choice("금액수량구분", "1") == "1"
    number = request.date("날짜") if request.choice("조회일자구분", "0") == "1" else None
    found = selected(request, list(stocks(exchange)))
    known = {each.code: one_day(exchange, each.code, number or day_number(exchange.today)) for each in found}
    lists = []
    for who, kinds in (("외인", (Investor.FOREIGN,)), ("기관", INSTITUTIONS)):
        nets = [(day.done_by(*kinds), each) for each in found if (day := known[each.code])]
        for side, sign in (("순매도", -1), ("순매수", 1)):
            ranking = [pair for pair in nets if sign * _size(pair[0], by_value) > 0]
            ranking.sort(key=lambda pair: (-sign * _size(pair[0], by_value), pair[1].code))
            lists.append((f"{who}{side}", ranking))
    length = max(len(ranking) for _, ranking in lists)
    return request.listed([_side_by_side(lists, place) for place in range(length)])


def _size(flow: Flow, by_value: bool) -> int:
    return flow.net_value if by_value else flow.net


def _side_by_side(lists: Sequence[tuple[str, Sequence[tuple[Flow, Stock]]]], place: int) -> dict[str, str]:
    row: dict[str, str] = {}
    for name, ranking in lists:
        if place < len(ranking):
            flow, each = ranking[place]
            row |= {
                f"{name}종목코드": each.code,
                f"{name}종목명": each.instrument.name,
                f"{name}금액": str(forms.rounded(flow.net_value, 10_000_000)),
                f"{name}수량": str(forms.thousands(flow.net)),
            }
    return row
