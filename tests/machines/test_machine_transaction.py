"""The life of a TransactionCall: pages, stop conditions, errors."""

from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.openapi.tr import tr
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.events import Event, EventConnect, ReceiveMsg, ReceiveTrData, Table
from koapy.server.machines import Ask, Done, Effect, Limit, Send
from koapy.server.machines.transaction import StopCondition, Transaction

CODE = "OPT10081"
INPUTS = {"종목코드": "005930", "수정주가구분": "1", "모르는입력": "x"}
NAMES = ("일자", "현재가")


def transaction(stop: StopCondition | None = None, code: str = CODE, inputs: dict[str, str] = INPUTS) -> Transaction:
    return Transaction(tr(code), code, inputs, "r1", "0001", stop)


def page(
    *days: str, prev_next: str = "0", single: Table | None = None, names: tuple[str, str] = NAMES
) -> ReceiveTrData:
    rows = Table(names, tuple((day, "70000") for day in days)) if days else None
    return ReceiveTrData("0101", "일봉", CODE, "", prev_next, single, rows)


def ask(prev_next: int) -> Ask:
    names = tr(CODE).input_names
    inputs = tuple(("SetInputValue", (name, INPUTS.get(name, ""))) for name in names)
    return Ask((*inputs, ("CommRqData", ("r1", CODE, prev_next, "0001"))), Limit.TR)


def days(effects: list[Effect]) -> list[str]:
    """The first column of the rows of the message that is sent."""
    (sent,) = (each for each in effects if isinstance(each, Send))
    return [row.values[0] for row in sent.event.message.multi_data.values]


def failure_text(effects: list[Effect], status: grpc.StatusCode = grpc.StatusCode.ABORTED) -> str:
    (done,) = effects
    assert isinstance(done, Done)
    assert done.failure is not None
    assert done.failure.status is status
    return done.failure.text


def test_all_inputs_of_the_catalogue_are_set_in_its_order() -> None:
    assert tr(CODE).input_names[:3] == ("종목코드", "기준일자", "수정주가구분")
    assert transaction().start() == [ask(0)]


@pytest.mark.parametrize("prev_next", ["", "0", " "])
def test_the_last_page_is_sent(prev_next: str) -> None:
    machine = transaction()
    machine.start()
    event = page("20240105", prev_next=prev_next)
    assert machine.received(event) == [Send(event), Done()]


@pytest.mark.parametrize("prev_next", ["2", "7"])
def test_the_next_page_is_asked_before_this_one_is_sent(prev_next: str) -> None:
    machine = transaction()
    machine.start()
    event = page("20240105", prev_next=prev_next)
    assert machine.received(event) == [ask(int(prev_next)), Send(event)]


def test_a_continuation_that_is_no_number() -> None:
    machine = transaction()
    sent, done = machine.received(page("20240105", prev_next="x"))
    assert isinstance(sent, Send)
    assert "'x'" in failure_text([done])


def test_it_says_which_page_it_waits_for() -> None:
    machine = transaction()
    machine.start()
    assert machine.waiting_for == "page 1 of OPT10081"
    machine.received(page("20240105", prev_next="2"))
    assert machine.waiting_for == "page 2 of OPT10081"


def test_the_screen_is_given_back() -> None:
    assert transaction().release() == [Ask((("DisconnectRealData", ("0001",)),))]


THREE = ("20240105", "20240104", "20240103")


@pytest.mark.parametrize(
    ("comparator", "value", "left"),
    [
        (pb.LESS_THAN_OR_EQUAL_TO, "20240104", 1),
        (pb.LESS_THAN, "20240104", 2),
        (pb.GREATER_THAN_OR_EQUAL_TO, "20240105", 0),
        (pb.GREATER_THAN, "20240105", 3),
        (pb.EQUAL_TO, "20240103", 2),
        (pb.NOT_EQUAL_TO, "20240105", 1),
        (pb.LESS_THAN, "3", 0),  # text, not numbers: "20240105" < "3"
    ],
)
def test_stop_conditions(comparator: int, value: str, left: int) -> None:
    machine = transaction(StopCondition("일자", comparator, value))
    effects = machine.received(page(*THREE, prev_next="2"))
    assert days(effects) == list(THREE[:left])
    assert [each for each in effects if not isinstance(each, Send)] == ([Done()] if left < 3 else [ask(2)])


def test_a_page_that_stops_at_its_first_row_keeps_names_and_single_data() -> None:
    machine = transaction(StopCondition("일자", pb.LESS_THAN_OR_EQUAL_TO, "20240105"))
    single = Table(("종목코드",), (("005930",),))
    sent, done = machine.received(page(*THREE, prev_next="2", single=single))
    assert done == Done()
    assert isinstance(sent, Send)
    assert list(sent.event.message.multi_data.names) == list(NAMES)
    assert not sent.event.message.multi_data.values
    assert list(sent.event.message.single_data.values) == ["005930"]


