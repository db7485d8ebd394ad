"""One issue through its day, and day by day: trades, minutes, strength."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST
from koapy.simulation import forms
from koapy.simulation.figures.draws import draws
from koapy.simulation.history.aggregate import minutes_of
from koapy.simulation.model import Side
from koapy.simulation.tr.days import Day, daily, days
from koapy.simulation.tr.quotes import bar_row, strengths, trade_row
from koapy.simulation.tr.registry import Source, responder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Bar, Trade
    from koapy.simulation.tr.request import Answer, Request

SPANS = (5, 20, 60)
"""Minutes, or days, over which 체결강도 is averaged."""


@responder("opt10006")
def minutes(request: Request) -> Answer:
    """주식시분: today by the minute. 날짜 is the time of the minute."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    base = exchange.instruments[code].base_price
    found = exchange.today_minutes(code)
    page = request.page([int(bar.start.timestamp()) for bar in found])
    return request.answer(rows=[_minute_row(found[index], base) for index in page.indices], after=page.after)


def _minute_row(bar: Bar, base: int) -> dict[str, str]:
    return {
        "날짜": forms.clock(bar.start),
        **bar_row(bar, base),
        # Whether buyers or sellers came last is not kept by the minute.
        "체결강도": "0.00",
    }


@responder("opt10046")
def strength_by_time(request: Request) -> Answer:
    """체결강도추이시간별: with every trade, and averaged over those of the last 5, 20 and 60 minutes."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    done = exchange.trades(code)[::-1]
    values = strengths(exchange.quote(code), done)
    page = request.page([trade.volume for trade in done])
    rows = []
    for index in page.indices:
        trade = done[index]
        row = trade_row(trade, exchange.instruments[code], values[index])
        rows.append(
            row
            | {
                "체결시간": row["시간"],
                "전일대비기호": row["sign"],
                "등락율": row["대비율"],
                "거래량": row["체결거래량"],
                "누적거래대금": str(forms.millions(trade.value)),
                **{f"체결강도{span}분": _strength_since(done[: index + 1], span) for span in SPANS},
            }
        )
    return request.answer(rows=rows, after=page.after)


def _strength_since(done: Sequence[Trade], span: int) -> str:
    since = done[-1].time - timedelta(minutes=span)
    recent = done[bisect_left(done, since, key=lambda trade: trade.time) :]
    bought = sum(trade.quantity for trade in recent if trade.side is Side.BUY)
    return forms.strength(bought, sum(trade.quantity for trade in recent) - bought)


@responder("opt10047", source=Source.OWN)
def strength_by_day(request: Request) -> Answer:
    """체결강도추이일별: past days do not say who took whom, so theirs is the simulation's own. 분 stands for 일."""
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return request.answer()
    found = days(exchange, code)
    values = {each.number: _day_strength(exchange, each) for each in found}
    numbers = [each.number for each in found]

    def row(day: Day) -> dict[str, str]:
        place = bisect_left(numbers, day.number)
        means = {}
        for span in SPANS:
            last = [values[number] for number in numbers[max(place - span + 1, 0) : place + 1]]
            means[f"체결강도{span}분"] = forms.decimal(sum(last), 100 * len(last))
        return {
            "거래량": "",
            "누적거래량": str(day.bar.volume),
            "체결강도": forms.decimal(values[day.number], 100),
            **means,
        }

    return daily(request, row)


def _day_strength(exchange: Exchange, day: Day) -> int:
    """체결강도 of a day in hundredths; of today as it is."""
    if day.date == exchange.today:
        quote = exchange.quote(day.instrument.code)
        return forms.rounded(10_000 * quote.buy_volume, quote.sell_volume)
    return 8_000 + int(4_500 * draws("strength", day.instrument.code, day.date)[0])


@responder("opt10055")
def large_trades(request: Request) -> Answer:
    """당일전일체결대량: the trades of today or yesterday. Which of them are large the program decides."""
    rows, after = _trades(request)
    return request.answer(rows=rows, after=after)


@responder("opt10084")
def trades_or_minutes(request: Request) -> Answer:
    """당일전일체결: trades or minutes of today or yesterday, down from a time (HHMM)."""
    if request.choice("틱분", "0") == "1":
        rows, after = _minutes(request)
    else:
        rows, after = _trades(request)
    return request.answer(rows=rows, after=after)


def _day(request: Request) -> datetime:
    """Midnight of the day that is asked for: today's session, or the one before."""
    code, exchange = request.code(), request.exchange
    if request.choice("당일전일", "1") == "2" and exchange.recent(code, 1):
        return exchange.recent(code, 1)[-1].start
    return datetime(exchange.today.year, exchange.today.month, exchange.today.day, tzinfo=KST)


