"""The life of a ConditionCall."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.server.events import EventConnect, ReceiveMsg, ReceiveRealCondition, ReceiveTrCondition, ReceiveTrData, Table
from koapy.server.machines import Ask, Done, Effect, Limit, Send
from koapy.server.machines.condition import Condition, hits

NAME, INDEX = "중소형 저평가주", 1


def condition(search_type: int = 0, info: str = "") -> Condition:
    return Condition(NAME, INDEX, search_type, "r1", "0001", info)


def search(search_type: int) -> Ask:
    return Ask((("SendCondition", ("0001", NAME, INDEX, search_type)),), Limit.CONDITION, f"{INDEX}^{NAME}")


def info(*codes: str, kind: int = 0) -> Ask:
    return Ask((("CommKwRqData", (";".join(codes), 0, len(codes), kind, "r1", "0001")),), Limit.TR)


def found(*codes: str, more: int = 0) -> ReceiveTrCondition:
    return ReceiveTrCondition("0101", "".join(f"{code};" for code in codes), NAME, INDEX, more)


def signal(code: str, kind: str = "I") -> ReceiveRealCondition:
    return ReceiveRealCondition(code, kind, NAME, str(INDEX))


def quotes(prev_next: str = "") -> ReceiveTrData:
    return ReceiveTrData(
        "0101", "관심종목정보요청", "OPTKWFID", "", prev_next, None, Table(("종목명",), (("삼성전자",),))
    )


def failure_text(effects: list[Effect]) -> str:
    assert isinstance(effects[-1], Done)
    assert effects[-1].failure is not None
    return effects[-1].failure.text


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("", []),
        (";", []),
        ("005930;000660;", ["005930", "000660"]),
        ("005930;000660", ["005930", "000660"]),
        ("005930^70000;000660^130000;", ["005930", "000660"]),
    ],
)
def test_hits(codes: str, expected: list[str]) -> None:
    assert hits(codes) == expected


def test_a_search_ends_after_its_list() -> None:
    machine = condition()
    assert machine.start() == [search(0)]
    assert NAME in machine.waiting_for
    event = found("005930")
    assert machine.received(event) == [Send(event), Done()]


def test_a_list_is_continued() -> None:
    machine = condition()
    first, second = found("005930", more=2), found("000660")
    assert machine.received(first) == [Send(first), search(2)]
    assert machine.waiting_for
    assert machine.received(second) == [Send(second), Done()]


def test_a_real_time_search_goes_on_with_signals() -> None:
    machine = condition(1)
    assert machine.start() == [search(1)]
    listed, into, out = found("005930"), signal("000660"), signal("005930", "D")
    assert machine.received(listed) == [Send(listed)]
    assert machine.waiting_for == ""
    assert machine.received(into) == [Send(into)]
    assert machine.received(out) == [Send(out)]


@pytest.mark.parametrize(("tr_code", "kind"), [("OPTKWFID", 0), ("OPTFOFID", 3)])
def test_the_quotes_of_the_hits_come_before_the_end(tr_code: str, kind: int) -> None:
    machine = condition(info=tr_code)
    event, answer = found("005930^70000", "000660^130000"), quotes()
    assert machine.received(event) == [Send(event), info("005930", "000660", kind=kind)]
    assert machine.waiting_for == f"1 answers of {tr_code}"
    assert machine.received(answer) == [Send(answer), Done()]


def test_no_hits_need_no_quotes() -> None:
    assert condition(info="OPTKWFID").received(found())[1:] == [Done()]


def test_quotes_of_many_hits_are_asked_by_hundreds() -> None:
    machine = condition(info="OPTKWFID")
    codes = [f"{number:06}" for number in range(250)]
    asks = machine.received(found(*codes))[1:]
    assert asks == [info(*codes[:100]), info(*codes[100:200]), info(*codes[200:])]
    assert [len(machine.received(quotes())) for _ in asks] == [1, 1, 2]  # the last one brings Done


def test_each_signal_brings_quotes_in_and_out() -> None:
    machine = condition(1, "OPTKWFID")
    machine.received(found())
    assert machine.received(signal("000660"))[1:] == [info("000660")]
    assert machine.received(signal("000660", "D"))[1:] == [info("000660")]
    assert machine.waiting_for == "2 answers of OPTKWFID"
    assert [len(machine.received(quotes())) for _ in range(2)] == [1, 1]
    assert machine.waiting_for == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0, "SendCondition returned 0"), (-11, "SendCondition was refused: -11"), (1, ""), (None, "")]
)
def test_what_send_condition_returns(value: object, text: str) -> None:
    effects = condition().returned(search(0), value)
    assert bool(effects) == bool(text)
    assert not text or text in failure_text(effects)


def test_errors_of_the_quotes() -> None:
    machine = condition(1, "OPTKWFID")
    assert machine.returned(info("005930"), 0) == []
    assert "CommKwRqData was refused: -200" in failure_text(machine.returned(info("005930"), -200))
    assert machine.received(ReceiveMsg("0101", "", "", "[100000] 조회가 완료되었습니다.")) == []
    assert "(0006)" in failure_text(machine.received(ReceiveMsg("0101", "", "", "서비스 TR을 확인바랍니다.(0006)")))
    assert "cannot continue" in failure_text(machine.received(quotes("2"))[:2])


def test_a_lost_connection() -> None:
    machine = condition(1)
    assert machine.received(EventConnect(0)) == []
    assert "no longer watched" in failure_text(machine.received(EventConnect(-106)))


def test_the_search_is_stopped_and_the_screen_given_back() -> None:
    stop = ("SendConditionStop", ("0001", NAME, INDEX))
    assert condition().release() == [Ask((stop, ("DisconnectRealData", ("0001",))))]


@given(
    sizes=st.lists(st.integers(0, 230), min_size=1, max_size=4),
    with_info=st.booleans(),
    data=st.data(),
)
def test_a_search_ends_when_all_lists_and_all_quotes_have_come(
    sizes: list[int], with_info: bool, data: st.DataObject
) -> None:
    machine = condition(info="OPTKWFID" if with_info else "")
    owed = asked = 0
    lists = [found(*["005930"] * size, more=2 if at < len(sizes) else 0) for at, size in enumerate(sizes, 1)]
    while True:
        quotes_next = owed and (not lists or data.draw(st.booleans()))
        effects = machine.received(quotes() if quotes_next else lists.pop(0))
        owed -= bool(quotes_next)
        new = [each for each in effects if isinstance(each, Ask) and each.limit is Limit.TR]
        owed, asked = owed + len(new), asked + len(new)
        over = not lists and not owed
        assert (effects[-1] == Done()) == over
        if over:
            break
    assert asked == (sum(-(-size // 100) for size in sizes) if with_info else 0)
