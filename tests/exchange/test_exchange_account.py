"""When trades are settled, what a margin account may buy, and what credit costs."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from koapy.openapi.calendar import KST
from koapy.simulation import forms
from koapy.simulation.account import Ledger
from koapy.simulation.holding import Holding
from koapy.simulation.model import AccountSetup, Credit, OrderFilled, OrderKind, PositionChanged, Refusal, Refused, Side

BUY, SELL, LIMIT, MARKET = Side.BUY, Side.SELL, OrderKind.LIMIT, OrderKind.MARKET
SHARE, ETN = "001770", "530031"
HELD = {SHARE: 100}
FRIDAY = datetime(2026, 11, 20, 15, 19, tzinfo=KST)
TO_MONDAY = 63 * 3600  # hardly any trading on the way
DAY = 86_400


def test_what_a_share_cost_is_rounded_and_its_profit_exact():
    # As recorded on the real server: five shares at 808.6 on average, one of them sold at 805.
    held = Holding()
    held.buy(5, 4043, 0, 0)
    held.bound = 1
    assert (held.average, held.sell(1, 805, 0, 2, 0)) == (809, -6)
    position = held.position((SHARE, None), FRIDAY.date())
    assert (position.average, position.cost, position.realised) == (809, 3234, -6)
    assert forms.decimal(100 * position.profit, position.sold_cost) == "-0.69"


def deposits(account):
    return account.deposit, account.deposit_next, account.cash


@pytest.fixture
def open_account(new_floor):
    """Make exchanges late on a Friday, with one account."""

    def make(cash=10_000_000, holdings=HELD, *, margin=False):
        account = AccountSetup("8000000011", cash, holdings, margin)
        return new_floor(FRIDAY, hours="krx", codes=(SHARE, ETN), server="real", accounts=[account])

    return make


@pytest.fixture
def floor(open_account):
    return open_account()


def test_trades_are_settled_on_the_second_trading_day_after_them(floor):
    exchange, number = floor.exchange, floor.account
    start = exchange.account(number).cash
    assert deposits(exchange.account(number)) == (start, start, start)
    exchange.place(number, SHARE, BUY, MARKET, 0, 10)
    friday = exchange.account(number).cash
    assert friday < start
    assert deposits(exchange.account(number)) == (start, start, friday)
    floor.clock.advance(DAY)  # a weekend settles nothing
    assert deposits(exchange.account(number)) == (start, start, friday)
    floor.clock.advance(TO_MONDAY - DAY + 3 * 3600)
    assert exchange.today == date(2026, 11, 23)
    assert deposits(exchange.account(number)) == (start, friday, friday)
    exchange.place(number, SHARE, SELL, MARKET, 0, 10)
    monday = exchange.account(number).cash
    assert deposits(exchange.account(number)) == (start, friday, monday)
    assert exchange.account(number).withdrawable == friday
    floor.clock.advance(DAY - 3 * 3600)
    assert deposits(exchange.account(number)) == (friday, monday, monday)


def test_the_sale_of_the_same_day_can_be_spent_but_not_withdrawn(open_account):
    floor = open_account(cash=0)
    floor.exchange.place(floor.account, SHARE, SELL, MARKET, 0, 10)
    account = floor.exchange.account(floor.account)
    assert account.orderable_cash == account.cash > 0
    assert account.withdrawable == account.deposit == 0


def test_margin_rates_are_of_the_issue(floor):
    assert [floor.exchange.margin(code) for code in (SHARE, ETN)] == [20, 100]


def test_a_margin_account_buys_with_a_part(open_account):
    cash, margin = open_account(), open_account(margin=True)
    most = margin.exchange.max_quantity(margin.account, SHARE, BUY, MARKET, 0)
    upper = margin.exchange.instruments[SHARE].upper
    assert most == pytest.approx(10_000_000 / (0.20015 * upper), abs=1)
    assert most > 4 * cash.exchange.max_quantity(cash.account, SHARE, BUY, MARKET, 0)
    with pytest.raises(Refused) as refused:
        margin.exchange.place(margin.account, SHARE, BUY, MARKET, 0, most + 1)
    assert refused.value.reason is Refusal.NO_CASH
    margin.exchange.place(margin.account, SHARE, BUY, MARKET, 0, most)
    account = margin.exchange.account(margin.account)
    assert account.orderable_cash >= 0
    filled = account.bought_value
    assert filled > 0
    assert filled * 0.8 - 100 <= account.carried <= filled * 0.8


def test_what_was_bought_on_margin_and_sold_again_carries_nothing(open_account):
    floor = open_account(margin=True)
    floor.exchange.place(floor.account, SHARE, BUY, MARKET, 0, 30)
    assert floor.exchange.account(floor.account).carried > 0
    floor.exchange.place(floor.account, SHARE, SELL, MARKET, 0, 130)
    account = floor.exchange.account(floor.account)
    assert account.carried == 0
    assert account.orderable_cash == account.cash


class Tariff:
    def commission(self, value):
        return value // 1000

    def sale_tax(self, code, value):
        return value // 500

    def margin(self, code):
        return 20


def days(first):
    return date(2026, 11, first), date(2026, 11, first + 1)


def ledger(cash=1_000_000, *, margin=False):
    return Ledger("1", cash, {}, Tariff(), margin=margin, today=date(2026, 11, 9), settles=days(10))


def test_a_margin_account_owes_the_rest_when_it_is_due():
    own = ledger(margin=True)
    own.bought("A", 300, 3_000_000, 3_000, None)
    account = own.account()
    assert (account.cash, account.carried, account.orderable_cash) == (-2_003_000, 2_400_000, 397_000)
    own.start_day(date(2026, 11, 10), days(11), {})
    assert own.account().carried == 2_400_000
    own.start_day(date(2026, 11, 11), days(12), {})
    assert (own.account().deposit, own.account().carried) == (-2_003_000, 0)
    with pytest.raises(Refused):
        own.check_cash(1, 1, 20)


def test_interest_is_taken_by_days():
    own = ledger()
    taken = date(2026, 11, 9)
    own.bought("A", 100, 1_000_000, 1_000, Credit())
    assert (own.account().cash, own.account().loans[0].loan) == (549_000, 550_000)
    own.start_day(date(2026, 11, 19), days(20), {})
    assert own.account().loans[0].interest == 550_000 * 9 * 10 // 36_500
    own.bind(("A", taken), 100)
    profit = own.sold(("A", taken), 100, 1_100_000, 1_100, 2_200)
    assert profit == 100_000 - 1_100 - 2_200 - 1_356
    assert own.account().cash == 549_000 + 1_100_000 - 1_100 - 2_200 - 550_000 - 1_356


def test_a_buy_on_credit_takes_a_loan(floor):
    before = floor.exchange.account(floor.account)
    order = floor.exchange.place(floor.account, SHARE, BUY, MARKET, 0, 10, Credit())
    floor.clock.advance(0)
    account, filled = floor.exchange.account(floor.account), floor.exchange.order(order.number)
    (loan,) = account.loans
    assert (loan.code, loan.quantity, loan.loan_date) == (SHARE, 10, floor.exchange.today)
    assert 0.549 * filled.filled_value <= loan.loan <= 0.55 * filled.filled_value
    assert account.cash == before.cash - filled.filled_value + loan.loan - filled.fee
    assert account.positions[SHARE] == before.positions[SHARE]
    assert floor.told(OrderFilled)[-1].position == loan
    assert account.reserved == 0


def test_loans_are_paid_back_in_the_order_in_which_they_were_taken(floor):
    exchange, number = floor.exchange, floor.account
    first = exchange.today
    exchange.place(number, SHARE, BUY, MARKET, 0, 5, Credit())
    floor.clock.advance(TO_MONDAY + 3 * 3600)
    exchange.place(number, SHARE, BUY, MARKET, 0, 5, Credit())
    assert [each.loan_date for each in exchange.account(number).loans] == [first, exchange.today]
    price = exchange.instruments[SHARE].upper
    order = exchange.place(number, SHARE, SELL, LIMIT, price, 7, Credit())
    assert [each.orderable for each in exchange.account(number).loans] == [0, 3]
    floor.events.clear()
    exchange.cancel(number, order.number, 3)
    floor.clock.advance(0)
    assert [each.orderable for each in exchange.account(number).loans] == [1, 5]
    assert floor.told(PositionChanged)[0].position.orderable == 5
    exchange.cancel(number, order.number)
    exchange.place(number, SHARE, SELL, MARKET, 0, 6, Credit())
    assert [each.quantity for each in exchange.account(number).loans] == [0, 4]
    assert exchange.account(number).positions[SHARE].quantity == 100
    for credit, quantity in ((Credit(), 5), (Credit(first), 1)):
        with pytest.raises(Refused) as refused:
            exchange.place(number, SHARE, SELL, MARKET, 0, quantity, credit)
        assert refused.value.reason is Refusal.NOT_HELD


def test_what_has_a_margin_of_100_is_not_bought_on_credit(floor):
    with pytest.raises(Refused) as refused:
        floor.exchange.place(floor.account, ETN, BUY, MARKET, 0, 1, Credit())
    assert refused.value.reason is Refusal.NO_CREDIT
