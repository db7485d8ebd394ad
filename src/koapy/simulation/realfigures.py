"""What real-time data says of firms, programs, funds and contracts: the simulation's own figures, by FID."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.realtype import real_type
from koapy.simulation import forms
from koapy.simulation.figures.chain import futures
from koapy.simulation.figures.contract import Kind
from koapy.simulation.figures.firms import firm_flows
from koapy.simulation.figures.funds import nav, tracking_error
from koapy.simulation.figures.programs import programs
from koapy.simulation.tr.contract_words import DERIVED
from koapy.simulation.tr.derived import Derived
from koapy.simulation.tr.market_programs import KOSPI200, market_today
from koapy.simulation.tr.papers import WARRANT
from koapy.simulation.tr.program_words import PROGRAM
from koapy.simulation.tr.stocks import STOCK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.figures.firms import Firm
    from koapy.simulation.tr.papers import Paper
    from koapy.simulation.tr.stocks import Stock

FIRMS, PROGRAMS, NAV = "주식당일거래원", "종목프로그램매매", "ETF NAV"
MARKET_PROGRAMS = "프로그램매매"
MARKETS = {"P00101": "KOSPI", "P10102": "KOSDAQ"}
"""Codes of whole markets."""
FUTURE_TYPES = ("선물시세", "선물호가잔량", "선물이론가", "선물옵션우선호가")
OPTION_TYPES = ("옵션시세", "옵션호가잔량", "옵션이론가", "선물옵션우선호가")
WARRANT_TYPES = ("ELW 지표", "ELW 이론가")

SHOWN = 5
"""Firms of a side."""
_HOME, _ABROAD_SELLS, _ABROAD_BUYS = "!!!!", "DHDB", "DGDB"
"""Colours."""

_RATES = (508, 517, 532, 541)
_NO_AUCTION = {23: "0.00", 200: " 0.00", 201: "0.00", 238: "3", 291: " 0.00", 293: "3", 294: " 0.00", 295: "0.00"}
"""What a book says of an auction while there is none."""

Traded = dict[str, tuple[int, int]]
"""Shares bought and sold so far, by firm."""


def firms(it: Stock, before: Traded) -> tuple[dict[int, str], Traded]:
    """주식당일거래원: the five firms of each side that traded most, and what changed since `before`."""
    flows = firm_flows(it.code, it.exchange.today, it.quote.volume, it.quote.value)
    now = {each.code: (flow.bought, flow.sold) for each, flow in flows.items()}
    values: dict[int, str] = {}
    for side, first, colour in ((1, 141, _ABROAD_SELLS), (0, 151, _ABROAD_BUYS)):
        most = sorted(flows, key=lambda each: (-now[each.code][side], each.code))[:SHOWN]
        for place, each in enumerate(most):
            amount, earlier = now[each.code][side], before.get(each.code, now[each.code])[side]
            values |= {
                first + place: each.name,
                first + 20 + place: str(amount),
                first + 25 + place: forms.delta(amount - earlier),
                first + 5 + place: each.code,
                first + 130 + place: colour if each.foreign else _HOME,
            }
    sold, bought = _abroad(flows, now, 1), _abroad(flows, now, 0)
    sold_before, bought_before = _abroad(flows, before or now, 1), _abroad(flows, before or now, 0)
    return values | {
        261: str(sold),
        262: forms.delta(sold - sold_before),
        263: str(bought),
        264: forms.delta(bought - bought_before),
        267: forms.delta(bought - sold),
        268: forms.delta(bought - sold - bought_before + sold_before),
        337: "1",
    }, now


def _abroad(known: Mapping[Firm, object], traded: Traded, side: int) -> int:
    return sum(traded[each.code][side] for each in known if each.foreign)


def program(it: Stock, moment: datetime, before: tuple[int, int] | None) -> tuple[dict[int, str], tuple[int, int]]:
    """종목프로그램매매: what programs did so far; amounts in million won; the last FIDs are empty, as recorded."""
    flow = programs(it.instrument, it.exchange.today, it.quote.volume, it.quote.value).all
    net = flow.net, forms.millions(flow.net_value)
    shares, amount = before or net
    return {number: STOCK[number](it) for number in (10, 25, 11, 12, 13)} | {
        20: forms.clock(moment),
        202: str(flow.sold),
        204: str(forms.millions(flow.sold_value)),
        206: str(flow.bought),
        208: str(forms.millions(flow.bought_value)),
        210: str(net[0]),
        211: str(net[0] - shares),
        212: str(net[1]),
        213: str(net[1] - amount),
    }, net


def market_program(
    exchange: Exchange, code: str, moment: datetime, before: tuple[int, int] | None
) -> tuple[dict[int, str], tuple[int, int]]:
    """프로그램매매: what programs did in a whole market. What is not modelled is 0."""
    whole = market_today(exchange, MARKETS[code])
    net = whole.all.net, forms.millions(whole.all.net_value)
    shares, amount = before or net
    own = dict.fromkeys(_RATES, "0.00") | {
        20: forms.clock(moment),
        210: forms.delta(net[0]),
        212: forms.delta(net[1]),
        211: forms.delta(net[0] - shares),
        213: forms.delta(net[1] - amount),
        928: forms.delta(net[1] - amount),
        929: forms.delta(net[0] - shares),
    }
    if KOSPI200 in exchange.sectors:
        quote, future = exchange.sector_quote(KOSPI200), Derived(exchange, futures(exchange.today)[0])
        own |= {number: DERIVED[number](future) for number in (183, 195)}
        own |= {197: forms.index(quote.last, quote.base)}
    return {
        number: own.get(number) or (PROGRAM[number](whole) if number in PROGRAM else "0")
        for number in real_type(MARKET_PROGRAMS).fids
    }, net


def worth(it: Stock, moment: datetime) -> dict[int, str]:
    """ETF NAV: what the parts of a fund are worth; what is an ELW's only is 0."""
    past, today = it.exchange.recent(it.code, 1), it.exchange.today
    before = nav(it.instrument, past[-1].start.date(), past[-1].close) if past else 100 * it.base
    now = nav(it.instrument, today, it.quote.last)
    return {number: STOCK[number](it) for number in (10, 11, 12, 13, 25)} | {
        20: forms.clock(moment),
        36: forms.index(now, before),
        37: forms.index_change(now - before),
        38: forms.percent(now - before, before),
        39: forms.decimal(tracking_error(it.instrument, today), 100),
        667: "0.00",
        668: "0.00",
        669: "0.00",
        265: "0.00",
        266: forms.percent(100 * it.quote.last - now, now),
    }


