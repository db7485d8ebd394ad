"""SendOrderFO: futures and options, from the order to the position and its end."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.futures import DEPOSIT, Contracts
from koapy.simulation.market import load_market
from koapy.simulation.model import OrderKind, Refused, Side
from koapy.simulation.statefile import StateFile
from koapy.simulation.tr.contracts import contract, contracts

NEW, MODIFY, CANCEL = 1, 2, 3
SELL, BUY = "1", "2"
LIMIT, MARKET, IOC = "1", "3", "5"


@pytest.fixture
def trader(start):
    program = start().login()
    program.future = program.call("GetFutureCodeByIndex", 0)
    program.call_option = program.call("GetOptionCode", f"{int(program.call('GetOptionATM')) / 100:.2f}", 2, "202604")
    return program


def send(program, kind, side, code, quantity, price="0", how=MARKET, original=""):
    words = ("선물", "3000", program.account, code, kind, side, how, quantity, price, original)
    assert program.call("SendOrderFO", *words) == 0
    return program.advance(0.02)


def chejan(heard, gubun):
    return [each.values for each in heard if each.name == "OnReceiveChejanData" and each.arguments[0] == gubun]


def number_of(heard):
    return next(each.values["주문번호"] for each in heard if each.name == "OnReceiveTrData")


def quote(program, code):
    return program.control.submit(contract, program.world.exchange, code).result()


def money(program):
    return program.control.submit(program.world.contracts.cash, program.account).result()


def test_a_future_is_bought_and_sold_again(trader):
    heard = send(trader, NEW, BUY, trader.future, 2)
    assert [each.name for each in heard if each.name != "OnReceiveRealData"][:2] == ["OnReceiveMsg", "OnReceiveTrData"]
    accepted, *fills = chejan(heard, "0")
    assert (accepted[913], accepted[902], accepted[9001], accepted[907]) == ("접수", "2", trader.future, "2")
    assert (fills[-1][913], fills[-1][902], fills[-1][911]) == ("체결", "0", "2")
    held = chejan(heard, "4")[-1]
    assert (held[930], held[946], held[931]) == ("2", "2", fills[-1][910])
    before = money(trader)
    assert 0 < DEPOSIT - before < 100_000  # commission alone
    trader.advance(60)
    heard = send(trader, NEW, SELL, trader.future, 2)
    held = chejan(heard, "4")[-1]
    assert held[930] == "0"
    bought, sold = float(fills[-1][910]), float(chejan(heard, "0")[-1][910])
    expected = before + (sold - bought) * 2 * 250_000
    assert money(trader) == pytest.approx(expected, abs=150_000)


def test_an_order_waits_until_the_market_comes_to_it_and_can_be_moved_and_cancelled(trader):
    now = quote(trader, trader.future)
    low = f"{(now.last - 40 * now.contract.tick(now.last)) / 100:.2f}"
    lower = f"{(now.last - 60 * now.contract.tick(now.last)) / 100:.2f}"
    number = number_of(send(trader, NEW, BUY, trader.future, 1, low, LIMIT))
    heard = send(trader, MODIFY, BUY, trader.future, 1, lower, LIMIT, number)
    moved = number_of(heard)
    assert [(each[9203], each[913], each[902]) for each in chejan(heard, "0")] == [
        (moved, "접수", "1"),
        (moved, "확인", "1"),
        (number, "접수", "0"),
    ]
    heard = send(trader, CANCEL, BUY, trader.future, 1, "0", LIMIT, moved)
    assert [each[902] for each in chejan(heard, "0")] == ["0", "0", "0"]
    ask = f"{(now.last + 3 * now.contract.tick(now.last)) / 100:.2f}"
    number = number_of(send(trader, NEW, SELL, trader.future, 1, ask, LIMIT))
    for _ in range(200):
        heard = trader.advance(30)
        if chejan(heard, "0"):
            break
    assert [(each[9203], each[914]) for each in chejan(heard, "0")] == [(number, ask)]
    assert chejan(heard, "4")[-1][946] == "1"


def test_an_option_is_paid_for_and_ioc_leaves_nothing(trader):
    heard = send(trader, NEW, BUY, trader.call_option, 1)
    premium = float(chejan(heard, "0")[-1][914])
    assert money(trader) == pytest.approx(DEPOSIT - premium * 250_000, rel=1e-4)
    now = quote(trader, trader.call_option)
    price = f"{now.offers(asks=True)[0][0] / 100:.2f}"
    heard = send(trader, NEW, BUY, trader.call_option, 3, price, IOC)
    assert chejan(heard, "0")[-1][902] == "0"


def test_trs_tell_the_position_and_the_deposit(trader):
    send(trader, NEW, BUY, trader.future, 1)
    trader.ask("opt50027", 계좌번호=trader.account)
    (row,) = next(each.rows for each in trader.advance(0.1) if each.name == "OnReceiveTrData")
    assert trader.future in row
    trader.advance(1)
    trader.ask("opw20010", 계좌번호=trader.account, 비밀번호="", 비밀번호입력매체구분="00")
    trader.advance(0.1)
    trader.ask("opt50026", 계좌번호=trader.account)
    (row,) = next(each.rows for each in trader.advance(0.1) if each.name == "OnReceiveTrData")
    assert row[0] == "5000001"


@pytest.mark.parametrize(
    ("code", "side", "quantity", "price", "how"),
    [
        ("101ZZZZZ", BUY, 1, "0", MARKET),
        (None, BUY, 0, "0", MARKET),
        (None, BUY, 1000, "0", MARKET),
        (None, BUY, 1, "1", LIMIT),
        (None, SELL, 1, "9999999", LIMIT),
    ],
)
def test_what_is_refused_has_no_number_and_no_chejan(trader, code, side, quantity, price, how):
    heard = send(trader, NEW, side, code or trader.future, quantity, price, how)
    assert number_of(heard) == ""
    assert chejan(heard, "0") == []


@pytest.mark.parametrize(("place", "value", "code"), [(5, "3", -300), (8, "x", -300), (3, "", -500), (2, "", -340)])
def test_what_cannot_be_sent_has_a_return_code(trader, place, value, code):
    words = ["선물", "3000", trader.account, trader.future, NEW, BUY, MARKET, 1, "0", ""]
    words[place] = value
    assert trader.call("SendOrderFO", *words) == code


def desk(moment, **options):
    clock = ManualClock(moment)
    exchange = Exchange(clock, load_market(size=10), hours="krx", **options)
    return clock, exchange, Contracts(exchange)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32))
def test_cash_and_contracts_add_up_whatever_is_ordered(seed):
    random = Random(seed)
    clock, exchange, contracts_ = desk(datetime(2026, 3, 10, 10, tzinfo=KST))
    account = exchange.account_numbers[0]
    codes = [each.code for each in contracts(exchange)][:8]
    fills = []
    contracts_.subscribe(lambda told: fills.append(told) if told.fill else None)
    for _ in range(25):
        code, side = random.choice(codes), random.choice(list(Side))
        kind = random.choice([each for each in OrderKind if not (each.after_hours or each is OrderKind.PRIORITY)])
        now = contract(exchange, code)
        price = now.last + random.randint(-4, 4) * now.contract.tick(now.last) if kind.priced else 0
        try:
            contracts_.place(account, code, side, kind, max(price, 0), random.randint(1, 3))
            contracts_.cancel(account, 5_000_001 + random.randint(0, 20))
        except Refused:
            pass
        clock.advance(random.random() * 3)
    clock.advance(0)
    for code in codes:
        own = [each for each in fills if each.order.code == code]
        net = sum(each.fill.quantity * (1 if each.order.side is Side.BUY else -1) for each in own)
        assert contracts_.holding(account, code).quantity == net
    for order in contracts_.orders(account):
        parts = [each.fill for each in fills if each.order.number == order.number]
        assert order.filled == sum(each.quantity for each in parts)
        assert 0 <= order.open <= order.quantity - order.filled
        if order.kind.priced and order.price:
            assert all(
                each.price <= order.price if order.side is Side.BUY else each.price >= order.price for each in parts
            )
    worth = contracts_.cash(account)
    fees = realised = 0
    for held in contracts_.holdings(account):
        realised, fees = realised + held.realised, fees + held.fees
        now = contract(exchange, held.code)
        if now.contract.strike:  # what an option that is held has cost is no longer in cash
            signed = held.cost if held.quantity > 0 else -held.cost
            worth += signed * now.contract.multiplier // now.contract.scale
    assert worth == DEPOSIT + realised - fees


def test_positions_are_settled_and_kept(tmp_path):
    path = tmp_path / "market.db"
    clock, exchange, own = desk(datetime(2026, 3, 10, 15, 19, 30, tzinfo=KST), state=StateFile(path))
    account = exchange.account_numbers[0]
    code = contracts(exchange)[0].code
    own.place(account, code, Side.BUY, OrderKind.MARKET, 0, 1)
    held, cash = own.holding(account, code), own.cash(account)
    orders = own.orders(account)
    exchange.close()
    _, again, taken = desk(clock.now(), state=StateFile(path))
    assert (taken.holding(account, code), taken.cash(account), taken.orders(account)) == (held, cash, orders)
    last = contract(again, code).last
    again.close()
    _, later, next_day = desk(datetime(2026, 3, 11, 8, tzinfo=KST), state=StateFile(path))
    base = contract(later, code).base
    assert next_day.orders(account) == []
    assert next_day.holding(account, code).cost == base
    assert next_day.cash(account) == cash + (base - held.cost) * 2500
    assert abs(base - last) < last // 100
    later.close()
