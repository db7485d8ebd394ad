"""OcxControl and its host: all functions and events, what is read inside them, boxes, crashes, hangs and logins."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ocx_way import CONTROL, WINE_DIED, Clock, chain, command

from koapy.control.outlook import Closed
from koapy.control.reads import READING
from koapy.control.seam import Unread
from koapy.control.signals import Signal
from koapy.ocx import ControlLost, OcxControl
from koapy.ocx.boxes import KNOWN
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS, FUNCTIONS
from koapy.openapi.realtype import real_type
from koapy.remote import frames, holding, messages
from koapy.remote.frames import Kind, Splitter
from koapy.remote.holding import Rule
from koapy.remote.host import Host
from koapy.remote.link import Pace
from koapy.remote.proxy import CallFailed
from koapy.replay import Recorder
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KOREAN = "가나다 삼성전자 뷁 ㈜ €"
CRASHED = "crashed: exception 0xC0000005 in koapy-fake.ocx"
BY_RULE = "the table of boxes says so|it was killed"
"""What is said of a host that a rule ends; the second, where Wine died of it."""


class Echo:
    """Has every function and event of OpenAPI+; a function gives back what it was given, in what it returns."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self.calls: list[tuple[Any, ...]] = []
        self.readable: dict[Any, str] = {}
        self.events = {name: Signal(name) for name in EVENTS}
        for name, each in self.events.items():
            setattr(self, name, each)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in FUNCTIONS:
            raise AttributeError(name)

        def called(*args: Any) -> Any:
            self.calls.append((name, *args))
            match FUNCTIONS[name].returns:
                case "int":
                    return -len(name)
                case "str":
                    return f"{KOREAN} {name} {args}"
                case "array":
                    return [[KOREAN, ""], ["둘", "x"]]
            return None

        return called

    def GetRepeatCnt(self, code: str, record: str) -> int:
        return int(self.readable.get("rows", "0"))

    def GetCommData(self, code: str, record: str, row: int, item: str) -> str:
        return self.readable.get((row, item), "")

    def GetCommRealData(self, code: str, fid: int) -> str:
        return self.readable.get(fid, "")

    GetChejanData = lambda self, fid: self.readable.get(fid, "")  # noqa: E731

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        return self._pool.submit(function, *args)

    def fire(self, event: str, *args: Any, data: dict[Any, str] | None = None) -> None:
        def told() -> None:
            self.readable = data or {}
            self.events[event].tell(*args)
            self.readable = {}

        self._pool.submit(told).result(20)


class Heard:
    """A slot that keeps what it is told, and what `read` gives inside."""

    def __init__(self, read: Callable[[], Any] = lambda: None) -> None:
        self._read = read
        self._changed = threading.Condition()
        self.events: list[tuple[Any, ...]] = []
        self.read: list[Any] = []

    def __call__(self, *args: Any) -> None:
        read = self._read()
        with self._changed:
            self.events.append(args)
            self.read.append(read)
            self._changed.notify_all()

    def wait(self, count: int = 1) -> list[tuple[Any, ...]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, 30), self.events
        return self.events


def call(control: Any, name: str, *args: Any) -> Any:
    return control.submit(getattr(control, name), *args).result(30)


def gone(pid: int) -> None:
    """Wait until there is no such process."""
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


@pytest.fixture
def echo() -> Iterator[Echo]:
    control = Echo()
    yield control
    control._pool.shutdown()


@pytest.fixture
def ocx(echo: Echo) -> Iterator[OcxControl]:
    with chain(echo, relogin=False) as control:
        call(control, "KOA_Functions", "Fake", "log in")
        yield control


@pytest.fixture(scope="module")
def lasting(windows: None) -> Iterator[tuple[OcxControl, Echo]]:
    """A control and what is behind it, for many tests that leave no trace."""
    behind = Echo()
    with chain(behind, relogin=False) as control:
        call(control, "KOA_Functions", "Fake", "log in")
        yield control, behind
    behind._pool.shutdown()


@pytest.fixture
def simulation() -> Iterator[SimulatedControl]:
    control = SimulatedControl(seed=1, login_delay=0.0, market_size=60)
    yield control
    control.close()


