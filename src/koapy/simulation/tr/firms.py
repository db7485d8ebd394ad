"""Member firms (거래원): who traded an issue, and what a firm traded. Figures of the simulation's own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.draws import draws
from koapy.simulation.figures.firms import Firm, firm, firm_flows, firms, flow_of
from koapy.simulation.figures.investors import Flow, total
from koapy.simulation.model import Side
from koapy.simulation.tr.days import LOOK_BACK, Day, daily, days
from koapy.simulation.tr.rankings import ranked, traded
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import STOCK, Stock, stocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.tr.registry import Steps
    from koapy.simulation.tr.request import Answer, Request

SHOWN = 5
"""Firms on each side of a list."""
ALL_FIRMS = "888"
"""회원사코드 of opt10052 that stands for all."""


def of_today(stock: Stock) -> dict[Firm, Flow]:
    """Return what the firms have done of an issue today."""
    return firm_flows(stock.code, stock.exchange.today, stock.quote.volume, stock.quote.value)


def of_day(day: Day) -> dict[Firm, Flow]:
    """Return what the firms did on a day."""
    return firm_flows(day.instrument.code, day.date, day.bar.volume, day.bar.value)


def of_days(found: Sequence[Day]) -> dict[Firm, Flow]:
    """Return what the firms did on some days together."""
    known = [of_day(each) for each in found]
    return {each: total(flows[each] for flows in known) for each in firms()}


def _done_by(chosen: Sequence[Firm], day: Day) -> Flow:
    """What some firms did on a day."""
    return flow_of(chosen, day.instrument.code, day.date, day.bar.volume, day.bar.value)


def _largest(flows: Mapping[Firm, Flow], *, sellers: bool) -> list[tuple[Firm, int]]:
    amounts = [(each, flow.sold if sellers else flow.bought) for each, flow in flows.items()]
    amounts.sort(key=lambda pair: (-pair[1], pair[0].code))
    return [pair for pair in amounts if pair[1]][:SHOWN]


@responder("opt10002", source=Source.OWN)
def largest(request: Request) -> Answer:
    """주식거래원: the five that sold, and bought, most today; one row."""
    if request.code() not in request.exchange.instruments:
        return request.answer()
    stock = Stock(request.exchange, request.code())
    row = request.row(STOCK, stock)
    for side, sign in (("매도", "-"), ("매수", "+")):
        for place, (each, quantity) in enumerate(_largest(of_today(stock), sellers=side == "매도"), 1):
            row |= {
                f"{side}거래원명{place}": each.name,
                f"{side}거래원{place}": each.code,
                f"{side}거래량{place}": f"{sign}{quantity}",
            }
    return request.answer(rows=[row])


@responder("opt10040", "opt10070", source=Source.OWN)
def largest_now(request: Request) -> Answer:
    """당일주요거래원: the same with foreign firms together; nothing has changed since the last look."""
    if request.code() not in request.exchange.instruments:
        return request.answer()
    flows = of_today(Stock(request.exchange, request.code()))
    single: dict[str, str] = {}
    for side, sign in (("매도", "-"), ("매수", "+")):
        found = _largest(flows, sellers=side == "매도")
        for place in range(1, SHOWN + 1):
            known = place <= len(found)
            single |= {
                f"{side}거래원별증감{place}": "0",
                f"{side}거래원수량{place}": f"{sign}{found[place - 1][1]}" if known else "0",
                f"{side}거래원{place}": found[place - 1][0].name if known else "",
                f"{side}거래원코드{place}": found[place - 1][0].code if known else "000",
            }
    foreign = total(flow for each, flow in flows.items() if each.foreign)
    single |= {
        "외국계매도추정합": f"-{foreign.sold}",
        "외국계매수추정합": f"+{foreign.bought}",
        "외국계매도추정합변동": "0",
        "외국계매수추정합변동": "0",
    }
    return request.answer(single)


@responder("opt10053", source=Source.OWN)
def leavers(request: Request) -> Answer:
    """당일상위이탈원: who was among the five largest of a side and is no more, the last one first, by minutes.

    The two sides are lists of their own, side by side; 조회일자 and 조회시간 are the codes of the firms, as recorded.
    """
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    steps, volume, value = [], 0, 0
    for bar in exchange.today_minutes(code):
        volume, value = volume + bar.volume, value + bar.value
        ended = forms.clock(bar.start + timedelta(seconds=59))
        steps.append((ended, firm_flows(code, exchange.today, volume, value)))
    columns = {"매도": ("조회일자", _left(steps, sellers=True)), "매수": ("조회시간", _left(steps, sellers=False))}
    rows: list[dict[str, str]] = [{} for _ in range(max(len(found) for _, found in columns.values()))]
    for side, (coded, found) in columns.items():
        for row, (time, which, quantity) in zip(rows, found, strict=False):
            row |= {
                f"{side}이탈시간": time,
                f"{side}수량": str(quantity),
                f"{side}상위이탈원": f" {which.name}",
                coded: which.code,
            }
    return request.listed(rows)


def _left(steps: Sequence[tuple[str, Mapping[Firm, Flow]]], *, sellers: bool) -> list[tuple[str, Firm, int]]:
    """When each firm left the largest of a side, and what it had traded by then; the last one first."""
    found: list[tuple[str, Firm, int]] = []
    before: set[Firm] = set()
    for time, flows in steps:
        now = {each for each, _ in _largest(flows, sellers=sellers)}
        gone = sorted(before - now, key=lambda each: each.code)
        found += [(time, each, flows[each].sold if sellers else flows[each].bought) for each in gone]
        before = now
    return found[::-1]


def _stretch(request: Request, code: str) -> list[Day]:
    """The days that 기간, or 시작일자 and 종료일자, ask for."""
    exchange = request.exchange
    found = days(exchange, code, 2 * LOOK_BACK)
    by_dates = request.choice("조회기간구분", "1") == "1" if "조회기간구분" in request.tr.input_names else True
    period = request.number("기간")
    if request.text("시작일자") and by_dates:
        first, last = request.period()
        return [each for each in found if first <= each.number <= last]
    if request.choice("시점구분", "0") == "1" and found and found[-1].date == exchange.today:
        found = found[:-1]
    return found[-period:] if period else found[-1:]


@responder("opt10038", source=Source.OWN)
def ranks_of_issue(request: Request) -> Answer:
    """종목별증권사순위: every firm by what it bought, or sold, more of an issue in a period."""
    buyers = request.choice("조회구분", "2", "0") != "1"
    if request.code() not in request.exchange.instruments:
        return request.answer()
    found = _stretch(request, request.code())
    flows = of_days(found)
    sides = [each for each in flows.items() if (each[1].net > 0) is buyers and each[1].net]
    sides.sort(key=lambda pair: (-abs(pair[1].net), pair[0].code))
    bought, sold = sum(flow.bought for _, flow in sides), sum(flow.sold for _, flow in sides)
    single = {
        "순위1": f"+{bought}",
        "순위2": f"-{sold}",
        "순위3": forms.net(bought - sold),
        "기간중거래량": str(sum(each.bar.volume for each in found)),
    }
    return request.listed(
        [
            {
                "순위": str(place),
                "회원사명": each.name,
                "매수수량": f"+{flow.bought}",
                "매도수량": f"-{flow.sold}",
                "누적순매수수량": forms.net(flow.net),
            }
            for place, (each, flow) in enumerate(sides, 1)
        ],
        single,
    )


@responder("opt10042", source=Source.OWN)
def net_buyers(request: Request) -> Answer:
    """순매수거래원순위: codes without zeros in front, as recorded."""
    request.choice("정렬기준", "1")
    if request.code() not in request.exchange.instruments:
        return request.answer()
    flows = of_days(_stretch(request, request.code()))
    found = sorted(flows, key=lambda each: (-flows[each].net, each.code))
    return request.listed(
        [
            {"순위": str(place), "회원사코드": str(int(each.code)), "회원사명": each.name}
            for place, each in enumerate(found, 1)
            if flows[each].net > 0
        ]
    )


@responder("opt10043", source=Source.OWN)
def firm_by_day(request: Request) -> Answer:
    """거래원매물대분석: the days of a firm in an issue, by close or newest first."""
    by_close, which = request.choice("정렬기준", "2") == "1", firm(request.text("회원사코드"))
    if request.code() not in request.exchange.instruments or which is None:
        return request.answer()
    found = _stretch(request, request.code())[::-1]
    if by_close:
        found.sort(key=lambda each: -each.bar.close)
    rows = []
    for each in found:
        flow = of_day(each)[which]
        rows.append(
            {
                "일자": forms.day(each.bar.start),
                "종가": str(each.bar.close),
                "대비기호": forms.sign(each.bar.close, each.base),
                "전일대비": forms.net(each.change),
                "매도량": str(flow.sold),
                "매수량": str(flow.bought),
                "순매수수량": str(flow.net),
                "거래량합": str(flow.bought + flow.sold),
                "거래비중": forms.percent(flow.bought + flow.sold, 2 * each.bar.volume),
            }
        )
    return request.listed(rows)


@responder("opt10078", source=Source.OWN)
def firm_in_issue(request: Request) -> Answer:
    """증권사별종목매매동향: the days of a firm in an issue."""
    which = firm(request.text("회원사코드"))
    first, last = request.period()
    if which is None:
        return request.answer()

    def row(day: Day) -> dict[str, str]:
        flow = of_day(day)[which]
        return {
            "누적거래량": str(day.bar.volume),
            "순매수수량": forms.net(flow.net),
            "매수수량": f"+{flow.bought}",
            "매도수량": f"-{flow.sold}",
        }

    return daily(request, row, newest=last, oldest=first)


@responder("opt10039", source=Source.OWN, past=1)
def issues_of_firm(request: Request) -> Steps:
    """증권사별매매상위: what a firm bought, or sold, most of in a period; amounts in million won."""
    which, selling = firm(request.text("회원사코드")), request.choice("매매구분", "1") == "2"
    by_value, period = request.choice("금액수량구분", "1") == "1", int(request.choice("기간", "1"))
    if which is None:
        return request.answer()
    found, flows, stretches = selected(request, list(stocks(request.exchange))), {}, {}
    for each in found:
        yield
        stretch = days(request.exchange, each.code, period)
        if stretch:
            stretches[each.code] = stretch
            flows[each.code] = total(_done_by([which], day) for day in stretch)
    wanted = [each for each in found if each.code in flows and (-1 if selling else 1) * flows[each.code].net > 0]

    def extra(each: Stock) -> dict[str, str]:
        flow = flows[each.code]
        return _moved(stretches[each.code]) | {
            "순매수": forms.net(flow.net),
            "매수거래량": f"+{flow.bought}",
            "매도거래량": f"-{flow.sold}",
            "순매수금액": forms.net(forms.millions(flow.net_value)),
            "매수금액": f"+{forms.millions(flow.bought_value)}",
            "매도금액": f"-{forms.millions(flow.sold_value)}",
        }

    return ranked(
        request, wanted, lambda each: abs(flows[each.code].net_value if by_value else flows[each.code].net), extra
    )


def _moved(stretch: Sequence[Day]) -> dict[str, str]:
    moved = stretch[-1].bar.close - stretch[0].base
    return {
        "기간중주가등락": forms.net(moved),
        "등락율": forms.percent(moved, stretch[0].base),
        "기간중거래량": str(sum(each.bar.volume for each in stretch)),
    }


@responder("opt10037", source=Source.OWN, past=1)
def foreign_firms(request: Request) -> Steps:
    """외국계창구매매상위: what the foreign firms bought, or sold, most of in a period; amounts in million won."""
    kind, by_value = request.choice("매매구분", "1"), request.choice("정렬구분", "1") == "1"
    period = int(request.choice("기간", "0"))
    foreign = [each for each in firms() if each.foreign]
    found, flows = selected(request, list(stocks(request.exchange))), {}
    for each in found:
        yield
        stretch = days(request.exchange, each.code, max(period, 1) + (period == 1))
        if period == 0:
            stretch = [day for day in stretch if day.date == request.exchange.today]
        flows[each.code] = total(_done_by(foreign, day) for day in (stretch[:1] if period == 1 else stretch))

    def size(each: Stock) -> int:
        flow = flows[each.code]
        values = {
            "1": (flow.net_value, flow.net),
            "2": (-flow.net_value, -flow.net),
            "3": (flow.bought_value, flow.bought),
            "4": (flow.sold_value, flow.sold),
        }
        return values[kind][0 if by_value else 1]

    def extra(each: Stock) -> dict[str, str]:
        flow = flows[each.code]
        return {
            "매도거래량": f"-{flow.sold}",
            "매수거래량": f"+{flow.bought}",
            "순매수거래량": forms.net(flow.net),
            "순매수대금": forms.net(forms.millions(flow.net_value)),
        }

    return ranked(request, [each for each in found if size(each) > 0], size, extra)


@responder("opt10052", source=Source.OWN)
def at_moments(request: Request) -> Answer:
    """거래원순간거래량: the latest trades of an issue, or of the busiest ones, and the firm behind each."""
    least = 1000 * request.number("수량구분")
    wanted, code = request.text("회원사코드"), request.code()
    request.choice("시장구분", "0")
    if code:
        found = [Stock(request.exchange, code)] if code in request.exchange.instruments else []
    else:
        found = sorted(traded(request), key=lambda each: (-each.quote.value, each.code))[:20]
    rows = []
    for each in found:
        flows = of_today(each)
        for trade in request.exchange.trades(each.code, 80):
            selling = trade.side is Side.SELL
            one = _behind(each.code, request.exchange, trade.volume)
            if trade.quantity < least or wanted not in ("", ALL_FIRMS, one.code, one.code.lstrip("0")):
                continue
            change = trade.price - each.base
            row = request.row(STOCK, each) | {
                "시간": forms.clock(trade.time),
                "거래원명": one.name,
                "구분": "-매도" if selling else "+매수",
                "순간거래량": str(-trade.quantity if selling else trade.quantity),
                "누적순매수": str(flows[one].net),
                "현재가": forms.price(trade.price, each.base),
                "전일대비기호": forms.sign(trade.price, each.base, each.instrument.upper, each.instrument.lower),
                "전일대비": str(change),
                "등락율": forms.percent(change, each.base),
            }
            rows.append((trade.time, each.code, trade.volume, row))
    rows.sort(key=lambda row: row[:3], reverse=True)
    return request.listed([row for *_, row in rows])


def _behind(code: str, exchange: Exchange, volume: int) -> Firm:
    """The firm behind a trade."""
    known = firms()
    at = draws("behind", code, exchange.today, volume)[0] * sum(each.weight for each in known)
    for each in known:
        at -= each.weight
        if at < 0:
            return each
    return known[-1]
