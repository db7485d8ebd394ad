"""RemoteControl and its host over a real socket: calls, events, what is read inside them, and how connections end."""

from __future__ import annotations

import struct
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from koapy.control.reads import Nothing
from koapy.openapi.chejan import chejan_fids
from koapy.remote import frames, messages
from koapy.remote.control import ControlLost, RemoteControl
from koapy.remote.host import Host
from koapy.remote.link import Pace
from koapy.remote.proxy import CallFailed

CHEJAN = ";".join(map(str, chejan_fids("0")))


def call(control: Any, name: str, *args: Any) -> Any:
    return control.submit(getattr(control, name), *args).result(20)


def test_functions_and_events_are_those_of_the_control(remote: Any) -> None:
    assert call(remote, "GetMasterCodeName", "005930") == "종목005930"
    assert call(remote, "CommConnect") == -101
    assert call(remote, "GetConnectState") == 1
    assert not hasattr(remote, "SendOrder")
    assert hasattr(remote, "OnReceiveInvestRealData")
    with pytest.raises(RuntimeError, match="LookupError in the control's process: 꼬리표 ACCNO"):
        call(remote, "GetLoginInfo", "ACCNO")
    with pytest.raises(RuntimeError, match="on the control's own thread"):
        remote.GetConnectState()


def test_an_argument_that_no_frame_can_hold_fails_alone(remote: Any) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        call(remote, "GetMasterCodeName", "가" * 2**23)
    assert call(remote, "GetMasterCodeName", "가" * 2**20) == "종목" + "가" * 2**20


def test_an_event_fired_inside_a_call_is_told_before_it_returns(remote: Any, small: Any, heard: Any) -> None:
    order: list[str] = []
    remote.OnReceiveMsg.connect(lambda *args: order.append(args[3]))

    def ask() -> None:
        remote.CommRqData("요청", "opt10001", 0, "0001")
        order.append("returned")

    remote.submit(ask).result(20)
    assert order == ["안에서", "returned"]


def test_a_batch_gives_what_each_returned_up_to_the_first_that_raised(remote: Any, small: Any) -> None:
    calls = [("GetConnectState", ()), ("GetMasterCodeName", ("005930",)), ("GetLoginInfo", ("ACCNO",))]
    assert remote.submit(remote.batch, calls[:2]).result(20) == [1, "종목005930"]
    with pytest.raises(CallFailed, match="GetLoginInfo raised LookupError") as failed:
        remote.submit(remote.batch, [*calls, ("CommConnect", ())]).result(20)
    assert failed.value.values == (1, "종목005930")
    assert ("CommConnect",) not in small.calls


def test_inputs_go_with_their_query_in_one_piece(remote: Any, small: Any) -> None:
    """A gateway that dies between them leaves nothing to the next one's query."""
    call(remote, "SetInputValue", "종목코드", "005930")
    assert call(remote, "GetMasterCodeName", "000660") == "종목000660"
    call(remote, "CommRqData", "r", "opt10001", 0, "0001")
    assert small.calls == [
        ("GetMasterCodeName", "000660"),
        ("SetInputValue", "종목코드", "005930"),
        ("CommRqData", "r", "opt10001", 0, "0001"),
    ]


def test_a_chejan_brings_the_values_of_its_list(remote: Any, small: Any, heard: Any) -> None:
    slot = heard(lambda: [remote.GetChejanData(fid) for fid in (9203, 302, 911)])
    remote.OnReceiveChejanData.connect(slot)
    small.fire("OnReceiveChejanData", "0", 3, CHEJAN, data={9203: "0000012", 302: "삼성전자  "})
    slot.wait()
    assert slot.events == [("0", 3, CHEJAN)]
    assert slot.read == [["0000012", "삼성전자  ", ""]]


def test_a_tick_brings_its_type_and_what_was_registered(remote: Any, small: Any, heard: Any) -> None:
    data = {10: "-70000", 15: "+1", 99999: "new"}
    slot = heard(lambda: [remote.GetCommRealData("005930", fid) for fid in (10, 15, 99999)])
    remote.OnReceiveRealData.connect(slot)
    small.fire("OnReceiveRealData", "005930", "주식체결", "raw", data=data)
    call(remote, "SetRealReg", "0001", "005930", "10;99999", "1")
    small.fire("OnReceiveRealData", "005930", "주식체결", "raw", data=data)
    small.fire("OnReceiveRealData", "005930", "없는종류", "raw", data=data)
    slot.wait(3)
    # What was not registered is asked for in the other process, where the event is over.
    assert slot.read == [["-70000", "+1", ""], ["-70000", "+1", "new"], ["-70000", "", "new"]]


