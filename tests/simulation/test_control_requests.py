"""Requests and their answers."""

from __future__ import annotations

import pytest

from koapy.openapi.tr import tr


def answers(heard):
    return [each for each in heard if each.name == "OnReceiveTrData"]


def test_an_answer_comes_after_the_call_and_can_be_read_in_the_event_only(program):
    assert program.ask("opt10001", screen="1001", request="삼성", 종목코드="005930") == 0
    assert program.heard == []
    [answer] = answers(program.advance(0.02))
    assert answer.arguments == ("1001", "삼성", "opt10001", "", "0", 0, "", "", "")
    assert answer.values["종목명"] == "삼성전자"
    assert program.call("GetCommData", "opt10001", "", 0, "종목명") == ""
    assert program.call("GetRepeatCnt", "opt10001", "") == 0
    assert program.call("GetCommDataEx", "opt10001", "") == []


def test_no_message_comes_with_market_data(program):
    program.ask("opt10001", 종목코드="005930")
    assert [each.name for each in program.advance(0.02) if each.name != "OnReceiveRealData"] == ["OnReceiveTrData"]


def test_account_queries_bring_a_message_first(program):
    program.ask("opw00018", 계좌번호=program.account, 비밀번호="", 비밀번호입력매체구분="00", 조회구분="2")
    told = program.advance(0.02)
    assert [each.name for each in told] == ["OnReceiveMsg", "OnReceiveTrData"]
    assert told[0].arguments == ("1000", "질의", "opw00018", "[100000] 모의투자 조회완료")


def test_rows_can_be_read_by_every_way(program):
    control, seen = program.control, {}

    def read(screen, request, code, record, prev_next, *rest):
        seen["count"] = [control.GetRepeatCnt(code, name) for name in ("", request, "주식일봉차트조회", "다른")]
        seen["cell"] = [
            control.GetCommData(code, name, 1, "일자") for name in ("", request, "주식일봉차트조회", "다른")
        ]
        seen["other"] = control.GetCommData("opt10001", "", 1, "일자"), control.GetRepeatCnt("opt10001", "")
        seen["edges"] = [control.GetCommData(code, "", index, "일자") for index in (-1, 600)]
        seen["unknown"] = control.GetCommData(code, "", 0, "없는항목")
        seen["table"] = control.GetCommDataEx(code, "")
        seen["stripped"] = control.GetCommData(code, "", 1, " 일자 ")

    control.OnReceiveTrData.connect(read)
    program.ask("opt10081", 종목코드="005930", 기준일자="", 수정주가구분="1")
    program.advance(0.02)
    date = seen["table"][1][4]
    assert seen["count"] == [600, 600, 600, 0]
    assert seen["cell"] == [date, date, date, ""]
    assert seen["stripped"] == date
    assert seen["other"] == ("", 0)
    assert seen["edges"] == ["", ""]
    assert seen["unknown"] == ""
    assert len(seen["table"]) == 600


def test_tr_codes_come_back_as_they_were_sent(program):
    program.ask("OPT10001", 종목코드="005930")
    [answer] = answers(program.advance(0.02))
    assert answer.arguments[2] == "OPT10001"
    assert answer.values["종목명"] == "삼성전자"


def test_pages_follow_each_other(program):
    dates = []
    for page in range(2):
        program.ask("opt10081", prev_next=2 * page, 종목코드="005930", 수정주가구분="1")
        [answer] = answers(program.advance(0.5))
        assert answer.arguments[4] == "2" or page == 1
        dates += [row[4] for row in answer.rows]
    assert len(set(dates)) == len(dates) > 600
    assert dates == sorted(dates, reverse=True)


def test_another_request_in_between_leaves_a_continuation_alone(program):
    program.ask("opt10081", 종목코드="005930", 수정주가구분="1")
    [first] = answers(program.advance(0.5))
    program.ask("opt10001", 종목코드="005930")
    program.advance(1)
    program.ask("opt10081", prev_next=2, 종목코드="005930", 수정주가구분="1")
    [following] = answers(program.advance(0.5))
    assert following.rows[0][4] < first.rows[-1][4]


def test_inputs_go_with_one_request(program):
    program.ask("opt10001", 종목코드="005930")
    program.advance(0.5)
    program.ask("opt10001")
    told = program.advance(0.5)
    assert all(each.values["종목명"] != "삼성전자" for each in answers(told))


@pytest.mark.parametrize(
    "inputs",
    [{"없는입력": "1"}, {"종목코드": "005930", "계좌번호": "1"}, {"수정주가구분": "1", "종목코드": "005930"}],
)
def test_inputs_that_the_tr_has_not_are_told_without_naming_the_request(program, inputs):
    assert program.ask("opt10081", **inputs) == 0
    told = program.advance(0.5)
    assert [(each.name, each.arguments) for each in told] == [
        ("OnReceiveMsg", ("", "", "", "Fail to parse Request TR"))
    ]


def test_a_tr_of_another_edition_says_that_it_is_not_offered(program, monkeypatch):
    later = tr("opt10059")._replace(code="opt77777")
    monkeypatch.setattr("koapy.simulation.requests.is_tr", lambda code: True)
    monkeypatch.setattr("koapy.simulation.requests.tr", lambda code: later)
    assert program.ask("opt77777", screen="1002", request="투자자") == 0
    told = program.advance(0.5)
    assert [(each.name, each.arguments) for each in told] == [
        ("OnReceiveMsg", ("1002", "투자자", "opt77777", "서비스 TR을 확인바랍니다.(0006)"))
    ]


@pytest.mark.parametrize("code", ["opt00000", "", "OPTKWFID", "optfofid"])
def test_requests_that_cannot_be_made(program, code):
    assert program.ask(code, 종목코드="005930") == -201
    assert program.advance(0.5) == []


def test_many_codes_in_one_request(program):
    assert program.call("CommKwRqData", "005930;000660;", 0, 2, 0, "관심", "1003") == 0
    [answer] = answers(program.advance(0.02))
    assert answer.arguments[:3] == ("1003", "관심", "OPTKWFID")
    assert [row[0] for row in answer.rows] == ["005930", "000660"]


@pytest.mark.parametrize(
    ("codes", "count", "kind", "value"),
    [("005930;" * 101, 101, 0, -204), ("", 0, 0, -202), ("005930", 1, 1, -202), ("005930", 101, 0, -204)],
)
def test_many_codes_that_cannot_be_asked(program, codes, count, kind, value):
    assert program.call("CommKwRqData", codes, 0, count, kind, "관심", "1003") == value


def test_an_answer_that_fails_is_logged_and_nothing_else_stops(program, caplog, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("in a responder")

    with monkeypatch.context() as patch:
        patch.setattr("koapy.simulation.requests.answering", broken)
        program.ask("opt10001", 종목코드="005930")
        assert program.advance(0.5) == []
    assert "in a responder" in caplog.text
    program.ask("opt10001", 종목코드="005930")
    assert answers(program.advance(0.5))


def test_a_ranking_over_many_days_lets_others_be_answered_first(start):
    program = start(market_size=60).login()
    program.ask("opt10034", screen="1001", request="오래", 시장구분="000", 매매구분="2", 기간="60")
    program.ask("opt10001", screen="1002", request="짧게", 종목코드="005930")
    told = [each.arguments[1] for each in answers(program.advance(1))]
    assert told == ["짧게", "오래"]