@pytest.mark.parametrize("name", ["모르는이름", "", "종목코드"])
def test_a_name_that_the_rows_do_not_have_makes_no_condition(name: str) -> None:
    machine = transaction(StopCondition(name, pb.NOT_EQUAL_TO, "x"))
    single = Table(("종목코드",), (("005930",),))
    assert days(machine.received(page(*THREE, prev_next="2", single=single))) == list(THREE)


def test_a_page_without_rows_meets_no_condition() -> None:
    machine = transaction(StopCondition("일자", pb.NOT_EQUAL_TO, "x"))
    assert machine.received(page(prev_next="2"))[0] == ask(2)


def test_rows_that_are_read_by_single_names_come_without_a_single_part() -> None:
    single = Table(NAMES, (("20240105", "70000"),))
    machine = transaction(StopCondition("일자", pb.EQUAL_TO, "20240103"))
    sent, done = machine.received(page(*THREE, single=single))
    assert done == Done()
    assert isinstance(sent, Send)
    assert not sent.event.message.HasField("single_data")
    assert days([sent]) == list(THREE[:2])
    (sent, _) = transaction().received(page(*THREE, single=single))
    assert isinstance(sent, Send)
    assert not sent.event.message.HasField("single_data")


def test_a_negative_return_says_its_code() -> None:
    machine = transaction()
    assert machine.returned(ask(0), 0) == []
    assert machine.returned(ask(0), None) == []
    text = failure_text(machine.returned(ask(0), -200))
    assert text.startswith("CommRqData was refused: -200 ")


@pytest.mark.parametrize("text", ["[100000] 모의투자 조회완료", "조회할 자료가 없습니다.", "연속조회(2) 가능합니다"])
def test_messages_that_are_no_errors(text: str) -> None:
    assert transaction().received(ReceiveMsg("0101", "일봉", CODE, text)) == []


def test_a_message_that_is_an_error() -> None:
    text = failure_text(transaction().received(ReceiveMsg("0101", "일봉", CODE, "서비스 TR을 확인바랍니다.(0006)")))
    assert text == "OPT10081: 서비스 TR을 확인바랍니다.(0006)"


def test_inputs_that_openapi_cannot_read_are_named_but_no_password() -> None:
    machine = transaction(code="opw00001", inputs={"계좌번호": "8000000011", "비밀번호": "1234"})
    effects = machine.received(ReceiveMsg("", "", "", "Fail to parse Request TR"))
    text = failure_text(effects)
    assert "계좌번호='8000000011'" in text
    assert "1234" not in text
    assert isinstance(effects[0], Done)
    assert effects[0].failure is not None
    assert effects[0].failure.details["code"] == "-202"


def test_a_lost_connection() -> None:
    machine = transaction()
    machine.start()
    assert machine.received(EventConnect(0)) == []
    assert "page 1 of OPT10081" in failure_text(machine.received(EventConnect(-106)), grpc.StatusCode.UNAVAILABLE)


CELLS = st.sampled_from(["", "1", "10", "2", "-1"])
ROWS = st.lists(st.tuples(CELLS, CELLS), max_size=4)
STOPS = st.builds(StopCondition, st.sampled_from(["a", "b", "c"]), st.sampled_from(range(6)), CELLS)


def meets(stop: StopCondition, row: dict[str, str]) -> bool:
    """What a stop condition says, written another way."""
    if stop.name not in row:
        return False
    cell, value = row[stop.name], stop.value
    order = (cell > value) - (cell < value)
    return order in ((-1, 0), (-1,), (0, 1), (1,), (0,), (-1, 1))[stop.comparator]


@given(pages=st.lists(ROWS, min_size=1, max_size=4), stop=STOPS | st.none())
def test_pages_and_stop_condition_against_a_reference(
    pages: list[list[tuple[str, str]]], stop: StopCondition | None
) -> None:
    expected: list[list[tuple[str, str]]] = []
    stopped = False
    for rows in pages:
        if stopped:
            break
        kept: list[tuple[str, str]] = []
        expected.append(kept)
        for row in rows:
            stopped = stopped or (stop is not None and meets(stop, dict(zip("ab", row, strict=True))))
            if not stopped:
                kept.append(row)

    machine = transaction(stop)
    effects: list[Effect] = machine.start()
    answers: list[Event] = [
        ReceiveTrData(
            "", "", CODE, "", "2" if at < len(pages) else "", None, Table(("a", "b"), tuple(rows)) if rows else None
        )
        for at, rows in enumerate(pages, 1)
    ]
    sent = []
    while any(isinstance(each, Ask) for each in effects):
        effects = machine.received(answers.pop(0))
        (told,) = (each for each in effects if isinstance(each, Send))
        sent.append([tuple(row.values) for row in told.event.message.multi_data.values])
    assert effects[-1] == Done()
    assert sent == expected
    assert len(answers) == len(pages) - len(expected)
