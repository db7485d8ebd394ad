"""What queries take: inputs, pages, unknown codes and accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.openapi.tr import tr, trs
from koapy.simulation.model import Action, Bar, Order, OrderKind, OrderState, SectorMoment, Side, Tick, Trade
from koapy.simulation.tr import BadInput
from koapy.simulation.tr.registry import RESPONDERS, SOURCES
from koapy.simulation.tr.request import Request, plain_code

OF_ACCOUNTS = [each.code for each in trs() if "계좌번호" in each.input_names]
OF_ISSUES = [each.code for each in trs() if each.inputs[0].format == "code6" and each.code not in OF_ACCOUNTS]


def test_every_tr_has_an_answer():
    assert sorted(RESPONDERS) == sorted(each.code.lower() for each in trs())
    assert RESPONDERS.keys() == SOURCES.keys()


@pytest.mark.parametrize("code", OF_ISSUES)
def test_an_unknown_stock_gives_nothing(market, code):
    found = market.ask(code, 종목코드="999999")
    assert set(found.single.values()) <= {""}
    assert {value for row in found.rows for value in row.values()} <= {""}
    assert not found.answer.more


@pytest.mark.parametrize("code", OF_ACCOUNTS)
def test_an_unknown_account_gives_nothing_and_says_so(market, code):
    found = market.ask(code, 계좌번호="1111111111")
    assert set(found.single.values()) <= {""}
    assert found.rows == []
    assert found.answer.message == "계좌번호 입력을 확인해주세요"


@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        ("opt10081", {"기준일자": "2022-01-18"}),
        ("opt10081", {"기준일자": "today"}),
        ("opt10081", {"수정주가구분": "2"}),
        ("opt10080", {"틱범위": "7"}),
        ("opt10079", {"틱범위": "x"}),
        ("opt10030", {"시장구분": "9"}),
        ("opt20001", {"시장구분": "x"}),
        ("opt10075", {"체결구분": "5"}),
        ("opt10076", {"주문번호": "a"}),
        ("opw00001", {"조회구분": "9"}),
        ("opw00007", {"조회구분": "0"}),
        ("opw00018", {"조회구분": "3"}),
    ],
)
def test_broken_inputs_are_refused(market, code, inputs):
    market.own(1)
    with pytest.raises(BadInput, match=next(iter(inputs))):
        market.ask(code, **inputs)


@pytest.mark.parametrize("text", ["005930", " 005930 ", "005930_AL", "005930_NX", "A005930"])
def test_codes_may_carry_marks(text):
    assert plain_code(text) == "005930"


def test_codes_with_letters_stay():
    assert plain_code("0000J0") == "0000J0"


def days(count):
    first = datetime(2019, 1, 1, tzinfo=KST)
    return [Bar(first + timedelta(n), n + 1, n + 2, n + 1, n + 1, n + 1, 0) for n in range(count)]


def walk(market, code, **inputs):
    """All pages of a query."""
    pages = [market.ask(code, **inputs)]
    while pages[-1].answer.more:
        pages.append(market.ask(code, pages[-1].answer.after, **inputs))
    return pages


@pytest.mark.parametrize(("code", "size"), [("opt10081", 600), ("opt10005", 100)])
def test_days_come_in_pages_newest_first(market, code, size):
    market.list("000001", 1000)
    market.days["000001"] = days(1300)
    pages = walk(market, code, 종목코드="000001")
    assert [len(page.rows) for page in pages] == [size] * (1300 // size) + [1300 % size] * (1300 % size > 0)
    stamps = [row.get("일자") or row["날짜"] for page in pages for row in page.rows]
    assert stamps == [f"{each.start:%Y%m%d}" for each in reversed(days(1300))]
    if code == "opt10081":
        assert {page.rows[0]["종목코드"] for page in pages} == {"000001"}
        assert {row["종목코드"] for page in pages for row in page.rows[1:]} == {""}


def test_a_full_last_page_is_the_last(market):
    market.list("000001", 1000)
    market.days["000001"] = days(600)
    assert not market.ask("opt10081", 종목코드="000001").answer.more


@pytest.mark.parametrize(
    ("inputs", "newest", "oldest"),
    [
        ({}, "20220118", "20190101"),
        ({"기준일자": "20190105"}, "20190105", "20190101"),
        ({"기준일자": "20300101"}, "20220118", "20190101"),
        ({"기준일자": "201912001"}, "20220118", "20190101"),
    ],
)
def test_the_newest_row_is_at_or_before_the_date(market, inputs, newest, oldest):
    market.list("000001", 1000)
    market.days["000001"] = days(20)
    market.day["000001"] = Bar(datetime(2022, 1, 18, tzinfo=KST), 1, 1, 1, 1, 1, 1)
    rows = market.ask("opt10081", 종목코드="000001", **inputs).rows
    assert (rows[0]["일자"], rows[-1]["일자"]) == (newest, oldest)


def test_a_date_before_the_first_row_gives_nothing(market):
    market.list("000001", 1000)
    market.days["000001"] = days(5)
    assert market.ask("opt10081", 종목코드="000001", 기준일자="20181231").rows == []


@pytest.mark.parametrize(
    ("code", "until", "dates"),
    [
        ("opt10082", "20190107", ["20190114", "20190107"]),
        ("opt10082", "", ["20190114", "20190107", "20190101"]),
        ("opt10082", "201912015", ["20190114", "20190107", "20190101"]),
        ("opt10083", "20190102", ["20190101"]),
        ("opt10094", "20180101", ["20190101"]),
    ],
)
def test_weeks_months_and_years_begin_with_their_first_day(market, code, until, dates):
    market.list("000001", 1000)
    market.days["000001"] = days(15)
    rows = market.ask(code, 종목코드="000001", 기준일자="20190120", 끝일자=until).rows
    assert [row["일자"] for row in rows] == dates


def test_a_week_sums_its_days(market):
    market.list("000001", 1000)
    market.days["000001"] = days(15)
    week = market.ask("opt10082", 종목코드="000001").rows[1]
    assert [week[name] for name in ("시가", "고가", "저가", "현재가", "거래량")] == ["7", "14", "7", "13", "70"]


@pytest.mark.parametrize("span", [1, 3, 5, 10, 15, 30, 45, 60])
def test_minutes_are_named_by_their_start(market, span):
    market.list("000001", 1000)
    first = datetime(2022, 1, 18, 9, tzinfo=KST)
    market.minute_bars["000001"] = [Bar(first + timedelta(minutes=n), 1, 1, 1, 1, 1, 1) for n in range(90)]
    rows = market.ask("opt10080", 종목코드="000001", 틱범위=str(span)).rows
    starts = [first + timedelta(minutes=span * n) for n in range(-(-90 // span))]
    assert [row["체결시간"] for row in rows] == [f"{each:%Y%m%d%H%M%S}" for each in reversed(starts)]


def test_ticks_come_in_pages_of_900_and_bars_of_a_few(market):
    market.list("000001", 1000)
    first = datetime(2022, 1, 18, 9, tzinfo=KST)
    market.tick_list["000001"] = [Tick(first + timedelta(seconds=n / 2), 1000 + n, 1) for n in range(2000)]
    assert [len(page.rows) for page in walk(market, "opt10079", 종목코드="000001", 틱범위="1")] == [900, 900, 200]
    rows = market.ask("opt10079", 종목코드="000001", 틱범위="30").rows
    assert len(rows) == 67
    assert (rows[0]["거래량"], rows[1]["거래량"]) == ("20", "30")


def trade(n):
    moment = datetime(2022, 1, 18, 9, tzinfo=KST) + timedelta(seconds=n)
    return Trade(moment, 1000, 1, Side.BUY, 1000, 999, n, 1000 * n)


def test_pages_stay_apart_while_the_market_goes_on(market):
    """New trades arrive, and the oldest are forgotten, between two pages."""
    market.list("000001", 1000)
    market.trade("000001", buy_volume=60, volume=60)
    market.done["000001"] = [trade(n) for n in range(60, 0, -1)]
    first = market.ask("opt10003", 종목코드="000001")
    market.done["000001"] = [trade(n) for n in range(70, 5, -1)]
    second = market.ask("opt10003", first.answer.after, 종목코드="000001")
    assert [row["누적거래량"] for row in first.rows] == [str(n) for n in range(60, 30, -1)]
    assert [row["누적거래량"] for row in second.rows] == [str(n) for n in range(30, 5, -1)]


@given(st.lists(st.integers(1, 10**6), unique=True), st.integers(1, 10**6), st.integers(1, 10**6))
def test_pages_hold_each_row_within_the_bounds_once(keys, newest, oldest):
    keys.sort()
    after, seen = None, []
    while True:
        page = Request(tr("opt10003"), {}, after, None).page(keys, newest=newest, oldest=oldest)
        seen += [keys[index] for index in page.indices]
        after = page.after
        if after is None:
            break
    assert seen == [key for key in reversed(keys) if oldest <= key <= newest]


def order(number, code, side, *, filled=0, open_=0, action=Action.NEW):
    moment = datetime(2022, 1, 18, 9, tzinfo=KST)
    return Order(
        number, "8000000011", code, side, OrderKind.LIMIT, 100, 10, open_, filled, 100 * filled, 0, 0, None, action,
        OrderState.ACCEPTED, moment,
    )  # fmt: skip


@pytest.fixture
def traded(market):
    """A filled buy, an open sell, one filled in part, one modified away, its modify, and a cancel."""
    market.list("000001", 100)
    market.list("000002", 100, market="KOSDAQ")
    market.own(1)
    market.order_list = [
        order(1, "000001", Side.BUY, filled=10),
        order(2, "000001", Side.SELL, open_=10),
        order(3, "000002", Side.BUY, filled=4, open_=6),
        order(4, "000002", Side.BUY),
        order(5, "000002", Side.BUY, open_=10, action=Action.MODIFY),
        order(6, "000001", Side.SELL, action=Action.CANCEL),
    ]
    return market


@pytest.mark.parametrize(
    ("code", "inputs", "numbers"),
    [
        ("opt10075", {}, [5, 3, 2, 1]),
        ("opt10075", {"체결구분": "1"}, [5, 3, 2]),
        ("opt10075", {"체결구분": "2"}, [3, 1]),
        ("opt10075", {"매매구분": "1"}, [2]),
        ("opt10075", {"전체종목구분": "1", "종목코드": "000001"}, [2, 1]),
        ("opt10075", {"전체종목구분": "0", "종목코드": "000001"}, [5, 3, 2, 1]),
        ("opt10076", {}, [5, 3, 2, 1]),
        ("opt10076", {"체결구분": "2", "매도수구분": "2"}, [3, 1]),
        ("opt10076", {"조회구분": "1", "종목코드": "000002"}, [5, 3]),
        ("opt10076", {"주문번호": "0000003"}, [2, 1]),
        ("opw00007", {"조회구분": "1"}, [1, 2, 3, 4, 5, 6]),
        ("opw00007", {"조회구분": "2"}, [6, 5, 4, 3, 2, 1]),
        ("opw00007", {"조회구분": "3"}, [2, 3, 5]),
        ("opw00007", {"조회구분": "4"}, [1, 3]),
        ("opw00007", {"조회구분": "1", "매도수구분": "1"}, [2, 6]),
        ("opw00007", {"조회구분": "1", "시작주문번호": "0000003"}, [3, 4, 5, 6]),
        ("opw00007", {"조회구분": "1", "주문일자": "20220118", "종목코드": "000001"}, [1, 2, 6]),
        ("opw00007", {"조회구분": "1", "주문일자": "20220117"}, []),
        ("opw00007", {"조회구분": "1", "주식채권구분": "2"}, []),
        ("opw00009", {}, [1, 2, 3, 4, 5, 6]),
        ("opw00009", {"조회구분": "1"}, [1, 3]),
        ("opw00009", {"시장구분": "2"}, [3, 4, 5]),
    ],
)
def test_orders_are_chosen_by_the_inputs(traded, code, inputs, numbers):
    assert [int(row["주문번호"]) for row in traded.ask(code, **inputs).rows] == numbers


@pytest.mark.parametrize(
    ("inputs", "codes"),
    [
        ({}, ["000003", "000001", "000002"]),
        ({"정렬구분": "2"}, ["000002", "000003", "000001"]),
        ({"정렬구분": "3"}, ["000001", "000002", "000003"]),
        ({"시장구분": "101"}, ["000002"]),
        ({"관리종목포함": "14"}, ["000001", "000002"]),
        ({"거래량구분": "1000"}, ["000003", "000001"]),
        ({"거래대금구분": "1000"}, ["000001"]),
        ({"가격구분": "1"}, ["000003"]),
    ],
)
def test_rankings_are_chosen_and_sorted_by_the_inputs(market, inputs, codes):
    market.list("000001", 10_000, shares=10_000_000)
    market.trade("000001", last=10_000, volume=1_200_000, value=12_000_000_000)
    market.list("000002", 5_000, market="KOSDAQ", shares=1_000_000)
    market.trade("000002", last=5_000, volume=900_000, value=4_500_000_000)
    market.list("000003", 500, kind="etf", shares=10_000_000)
    market.trade("000003", last=500, volume=2_000_000, value=1_000_000_000)
    market.list("000004", 500)
    assert [row["종목코드"] for row in market.ask("opt10030", **inputs).rows] == codes


def test_before_the_first_trade_prices_are_missing(market, make_bar):
    market.list("000001", 1000)
    market.days["000001"] = [make_bar("20220117", 1000, 1100, 900, 1000, volume=5)]
    facts = market.ask("opt10001", 종목코드="000001").single
    assert [facts[name] for name in ("현재가", "시가", "등락율", "거래대비", "예상체결가")] == [
        " 1000",
        "-0",
        "0.00",
        "0.00",
        "-0",
    ]
    assert (facts["250최고"], facts["연중최저"]) == ("+1100", "-900")
    assert market.ask("opt10007", 종목코드="000001").rows[0]["시가"] == "0"
    assert market.ask("opt10003", 종목코드="000001").rows == []
    assert market.ask("opt10080", 종목코드="000001").rows == []


def test_an_auction_shows_what_it_would_trade(market):
    market.list("000001", 1000)
    market.auctions["000001"] = (1010, 77)
    for code, quantity in (("opt10001", "예상체결수량"), ("opt10007", "예상체결량"), ("optkwfid", "예상체결량")):
        found = market.ask(code, 종목코드="000001")
        values = found.rows[0] if found.rows else found.single
        assert (values["예상체결가"], values[quantity]) == ("+1010", "77")


def test_holdings_of_more_than_a_page_go_on(market, make_position):
    codes = [market.list(f"{n:06d}", 100) for n in range(1, 71)]
    market.own(1, *(make_position(code, 1, 100) for code in codes))
    pages = walk(market, "opw00004")
    assert [row["종목코드"] for page in pages for row in page.rows] == [f"A{code}" for code in codes]
    assert [page.single["출력건수"] for page in pages] == ["0030", "0030", "0010"]


def test_a_days_trades_move_the_settlement(market):
    market.own(600, opening_cash=1000, reserved=100, bought_value=500, sold_value=100)
    values = market.ask("opw00001").single
    names = (
        "예수금",
        "d+1추정예수금",
        "d+2추정예수금",
        "d+2매도매수정산금",
        "주문가능금액",
        "출금가능금액",
        "20%종목주문가능금액",
    )
    assert [int(values[name]) for name in names] == [1000, 1000, 600, -400, 500, 500, 2500]


def test_an_index_goes_back_through_the_day(market):
    members = [market.list("000001", 1000)]
    market.index("001", 100_000, members, last=100_500, traded=1, volume=60_000, rising=1)
    first = market.moment - timedelta(seconds=500)
    market.moments["001"] = [SectorMoment(first + timedelta(seconds=10 * n), 100_000 + n, 1000 * n) for n in range(50)]
    pages = walk(market, "opt20001", 시장구분="0", 업종코드="001")
    rows = [row for page in pages for row in page.rows]
    assert [len(page.rows) for page in pages] == [20, 20, 10]
    assert [row["누적거래량n"] for row in rows] == ["60", *(str(n) for n in range(49, 0, -1))]
    assert [row["거래량n"] for row in rows] == ["11", *["1"] * 48, "0"]
    assert len({row["시간n"] for row in rows}) == 50
