"""Futures and options through the day and day by day: trades, books, charts, sensitivities, volatilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.chain import INDEX, futures
from koapy.simulation.figures.contract import Kind
from koapy.simulation.history.aggregate import merge, monthly, weekly, yearly
from koapy.simulation.model import Bar
from koapy.simulation.tr.contract_words import DERIVED, MOMENT
from koapy.simulation.tr.contracts import asked, contracts, front
from koapy.simulation.tr.days import day_number
from koapy.simulation.tr.derived import Derived, Step, historical, steps
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.vocabulary import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from koapy.simulation.tr.request import Answer, Request


def _single(request: Request, it: Derived) -> dict[str, str]:
    return spoken(request.tr.single, DERIVED, it)


@responder("opt50005", "opt50006", source=Source.OWN)
def trades(request: Request) -> Answer:
    """선옵시간별거래량, 선옵체결추이: today, newest first."""
    return _moments(request, 1)


@responder("opt50009", "opt50010", "opt50011", source=Source.OWN)
def books(request: Request) -> Answer:
    """선옵시간별잔량, 선옵호가잔량추이."""
    request.label("시간단위")
    return _moments(request, max(request.number("시간단위"), 1))


@responder("opt50023", source=Source.OWN)
def sensitivities(request: Request) -> Answer:
    """민감도지표추이: by minutes."""
    return _moments(request, int(request.choice("시간구분", "1")), _greeks)


def _greeks(step: Step) -> Mapping[str, str]:
    contract, day = step.it.contract, step.it.day
    if contract.kind is Kind.FUTURE:
        return {"델타n": "1.0000", **dict.fromkeys(("감마n", "세타n", "베가n", "로n"), "0.0000")}
    found = contract.greeks(day, step.at.source)
    values = {"델타n": found.delta, "감마n": found.gamma, "세타n": found.theta, "베가n": found.vega, "로n": found.rho}
    return {name: forms.decimal(round(10_000 * value), 10_000, 4) for name, value in values.items()}


def _moments(request: Request, length: int, extra: Callable[[Step], Mapping[str, str]] | None = None) -> Answer:
    """Answer with moments of today, the last one of every so many minutes, newest first."""
    it = asked(request)
    if it is None:
        return request.answer()
    rows = []
    for step in reversed(_thinned(steps(it), length)):
        row = request.row(MOMENT, step)
        rows.append(row | dict(extra(step)) if extra else row)
    return request.listed(rows, _single(request, it))


def _thinned(found: Sequence[Step], length: int) -> list[Step]:
    """The last step of every so many minutes, all of them for 1."""
    if length <= 1:
        return list(found)
    return list({(step.at.time.hour * 60 + step.at.time.minute) // length: step for step in found}.values())


@responder("opt50007", "opt50016", "opt50017", source=Source.OWN)
def minutes_with_basis(request: Request) -> Answer:
    """선물시세추이, 베이시스추이차트: by minutes."""
    it, length = asked(request), int(request.choice("시간단위", "1"))
    if it is None:
        return request.answer()
    last = {_slot(step, length): step for step in steps(it)}
    rows = []
    for bar in reversed(it.minutes(length)):
        step = last[bar.start.hour * 60 + bar.start.minute]
        row = request.row(MOMENT, step) | {"거래량": str(bar.volume), "체결량": str(bar.volume)}
        prices = (("시가", bar.open), ("고가", bar.high), ("저가", bar.low))
        row |= {name + tail: it.write(value) for name, value in prices for tail in ("", "n")}
        rows.append(row | {"체결시간": forms.clock(bar.start)})
    return request.listed(rows, _single(request, it))


def _slot(step: Step, length: int) -> int:
    return (step.at.time.hour * 60 + step.at.time.minute) // length * length


def _chart_row(it: Derived, bar: Bar, time: str) -> dict[str, str]:
    prices = {"현재가": bar.close, "시가": bar.open, "고가": bar.high, "저가": bar.low}
    return {
        **{name: it.write(value) for name, value in prices.items()},
        "거래량": str(bar.volume),
        "누적거래량": str(bar.volume),
        "체결시간": time,
        "일자": time,
    }


@responder("opt50028", "opt50066", source=Source.OWN)
def tick_chart(request: Request) -> Answer:
    """선물, 옵션틱차트: of so many moments each."""
    it, length = asked(request), int(request.choice("시간단위", "1"))
    if it is None:
        return request.answer()
    found = steps(it)
    groups = [found[start : start + length] for start in range(0, len(found), length)]
    bars = [merge([_as_bar(step) for step in group]) for group in groups]
    rows = [_chart_row(it, bar, forms.moment(bar.start)) for bar in reversed(bars)]
    return request.listed(rows, {"종목코드": it.contract.code})


def _as_bar(step: Step) -> Bar:
    return Bar(step.at.time, *(step.at.level,) * 4, step.traded, 0)


@responder("opt50029", "opt50067", source=Source.OWN)
def minute_chart(request: Request) -> Answer:
    """선물옵션, 옵션분차트: a week, and today."""
    it, length = asked(request), int(request.choice("시간단위", "1"))
    if it is None:
        return request.answer()
    bars = [*it.past_minutes(length), *it.minutes(length)]
    page = request.page([int(bar.start.timestamp()) for bar in bars])
    rows = [_chart_row(it, bars[index], forms.moment(bars[index].start)) for index in page.indices]
    return request.answer(rows=rows, after=page.after)


@responder("opt50030", "opt50068", source=Source.OWN)
def day_chart(request: Request) -> Answer:
    """선물옵션, 옵션일차트: as far back as a contract is listed."""
    return _dated(request, list)


@responder("opt50071", source=Source.OWN)
def week_chart(request: Request) -> Answer:
    """선물주차트."""
    return _dated(request, weekly)


@responder("opt50072", source=Source.OWN)
def month_chart(request: Request) -> Answer:
    """선물월차트."""
    return _dated(request, monthly)


@responder("opt50073", source=Source.OWN)
def year_chart(request: Request) -> Answer:
    """선물년차트."""
    return _dated(request, yearly)


def _dated(request: Request, group: Callable[[Iterable[Bar]], list[Bar]]) -> Answer:
    it, newest = asked(request), request.date("기준일자")
    if it is None:
        return request.answer()
    bars = group(it.days())
    page = request.page([day_number(bar.start.date()) for bar in bars], newest=newest)
    rows = [_chart_row(it, bars[index], forms.day(bars[index].start)) for index in page.indices]
    return request.answer(rows=rows, after=page.after)


@responder("opt50002", source=Source.OWN)
def days(request: Request) -> Answer:
    """선옵일자별체결."""
    it = asked(request)
    if it is None:
        return request.answer()
    bars = it.days()
    rows = []
    for place in range(len(bars) - 1, -1, -1):
        bar, base = bars[place], bars[place - 1].close if place else bars[place].open
        rows.append(
            {
                "체결일자": forms.day(bar.start),
                "현재가n": forms.index(bar.close, base) if it.contract.scale > 1 else forms.price(bar.close, base),
                "대비기호n": forms.sign(bar.close, base),
                "전일대비n": it.moved(bar.close - base),
                "등락율n": forms.percent(bar.close - base, base),
                "거래량": str(bar.volume),
                "시가": it.write(bar.open),
                "고가": it.write(bar.high),
                "저가": it.write(bar.low),
                "미결제약정": str(it.contract.open_interest(bar.start.date())),
            }
        )
    return request.listed(rows, _single(request, it))


@responder("opt50034", source=Source.OWN)
def closes(request: Request) -> Answer:
    """선옵전일가격: the closes of the last days."""
    it, count = asked(request), int(request.choice("기간", "5"))
    if it is None:
        return request.answer()
    bars = [bar for bar in it.days(count) if bar.start.date() < it.day]
    return request.listed([{"현재가": it.write(bar.close), "체결시간": forms.day(bar.start)} for bar in reversed(bars)])


@responder("opt50015", "opt50063", source=Source.OWN)
def open_interest_by_day(request: Request) -> Answer:
    """선물, 옵션미결제약정일차트."""
    it = asked(request)
    request.date("시간단위")
    if it is None:
        return request.answer()
    bars, rows, before = it.days(), [], None
    for bar in bars:
        now = it.contract.open_interest(bar.start.date())
        change = now - before if before is not None else 0
        before = now
        rows.append(
            {
                "현재가": it.write(bar.close),
                "체결시간": forms.day(bar.start),
                "미결제약정": str(now),
                "미결제증감": forms.delta(change),
            }
        )
    return request.listed(rows[::-1], _single(request, it))


@responder("opt50062", "opt50064", source=Source.OWN)
def open_interest_by_minute(request: Request) -> Answer:
    """선물, 옵션미결제약정분차트."""
    request.label("시간단위")
    return _moments(request, max(request.number("시간단위"), 1))


@responder("opt50012", source=Source.OWN)
def time_spread(request: Request) -> Answer:
    """선옵타임스프레드차트: the next expiry less the one that is asked for, or the nearest."""
    it = asked(request) or front(request.exchange)
    length = request.number("시간단위")
    request.label("시간단위")
    if it is None:
        return request.answer()
    quarterly = futures(request.exchange.today)
    place = next((place for place, each in enumerate(quarterly) if each == it.contract), 0)
    following = Derived(request.exchange, quarterly[min(place + 1, len(quarterly) - 1)])
    rows = [
        {"현재가": it.plain(following.at(step.at.source) - step.at.level), "체결시간": forms.clock(step.at.time)}
        for step in reversed(_thinned(steps(it), length))
    ]
    return request.listed(rows)


@responder("opt50013", source=Source.OWN)
def volumes(request: Request) -> Answer:
    """선물가격대별비중차트: the last minutes, as many as 봉갯수."""
    it, count = asked(request), max(request.number("봉갯수", 100), 1)
    if it is None:
        return request.answer()
    return request.listed([_chart_row(it, bar, forms.clock(bar.start)) for bar in it.minutes(1)[-count:][::-1]])


@responder("opt50014", source=Source.OWN)
def volume_by_price(request: Request) -> Answer:
    """선물가격대별비중차트: what was traded at each price in the last minutes, as many as 봉갯수."""
    it, count = asked(request), max(request.number("봉갯수", 100), 1)
    if it is None:
        return request.answer()
    sums: dict[int, int] = {}
    for bar in it.minutes(1)[-count:]:
        sums[bar.close] = sums.get(bar.close, 0) + bar.volume
    whole = sum(sums.values())
    rows = [
        {"구간구분": it.write(price), "거래량": str(volume), "비중": forms.decimal(100 * volume, whole)}
        for price, volume in sorted(sums.items(), reverse=True)
    ]
    return request.listed(rows, _single(request, it))


@responder("opt50018", source=Source.OWN)
def put_call_ratio(request: Request) -> Answer:
    """풋콜옵션비율차트: puts traded for a hundred calls, by minutes."""
    exchange, length = request.exchange, int(request.choice("시간단위", "1"))
    nearest = front(exchange)
    if nearest is None:
        return request.answer()
    listed = [each for each in contracts(exchange) if each.kind is not Kind.FUTURE]
    shares = {each.time: each.volume for each in nearest.underlying.moments()}
    rows = []
    for step in reversed(_thinned(steps(nearest), length)):
        calls, puts = (
            sum(each.volume(exchange.today, shares[step.at.time]) for each in listed if each.kind is kind)
            for kind in (Kind.CALL, Kind.PUT)
        )
        rows.append(request.row(MOMENT, step) | {"콜풋RATIO": forms.decimal(100 * puts, calls)})
    return request.listed(rows)


@responder("opt50024", "opt50025", source=Source.OWN)
def volatilities(request: Request) -> Answer:
    """일별, 시간별변동성분석그래프: what options imply, and what the index and its future did."""
    exchange = request.exchange
    spans = [max(request.number(f"역사적변동성{n}", 20 * n), 2) for n in (1, 2, 3)]
    count = max(request.number("기간", 20), 1)
    nearest = front(exchange)
    if nearest is None:
        return request.answer()
    index, future = nearest.underlying.past(400), nearest.days()
    calls, puts = (next(each for each in contracts(exchange) if each.kind is kind) for kind in (Kind.CALL, Kind.PUT))
    rows = []
    for place in range(1, min(count, len(index), len(future)) + 1):
        upto, bars = len(index) - place + 1, future[: len(future) - place + 1]
        day = index[upto - 1].start.date()
        row = {
            "일자": forms.day(index[upto - 1].start),
            **{f"역사적변동성{n}": historical(index[:upto], span) for n, span in enumerate(spans, 1)},
            **{f"선물역사적변동성{n}": historical(bars, span) for n, span in enumerate(spans, 1)},
        }
        for name, contract in (("콜", calls), ("풋", puts), ("대표", calls)):
            text = forms.decimal(round(10_000 * contract.volatility(day)), 100)
            row |= {f"{name}내재변동성": text, f"선물{name}내재변동성": text}
        rows.append(row)
    if request.tr.code == "opt50025":
        # Volatilities do not change through a day.
        rows = [rows[0] | {"체결시간": forms.clock(step.at.time)} for step in reversed(_thinned(steps(nearest), 10))]
    return request.listed(rows)


@responder("opt50035", "opt50036", source=Source.OWN)
def index_volatility(request: Request) -> Answer:
    """지수, 주요지수변동성차트: of KOSPI; of indices abroad nothing is known."""
    exchange, newest = request.exchange, request.date("기준일자")
    span = max(request.number("기간", 20), 2)
    groups: dict[str, Callable[[Iterable[Bar]], list[Bar]]] = {"0": list, "1": weekly, "2": monthly}
    group = groups[request.choice("차트구분", "0")]
    code = request.choice("종목코드", "001")
    if code not in exchange.sectors:
        return request.answer()
    today = exchange.sector_today_bar(code)
    bars = group([*exchange.sector_daily(code), *([today] if today else [])])
    # The date is a month in the catalogue's words, a day in its examples.
    keys = [day_number(bar.start.date()) for bar in bars]
    page = request.page(keys, newest=newest * 100 + 31 if newest and newest < 1_000_000 else newest)
    rows = []
    for place in page.indices:
        bar, base = bars[place], bars[place - 1].close if place else bars[place].open
        rows.append(
            {
                "일자": forms.day(bar.start),
                "현재가": forms.index(bar.close, base),
                "대비기호": forms.sign(bar.close, base),
                "전일대비": forms.index_change(bar.close - base),
                "등락율": forms.percent(bar.close - base, base),
                "시가": forms.index(bar.open, base),
                "고가": forms.index(bar.high, base),
                "저가": forms.index(bar.low, base),
                "누적거래": str(forms.thousands(bar.volume)),
                "거래량": str(forms.thousands(bar.volume)),
                "전일종가": forms.decimal(base, 100),
                "선물역사적변동성": historical(bars[: place + 1], span),
            }
        )
    return request.answer(rows=rows, after=page.after)


@responder("opt50037", source=Source.OWN)
def index_by_day(request: Request) -> Answer:
    """코스피200지수."""
    exchange, newest = request.exchange, request.date("기준일자")
    if INDEX not in exchange.sectors:
        return request.answer()
    today = exchange.sector_today_bar(INDEX)
    bars = [*exchange.sector_daily(INDEX), *([today] if today else [])]
    page = request.page([day_number(bar.start.date()) for bar in bars], newest=newest)
    rows = [
        {
            "일자": forms.day(bars[place].start),
            "코스피200": forms.index(bars[place].close, bars[place - 1].close if place else bars[place].open),
        }
        for place in page.indices
    ]
    return request.answer(rows=rows, after=page.after)
