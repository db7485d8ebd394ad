"""What foreigners hold, and who bought it: figures of the simulation's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.investors import Investor, net_of
from koapy.simulation.tr.days import Day, daily, days
from koapy.simulation.tr.fundamentals import fundamentals
from koapy.simulation.tr.rankings import ranked
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import stocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Instrument
    from koapy.simulation.tr.registry import Steps
    from koapy.simulation.tr.request import Answer, Request
    from koapy.simulation.tr.stocks import Stock

PAGE = 100
"""Rows of opt10008, of which the catalogue says nothing."""
FUND_PART = 500
"""What foreigners hold of a fund, in hundredths of a percent."""


def held(exchange: Exchange, instrument: Instrument) -> int:
    """Return the shares that foreigners held when the day began."""
    company = fundamentals(exchange, instrument.code)
    return instrument.shares * (company.foreign if company else FUND_PART) // 10_000


def held_by_day(exchange: Exchange, instrument: Instrument, found: Sequence[Day]) -> dict[int, int]:
    """Return what foreigners held after each of the newest days of an issue: as many more as they bought since."""
    after = {}
    holding = held(exchange, instrument)
    today = [each for each in found if each.date >= exchange.today]
    for each in today:
        after[each.number] = holding + net(each)
    for each in reversed([each for each in found if each.date < exchange.today]):
        after[each.number] = holding
        holding -= net(each)
    return after


def net(day: Day) -> int:
    """Return the shares that foreigners bought more than they sold."""
    return net_of(Investor.FOREIGN, day.instrument, day.bar)


def exhausted(holding: int, instrument: Instrument) -> str:
    """Write 한도소진율: all shares may be foreign."""
    return forms.percent(holding, instrument.shares)


@responder("opt10008", source=Source.OWN)
def holdings_by_day(request: Request) -> Answer:
    """주식외국인."""
    exchange, code = request.exchange, request.code()
    if code not in exchange.instruments:
        return request.answer()
    instrument = exchange.instruments[code]
    holdings = held_by_day(exchange, instrument, days(exchange, code))

    def row(day: Day) -> dict[str, str]:
        holding = holdings[day.number]
        return {
            "변동수량": str(net(day)),
            "보유주식수": str(holding),
            "비중": exhausted(holding, instrument),
            "취득가능주식수": str(instrument.shares - holding),
            "외국인한도": str(instrument.shares),
            "외국인한도증감": "0",
            "한도소진률": exhausted(holding, instrument),
        }

    return daily(request, row, size=PAGE)


def _stretch(exchange: Exchange, code: str, period: int) -> list[Day]:
    """The days of a 기간: 0 today, 1 yesterday, else so many days with today."""
    if period == 1:
        return days(exchange, code, 2)[:1] if exchange.today_bar(code) else days(exchange, code, 1)
    found = days(exchange, code, max(period, 1))
    return found if period else [each for each in found if each.date == exchange.today]


@responder("opt10034", source=Source.OWN, past=1)
def most_bought(request: Request) -> Steps:
    """외인기간별매매상위."""
    kind, period = request.choice("매매구분", "2"), int(request.choice("기간", "0"))
    found = selected(request, list(stocks(request.exchange)))
    nets = {}
    for each in found:
        nets[each.code] = sum(map(net, _stretch(request.exchange, each.code, period)))
        yield
    wanted = [each for each in found if nets[each.code] and (kind == "3" or (nets[each.code] > 0) is (kind == "2"))]

    def extra(each: Stock) -> dict[str, str]:
        room = each.instrument.shares - held(request.exchange, each.instrument)
        return {"순매수량": forms.net(nets[each.code]), "취득가능주식수": str(room)}

    return ranked(request, wanted, lambda each: abs(nets[each.code]), extra)


@responder("opt10035", source=Source.OWN, past=1)
def bought_three_days(request: Request) -> Steps:
    """외인연속순매매상위: bought, or sold, on each of three days."""
    selling, yesterday = request.choice("매매구분", "2") == "1", request.choice("기준일구분", "0") == "1"
    found, nets = selected(request, list(stocks(request.exchange))), {}
    for each in found:
        yield
        past = days(request.exchange, each.code, 4)
        if yesterday and past and past[-1].date == request.exchange.today:
            past = past[:-1]
        last = [net(day) for day in reversed(past[-3:])]
        if len(last) == 3 and all(value < 0 if selling else value > 0 for value in last):
            nets[each.code] = last

    def extra(each: Stock) -> dict[str, str]:
        last = nets[each.code]
        return {
            **{f"D-{place}": forms.net(value) for place, value in enumerate(last, 1)},
            "합계": forms.net(sum(last)),
            "한도소진율": exhausted(held(request.exchange, each.instrument), each.instrument),
        }

    wanted = [each for each in found if each.code in nets]
    return ranked(request, wanted, lambda each: abs(sum(nets[each.code])), extra)


@responder("opt10036", source=Source.OWN, past=1)
def most_exhausted(request: Request) -> Steps:
    """외인한도소진율증가상위."""
    period = int(request.choice("기간", "5"))
    found = selected(request, list(stocks(request.exchange)))
    stretches, nets = {}, {}
    for each in found:
        yield
        stretches[each.code] = _stretch(request.exchange, each.code, period)
        nets[each.code] = sum(map(net, stretches[each.code]))

    def grown(each: Stock) -> float:
        return nets[each.code] / each.instrument.shares

    def extra(each: Stock) -> dict[str, str]:
        now = held_by_day(request.exchange, each.instrument, days(request.exchange, each.code, 2))
        after = now.get(stretches[each.code][-1].number, held(request.exchange, each.instrument))
        before = after - nets[each.code]
        return {
            "보유주식수": str(after),
            "취득가능주식수": str(each.instrument.shares - after),
            "기준한도소진율": exhausted(before, each.instrument),
            "한도소진율": exhausted(after, each.instrument),
            "소진율증가": exhausted(after - before, each.instrument),
        }

    wanted = [each for each in found if nets[each.code] > 0]
    return ranked(request, wanted, grown, extra)
