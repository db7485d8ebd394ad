"""Login, threads, limits: what holds for every function."""

from __future__ import annotations

import inspect
import threading

import pytest

from koapy.openapi.functions import EVENTS, FUNCTIONS
from koapy.simulation.clock import RealTimeClock
from koapy.simulation.control import SimulatedControl

BEFORE_LOGIN = [
    ("CommRqData", ("질의", "opt10001", 0, "1000"), -100),
    ("CommKwRqData", ("005930", 0, 1, 0, "질의", "1000"), -100),
    ("SendOrder", ("주문", "2000", "8012345611", 1, "005930", 1, 0, "03", ""), -100),
    ("SetRealReg", ("3000", "005930", "10", "0"), -100),
    ("GetConnectState", (), 0),
    ("GetConditionLoad", (), 0),
    ("SendCondition", ("4000", "대형 저평가 우량주", 0, 0), 0),
    ("GetLoginInfo", ("ACCNO",), ""),
    ("GetCodeListByMarket", ("0",), ""),
    ("GetMasterCodeName", ("005930",), ""),
    ("GetMasterLastPrice", ("005930",), ""),
    ("GetConditionNameList", (), ""),
    ("KOA_Functions", ("GetServerGubun", ""), ""),
    ("GetAPIModulePath", (), "C:\\OpenAPI"),
]


@pytest.mark.parametrize(("name", "arguments", "value"), BEFORE_LOGIN)
def test_before_the_login_there_is_nothing(start, name, arguments, value):
    assert start().call(name, *arguments) == value


def test_every_function_and_event_is_there_with_the_catalogue_s_parameters(start):
    control = start().control
    for function in FUNCTIONS.values():
        own = inspect.signature(getattr(control, function.name)).parameters
        assert tuple(own) == tuple(each.name for each in function.parameters), function.name
    for name in EVENTS:
        slot = print
        getattr(control, name).connect(slot)
        getattr(control, name).disconnect(slot)


def test_the_login_is_told_half_a_second_later_when_the_state_has_changed(start):
    program = start()
    states = []
    program.control.OnEventConnect.connect(lambda _: states.append(program.control.GetConnectState()))
    assert program.call("CommConnect") == 0
    assert program.advance(0.49) == []
    assert [(each.name, each.arguments) for each in program.advance(0.02)] == [("OnEventConnect", (0,))]
    assert states == [1]


def test_each_commconnect_has_its_own_event(start):
    program = start()
    program.call("CommConnect")
    program.call("CommConnect")
    assert len(program.named("OnEventConnect", 1)) == 2
    program.call("CommConnect")
    assert [each.arguments for each in program.advance(1)] == [(0,)]


def test_a_lost_connection_takes_its_answers_with_it(program):
    program.ask("opt10001", 종목코드="005930")
    program.control.lose_connection().result()
    assert [each.arguments for each in program.advance(1)] == [(-106,)]
    assert program.call("GetConnectState") == 0
    program.login()
    assert program.advance(1) == []
    assert program.ask("opt10001", 종목코드="005930") == 0


def test_functions_belong_to_the_control_s_thread(program):
    with pytest.raises(RuntimeError, match=r"GetConnectState was called on thread .* control\.submit"):
        program.control.GetConnectState()
    assert program.control.submit(lambda: program.control.GetConnectState()).result() == 1


def test_slots_run_on_the_control_s_thread_and_their_failures_are_their_own(start, caplog):
    program = start()
    threads = []

    def bad(_: int) -> None:
        threads.append(threading.current_thread().name)
        raise ValueError("of the slot")

    program.control.OnEventConnect.disconnect(print)
    program.control.OnEventConnect.connect(bad)
    program.control.OnEventConnect.connect(lambda _: threads.append("after"))
    program.login()
    assert threads == ["koapy-simulation", "after"]
    assert "of the slot" in caplog.text


def test_a_slot_may_disconnect_itself(start):
    program = start()
    told = []

    def once(code: int) -> None:
        told.append(code)
        program.control.OnEventConnect.disconnect(once)

    program.control.OnEventConnect.connect(once)
    program.login()
    program.call("CommConnect")
    program.advance(1)
    assert told == [0]


def test_the_sixth_request_of_a_second_is_refused(program):
    program.advance(1 - program.clock.now().microsecond / 1e6)
    codes = [program.ask("opt10001", 종목코드="005930") for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, -200]
    assert program.call("CommKwRqData", "005930", 0, 1, 0, "질의", "1000") == -200
    assert len(program.named("OnReceiveTrData", 0.99)) == 5
    program.advance(0.01)
    assert program.ask("opt10001", 종목코드="005930") == 0


def test_the_sixth_order_of_a_second_is_refused(program):
    program.advance(1 - program.clock.now().microsecond / 1e6)
    send = ("주문", "2000", program.account, 1, "005930", 1, 0, "03", "")
    assert [program.call("SendOrder", *send) for _ in range(6)] == [0, 0, 0, 0, 0, -308]
    # Queries are counted apart.
    assert program.ask("opt10001", 종목코드="005930") == 0
    program.advance(1)
    assert program.call("SendOrder", *send) == 0


@pytest.mark.parametrize("screen", ["", "0000", "100", "10000", "abcd", "１２３４"])
def test_a_screen_is_four_digits_but_not_zeros(program, screen):
    assert program.ask("opt10001", screen=screen, 종목코드="005930") == -105
    assert program.call("SetRealReg", screen, "005930", "10", "0") == -105


def test_200_screens_can_be_used_and_given_back(program):
    for number in range(200):
        assert program.call("SetRealReg", f"{1000 + number}", "005930", "10", "0") == 0
    assert program.call("SetRealReg", "5000", "005930", "10", "0") == -105
    program.call("DisconnectRealData", "1000")
    assert program.call("SetRealReg", "5000", "005930", "10", "0") == 0


def test_close_ends_the_thread_whenever_and_however_often_it_is_called():
    before = threading.active_count()
    unused = SimulatedControl(market_size=5)
    unused.close()
    with pytest.raises(RuntimeError):
        unused.submit(print)
    used = SimulatedControl(market_size=5)
    used.submit(int).result()
    used.close()
    used.close()
    assert threading.active_count() == before


def test_close_may_be_called_on_the_control_s_own_thread():
    control = SimulatedControl(market_size=5)
    control.submit(control.close).result()
    control.close()


def test_time_of_a_real_clock_cannot_be_advanced():
    control = SimulatedControl(market_size=5)
    with pytest.raises(TypeError, match=RealTimeClock.__name__):
        control.advance(1)
    control.close()