def log_in(control: OcxControl) -> Heard:
    heard = Heard()
    control.OnEventConnect.connect(heard)
    assert call(control, "CommConnect") == 0
    assert heard.wait() == [(0,)]
    return heard


def test_it_is_the_control_that_the_catalogue_knows(ocx: OcxControl) -> None:
    assert ocx.differences == ()
    assert (ocx.about["bits"], ocx.about["control"]) == ("32", CONTROL)
    assert ocx.about["file"].endswith("koapy-fake.ocx")


def test_a_control_that_is_another_is_named_at_once(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(FUNCTIONS)
    known["GetGone"] = known.pop("GetThemeGroupList")
    monkeypatch.setattr("koapy.ocx.contract.FUNCTIONS", known)
    with chain(echo, relogin=False) as ocx:
        (notice,) = ocx.outlook.notices
        assert notice.endswith("see `koapy ocx doctor`: function GetGone is gone")
        assert len(ocx.differences) == 2
        assert call(ocx, "GetMasterCodeName", "x").startswith(KOREAN)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in READING])
def test_every_function_takes_its_arguments_and_gives_what_it_returns(
    lasting: tuple[OcxControl, Echo], name: str
) -> None:
    ocx, echo = lasting
    known = FUNCTIONS[name]
    args = tuple(f"{KOREAN}{at}" if each.type == "str" else -at for at, each in enumerate(known.parameters))
    wanted = {"int": -len(name), "str": f"{KOREAN} {name} {args}"}.get(known.returns)
    given = call(ocx, name, *args)
    if name == "SetInputValue":  # goes with its query
        call(ocx, "CommRqData", "r", "opt10001", 0, "0001")
        assert echo.calls[-2] == (name, *args)
        return
    assert given == wanted
    assert echo.calls[-1] == (name, *args)


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_told_with_its_arguments(ocx: OcxControl, echo: Echo, name: str) -> None:
    heard = Heard(lambda: ocx.GetMasterCodeName("안에서"))
    getattr(ocx, name).connect(heard)
    args = tuple(f"{KOREAN}{at}" if each.type == "str" else -at - 1 for at, each in enumerate(EVENTS[name].parameters))
    echo.fire(name, *args)
    assert heard.wait() == [args]
    assert heard.read == [f"{KOREAN} GetMasterCodeName ('안에서',)"]


def test_wrong_calls_fail_by_themselves(ocx: OcxControl) -> None:
    with pytest.raises(RuntimeError, match=r"COMError.*CommRqData: .*0x8002000E"):
        call(ocx, "CommRqData", "too few")
    with pytest.raises(RuntimeError, match=r"COMError.*GetCommRealData: .*0x80020005"):
        call(ocx, "GetCommRealData", "005930", "삼")
    assert call(ocx, "GetConnectState") == -len("GetConnectState")


def test_an_answer_is_read_in_its_event_and_not_afterwards(ocx: OcxControl, echo: Echo) -> None:
    known = ("opt10081", "일봉")
    heard = Heard(
        lambda: (
            ocx.GetRepeatCnt(*known),
            ocx.GetCommData(*known, 0, "종목코드"),
            ocx.GetCommData(*known, 1, "현재가"),
            # Not of this TR, so it is asked for while the control waits.
            ocx.GetCommData(*known, 0, "없는것"),
        )
    )
    ocx.OnReceiveTrData.connect(heard)
    data = {"rows": "2", (0, "종목코드"): "005930", (0, "현재가"): "-1", (1, "현재가"): " +70000"}
    echo.fire("OnReceiveTrData", "0001", "일봉", "OPT10081", "", "2", 0, "", "", "", data=data)
    heard.wait()
    assert heard.read == [(2, "005930", " +70000", "")]
    assert call(ocx, "GetRepeatCnt", *known) == 0
    assert call(ocx, "GetCommData", *known, 0, "종목코드") == ""


