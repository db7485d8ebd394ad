"""The same market gives the same answer: recorded answers, rebuilt from the facts behind them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from koapy.openapi.calendar import KST
from koapy.simulation.model import Action, Fill, Order, OrderKind, OrderState, SectorMoment, Side, Tick, Trade

GOLDEN = [
    json.loads(line) for line in Path(__file__).parents[1].joinpath("data/golden_tr.jsonl").open(encoding="utf-8")
]


def recorded(code, part, source, row=0):
    """A recorded row, by a word of its source or of how it was read."""
    lines = [each for each in GOLDEN if (each["tr"], each["part"]) == (code, part)]
    line = next(each for each in lines if source in each["source"] or source in each["read"])
    return line["rows"][row]


def same(row, expected, leave_out=()):
    """What differs from the recorded row, blanks around values aside; () when nothing does."""
    wanted = {name: value.strip() for name, value in expected.items() if name not in leave_out}
    return {name: (row[name].strip(), value) for name, value in wanted.items() if row[name].strip() != value}


def test_opt10001(market, make_bar):
    market.list("005930", 77500, name="삼성전자", shares=5_969_783_000, upper=100500, lower=54300)
    market.trade("005930", last=77000, open=77600, high=77800, low=76600, volume=7726846, previous_volume=8785122)
    market.days["005930"] = [
        make_bar("20210115", 90000, 91800, 88000, 88000, volume=1),
        make_bar("20211013", 69000, 69000, 68300, 68800, volume=1),
        make_bar("20220103", 79400, 79800, 78000, 78600, volume=1),
        make_bar("20220107", 78000, 78400, 76400, 78300, volume=1),
        make_bar("20220117", 77600, 77800, 76900, 77500, volume=8785122),
    ]
    market.day["005930"] = make_bar("20220118", 77600, 77800, 76600, 77000, volume=7726846)
    made_up = (
        "결산월 액면가 자본금 신용비율 외인소진률 PER EPS ROE PBR EV BPS 매출액 영업이익 당기순이익 유통주식 유통비율"
    )
    golden = recorded("opt10001", "single", "koapy-tutorial")
    # 대용가 is a part of the reference price that differs from issue to issue; it was 78 % then.
    assert same(market.ask("opt10001", 종목코드="005930").single, golden, (*made_up.split(), "대용가")) == {}


def test_optkwfid(market):
    market.list(
        "900310", 1465, name="컬러레이", market="KOSDAQ", kind="foreign", shares=54_000_000, upper=1900, lower=1030
    )
    sold = Trade(datetime(2022, 1, 18, 14, 28, 10, tzinfo=KST), 1425, 294, Side.BUY, 1425, 1420, 147191, 213_000_000)
    market.trade(
        "900310",
        last=1425,
        open=1475,
        high=1485,
        low=1420,
        volume=147191,
        value=213_000_000,
        buy_volume=3829,
        sell_volume=10000,
        best_ask=1425,
        best_bid=1420,
        last_trade=sold,
        previous_volume=108_244,
    )
    asks = [(1425, 36), (1430, 1), (1435, 1), (1440, 1), (1445, 1), (1450, 1)]
    bids = [(1420, 10171), (1415, 1), (1410, 1), (1405, 1), (1400, 1)]
    market.stack("900310", asks, bids, 12441, 56620)
    market.past_auctions["900310"] = 1475, 69
    golden = recorded("optkwfid", "multi", "koapy-tutorial", 1)
    rows = market.ask("OPTKWFID", 종목코드="999999;900310").rows
    assert set(rows[0].values()) == {""}
    # 자본금 is made up, the book changed 24 s after the last trade.
    assert same(rows[1], golden, ("자본금", "호가시간")) == {}


def test_opt10003(market):
    market.list("300120", 15950)
    moments = [(151734, 10, Side.BUY), (151735, 10, Side.BUY), (151910, 4, Side.BUY), (154123, 10, Side.SELL)]
    volume, value, trades = 165683, 2581148350, []
    for clock, quantity, side in moments[:2]:
        volume, value = volume + quantity, value + quantity * 15400
        time = datetime.strptime(f"20191126{clock}", "%Y%m%d%H%M%S").replace(tzinfo=KST)
        trades.append(Trade(time, 15400, quantity, side, 15400, 15350, volume, value))
    market.trade("300120", last=15400, volume=volume, value=value, buy_volume=5387, sell_volume=10000)
    market.done["300120"] = trades[::-1]
    rows = market.ask("opt10003", 종목코드="300120").rows
    golden = {
        "시간": "151735", "현재가": "-15400", "전일대비": "-550", "대비율": "-3.45", "우선매도호가단위": "-15400",
        "우선매수호가단위": "-15350", "체결거래량": "+10", "sign": "5", "누적거래량": "165703",
        "누적거래대금": "2581456350", "체결강도": "53.87", "거래소구분": "KRX",
    }  # fmt: skip
    assert same(rows[0], golden) == {}
    assert rows[1]["체결강도"] == "53.77"


@pytest.mark.parametrize("row", [0, 1])
def test_opt10081(market, make_bar, row):
    market.list("005930", 73300)
    market.days["005930"] = [
        make_bar("20220128", 71300, 73700, 71200, 73300, volume=21367447, value=1_552_586_000_000),
        make_bar("20220203", 74900, 74900, 73300, 73300, volume=17744721, value=1_314_505_500_000),
    ]
    market.day["005930"] = make_bar("20220204", 74300, 74600, 73400, 74000, volume=12730034, value=941_412_900_000)
    found = market.ask("opt10081", 종목코드="005930")
    assert found.single == {"종목코드": "005930"}
    expected = recorded("opt10081", "multi", "README.rst", row)
    assert same(found.rows[row], expected) == {}
    assert {value for name, value in found.rows[row].items() if name not in expected} == {""}


@pytest.mark.parametrize("code", ["opt10082", "opt10083", "opt10094"])
def test_longer_bars(market, make_bar, code):
    """One week, month and year of one recorded day: only then are all the prices known."""
    market.moment = datetime(2019, 10, 18, 16, tzinfo=KST)
    market.list("300120", 9000)
    market.day["300120"] = make_bar("20191018", 13300, 17250, 13200, 15550, volume=11129921, value=173_850_677_050)
    golden = {
        "현재가": "15550", "거래량": "11129921", "거래대금": "173850677050", "일자": "20191018", "시가": "13300",
        "고가": "17250", "저가": "13200", "수정주가구분": "", "전일종가": "",
    }  # fmt: skip
    assert same(market.ask(code, 종목코드="300120").rows[0], golden) == {}


def test_opt10080(market, make_bar):
    market.moment = datetime(2018, 1, 19, 16, tzinfo=KST)
    market.list("000001", 18000)
    market.minute_bars["000001"] = [make_bar("201801191530", 18250, 18250, 18250, 18250, volume=70664)]
    golden = recorded("opt10080", "multi", "happineer")
    assert same(market.ask("opt10080", 종목코드="000001").rows[0], golden) == {}


def test_opt10080_signs_each_day_against_the_close_before_it(market, make_bar):
    market.list("000001", 110)
    market.days["000001"] = [make_bar("20220114", *[100] * 4, volume=1), make_bar("20220117", *[110] * 4, volume=1)]
    market.minute_bars["000001"] = [
        make_bar("202201170900", 100, 110, 90, 105, volume=1),
        make_bar("202201180900", 110, 120, 100, 105, volume=1),
    ]
    today, before = market.ask("opt10080", 종목코드="000001", 틱범위="1").rows
    assert [today[name] for name in ("시가", "고가", "저가", "현재가")] == [" 110", "+120", "-100", "-105"]
    assert [before[name] for name in ("시가", "고가", "저가", "현재가")] == [" 100", "+110", "-90", "+105"]


def test_opt10079_has_no_signs(market):
    market.list("005930", 133100)
    moment = datetime(2024, 11, 6, 14, 18, 53, 250_000, tzinfo=KST)
    market.tick_list["005930"] = [Tick(moment, 132500, 1)]
    found = market.ask("opt10079", 종목코드="005930", 틱범위="1")
    assert same(found.rows[0], recorded("opt10079", "multi", "guide")) == {}
    assert found.single == {"종목코드": "005930", "마지막틱갯수": ""}


def test_opw00001(market):
    market.own(10_000_000)
    golden = recorded("opw00001", "single", "twin, recorded")
    assert same(market.ask("opw00001", 조회구분="2").single, golden) == {}
    zeros = recorded("opw00001", "single", "robo-advisor")
    money = {name for name in zeros if not set(zeros[name]) <= {"0", "."} or len(zeros[name]) < 12}
    assert same(market.ask("opw00001").single, zeros, money) == {}


def test_opw00004(market, make_position):
    market.moment = datetime(2025, 9, 1, 10, tzinfo=KST)
    market.list("005740", 9000, name="크라운해태홀딩스")
    market.trade("005740", last=7950, volume=1)
    market.own(4034390, make_position("005740", 104, 962250))
    found = market.ask("opw00004", 상장폐지조회구분="0")
    assert same(found.single, recorded("opw00004", "single", "twin, recorded")) == {}
    assert same(found.rows[0], recorded("opw00004", "multi", "twin, recorded")) == {}
    assert found.single["출력건수"] == "0001"


def test_opw00004_of_the_real_server_has_no_decimal_point(market, make_position):
    market.server = "real"
    market.moment = datetime(2020, 6, 1, 10, tzinfo=KST)
    market.list("096530", 37000, name="씨젠", market="KOSDAQ")
    market.trade("096530", last=37200, volume=1)
    market.own(1_000_000, make_position("096530", 10, 376500))
    golden = recorded("opw00004", "multi", "sns_trade_bot")
    row = market.ask("opw00004").rows[0]
    assert same(row, golden, ("손익율",)) == {}
    assert row["손익율"].startswith("-0000001")
    assert len(row["손익율"]) == len(golden["손익율"]) == 12


def test_opw00018(market, make_position):
    market.moment = datetime(2018, 7, 23, 10, tzinfo=KST)
    market.list("065650", 7880, name="메디프론", market="KOSDAQ")
    market.trade("065650", last=7540, volume=1)
    market.own(1, make_position("065650", 60, 462720))
    row = market.ask("opw00018", 조회구분="2").rows[0]
    # What was bought the day before, and the other holdings' part, are not known here.
    left_out = ("전일매수수량", "전일매도수량", "보유비중(%)")
    assert same(row, recorded("opw00018", "multi", "happineer", 1), left_out) == {}


def test_opw00018_of_today(market, make_position):
    market.moment = datetime(2026, 7, 22, 10, tzinfo=KST)
    market.list("005930", 259000, name="삼성전자")
    market.trade("005930", last=272500, volume=1)
    market.own(1, make_position("005930", 1, 272750, previous_quantity=0, bought_today=1))
    row = market.ask("opw00018").rows[0]
    assert same(row, recorded("opw00018", "multi", "twin, recorded"), ("전일매수수량", "전일매도수량")) == {}


def test_opw00018_of_the_real_server_has_no_decimal_point(market, make_position):
    market.server = "real"
    market.list("005930", 70000)
    market.own(1, make_position("005930", 1, 70000))
    found = market.ask("opw00018")
    profit = int(found.single["총평가손익금액"])
    rates = (found.single["총수익률(%)"], found.rows[0]["수익률(%)"], found.rows[0]["보유비중(%)"])
    assert rates == (*[f"{round(profit / 70000 * 1_000_000):012d}"] * 2, "000001000000")


def test_opw00018_without_holdings(market):
    market.own(10_000_000)
    found = market.ask("opw00018")
    assert same(found.single, recorded("opw00018", "single", "twin, recorded")) == {}
    assert found.rows == []
    assert "해당조회내역이 없습니다" in found.answer.message


@pytest.mark.parametrize("row", [0, 1])
def test_opt10085(market, make_position, row):
    market.moment = datetime(2018, 7, 23, 10, tzinfo=KST)
    market.list("065650", 7880, name="메디프론")
    market.trade("065650", last=7370, volume=1)
    market.list("032850", 6900, name="비트컴퓨터")
    market.trade("032850", last=6930, volume=1)
    market.own(1, make_position("065650", 60, 462720), make_position("032850", 0, 0))
    assert same(market.ask("opt10085").rows[row], recorded("opt10085", "multi", "happineer", row)) == {}


def order(number, code, quantity, price=0, *, kind=OrderKind.LIMIT, action=Action.NEW, filled=0, value=0, **known):
    given = {"side": Side.BUY, "open": quantity - filled, "fee": 0, "tax": 0, "original": None} | known
    moment = given.pop("time", datetime(2022, 1, 18, 10, 14, 14, tzinfo=KST))
    state = OrderState.FILLED if filled else OrderState.ACCEPTED
    return Order(
        number, "8000000011", code, given.pop("side"), kind, price, quantity, given["open"], filled, value,
        given["fee"], given["tax"], given["original"], action, state, moment,
    )  # fmt: skip


def test_opt10075(market):
    market.list("005930", 70000, name="삼성전자")
    market.trade("005930", last=74100, best_bid=74100, volume=1)
    market.own(1)
    moment = datetime(2022, 1, 18, 15, 41, 13, tzinfo=KST)
    market.order_list = [order(69, "005930", 1, kind=OrderKind.MARKET, time=moment)]
    golden = recorded("opt10075", "multi", "guide")
    assert same(market.ask("opt10075", 전체종목구분="0").rows[0], golden, ("계좌번호",)) == {}
    market.order_list = [order(82314, "005930", 1, 71000, action=Action.MODIFY, original=82313)]
    golden = recorded("opt10075", "multi", "teranum")
    assert same(market.ask("opt10075", 체결구분="1").rows[0], golden) == {}


def test_opt10076(market):
    market.list("005930", 70000, name="삼성전자")
    market.own(1)
    market.order_list = [order(60327, "005930", 1, 250500, filled=1, value=250250, fee=870)]
    assert same(market.ask("opt10076").rows[0], recorded("opt10076", "multi", "recorded")) == {}


def test_opw00007(market):
    market.list("035600", 11000, name="KG이니시스")
    market.own(1)
    moment = datetime(2022, 1, 18, 9, 19, 55, tzinfo=KST)
    market.order_list = [order(31931, "035600", 1, 11330, time=moment)]
    found = market.ask("opw00007", 조회구분="1")
    assert same(found.rows[0], recorded("opw00007", "multi", "public")) == {}
    assert found.single == {"출력건수": "0001"}
    amounts = ("주문수량", "주문단가", "확인수량", "체결수량", "체결단가", "주문잔량", "스톱가")
    assert [found.rows[0][name] for name in amounts] == [f"{value:010d}" for value in (1, 11330, 1, 0, 0, 1, 0)]


def test_opw00009(market):
    market.list("069500", 5000, name="KODEX 200", kind="etf")
    market.own(1)
    moment = datetime(2022, 1, 18, 13, 7, 47, tzinfo=KST)
    bought = order(50, "069500", 1, kind=OrderKind.MARKET, filled=1, value=4900)
    market.order_list, market.fill_list = [bought], [Fill(1, bought, 4900, 1, moment, 0, 0, 0)]
    found = market.ask("opw00009", 조회구분="0")
    assert same(found.single, recorded("opw00009", "single", "guide")) == {}
    assert same(found.rows[0], recorded("opw00009", "multi", "guide"), ("통신구분",)) == {}


def test_opt20001(market, make_bar):
    market.moment = datetime(2019, 12, 18, 10, 25, 40, tzinfo=KST)
    members = [f"{number:06d}" for number in range(915)]
    for code in members:
        market.list(code, 1000)
    market.index(
        "001", 219476, members, last=220044, open=219942, high=220473, low=219620, volume=180_953_000,
        value=1_733_306_000_000, traded=905, upper=1, rising=385, falling=386,
    )  # fmt: skip
    market.days["001"] = [
        make_bar("20190417", 225205, 225205, 224000, 224500),
        make_bar("20190806", 190000, 190000, 189181, 189500),
    ]
    market.day["001"] = make_bar("20191218", 219942, 220473, 219620, 220044)
    market.moments["001"] = [SectorMoment(datetime(2019, 12, 18, 10, 25, 30, tzinfo=KST), 219970, 180_476_000)]
    found = market.ask("opt20001", 시장구분="0", 업종코드="001")
    assert same(found.single, recorded("opt20001", "single", "sinabeulo90")) == {}
    assert same(found.rows[0], recorded("opt20001", "multi", "sinabeulo90")) == {}
    # What was traded in the ten seconds before it is not known here.
    assert same(found.rows[1], recorded("opt20001", "multi", "sinabeulo90", 1), ("거래량n",)) == {}


def test_opt20006(market, make_bar):
    market.index("001", 252192)
    market.days["001"] = [
        make_bar("20250207", 253209, 253763, 251901, 252192, volume=419_872_100, value=10_240_141_000_000),
        make_bar("20250210", 251064, 252733, 249918, 252127, volume=393_564_400, value=10_582_466_000_000),
    ]
    found = market.ask("opt20006", 업종코드="001", 기준일자="20250211")
    source = "unohee"
    assert found.single == recorded("opt20006", "single", source)
    assert [same(row, recorded("opt20006", "multi", source, n)) for n, row in enumerate(found.rows)] == [{}, {}]


def test_opt10030(market):
    market.list("114800", 981, name="KODEX 인버스", kind="etf", shares=737_804_839)
    market.trade("114800", last=975, volume=505_027_412, value=495_085_000_000, previous_volume=505_027_412)
    golden = recorded("opt10030", "multi", "recorded") | {"종목코드": "114800"}
    assert same(market.ask("opt10030").rows[0], golden) == {}


def test_opt10004(market):
    market.moment = datetime(2026, 7, 22, 11, 20, 46, tzinfo=KST)
    golden = recorded("opt10004", "multi", "recorded")
    market.list("005930", 249500)
    asks = [26105, 69649, 153512, 85062, 126491, 118366, 200901, 66162, 128986, 58186]
    bids = [48397, 41885, 55362, 56970, 44352, 53809, 32185, 53678, 22654, 27465]
    market.stack(
        "005930",
        [(259000 + 500 * n, quantity) for n, quantity in enumerate(asks)],
        [(258500 - 500 * n, quantity) for n, quantity in enumerate(bids)],
        1033420,
        436757,
    )
    row = market.ask("opt10004", 종목코드="005930").rows[0]
    # How a quantity has changed since the book before is not kept.
    changed = [name for name in golden if "대비" in name]
    assert same(row, golden, changed) == {}
    assert {row[name] for name in changed} == {"0"}


def test_opt10007(market):
    market.moment = datetime(2024, 11, 5, 10, 40, tzinfo=KST)
    market.list("005930", 135300, shares=25_527_000, upper=175800, lower=94800)
    market.trade("005930", previous_volume=88862, previous_value=11_963_000_000)
    row = market.ask("opt10007", 종목코드="005930").rows[0]
    assert same(row, recorded("opt10007", "multi", "guide"), ("전일비",)) == {}


def test_opt10005(market, make_bar):
    """Signs as in the recorded rows of opt10086, which shows the same days."""
    market.list("300120", 17500)
    market.days["300120"] = [
        make_bar("20191127", 17800, 18000, 17150, 17500, volume=1),
        make_bar("20191128", 17450, 17650, 17150, 17150, volume=125960, value=2_177_000_000),
        make_bar("20191129", 17150, 17500, 16700, 16800, volume=129456, value=2_203_000_000),
    ]
    row = market.ask("opt10005", 종목코드="300120").rows[0]
    names = ("날짜", "시가", "고가", "저가", "종가", "대비", "등락률", "거래량", "거래대금")
    recorded_row = ["20191129", " 17150", "+17500", "-16700", "-16800", "-350", "-2.04", "129456", "2203"]
    assert [row[name] for name in names] == recorded_row
