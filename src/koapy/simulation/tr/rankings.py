"""Rankings of the whole market by what it does now: trades, prices, orders that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.tr.fundamentals import fundamentals
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import STOCK, Stock, stocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from koapy.simulation.model import Interruption
    from koapy.simulation.tr.registry import Steps
    from koapy.simulation.tr.request import Answer, Request

    Measure = Callable[[Stock], float]
    Extra = Callable[[Stock], Mapping[str, str]]


def traded(request: Request) -> list[Stock]:
    """Return the issues that were chosen and have traded today."""
    return selected(request, [each for each in stocks(request.exchange) if each.quote.volume])


def ranked(request: Request, found: list[Stock], measure: Measure, extra: Extra | None = None) -> Answer:
    """Answer with issues, those that measure most first; `extra` adds to what the FIDs say."""
    found = sorted(found, key=lambda each: (-measure(each), each.code))
    page = request.top(len(found))
    rows = []
    for index in page.indices:
        each = found[index]
        row = request.row(STOCK, each) | {"순위": str(index + 1)}
        rows.append(row | dict(extra(each)) if extra else row)
    return request.answer(rows=rows, after=page.after)


@responder("opt10017")
def at_the_limits(request: Request) -> Answer:
    """상하한가: issues at a limit, rising, falling or unchanged today, or at a limit yesterday."""
    kind, order = request.choice("상하한구분", "1"), request.choice("정렬구분", "3")
    tests: dict[str, Callable[[Stock], bool]] = {
        "1": lambda each: each.quote.last == each.instrument.upper,
        "2": lambda each: each.quote.change > 0,
        "3": lambda each: each.quote.change == 0,
        "4": lambda each: each.quote.last == each.instrument.lower,
        "5": lambda each: each.quote.change < 0,
        "6": lambda each: False,
        "7": lambda each: False,
    }
    falling = kind in ("4", "5", "7")
    orders: dict[str, Measure] = {
        "1": lambda _: 0.0,
        "2": lambda each: abs(limit_days(each)),
        "3": lambda each: -each.quote.rate if falling else each.quote.rate,
    }
    found = [each for each in traded(request) if tests[kind](each)]
    return ranked(request, found, orders[order], lambda each: {"횟수": str(max(1, abs(limit_days(each))))})


def limit_days(stock: Stock) -> int:
    """Return 1 while the price is at the upper limit, -1 at the lower one. Earlier days' limits are not kept."""
    return (stock.quote.last == stock.instrument.upper) - (stock.quote.last == stock.instrument.lower)


@responder("opt10018")
def near_extremes(request: Request) -> Answer:
    """고저가근접: prices within so much of the day's high or low. 당일저가 has the high's FID in the catalogue."""
    low, reach = request.choice("고저구분", "1") == "2", int(request.choice("근접율", "05")) / 10

    def distance(each: Stock) -> float:
        edge = each.quote.low if low else each.quote.high
        return 100 * abs(each.quote.last - edge) / edge

    found = [each for each in traded(request) if distance(each) <= reach]
    return ranked(
        request,
        found,
        lambda each: -distance(each),
        lambda each: {"전일대비기호": STOCK[25](each), "당일저가": each.price(each.quote.low)},
    )


@responder("opt10020")
def waiting_orders(request: Request) -> Answer:
    """호가잔량상위: what waits in the book."""
    measures: dict[str, Measure] = {
        "1": lambda each: each.depth.total_bid - each.depth.total_ask,
        "2": lambda each: each.depth.total_ask - each.depth.total_bid,
        "3": lambda each: each.depth.total_bid / max(each.depth.total_ask, 1),
        "4": lambda each: each.depth.total_ask / max(each.depth.total_bid, 1),
    }
    order = request.choice("정렬구분", "1")
    found = selected(request, list(stocks(request.exchange)))
    return ranked(request, found, measures[order])


