"""What an account had and did on days before today: as far as the exchange has seen them to their end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.openapi.calendar import next_trading_day
from koapy.openapi.market import sale_taxes
from koapy.simulation import forms
from koapy.simulation.tr.accounts import NO_SUCH_ACCOUNT, account_of, estimated_assets, filled, nothing_found
from koapy.simulation.tr.days import day_number
from koapy.simulation.tr.deposits import zeros
from koapy.simulation.tr.holdings import holdings
from koapy.simulation.tr.registry import responder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from koapy.simulation.model import Account, PastDay, Position
    from koapy.simulation.tr.accounts import Values
    from koapy.simulation.tr.request import Answer, Request


@dataclass(frozen=True, slots=True)
class Deal:
    """What was bought, or what was sold, of one issue on one day."""

    day: PastDay
    position: Position
    sale: bool

    @property
    def quantity(self) -> int:
        """Shares."""
        return self.position.sold_today if self.sale else self.position.bought_today

    @property
    def value(self) -> int:
        """Won, before fees and taxes."""
        return self.position.sold_value if self.sale else self.position.bought_value

    @property
    def fee(self) -> int:
        """Commission."""
        return self.position.sale_fees if self.sale else self.position.fees - self.position.sale_fees

    @property
    def tax(self) -> int:
        """Taxes of the sale."""
        return self.position.taxes if self.sale else 0

    @property
    def cash(self) -> int:
        """Won that it brings, or takes, when it is settled."""
        return self.position.earned if self.sale else self.position.spent

    @property
    def flow(self) -> int:
        """The same, negative where it takes it."""
        return self.cash if self.sale else -self.cash

    @property
    def price(self) -> int:
        """Of a share, on average."""
        return forms.rounded(self.value, self.quantity)


def deals(days: Sequence[PastDay]) -> list[Deal]:
    """Return all that was traded on some days, sales first."""
    return [
        Deal(day, each, sale)
        for day in days
        for each in day.positions
        for sale in (True, False)
        if (each.sold_today if sale else each.bought_today)
    ]


@responder("opw00002")
def assets_by_day(request: Request) -> Answer:
    """일별추정예탁자산현황: the end of each day, and today so far."""
    account = account_of(request)
    first, last = request.period("시작조회기간", "종료조회기간")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    exchange = request.exchange
    today = estimated_assets(account, holdings(request.world, account))
    known = [
        (each.day, each.deposit, each.loan, each.cash + each.value - each.loan)
        for each in exchange.past_days(account.number)
    ]
    known.append((exchange.today, account.deposit, sum(each.loan for each in account.loans), today))
    rows = [
        filled(request.tr.multi, _assets(day, deposit, loan, assets))
        for day, deposit, loan, assets in known
        if first <= day_number(day) <= last
    ]
    single = {"출력건수": forms.padded(len(rows), 4)}
    return request.answer(single, rows, message=nothing_found(request, rows))


def _assets(day: date, deposit: int, loan: int, assets: int) -> Values:
    return {
        "일자": forms.day(day),
        "예수금": deposit,
        "신용융자금": loan,
        "추정예탁자산": assets,
        "추정예탁자산수익증권제외": assets,
    }


@responder("opw00008")
def settled_tomorrow(request: Request) -> Answer:
    """계좌별익일결제예정내역: what was bought and sold on the day whose trades are settled on the next one."""
    account = account_of(request)
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    exchange = request.exchange
    following = next_trading_day(exchange.today)
    days = [each for each in exchange.past_days(account.number) if each.settles == following]
    found = [each for each in deals(days) if each.position.code in exchange.instruments]
    single: Values = {"매매일자": "", "결제일자": "", "매도정산합": "", "매수정산합": "", "조회건수": len(found)}
    if found:
        single |= {
            "매매일자": forms.day(found[0].day.day),
            "결제일자": forms.day(following),
            "매도정산합": sum(each.cash for each in found if each.sale),
            "매수정산합": sum(each.cash for each in found if not each.sale),
        }
    rows = [filled(request.tr.multi, _due(request, place, each)) for place, each in enumerate(found, 1)]
    return request.answer(filled(request.tr.single, single), rows, message=nothing_found(request, rows))


def _due(request: Request, place: int, each: Deal) -> Values:
    issue, position = request.exchange.instruments[each.position.code], each.position
    # Of the day's sum, where each order had its own cut to a won: what that leaves over is the other tax's.
    rural = sale_taxes(issue.market, issue.kind, each.value, each.day.day).get("농어촌특별세", 0) if each.sale else 0
    return {
        "일련번호": forms.padded(place, 7),
        "종목번호": forms.account_code(issue.code, issue.kind),
        "대출일": forms.day(position.loan_date) if position.loan_date else "",
        "수량": each.quantity,
        "약정금액": each.value,
        "수수료": each.fee,
        "농특세": min(rural, each.tax),
        "종목명": issue.name,
        "매도수구분": "매도" if each.sale else "매수",
        "단가": each.price,
        "정산금액": each.cash,
        "거래세": each.tax - min(rural, each.tax),
        "신용구분": _kind_name(position),
    }


def _kind_name(position: Position) -> str:
    return "자기융자" if position.loan_date else "보통매매"


_KINDS = {"0": (True, False), "3": (True, False), "4": (False,), "5": (True,)}
"""구분: sales or not; of money and shares that came or went otherwise there are none."""


@responder("opw00015")
def transactions(request: Request) -> Answer:
    """위탁종합거래내역: what was bought and sold, on the day on which it was settled, oldest first."""
    account = account_of(request)
    first, last = request.period()
    for name in ("상품구분", "고객정보제한여부", "원화대용입출금제외여부"):
        request.label(name)
    wanted, code = _KINDS.get(request.choice("구분", "0"), ()), request.code()
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    until = min(last, day_number(request.exchange.today))
    days = [each for each in request.exchange.past_days(account.number) if first <= day_number(each.settles) <= until]
    rows, number, balance = [], 0, 0
    for day in days:
        found = deals([day])
        balance = _deposit(request, account, day.settles) - sum(each.flow for each in found)
        for each in found:
            number, balance = number + 1, balance + each.flow
            issue = request.exchange.instruments.get(each.position.code)
            if issue is not None and each.sale in wanted and code in ("", issue.code):
                rows.append(filled(request.tr.multi, _transaction(request, number, each, balance)))
    single = {"계좌번호": account.number, "출력건수": forms.padded(len(rows), 4)}
    return request.answer(single, rows, message=nothing_found(request, rows))


def _deposit(request: Request, account: Account, settles: date) -> int:
    """Settled cash on a day."""
    past = {each.day: each.deposit for each in request.exchange.past_days(account.number)}
    return past.get(settles, account.deposit)


def _transaction(request: Request, number: int, each: Deal, balance: int) -> Values:
    issue = request.exchange.instruments[each.position.code]
    word = "매도" if each.sale else "매수"
    words = {field.name: "" for field in request.tr.multi if field.name.endswith(_WORDS)}
    foreign = {field.name: "0.00" for field in request.tr.multi if "(외)" in field.name}
    return {
        **words,
        **foreign,
        "거래일자": forms.day(each.day.settles),
        "거래번호": forms.padded(number, 9),
        "적요명": f"장내{word}",
        "신용거래구분명": _kind_name(each.position),
        "정산금액": each.cash,
        "예수금잔고": balance,
        "통화코드": "KRW",
        "거래종류구분": "9",
        "거래종류명": "매매",
        "종목명": issue.name,
        "거래금액": each.value,
        "거래및농특세": each.tax,
        "외화예수금잔고": "0.00",
        "매체구분명": "OpenAPI",
        "입출구분": "1" if each.sale else "2",
        "입출구분명": word,
        "원거래번호": forms.padded(0, 9),
        "종목코드": forms.account_code(issue.code, issue.kind),
        "거래수량/좌수": str(each.quantity),
        "수수료": each.fee,
        "유가금잔": "0",
        "처리시간": "08:00:00",
        "거래단가/환율": f"{each.price:,}",
        "대출일": forms.day(each.position.loan_date) if each.position.loan_date else "",
        "체결일": forms.day(each.day.day),
        "처리자": "DAILY",
        "과세기준가": "0.00",
        "세금수수료합": each.tax + each.fee,
        "거래내역구분": "11",
    }


_WORDS = ("미수(원/주)", "변제합", "변제합(외)", "코드", "거래소명", "출납번호", "처리점", "매매형태", "입금자")
"""Items that were blank in the example that there is."""


@responder("opw00016")
def returns(request: Request) -> Answer:
    """일별계좌수익률상세현황: from the first to the last day of a period."""
    account = account_of(request)
    first, last = request.period("평가시작일", "평가종료일")
    if account is None:
        return request.answer(message=NO_SUCH_ACCOUNT)
    values: Values = {"수익률": "0.00", "회전율": "0.00"}
    known = [*map(_end_of, request.exchange.past_days(account.number)), _now(request, account)]
    inside = [each for each in known if first <= each.number <= last]
    if inside:
        earlier = [each for each in known if each.number < first]
        values |= _returns(earlier[-1] if earlier else _morning(request, account), inside)
    return request.answer(zeros(request.tr.single, values))


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account had at a moment."""

    number: int
    """Of the day, YYYYMMDD."""
    cash: int
    value: int
    """Of its holdings."""
    loan: int
    turned: int = 0
    """Won that it had traded on that day."""

    @property
    def whole(self) -> int:
        """What is its own."""
        return self.cash + self.value - self.loan