def test_a_tick_is_read_at_once_as_it_is_value_by_value(remote: Any, small: Any, heard: Any) -> None:
    fids = (10, 15, 99999)
    slot = heard(lambda: (remote.read_tick("005930", fids), [remote.GetCommRealData("005930", fid) for fid in fids]))
    remote.OnReceiveRealData.connect(slot)
    call(remote, "SetRealReg", "0001", "005930", "10;99999", "1")
    small.fire("OnReceiveRealData", "005930", "주식체결", "raw", data={10: "-70000", 15: "+1", 99999: "new"})
    small.fire("OnReceiveRealData", "005930", "없는종류", "raw", data={10: "-70000", 99999: "new"})
    slot.wait(2)
    # What the second does not bring is asked for where it is over.
    assert slot.read == [(["-70000", "+1", "new"],) * 2, (["-70000", "", "new"],) * 2]


def test_nothing_is_missed_once_the_connection_is_made(host: Any, small: Any, heard: Any) -> None:
    for _ in range(30):
        with RemoteControl(host.address) as remote:
            slot = heard()
            remote.OnReceiveMsg.connect(slot)
            small.fire("OnReceiveMsg", "", "", "", "first")
            small.fire("OnReceiveMsg", "", "", "", "second")
            assert [event[-1] for event in slot.wait(2)] == ["first", "second"]


@pytest.mark.parametrize("edition", ["as catalogued", "of another edition"])
def test_an_answer_brings_its_rows(remote: Any, small: Any, heard: Any, edition: str) -> None:
    from koapy.openapi.tr import tr

    columns = tr("opt10081").multi_names
    width = len(columns) + (edition != "as catalogued")
    rows = [[f"{row}.{column}" for column in range(width)] for row in range(600)]
    cells = {(row, name): f"{row}.{at}" for row in range(600) for at, name in enumerate(columns)}

    def read() -> Any:
        return (
            remote.GetRepeatCnt("OPT10081", "요청"),
            remote.GetCommData("opt10081", "", 0, "종목코드"),
            [remote.GetCommData("opt10081", "요청", row, columns[1]) for row in range(600)],
            remote.GetCommDataEx("opt10081", "요청"),
        )

    slot = heard(read)
    remote.OnReceiveTrData.connect(slot)
    data = {"rows": rows, **cells}
    small.fire("OnReceiveTrData", "0001", "요청", "opt10081", "", "2", 0, "", "", "", data=data)
    slot.wait()
    assert slot.read == [(600, "0.0", [f"{row}.1" for row in range(600)], rows)]
    asked = len([each for each in small.calls if each[0] == "GetCommData"])
    assert asked == len(tr("opt10081").single_names) + (0 if edition == "as catalogued" else 600 * len(columns))


def test_an_answer_to_an_order_brings_its_number(remote: Any, small: Any, heard: Any) -> None:
    slot = heard(lambda: remote.GetCommData("KOA_NORMAL_BUY_KP_ORD", "산다", 0, "주문번호"))
    remote.OnReceiveTrData.connect(slot)
    data = {"주문번호": "0000007"}
    small.fire("OnReceiveTrData", "0001", "산다", "KOA_NORMAL_BUY_KP_ORD", "", "", 0, "", "", "", data=data)
    slot.wait()
    assert slot.read == ["0000007"]


def test_reading_that_fails_there_fails_here(remote: Any, small: Any, heard: Any) -> None:
    slot = heard(lambda: remote.GetChejanData(9203))
    remote.OnReceiveChejanData.connect(slot)
    small.fire("OnReceiveChejanData", "0", 1, "9203", data={"broken": True})
    slot.wait()
    assert "OSError: 망가짐" in str(slot.read[0])


def test_inside_an_event_other_functions_reach_a_control_that_has_gone_on(remote: Any, small: Any) -> None:
    """The host holds nothing: while a slot is busy the control serves others, and events keep their order."""
    entered, released, told = threading.Event(), threading.Event(), []

    def slot(code: int) -> None:
        if code == 0:
            entered.set()
            assert released.wait(20)
            told.append(remote.GetMasterCodeName("005930"))
        told.append(code)

    remote.OnEventConnect.connect(slot)
    small.fire("OnEventConnect", 0).result(20)
    assert entered.wait(20)
    for code in range(1, 50):
        small.fire("OnEventConnect", code)
    small.submit(lambda: None).result(20)
    waiting = remote.submit(remote.GetConnectState)
    released.set()
    assert waiting.result(20) == 1
    remote.submit(lambda: None).result(20)
    assert told == ["종목005930", *range(50)]


