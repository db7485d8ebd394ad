"""A control that raises, lies or talks nonsense: always a status with the reason, nothing kept, nobody else harmed."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from server_doubles import ACCOUNT, EVENTS, StrictControl

from koapy.openapi.functions import FUNCTIONS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

NUMBER = "0000123"
CONDITION = pb.ConditionRequest(condition_name="중소형 저평가주", condition_index=1, search_type=0)
REAL_FUNCTIONS = ("SetRealReg", "SetRealRemove", "DisconnectRealData")
RELEASES = {"DisconnectRealData", "SetRealRemove", "SendConditionStop"}
READS = {"GetRepeatCnt", "GetCommData", "GetCommDataEx", "GetCommRealData", "GetChejanData"}


class Broken(StrictControl):
    """Answers everything by itself, and breaks in one function, as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks = ""
        self.breaking: Callable[[], Any] = lambda: None

    def __getattribute__(self, name: str) -> Any:
        if name in FUNCTIONS and name == object.__getattribute__(self, "__dict__").get("breaks"):
            return lambda *_: object.__getattribute__(self, "breaking")()
        return super().__getattribute__(name)

    def CommConnect(self) -> int:
        super().CommConnect()
        self.fire("OnEventConnect", 0)
        return 0

    def CommKwRqData(self, codes: str, following: int, count: int, kind: int, request: str, screen: str) -> int:
        self._note("CommKwRqData", codes)
        self.answer(screen, request, "OPTKWFID", data={"rows": "1", "종목코드": codes})
        return 0

    def GetCommDataEx(self, code: str, record: str) -> list[list[str]]:
        return [["1"] * 3]

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        super().SetRealReg(screen, codes, fids, option)
        for code in codes.split(";"):
            self.fire("OnReceiveRealData", code, "주식체결", "1", data={"10": "1"})
        return 0

    def SendOrder(self, request: str, screen: str, account: str, *rest: Any) -> int:
        super().SendOrder(request, screen, account, *rest)
        answer = {"주문번호": NUMBER}
        self.fire("OnReceiveTrData", screen, request, "KOA_NORMAL_BUY_KP_ORD", "", "", 0, "", "", "", data=answer)
        for state, left in (("접수", "1"), ("체결", "0")):
            self._tell("0", {"9203": NUMBER, "913": state, "900": "1", "902": left})
        self._tell("1", {"930": "1"})
        return 0

    def _tell(self, gubun: str, values: dict[str, str]) -> None:
        data = {"9201": ACCOUNT, "9001": "A005930", **values}
        self.fire("OnReceiveChejanData", gubun, len(data), ";".join(data), data=data)

    def SendCondition(self, screen: str, name: str, index: int, search: int) -> int:
        super().SendCondition(screen, name, index, search)
        self.fire("OnReceiveTrCondition", screen, "005930;", name, index, 0)
        return 1


def query(code: str) -> pb.TransactionRequest:
    return pb.TransactionRequest(transaction_code=code, inputs={"종목코드": "005930"})


async def first(stream: Any) -> None:
    """What never ends is fine once it has begun."""
    await stream.read()
    stream.cancel()


async def all_of(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass


async def real(gateway: Any) -> None:
    await first(gateway.stub.RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10])))


async def two_way_real(gateway: Any) -> None:
    """By a client without asyncio: grpc.aio takes a request that comes too late for the end of the stream."""
    enough = threading.Event()

    def requests() -> Iterator[pb.BidirectionalRealRequest]:
        initial = pb.BidirectionalRealInitializeRequest(fid_list=[10])
        yield pb.BidirectionalRealRequest(initialize_request=initial)
        codes = pb.BidirectionalRealRegisterRequest(code_list=["005930"])
        yield pb.BidirectionalRealRequest(register_request=codes)
        enough.wait(10)
        yield pb.BidirectionalRealRequest(stop_request=pb.BidirectionalRealStopRequest())

    def follow() -> None:
        with grpc.insecure_channel(gateway.address) as channel:
            try:
                for _ in KiwoomOpenApiPlusServiceStub(channel).BidirectionalRealCall(requests()):
                    enough.set()
            finally:
                enough.set()

    await asyncio.to_thread(follow)


async def log_in(gateway: Any) -> None:
    gateway.control.connected = False
    try:
        await all_of(gateway.stub.LoginCall(pb.LoginRequest()))
    finally:
        gateway.control.connected = True


async def order(gateway: Any) -> None:
    request = pb.OrderRequest(account_no=ACCOUNT, order_type=1, code="005930", quantity=1, quote_type="03")
    await all_of(gateway.stub.OrderCall(request))


