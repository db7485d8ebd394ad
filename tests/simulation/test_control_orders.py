"""Orders: what OnReceiveMsg, OnReceiveTrData and OnReceiveChejanData tell, in which order, FID by FID."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.openapi.chejan import chejan_fids
from koapy.openapi.tr import tr as known

BUY, SELL, CANCEL_BUY, CANCEL_SELL, MODIFY_BUY, MODIFY_SELL = range(1, 7)
LIMIT, MARKET = "00", "03"
CODE = "005930"


def story(heard):
    """Tell events of orders shortly: texts, numbers, FIDs 913, 902, 905, 819 of orders, 930, 933 of balances."""
    told = []
    for each in heard:
        if each.name == "OnReceiveMsg":
            told.append(each.arguments[3])
        elif each.name == "OnReceiveTrData":
            told.append(each.values["주문번호"])
        elif each.name == "OnReceiveChejanData" and each.arguments[0] == "0":
            told.append((each.values[9203], each.values[913], each.values[902], each.values[905], each.values[819]))
        elif each.name == "OnReceiveChejanData":
            told.append(("잔고", each.values[930], each.values[933]))
    return told


def chejan(heard, gubun):
    return [each.values for each in heard if each.name == "OnReceiveChejanData" and each.arguments[0] == gubun]


def test_a_market_buy_is_told_as_recorded(program):
    heard = program.order(BUY, CODE, 1, request="삼성전자 1주 시장가 신규 매수", screen="0001")
    message, answer, accepted, filled, balance = [each for each in heard if each.name != "OnReceiveRealData"]
    assert message.arguments == (
        "0001",
        "삼성전자 1주 시장가 신규 매수",
        "KOA_NORMAL_BUY_KP_ORD",
        "[100000] 모의투자 매수주문완료",
    )
    name = "삼성전자 1주 시장가 신규 매수"
    assert answer.arguments == ("0001", name, "KOA_NORMAL_BUY_KP_ORD", "", "", 0, "", "", "")
    number = answer.values["주문번호"]
    assert len(number) == 7
    assert number.isdigit()
    assert accepted.arguments == ("0", 40, ";".join(map(str, chejan_fids("0"))))
    assert balance.arguments == ("1", 37, ";".join(map(str, chejan_fids("1"))))
    price = filled.values[914]
    # What a recorded order of 2022 has in these FIDs, with this order's number, time and prices.
    assert _without(accepted.values, 10, 27, 28, 10010) == {
        9201: program.account, 9203: number, 9205: "", 9001: "A005930", 912: "JJ", 913: "접수",
        302: "삼성전자" + " " * 32, 900: "1", 901: "0", 902: "1", 903: "0", 904: "0000000", 905: "+매수",
        906: "시장가", 907: "2", 908: "100001", 909: "", 910: "", 911: "", 914: "", 915: "", 938: "0", 939: "0",
        919: "0", 920: "0001", 921: "", 922: "00", 923: "00000000", 949: "3", 969: "0", 819: "0",
        2134: "1", 2135: "KRX", 2136: "N", 2137: "", 2138: "",
    }  # fmt: skip
    assert _differences(accepted.values, filled.values) == {
        913: "체결", 902: "0", 903: price, 909: filled.values[909], 910: price, 911: "1", 914: price, 915: "1",
        938: str(int(price) * 35 // 10000 // 10 * 10),
    }  # fmt: skip
    assert filled.values[909].isdigit()
    assert _without(balance.values, 10, 27, 28, 10010, 25, 11, 12, 305, 306, 307, 930, 931, 932, 933) == {
        9201: program.account, 9001: "A005930", 917: "00", 916: "00000000", 302: "삼성전자" + " " * 32, 945: "1",
        946: "2", 950: "0", 951: "0", 8019: "0.00", 957: "0", 958: "0", 918: "00000000", 990: "0", 991: "0.00",
        992: "0", 993: "0.00", 959: "0", 924: "0", 970: "10", 10012: "0.00", 10025: "3", 10011: " 0",
    }  # fmt: skip


def _without(values, *fids):
    return {fid: value for fid, value in values.items() if fid not in fids}


def _differences(before, after):
    return {fid: after[fid] for fid in after if after[fid] != before[fid] and fid not in (10, 27, 28)}


def test_a_sell_tells_the_orderable_quantity_first(program):
    [bought] = chejan(program.order(BUY, CODE, 10), "1")[-1:]
    quantity = int(bought[930])
    told = story(program.order(SELL, CODE, 4))
    number = told[1]
    assert told[:4] == [
        "[100000] 모의투자 매도주문완료",
        number,
        (number, "접수", "4", "-매도", "0"),
        ("잔고", str(quantity), str(quantity - 4)),
    ]
    assert told[4][:2] == (number, "체결")
    assert told[-1] == ("잔고", str(quantity - 4), str(quantity - 4))
    assert all(first[1] == "체결" and second[0] == "잔고" for first, second in zip(told[4::2], told[5::2], strict=True))


def test_a_kosdaq_order_has_its_own_tr_code(start):
    program = start(market_size=100).login()
    codes = program.call("GetCodeListByMarket", "10").split(";")
    heard = program.order(BUY, codes[0], 1)
    assert [each.arguments[2] for each in heard if each.name == "OnReceiveTrData"] == ["KOA_NORMAL_BUY_KQ_ORD"]


def test_a_cancelled_buy_ends_with_its_closing_signal(program):
    price = low(program)
    number = story(program.order(BUY, CODE, 3, price, LIMIT))[1]
    heard = program.order(CANCEL_BUY, CODE, 3, 0, LIMIT, number, screen="2001")
    told = story(heard)
    cancel = told[1]
    assert cancel != number
    assert told == [
        "[100000] 모의투자 취소주문완료",
        cancel,
        (cancel, "접수", "3", "매수취소", "0"),
        (cancel, "확인", "0", "매수취소", "0"),
        (number, "접수", "0", "+매수", "1"),
    ]
    accepted, confirmed, closing = chejan(heard, "0")
    assert accepted[904] == confirmed[904] == number
    assert (accepted[920], closing[920]) == ("2001", "2000")
    assert closing[904] == "0000000"
    assert closing[911] == ""
    assert [each.arguments[2] for each in heard if each.name == "OnReceiveTrData"] == ["KOA_NORMAL_KP_CANCEL"]


def low(program):
    """A price on a tick far below the market's."""
    return program.control.submit(_limit, program, 306).result()