def test_events_come_in_the_order_in_which_they_were_fired(remote: Any, small: Any) -> None:
    told: list[int] = []
    remote.OnEventConnect.connect(told.append)
    for number in range(3000):
        small.fire("OnEventConnect", number)
        if number % 500 == 0:
            call(remote, "GetConnectState")
    done = threading.Event()
    remote.OnReceiveMsg.connect(lambda *_: done.set())
    small.fire("OnReceiveMsg", "", "", "", "끝")
    assert done.wait(20)
    assert told == list(range(3000))


def test_a_slot_that_raises_keeps_no_other_from_its_event(remote: Any, small: Any, heard: Any) -> None:
    slot = heard()
    remote.OnEventConnect.connect(lambda _: 1 / 0)
    remote.OnEventConnect.connect(slot)
    remote.OnEventConnect.connect(print)
    remote.OnEventConnect.disconnect(print)
    small.fire("OnEventConnect", 0)
    assert slot.wait() == [(0,)]


def test_a_second_gateway_is_refused_and_told_who_is_there(host: Host, remote: Any) -> None:
    with pytest.raises(ControlLost, match="the gateway 'koapy' is connected already"):
        RemoteControl(host.address, name="second", wait=0.1)
    assert call(remote, "GetConnectState") == 1
    assert host.gateway == "koapy"
    remote.close()
    with RemoteControl(host.address, name="second") as second:
        assert call(second, "GetConnectState") == 1


def test_the_next_gateway_finds_the_control_as_if_the_first_had_tidied_up(host: Host, small: Any, heard: Any) -> None:
    with RemoteControl(host.address) as first:
        call(first, "SetRealReg", "0007", "005930", "10", "1")
        call(first, "SetInputValue", "종목코드", "005930")
        call(first, "CommRqData", "r", "opt10001", 0, "0009")
        call(first, "SetInputValue", "잊힌", "x")
    with RemoteControl(host.address) as second:
        call(second, "CommRqData", "r", "opt10001", 0, "0009")
        assert small.events["OnEventConnect"]._slots.__len__() == 1
    assert ("DisconnectRealData", "0007") in small.calls
    assert ("DisconnectRealData", "0009") in small.calls
    assert ("SetInputValue", "잊힌", "x") not in small.calls


def test_a_lost_connection_is_told_and_made_again(small: Any, heard: Any) -> None:
    host = Host(small)
    with RemoteControl(host.address) as remote:
        slot = heard(lambda: remote.GetConnectState())
        remote.OnEventConnect.connect(slot)
        host.close()
        slot.wait()
        assert isinstance(slot.read[0], ControlLost)
        with pytest.raises(ControlLost, match="GetMasterCodeName was not called") as lost:
            call(remote, "GetMasterCodeName", "005930")
        assert not lost.value.begun
        with Host(small, remote.address):
            slot.wait(2)
            assert slot.events == [(-106,), (0,)]
            assert slot.read[1] == 1
            assert call(remote, "GetMasterCodeName", "005930") == "종목005930"


def test_a_gateway_that_is_disconnected_comes_back(host: Host, remote: Any, small: Any, heard: Any) -> None:
    slot = heard()
    remote.OnEventConnect.connect(slot)
    small.fire("OnEventConnect", 7)
    small.submit(lambda: None).result(20)
    host.disconnect("for a test")
    small.fire("OnEventConnect", 8)
    slot.wait(3)
    # What was fired before is told before, what is fired while nobody is there is told to nobody.
    assert [event for event in slot.events if event != (8,)] == [(7,), (-106,), (0,)]
    assert call(remote, "GetConnectState") == 1
    host.disconnect("again")


def test_a_control_that_is_not_logged_in_any_more_is_not_said_to_be(small: Any, heard: Any) -> None:
    host = Host(small)
    with RemoteControl(host.address) as remote:
        slot = heard()
        remote.OnEventConnect.connect(slot)
        host.close()
        slot.wait()
        small.state = 0
        with Host(small, remote.address):
            while not remote.connected:
                assert remote.submit(lambda: None).result(20) is None
            assert call(remote, "GetConnectState") == 0
            assert slot.events == [(-106,)]


def test_a_call_under_way_when_the_connection_goes_fails_at_once(small: Any) -> None:
    blocked, entered = threading.Event(), threading.Event()

    def block(code: str) -> str:
        entered.set()
        blocked.wait(20)
        return code

    small.GetMasterCodeName = block
    host = Host(small)
    with RemoteControl(host.address) as remote:
        future: Future[Any] = remote.submit(remote.GetMasterCodeName, "005930")
        assert entered.wait(20)
        host.close()
        with pytest.raises(ControlLost, match="while GetMasterCodeName ran") as lost:
            future.result(20)
        assert lost.value.begun
    blocked.set()