def _end_of(day: PastDay) -> Standing:
    turned = sum(each.bought_value + each.sold_value for each in day.positions)
    return Standing(day_number(day.day), day.cash, day.value, day.loan, turned)


def _now(request: Request, account: Account) -> Standing:
    value = sum(each.value for each in holdings(request.world, account))
    loan = sum(each.loan for each in account.loans)
    return Standing(
        day_number(request.exchange.today), account.cash, value, loan, account.bought_value + account.sold_value
    )


def _morning(request: Request, account: Account) -> Standing:
    """The beginning of all that is known: this morning, or the end of the first day that was seen."""
    past, instruments = request.exchange.past_days(account.number), request.exchange.instruments
    if past:
        return _end_of(past[0])
    began = sum(each.previous_quantity * instruments[each.code].base_price for each in account.positions.values())
    return Standing(day_number(request.exchange.today), account.opening_cash, began, 0)


def _returns(before: Standing, days: Sequence[Standing]) -> Values:
    after = days[-1]
    turned = sum(each.turned for each in days)
    return {
        "예수금_초": before.cash,
        "예수금_말": after.cash,
        "유가증권평가금액_초": before.value,
        "유가증권평가금액_말": after.value,
        "신용융자금_초": before.loan,
        "신용융자금_말": after.loan,
        "순자산액계_초": before.whole,
        "순자산액계_말": after.whole,
        "투자원금평잔": before.whole,
        "평가손익": after.whole - before.whole,
        "수익률": forms.decimal(100 * (after.whole - before.whole), before.whole),
        "회전율": forms.decimal(100 * turned, before.whole),
    }
