"""What TRs say fits together: parts add up, one TR agrees with another, ranks are ranks, contracts follow the index."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.openapi.tr import tr, trs
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.figures.draws import apportion
from koapy.simulation.figures.firms import firm, firm_flows, firms
from koapy.simulation.figures.investors import Flow, Investor, split
from koapy.simulation.market import load_market
from koapy.simulation.model import OrderKind, Side
from koapy.simulation.samples import Samples
from koapy.simulation.tr import BadInput, answer
from koapy.simulation.tr.selection import amount, price_range
from koapy.simulation.world import World

ACCOUNT, CODE, FUND = "8000000011", "005930", "069500"


def made() -> World:
    clock = ManualClock(datetime(2026, 11, 20, 10, 30, tzinfo=KST))
    exchange = Exchange(clock, load_market(size=30))
    exchange.place(ACCOUNT, CODE, Side.BUY, OrderKind.MARKET, 0, 3)
    exchange.place(ACCOUNT, "000660", Side.SELL, OrderKind.MARKET, 0, 4)
    clock.advance(60)
    return World(exchange, clock)


@pytest.fixture(scope="module")
def world():
    return made()


def ask(world, code, after=None, **inputs):
    """The single part, the rows by name, and where the next page begins."""
    found = answer(tr(code), inputs, after, world)
    rows = [dict(zip(tr(code).multi_names, row, strict=True)) for row in found.rows]
    return dict(found.single), rows, found.after


def number(text):
    """The number that a text with one sign or two stands for."""
    return int(text.replace("--", "-"))


KINDS = ["개인투자자", "외국인투자자", "기관계", "기타법인", "내외국인"]


def test_what_all_kinds_of_investors_bought_or_sold_is_what_was_traded(world):
    for side in "12":
        _, rows, _ = ask(world, "opt10059", 종목코드=CODE, 금액수량구분="2", 매매구분=side)
        assert all(sum(number(row[kind]) for kind in KINDS) == int(row["누적거래량"]) for row in rows)
    _, rows, _ = ask(world, "opt10059", 종목코드=CODE, 금액수량구분="2", 매매구분="0")
    assert all(sum(number(row[kind]) for kind in KINDS) == 0 for row in rows)
    assert any(number(row["외국인투자자"]) for row in rows)


def test_a_period_of_investors_is_the_sum_of_its_days(world):
    _, days, _ = ask(world, "opt10059", 종목코드=CODE, 금액수량구분="2", 일자="20261119")
    days = [row for row in days if row["일자"] >= "20261101"]
    [row] = ask(world, "opt10061", 종목코드=CODE, 금액수량구분="2", 시작일자="20261101", 종료일자="20261119")[1]
    assert len(days) > 10
    assert {name: number(value) for name, value in row.items()} == {
        name: sum(number(day[name]) for day in days) for name in row
    }


def test_foreign_holdings_change_by_what_foreigners_bought(world):
    _, rows, _ = ask(world, "opt10008", 종목코드=CODE)
    for day, before in pairwise(rows):
        assert int(day["보유주식수"]) - int(before["보유주식수"]) == int(day["변동수량"])
    _, bought, _ = ask(world, "opt10059", 종목코드=CODE, 금액수량구분="2")
    assert [row["변동수량"] for row in rows] == [row["외국인투자자"] for row in bought]


def test_loans_are_what_was_lent_less_what_was_given_back(world):
    for code, inputs in (
        ("opt10013", {"조회구분": "1"}),
        ("opt20068", {"시작일자": "20260101", "종료일자": "20261120"}),
    ):
        _, rows, _ = ask(world, code, 종목코드=CODE, **inputs)
        balance, change = ("잔고", "대비") if code == "opt10013" else ("잔고주수", "대차거래증감")
        assert len(rows) > 50
        for day, before in pairwise(rows):
            assert int(day[balance]) - int(before[balance]) == int(day[change])


def test_the_market_s_programs_are_those_of_its_issues(world):
    single, rows, _ = ask(world, "opt90004", 시장구분="P00101")
    for place, name in enumerate(("매수체결수량", "매수체결금액", "매도체결수량", "매도체결금액"), 1):
        assert abs(sum(int(row[name]) for row in rows) - int(single[f"합계{place}"])) <= len(rows)
    _, trend, _ = ask(world, "opt90005", 시장구분="P00101", 시간구분="2")
    assert trend[0]["일자"] == "20261120"
    assert int(trend[0]["전체순매수"]) == int(single["합계5"])


def test_firms_add_up_and_the_largest_are_named(world):
    [row] = ask(world, "opt10002", 종목코드=CODE)[1]
    sold = [-int(row[f"매도거래량{place}"]) for place in range(1, 6)]
    assert sold == sorted(sold, reverse=True)
    first = row["매도거래원1"]
    [today] = ask(world, "opt10078", 종목코드=CODE, 회원사코드=first, 시작일자="20261120", 종료일자="20261120")[1]
    assert today["매도수량"] == row["매도거래량1"]
    buyers, sellers = (ask(world, "opt10038", 종목코드=CODE, 조회구분=kind, 기간="1") for kind in "21")
    assert number(buyers[0]["순위3"]) == -number(sellers[0]["순위3"]) > 0


def test_what_firms_have_traded_only_grows_and_adds_up():
    day = date(2026, 11, 20)
    before = dict.fromkeys(firms(), Flow())
    for volume in range(0, 400_000, 777):
        flows = firm_flows(CODE, day, volume, 70_000 * volume)
        assert sum(each.bought for each in flows.values()) == sum(each.sold for each in flows.values()) == volume
        for each, flow in flows.items():
            # The largest takes what rounding leaves.
            assert flow.sold >= before[each].sold - len(flows)
            assert flow.bought >= before[each].bought - len(flows)
        before = flows


def test_who_has_left_the_largest_firms_is_told_with_the_time(world):
    _, rows, _ = ask(world, "opt10053", 종목코드=CODE)
    assert rows
    [shown] = ask(world, "opt10002", 종목코드=CODE)[1]
    for side, coded in (("매도", "조회일자"), ("매수", "조회시간")):
        left = [row for row in rows if row[coded]]
        times = [row[f"{side}이탈시간"] for row in left]
        assert times == sorted(times, reverse=True)
        for row in left:
            which = firm(row[coded])
            assert row[f"{side}상위이탈원"] == f" {which.name}"
            assert 0 < int(row[f"{side}수량"]) < abs(int(shown[f"{side}거래량1"]))


def test_one_price_everywhere(world):
    last = ask(world, "opt10001", 종목코드=CODE)[0]["현재가"]
    [table] = ask(world, "opt10007", 종목코드=CODE)[1]
    [watched] = ask(world, "optkwfid", 종목코드=CODE)[1]
    assert table["현재가"] == watched["현재가"] == ask(world, "opt10003", 종목코드=CODE)[1][0]["현재가"] == last
    for code in ("opt10030", "opt10032", "opt10020", "opt20002", "opt10066"):
        inputs = {"업종코드": "001"} if code == "opt20002" else {"시장구분": "001"}
        _, rows, _ = ask(world, code, **inputs)
        assert next(row["현재가"] for row in rows if row["종목코드"] == CODE) == last, code
    assert ask(world, "opt10059", 종목코드=CODE)[1][0]["현재가"] == last


RANKED = {
    "opt10027": ({"정렬구분": "3", "종목조건": "0"}, lambda row: float(row["등락률"])),
    "opt10030": ({"정렬구분": "1"}, lambda row: -int(row["거래량"])),
    "opt10032": ({}, lambda row: -int(row["거래대금"])),
    "opt10034": ({"기간": "20"}, lambda row: -abs(number(row["순매수량"]))),
    "opt10044": ({"시작일자": "20261101"}, lambda row: -abs(number(row["순매수금액"]))),
    "opt10067": ({}, lambda row: -int(row["잔고주수"])),
    "opt90003": ({}, lambda row: -int(row["프로그램순매수금액"])),
    "opt50043": ({}, lambda row: -int(row["누적거래량"])),
}


@pytest.mark.parametrize("code", RANKED)
def test_rankings_are_ranked(world, code):
    inputs, key = RANKED[code]
    _, rows, _ = ask(world, code, **inputs)
    assert len(rows) > 3
    assert [key(row) for row in rows] == sorted(key(row) for row in rows)
    if "순위" in rows[0]:
        assert [row["순위"] for row in rows] == [str(place) for place in range(1, len(rows) + 1)]


def test_pages_of_a_ranking_follow_each_other(world):
    _, first, after = ask(world, "opt40006", 종목코드=FUND)
    _, second, _ = ask(world, "opt40006", after, 종목코드=FUND)
    volumes = [int(row["거래량"]) for row in first + second]
    assert len(first) == 20
    assert volumes == sorted(set(volumes), reverse=True)
    _, days, after = ask(world, "opt10008", 종목코드=CODE)
    _, more, _ = ask(world, "opt10008", after, 종목코드=CODE)
    assert len(days) == 100
    assert more[0]["일자"] < days[-1]["일자"]


def test_filters_leave_out_what_they_say(world):
    everything = {row["종목코드"] for row in ask(world, "opt10032")[1]}
    companies = {row["종목코드"] for row in ask(world, "opt10030", 관리종목포함="16")[1]}
    kosdaq = {row["종목코드"] for row in ask(world, "opt10032", 시장구분="101")[1]}
    instruments = world.exchange.instruments
    assert companies == {code for code in everything if not instruments[code].fund}
    assert kosdaq == {code for code in everything if instruments[code].market == "KOSDAQ"}
    dear = ask(world, "opt10027", 정렬구분="1", 가격조건="5")[1]
    assert all(abs(int(row["현재가"])) >= 10_000 for row in dear)


@pytest.mark.parametrize(
    ("code", "inputs"),
    [("opt10027", {"정렬구분": "8"}), ("opt10016", {"거래량구분": "77"}), ("opt10059", {"일자": "soon"})],
)
def test_inputs_that_openapi_cannot_send_are_refused(world, code, inputs):
    with pytest.raises(BadInput):
        ask(world, code, **{"종목코드": CODE, **inputs} if code == "opt10059" else inputs)


@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        ("opt10019", {"시간구분": "1", "시간": "9" * 20}),
        ("opt10023", {"시간구분": "1", "시간": "9" * 20}),
        ("opt10021", {"시간구분": "9" * 20}),
        ("opt10084", {"종목코드": CODE, "당일전일": "1", "틱분": "0", "시간": "9" * 20}),
        ("opt10084", {"종목코드": CODE, "당일전일": "2", "틱분": "1", "시간": "9999"}),
        ("opt30001", {"시간구분": "1", "시간": "9" * 20}),
        ("opt50012", {"종목코드": "", "시간단위": "1"}),
        ("opt10042", {"종목코드": CODE, "기간": "9" * 20}),
        ("opt90001", {"날짜구분": "9" * 20}),
    ],
)
def test_numbers_may_be_larger_than_anything(world, code, inputs):
    ask(world, code, **inputs)


def test_zeros_in_front_of_a_value_do_not_matter(world):
    assert ask(world, "opt10027", 정렬구분="1", 거래량조건="0000")[1] == ask(world, "opt10027", 정렬구분="1")[1]


def test_options_are_worth_less_the_farther_their_strike(world):
    _, calls, _ = ask(world, "opt50021")
    _, puts, _ = ask(world, "opt50022")
    prices = [abs(float(row["현재가"])) for row in calls], [abs(float(row["현재가"])) for row in puts]
    assert [row["행사가"] for row in calls] == [row["행사가"] for row in puts]
    assert prices[0] == sorted(prices[0], reverse=True)
    assert prices[1] == sorted(prices[1])
    assert [row["ATM구분"] for row in calls].count("1") == 1
    both = ask(world, "opt50020")[1]
    assert [(row["현재가"], row["풋_현재가"]) for row in both] == [
        (call["현재가"], put["현재가"]) for call, put in zip(calls, puts, strict=True)
    ]


def test_a_future_follows_the_index(world):
    single, rows, _ = ask(world, "opt50001", 종목코드="10100000")
    index = abs(float(ask(world, "opt20001", 업종코드="201")[0]["현재가"]))
    future = abs(float(single["현재가"]))
    assert abs(future - index) < 0.02 * index
    assert float(single["시장베이시스"]) == pytest.approx(future - index, abs=0.011)
    _, days, _ = ask(world, "opt50002", 종목코드="10100000")
    assert days[0]["현재가n"] == single["현재가"]
    assert float(days[1]["현재가n"][1:]) == float(single["기준가"])
    assert rows[0]["현재가n"] == single["현재가"]


def test_a_warrant_is_worth_what_its_underlying_makes_it(world):
    _, rows, _ = ask(world, "opt30005")
    assert len(rows) > 5
    for row in rows:
        assert row["권리구분"] in ("콜", "풋")
        facts, _, _ = ask(world, "opt30012", 종목코드=row["종목코드"])
        assert facts["현재가"] == row["현재가"]
        assert facts["ELW행사가"] == row["행사가격"]
    calls = ask(world, "opt30005", 권리구분="1")[1]
    assert {row["권리구분"] for row in calls} == {"콜"}


def test_a_fund_s_nav_is_near_its_price(world):
    _, rows, _ = ask(world, "opt40005", 종목코드=FUND)
    for row in rows:
        nav, price = abs(float(row["NAV"])), abs(int(row["종가"]))
        assert abs(nav - price) < 0.003 * price
    assert ask(world, "opt40002", 종목코드=FUND)[0]["ETF대상지수명"] == "코스피200"
    assert ask(world, "opt40002", 종목코드=CODE)[0]["ETF대상지수명"] == ""


def test_what_was_realised_today(world):
    single, [row], _ = ask(world, "opt10077", 계좌번호=ACCOUNT)
    total, [day], _ = ask(world, "opt10074", 계좌번호=ACCOUNT)
    assert (row["종목코드"], row["체결량"]) == ("A000660", "4")
    assert single["당일실현손익"] == day["당일매도손익"] == total["실현손익"]
    diary, rows, _ = ask(world, "opt10170", 계좌번호=ACCOUNT)
    assert {each["종목코드"] for each in rows} == {"000660", CODE}
    assert diary["총매도금액"] == day["매도금액"]
    assert ask(world, "opt10073", 계좌번호=ACCOUNT, 시작일자="20261101", 종료일자="20261119")[1] == []


def test_the_same_seed_gives_the_same_answers(world):
    other = made()
    for what in trs():
        inputs = {"계좌번호": ACCOUNT} if "계좌번호" in what.input_names else {}
        if "종목코드" in what.input_names and what.inputs[0].format != "fo8":
            inputs["종목코드"] = CODE
        try:
            found = answer(what, inputs, None, world)
        except BadInput:
            continue
        assert found == answer(what, inputs, None, other), what.code


@given(st.integers(0, 10**14), st.lists(st.floats(0.001, 10), min_size=1, max_size=30))
def test_parts_add_up(whole, weights):
    parts = apportion(whole, weights)
    assert sum(parts) == whole
    assert min(parts) >= -len(parts)


@given(st.integers(0, 10**10), st.integers(0, 10**9), st.integers(0, 10**10))
def test_what_investors_have_bought_only_grows(volume, more, value):
    day = datetime(2026, 3, 10, tzinfo=KST).date()
    before, after = (split(CODE, day, each, value) for each in (volume, volume + more))
    for kind in list(Investor)[1:]:
        assert after.of(kind).bought >= before.of(kind).bought >= 0


@pytest.mark.parametrize(
    ("label", "value"),
    [
        *(
            ("만주이상", 10_000),
            ("5만주이상", 50_000),
            ("백만주이상", 1_000_000),
            ("5천주이상", 5_000),
            ("전체조회", 0),
        ),
        *(("10억원이상", 1_000_000_000), ("1천만원이상", 10_000_000), ("1000주", 1_000), ("장시작전(0주이상)", 0)),
    ],
)
def test_amounts_of_labels(label, value):
    assert amount(label) == value


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        *(("1천원미만", (0, 1_000)), ("1천원~2천원", (1_000, 2_000)), ("5천원~1만원", (5_000, 10_000))),
        *(("5만원이상", (50_000, None)), ("전체조회", (0, None))),
    ],
)
def test_ranges_of_prices_of_labels(label, expected):
    assert price_range(label) == expected


def test_the_evening_s_auctions_are_told_against_the_close():
    clock = ManualClock(datetime(2026, 11, 20, 15, 10, tzinfo=KST))
    exchange = Exchange(clock, load_market(size=12), hours="krx", server="real")
    clock.advance(2 * 3600)
    world = World(exchange, clock, "real")
    _, rows, _ = ask(world, "opt10098", 정렬기준="1")
    assert rows
    for row in rows:
        close, last = int(row["당일종가"]), int(row["현재가"][1:])
        assert last - close == int(row["전일대비"]) > 0
        [book] = ask(world, "opt10087", 종목코드=row["종목코드"])[1]
        assert book["시간외단일가_현재가"] == row["현재가"]
        assert book["시간외단일가_누적거래량"] == row["누적거래량"]
        assert int(book["시간외단일가_매수호가총잔량"]) == int(row["매수총잔량"])
    assert ask(world, "opt10098", 정렬기준="3")[1] != rows


def test_minutes_of_past_days_make_up_the_day(world):
    _, rows, after = ask(world, "opt20005", 업종코드="201", 틱범위="1")
    _, days, _ = ask(world, "opt20006", 업종코드="201")
    yesterday = days[1]["일자"]
    minutes = [row for row in rows if row["체결시간"].startswith(yesterday)]
    assert after is not None
    assert max(abs(int(row["고가"])) for row in minutes) == int(days[1]["고가"])
    assert abs(int(minutes[0]["현재가"])) == int(days[1]["현재가"])
    _, options, _ = ask(world, "opt50067", 종목코드=ask(world, "opt50021")[1][10]["종목코드"])
    _, closes, _ = ask(world, "opt50068", 종목코드=ask(world, "opt50021")[1][10]["종목코드"])
    of_day = [row for row in options if row["체결시간"].startswith(yesterday)]
    assert of_day[0]["현재가"] == closes[1]["현재가"]
    assert sum(int(row["거래량"]) for row in of_day) <= int(closes[1]["누적거래량"])


def test_books_are_compared_with_those_of_some_minutes_ago():
    clock = ManualClock(datetime(2026, 11, 20, 10, 30, tzinfo=KST))
    exchange = Exchange(clock, load_market(size=30))
    world = World(exchange, clock, samples=Samples(exchange, clock))
    assert ask(world, "opt10021", 시장구분="001", 시간구분="5")[1] == []
    began = {code: exchange.waiting(code) for code in exchange.instruments}
    clock.advance(180)
    for kind, place in (("1", 1), ("2", 0)):
        _, rows, _ = ask(world, "opt10021", 시장구분="001", 시간구분="4", 매매구분=kind)
        assert rows
        for row in rows:
            assert int(row["기준률"]) == began[row["종목코드"]][place]
            assert int(row["현재"]) == exchange.waiting(row["종목코드"])[place]
        grown = [int(row["급증수량"]) for row in rows]
        assert grown == sorted(grown, reverse=True)
        assert min(grown) > 0
    _, rows, _ = ask(world, "opt10022", 시장구분="001", 시간구분="4")
    rates = [float(row["급증률"]) for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert all(float(row["현재비율"]) > float(row["기준률"]) for row in rows)


def test_tallies_of_the_day_are_compared_with_those_of_half_an_hour_ago():
    clock = ManualClock(datetime(2026, 11, 20, 10, 30, tzinfo=KST))
    exchange = Exchange(clock, load_market(size=12))
    world = World(exchange, clock, samples=Samples(exchange, clock))
    before = {row["종목코드"]: row for row in ask(world, "opt10063", 금액수량구분="2")[1]}
    assert {row["이전순매수금액"] for row in before.values()} == {"0"}
    clock.advance(30 * 60 - 1)
    for row in ask(world, "opt10063", 금액수량구분="2")[1]:
        then = before[row["종목코드"]]
        assert row["이점시전순매수수량"] == then["순매수수량"]
        assert int(row["순매수증감"]) == int(row["순매수수량"]) - int(then["순매수수량"])
        assert int(row["매수수량증감"]) == int(row["매수수량"]) - int(then["매수수량"]) >= 0