def high(program):
    return program.control.submit(_limit, program, 305).result()


def _limit(program, which):
    instrument = program.world.exchange.instruments[CODE]
    return instrument.lower if which == 306 else instrument.upper


def test_a_cancelled_sell_frees_what_it_bound(program):
    program.order(BUY, CODE, 5)
    first = program.order(SELL, CODE, 5, high(program), LIMIT)
    number, bound = story(first)[1], chejan(first, "1")[-1]
    heard = program.order(CANCEL_SELL, CODE, 0, 0, LIMIT, number)
    told = story(heard)
    assert [each[1] for each in told[2:5]] == ["접수", "확인", "접수"]
    assert told[4] == (number, "접수", "0", "-매도", "1")
    assert told[5:] == [("잔고", bound[930], str(int(bound[933]) + 5))]


def test_a_modified_order_lives_on_under_its_new_number(program):
    price = low(program)
    number = story(program.order(BUY, CODE, 3, price, LIMIT))[1]
    ask = program.control.submit(lambda: program.world.exchange.quote(CODE).best_ask).result()
    heard = program.order(MODIFY_BUY, CODE, 3, ask, LIMIT, number)
    told = story(heard)
    new = told[1]
    assert told[0] == "[100000] 모의투자 매수주문완료"
    assert told[2:5] == [
        (new, "접수", "3", "+매수정정", "0"),
        (new, "확인", "3", "+매수정정", "0"),
        (number, "접수", "0", "+매수", "1"),
    ]
    assert [each.arguments[2] for each in heard if each.name == "OnReceiveTrData"] == ["KOA_NORMAL_KP_MODIFY"]
    fills = [each for each in chejan([*heard, *program.advance(30)], "0") if each[913] == "체결" and each[819] == "0"]
    assert fills
    assert {each[9203] for each in fills} == {new}
    assert {each[905] for each in fills} == {"+매수정정"}


REFUSED = [
    ((BUY, CODE, 10_000_000, 0, MARKET), "[RC4025] 모의투자 매수증거금이 부족합니다."),
    ((BUY, CODE, 1, 1000, MARKET), "[00Z237] 모의투자 단가를 입력하지 않는 호가입니다."),
    ((BUY, CODE, 1, 1, LIMIT), "[RC4027] 모의투자 상/하한가 오류입니다."),
    ((BUY, CODE, 0, 0, MARKET), "[00Z214] 모의투자 주문수량을 확인하세요"),
    ((SELL, CODE, 1_000_000, 0, MARKET), "[800033] 모의투자 매도가능수량이 부족합니다."),
    ((BUY, CODE, 1, 0, "06"), "[RC4026] 모의투자 최유리지정가와 최우선지정가 주문은 불가합니다."),
    ((BUY, CODE, 1, 1000, "05"), "[RC9000] 모의투자에서는 해당업무가 제공되지 않습니다."),
    ((11, CODE, 1, 0, MARKET), "[RC9000] 모의투자에서는 해당업무가 제공되지 않습니다."),
    ((SELL, "101V9000", 1, 0, MARKET), "[RC4109] 모의투자 종목코드가 존재하지 않습니다"),
    ((CANCEL_BUY, CODE, 1, 0, LIMIT, "0999999"), "[RC4061] 모의투자 주문번호를 확인하세요."),
    ((CANCEL_BUY, CODE, 1, 0, LIMIT, ""), "[RC4061] 모의투자 주문번호를 확인하세요."),
    ((MODIFY_BUY, CODE, 1, 1000, LIMIT, "없음"), "[RC4061] 모의투자 주문번호를 확인하세요."),
]


