"""Themes (테마): groups of issues, from a table of the simulation's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.themes import theme, themes
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.stocks import STOCK, Stock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.tr.request import Answer, Request

PAST = 100
"""Days that 날짜구분 may go back."""
LEADERS = 2
"""주요종목."""


def _members(exchange: Exchange, codes: Sequence[str]) -> list[Stock]:
    return [Stock(exchange, code) for code in codes if code in exchange.instruments]


def _moved(stock: Stock, count: int) -> float:
    """Percent of change over so many days."""
    past = stock.exchange.recent(stock.code, max(min(count, PAST), 1))
    return 100 * (stock.quote.last - past[0].close) / past[0].close if past else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _rate(value: float) -> str:
    return forms.rate(round(100 * value), 100)


@responder("opt90001", source=Source.OWN, past=PAST)
def groups(request: Request) -> Answer:
    """테마그룹별: rates are means of the members."""
    exchange, kind = request.exchange, request.choice("검색구분", "0")
    order, count = request.choice("등락수익구분", "1"), request.number("날짜구분", 10)
    word, code = request.text("테마명"), request.code()
    found = []
    for each in themes():
        members = _members(exchange, each.members)
        if not members or (kind == "1" and word not in each.name) or (kind == "2" and code not in each.members):
            continue
        rate, moved = _mean([one.quote.rate for one in members]), _mean([_moved(one, count) for one in members])
        leaders = sorted(members, key=lambda one: (-one.quote.rate, one.code))[:LEADERS]
        found.append(
            (
                moved if order in ("1", "2") else rate,
                {
                    "종목코드": each.code,
                    "테마명": each.name,
                    "종목수": str(len(members)),
                    "등락기호": forms.sign(round(100 * rate), 0),
                    "등락율": _rate(rate),
                    "상승종목수": str(sum(one.quote.change > 0 for one in members)),
                    "하락종목수": str(sum(one.quote.change < 0 for one in members)),
                    "기간수익률": _rate(moved),
                    "주요종목": ",".join(one.instrument.name for one in leaders),
                },
            )
        )
    sign = 1 if order in ("2", "4") else -1
    found.sort(key=lambda item: (sign * item[0], item[1]["종목코드"]))
    return request.listed([row for _, row in found])


@responder("opt90002", source=Source.OWN, past=PAST)
def members(request: Request) -> Answer:
    """테마구성종목: the members of a theme, by code."""
    count, number = request.number("날짜구분", 10), request.text("종목코드")
    asked = theme(number)
    found = _members(request.exchange, asked.members) if asked else []
    if not found:
        return request.answer()
    moved = {each.code: _moved(each, count) for each in found}
    single = {
        "등락률": _rate(_mean([each.quote.rate for each in found])),
        "기간수익률": _rate(_mean(list(moved.values()))),
    }
    rows = [request.row(STOCK, each) | {"기간수익률n": _rate(moved[each.code])} for each in found]
    return request.listed(rows, single)