async def calls(gateway: Any) -> None:
    """What Call keeps for a connection, from the first to the last."""
    await gateway.call("SetRealReg", "0001", "005930", "10", "0")
    await gateway.call("SendCondition", "0001", "중소형 저평가주", 1, 1)
    await gateway.call("SetInputValue", "종목코드", "005930")
    await gateway.call("CommRqData", "이름", "opt10001", 0, "0001")
    await gateway.call("SendOrder", "이름", "0001", ACCOUNT, 1, "005930", 1, 0, "03", "")
    await gateway.call("SetRealRemove", "ALL", "ALL")
    await gateway.call("SendConditionStop", "0001", "중소형 저평가주", 1)


RPCS: dict[str, Callable[[Any], Any]] = {
    "LoginCall": log_in,
    "TransactionCall": lambda gateway: all_of(gateway.stub.TransactionCall(query("opt10001"))),
    "TransactionCall of rows": lambda gateway: all_of(gateway.stub.TransactionCall(query("opt10081"))),
    "TransactionCall of codes": lambda gateway: all_of(gateway.stub.TransactionCall(query("OPTKWFID"))),
    "OrderCall": order,
    "RealCall": real,
    "BidirectionalRealCall": two_way_real,
    "LoadConditionCall": lambda gateway: all_of(gateway.stub.LoadConditionCall(pb.LoadConditionRequest())),
    "ConditionCall": lambda gateway: all_of(gateway.stub.ConditionCall(CONDITION)),
    "Call": calls,
}
USED = [
    "CommConnect",
    "CommKwRqData",
    "CommRqData",
    "DisconnectRealData",
    "GetChejanData",
    "GetCommData",
    "GetCommDataEx",
    "GetCommRealData",
    "GetConditionLoad",
    "GetConditionNameList",
    "GetConnectState",
    "GetLoginInfo",
    "GetMasterCodeName",
    "GetRepeatCnt",
    "SendCondition",
    "SendConditionStop",
    "SendOrder",
    "SetInputValue",
    "SetRealReg",
    "SetRealRemove",
]


@pytest.fixture
async def gateway(running: Any, with_settings: Any) -> AsyncIterator[Any]:
    control = Broken()
    async with running(control, with_settings(answer_seconds=10.0, drain_seconds=1.0)) as gateway:
        yield gateway
    control.breaks = ""
    assert control.faults == []
    assert control.slots() == 0
    control.close()


def reason(error: Any) -> str:
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    assert isinstance(packed, bytes), error
    info = error_details_pb2.ErrorInfo()
    status_pb2.Status.FromString(packed).details[0].Unpack(info)
    return info.reason


async def outcome(rpc: Any) -> tuple[grpc.StatusCode, str]:
    """Status and reason of an RPC, however it ends; OK with no reason when it ends well."""
    try:
        async with asyncio.timeout(15):
            await rpc
    except grpc.RpcError as error:
        return error.code(), reason(error)
    return grpc.StatusCode.OK, ""


async def everything(gateway: Any, broken: str) -> dict[str, tuple[grpc.StatusCode, str]]:
    """How each RPC ends, one after the other, while a bystander looks on that the fault is no concern of."""
    bystander = gateway.client().Listen(pb.ListenRequest(slots=["OnReceiveRealCondition"]))
    await gateway.reached(streams=1)
    ends = {name: await outcome(rpc(gateway)) for name, rpc in RPCS.items()}
    await outcome(gateway.call("DisconnectRealData", "0001"))
    gateway.control.breaks = ""
    gateway.control.fire("OnReceiveRealCondition", "005930", "I", broken, "001")
    assert (await asyncio.wait_for(bystander.read(), 10)).arguments[2].string_value == broken
    bystander.cancel()
    await gateway.settled()
    return ends


async def test_a_sound_control_serves_everything_of_this_table(gateway: Any) -> None:
    ends = await everything(gateway, "")
    assert set(ends.values()) == {(grpc.StatusCode.OK, "")}, ends
    assert {call[0] for call in gateway.control.calls} >= set(USED) - READS - {"GetConditionNameList"}


@pytest.mark.parametrize("function", USED)
@pytest.mark.parametrize("error", [RuntimeError, SystemExit, AttributeError, StopIteration])
async def test_a_control_that_raises_ends_what_needs_it_with_the_reason(
    gateway: Any, function: str, error: type[BaseException]
) -> None:

    def broken() -> None:
        raise error("broken")

    gateway.control.breaks, gateway.control.breaking = function, broken
    ends = await everything(gateway, function)
    assert set(ends.values()) <= {(grpc.StatusCode.OK, ""), (grpc.StatusCode.INTERNAL, "CONTROL_RAISED")}, ends
    if function in RELEASES:  # what has been answered has been answered
        assert {name for name, (status, _) in ends.items() if status is not grpc.StatusCode.OK} <= {"Call"}
    elif function != "GetCommDataEx":  # of which the table has nothing to read
        assert any(status is grpc.StatusCode.INTERNAL for status, _ in ends.values()), ends


