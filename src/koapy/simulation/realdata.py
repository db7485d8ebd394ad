"""What real-time data says: the values of the rarer real types by FID, as the server writes them.

`koapy.simulation.realtrade` and `koapy.simulation.realbook` have those that come thousands of times a second.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING

from koapy.openapi.realtype import real_type
from koapy.simulation import forms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from koapy.simulation.model import (
        AfterHoursQuote,
        Bar,
        Depth,
        Instrument,
        Interruption,
        Level,
        Quote,
        SectorQuote,
    )

BEST, EXPECTED = "주식우선호가", "주식예상체결"
FACTS, INTERRUPTION = "주식종목정보", "VI발동/해제"
EVENING_TRADE, EVENING_QUOTE = "ECN주식체결", "ECN주식시세"
INDEX, BREADTH = "업종지수", "업종등락"
LATE_BOOK = "주식시간외호가"
PHASE = "장시작시간"


def facts(instrument: Instrument) -> dict[int, str]:
    """주식종목정보: limits and reference price; no extension, no early end. What the other FIDs hold is not known."""
    base = instrument.base_price
    return dict.fromkeys((297, 592, 593, 689), "0") | {
        305: forms.price(instrument.upper, base),
        306: forms.price(instrument.lower, base),
        307: str(base),
    }


def interruption(found: Interruption, instrument: Instrument, quote: Quote) -> dict[int, str]:
    """VI발동/해제: the beginning or the end of an interruption; what is not its reason has no price and no distance."""
    static, dynamic = found.kind != "dynamic", found.kind != "static"
    up = found.price > (found.static_reference if static else found.dynamic_reference)
    kind = {"static": "정적", "dynamic": "동적", "both": "동적+정적"}[found.kind]
    references = found.static_reference * static, found.dynamic_reference * dynamic
    distances = [forms.percent(found.price - price, price) if price else "0.00" for price in references]
    return {
        9001: instrument.code,
        302: instrument.name,
        13: str(quote.volume),
        14: str(forms.millions(quote.value)),
        9068: "1" if found.ended is None else "2",
        9008: "101" if instrument.market == "KOSDAQ" else "001",
        9075: "1",
        1221: str(found.price),
        1223: forms.clock(found.began),
        1224: forms.clock(found.ended),
        1225: kind,
        1236: str(references[0]),
        1237: str(references[1]),
        1238: distances[0],
        1239: distances[1],
        1489: forms.percent(found.price - quote.base_price, quote.base_price),
        1490: str(found.count),
        9069: "1" if up else "2",
        1279: f"{'+' if up else '-'}{kind}",
    }


def evening_quote(late: AfterHoursQuote) -> dict[int, str]:
    """ECN주식시세: the evening's auctions so far, against the close; what is as high as that has no sign."""
    close = late.close
    prices = {10010: late.last, 10016: late.open, 10017: late.high, 10018: late.low}
    prices |= {10027: late.best_ask, 10028: late.best_bid}
    return {number: forms.price(price, close).strip() for number, price in prices.items()} | {
        10011: forms.change(late.last - close),
        10012: forms.percent(late.last - close, close),
        10013: str(late.volume),
        10014: str(forms.millions(late.value)),
        10025: forms.sign(late.last, close, late.upper, late.lower),
    }


def evening_trade(late: AfterHoursQuote, time: datetime, quantity: int) -> dict[int, str]:
    """ECN주식체결: one trade of the evening's auctions, of no side."""
    return evening_quote(late) | {10020: forms.clock(time), 10015: f" {quantity}"}


def best(depth: Depth, base: int) -> dict[int, str]:
    """주식우선호가: the best ask and bid."""
    return {27: forms.price(_best(depth.asks), base), 28: forms.price(_best(depth.bids), base)}


def late_book(totals: tuple[int, int], before: tuple[int, int], moment: datetime) -> dict[int, str]:
    """주식시간외호가: what is offered and wanted in all outside the day's hours."""
    (ask, bid), (ask_before, bid_before) = totals, before
    return {
        21: forms.clock(moment),
        131: str(ask),
        132: forms.delta(ask - ask_before),
        135: str(bid),
        136: forms.delta(bid - bid_before),
    }


def expected(price: int, quantity: int, quote: Quote, moment: datetime) -> dict[int, str]:
    """주식예상체결: where an auction would trade now."""
    return {
        20: forms.clock(moment),
        **_moved(price, quote.base_price),
        15: f"+{quantity}",
        13: str(quote.volume),
        25: forms.sign(price, quote.base_price),
    }


def index(quote: SectorQuote, yesterday: Bar | None, volume_before: int, moment: datetime) -> dict[int, str]:
    """업종지수: shares in thousands, amounts in million won; FID 15 since `volume_before`."""
    volume = forms.thousands(quote.volume)
    return {
        20: forms.clock(moment),
        **_index(quote),
        15: str(volume - forms.thousands(volume_before)),
        13: str(volume),
        14: str(forms.millions(quote.value)),
        16: forms.index(quote.open, quote.base),
        17: forms.index(quote.high, quote.base),
        18: forms.index(quote.low, quote.base),
        26: forms.change(volume - forms.thousands(yesterday.volume if yesterday else 0)),
    }


def breadth(quote: SectorQuote, members: int, moment: datetime) -> dict[int, str]:
    """업종등락: how many members rise and fall."""
    return {
        20: forms.clock(moment),
        252: str(quote.rising - quote.upper),
        251: str(quote.upper),
        253: str(quote.unchanged),
        255: str(quote.falling - quote.lower),
        254: str(quote.lower),
        13: str(forms.thousands(quote.volume)),
        14: str(forms.millions(quote.value)),
        **_index(quote),
        256: str(quote.traded),
        257: forms.decimal(100 * quote.traded, members),
    }


def phase(value: str, moment: str, remaining: str) -> dict[int, str]:
    """장시작시간: the phase of the day, the time, and the time that remains until the next one."""
    return {215: value, 20: moment, 214: remaining}


def text(name: str, values: Mapping[int, str]) -> str:
    """Write the raw data of an event: the values in the order of the real type."""
    try:
        return "\t".join(_in_order(name)(values))
    except KeyError:  # not all of them mean anything here
        return "\t".join([values.get(fid, "") for fid in real_type(name).fids])


def _moved(price: int, base: int) -> dict[int, str]:
    return {10: forms.price(price, base), 11: forms.change(price - base), 12: forms.percent(price - base, base)}


def _index(quote: SectorQuote) -> dict[int, str]:
    return {
        10: forms.index(quote.last, quote.base),
        11: forms.index_change(quote.change),
        12: forms.percent(quote.change, quote.base),
        25: forms.sign(quote.last, quote.base),
    }


@cache
def _in_order(name: str) -> Callable[[Mapping[int, str]], tuple[str, ...]]:
    return itemgetter(*real_type(name).fids)


def _best(levels: Sequence[Level]) -> int:
    return levels[0].price if levels else 0