@pytest.mark.parametrize(("order", "text"), REFUSED)
def test_a_refused_order_has_a_reason_no_number_and_no_chejan(program, order, text):
    heard = program.order(*order)
    assert story(heard) == [text, ""]
    assert heard[0].arguments[:2] == ("2000", "주문")
    assert heard[1].arguments[2] == heard[0].arguments[2]
    assert program.named("OnReceiveChejanData", 5) == []


def test_a_price_between_ticks_is_refused(program):
    assert story(program.order(BUY, CODE, 1, low(program) + 1, LIMIT))[0] == "[RC4003] 모의투자 호가단위 오류입니다."


def test_orders_of_another_code_or_side_cannot_be_cancelled(program):
    number = story(program.order(BUY, CODE, 1, low(program), LIMIT))[1]
    assert story(program.order(CANCEL_BUY, "000660", 1, 0, LIMIT, number)) == [
        "[RC4061] 모의투자 주문번호를 확인하세요.",
        "",
    ]
    assert story(program.order(CANCEL_SELL, CODE, 1, 0, LIMIT, number)) == [
        "[RC4033] 모의투자 정정/취소할 수량이 없습니다.",
        "",
    ]


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (1, "0000", -300),
        (1, "", -300),
        (2, "", -340),
        (2, "1234567890", -302),
        (3, 99, -300),
        (4, "", -500),
        (5, -1, -300),
        (6, -1, -300),
        (7, "99", -300),
        (7, "", -300),
    ],
)
def test_what_cannot_be_sent_has_a_return_code(program, place, value, code):
    order = ["주문", "2000", program.account, BUY, CODE, 1, 0, MARKET, ""]
    order[place] = value
    assert program.call("SendOrder", *order) == code
    assert [each for each in program.advance(1) if each.name != "OnReceiveRealData"] == []


def on_credit(program, kind, credit, loan_date=""):
    order = ("주문", "2000", program.account, kind, CODE, 1, 0, MARKET, credit, loan_date, "")
    return program.call("SendOrderCredit", *order), program.advance(0.02)


def test_the_real_server_sells_on_credit_what_was_bought_on_credit(start):
    program = start(server="real").login()
    today = f"{program.clock.now():%Y%m%d}"
    for kind, credit, loan_date in ((BUY, "03", ""), (SELL, "33", today), (BUY, "03", ""), (SELL, "99", "99991231")):
        sent, heard = on_credit(program, kind, credit, loan_date)
        assert sent == 0
        orders = [each.values for each in heard if each.name == "OnReceiveChejanData" and each.arguments[0] == "0"]
        balances = [each.values for each in heard if each.name == "OnReceiveChejanData" and each.arguments[0] == "1"]
        assert {(each[922], each[923]) for each in orders} == {(credit, today if credit == "33" else "00000000")}
        assert {(each[917], each[916]) for each in balances} == {("03", today)}
        assert balances[-1][930] == ("1" if kind == BUY else "0")


@pytest.mark.parametrize(
    ("kind", "credit", "loan_date"), [(BUY, "33", "20260310"), (BUY, "77", ""), (SELL, "33", "soon")]
)
def test_wrong_words_about_credit_have_a_return_code(start, kind, credit, loan_date):
    assert on_credit(start(server="real").login(), kind, credit, loan_date)[0] == -300


def test_the_mock_server_gives_no_credit(program):
    sent, heard = on_credit(program, BUY, "03")
    assert sent == 0
    assert story(heard) == ["[RC9000] 모의투자에서는 해당업무가 제공되지 않습니다.", ""]


@pytest.mark.parametrize("hoga", ["05", "06", "07", "10", "13", "16", "20", "23", "26"])
def test_kinds_of_order_of_the_real_server(start, program, hoga):
    best = "[RC4026] 모의투자 최유리지정가와 최우선지정가 주문은 불가합니다."
    refused = best if hoga in ("06", "07") else "[RC9000] 모의투자에서는 해당업무가 제공되지 않습니다."
    assert story(program.order(BUY, CODE, 1, 0, hoga)) == [refused, ""]
    real = start(server="real").login()
    price = real.price(CODE) if hoga in ("05", "10", "20") else 0
    assert story(real.order(BUY, CODE, 1, price, hoga))[0] == "[107066] 매수주문이 완료되었습니다."


