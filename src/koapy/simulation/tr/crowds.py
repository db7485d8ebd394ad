"""Rankings of the whole market by what waits in the books now, against some minutes ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.samples import KEPT
from koapy.simulation.tr.rankings import ranked
from koapy.simulation.tr.registry import responder
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import stocks

if TYPE_CHECKING:
    from koapy.simulation.samples import Look
    from koapy.simulation.tr.request import Answer, Request
    from koapy.simulation.tr.stocks import Stock


def _pairs(request: Request) -> dict[str, tuple[Look, Stock]]:
    """Issues and what waited in their books as many minutes ago as 시간구분 says, by code; an hour at most."""
    samples = request.world.samples
    span = min(max(request.number("시간구분", 1), 1), KEPT)
    found = {}
    for each in selected(request, list(stocks(request.exchange))):
        before = samples.before(each.code, span) if samples else None
        if before is not None:
            found[each.code] = before, each
    return found


@responder("opt10021")
def more_waiting(request: Request) -> Answer:
    """호가잔량급증: more shares are asked for, or offered, than before. 기준률 is what waited then."""
    asking = request.choice("매매구분", "1") == "1"
    by_rate = request.choice("정렬구분", "1") == "2"
    pairs = _pairs(request)

    def grown(each: Stock) -> tuple[int, int]:
        before, now = pairs[each.code][0], each.depth
        then, waits = (before.bids, now.total_bid) if asking else (before.asks, now.total_ask)
        return waits - then, then

    def measure(each: Stock) -> float:
        more, then = grown(each)
        return more / max(then, 1) if by_rate else more

    def extra(each: Stock) -> dict[str, str]:
        more, then = grown(each)
        return {
            "기준률": str(then),
            "현재": str(then + more),
            "급증수량": str(more),
            "급증률": forms.percent(more, then),
            "총매수량": str(each.quote.buy_volume),
        }

    found = [each for _, each in pairs.values() if grown(each)[0] > 0]
    return ranked(request, found, measure, extra)


@responder("opt10022")
def more_on_one_side(request: Request) -> Answer:
    """잔량율급증: one side of the book in percent of the other has grown."""
    asked = request.choice("비율구분", "1") == "1"
    pairs = _pairs(request)

    def rates(each: Stock) -> tuple[int, int]:
        """In hundredths of a percent, before and now."""
        before, now = pairs[each.code][0], each.depth
        sides = (before.bids, before.asks), (now.total_bid, now.total_ask)
        then, at_present = (forms.rounded(10_000 * bids, asks) for bids, asks in sides)
        if not asked:
            then, at_present = (forms.rounded(10_000 * asks, bids) for bids, asks in sides)
        return then, at_present

    def extra(each: Stock) -> dict[str, str]:
        then, now = rates(each)
        return {
            "기준률": forms.rate(then, 100),
            "현재비율": forms.rate(now, 100),
            "급증률": forms.rate(now - then, 100),
        }

    found = [each for _, each in pairs.values() if rates(each)[1] > rates(each)[0]]
    return ranked(request, found, lambda each: rates(each)[1] - rates(each)[0], extra)
