"""What the account TRs tell is one account: the same orders, fills and balances, however they are asked for."""

from __future__ import annotations

import pytest

BUY, SELL, CANCEL_BUY, MODIFY_SELL = 1, 2, 3, 6
LIMIT, MARKET = "00", "03"
HELD, OTHER = "005930", "000660"


@pytest.fixture(params=["mock", "real"])
def trader(start, request):
    """A program that has bought, sold, offered, moved and taken back, and on the real server borrowed."""
    program = start(server=request.param).login()
    upper = program.control.submit(lambda: program.world.exchange.instruments[HELD].upper).result()
    low = program.control.submit(lambda: program.world.exchange.instruments[OTHER].lower).result()
    program.order(BUY, HELD, 12)
    program.order(SELL, HELD, 7)
    program.order(SELL, HELD, 9, upper, LIMIT)
    program.order(MODIFY_SELL, HELD, 4, upper - 1000, LIMIT, "0000003")
    program.advance(1)
    program.order(BUY, OTHER, 5, low, LIMIT)
    program.order(BUY, OTHER, 2, low, LIMIT)
    program.order(CANCEL_BUY, OTHER, 2, 0, "", "0000006")
    if request.param == "real":
        program.call("SendOrderCredit", "신용", "2000", program.account, BUY, HELD, 3, 0, MARKET, "03", "", "")
    program.advance(1)
    return program


def test_orders_and_fills_are_the_same_everywhere(trader):
    exchange = trader.world.exchange
    orders = {each.number: each for each in trader.control.submit(exchange.orders, trader.account).result()}
    fills = trader.control.submit(exchange.fills, trader.account).result()
    _, rows = trader.asked("opt10075", 전체종목구분="0", 매매구분="0", 체결구분="1")
    assert {int(row["주문번호"]): int(row["미체결수량"]) for row in rows} == {
        number: each.open for number, each in orders.items() if each.open
    }
    _, rows = trader.asked("opt10076", 조회구분="0", 매도수구분="0")
    told = {int(row["주문번호"]): int(row["체결량"]) for row in rows if int(row["체결량"])}
    assert told == {number: each.filled for number, each in orders.items() if each.filled}
    assert sum(told.values()) == sum(each.quantity for each in fills)
    _, rows = trader.asked("opw00007", 조회구분="1", 주식채권구분="0", 매도수구분="0")
    assert {int(row["주문번호"]): int(row["체결수량"]) for row in rows} == {
        number: each.filled for number, each in orders.items()
    }
    assert {int(row["주문번호"]): int(row["주문잔량"]) for row in rows} == {
        number: each.open for number, each in orders.items()
    }
    single, rows = trader.asked("opw00009", 조회구분="0", 주식채권구분="0", 시장구분="0", 매도수구분="0")
    account = trader.state()
    assert (int(single["매수약정금액"]), int(single["매도약정금액"])) == (account.bought_value, account.sold_value)
    assert sum(int(row["체결수량"]) for row in rows) == sum(told.values())


def test_balances_are_the_same_everywhere(trader):
    account = trader.state()
    held = [each for each in (*account.positions.values(), *account.loans) if each.quantity]
    quantities = sorted((each.code, each.quantity, each.cost) for each in held)
    owed = sum(each.loan for each in account.loans)
    assert bool(owed) is (trader.world.server == "real")

    _, rows = trader.asked("opt10085")
    told = [(row["종목코드"], int(row["보유수량"]), int(row["매입금액"])) for row in rows if int(row["보유수량"])]
    assert sorted(told) == quantities
    assert sum(int(row["당일매매수수료"] or 0) for row in rows) == account.fees
    assert sum(int(row["당일매도손익"]) for row in rows) == account.realised

    single, rows = trader.asked("opw00018", 조회구분="2")
    told = [(row["종목번호"].lstrip("AQ"), int(row["보유수량"]), int(row["매입금액"])) for row in rows]
    assert sorted(told) == quantities
    assert sum(int(row["매매가능수량"]) for row in rows) == sum(each.orderable for each in held)
    assert int(single["총융자금액"]) == owed
    assets = int(single["추정예탁자산"])

    single, rows = trader.asked("opw00004", 상장폐지조회구분="0")
    told = [(row["종목코드"].lstrip("AQ"), int(row["보유수량"]), int(row["매입금액"])) for row in rows]
    assert sorted(told) == quantities
    assert (int(single["예수금"]), int(single["D+2추정예수금"])) == (account.deposit, account.cash)
    assert abs(int(single["추정예탁자산"]) - assets) < assets // 100  # prices have moved on

    single, rows = trader.asked("opw00005")
    told = [(row["종목번호"].lstrip("AQ"), int(row["현재잔고"]), int(row["매입금액"])) for row in rows]
    assert sorted(told) == quantities
    assert (int(single["예수금D+2"]), int(single["신용융자합계"])) == (account.cash, owed)

    single, _ = trader.asked("opw00001", 조회구분="2")
    assert int(single["예수금"]) == account.deposit
    assert int(single["d+1추정예수금"]) == account.deposit_next
    assert int(single["d+2추정예수금"]) == account.cash
    assert int(single["주문가능금액"]) == account.orderable_cash
    assert int(single["주식증거금현금"]) == account.reserved
    assert int(single["융자금합계"]) == owed

    single, _ = trader.asked("opw00013")
    assert (int(single["현금금액"]), int(single["현금증거금"])) == (account.cash, account.reserved)
