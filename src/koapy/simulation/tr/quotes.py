"""Quotes of stocks: facts, trades, order book, daily history, watch lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.loans import credit_rate
from koapy.simulation.model import Side
from koapy.simulation.tr.days import bars as day_bars
from koapy.simulation.tr.days import day_number
from koapy.simulation.tr.fundamentals import fundamentals
from koapy.simulation.tr.registry import responder
from koapy.simulation.tr.request import plain_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Bar, Instrument, Level, Quote, Trade
    from koapy.simulation.tr.request import Answer, Request

YEAR = 250
"""Trading days, today included, of 250최고 and 250최저."""

_ASKS = ("매도최우선호가", *(f"매도{n}차선호가" for n in range(2, 11)))
_BIDS = ("매수최우선호가", *(f"매수{n}차선호가" for n in range(2, 11)))
_BIDS_10004 = tuple("매수6우선호가" if name == "매수6차선호가" else name for name in _BIDS)


@responder("opt10001")
def facts(request: Request) -> Answer:
    """주식기본정보: a single part of empty items for an unknown code."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    instrument, quote, bars = exchange.instruments[code], exchange.quote(code), day_bars(exchange, code)
    return request.answer(
        {
            "종목코드": code,
            "종목명": instrument.name,
            "상장주식": str(forms.thousands(instrument.shares)),
            "시가총액": str(forms.market_value(instrument.shares, quote.last)),
            "대용가": str(instrument.base_price * 8 // 100 * 10),
            **_prices(quote, instrument),
            "대비기호": _sign(quote, instrument),
            "전일대비": forms.change(quote.change),
            "등락율": forms.percent(quote.change, quote.base_price),
            "거래량": str(quote.volume),
            "거래대비": forms.growth(quote.volume, quote.previous_volume),
            **_expected(exchange, code, "예상체결가", "예상체결수량"),
            **_extremes(bars, quote, exchange.today.year),
            **_company(exchange, instrument, quote),
        }
    )


@responder("opt10003")
def trades(request: Request) -> Answer:
    """체결정보: today's trades, newest first."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    instrument, done = exchange.instruments[code], exchange.trades(code)[::-1]
    page = request.page([trade.volume for trade in done])
    values = strengths(exchange.quote(code), done)
    rows = [trade_row(done[index], instrument, values[index]) for index in page.indices]
    return request.answer(rows=rows, after=page.after)


@responder("opt10004")
def book(request: Request) -> Answer:
    """주식호가: one row. There is one venue, so its book is the whole, and the other venue's is empty."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    base, depth = exchange.instruments[code].base_price, exchange.depth(code)
    row = dict.fromkeys(request.tr.multi_names, "0")
    row |= {"호가잔량기준시간": forms.clock(request.world.now())}
    row |= _level_prices(_ASKS, depth.asks, base, "0") | _level_prices(_BIDS_10004, depth.bids, base, "0")
    for name, level in zip(_ASKS, depth.asks, strict=False):
        row[_quantity_name(name)] = str(level.quantity)
    for name, level in zip(_BIDS_10004, depth.bids, strict=False):
        row[_quantity_name(name)] = str(level.quantity)
    for side, levels in (("매도", depth.asks), ("매수", depth.bids)):
        row |= {f"KRX {side}호가잔량 {n}": str(level.quantity) for n, level in enumerate(levels, 1)}
    row |= {"총매도잔량": str(depth.total_ask), "KRX 매도호가총잔량": str(depth.total_ask)}
    row |= {"총매수잔량": str(depth.total_bid), "KRX 매수호가총잔량": str(depth.total_bid)}
    return request.answer(rows=[row])


@responder("opt10005")
def history(request: Request) -> Answer:
    """주식일주월시분: days, signed against the close before each; who bought is not known."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    bars = day_bars(exchange, code)
    page = request.page([day_number(bar.start) for bar in bars])
    return request.answer(
        rows=[_history_row(bars[index], bars[index - 1] if index else None) for index in page.indices], after=page.after
    )


@responder("opt10007")
def table(request: Request) -> Answer:
    """시세표성정보: one row."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    instrument, quote, depth = exchange.instruments[code], exchange.quote(code), exchange.depth(code)
    base, now = quote.base_price, request.world.now()
    sides = (("매도", depth.asks), ("매수", depth.bids))
    row = {f"{side}{n}호가{what}": "0" for side, _ in sides for n in range(1, 11) for what in ("", "잔량", "직전대비")}
    row |= {f"LP{side}{n}호가잔량": "0" for side, _ in sides for n in range(1, 11)}
    for side, levels in sides:
        row |= {f"{side}{n}호가": forms.price(level.price, base) for n, level in enumerate(levels, 1)}
        row |= {f"{side}{n}호가잔량": str(level.quantity) for n, level in enumerate(levels, 1)}
    row |= _prices(quote, instrument)
    if not quote.volume:
        row |= dict.fromkeys(("시가", "고가", "저가"), "0")
    row |= {
        "종목명": instrument.name,
        "종목코드": code,
        "날짜": forms.day(exchange.today),
        "시간": forms.clock(now),
        "전일종가": str(base),
        "전일거래량": str(quote.previous_volume),
        "전일거래대금": str(forms.millions(quote.previous_value)),
        "상장주식수": str(forms.thousands(instrument.shares)),
        "부호": _sign(quote, instrument),
        "등락률": forms.percent(quote.change, base),
        "전일비": forms.growth(quote.volume, quote.previous_volume),
        "거래량": str(quote.volume),
        "거래대금": str(forms.millions(quote.value)),
        **_expected(exchange, code, "예상체결가", "예상체결량"),
        "예상매도우선호가": "0",
        "예상매수우선호가": "0",
        "거래시작일": "00000000",
        "행사가격": "0",
        "총매수잔량": str(depth.total_bid),
        "총매도잔량": str(depth.total_ask),
        "총매도건수": "0",
    }
    return request.answer(rows=[row])


@responder("optkwfid")
def watched(request: Request) -> Answer:
    """관심종목정보: a row for each code, in the order of the request; an unknown code has an empty one."""
    codes = [plain_code(code) for code in request.text("종목코드").split(";") if code.strip()]
    known = request.exchange.instruments
    return request.answer(rows=[_watched_row(request, code) if code in known else {} for code in codes])


def _watched_row(request: Request, code: str) -> dict[str, str]:
    exchange = request.exchange
    instrument, quote, depth = exchange.instruments[code], exchange.quote(code), exchange.depth(code)
    base, last = quote.base_price, quote.last_trade
    company = fundamentals(exchange, code)
    foreign = instrument.kind == "foreign"
    row = _prices(quote, instrument) | {
        "종목코드": code,
        "종목명": instrument.name,
        "전일대비": forms.change(quote.change),
        "전일대비기호": _sign(quote, instrument),
        "등락율": forms.percent(quote.change, base),
        "거래량": str(quote.volume),
        "거래대금": str(forms.millions(quote.value)),
        "체결량": _signed_quantity(last) if last else "0",
        "체결강도": forms.strength(quote.buy_volume, quote.sell_volume),
        "전일거래량대비": forms.growth(quote.volume, quote.previous_volume),
        "매도호가": forms.price(quote.best_ask, base),
        "매수호가": forms.price(quote.best_bid, base),
        "종가": forms.price(quote.last, base),
        "체결시간": forms.clock(last.time) if last else "",
        "자본금": str(company.capital) if company else "0",
        "액면가": "0.00" if foreign or company is None else str(company.par),
        "시가총액": str(forms.market_value(instrument.shares, quote.last)),
        "주식수": str(forms.thousands(instrument.shares)),
        "호가시간": forms.clock(request.world.now()),
        "일자": forms.day(exchange.today),
        "우선매도잔량": str(depth.asks[0].quantity if depth.asks else 0),
        "우선매수잔량": str(depth.bids[0].quantity if depth.bids else 0),
        "총매도잔량": str(depth.total_ask),
        "총매수잔량": str(depth.total_bid),
        "총매도건수": "0",
    }
    row |= _opened_at(exchange, quote)
    row |= _level_prices([f"매도{n}차호가" for n in range(1, 6)], depth.asks, base)
    row |= _level_prices([f"매수{n}차호가" for n in range(1, 6)], depth.bids, base)
    row |= dict.fromkeys(("패리티", "기어링", "손익분기", "자본지지"), "0.00")
    return row | {"ELW행사가": "0", "전환비율": "0.0000", "ELW만기일": "00000000"}


def _prices(quote: Quote, instrument: Instrument) -> dict[str, str]:
    """Prices that most quotes have, signed against the reference price, which has no sign itself."""
    signed = {
        "현재가": quote.last,
        "시가": quote.open,
        "고가": quote.high,
        "저가": quote.low,
        "상한가": instrument.upper,
        "하한가": instrument.lower,
    }
    return {name: forms.price(value, quote.base_price) for name, value in signed.items()} | {
        "기준가": str(quote.base_price)
    }


def _sign(quote: Quote, instrument: Instrument) -> str:
    return forms.sign(quote.last, quote.base_price, instrument.upper, instrument.lower)


def _expected(exchange: Exchange, code: str, price: str, quantity: str) -> dict[str, str]:
    """What an auction would trade; "-0" and "0" outside of one."""
    at, shares = exchange.expected(code)
    return {price: forms.price(at, exchange.instruments[code].base_price), quantity: str(shares)}


def _opened_at(exchange: Exchange, quote: Quote) -> dict[str, str]:
    """예상체결가 and 예상체결량 of a watch list go on to tell the last auction once it is over."""
    price, quantity = exchange.expected(quote.code)
    if not price:
        price, quantity = exchange.auctioned(quote.code)
    return {"예상체결가": forms.price(price, quote.base_price), "예상체결량": str(quantity)}


def _extremes(bars: Sequence[Bar], quote: Quote, year: int) -> dict[str, str]:
    """Highs and lows of the calendar year and of 250 days, today's included."""
    base, last = quote.base_price, quote.last
    recent = bars[-YEAR:]
    if not recent:
        return {}
    this_year = [bar for bar in bars[-366:] if bar.start.year == year] or recent[-1:]
    high, low = max(recent, key=lambda bar: bar.high), min(recent, key=lambda bar: bar.low)
    return {
        "연중최고": forms.price(max(bar.high for bar in this_year), base),
        "연중최저": forms.price(min(bar.low for bar in this_year), base),
        "250최고": forms.price(high.high, base),
        "250최저": forms.price(low.low, base),
        "250최고가일": forms.day(high.start),
        "250최고가대비율": forms.percent(last - high.high, high.high),
        "250최저가일": forms.day(low.start),
        "250최저가대비율": forms.percent(last - low.low, low.low),
    }


def _company(exchange: Exchange, instrument: Instrument, quote: Quote) -> dict[str, str]:
    """Figures of the company, made up; nothing for funds."""
    company = fundamentals(exchange, instrument.code)
    if company is None:
        return {"자본금": "0", "액면가": "0", "액면가단위": "원"}
    return {
        "결산월": "12",
        "액면가": str(company.par) if company.par else "0.00",
        "자본금": str(company.capital),
        "신용비율": forms.rate(credit_rate(instrument.code, company.credit, exchange.today), 100),
        "외인소진률": forms.rate(company.foreign, 100),
        "PER": forms.decimal(quote.last, company.eps) if company.eps > 0 else "",
        "EPS": str(company.eps),
        "ROE": forms.decimal(100 * company.eps, company.bps, 1),
        "PBR": forms.decimal(quote.last, company.bps),
        "EV": forms.decimal(company.ev_ebitda, 100),
        "BPS": str(company.bps),
        "매출액": str(company.sales),
        "영업이익": str(company.operating),
        "당기순이익": str(company.net),
        "액면가단위": "원" if company.par else "",
        "유통주식": str(forms.rounded(forms.thousands(instrument.shares) * company.floating, 1000)),
        "유통비율": forms.decimal(company.floating, 10, 1),
    }


def strengths(quote: Quote, done: Sequence[Trade]) -> list[str]:
    """Return 체결강도 after each of the day's last trades, worked back from what the day has come to."""
    bought, sold = quote.buy_volume, quote.sell_volume
    values: list[str] = []
    for trade in reversed(done):
        values.append(forms.strength(bought, sold))
        if trade.side is Side.BUY:
            bought -= trade.quantity
        else:
            sold -= trade.quantity
    return values[::-1]


def trade_row(trade: Trade, instrument: Instrument, strength: str) -> dict[str, str]:
    """Write a trade of today as opt10003 does."""
    base = instrument.base_price
    return {
        "시간": forms.clock(trade.time),
        "현재가": forms.price(trade.price, base),
        "전일대비": forms.change(trade.price - base),
        "대비율": forms.percent(trade.price - base, base),
        "우선매도호가단위": forms.price(trade.best_ask, base),
        "우선매수호가단위": forms.price(trade.best_bid, base),
        "체결거래량": _signed_quantity(trade),
        "sign": forms.sign(trade.price, base, instrument.upper, instrument.lower),
        "누적거래량": str(trade.volume),
        "누적거래대금": str(trade.value),
        "체결강도": strength,
        "거래소구분": "KRX",
    }


def _signed_quantity(trade: Trade) -> str:
    return f"{'+' if trade.side is Side.BUY else '-'}{trade.quantity}"


def _history_row(bar: Bar, before: Bar | None) -> Mapping[str, str]:
    return {"날짜": forms.day(bar.start)} | bar_row(bar, before.close if before else bar.open)


def bar_row(bar: Bar, base: int) -> dict[str, str]:
    """A bar, as what is priced against a reference price; its time is the caller's."""
    return {
        "시가": forms.price(bar.open, base),
        "고가": forms.price(bar.high, base),
        "저가": forms.price(bar.low, base),
        "종가": forms.price(bar.close, base),
        "대비": forms.change(bar.close - base),
        "등락률": forms.percent(bar.close - base, base),
        "거래량": str(bar.volume),
        "거래대금": str(forms.millions(bar.value)),
    }


def _level_prices(names: Sequence[str], levels: Sequence[Level], base: int, missing: str = "-0") -> dict[str, str]:
    prices = [forms.price(level.price, base) for level in levels]
    return {name: prices[rank] if rank < len(prices) else missing for rank, name in enumerate(names)}


def _quantity_name(price_name: str) -> str:
    """Return the item of the quantity beside a price of opt10004, whose names are not all alike."""
    name = price_name.replace("호가", "잔량")
    return {"매도6차선잔량": "매도6우선잔량"}.get(name, name)