def test_a_frozen_control_is_not_a_lost_one(small: Any, heard: Any) -> None:
    """Signs of life come from the host's own threads."""
    pace = Pace(beat_seconds=0.05, silent_seconds=0.5)
    with Host(small, pace=pace) as host, RemoteControl(host.address, pace=pace) as remote:
        slot, thaw = heard(), threading.Event()
        remote.OnEventConnect.connect(slot)
        small.submit(thaw.wait, 20)
        frozen = remote.submit(remote.GetConnectState)
        with pytest.raises(TimeoutError):
            frozen.result(1.5)
        thaw.set()
        assert frozen.result(20) == 1
        assert slot.events == []


def test_a_silent_host_is_lost(raw: Any, heard: Any) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        pace = Pace(beat_seconds=0.05, silent_seconds=0.3)
        opened: Future[RemoteControl] = Future()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        thread = threading.Thread(target=lambda: opened.set_result(RemoteControl(address, pace=pace)))
        thread.start()
        connected, _ = server.accept()
        connected.sendall(messages.welcome("s", {"GetConnectState": ""}, {"OnEventConnect": ""}, {}))
        remote = opened.result(20)
        thread.join()
        slot = heard()
        remote.OnEventConnect.connect(slot)
        assert slot.wait() == [(-106,)]
        with pytest.raises(ControlLost, match="nothing was heard"):
            call(remote, "GetConnectState")
        connected.close()
        remote.close()


GARBAGE = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\xff" * 64,
    bytes(64),
    struct.pack("<I", 5) + b"\x04abcd",
    struct.pack("<I", 1025) + bytes(1025),
    frames.BEAT,
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_ends_its_own_connection_only(raw: Any, remote: Any, garbage: bytes) -> None:
    stranger = raw()
    stranger.send(garbage)
    assert stranger.read() is None
    assert call(remote, "GetConnectState") == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff\xff\xff\xff",
        struct.pack("<I", frames.LARGEST + 1),
        struct.pack("<IB", 1, 77),
        messages.event(1, "OnEventConnect", (0,), Nothing()),
        messages.hello("again"),
        messages.call(1, 0, [("GetConnectState", ())])[:-1] + b"\x09",
    ],
    ids=range(6),
)
def test_garbage_of_a_gateway_ends_it_and_makes_room(raw: Any, host: Host, garbage: bytes) -> None:
    gateway = raw()
    gateway.send(messages.hello("wrong"))
    assert frames.kind(gateway.read()) is frames.Kind.WELCOME
    gateway.send(garbage)
    assert gateway.read() is None
    with RemoteControl(host.address) as next_one:
        assert call(next_one, "GetConnectState") == 1


def test_another_version_is_refused_in_words(raw: Any) -> None:
    gateway = raw()
    hello = bytearray(messages.hello("new"))
    hello[13] = 9
    gateway.send(bytes(hello))
    assert "version 9" in messages.read_told(gateway.read(), frames.Kind.REFUSED)
    assert gateway.read() is None


def test_only_the_functions_of_openapi_can_be_called(raw: Any, small: Any) -> None:
    gateway = raw()
    gateway.send(messages.hello("curious"))
    gateway.read()
    for number, name in enumerate(("submit", "_fire", "__init__", "close", "SendOrder")):
        gateway.send(messages.call(number, 0, [(name, ())]))
        error = messages.read_result(gateway.read()).error
        assert error == ("AttributeError", f"this control does not offer {name}")


def test_a_gateway_that_does_not_read_is_given_up_and_the_control_goes_on(small: Any, raw: Any) -> None:
    with Host(small, pace=Pace(queue_bytes=200_000)) as host:
        stuck = type(raw())(host.address)
        stuck.send(messages.hello("stuck"))
        stuck.read()
        fired = 0
        while host.gateway == "stuck":
            fired += 1
            assert fired < 100_000
            small.fire("OnReceiveMsg", "0001", "r", "opt10001", "길" * 5000).result(20)
        with RemoteControl(host.address) as remote:
            assert call(remote, "GetConnectState") == 1
        stuck.socket.close()


def test_only_this_machine(small: Any) -> None:
    for address in ("0.0.0.0:0", "192.0.2.1:5950", "localhost", "127.0.0.1:-1", "127.0.0.1:x"):
        with pytest.raises(ValueError, match="no address of this machine"):
            Host(small, address)
        with pytest.raises(ValueError, match="no address of this machine"):
            RemoteControl(address)


def test_nobody_there_is_said_in_time() -> None:
    with pytest.raises(ControlLost, match=r"the control at 127\.0\.0\.1:1 is not there: "):
        RemoteControl("127.0.0.1:1", wait=0.2)