def test_chejan_can_be_read_in_the_event_only(program):
    program.order(BUY, CODE, 1)
    assert program.call("GetChejanData", 9201) == ""


def test_a_fid_outside_of_the_list_is_empty(program):
    seen = []
    program.control.OnReceiveChejanData.connect(lambda *_: seen.append(program.control.GetChejanData(9999)))
    program.order(BUY, CODE, 1)
    assert set(seen) == {""}


def test_the_real_server_has_its_own_texts(start):
    program = start(server="real").login()
    assert story(program.order(BUY, CODE, 1))[0] == "[107066] 매수주문이 완료되었습니다."
    number = story(program.order(BUY, CODE, 1, low(program), LIMIT))[1]
    assert story(program.order(CANCEL_BUY, CODE, 1, 0, LIMIT, number))[0].startswith("[107071] 매수취소")


def test_orders_by_sor_go_to_the_one_venue_and_say_so(start, tmp_path):
    program = start(server="real", state=tmp_path / "state").login()
    heard = program.order(11, CODE, 3, low(program), LIMIT)
    assert story(heard)[0] == "[107066] 매수주문이 완료되었습니다."
    assert [values[2136] for values in chejan(heard, "0")] == ["Y"]
    number = story(heard)[1]
    # Which side it is on the original says; what it becomes is by SOR too.
    moved = story(program.order(15, CODE, 3, low(program) + 100, LIMIT, number))
    assert moved[0].startswith("[107062] 매수정정")
    plain = story(program.order(BUY, CODE, 1, low(program), LIMIT))[1]
    day = program.clock.now()
    program.close()
    program = start(server="real", state=tmp_path / "state", start=day).login()
    assert program.ask("opt10075", 계좌번호=program.account, 전체종목구분="0", 매매구분="0", 체결구분="1") == 0
    [answer] = [each for each in program.advance(0.1) if each.name == "OnReceiveTrData"]
    names = known("opt10075").multi_names
    rows = {row[names.index("주문번호")]: row[names.index("SOR구분")] for row in answer.rows}
    assert rows == {moved[1]: "Y", plain: "N"}
    program.advance(1)
    assert story(program.order(13, CODE, 3, 0, "", moved[1]))[0].startswith("[107071] 매수취소")


def test_the_mock_server_has_no_sor(program):
    assert story(program.order(11, CODE, 1)) == ["[RC9000] 모의투자에서는 해당업무가 제공되지 않습니다.", ""]


def test_the_real_server_has_its_own_texts_before_hours(start):
    program = start(server="real", hours="krx", start=datetime(2026, 3, 10, 8, 35, tzinfo=KST)).login()
    assert story(program.order(BUY, CODE, 1, 0, "61"))[0] == "[107179] 장개시전 시간외 매수주문이 완료되었습니다."
    told = story(program.order(BUY, CODE, 1, low(program), "61"))
    assert told == ["[571357] 시간외종가 주문시에는 단가를 입력하지 않습니다", ""]


def test_outside_of_the_exchange_s_hours_orders_are_refused(start):
    program = start(hours="krx", start=datetime(2026, 3, 10, 16, 30, tzinfo=KST)).login()
    assert story(program.order(BUY, CODE, 1)) == ["[RC4058] 모의투자 장종료", ""]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orders=st.lists(st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 50), st.booleans()), min_size=1, max_size=6)
)
def test_cash_and_shares_are_conserved(start, orders):
    """What chejan events tell of fills accounts for every change of cash and shares."""
    program = start(market_size=8).login()
    before = program.state()
    heard = []
    for side, quantity, market in orders:
        price = 0 if market else (low(program) if side == BUY else high(program))
        heard += program.order(side, CODE, quantity, price, MARKET if market else LIMIT)
        heard += program.advance(1)
    after = program.state()
    cash, shares, last = before.cash, before.positions[CODE].quantity, {}
    for values in chejan(heard, "0"):
        if values[913] != "체결":
            continue
        sign = 1 if values[907] == "2" else -1
        shares += sign * int(values[915])
        cash -= sign * int(values[914]) * int(values[915])
        last[values[9203]] = int(values[938]) + int(values[939])
        assert int(values[900]) == int(values[902]) + int(values[911])
    assert (after.cash, after.positions[CODE].quantity) == (cash - sum(last.values()), shares)
    balances = [values for values in chejan(heard, "1") if values[9001] == "A005930"]
    if balances:
        assert int(balances[-1][930]) == shares
    program.close()
