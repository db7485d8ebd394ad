"""What account TRs say of futures and options is what was ordered."""

from __future__ import annotations

from datetime import datetime

import pytest

from koapy.openapi.calendar import KST
from koapy.openapi.tr import tr
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.futures import Contracts
from koapy.simulation.market import load_market
from koapy.simulation.model import OrderKind, Side
from koapy.simulation.tr import answer
from koapy.simulation.tr.contracts import contracts
from koapy.simulation.world import World

ACCOUNT = "8000000011"


@pytest.fixture(scope="module")
def world():
    clock = ManualClock(datetime(2026, 11, 20, 10, 30, tzinfo=KST))
    exchange = Exchange(clock, load_market(size=12))
    desk = Contracts(exchange)
    future, call = contracts(exchange)[0].code, contracts(exchange)[14].code
    desk.place(ACCOUNT, future, Side.BUY, OrderKind.MARKET, 0, 3)
    desk.place(ACCOUNT, future, Side.SELL, OrderKind.MARKET, 0, 1)
    desk.place(ACCOUNT, call, Side.SELL, OrderKind.MARKET, 0, 2)
    clock.advance(30)
    return World(exchange, clock, contracts=desk)


def ask(world, code, **inputs):
    what = tr(code)
    given = {"계좌번호": ACCOUNT, **inputs}
    found = answer(what, {k: v for k, v in given.items() if k in what.input_names}, None, world)
    return dict(found.single), [dict(zip(what.multi_names, row, strict=True)) for row in found.rows]


def test_orders_are_listed_with_what_they_traded_for(world):
    single, rows = ask(world, "opw20004")
    assert (single["출력건수"], len(rows)) == ("0003", 3)
    assert [row["매매구분"] for row in rows] == ["매수", "매도", "매도"]
    assert [int(row["체결수량"]) for row in rows] == [3, 1, 2]
    assert len(ask(world, "opw20004", 종목구분="2")[1]) == 1
    assert ask(world, "opw20004", 조회구분="2")[1] == []
    assert ask(world, "opw20004", 정렬구분="2")[1] == rows[::-1]
    assert ask(world, "opw20004", 조회일="20261119")[1] == []


def test_positions_agree_in_every_tr(world):
    single, rows = ask(world, "opw20006")
    assert (int(single["선물매수수량"]), int(single["콜매도수량"]), int(single["선물매도수량"])) == (2, 2, 0)
    _, profits = ask(world, "opt50031")
    _, settled = ask(world, "opw20007")
    assert (
        [row["종목코드"] for row in rows]
        == [row["종목코드"] for row in profits]
        == [row["종목코드"] for row in settled]
    )
    assert (
        int(single["손익합계"]) == sum(int(row["손익"]) for row in profits) == sum(int(r["평가손익"]) for r in settled)
    )
    _, live = ask(world, "opw20014")
    assert [int(row["미결제수량"]) for row in live] == [2, 2]


def test_what_was_traded_and_realised_today(world):
    single, _ = ask(world, "opw20002")
    assert [int(single[f"{name}수량"]) for name in ("선물매수", "선물매도", "콜매도", "풋매수")] == [3, 1, 2, 0]
    assert int(single["선물수수료"]) + int(single["옵션수수료"]) > 0
    _, rows = ask(world, "opt50032")
    period, _ = ask(world, "opw20003", 시작일자="20261101", 종료일자="20261130")
    assert int(period["수수료"]) == int(single["선물수수료"]) + int(single["옵션수수료"])
    assert all(row["체결량"] == "1" for row in rows)
    assert int(ask(world, "opw20003", 시작일자="20261101", 종료일자="20261102")[0]["총손익"]) == 0


def test_margins_and_what_may_be_ordered(world):
    future = contracts(world.exchange)[0].code
    deposit, _ = ask(world, "opw20010")
    detail, _ = ask(world, "opw20012")
    assert detail["위탁증거금총액"] == deposit["증거금총액"]
    assert detail["주문가능총액"] == deposit["주문가능총액"]
    able, _ = ask(world, "opw20009", 종목코드=future, 매도수구분="1")
    assert int(able["청산가능수량"]) == 2
    assert int(able["총가능수량"]) == int(able["신규가능수량"]) + 2
    buys, _ = ask(world, "opw20009", 종목코드=future, 매도수구분="2")
    most = int(buys["신규가능수량"])
    assert most * int(buys["필요증거금총액"]) <= int(buys["주문가능총액"])
    closing, _ = ask(world, "opw20013", 종목코드=future)
    assert int(closing["현재증거금총액"]) == int(deposit["증거금총액"])
    assert int(closing["예상위탁증거금"]) < int(closing["현재증거금총액"])
    half, _ = ask(world, "opw20001", 종목코드=future, 주문수량="1")
    assert int(closing["예상위탁증거금"]) < int(half["체결위탁증거금총액"]) < int(half["현재위탁증거금총액"])