@responder("opt10026", source=Source.OWN, past=1)
def by_company_figures(request: Request) -> Steps:
    """고저PER: companies by PER, PBR or ROE; those with a loss have no PER."""
    kind = request.choice("PER구분", "1")
    found: list[tuple[float, Stock]] = []
    for each in selected(request, list(stocks(request.exchange))):
        yield
        company = fundamentals(request.exchange, each.code)
        if company is None or company.eps <= 0:
            continue
        ratios = {"12": each.quote.last / company.eps, "34": each.quote.last / company.bps}
        ratio = next((ratio for kinds, ratio in ratios.items() if kind in kinds), 100 * company.eps / company.bps)
        found.append((ratio, each))
    by_code = {each.code: ratio for ratio, each in found}
    sign = 1 if kind in "246" else -1
    return ranked(
        request,
        [each for _, each in found],
        lambda each: sign * by_code[each.code],
        lambda each: {"PER": forms.decimal(round(100 * by_code[each.code]), 100), "현재거래량": str(each.quote.volume)},
    )


@responder("opt10027")
def movers(request: Request) -> Answer:
    """전일대비등락률상위."""
    measures: dict[str, tuple[Callable[[Stock], bool], Measure]] = {
        "1": (lambda each: each.quote.change > 0, lambda each: each.quote.rate),
        "2": (lambda each: each.quote.change > 0, lambda each: each.quote.change),
        "3": (lambda each: each.quote.change < 0, lambda each: -each.quote.rate),
        "4": (lambda each: each.quote.change < 0, lambda each: -each.quote.change),
        "5": (lambda each: each.quote.change == 0, lambda each: each.quote.volume),
    }
    test, measure = measures[request.choice("정렬구분", "1")]
    found = [each for each in traded(request) if test(each)]
    return ranked(request, found, measure, lambda each: {"횟수": str(abs(limit_days(each)))})


@responder("opt10028")
def against_the_opening(request: Request) -> Answer:
    """시가대비등락률: the price against the day's open, high, low or 기준가."""
    which = request.choice("정렬구분", "1")
    sign = -1 if request.choice("등락조건", "1") == "2" else 1

    def edge(each: Stock) -> int:
        return {"1": each.quote.open, "2": each.quote.high, "3": each.quote.low, "4": each.base}[which]

    return ranked(
        request,
        traded(request),
        lambda each: sign * (each.quote.last - edge(each)) / edge(each),
        lambda each: {"시가대비": forms.percent(each.quote.last - edge(each), edge(each))},
    )


@responder("opt10029")
def expected_movers(request: Request) -> Answer:
    """예상체결등락률상위: where an auction would trade; nothing outside of one."""
    order = request.choice("정렬구분", "1")
    exchange = request.exchange
    expected = {each.code: exchange.expected(each.code) for each in stocks(exchange)}

    def change(each: Stock) -> int:
        return expected[each.code][0] - each.base

    tests: dict[str, tuple[Callable[[Stock], bool], Measure]] = {
        "1": (lambda each: change(each) > 0, lambda each: change(each) / each.base),
        "2": (lambda each: change(each) > 0, change),
        "3": (lambda each: change(each) == 0, lambda each: expected[each.code][1]),
        "4": (lambda each: change(each) < 0, lambda each: -change(each) / each.base),
        "5": (lambda each: change(each) < 0, lambda each: -change(each)),
        "6": (lambda each: True, lambda each: expected[each.code][1]),
        "7": (lambda each: expected[each.code][0] == each.instrument.upper, lambda each: expected[each.code][1]),
        "8": (lambda each: expected[each.code][0] == each.instrument.lower, lambda each: expected[each.code][1]),
    }
    test, measure = tests[order]
    found = [each for each in stocks(exchange) if expected[each.code][1]]

    def extra(each: Stock) -> dict[str, str]:
        price, quantity = expected[each.code]
        return {
            "예상체결가": forms.price(price, each.base),
            "기준가": str(each.base),
            "전일대비기호": forms.sign(price, each.base, each.instrument.upper, each.instrument.lower),
            "전일대비": forms.change(change(each)),
            "등락률": forms.percent(change(each), each.base),
            "예상체결량": str(quantity),
        }

    # 거래량조건 is about what would trade, of which nothing is known to `selected` but today's volume.
    return ranked(request, [each for each in selected(request, found) if test(each)], measure, extra)


