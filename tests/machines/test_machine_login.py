"""LoginCall and LoadConditionCall."""

from __future__ import annotations

import grpc
import pytest

from koapy.server.events import EventConnect, ReceiveConditionVer
from koapy.server.machines import Ask, Done, Effect, Send
from koapy.server.machines.login import LoadCondition, Login

CONNECT, LOAD = (Ask(((name, ()),)) for name in ("CommConnect", "GetConditionLoad"))


def failed(effects: list[Effect]) -> tuple[grpc.StatusCode, str]:
    (done,) = effects
    assert isinstance(done, Done)
    assert done.failure is not None
    return done.failure.status, done.failure.text


def test_a_login_connects_and_ends_with_its_event() -> None:
    machine = Login(connected=False)
    assert machine.start() == [CONNECT]
    assert machine.returned(CONNECT, 0) == []
    assert "OnEventConnect" in machine.waiting_for
    event = EventConnect(0)
    assert machine.received(event) == [Send(event), Done()]
    assert machine.release() == []


def test_logged_in_already_is_said_at_once() -> None:
    assert Login(connected=True).start() == [Send(EventConnect(0)), Done()]


def test_the_end_of_an_earlier_login_is_not_this_ones() -> None:
    machine = Login(connected=False, changes=2)
    assert machine.received(EventConnect(-101, change=2)) == []
    event = EventConnect(0, change=3)
    assert machine.received(event) == [Send(event), Done()]


def test_a_failed_login_is_an_error_without_a_message() -> None:
    status, text = failed(Login(connected=False).received(EventConnect(-101)))
    assert status is grpc.StatusCode.ABORTED
    assert text.startswith("the login failed: -101 ")
    assert failed(Login(connected=False).returned(CONNECT, -1))[0] is grpc.StatusCode.ABORTED


def test_conditions_are_loaded() -> None:
    machine = LoadCondition()
    assert machine.start() == [LOAD]
    assert machine.returned(LOAD, 1) == []
    assert "OnReceiveConditionVer" in machine.waiting_for
    event = ReceiveConditionVer(1, "[OK] 사용자 조건검색 조회")
    assert machine.received(event) == [Send(event), Done()]
    assert machine.release() == []


@pytest.mark.parametrize(
    ("value", "text"), [(0, "GetConditionLoad returned 0"), (-100, "GetConditionLoad was refused: -100")]
)
def test_conditions_that_cannot_be_asked_for(value: int, text: str) -> None:
    assert text in failed(LoadCondition().returned(LOAD, value))[1]


@pytest.mark.parametrize("code", [0, 2, -100])
def test_conditions_that_did_not_come(code: int) -> None:
    status, text = failed(LoadCondition().received(ReceiveConditionVer(code, "조건식이 없습니다")))
    assert status is grpc.StatusCode.ABORTED
    assert "조건식이 없습니다" in text


def test_a_connection_lost_while_loading() -> None:
    machine = LoadCondition()
    assert machine.received(EventConnect(0)) == []
    assert failed(machine.received(EventConnect(-106)))[0] is grpc.StatusCode.UNAVAILABLE