def contract_types(it: Derived) -> tuple[str, ...]:
    """The real types of a future or an option."""
    return FUTURE_TYPES if it.contract.kind is Kind.FUTURE else OPTION_TYPES


def contract(name: str, it: Derived, moment: datetime, traded: int) -> dict[int, str]:
    """선물시세, 옵션시세 and their sisters; `traded` contracts since the last time. What is not modelled is 0."""
    signed = {183: it.last - it.level, 184: it.contract.fair(it.day, it.level) - it.level}
    own = _NO_AUCTION | {
        20: forms.clock(moment),
        21: forms.clock(moment),
        15: forms.delta(traded),
        **{number: forms.rate(round(value), it.contract.scale) for number, value in signed.items()},
    }
    return {
        number: own.get(number) or (DERIVED[number](it) if number in DERIVED else "0")
        for number in real_type(name).fids
    }


def warrant(name: str, it: Paper, moment: datetime) -> dict[int, str]:
    """ELW 지표, ELW 이론가."""
    distance = forms.percent(round(it.break_even - it.level), it.level)
    own = {
        20: forms.clock(moment),
        671: forms.decimal(round(10_000 * it.contract.volatility(it.day)), 100),
        668: distance,
        669: distance,
        1211: "0",
        706: " 0.00",
    }
    greeks = it.contract.greeks(it.day, it.level)
    own |= {
        number: forms.decimal(round(1_000_000 * value), 1_000_000, 6)
        # Of a day, of a percent of volatility, of a percent of interest.
        for number, value in ((674, greeks.theta / 365), (675, greeks.vega / 100), (676, greeks.rho / 100))
    }
    return {
        number: own.get(number) or (WARRANT if number in WARRANT else DERIVED)[number](it)
        for number in real_type(name).fids
    }