@responder("opt10030")
def most_traded(request: Request) -> Answer:
    """당일거래량상위: what has traded today, most first. Parts of the day (장중, 장후, 장전) are not told apart."""
    measures: dict[str, Measure] = {
        "1": lambda each: each.quote.volume,
        "2": lambda each: each.quote.volume / max(each.instrument.shares, 1),
        "3": lambda each: each.quote.value,
    }
    request.choice("장운영구분", "0")
    order = request.choice("정렬구분", "1")
    return ranked(request, traded(request), measures[order])


@responder("opt10031")
def most_traded_yesterday(request: Request) -> Answer:
    """전일거래량상위: of 100, those from 순위시작 to 순위끝. The volume is yesterday's."""
    by_value = request.choice("조회구분", "1") == "2"
    first, last = request.number("순위시작"), request.number("순위끝", 100)
    found = selected(request, list(stocks(request.exchange)))
    found.sort(key=lambda each: (-(each.quote.previous_value if by_value else each.quote.previous_volume), each.code))
    chosen = found[:100][max(first - 1, 0) : last or 100]
    return request.listed([request.row(STOCK, each) | {"거래량": str(each.quote.previous_volume)} for each in chosen])


@responder("opt10032")
def most_money(request: Request) -> Answer:
    """거래대금상위: with the rank of the day before."""
    found = traded(request)
    before = sorted(found, key=lambda each: (-each.quote.previous_value, each.code))
    ranks = {each.code: str(place) for place, each in enumerate(before, 1)}
    answer_rows = sorted(found, key=lambda each: (-each.quote.value, each.code))
    now = {each.code: str(place) for place, each in enumerate(answer_rows, 1)}
    return ranked(
        request,
        found,
        lambda each: each.quote.value,
        lambda each: {"현재순위": now[each.code], "전일순위": ranks[each.code]},
    )


@responder("opt10054")
def interruptions(request: Request) -> Answer:
    """변동성완화장치발동종목: today's, the latest first. 해제 is blank while one lasts."""
    kind, way = request.label("발동구분"), request.label("발동방향")
    limits = [
        (request.label(f"{what}구분") == "사용", request.number(f"최소{what}"), request.number(f"최대{what}"))
        for what in ("거래량", "거래대금")
    ]
    for name in ("장전구분", "거래소구분"):
        request.label(name)
    wanted, exchange = request.code(), request.exchange
    chosen = {each.code: each for each in selected(request, list(stocks(exchange)))}
    rows = []
    for each in reversed(exchange.interruptions()):
        stock = chosen.get(each.code)
        if stock is None or wanted not in ("", each.code) or kind not in ("", "전체", _INTERRUPTED[each.kind]):
            continue
        rising = each.price > each.dynamic_reference
        amounts = (stock.quote.volume, stock.quote.value)
        if way in ("상승", "하락") and rising is not (way == "상승"):
            continue
        if any(
            used and not low <= amount <= (high or amount)
            for (used, low, high), amount in zip(limits, amounts, strict=True)
        ):
            continue
        rows.append(request.row(STOCK, stock) | _interruption(each, stock))
    return request.listed(rows)


_INTERRUPTED = {"static": "정적VI", "dynamic": "동적VI", "both": "동적VI + 정적VI"}
"""발동구분."""


def _interruption(each: Interruption, stock: Stock) -> dict[str, str]:
    static, dynamic, opened = each.static_reference, each.dynamic_reference, stock.quote.open
    return {
        "누적거래량": str(stock.quote.volume),
        "발동가격": forms.price(each.price, stock.base),
        "동적괴리율": forms.percent(each.price - dynamic, dynamic) if each.kind != "static" else "0.00",
        "매매체결처리시각": forms.clock(each.began),
        "VI해제시각": forms.clock(each.ended) if each.ended else "",
        "VI적용구분": _INTERRUPTED[each.kind].replace("VI", ""),
        "동적기준가격": str(dynamic) if each.kind != "static" else "0",
        "정적기준가격": str(static) if each.kind != "dynamic" else "0",
        "정적괴리율": forms.percent(each.price - static, static) if each.kind != "dynamic" else "0.00",
        "시가대비등락률": forms.percent(each.price - opened, opened),
        "VI발동횟수": str(each.count),
    }
