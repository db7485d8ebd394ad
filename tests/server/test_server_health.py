"""What becomes of everybody when the control freezes or loses its connection, and that all is well again afterwards."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from server_doubles import ACCOUNT, StrictControl

from koapy.control.outlook import Closed, Outlook
from koapy.openapi.calendar import KST
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2
from koapy.protocol import streams_pb2 as v1
from koapy.protocol.gateway_pb2_grpc import GatewayStub
from koapy.protocol.streams_pb2_grpc import StreamsStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
QUERY = pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})
ORDER = pb.OrderRequest(
    request_name="산다", screen_no="0101", account_no=ACCOUNT, order_type=1, code="005930", quantity=10, quote_type="03"
)
REAL = pb.RealRequest(code_list=["005930"], fid_list=[10])
FREEZE_SECONDS = 0.5
"""Long enough for a control on a busy machine to answer that is not frozen."""


class Control(StrictControl):
    """Can be frozen, loses what it held with its connection, and logs in when it is told to."""

    def __init__(self) -> None:
        super().__init__(automatic=False)
        self.refused: set[str] = set()
        """Codes and conditions that it does not take any more."""
        self.freezes_at = ""
        """A code in whose registration the thread freezes, once."""
        self._thawed = threading.Event()

    def freeze(self) -> None:
        """Let the thread answer nobody."""
        self._thawed.clear()
        self._pool.submit(self._thawed.wait, 60)

    def thaw(self) -> None:
        self._thawed.set()

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        if self.refused & set(codes.split(";")):
            self._note("SetRealReg", screen, codes, fids, option)
            return -300
        if self.freezes_at in codes.split(";"):
            self.freezes_at = ""
            self._thawed.clear()
            self._thawed.wait(60)
        return super().SetRealReg(screen, codes, fids, option)

    def SendCondition(self, screen: str, name: str, index: int, search: int) -> int:
        return super().SendCondition(screen, name, index, search) if name not in self.refused else 0

    def lose(self) -> None:
        self.connected = False
        self.registered.clear()
        self.fire("OnEventConnect", -106)

    def CommConnect(self) -> int:
        super().CommConnect()
        self.connected = True
        self.fire("OnEventConnect", 0)
        return 0

    def SendOrder(self, *args: Any) -> int:
        super().SendOrder(*args)
        if args[0].startswith("얼어라"):
            self._thawed.clear()
            self._thawed.wait(60)
        return 0


@pytest.fixture
def freeze_seconds() -> float:
    return FREEZE_SECONDS


@pytest.fixture
async def gateway(running: Any, with_settings: Any, freeze_seconds: float) -> AsyncIterator[Any]:
    control = Control()
    async with running(control, with_settings(freeze_seconds=freeze_seconds)) as gateway:
        yield gateway
        control.thaw()
        await gateway.settled()
    assert control.faults == []
    assert not any(control.registered.values())
    control.close()


@asynccontextmanager
async def health(gateway: Any) -> AsyncIterator[Any]:
    """Waits until health says what it is given."""
    stream = health_pb2_grpc.HealthStub(gateway.channel).Watch(health_pb2.HealthCheckRequest())

    async def says(status: int) -> None:
        async with asyncio.timeout(20):
            while (await stream.read()).status != status:
                pass

    try:
        yield says
    finally:
        stream.cancel()


async def failed(call: Any) -> tuple[grpc.StatusCode, str, dict[str, str], str]:
    """Status, reason, details and text of an RPC that should fail."""
    async with asyncio.timeout(20):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await end(call)
    error = caught.value
    packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    assert isinstance(packed, bytes)
    status_pb2.Status.FromString(packed).details[0].Unpack(info)
    return error.code(), info.reason, dict(info.metadata), error.details() or ""


async def end(call: Any) -> None:
    if not hasattr(call, "read"):
        await call
    else:
        while await call.read() is not grpc.aio.EOF:
            pass


async def called(gateway: Any, name: str, count: int = 1) -> list[tuple[Any, ...]]:
    return await asyncio.to_thread(gateway.control.wait_for, name, count)


async def test_a_frozen_control_is_noticed_told_and_forgiven(gateway: Any) -> None:
    control = gateway.control
    waiting = gateway.client().TransactionCall(QUERY)
    ticks = gateway.client().RealCall(REAL)
    orders = gateway.client().OrderListen(pb.ListenRequest())
    await called(gateway, "CommRqData")
    await gateway.reached(streams=3, codes=1)
    await gateway.heard()  # of the registration, which is not to be what freezes
    async with health(gateway) as says:
        await says(SERVING)
        control.freeze()
        under_way = asyncio.ensure_future(gateway.call("GetMasterCodeName", "000660"))
        await says(NOT_SERVING)
        for call in (waiting, under_way, gateway.call("GetConnectState"), gateway.stub.OrderCall(ORDER)):
            status, reason, details, text = await failed(call)
            assert (status, reason) == (grpc.StatusCode.UNAVAILABLE, "CONTROL_FROZEN")
            assert details.get("sent", "no") == "no"
            assert "does not answer" in text or "has not answered" in text
        control.thaw()
        await says(SERVING)
        assert await gateway.call("GetConnectState") == 1
        control.fire("OnReceiveRealData", "005930", "주식체결", "", data={"10": "1"})
        assert (await asyncio.wait_for(ticks.read(), 10)).name == "OnReceiveRealData"
    assert not control.named("SendOrder")
    assert ("GetMasterCodeName", "000660") not in control.calls
    ticks.cancel()
    orders.cancel()


async def test_an_order_in_a_frozen_call_may_have_been_sent_and_one_behind_it_never_is(gateway: Any) -> None:
    stuck = pb.OrderRequest()
    stuck.CopyFrom(ORDER)
    stuck.request_name = "얼어라"
    first = gateway.client().OrderCall(stuck)
    await called(gateway, "SendOrder")
    second = gateway.client().OrderCall(ORDER)
    status, reason, details, _ = await failed(first)
    assert (status, reason, details["sent"]) == (grpc.StatusCode.UNAVAILABLE, "CONTROL_FROZEN", "unknown")
    status, reason, details, text = await failed(second)
    assert (status, reason, details["sent"]) == (grpc.StatusCode.UNAVAILABLE, "CONTROL_FROZEN", "no")
    assert "nothing was sent" in text
    async with health(gateway) as says:
        await says(NOT_SERVING)
        gateway.control.thaw()
        await says(SERVING)
    assert await gateway.call("GetConnectState") == 1
    assert len(gateway.control.named("SendOrder")) == 1


async def test_who_waits_for_a_limit_does_not_wait_for_a_frozen_control(running: Any, with_settings: Any) -> None:
    control = Control()
    settings = with_settings(freeze_seconds=FREEZE_SECONDS, tr_windows=((1, 3600.0),))
    async with running(control, settings) as gateway:
        first = gateway.client().TransactionCall(QUERY)
        await called(gateway, "CommRqData")
        second = gateway.client().TransactionCall(QUERY)
        waits = dict(await second.initial_metadata())
        assert float(waits["koapy-wait"]) > 60
        control.freeze()
        for stream in (first, second):
            status, reason, _, _ = await failed(stream)
            assert (status, reason) == (grpc.StatusCode.UNAVAILABLE, "CONTROL_FROZEN")
        control.thaw()
        await gateway.settled()
    assert len(control.named("CommRqData")) == 1
    control.close()


async def test_what_is_given_back_while_the_control_is_frozen_is_given_back_when_it_is_not(gateway: Any) -> None:
    ticks = gateway.client().RealCall(REAL)
    await gateway.reached(codes=1)
    async with health(gateway) as says:
        gateway.control.freeze()
        await says(NOT_SERVING)
        ticks.cancel()
        await gateway.settled()
        gateway.control.thaw()
        await says(SERVING)
    await called(gateway, "SetRealRemove")


async def test_an_event_that_a_client_holds_is_no_frozen_control(gateway: Any) -> None:
    stream = gateway.stub.BidirectionalListen(metadata=[("koapy-event-deadline", "10")])
    await stream.write(pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=["OnReceiveMsg"])))
    await gateway.reached(gates=1)
    await gateway.heard()
    gateway.control.fire("OnReceiveMsg", "", "", "", "text")
    assert (await stream.read()).name == "OnReceiveMsg"
    await asyncio.sleep(3 * FREEZE_SECONDS)  # three times as long as a thread may be silent that nobody holds
    assert await gateway.call("GetConnectState") == 1
    answer = await health_pb2_grpc.HealthStub(gateway.channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == SERVING
    await stream.write(pb.BidirectionalListenRequest(stop_listen_request=pb.StopListenRequest()))
    assert await stream.read() is grpc.aio.EOF


@pytest.mark.parametrize("freeze_seconds", [30.0])  # a login may take a new process
async def test_a_lost_connection_is_told_at_once_and_what_outlives_it_is_registered_anew(gateway: Any) -> None:
    control = gateway.control
    listening = gateway.stub.Listen(pb.ListenRequest(slots=["OnReceiveRealData"]))
    held = gateway.stub.BidirectionalListen()
    slots = pb.ListenRequest(slots=["OnReceiveRealData"])
    await held.write(pb.BidirectionalListenRequest(listen_request=slots))
    batches = StreamsStub(gateway.channel).Events()
    await batches.write(v1.EventsRequest(slots=["OnReceiveRealData"]))
    told = gateway.stub.Listen(pb.ListenRequest(slots=["OnEventConnect"]))
    ticks = gateway.client().RealCall(REAL)
    query = gateway.client().TransactionCall(QUERY)
    await called(gateway, "CommRqData")
    await gateway.reached(streams=6, gates=1)
    assert await gateway.call("SetRealReg", "0001", "000660;035420", "10;27", "0") == 0
    assert await gateway.call("SetRealReg", "0002", "035720", "20", "0") == 0
    assert await gateway.call("EnsureConditionLoaded", False)
    assert await gateway.call("SendCondition", "0003", "대형 저평가 우량주", 0, 1) == 1
    assert await gateway.call("SendCondition", "0003", "중소형 저평가주", 1, 0) == 1
    before = {
        screen: codes - {"005930"}
        for screen, codes in ((screen, set(codes)) for screen, codes in control.registered.items())
    }
    async with health(gateway) as says:
        control.lose()
        await says(NOT_SERVING)
        for stream in (ticks, query):
            status, reason, details, _ = await failed(stream)
            assert (status, reason) == (grpc.StatusCode.UNAVAILABLE, "CONNECTION_LOST")
            assert details["code"] == "-106"
        for call in (
            gateway.stub.TransactionCall(QUERY),
            gateway.stub.OrderCall(ORDER),
            gateway.stub.RealCall(REAL),
            gateway.call("SetRealReg", "0001", "000660", "10", "1"),
            gateway.call("SendCondition", "0003", "중소형 저평가주", 1, 0),
            gateway.call("CommRqData", "r", "opt10001", 0, "0001"),
            gateway.call("CommKwRqData", "005930", 0, 1, 0, "r", "0001"),
        ):
            status, reason, _, text = await failed(call)
            assert (status, reason) == (grpc.StatusCode.UNAVAILABLE, "CONNECTION_LOST")
            assert "LoginCall" in text
        assert await gateway.call("GetMasterCodeName", "005930")
        assert not any(control.registered.values())
        control.calls.clear()
        control.connected = True  # what the control says is not believed before its event
        assert [event.name async for event in gateway.stub.LoginCall(pb.LoginRequest())] == ["OnEventConnect"]
        await says(SERVING)
    (search,) = await called(gateway, "SendCondition")
    assert search[2:] == ("대형 저평가 우량주", 0, 1)
    assert {screen: codes for screen, codes in control.registered.items() if codes} == before
    assert {call[3] for call in control.named("SetRealReg")} == {"10;27", "20"}
    codes = [(await told.read()).arguments[0].long_value for _ in range(2)]
    assert codes == [-106, 0]
    # The batches are told at once, the others with the first event that they get.
    (gap,) = (await asyncio.wait_for(batches.read(), 10)).gaps
    for number in range(2):
        control.fire("OnReceiveRealData", "000660", "주식체결", "", data={"10": "1"})
        for stream in (listening, held):
            event = await asyncio.wait_for(stream.read(), 10)
            assert event.arguments[0].string_value == "000660"
            assert list(event.gaps) == [gap] * (1 - number)
        await held.write(pb.BidirectionalListenRequest(handled_request=pb.HandledRequest()))
    for stream in (held, batches):
        stream.cancel()
    for screen in ("0001", "0002", "0003"):
        await gateway.call("DisconnectRealData", screen)
    await gateway.server.__aexit__(None, None, None)
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await listening.read()
    assert unquote(str(dict(ended.value.trailing_metadata() or ())["koapy-gaps"])) == gap
    since, until = map(datetime.fromisoformat, gap.split("/"))
    assert since <= until
    assert since.utcoffset() == timedelta(hours=9)


@pytest.mark.parametrize("freeze_seconds", [30.0])  # a login may take a new process
@pytest.mark.parametrize("kind", ["Listen", "BidirectionalListen", "batches"])
async def test_codes_that_are_refused_after_a_new_login_end_the_streams_that_wait_for_them(
    gateway: Any, kind: str
) -> None:
    control = gateway.control
    other = gateway.client()  # another connection, whose codes are not refused

    slots = pb.ListenRequest(slots=["OnReceiveRealData"])
    if kind == "Listen":
        concerned = gateway.stub.Listen(slots)
    elif kind == "BidirectionalListen":
        concerned = gateway.stub.BidirectionalListen()
        await concerned.write(pb.BidirectionalListenRequest(listen_request=slots))
    else:
        concerned = StreamsStub(gateway.channel).Events(iter([v1.EventsRequest(slots=slots.slots)]))
    connections = gateway.stub.Listen(pb.ListenRequest(slots=["OnEventConnect"]))
    unconcerned = other.Listen(slots)
    for stream in (connections, concerned, unconcerned):
        await stream.initial_metadata()
    assert await gateway.call("SetRealReg", "0001", "000660", "10", "0") == 0
    assert await gateway.call("SetRealReg", "0001", "035720", "20", "0", stub=other) == 0
    async with health(gateway) as says:
        control.lose()
        await says(NOT_SERVING)
        control.refused = {"000660"}
        assert [event.name async for event in gateway.stub.LoginCall(pb.LoginRequest())] == ["OnEventConnect"]
        await says(SERVING)
    status, reason, details, text = await failed(concerned)
    assert (status, reason, details["code"]) == (grpc.StatusCode.ABORTED, "OP_ERR_ORD_WRONG_INPUT", "-300")
    assert "000660" in text
    # Its other streams go on, and so do those of others.
    assert [(await connections.read()).arguments[0].long_value for _ in range(2)] == [-106, 0]
    control.fire("OnReceiveRealData", "035720", "주식체결", "", data={"10": "1"})
    assert (await asyncio.wait_for(unconcerned.read(), 10)).arguments[0].string_value == "035720"
    # Nothing counts as registered that is not.
    assert await gateway.call("SetRealReg", "0001", "000660", "10", "1") == -300
    control.refused = set()
    assert await gateway.call("SetRealReg", "0001", "000660", "10", "1") == 0
    assert control.registered.keys() == {call[1] for call in control.named("SetRealReg")}
    for stream in (connections, unconcerned):
        stream.cancel()
    for stub, number in ((gateway.stub, "0001"), (other, "0001")):
        await gateway.call("DisconnectRealData", number, stub=stub)


@pytest.mark.parametrize("freeze_seconds", [30.0])  # a login may take a new process
async def test_a_condition_that_is_refused_after_a_new_login_ends_the_streams_that_wait_for_it(gateway: Any) -> None:
    control = gateway.control
    other = gateway.client()
    slots = pb.ListenRequest(slots=["OnReceiveRealCondition"])
    concerned, unconcerned = gateway.stub.Listen(slots), other.Listen(slots)
    ticks = gateway.stub.Listen(pb.ListenRequest(slots=["OnReceiveRealData"]))
    for stream in (concerned, unconcerned, ticks):
        await stream.initial_metadata()
    assert await gateway.call("EnsureConditionLoaded", False)
    for index, name in enumerate(("대형 저평가 우량주", "중소형 저평가주")):
        assert await gateway.call("SendCondition", "0003", name, index, 1) == 1
    async with health(gateway) as says:
        control.lose()
        await says(NOT_SERVING)
        control.calls.clear()
        control.refused = {"대형 저평가 우량주"}
        assert [event.name async for event in gateway.stub.LoginCall(pb.LoginRequest())] == ["OnEventConnect"]
        await says(SERVING)
    status, reason, _, text = await failed(concerned)
    assert (status, reason) == (grpc.StatusCode.ABORTED, "ABORTED")
    assert "0^대형 저평가 우량주" in text
    await called(gateway, "SendCondition")  # the other one is searched again
    control.fire("OnReceiveRealCondition", "005930", "I", "중소형 저평가주", "1")
    assert (await asyncio.wait_for(unconcerned.read(), 20)).name == "OnReceiveRealCondition"
    control.fire("OnReceiveRealData", "005930", "주식체결", "", data={"10": "1"})
    assert (await asyncio.wait_for(ticks.read(), 20)).name == "OnReceiveRealData"
    for stream in (unconcerned, ticks):
        stream.cancel()
    await gateway.call("DisconnectRealData", "0003")


async def test_what_a_frozen_control_does_not_register_again_it_does_when_it_is_not(gateway: Any) -> None:
    """As OpenAPI+ behind the account window, which may open with a login."""
    control = gateway.control
    batches = StreamsStub(gateway.channel).Events(iter([v1.EventsRequest(slots=["OnReceiveRealData"])]))
    await batches.initial_metadata()
    for screen, code in (("0001", "000660"), ("0002", "035720")):
        assert await gateway.call("SetRealReg", screen, code, screen[-2:], "0") == 0
    await gateway.heard()
    async with health(gateway) as says:
        control.lose()
        await says(NOT_SERVING)
        control.freezes_at = "000660"
        assert [event.name async for event in gateway.stub.LoginCall(pb.LoginRequest())] == ["OnEventConnect"]
        await says(SERVING)
        await says(NOT_SERVING)
        control.thaw()
        await says(SERVING)
    assert len((await asyncio.wait_for(batches.read(), 20)).gaps) == 1
    assert {code for codes in control.registered.values() for code in codes} == {"000660", "035720"}
    batches.cancel()
    for screen in ("0001", "0002"):
        await gateway.call("DisconnectRealData", screen)


async def test_a_control_that_is_closed_by_plan_says_until_when_and_logins_wait(
    running: Any, with_settings: Any
) -> None:
    control = Control()
    control.outlook = Outlook()
    until = datetime.now(KST).replace(microsecond=0) + timedelta(hours=1)
    night = Outlook(closed=Closed.MAINTENANCE, text=f"away until {until:%H:%M}", until=until, notices=("a box",))
    async with running(control, with_settings(answer_seconds=0.3)) as gateway, health(gateway) as says:
        await says(SERVING)
        control.outlook = night
        control.lose()
        await says(NOT_SERVING)
        state = await GatewayStub(gateway.channel).Status(gateway_pb2.StatusRequest())
        assert (state.state, state.text) == ("MAINTENANCE", f"away until {until:%H:%M}; a box")
        assert (state.until.ToDatetime(KST), list(state.notices)) == (until, ["a box"])
        for call in (
            gateway.stub.TransactionCall(QUERY),
            gateway.stub.OrderCall(ORDER),
            gateway.stub.RealCall(REAL),
            gateway.call("GetMasterCodeName", "005930"),
            gateway.stub.LoginCall(pb.LoginRequest(), timeout=60),
        ):
            status, reason, details, text = await failed(call)
            assert (status, reason) == (grpc.StatusCode.UNAVAILABLE, "MAINTENANCE")
            assert details["until"] == until.isoformat()
            assert text.startswith("away until ")
        assert await gateway.call("GetConnectState") == 0
        # What waits is not silent, however long it takes, and is told when it is over.
        control.CommConnect = lambda: 0  # type: ignore[method-assign]
        login = gateway.stub.LoginCall(pb.LoginRequest())
        await gateway.reached(streams=1)
        await asyncio.sleep(0.7)  # twice as long as an answer may take
        control.outlook, control.connected = Outlook(), True
        control.fire("OnEventConnect", 0)
        assert [event.name async for event in login] == ["OnEventConnect"]
        await says(SERVING)
        control.outlook = Outlook(closed=Closed.UPGRADING, text="a new version")
        await says(NOT_SERVING)
        _, reason, _, _ = await failed(gateway.stub.TransactionCall(QUERY))
        assert reason == "UPGRADING"
    control.close()


async def test_a_failed_login_says_so_and_health_still_lets_one_log_in(running: Any, with_settings: Any) -> None:
    control = Control()
    control.connected = False
    async with running(control, with_settings()) as gateway:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in gateway.stub.TransactionCall(QUERY):
                pass
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        await asyncio.wrap_future(control.fire("OnEventConnect", -101))
        answer = await health_pb2_grpc.HealthStub(gateway.channel).Check(health_pb2.HealthCheckRequest())
        assert answer.status == SERVING
        assert [event.name async for event in gateway.stub.LoginCall(pb.LoginRequest())] == ["OnEventConnect"]
        control.lose()
        async with health(gateway) as says:
            await says(NOT_SERVING)
    control.close()


SLOW = """
import sys
sys.path.insert(0, sys.argv[1])
from doubles import StrictControl
import koapy

