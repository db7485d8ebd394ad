"""Real-time data: who gets what, and how it is written."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time

import pytest

from koapy.openapi.calendar import KST
from koapy.openapi.realtype import real_type
from koapy.simulation.clock import ManualClock
from koapy.simulation.model import Instrument, Quote
from koapy.simulation.realtrade import DayWriter
from koapy.simulation.timetable import Timetable, announcements

CODE, OTHER = "005930", "000660"
TRADE, BEST, BOOK = "주식체결", "주식우선호가", "주식호가잔량"
PRICES = "10;11;12;15;20"


def ticks(heard, *types):
    return [each for each in heard if each.name == "OnReceiveRealData" and each.arguments[1] in (types or (TRADE,))]


def codes(heard):
    return {each.arguments[0] for each in heard if each.name == "OnReceiveRealData"}


def types(heard):
    return {each.arguments[1] for each in heard if each.name == "OnReceiveRealData"}


def test_nothing_comes_unasked(program):
    assert program.advance(5) == []


def test_a_registered_code_is_told_with_all_values_of_its_types(program):
    assert program.call("SetRealReg", "3000", CODE, PRICES, "0") == 0
    heard = program.advance(5)
    assert codes(heard) == {CODE}
    told = ticks(heard)
    assert len(told) > 2
    for each in told:
        raw = each.arguments[2].split("\t")
        fids = real_type(TRADE).fids
        assert len(raw) == len(fids) == 43
        values = dict(zip(fids, raw, strict=True))
        assert {fid: values[fid] for fid in (10, 13, 15, 20)} == {fid: each.values[fid] for fid in (10, 13, 15, 20)}
        assert each.values[41] == ""
        assert values[20] == f"{each.moment:%H%M%S}"
        assert values[15][0] in "+-"
        assert values[1314] == values[15]
        assert values[9081] == "KRX"
    assert program.call("GetCommRealData", CODE, 10) == ""


def test_a_tick_is_read_at_once_as_it_is_value_by_value(program):
    fids, read = (*real_type(TRADE).fids, 99999), []

    def slot(code, kind, raw):
        read.append(
            (program.control.read_tick(code, fids), [program.control.GetCommRealData(code, fid) for fid in fids])
        )

    program.control.OnReceiveRealData.connect(slot)
    program.call("SetRealReg", "3000", CODE, PRICES, "0")
    program.advance(5)
    assert len(read) > 2
    assert all(at_once == one_by_one for at_once, one_by_one in read)
    with pytest.raises(RuntimeError, match=r"control\.submit\(control\.read_tick"):
        program.control.read_tick(CODE, fids)


def test_numbers_of_a_trade_hold_together(program):
    program.call("SetRealReg", "3000", CODE, PRICES, "0")
    base = int(program.call("GetMasterLastPrice", CODE))
    before = None
    for each in ticks(program.advance(20)):
        values = dict(zip(real_type(TRADE).fids, each.arguments[2].split("\t"), strict=True))
        price, change, size = abs(int(values[10])), int(values[11]), int(values[15])
        assert price - base == change
        assert values[10] == f"{'+' if change > 0 else '-' if change < 0 else ' '}{price}"
        assert values[11] == (f"{change:+d}" if change else " 0")
        assert abs(float(values[12]) - 100 * change / base) < 0.006
        assert values[25] == ("2" if change > 0 else "5" if change < 0 else "3")
        volume = int(values[13])
        if before is not None:
            assert volume == before + abs(size)
        before = volume
        assert abs(int(values[18])) <= price <= abs(int(values[17]))
        assert int(values[1313]) == (1 if size > 0 else -1) * (price * abs(size) // 1000)
        assert (values[1315], values[1316]) == ((" 0", values[15]) if size > 0 else (values[15], " 0"))


def test_a_book_has_ten_levels_a_side_and_the_recorded_blanks(program):
    program.call("SetRealReg", "3000", CODE, "41", "0")
    heard = program.advance(5)
    assert types(heard) == {BOOK}
    for each in ticks(heard, BOOK):
        values = dict(zip(real_type(BOOK).fids, each.arguments[2].split("\t"), strict=True))
        asks, bids = ([abs(int(values[first + n])) for n in range(10)] for first in (41, 51))
        assert asks == sorted(asks)
        assert bids == sorted(bids, reverse=True)
        assert bids[0] < asks[0]
        assert int(values[121]) >= sum(int(values[61 + n]) for n in range(10)) > 0
        assert int(values[128]) == int(values[125]) - int(values[121]) == -int(values[138])
        assert (values[215], values[216]) == (" ", " ")
        assert values[21] == f"{each.moment:%H%M%S}"


def test_a_book_goes_on_telling_what_the_last_auction_traded(start):
    program = start(hours="krx", start=datetime(2026, 3, 10, 8, 59, 58, tzinfo=KST)).login()
    program.call("SetRealReg", "3000", CODE, "41", "0")
    fids = real_type(BOOK).fids
    told = [dict(zip(fids, each.arguments[2].split("\t"), strict=True)) for each in ticks(program.advance(30), BOOK)]
    before, after = told[0], told[-1]
    assert before[291] == before[23]
    quote = program.control.submit(program.world.exchange.quote, CODE).result()
    price, quantity = program.control.submit(program.world.exchange.auctioned, CODE).result()
    assert (after[23].lstrip("+- "), after[24]) == (str(price), str(quantity))
    assert price == quote.open
    assert after[299].lstrip("-") == f"{100 * quantity / quote.previous_volume:.2f}"
    assert (after[200][0], after[201][0]) == (after[23][0], after[23][0])
    # What another auction would trade now is told apart.
    assert [after[fid] for fid in (291, 292, 293, 294, 295)] == [" 0", "0", "3", " 0", "0.00"]


@pytest.mark.parametrize(
    ("fids", "expected"),
    [("15", {TRADE}), ("27", {TRADE, BEST}), ("41;61", {BOOK}), ("10;27;41", {TRADE, BEST, BOOK}), ("9001", set())],
)
def test_any_fid_of_a_type_brings_the_whole_type(program, fids, expected):
    program.call("SetRealReg", "3000", CODE, fids, "0")
    assert types(program.advance(10)) == expected


def test_a_code_on_several_screens_is_told_once_until_the_last_lets_it_go(program):
    for screen in ("3000", "3001", "3002"):
        program.call("SetRealReg", screen, CODE, PRICES, "0")
    volumes = [each.values[13] for each in ticks(program.advance(5))]
    assert len(set(volumes)) == len(volumes) > 0
    program.call("SetRealRemove", "3000", CODE)
    program.call("DisconnectRealData", "3001")
    assert ticks(program.advance(5))
    program.call("SetRealRemove", "ALL", CODE)
    assert program.advance(5) == []


def test_type_0_replaces_and_type_1_adds(program):
    program.call("SetRealReg", "3000", CODE, PRICES, "0")
    program.call("SetRealReg", "3000", OTHER, PRICES, "1")
    assert codes(program.advance(5)) == {CODE, OTHER}
    program.call("SetRealReg", "3000", OTHER, PRICES, "0")
    assert codes(program.advance(5)) == {OTHER}
    program.call("SetRealRemove", "3000", "ALL")
    assert program.advance(5) == []


def test_a_request_registers_its_code_which_the_next_one_on_its_screen_ends(program):
    program.ask("opt10001", screen="3000", 종목코드=CODE)
    assert codes(program.advance(5)) == {CODE}
    # SetRealRemove removes only what SetRealReg registered.
    program.call("SetRealRemove", "ALL", "ALL")
    assert codes(program.advance(5)) == {CODE}
    program.ask("opt10001", screen="3000", 종목코드=OTHER)
    assert codes(program.advance(5)) == {OTHER}
    program.ask(
        "opw00001", screen="3000", 계좌번호=program.account, 비밀번호="", 비밀번호입력매체구분="00", 조회구분="2"
    )
    assert codes(program.advance(5)) == set()


def test_many_codes_register_with_their_request(program):
    program.call("CommKwRqData", f"{CODE};{OTHER}", 0, 2, 0, "관심", "3000")
    assert codes(program.advance(5)) == {CODE, OTHER}
    program.call("DisconnectRealData", "3000")
    assert program.advance(5) == []


@pytest.mark.parametrize(
    ("listed", "fids", "kind", "code"),
    [
        (";".join(f"{n:06d}" for n in range(101)), "10", "0", -204),
        (CODE, ";".join(str(n) for n in range(101)), "0", -206),
        (CODE, "10", "2", -105),
        (CODE, "현재가", "0", -105),
        ("999999", "10", "0", 0),
    ],
)
def test_registrations_that_cannot_be_made(program, listed, fids, kind, code):
    assert program.call("SetRealReg", "3000", listed, fids, kind) == code
    assert program.advance(2) == []


def test_a_screen_holds_100_codes(program):
    first, second = (";".join(f"{n:06d}" for n in range(start, start + 60)) for start in (100000, 200000))
    assert program.call("SetRealReg", "3000", first, "10", "0") == 0
    assert program.call("SetRealReg", "3000", second, "10", "1") == -204
    assert program.call("SetRealReg", "3000", second, "10", "0") == 0


def test_an_index_is_told_every_ten_seconds(program):
    program.call("SetRealReg", "3000", "001", "10", "0")
    heard = program.advance(30)
    assert Counter(each.arguments[:2] for each in heard) == {("001", "업종지수"): 3, ("001", "업종등락"): 3}
    for each in ticks(heard, "업종지수"):
        values = dict(zip(real_type("업종지수").fids, each.arguments[2].split("\t"), strict=True))
        assert float(values[10]) != 0
        assert float(values[18].replace(" ", "")) != 0
    for each in ticks(heard, "업종등락"):
        values = dict(zip(real_type("업종등락").fids, each.arguments[2].split("\t"), strict=True))
        assert 0 < float(values[257]) <= 100


def test_a_sector_query_registers_its_index(program):
    program.ask("opt20001", screen="3000", 시장구분="0", 업종코드="001")
    assert codes(program.advance(30)) == {"001"}


def test_the_opening_is_announced_as_recorded(start):
    program = start(hours="krx", start=datetime(2026, 3, 10, 8, 58, 30, tzinfo=KST), market_size=5).login()
    program.call("SetRealReg", "3000", "", "215;20;214", "0")
    heard = program.advance(120)
    assert codes(heard) == {"09"}
    assert [each.arguments[2] for each in heard] == [
        "0\t085900\t000100", "0\t085910\t000050", "0\t085920\t000040", "0\t085930\t000030", "0\t085940\t000020",
        "0\t085950\t000010", "3\t090000\t000000",
    ]  # fmt: skip
    assert heard[-1].moment == datetime(2026, 3, 10, 9, 0, tzinfo=KST)


def test_the_phases_of_a_day_are_those_recorded():
    clock, told = ManualClock(datetime(2026, 3, 6, 15, 0, tzinfo=KST)), []
    Timetable(clock, lambda *values: told.append((clock.now(), values)))
    clock.advance(5 * 86400)  # over a weekend, to Wednesday 15:00
    by_day = Counter(f"{moment:%m%d}" for moment, _ in told)
    whole = len(announcements())
    assert by_day == {"0306": whole - 36, "0309": whole, "0310": whole, "0311": 36}
    monday = [values for moment, values in told if f"{moment:%m%d}" == "0309"]
    assert list(dict.fromkeys(value for value, _, _ in monday)) == list("03248saebcd9")
    assert monday[:2] == [("0", "083000", "003000"), ("0", "083100", "002900")]
    assert monday[36:38] == [("2", "152000", "001000"), ("2", "152100", "000900")]
    assert monday[50] == ("2", "152950", "000010")
    assert monday[51:54] == [("4", "153000", "000000"), ("8", "888888", "000000"), ("s", "153500", "000000")]


def test_an_always_open_market_announces_nothing_but_the_end_of_its_day(start):
    program = start(start=datetime(2026, 3, 10, 23, 58, 30, tzinfo=KST), market_size=5).login()
    program.call("SetRealReg", "3000", "", "215", "0")
    assert program.advance(60) == []
    assert [each.arguments for each in program.advance(60)] == [("09", "장시작시간", "9\t999999\t000000")]


def test_one_s_own_order_comes_before_the_tick_it_causes(program):
    program.call("SetRealReg", "3000", CODE, PRICES, "0")
    program.advance(1)
    heard = program.order(1, CODE, 1)
    names = [each.name if each.name != "OnReceiveRealData" else each.arguments[1] for each in heard]
    assert names.index("OnReceiveMsg") < names.index("OnReceiveTrData") < names.index("OnReceiveChejanData")


def test_a_slot_that_unregisters_gets_no_more(program):
    told = []

    def once(code, kind, raw):
        told.append(kind)
        program.control.SetRealRemove("ALL", "ALL")

    program.control.OnReceiveRealData.connect(once)
    program.call("SetRealReg", "3000", CODE, "10;27;41", "0")
    program.advance(5)
    assert len(told) == 1


def test_a_new_day_tells_limits_and_quotes_of_what_is_registered(start):
    program = start(start=datetime(2026, 3, 10, 23, 59, 50, tzinfo=KST)).login()
    program.call("SetRealReg", "3000", CODE, "10;305", "0")
    days = [
        each for each in program.named("OnReceiveRealData", 15) if each.arguments[1] in ("주식시세", "주식종목정보")
    ]
    assert [each.arguments[:2] for each in days] == [(CODE, "주식종목정보"), (CODE, "주식시세")]
    facts, quote = (each.arguments[2].split("\t") for each in days)
    issue = program.world.exchange.instruments[CODE]
    assert facts[3:6] == [f"+{issue.upper}", f"-{issue.lower}", str(issue.base_price)]
    assert len(quote) == 19
    assert quote[0] == f" {issue.base_price}"


def test_the_end_of_trading_tells_the_quote(start):
    program = start(hours="krx", start=datetime(2026, 3, 10, 15, 29, 50, tzinfo=KST)).login()
    program.call("SetRealReg", "3000", CODE, "10", "0")
    quotes = [each for each in program.named("OnReceiveRealData", 30) if each.arguments[1] == "주식시세"]
    assert [each.moment.time().isoformat() for each in quotes] == ["15:30:00"]
    assert quotes[0].values[13] == str(program.world.exchange.quote(CODE).volume)


def test_announcements_of_a_day_with_later_hours():
    usual, late = announcements(), announcements(1, 1)
    assert len(usual) == len(late)
    assert [each[1] for each in usual] == [each[1] for each in late]
    assert late[0] == (time(9, 30), "0", "093000", "003000")
    assert (time(10), "3", "100000", "000000") in late
    assert (time(16, 31), "8", "888888", "000000") in late
    assert late[-2:] == usual[-2:]
    assert announcements(1, 0)[-20:] == usual[-20:]


def test_announcements_of_days_that_ended_at_15():
    clock, told = ManualClock(datetime(2016, 7, 29, tzinfo=KST)), []
    Timetable(clock, lambda *values: told.append((clock.now(), *values)))
    clock.advance(4 * 86400)  # over a weekend, to the end of the first day that ended at 15:30
    ends = [(f"{moment:%m%d %H%M}", tells) for moment, value, tells, _ in told if value == "4"]
    assert ends == [("0729 1500", "150000"), ("0801 1530", "153000")]
    old, new = ([each[1:] for each in told if each[0].day == day] for day in (29, 1))
    assert [each[0] for each in old] == [each[0] for each in new]
    closing = next(each for each in told if each[1] == "2")
    assert (f"{closing[0]:%H%M}", *closing[2:]) == ("1450", "145000", "001000")
    assert [f"{each[0]:%H%M}" for each in told if each[0].day == 29][-2:] == ["1800", "1801"]


def told(program, seconds, kind):
    return [each for each in program.named("OnReceiveRealData", seconds) if each.arguments[1] == kind]


def values_of(event):
    fids, data = real_type(event.arguments[1]).fids, event.arguments[2].split("\t")
    assert len(fids) == len(data)
    return dict(zip(fids, data, strict=True))


ETF = "069500"


@pytest.mark.parametrize(
    ("kind", "code", "fid"),
    [("주식당일거래원", CODE, "141"), ("종목프로그램매매", CODE, "202"), ("ETF NAV", ETF, "36")],
)
def test_what_is_known_beside_trades_comes_every_ten_seconds_by_a_fid_of_its_own(start, kind, code, fid):
    program = start(server="mock").login()
    program.call("SetRealReg", "3000", code, "10;13;20", "0")
    assert told(program, 30, kind) == []
    program.call("SetRealReg", "3000", code, fid, "0")
    events = told(program, 35, kind)
    assert 1 <= len(events) <= 3
    assert {each.arguments[:2] for each in events} == {(code, kind)}
    for each in events:
        values_of(each)


def test_a_query_registers_them_too(program):
    program.ask("opt10001", 종목코드=CODE)
    kinds = {each.arguments[1] for each in program.named("OnReceiveRealData", 30)}
    assert {"주식체결", "주식호가잔량", "주식당일거래원", "종목프로그램매매"} <= kinds
    assert "ETF NAV" not in kinds


def test_firms_add_up_and_tell_what_changed(program):
    program.call("SetRealReg", "3000", CODE, "141", "0")
    first, second = (values_of(each) for each in told(program, 25, "주식당일거래원")[:2])
    for quantity, change, code in ((161, 166, 146), (171, 176, 156)):
        amounts = [int(second[quantity + place]) for place in range(5)]
        assert amounts == sorted(amounts, reverse=True)
        before = {first[code + place]: int(first[quantity + place]) for place in range(5)}
        for place in range(5):
            if second[code + place] in before:
                grown = int(second[quantity + place]) - before[second[code + place]]
                assert int(second[change + place]) == grown
    assert int(second[267]) == int(second[263]) - int(second[261])
    assert {second[number] for number in range(271, 276)} <= {"!!!!", "DHDB"}


def test_programs_net_is_bought_less_sold(program):
    program.call("SetRealReg", "3000", CODE, "202", "0")
    values = values_of(told(program, 15, "종목프로그램매매")[0])
    assert int(values[210]) == int(values[206]) - int(values[202])


def test_programs_of_a_market_have_a_code_of_their_own(program):
    program.call("SetRealReg", "3000", "P00101", "202", "0")
    values = values_of(told(program, 25, "프로그램매매")[-1])
    assert len(values) == 66
    assert int(values[210]) == int(values[206]) - int(values[202])
    assert float(values[197]) != 0


def test_a_fund_is_worth_about_what_it_costs(program):
    program.call("SetRealReg", "3000", ETF, "36", "0")
    values = values_of(told(program, 15, "ETF NAV")[0])
    assert abs(float(values[36].strip("+- ")) / abs(int(values[10])) - 1) < 0.01


def test_an_interruption_is_told_of_any_issue_once_opt10054_was_asked(start):
    def story(asked):
        program = start().login()
        if asked:
            inputs = {"시장구분": "000", "장전구분": "1", "종목코드": "", "발동구분": "0", "제외종목": "000000000",
                      "거래량구분": "0", "거래대금구분": "0", "발동방향": "0", "거래소구분": "1"}  # fmt: skip
            assert program.ask("opt10054", screen="1001", **inputs) == 0
        code = "900290"
        program.order(1, code, 10)
        high = program.price(code) * 108 // 1000 * 10
        program.order(2, code, 10, high, "00")
        program.advance(1)
        heard = program.order(1, code, 80_000_000 // high, high, "00")
        heard += program.advance(300)
        return [each for each in heard if each.arguments[1] == "VI발동/해제"]

    assert story(asked=False) == []
    began, ended = (values_of(each) for each in story(asked=True))
    assert [began[9068], ended[9068]] == ["1", "2"]
    assert (began[9001], began[9069], began[1279]) == ("900290", "1", "+동적")
    assert (began[1224], began[1490]) == ("000000", "1")
    assert ended[1224] > began[1223]
    assert began[1225] in ("정적", "동적", "동적+정적")
    assert began[1279].lstrip("+-") == began[1225]


def test_futures_options_and_elws_have_their_own_types(program):
    future = program.call("GetFutureList").split(";")[0]
    strike = int(program.call("GetActPriceList").split(";")[10]) / 100
    option = program.call("GetOptionCode", f"{strike:.2f}", 2, program.call("GetMonthList").split(";")[0])
    warrant = program.call("GetCodeListByMarket", "3").split(";")[0]
    program.call("SetRealReg", "3000", f"{future};{option};{warrant}", "10;41;195;666", "0")
    found = {}
    for each in program.named("OnReceiveRealData", 60):
        values = values_of(each)
        found.setdefault(each.arguments[0], set()).add(each.arguments[1])
        if each.arguments[1] == "옵션시세":  # of a call near the money: of a day, and of a percent
            assert 0.4 < float(values[190]) < 0.7
            assert -2 < float(values[193]) < 0 < float(values[192]) < 5
    assert found == {
        future: {"선물시세", "선물호가잔량", "선물이론가", "선물옵션우선호가"},
        option: {"옵션시세", "옵션호가잔량", "옵션이론가", "선물옵션우선호가"},
        warrant: {"ELW 지표", "ELW 이론가"},
    }


def test_trades_at_the_close_are_told_as_after_hours(start):
    program = start(server="real", hours="krx", start=datetime(2026, 3, 10, 15, 29, 50, tzinfo=KST)).login()
    program.call("SetRealReg", "3000", ";".join(program.world.exchange.instruments), "10;131", "0")
    trades = [values_of(each) for each in told(program, 1200, "주식체결")]
    kinds = [each[290] for each in trades]
    assert kinds == sorted(kinds)
    assert set(kinds) == {"2", "3"}
    late = [each for each in trades if each[290] == "3"]
    assert all(each[20] >= "154000" for each in late)
    volumes = [int(each[13]) for each in late if each[10] == late[0][10]]
    assert volumes


def test_the_evening_s_auctions_have_types_of_their_own(start):
    program = start(server="real", hours="krx", start=datetime(2026, 3, 10, 16, 5, tzinfo=KST)).login()
    program.call("SetRealReg", "3000", ";".join(program.world.exchange.instruments), "10010", "0")
    events = [each for each in program.named("OnReceiveRealData", 1900) if each.arguments[1].startswith("ECN")]
    trades, quotes = (
        {each.arguments[0]: values_of(each) for each in events if each.arguments[1] == kind}
        for kind in ("ECN주식체결", "ECN주식시세")
    )
    assert trades
    assert trades.keys() == quotes.keys()
    for code, values in trades.items():
        assert values[10020] in ("161000", "162000", "163000")
        assert {number: values[number] for number in quotes[code]} == quotes[code]
        assert program.world.exchange.after_hours(code).volume == int(values[10013])


def test_volume_is_told_against_what_is_usual_by_the_same_time(start):
    program = start(hours="krx").login()
    program.call("SetRealReg", "3000", CODE, PRICES, "0")
    fids = real_type(TRADE).fids
    part = program.control.submit(program.world.exchange.usual_part, program.clock.now()).result()
    assert 0.2 < part < 0.3  # an hour after the opening
    before = program.control.submit(program.world.exchange.quote, CODE).result().previous_volume
    told = ticks(program.advance(20))
    assert told
    for each in told:
        values = dict(zip(fids, each.arguments[2].split("\t"), strict=True))
        assert int(values[851]) == pytest.approx(10_000 * int(values[13]) / (before * part), rel=0.01)


@pytest.mark.parametrize(
    ("day", "market", "price", "cost"),
    [
        ("2018-06-15", "KOSPI", 83900, "278"),
        ("2018-06-15", "KOSPI", 84100, "279"),
        ("2019-12-02", "KOSDAQ", 18300, "52"),
        ("2021-06-15", "KOSPI", 81500, "213"),
        ("2021-07-20", "KOSPI", 78700, "206"),
        ("2021-08-20", "KOSPI", 72600, "190"),
        ("2022-01-18", "KOSPI", 77100, "201"),
        ("2026-05-04", "KOSPI", 251_000, "579"),
        ("2026-05-04", "KOSPI", 331_000, "763"),
    ],
)
def test_the_cost_of_a_trade_is_as_recorded(day, market, price, cost):
    issue = Instrument("A", "A", market, "stock", 1000, "", None, price, price, price)
    quote = Quote("A", price, *4 * [price], 10, 1000, 5, 5, 1, 1, price, price, None, None, None, None, 20, 2000)
    writer = DayWriter(issue, datetime.fromisoformat(day).date(), (20, 2000), lambda _: 1.0)
    assert writer.quote(quote).split("\t")[real_type("주식시세").fids.index(32)] == cost


@pytest.mark.parametrize(("high", "low", "hits"), [(130, 90, ("091500", "000000")), (120, 70, ("000000", "101500"))])
def test_when_a_limit_was_reached_is_told(high, low, hits):
    first, second = (datetime(2026, 3, 10, hour, 15, tzinfo=KST) for hour in (9, 10))
    issue = Instrument("A", "A", "KOSPI", "stock", 1000, "", None, 100, 70, 130)
    day = Quote(
        "A", 100, 100, 100, high, low, 10, 1000, 5, 5, 1, 1, 101, 99, None, first, first, second, 20, 2000
    )  # fmt: skip
    values = DayWriter(issue, first.date(), (20, 2000), lambda _: 1.0).quote(day).split("\t")
    assert tuple(values[real_type("주식시세").fids.index(fid)] for fid in (567, 568)) == hits
