"""Quotes of many codes: chunks of 100, asked at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.server.events import EventConnect, ReceiveMsg, ReceiveTrData, Table
from koapy.server.machines import Ask, Done, Limit, Send
from koapy.server.machines.keyword import Chunk, KeywordQuery, chunks

TWO = [Chunk(("005930", "000660"), "r1", "0001"), Chunk(("035720",), "r2", "0002")]


def answer(name: str = "삼성전자", prev_next: str = "") -> ReceiveTrData:
    return ReceiveTrData("0101", "관심종목", "OPTKWFID", "", prev_next, None, Table(("종목명",), ((name,),)))


@pytest.mark.parametrize(("tr_code", "kind"), [("OPTKWFID", 0), ("OPTFOFID", 3)])
def test_everything_is_asked_at_once(tr_code: str, kind: int) -> None:
    assert KeywordQuery(tr_code, TWO).start() == [
        Ask((("CommKwRqData", ("005930;000660", 0, 2, kind, "r1", "0001")),), Limit.TR),
        Ask((("CommKwRqData", ("035720", 0, 1, kind, "r2", "0002")),), Limit.TR),
    ]


def test_answers_are_sent_as_they_come_and_the_last_one_ends_it() -> None:
    query = KeywordQuery("OPTKWFID", TWO)
    first, second = answer("카카오"), answer("삼성전자")
    assert query.waiting_for == "2 of 2 answers of OPTKWFID"
    assert query.received(first) == [Send(first)]
    assert query.waiting_for == "1 of 2 answers of OPTKWFID"
    assert query.received(second) == [Send(second), Done()]


def test_an_answer_that_would_continue_is_an_error() -> None:
    sent, done, *_ = KeywordQuery("OPTKWFID", TWO).received(answer(prev_next="2"))
    assert isinstance(sent, Send)
    assert isinstance(done, Done)
    assert done.failure is not None
    assert "prev_next '2'" in done.failure.text


def test_a_refused_request_and_an_error_told_end_it() -> None:
    query = KeywordQuery("OPTKWFID", TWO)
    ask = query.start()[0]
    assert isinstance(ask, Ask)
    assert query.returned(ask, 0) == []
    for effects, text in (
        (query.returned(ask, -200), "CommKwRqData was refused: -200"),
        (query.received(ReceiveMsg("0101", "관심종목", "", "서비스 TR을 확인바랍니다.(0006)")), "OPTKWFID: 서비스"),
        (query.received(EventConnect(-106)), "2 of 2 answers"),
    ):
        assert isinstance(effects[0], Done)
        assert effects[0].failure is not None
        assert text in effects[0].failure.text
    assert query.received(ReceiveMsg("0101", "관심종목", "", "[100000] 조회가 완료되었습니다.")) == []


def test_every_screen_is_given_back() -> None:
    released = KeywordQuery("OPTKWFID", TWO).release()
    assert released == [Ask((("DisconnectRealData", ("0001",)), ("DisconnectRealData", ("0002",))))]


@given(st.lists(st.from_regex("[0-9]{6}", fullmatch=True), max_size=350))
def test_chunks_keep_codes_and_order(codes: list[str]) -> None:
    parts = chunks(codes)
    assert [code for part in parts for code in part] == codes
    assert all(len(part) == 100 for part in parts[:-1])
    assert all(1 <= len(part) <= 100 for part in parts)