class Slow(StrictControl):
    '''Takes its time for an order, and then for its number.'''
    def SendOrder(self, *args):
        print("sent", flush=True)
        sys.stdin.readline()
        self.fire("OnReceiveTrData", args[1], args[0], "KOA_NORMAL_BUY_KP_ORD", "", "", 0, "", "", "",
                  data={"주문번호": "0000123"})
        return 0

koapy.serve(Slow(), port=0, ready=lambda address: print(address, flush=True))
print("ended", flush=True)
"""


async def test_a_shutdown_waits_for_the_number_of_an_order_that_is_on_its_way(tmp_path: Path) -> None:
    from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

    command = [sys.executable, "-c", SLOW, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: ASYNC220
        assert server.stdin
        assert server.stdout
        address = (await asyncio.to_thread(server.stdout.readline)).strip()
        async with grpc.aio.insecure_channel(address) as channel:
            stub = KiwoomOpenApiPlusServiceStub(channel)
            order = stub.OrderCall(ORDER)
            events: list[str] = []

            async def follow() -> None:
                while True:
                    events.append((await order.read()).name)

            following = asyncio.create_task(follow())
            assert (await asyncio.to_thread(server.stdout.readline)).strip() == "sent"
            server.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                while True:  # what is new is refused from now on
                    try:
                        await stub.Call(pb.CallRequest(name="GetAPIModulePath"))
                    except grpc.aio.AioRpcError as error:
                        if error.code() is grpc.StatusCode.UNAVAILABLE:
                            break
            assert not events
            server.stdin.write("\n")
            server.stdin.flush()
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await asyncio.wait_for(following, 10)
        assert events == ["OnReceiveTrData"]
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in (ended.value.details() or "")
        assert await asyncio.to_thread(server.wait, 20) == 0
        assert server.stdout.read().strip() == "ended"