def test_what_no_plan_foresaw_is_read_while_the_control_waits(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koapy.ocx.control.answers", lambda: ())
    known = ("opt10081", "일봉")
    with chain(echo, relogin=False) as ocx:
        call(ocx, "KOA_Functions", "Fake", "log in")
        heard = Heard(lambda: (ocx.GetRepeatCnt(*known), ocx.GetCommData(*known, 1, "현재가"), ocx.GetConnectState()))
        ocx.OnReceiveTrData.connect(heard)
        data = {"rows": "2", (1, "현재가"): "+70000"}
        echo.fire("OnReceiveTrData", "0001", "일봉", "opt10081", "", "2", 0, "", "", "", data=data)
        heard.wait()
    assert heard.read == [(2, "+70000", -len("GetConnectState"))]


def test_what_a_tick_did_not_bring_is_read_while_the_control_waits(ocx: OcxControl, echo: Echo) -> None:
    heard = Heard(lambda: [ocx.GetCommRealData("005930", fid) for fid in (10, 99999)])
    ocx.OnReceiveRealData.connect(heard)
    echo.fire("OnReceiveRealData", "005930", "주식체결", "raw", data={10: "-70000"})
    heard.wait()
    # The fake tells what the simulation's host has read of the tick; of the other FID there is nothing.
    assert heard.read == [["-70000", ""]]


def test_what_is_read_of_ticks_is_what_is_wanted_no_more_and_no_less(ocx: OcxControl) -> None:
    def read(fid: int) -> str:
        try:
            return str(ocx.GetCommRealData("005930", fid))
        except Unread:
            return "unread"

    heard = Heard(lambda: (ocx.waits, *map(read, (10, 11, 12))))
    ocx.OnReceiveRealData.connect(heard)
    wishes: list[tuple[dict[str, tuple[int, ...]], tuple[str, ...]]] = [
        ({"주식체결": (10, 11), "주식호가잔량": (12,)}, ()),
        ({"": (12,)}, ()),
        ({}, ()),
        ({}, ("OnReceiveRealData",)),
    ]
    for count, wish in enumerate(wishes, 1):
        ocx.read_ahead(*wish)
        call(ocx, "KOA_Functions", "Fake", "flood 1")
        heard.wait(count)
    assert heard.read == [
        (False, "10=1", "11=1", "unread"),
        (False, "unread", "unread", "12=1"),
        (False, "unread", "unread", "unread"),
        (True, "10=1", "11=1", "12=1"),
    ]


def test_a_recorder_in_front_of_it_keeps_all_of_a_tick_and_does_not_keep_it_waiting(
    ocx: OcxControl, tmp_path: Path
) -> None:
    recorder = Recorder(ocx, tmp_path / "session.jsonl")
    heard = Heard(lambda: recorder.waits)
    recorder.OnReceiveRealData.connect(heard)
    recorder.read_ahead({}, ())
    call(ocx, "KOA_Functions", "Fake", "flood 3")
    heard.wait(3)
    recorder.close()
    assert heard.read == [False] * 3
    lines = map(json.loads, (tmp_path / "session.jsonl").read_text(encoding="utf-8").splitlines())
    told = [each["fields"] for each in lines if each.get("event") == "OnReceiveRealData"]
    assert told == [{str(fid): f"{fid}={left}" for fid in real_type("주식체결").fids} for left in (3, 2, 1)]


def test_a_batch_returns_what_each_function_returned(ocx: OcxControl, echo: Echo) -> None:
    calls = [("GetMasterCodeName", (str(each),)) for each in range(1000)]
    assert ocx.submit(ocx.batch, calls).result(30) == [f"{KOREAN} GetMasterCodeName ('{at}',)" for at in range(1000)]
    assert ocx.submit(ocx.batch, [("GetConnectState", ()), ("GetCommDataEx", ("t", "r"))]).result(30) == [-15, None]
    assert ocx.submit(ocx.batch, []).result(30) == []


def test_a_batch_ends_with_the_first_function_that_fails(ocx: OcxControl, echo: Echo) -> None:
    calls = [("GetConnectState", ()), ("GetMasterCodeName", ("a",)), ("CommRqData", ("too few",)), ("CommConnect", ())]
    with pytest.raises(CallFailed, match=r"CommRqData raised COMError.*0x8002000E") as failed:
        ocx.submit(ocx.batch, calls).result(30)
    assert failed.value.values == (-15, f"{KOREAN} GetMasterCodeName ('a',)")
    assert [each[0] for each in echo.calls] == ["GetConnectState", "GetMasterCodeName"]


def test_a_batch_inside_an_event_reads_it(ocx: OcxControl) -> None:
    fids = range(10, 20)
    heard = Heard(lambda: ocx.batch([("GetCommRealData", ("005930", fid)) for fid in fids]))
    ocx.OnReceiveRealData.connect(heard)
    ocx.read_ahead({}, ["OnReceiveRealData"])
    call(ocx, "KOA_Functions", "Fake", "flood 3")
    heard.wait(3)
    assert heard.read == [[f"{fid}={left}" for fid in fids] for left in (3, 2, 1)]


def test_reading_that_fails_there_fails_here(ocx: OcxControl, echo: Echo) -> None:
    def broken(fid: int) -> str:
        raise OSError("망가짐")

    echo.GetChejanData = broken  # type: ignore[method-assign]
    failed: list[str] = []

    def slot(*_: Any) -> None:
        try:
            ocx.GetChejanData(9203)
        except RuntimeError as error:
            failed.append(str(error))

    heard = Heard()
    ocx.OnReceiveChejanData.connect(slot)
    ocx.OnReceiveChejanData.connect(heard)
    echo.fire("OnReceiveChejanData", "0", 1, "9203")
    heard.wait()
    assert "망가짐" in failed[0]


def test_a_flood_comes_whole_and_in_order_while_calls_are_made(ocx: OcxControl) -> None:
    heard = Heard(lambda: [ocx.GetCommRealData("005930", fid) for fid in (10, 39)])
    ocx.OnReceiveRealData.connect(heard)
    call(ocx, "KOA_Functions", "Fake", "flood 3000")
    for _ in range(300):
        call(ocx, "GetConnectState")
    heard.wait(3000)
    assert [read[0] for read in heard.read] == [f"10={left}" for left in range(3000, 0, -1)]


def test_a_box_that_is_known_is_closed_and_the_call_returns(echo: Echo, caplog: Any) -> None:
    with chain(echo, relogin=False, rules=(Rule("안내", "", "점검", "close"),)) as ocx:
        call(ocx, "KOA_Functions", "Fake", "dialog before GetMasterCodeName 안내|점검이 시작됩니다")
        assert call(ocx, "GetMasterCodeName", "x").startswith(KOREAN)
    assert "'안내' of koapy-ocx-host.exe: 점검이 시작됩니다" in caplog.text


def test_a_box_that_is_not_known_is_told_and_left_alone(echo: Echo) -> None:
    with chain(echo, relogin=False, hang_seconds=2.5) as ocx:
        call(ocx, "KOA_Functions", "Fake", "dialog before GetMasterCodeName 계좌비밀번호|입력하세요")
        waiting = ocx.submit(ocx.GetMasterCodeName, "x")
        ocx.wait_for_boxes(20)
        (box,) = ocx.dialogs
        assert (box.title, box.text, box.action) == ("계좌비밀번호", "입력하세요", "report")
        with pytest.raises(TimeoutError):
            waiting.result(4)  # and longer than a call may hang: somebody may be about to answer it


def test_the_last_words_of_the_c_library_end_the_host(echo: Echo) -> None:
    with chain(echo, relogin=False) as ocx:
        title = "Microsoft Visual C++ Runtime Library"
        call(ocx, "KOA_Functions", "Fake", f"dialog before GetMasterCodeName {title}|R6025")
        with pytest.raises(ControlLost, match=BY_RULE):
            call(ocx, "GetMasterCodeName", "x")


def test_a_rule_presses_a_button_or_ends_the_host(echo: Echo) -> None:
    rules = (Rule("묻는다", "koapy-ocx-host.exe", "정말", "press:OK|확인"), Rule("끝", "", "", "end"), *KNOWN)
    with chain(echo, relogin=False, rules=rules) as ocx:
        call(ocx, "KOA_Functions", "Fake", "dialog before GetMasterCodeName 묻는다|정말로?")
        assert call(ocx, "GetMasterCodeName", "x")
        call(ocx, "KOA_Functions", "Fake", "dialog before GetMasterCodeName 끝|이다")
        with pytest.raises(ControlLost, match=BY_RULE) as lost:
            call(ocx, "GetMasterCodeName", "x")
        assert lost.value.begun


@pytest.mark.parametrize(
    "fault", ["crash before GetMasterCodeName", "crash in OnReceiveMsg", "crash in OnReceiveTrData"]
)
def test_a_crash_ends_what_is_under_way_and_the_next_host_takes_over(echo: Echo, fault: str) -> None:
    with chain(echo, relogin=False) as ocx:
        heard = Heard()
        ocx.OnEventConnect.connect(heard)
        ocx.OnReceiveMsg.connect(lambda *_: ocx.GetChejanData(1))
        call(ocx, "KOA_Functions", "Fake", "log in")
        call(ocx, "KOA_Functions", "Fake", fault)
        host = ocx.host_pid
        assert host
        if "before" in fault:
            with pytest.raises(ControlLost, match=CRASHED) as lost:
                call(ocx, "GetMasterCodeName", "x")
            assert lost.value.begun
        elif "Msg" in fault:
            echo.fire("OnReceiveMsg", "0001", "r", "t", "m")
        else:
            echo.fire("OnReceiveTrData", "0001", "r", "opt10001", "", "", 0, "", "", "")
        assert heard.wait() == [(-106,)]
        gone(host)
        deadline = time.monotonic() + 30
        while not ocx.connected and time.monotonic() < deadline:
            time.sleep(0.01)
        assert call(ocx, "GetMasterCodeName", "x").startswith(KOREAN)
        assert ocx.host_pid != host


def test_a_hanging_call_is_given_up_with_its_host(echo: Echo) -> None:
    with chain(echo, relogin=False, hang_seconds=2.5) as ocx:
        host = ocx.host_pid
        assert host
        call(ocx, "KOA_Functions", "Fake", "hang before GetMasterCodeName")
        with pytest.raises(ControlLost, match=r"the control hung in GetMasterCodeName for \d+ s"):
            call(ocx, "GetMasterCodeName", "x")
        gone(host)


def test_a_killed_host_is_replaced_and_logged_in_again(simulation: SimulatedControl) -> None:
    with chain(simulation) as ocx:
        heard = log_in(ocx)
        host = ocx.host_pid
        assert host
        os.kill(host, 9)
        assert heard.wait(3) == [(0,), (-106,), (0,)]
        assert ocx.host_pid != host
        assert call(ocx, "GetMasterCodeName", "005930") == "삼성전자"


def test_at_night_all_logins_wait_for_the_end_of_the_check_and_are_one(simulation: SimulatedControl) -> None:
    clock = Clock()
    logins = []
    connect = simulation.CommConnect
    simulation.CommConnect = lambda: (logins.append(clock()), connect())[1]  # type: ignore[method-assign]
    with chain(simulation, now=clock) as ocx:
        heard = log_in(ocx)
        assert ocx.host_pid
        clock.set(datetime(2026, 11, 24, 5, 9, 54, tzinfo=KST))
        assert ocx.outlook.notices == (
            "Kiwoom's servers are away for maintenance until 05:10, and may cut the connection",
        )
        os.kill(ocx.host_pid, 9)
        assert heard.wait(2) == [(0,), (-106,)]
        assert [call(ocx, "CommConnect") for _ in range(2)] == [0, 0]
        text = "Kiwoom's servers are away for maintenance until 05:10; the login is made again at 05:10:00"
        assert (ocx.outlook.closed, ocx.outlook.text) == (Closed.MAINTENANCE, text)
        assert heard.wait(3) == [(0,), (-106,), (0,)]
        assert ocx.outlook.closed is None
    assert len(logins) == 2
    assert logins[1] >= datetime(2026, 11, 24, 5, 10, tzinfo=KST)


def test_a_second_login_joins_the_one_that_is_under_way(simulation: SimulatedControl) -> None:
    """Whoever is about to type a password keeps the window in which to do it."""
    simulation.CommConnect = lambda: 0  # type: ignore[method-assign]
    with chain(simulation) as ocx:
        assert call(ocx, "CommConnect") == 0
        host = ocx.host_pid
        assert call(ocx, "CommConnect") == 0
        assert ocx.host_pid == host


def test_a_notice_to_log_in_again_takes_a_new_host(simulation: SimulatedControl) -> None:
    with chain(simulation) as ocx:
        heard = log_in(ocx)
        host = ocx.host_pid
        notice = "[HTS 재접속 안내]|오전 6시 50분 이전에 접속하신 고객님께서는 재접속하여 주시기 바랍니다."
        call(ocx, "KOA_Functions", "Fake", f"dialog before GetMasterCodeName {notice}")
        with pytest.raises(ControlLost, match="asks to be logged in again") as lost:
            call(ocx, "GetMasterCodeName", "005930")
        assert lost.value.begun
        assert heard.wait(3) == [(0,), (-106,), (0,)]
        assert ocx.host_pid != host


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_box_of_a_lost_connection_is_in_nobodys_way(simulation: SimulatedControl, moment: str) -> None:
    """Whether it keeps OnEventConnect, or comes when that has been told."""
    with chain(simulation) as ocx:
        heard = log_in(ocx)
        host = ocx.host_pid
        box = "KHOpenAPI|통신 연결이 끊겼습니다. 프로그램을 다시 실행하여 주십시오."
        call(ocx, "KOA_Functions", "Fake", f"dialog {moment} OnEventConnect {box}")
        simulation.lose_connection().result(20)
        assert heard.wait(3) == [(0,), (-106,), (0,)]
        assert host
        gone(host)
        assert call(ocx, "GetMasterCodeName", "005930") == "삼성전자"


def test_a_login_by_hand_does_not_wait_for_the_box_of_a_lost_connection(simulation: SimulatedControl) -> None:
    with chain(simulation, relogin=False) as ocx:
        heard = log_in(ocx)
        call(ocx, "KOA_Functions", "Fake", "dialog after OnEventConnect KHOpenAPI|통신 연결이 끊겼습니다.")
        simulation.lose_connection().result(20)
        assert heard.wait(2) == [(0,), (-106,)]
        ocx.wait_for_boxes(20)
        assert call(ocx, "CommConnect") == 0
        assert heard.wait(3)[2:] == [(0,)]
        assert ocx.dialogs == ()


def test_the_notice_of_the_nightly_check_is_confirmed(echo: Echo) -> None:
    with chain(echo, relogin=False) as ocx:
        notice = "안녕하세요. 키움증권입니다.|잠시 후 서버 점검이 시작됩니다."
        call(ocx, "KOA_Functions", "Fake", f"dialog before GetMasterCodeName {notice}")
        assert call(ocx, "GetMasterCodeName", "x").startswith(KOREAN)


def test_a_new_login_takes_a_new_host(simulation: SimulatedControl) -> None:
    with chain(simulation, relogin=False) as ocx:
        heard = log_in(ocx)
        host = ocx.host_pid
        simulation.lose_connection().result(20)
        assert heard.wait(2)[1:] == [(-106,)]
        assert ocx.host_pid == host
        assert call(ocx, "CommConnect") == 0
        assert heard.wait(3)[2:] == [(0,)]
        assert ocx.host_pid != host
    assert host
    gone(host)


def test_a_control_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(ControlLost, match=r"NoSuch\.Control\.1 is not registered for 32-bit programs on this machine"):
        OcxControl("NoSuch.Control.1")


GATEWAY = """
import sys
from koapy.ocx import OcxControl
control = OcxControl(sys.argv[1], command=sys.argv[2:])
control.submit(control.KOA_Functions, "Fake", FAULT).result()
control.submit(control.GetMasterCodeName, "x")
if "dialog" in FAULT:
    control.wait_for_boxes(20)
print(control.host_pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="looks at processes by /proc")
@pytest.mark.parametrize("fault", ["hang before GetMasterCodeName", "dialog before GetMasterCodeName 제목|글"])
def test_a_killed_gateway_leaves_no_host_behind_in_whatever_it_is(echo: Echo, fault: str) -> None:
    with Host(echo) as host:
        words = [sys.executable, "-c", f"FAULT = {fault!r}{GATEWAY}", CONTROL, *command(host.address)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as gateway:
            assert gateway.stdout
            pid = int(gateway.stdout.readline())
            assert Path(f"/proc/{pid}").exists()
            gateway.kill()
        gone(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process as Windows cannot")
def test_a_host_without_signs_of_life_is_replaced(echo: Echo) -> None:
    with chain(echo, relogin=False, pace=Pace(beat_seconds=0.2, silent_seconds=2.0)) as ocx:
        heard = Heard()
        ocx.OnEventConnect.connect(heard)
        host = ocx.host_pid
        assert host
        os.kill(host, signal.SIGSTOP)
        with pytest.raises(ControlLost, match="nothing was heard for 2 s"):
            call(ocx, "GetMasterCodeName", "x")
        heard.wait()
        gone(host)


HELLO = messages.hello("test")
TOO_LARGE = struct.pack("<I", frames.LARGEST + 1)


def frames_of(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """All that a host says, but for its signs of life."""
    assert process.stdout
    splitter = Splitter(frames.LARGEST)
    while data := process.stdout.read(65536):
        yield from (frame for frame in splitter.feed(data) if frame[0] != Kind.BEAT)


def test_inside_an_event_only_its_calls_are_made() -> None:
    """The others wait for its end; a call of an event that is over belongs to none."""
    state: tuple[str, tuple[Any, ...]] = ("GetConnectState", ())
    words = [*command(""), CONTROL]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin
        said = frames_of(process)

        def tell(*given: bytes) -> None:
            assert process.stdin
            process.stdin.write(b"".join(given))

        def result() -> int:
            return messages.read_result(next(said)).number

        tell(HELLO)
        assert next(said)[0] == Kind.WELCOME
        tell(holding.plan(holding.Plan({}, ["OnReceiveRealData"])))
        tell(messages.call(1, 0, [("KOA_Functions", ("Fake", "flood 1"))]))
        assert result() == 1
        event = messages.read_event(next(said))
        assert event.held
        tell(messages.call(2, 0, [state]), messages.call(3, event.number, [state]), messages.call(4, 99, [state]))
        assert result() == 3
        tell(messages.call(5, event.number, [state]), holding.done(event.number))
        assert [result() for _ in range(3)] == [5, 2, 4]
        tell(messages.call(6, event.number, [state]))
        assert result() == 6
        process.stdin.close()


@pytest.mark.parametrize(
    ("greeting", "sent", "code"),
    [
        (b"", b"GET / HTTP/1.1\r\n\r\n", 12),
        (b"", struct.pack("<I", 2000) + b"x" * 2000, 12),
        (HELLO, TOO_LARGE, 12),
        (HELLO, struct.pack("<IB", 1, 99), 12),
        (HELLO, struct.pack("<IB", 1, Kind.CALL), 12),
        (HELLO, b"", 10),
        (b"", b"", 10),
    ],
    ids=["no frame", "long greeting", "too large", "unknown kind", "short call", "closed", "closed at once"],
)
def test_a_host_ends_at_once_on_what_is_no_gateway(echo: Echo, greeting: bytes, sent: bytes, code: int) -> None:
    with Host(echo) as host:
        words = [*command(host.address), CONTROL]
        for _ in range(3):
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
                assert process.stdin
                if greeting:
                    process.stdin.write(greeting)
                    assert next(frames_of(process))[0] == Kind.WELCOME
                process.stdin.write(sent)
                if code == 10:
                    process.stdin.close()
                if process.wait(30) != WINE_DIED:
                    break
        assert process.returncode == code


def test_a_gateway_of_another_version_is_refused_in_words(echo: Echo) -> None:
    other = HELLO.replace(struct.pack("<H", frames.VERSION), struct.pack("<H", 99), 1)
    with Host(echo) as host:
        words = [*command(host.address), CONTROL]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
            assert process.stdin
            process.stdin.write(other)
            said = messages.read_told(next(frames_of(process)), Kind.REFUSED)
            assert process.wait(30) in {14, WINE_DIED}
    assert said == f"the gateway speaks version 99 of the protocol, this host {frames.VERSION}"
