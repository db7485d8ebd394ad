"""What the FIDs say of an issue's day, and lists of days."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.investors import day_flows, flow_of
from koapy.simulation.figures.loans import credit_rate
from koapy.simulation.figures.programs import programs
from koapy.simulation.tr.fundamentals import fundamentals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.figures.investors import Flow, Flows, Investor
    from koapy.simulation.figures.programs import Programs
    from koapy.simulation.model import Bar, Instrument
    from koapy.simulation.tr.request import Answer, Request
    from koapy.simulation.tr.vocabulary import Words


class Day:
    """One day of an issue."""

    __slots__ = ("bar", "base", "exchange", "instrument")

    def __init__(self, exchange: Exchange, instrument: Instrument, bar: Bar, base: int) -> None:
        self.exchange = exchange
        self.instrument = instrument
        self.bar = bar
        self.base = base
        """The close before, or the day's own open where none is known."""

    @property
    def date(self) -> date:
        """The day."""
        return self.bar.start.date()

    @property
    def number(self) -> int:
        """The day as the number YYYYMMDD."""
        return day_number(self.date)

    @property
    def change(self) -> int:
        """Of the close against the close before."""
        return self.bar.close - self.base

    @property
    def flows(self) -> Flows:
        """Who traded."""
        return day_flows(self.instrument, self.bar)

    def done_by(self, *kinds: Investor) -> Flow:
        """What some kinds of investors did together: `flows.of(*kinds)`, without the others."""
        return flow_of(kinds, self.instrument, self.bar)

    @property
    def programs(self) -> Programs:
        """What programs did."""
        return programs(self.instrument, self.date, self.bar.volume, self.bar.value)

    @property
    def credit_rate(self) -> int:
        """신용비율 in hundredths of a percent."""
        company = fundamentals(self.exchange, self.instrument.code)
        return credit_rate(self.instrument.code, company.credit, self.date) if company else 0


def day_number(day: date) -> int:
    """Return a date as the number YYYYMMDD."""
    return day.year * 10000 + day.month * 100 + day.day


def bars(exchange: Exchange, code: str, count: int | None = None) -> list[Bar]:
    """Return the daily bars of a code, oldest first; today's comes last once it has traded.

    Args: count: of the newest ones; all by default.
    """
    today = exchange.today_bar(code)
    if count is None:
        return [*exchange.daily(code), *([today] if today else [])]
    before = count - (today is not None)
    return [*(exchange.recent(code, before) if before > 0 else ()), *([today] if today else [])]


def days(exchange: Exchange, code: str, count: int | None = None) -> list[Day]:
    """Return the days of a code, as `bars`."""
    found = bars(exchange, code, None if count is None else count + 1)
    instrument = exchange.instruments[code]
    made = [
        Day(exchange, instrument, bar, found[place - 1].close if place else bar.open) for place, bar in enumerate(found)
    ]
    return made if count is None else made[-count:]


LOOK_BACK = 60
"""Trading days that a period over the whole market reaches back at most."""
PAST = LOOK_BACK + 1
"""Bars that those need: the first day is told against the one before it."""


def in_period(exchange: Exchange, code: str, first: int, last: int) -> list[Day]:
    """Return the days of a code from first to last (YYYYMMDD), both included, of the last 60."""
    found = days(exchange, code, LOOK_BACK)
    return [each for each in found if first <= each.number <= last]


def one_day(exchange: Exchange, code: str, number: int) -> Day | None:
    """Return one of the last 60 days (YYYYMMDD) of a code, None when it did not trade then."""
    found = days(exchange, code, 1) if number == day_number(exchange.today) else days(exchange, code, LOOK_BACK)
    place = bisect_left(found, number, key=lambda each: each.number)
    return found[place] if place < len(found) and found[place].number == number else None


def daily(
    request: Request,
    row: Callable[[Day], Mapping[str, str]],
    *,
    newest: int | None = None,
    oldest: int | None = None,
    single: Mapping[str, str] | None = None,
    size: int | None = None,
) -> Answer:
    """Answer with the days of the code that is asked for, newest first; `row` adds to what the FIDs say."""
    code = request.code()
    if code not in request.exchange.instruments:
        return request.answer()
    found = days(request.exchange, code)
    page = request.page([each.number for each in found], newest=newest, oldest=oldest, size=size)
    rows = [request.row(DAY, found[index]) | dict(row(found[index])) for index in page.indices]
    return request.answer(single, rows, page.after)


DAY: Words[Day] = {
    9001: lambda it: it.instrument.code,
    302: lambda it: it.instrument.name,
    22: lambda it: forms.day(it.bar.start),
    10: lambda it: forms.price(it.bar.close, it.base),
    11: lambda it: forms.change(it.change),
    12: lambda it: forms.percent(it.change, it.base),
    25: lambda it: forms.sign(it.bar.close, it.base),
    13: lambda it: str(it.bar.volume),
    14: lambda it: str(forms.millions(it.bar.value)),
    16: lambda it: forms.price(it.bar.open, it.base),
    17: lambda it: forms.price(it.bar.high, it.base),
    18: lambda it: forms.price(it.bar.low, it.base),
    19: lambda it: str(it.bar.close),
    9081: lambda _: "KRX",
}
"""A day. 19, the other 종가, has no sign."""