def _latest(request: Request, day: datetime) -> datetime:
    """Down from which moment."""
    at = request.date("시간")
    if at is None:
        return day + timedelta(days=1)
    return day + timedelta(hours=min(at // 100, 24), minutes=at % 100 + 1)


def _base(request: Request, day: datetime) -> int:
    """The reference price of the day that is asked for."""
    exchange, code = request.exchange, request.code()
    if day.date() >= exchange.today:
        return exchange.instruments[code].base_price
    past = exchange.recent(code, 2)
    return past[0].close if len(past) > 1 else past[0].open


def _trades(request: Request) -> tuple[list[dict[str, str]], int | None]:
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return [], None
    day = _day(request)
    latest = _latest(request, day)
    if day.date() < exchange.today:
        return _earlier_trades(request, day, latest)
    done = [trade for trade in exchange.trades(code)[::-1] if trade.time < latest]
    page = request.page([trade.volume for trade in done])
    values = strengths(exchange.quote(code), exchange.trades(code)[::-1])
    return [
        _traded(trade_row(done[index], exchange.instruments[code], values[index]), done[index].value)
        for index in page.indices
    ], page.after


def _traded(row: dict[str, str], value: int) -> dict[str, str]:
    """The row of a trade under the names that the two TRs have, with the day's amount in million won."""
    return row | {
        "체결시간": row["시간"],
        "체결가": row["현재가"],
        "전일대비기호": row["sign"],
        "등락율": row["대비율"],
        "체결량": row["체결거래량"],
        "누적거래대금": str(forms.millions(value)),
    }


def _earlier_trades(request: Request, day: datetime, latest: datetime) -> tuple[list[dict[str, str]], int | None]:
    """Trades of an earlier day, of which neither side nor book are known."""
    code, exchange = request.code(), request.exchange
    done = [tick for tick in exchange.ticks(code) if day <= tick.time < day + timedelta(days=1)]
    base, sums = _base(request, day), _running([(tick.quantity, tick.quantity * tick.price) for tick in done])
    kept = [place for place, tick in enumerate(done) if tick.time < latest]
    page = request.page([sums[place][0] for place in kept])
    rows = []
    for index in page.indices:
        tick, (volume, value) = done[kept[index]], sums[kept[index]]
        rows.append(_traded(_past_row(tick.time, tick.price, tick.quantity, base, volume), value))
    return rows, page.after


def _running(done: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Shares and won traded up to and with each of these."""
    volumes, values = zip(*done, strict=True) if done else ((), ())
    return list(zip(accumulate(volumes), accumulate(values), strict=True))


def _past_row(time: datetime, price: int, quantity: int, base: int, volume: int) -> dict[str, str]:
    """What is known of a trade or a minute of which neither side nor book are."""
    return {
        "시간": forms.clock(time),
        "현재가": forms.price(price, base),
        "전일대비": forms.change(price - base),
        "대비율": forms.percent(price - base, base),
        "체결거래량": str(quantity),
        "우선매도호가단위": "-0",
        "우선매수호가단위": "-0",
        "sign": forms.sign(price, base),
        "체결강도": "0.00",
        "누적거래량": str(volume),
        "거래소구분": "KRX",
    }


def _minutes(request: Request) -> tuple[list[dict[str, str]], int | None]:
    code, exchange = request.code(), request.exchange
    if code not in exchange.instruments:
        return [], None
    day = _day(request)
    base, latest = _base(request, day), _latest(request, day)
    found = [bar for bar in exchange.minutes(code) if day <= bar.start < latest and bar.start.date() == day.date()]
    sums = _running([(bar.volume, bar.value) for bar in found])
    page = request.page([int(bar.start.timestamp()) for bar in found])
    return [_minute_trade(found[index], base, sums[index]) for index in page.indices], page.after


def _minute_trade(bar: Bar, base: int, so_far: tuple[int, int]) -> dict[str, str]:
    volume, value = so_far
    row = _past_row(bar.start, bar.close, bar.volume, base, volume)
    return row | {"누적거래대금": str(forms.millions(value))}


@responder("opt10071")
def share_of_yesterday(request: Request) -> Answer:
    """시간대별전일비거래비중: each stretch of today, and the day up to it, in percent of yesterday's volume."""
    code, exchange = request.code(), request.exchange
    span = int(request.choice("시간구분", "1"))
    if code not in exchange.instruments:
        return request.answer()
    base, whole = exchange.instruments[code].base_price, exchange.quote(code).previous_volume
    found = minutes_of(exchange.today_minutes(code), span)
    sums = _running([(bar.volume, bar.value) for bar in found])
    page = request.page([int(bar.start.timestamp()) for bar in found])
    rows = []
    for index in page.indices:
        row = _minute_trade(found[index], base, sums[index])
        rows.append(
            row
            | {
                "대비기호": row["sign"],
                "순간비율": forms.percent(found[index].volume, whole),
                "누적비율": forms.percent(sums[index][0], whole),
            }
        )
    return request.answer(rows=rows, after=page.after)


@responder("opt10015")
def trading_by_day(request: Request) -> Answer:
    """일별거래상세: everything was traded in the regular session. Who traded is blank, as recorded."""
    newest = request.date("시작일자")

    def row(day: Day) -> dict[str, str]:
        volume, value = str(day.bar.volume), str(forms.millions(day.bar.value))
        return {
            "장전거래량": "0",
            "장전거래비중": "0.00",
            "장중거래량": volume,
            "장중거래비중": "+100.00",
            "장후거래량": "0",
            "장후거래비중": "0.00",
            "합계3": volume,
            "기간중거래량": volume,
            "장전거래대금": "0",
            "장전거래대금비중": "0.00",
            "장중거래대금": value,
            "장중거래대금비중": "+100.00",
            "장후거래대금": "0",
            "장후거래대금비중": "0.00",
        } | dict.fromkeys(("외인보유", "외인비중", "외인순매수", "기관순매수", "개인순매수", "외국계"), "")

    return daily(request, row, newest=newest)
