"""What real-time data says: the values of each real type by FID, as the server writes them."""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING

from koapy.openapi.market import commission_rate, sale_tax_rate
from koapy.openapi.realtype import real_type
from koapy.simulation import forms
from koapy.simulation.model import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from koapy.simulation.model import (
        AfterHoursQuote,
        Bar,
        Depth,
        Instrument,
        Interruption,
        Level,
        Quote,
        SectorQuote,
        Trade,
    )

TRADE, QUOTE, BEST, BOOK, EXPECTED = "주식체결", "주식시세", "주식우선호가", "주식호가잔량", "주식예상체결"
FACTS, INTERRUPTION = "주식종목정보", "VI발동/해제"
EVENING_TRADE, EVENING_QUOTE = "ECN주식체결", "ECN주식시세"
INDEX, BREADTH = "업종지수", "업종등락"
LATE_BOOK = "주식시간외호가"
PHASE = "장시작시간"

BEFORE_HOURS, DURING_HOURS, AFTER_HOURS = "1", "2", "3"
"""장구분 of a trade."""

PPM = 1_000_000
_SHORT_MARGIN, _SHORT_MAINTENANCE = (2, 5), (8, 25)
_CFD_COST, _LOAN_COST = 5020, 4014
"""Of the price, in millionths: what recorded ticks of 2026 show."""