@pytest.mark.parametrize("function", [name for name in USED if FUNCTIONS[name].returns != "none"])
@pytest.mark.parametrize("value", [None, b"bytes", 1.5])
async def test_a_control_that_returns_nonsense_ends_what_needs_it_with_the_reason(
    gateway: Any, function: str, value: Any
) -> None:
    gateway.control.breaks, gateway.control.breaking = function, lambda: value
    ends = await everything(gateway, function)
    assert set(ends.values()) <= {(grpc.StatusCode.OK, ""), (grpc.StatusCode.INTERNAL, "CONTROL_RETURNED")}, ends
    if function not in RELEASES | {"GetCommDataEx"}:
        assert any(status is grpc.StatusCode.INTERNAL for status, _ in ends.values()), ends


@pytest.mark.parametrize("function", ["GetAPIModulePath", "GetConnectState", "GetMasterListedStockCnt"])
async def test_a_function_that_only_call_knows_is_no_different(gateway: Any, function: str) -> None:
    args = ["005930"] * len(FUNCTIONS[function].parameters)
    wrong = 1 if FUNCTIONS[function].returns == "str" else "1"
    for breaking, expected in (
        (lambda: 1 / 0, "CONTROL_RAISED"),
        (lambda: wrong, "CONTROL_RETURNED"),
        (lambda: None, "CONTROL_RETURNED"),
    ):
        gateway.control.breaks, gateway.control.breaking = function, breaking
        assert await outcome(gateway.call(function, *args)) == (grpc.StatusCode.INTERNAL, expected)


NONSENSE: dict[str, list[tuple[Any, ...]]] = {
    "OnReceiveTrData": [(), ("0001", None, "opt10001", "", "0"), ("0001", ["r"], "opt10001", "", "0"), (1, 2, 3, 4, 5)],
    "OnReceiveRealData": [(), ("005930",), (None, "주식체결", ""), ({}, "주식체결", "")],
    "OnReceiveMsg": [(), ("0001", "r", "opt10001", None)],
    "OnReceiveChejanData": [(), ("0", "3", "9201"), ("0", 3, None), ("0", 1, "no number")],
    "OnEventConnect": [(), (None,), ("0",)],
    "OnReceiveRealCondition": [(), ("005930", "I", "이름", None), ("005930", "I", "이름", "no number")],
    "OnReceiveTrCondition": [(), (None, "005930;", "이름", 1, 0), ("0001", "005930;", "이름", "1", 0)],
    "OnReceiveConditionVer": [(), ("1", ""), (1, None)],
}


@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_that_cannot_be_read_ends_the_streams_that_miss_it(gateway: Any, event: str) -> None:
    for args in NONSENSE[event]:
        missing = gateway.client().Listen(pb.ListenRequest(slots=[event]))
        other = "OnReceiveMsg" if event == "OnReceiveConditionVer" else "OnReceiveConditionVer"
        bystander = gateway.client().Listen(pb.ListenRequest(slots=[other]))
        await gateway.reached(subscriptions=2)
        await asyncio.wrap_future(gateway.control.fire(event, *args))
        status, why = await outcome(all_of(missing))
        assert (status, why) == (grpc.StatusCode.INTERNAL, "CONTROL_RAISED"), args
        gateway.control.fire(other, *(("", "", "", "ok") if other == "OnReceiveMsg" else (1, "ok")))
        assert (await asyncio.wait_for(bystander.read(), 10)).name == other
        bystander.cancel()
        await gateway.settled()


async def test_an_order_event_that_cannot_be_read_ends_all_streams_of_orders(gateway: Any) -> None:
    """Whose event it was is what could not be read, and nobody is to take silence for good news."""
    gateway.control.SendOrder = lambda *args: 0
    request = pb.OrderRequest(account_no=ACCOUNT, order_type=1, code="005930", quantity=1, quote_type="03")
    waiting = gateway.client().OrderCall(request)
    listening = gateway.client().OrderListen(pb.ListenRequest())
    ticks = gateway.client().RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10]))
    await gateway.reached(streams=3)
    await ticks.read()
    gateway.control.fire("OnReceiveChejanData", "0", 3, None)
    for stream in (waiting, listening):
        assert await outcome(all_of(stream)) == (grpc.StatusCode.INTERNAL, "CONTROL_RAISED")
    gateway.control.fire("OnReceiveRealData", "005930", "주식체결", "", data={"10": "1"})
    assert (await asyncio.wait_for(ticks.read(), 10)).name == "OnReceiveRealData"
    ticks.cancel()
    await gateway.settled()
