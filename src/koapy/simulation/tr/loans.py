"""Shares on credit, on loan and sold short: figures of the simulation's own. Amounts are million won."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.loans import CREDIT_GROUPS, Loan, credit, lending, short_sold
from koapy.simulation.tr.days import LOOK_BACK, PAST, Day, daily, day_number, days, in_period, one_day
from koapy.simulation.tr.fundamentals import fundamentals
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.selection import selected
from koapy.simulation.tr.stocks import Stock, stocks

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from koapy.simulation.model import Instrument
    from koapy.simulation.tr.registry import Steps
    from koapy.simulation.tr.request import Answer, Request

NOTHING = Loan(0, 0, 0)
TOP = 10
"""Issues of opt10069."""


@responder("opt10013", source=Source.OWN)
def credit_by_day(request: Request) -> Answer:
    """신용매매동향: purchases on credit (융자). Nobody borrows shares of the broker (대주): its items are 0."""
    newest = request.date("일자")
    borrowed = request.choice("조회구분", "1") == "2"
    company = fundamentals(request.exchange, request.code()) if request.code() in request.exchange.instruments else None

    def row(day: Day) -> dict[str, str]:
        loan = credit(day.instrument, company.credit, day.date) if company and not borrowed else NOTHING
        return {
            "신규": str(loan.lent),
            "상환": str(loan.repaid),
            "잔고": str(loan.balance),
            "금액": str(forms.millions(loan.balance * day.bar.close)),
            "대비": str(loan.change),
            "공여율": forms.decimal(100 * loan.lent, day.bar.volume),
            "잔고율": forms.decimal(100 * loan.balance, day.instrument.shares),
        }

    return daily(request, row, newest=newest)


@responder("opt10014", source=Source.OWN)
def short_by_day(request: Request) -> Answer:
    """공매도추이."""
    first, last = request.period()
    oldest = None if request.choice("시간구분", "1") == "0" else first

    def row(day: Day) -> dict[str, str]:
        quantity, value = short_sold(day.instrument, day.bar)
        return {
            "종가": forms.price(day.bar.close, day.base),
            "거래량": str(day.bar.volume),
            "공매도량": str(quantity),
            "매매비중": forms.percent(quantity, day.bar.volume),
            "공매도거래대금": str(forms.rounded(value, 1000)),
            "공매도평균가": str(forms.rounded(value, quantity)),
        }

    return daily(request, row, newest=last, oldest=oldest)


def _lent(loan: Loan, close: int) -> dict[str, str]:
    return {
        "대차거래체결주수": str(loan.lent),
        "대차거래상환주수": str(loan.repaid),
        "대차거래증감": str(loan.change),
        "잔고주수": str(loan.balance),
        "잔고금액": str(forms.millions(loan.balance * close)),
    }


@responder("opt10067", "opt90012", source=Source.OWN, past=PAST)
def lent_on_day(request: Request) -> Answer:
    """대차거래내역: every issue of a market on a day, the largest balance first."""
    number = request.date("기준일자") or request.date("일자") or day_number(request.exchange.today)
    found = []
    for each in selected(request, list(stocks(request.exchange))):
        day = one_day(request.exchange, each.code, number)
        loan = lending(each.instrument, day.date) if day else NOTHING
        if day and loan.balance:
            found.append((loan, each, day))
    found.sort(key=lambda item: (-item[0].balance, item[1].code))
    return request.listed([_named(each.instrument) | _lent(loan, day.bar.close) for loan, each, day in found])


def _named(instrument: Instrument) -> dict[str, str]:
    return {"종목명": instrument.name, "종목코드": instrument.code}


@responder("opt20068", source=Source.OWN)
def lent_of_issue(request: Request) -> Answer:
    """대차거래추이(종목별)."""
    first, last = request.period()
    request.label("전체구분")
    return daily(
        request, lambda day: _lent(lending(day.instrument, day.date), day.bar.close), newest=last, oldest=first
    )


@responder("opt10068", source=Source.OWN, past=1)
def lent_by_day(request: Request) -> Steps:
    """대차거래추이: all issues together, by day."""
    first, last = request.period()
    first = first if request.text("시작일자") else 0
    request.label("전체구분")
    sums: dict[int, tuple[Loan, int]] = {}
    for each in stocks(request.exchange):
        yield
        for day in days(request.exchange, each.code, LOOK_BACK):
            if first <= day.number <= last:
                loan = lending(each.instrument, day.date)
                whole, value = sums.get(day.number, (NOTHING, 0))
                sums[day.number] = whole + loan, value + loan.balance * day.bar.close
    rows = []
    for number, (loan, value) in sorted(sums.items(), reverse=True):
        rows.append({"일자": str(number), **_lent(loan, 0), "잔고금액": str(forms.millions(value))})
    return request.listed(rows)


def _of_period(request: Request) -> Generator[None, None, list[tuple[Loan, int, Instrument]]]:
    """What was lent of each issue in the period, with the balance at its end and that in won; most lent first."""
    first, last = request.period()
    found = []
    for each in selected(request, list(stocks(request.exchange))):
        yield
        stretch = in_period(request.exchange, each.code, first, last)
        if stretch:
            loans = [lending(each.instrument, day.date) for day in stretch]
            loan = Loan(sum(one.lent for one in loans), sum(one.repaid for one in loans), loans[-1].balance)
            found.append((loan, loan.balance * stretch[-1].bar.close, each.instrument))
    found.sort(key=lambda item: (-item[0].lent, item[2].code))
    return [item for item in found if item[0].lent]


def _sums(found: Iterable[tuple[Loan, int, Instrument]]) -> tuple[int, int, int, int]:
    known = list(found)
    return (
        sum(loan.lent for loan, _, _ in known),
        sum(loan.repaid for loan, _, _ in known),
        sum(loan.balance for loan, _, _ in known),
        sum(forms.millions(value) for _, value, _ in known),
    )


def _sums_and_parts(found: Sequence[tuple[Loan, int, Instrument]]) -> list[str]:
    """The sums of the ten most lent issues, and what part of the market they are in hundredths of a percent."""
    sums = _sums(found[:TOP])
    parts = map(forms.rounded, (10_000 * each for each in sums), _sums(found))
    return [str(each) for each in (*sums, *parts)]


_SUMS = ("대차거래체결주수합", "대차거래상환주수합", "잔고주수합", "잔고금액합")
_PARTS = ("대차거래체결주수비율", "대차거래상환주수비율", "잔고주수비율", "잔고금액비율")


@responder("opt10069", source=Source.OWN, past=1)
def most_lent(request: Request) -> Steps:
    """대차거래상위10종목: with their sums, and what part of the market these are in hundredths of a percent."""
    found = yield from _of_period(request)
    if not found:
        return request.answer()
    single = dict(zip((*_SUMS, *_PARTS), _sums_and_parts(found), strict=True))
    rows = [
        _named(instrument) | _lent(loan, 0) | {"잔고금액": str(forms.millions(value))}
        for loan, value, instrument in found[:TOP]
    ]
    return request.answer(single, rows)


@responder("opt99999", source=Source.OWN, past=1)
def most_lent_sums(request: Request) -> Steps:
    """대차거래상위10종목합계: the sums of opt10069, in one row."""
    found = yield from _of_period(request)
    if not found:
        return request.answer()
    return request.answer(rows=[{f"일자{place}": value for place, value in enumerate(_sums_and_parts(found), 1)}])


@responder("opw20016", source=Source.OWN)
def on_credit(request: Request) -> Answer:
    """신용융자 가능종목: what can be bought on credit, by code; the margin is the rate of its group."""
    group = request.choice("신용종목등급구분", "%")
    market = {"1": "KOSPI", "0": "KOSDAQ"}.get(request.choice("시장거래구분", "%"))
    funds = request.text("시장거래구분") == "2"
    code = request.code("종목번호")
    found = []
    for each in stocks(request.exchange):
        percent = request.exchange.margin(each.code)
        if (
            percent in CREDIT_GROUPS.values()
            and CREDIT_GROUPS.get(group, percent) == percent
            and (group == "%" or group in CREDIT_GROUPS)
            and market in (None, each.instrument.market)
            and (not funds or each.instrument.kind == "etf")
            and code in ("", each.code)
        ):
            found.append((each, percent))
    rows = [
        {
            "종목코드": forms.account_code(each.code, each.instrument.kind),
            "종목명": each.instrument.name,
            "신용보즘금율": f"{guarantee_percent(percent)}%",
            "대용가": forms.padded(collateral(each), 12),
            "전일종가": forms.padded(each.base, 12),
            "신용한도초과여부": "N",
        }
        for each, percent in found
    ]
    possible = (_POSSIBLE if rows else _IMPOSSIBLE) if code else ""
    return request.answer({"신용융자가능여부": possible, "출력건수": forms.padded(len(rows), 4)}, rows)


@responder("opw20017", source=Source.OWN)
def on_credit_of_issue(request: Request) -> Answer:
    """신용융자 가능문의."""
    code = request.code()
    if code not in request.exchange.instruments:
        return request.answer()
    percent = request.exchange.margin(code)
    return request.answer({"신용가능여부": _POSSIBLE if percent in CREDIT_GROUPS.values() else _IMPOSSIBLE})


_POSSIBLE, _IMPOSSIBLE = "신용융자 가능", "신용융자 불가"


def guarantee_percent(margin: int) -> int:
    """Return 신용보증금율 of a margin rate."""
    return {20: 45, 40: 50}.get(margin, 60)


def collateral(stock: Stock) -> int:
    """Return 대용가."""
    return stock.base * 8 // 100 * 10