def trade(trade: Trade, instrument: Instrument, quote: Quote, today: date) -> dict[int, str]:
    """주식체결: one trade. Volumes against the previous day are against its whole, as in recorded data."""
    base, price, size = quote.base_price, trade.price, trade.quantity
    bought = trade.side is Side.BUY
    sign = 1 if bought else -1
    return {
        20: forms.clock(trade.time),
        **_day(price, trade.volume, trade.value, instrument, quote, today),
        27: forms.price(trade.best_ask, base),
        28: forms.price(trade.best_bid, base),
        15: f"{sign * size:+d}",
        228: forms.strength(quote.buy_volume, quote.sell_volume),
        290: DURING_HOURS,
        691: "0",
        851: str(forms.rounded(10_000 * trade.volume, quote.previous_volume)),
        1890: _time(quote.open_time),
        1891: _time(quote.high_time),
        1892: _time(quote.low_time),
        1030: str(quote.sell_volume),
        1031: str(quote.buy_volume),
        1032: _share(quote.buy_volume, quote.sell_volume),
        1071: str(quote.sell_count),
        1072: str(quote.buy_count),
        1313: f"{sign * (price * size // 1000):+d}",
        1315: " 0" if bought else f"-{size}",
        1316: f"+{size}" if bought else " 0",
        1314: f"{sign * size:+d}",
        1497: str(price * _SHORT_MARGIN[0] // _SHORT_MARGIN[1]),
        1498: str(price * _SHORT_MAINTENANCE[0] // _SHORT_MAINTENANCE[1]),
        620: str(forms.rounded(trade.value, trade.volume)),
        732: str(price * _CFD_COST // PPM),
        852: str(price * _LOAN_COST // PPM),
        9081: "KRX",
    }


def quote(quote: Quote, instrument: Instrument, today: date) -> dict[int, str]:
    """주식시세: the prices of the day, told when they change without a trade."""
    return _day(quote.last, quote.volume, quote.value, instrument, quote, today) | {
        27: forms.price(quote.best_ask, quote.base_price),
        28: forms.price(quote.best_bid, quote.base_price),
    }


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
        1224: _time(found.ended),
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


def book(
    depth: Depth,
    before: Depth | None,
    quote: Quote,
    expected: tuple[int, int],
    auctioned: tuple[int, int],
    moment: datetime,
) -> dict[int, str]:
    """주식호가잔량: ten levels a side, and what changed since `before`.

    In an auction it says where that would trade; afterwards a part of it goes on to say where the last one has traded.
    """
    base, (price, quantity) = quote.base_price, expected if expected[0] else auctioned
    net = depth.total_bid - depth.total_ask
    values = dict(_blank_book())
    values[21] = forms.clock(moment)
    _side(values, (41, 61, 81, 6044), depth.asks, before.asks if before else None, base)
    _side(values, (51, 71, 91, 6054), depth.bids, before.bids if before else None, base)
    values[121] = str(depth.total_ask)
    values[122] = forms.delta(depth.total_ask - before.total_ask if before else 0)
    values[125] = str(depth.total_bid)
    values[126] = forms.delta(depth.total_bid - before.total_bid if before else 0)
    values[128] = forms.delta(net)
    values[129] = forms.decimal(100 * depth.total_bid, depth.total_ask)
    values[138] = forms.delta(-net)
    values[139] = forms.decimal(100 * depth.total_ask, depth.total_bid)
    values[13] = str(quote.volume)
    values[6064], values[6065] = values[121], values[125]
    if price:
        values[23], values[24] = forms.price(price, base), str(quantity)
        values[200], values[201] = forms.change(price - base), forms.percent(price - base, base)
        values[238] = forms.sign(price, base)
        if expected[0]:
            values[291], values[292], values[293] = values[23], values[24], values[238]
            values[294], values[295] = values[200], values[201]
        values[299] = forms.growth(quantity, quote.previous_volume)
    return values


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


def _day(price: int, volume: int, value: int, instrument: Instrument, quote: Quote, today: date) -> dict[int, str]:
    """What a trade and a quote both tell of the day so far."""
    base = quote.base_price
    return {
        **_moved(price, base),
        13: str(volume),
        14: str(forms.millions(value)),
        16: forms.price(quote.open, base),
        17: forms.price(quote.high, base),
        18: forms.price(quote.low, base),
        25: forms.sign(price, base, instrument.upper, instrument.lower),
        26: forms.change(volume - quote.previous_volume),
        29: forms.change(value - quote.previous_value),
        30: forms.growth(volume, quote.previous_volume),
        31: forms.decimal(100 * volume, instrument.shares),
        32: str(_cost(price, instrument.market, instrument.kind, today)),
        311: str(forms.market_value(instrument.shares, price)),
        567: "000000",
        568: "000000",
    }


def _moved(price: int, base: int) -> dict[int, str]:
    return {10: forms.price(price, base), 11: forms.change(price - base), 12: forms.percent(price - base, base)}


def _index(quote: SectorQuote) -> dict[int, str]:
    return {
        10: forms.index(quote.last, quote.base),
        11: forms.index_change(quote.change),
        12: forms.percent(quote.change, quote.base),
        25: forms.sign(quote.last, quote.base),
    }


def _side(
    values: dict[int, str],
    first: tuple[int, int, int, int],
    levels: Sequence[Level],
    before: Sequence[Level] | None,
    base: int,
) -> None:
    """Fill in the prices, quantities and changes of one side; a price that was not seen before has no change."""
    # This and what it calls is half of what a tick of the book costs: hence no calls of `forms` in here.
    price, quantity, change, own = first
    seen = {at: there for at, there, _ in before} if before else {}
    for at, there, _ in levels:
        values[price] = f"-{at}" if at < base else f"+{at}" if at > base else f" {at}"
        values[quantity] = values[own] = str(there)  # once for all venues, once for KRX, where all is
        moved = there - seen.get(at, there)
        if moved:
            values[change] = f"{moved:+d}"
        price, quantity, change, own = price + 1, quantity + 1, change + 1, own + 1


@cache
def _in_order(name: str) -> Callable[[Mapping[int, str]], tuple[str, ...]]:
    return itemgetter(*real_type(name).fids)


@cache
def _blank_book() -> dict[int, str]:
    """An empty book: levels that are not there read as -0, unused numbers as 0."""
    values = dict.fromkeys(real_type(BOOK).fids, "0")
    values |= dict.fromkeys((*range(41, 61), 23), "-0")
    values |= {200: " 0", 201: "0.00", 238: "3", 291: " 0", 293: "3", 294: " 0", 295: "0.00", 299: "0.00"}
    # Two lone blanks, as recorded.
    return values | {215: " ", 216: " "}


def _best(levels: Sequence[Level]) -> int:
    return levels[0].price if levels else 0


def _share(bought: int, sold: int) -> str:
    """매수비율: what part of the trades were buys, signed by whether they are the greater part."""
    text = forms.decimal(100 * bought, bought + sold)
    return f"{'+' if bought >= sold else '-'}{text}" if text.strip("0.") else text


def _time(moment: datetime | None) -> str:
    return forms.clock(moment) if moment else "000000"


def _cost(price: int, market: str, kind: str, today: date) -> int:
    """거래비용: buying and selling one share at the real server's rates, each part raised to a won."""
    commission, tax = _rates(market, kind, today)
    return 2 * _raised(price * commission) + _raised(price * tax)


def _raised(hundred_millionths: int) -> int:
    return -(-hundred_millionths // (100 * PPM))


@cache
def _rates(market: str, kind: str, today: date) -> tuple[int, int]:
    """Commission and tax in hundred-millionths."""
    return int(commission_rate("real") * PPM), int(sale_tax_rate(market, kind, today) * PPM)
