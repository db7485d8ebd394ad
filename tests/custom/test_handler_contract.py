"""What a handler's class may rely on: its bases, its events, what it reads in them, its calls, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.custom import serve
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "koapy.backend.kiwoom_open_api_plus"
TOP = f"""
import json
from {PATH}.core.KiwoomOpenApiPlusEventHandler import KiwoomOpenApiPlusEventHandler
from {PATH}.grpc.event.KiwoomOpenApiPlusEventHandlerForGrpc import KiwoomOpenApiPlusEventHandlerForGrpc
from {PATH}.grpc.KiwoomOpenApiPlusService_pb2 import ListenResponse

def tell(handler, *told):
    handler.observer.on_next(ListenResponse(name=json.dumps(told)))
"""
PLAIN = "class Handler:\n    def __init__(self, control, request, context): self.request = request\n"
BASES = {
    "core": (
        "class Handler(KiwoomOpenApiPlusEventHandler):\n"
        "    def __init__(self, control, request, context): super().__init__(control)\n"
    ),
    "grpc": (
        "class Handler(KiwoomOpenApiPlusEventHandlerForGrpc):\n"
        "    def __init__(self, control, request, context): super().__init__(control, context)\n"
    ),
    "none": PLAIN,
}


def code(*methods: str, base: str = PLAIN) -> str:
    """A handler with these methods."""
    lines = [line for method in methods for line in method.strip("\n").splitlines()]
    return TOP + base + "\n".join(f"    {line}" for line in lines)


READY = "def on_enter(self): tell(self, 'ready')"


async def told(stream: Any) -> Any:
    """What the handler has told last."""
    import json

    message = await stream.read()
    assert message is not grpc.aio.EOF
    return json.loads(message.name)


@pytest.mark.parametrize("base", BASES)
async def test_the_data_of_events_is_read_inside_them(house: Callable[..., Any], base: str) -> None:
    reads = """
def OnReceiveTrData(self, *args):
    tell(self, args, self.control.GetRepeatCnt(args[2], args[1]),
         self.control.GetCommData(args[2], args[1], 1, "현재가"),
         self.control.GetCommData(args[2], args[1], 0, "종목코드"),
         self.control.GetCommDataEx(args[2], args[1]), self.control.GetChejanData(9203))
def OnReceiveRealData(self, code, kind, data):
    tell(self, code, kind, data, self.control.GetCommRealData(code, 10), self.control.GetCommRealData("000660", 10))
def OnReceiveChejanData(self, gubun, count, fids):
    tell(self, gubun, count, fids, self.control.GetChejanData(9203), self.control.GetChejanData(913))
"""
    async with house() as home:
        stream = home.listen(code(READY, reads, base=BASES[base]))
        assert await told(stream) == ["ready"]
        home.control.answer("1000", "이름", "opt10081", "2", {"종목코드": "005930", "현재가": "71000", "rows": "2"})
        args, rows, price, single, table, nothing = await told(stream)
        assert args == ["1000", "이름", "opt10081", "", "2", 0, "", "", ""]
        assert (rows, price, single, nothing) == (2, "71000", "005930", "")
        assert len(table) == 2
        assert "71000" in table[1]
        home.control.fire("OnReceiveRealData", "005930", "주식체결", "raw", data={"10": "+71000"})
        assert await told(stream) == ["005930", "주식체결", "raw", "+71000", ""]
        home.control.fire("OnReceiveChejanData", "0", 2, "9203;9201", data={"9203": "0000012", "9201": "8000000011"})
        assert await told(stream) == ["0", 2, "9203;9201", "0000012", ""]
        stream.cancel()


async def test_calls_go_the_way_of_every_call(house: Callable[..., Any]) -> None:
    asks = """
def on_enter(self):
    tell(self, self.control.GetMasterCodeName("005930"), self.control.GetConnectState(), self.control.GetAccountList())
    tell(self, self.control.GetConditionNameListAsList())
    self.control.SetInputValue("종목코드", "005930")
    tell(self, self.control.CommRqData("이름", "opt10001", 0, sScreenNo="1000"))
def OnReceiveTrData(self, screen, request, *rest):
    tell(self, screen, request, self.control.GetCommData(rest[0], request, 0, "종목코드"))
    try:
        self.control.SetRealReg("abc", "005930", "10", "0")
    except RuntimeError as refused:
        tell(self, refused.status, refused.reason, str(refused))
    self.control.SetRealReg("2000", "005930", "10", "0")
    self.stop()
"""
    async with house() as home:
        stream = home.listen(code(asks))
        assert await told(stream) == ["종목005930", 1, ["8000000011"]]
        assert await told(stream) == [[[0, "대형 저평가 우량주"], [1, "중소형 저평가주"]]]
        assert await told(stream) == [0]
        assert await told(stream) == ["1000", "이름", "005930"]
        status, reason, text = await told(stream)
        assert (status, reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
        assert "abc" in text
        assert await stream.read() is grpc.aio.EOF
        # What it has registered is given back with it.
        home.control.wait_for("SetRealReg")
        await home.gateway.settled()


async def test_a_refusal_that_nobody_catches_ends_the_stream_with_it(house: Callable[..., Any]) -> None:
    async with house() as home:
        ended = await home.ended(code("def on_enter(self): self.control.SetRealReg('abc', '005930', '10', '0')"))
        assert ended[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


async def test_only_what_is_defined_is_connected_and_slots_may_be_added(house: Callable[..., Any]) -> None:
    adds = """
def on_enter(self):
    self.control.OnReceiveMsg.connect(self.message)
    tell(self, "ready")
def OnEventConnect(self, code):
    self.control.OnReceiveMsg.disconnect(self.message)
    tell(self, code)
def message(self, *args): tell(self, args)
"""
    async with house() as home:
        stream = home.listen(code(adds))
        assert await told(stream) == ["ready"]
        assert home.gateway.state["subscriptions"] == 2
        home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", "조회완료")
        assert await told(stream) == [["1000", "이름", "opt10001", "조회완료"]]
        home.control.fire("OnEventConnect", 0)
        assert await told(stream) == [0]
        assert home.gateway.state["subscriptions"] == 1
        stream.cancel()


async def test_the_end_runs_on_exit_then_the_callbacks_last_first(house: Callable[..., Any]) -> None:
    ends = """
def on_enter(self):
    self.add_callback(tell, self, "first")
    self.add_callback(tell, self, "second", )
    self.context.add_callback(lambda: tell(self, "rpc", self.context.is_active()))
    tell(self, self.context.is_active(), self.context.time_remaining() is None, self.request.class_name)
    self.observer.on_completed()
def on_exit(self, exc_type=None, exc_value=None, traceback=None): tell(self, "exit", repr(exc_value))
"""
    async with house() as home:
        stream = home.listen(code(ends))
        assert [await told(stream) for _ in range(5)] == [
            [True, True, "Handler"],
            ["rpc", False],
            ["exit", "None"],
            ["second"],
            ["first"],
        ]
        assert await stream.read() is grpc.aio.EOF


async def test_a_client_that_goes_lets_the_handler_clean_up(house: Callable[..., Any]) -> None:
    cleans = """
def on_enter(self):
    self.control.SetRealReg("2000", "005930", "10", "0")
    self.add_callback(self.control.GetMasterCodeName, "000660")
    tell(self, "ready")
"""
    async with house() as home:
        stream = home.listen(code(cleans, base=BASES["grpc"]))
        assert await told(stream) == ["ready"]
        stream.cancel()
        await home.gateway.settled()
        assert ("GetMasterCodeName", "000660") in home.control.calls


async def test_an_error_of_the_handlers_own_ends_the_stream(house: Callable[..., Any]) -> None:
    async with house() as home:
        ended = await home.ended(code("def on_enter(self): self.observer.on_error(ValueError('계좌 없음'))"))
        assert ended == (
            grpc.StatusCode.ABORTED,
            "HANDLER_FAILED",
            "the event handler failed: ValueError: 계좌 없음",
        )


@pytest.mark.parametrize(
    ("status", "becomes"), [("NOT_FOUND", grpc.StatusCode.NOT_FOUND), ("OK", grpc.StatusCode.ABORTED)]
)
async def test_it_may_abort_with_a_status_of_its_own(
    house: Callable[..., Any], status: str, becomes: grpc.StatusCode
) -> None:
    aborts = f"""
def on_enter(self):
    import grpc
    self.context.abort(grpc.StatusCode.{status}, "없는 종목")
"""
    async with house() as home:
        assert await home.ended(code(aborts, base=BASES["grpc"])) == (becomes, "HANDLER_ABORTED", "없는 종목")


async def test_the_call_comes_first_and_its_events_are_not_missed(house: Callable[..., Any]) -> None:
    answers = """
def on_enter(self): tell(self, "early")
def OnReceiveTrData(self, screen, request, *rest):
    tell(self, request)
    self.stop()
"""
    async with house() as home:
        string, number = (lambda text: pb.Argument(string_value=text)), pb.Argument(long_value=0)
        arguments = [string("이름"), string("opt10004"), number, string("1000")]
        await home.gateway.call("SetInputValue", "종목코드", "005930")
        request = pb.CallAndListenRequest(
            call_request=pb.CallRequest(name="CommRqData", arguments=arguments),
            listen_request=pb.ListenRequest(code=code(answers), class_name="Handler"),
        )
        messages = [message async for message in home.stub.CustomCallAndListen(request)]
        assert [message.WhichOneof("response") for message in messages] == [
            "call_response",
            "listen_response",
            "listen_response",
        ]
        assert messages[0].call_response.return_value.long_value == 0
        assert [message.listen_response.name for message in messages[1:]] == ['["early"]', '["\\uc774\\ub984"]']


async def test_a_first_call_that_is_refused_ends_the_stream(house: Callable[..., Any]) -> None:
    async with house() as home:
        request = pb.CallAndListenRequest(
            call_request=pb.CallRequest(name="GetMasterCodeName"),
            listen_request=pb.ListenRequest(code=code(READY), class_name="Handler"),
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await home.stub.CustomCallAndListen(request).read()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("program", "name", "says"),
    [
        ("class Handler(:", "Handler", "cannot be compiled"),
        (PLAIN, "Another", "no class 'Another'"),
        ("Handler = 3", "Handler", "no class"),
        (PLAIN, "", "both code and class_name"),
        ("", "Handler", "both code and class_name"),
    ],
)
async def test_code_without_a_handler_is_refused(house: Callable[..., Any], program: str, name: str, says: str) -> None:
    async with house() as home:
        status, _, text = await home.ended(program, name)
        assert status is grpc.StatusCode.INVALID_ARGUMENT
        assert says in text


async def test_handlers_are_off_unless_turned_on(strict_gateway: Any) -> None:
    async with strict_gateway() as gateway:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await gateway.stub.CustomListen(pb.ListenRequest(code=PLAIN, class_name="Handler")).read()
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert "--allow-custom-handlers" in (caught.value.details() or "")


async def test_windows_says_that_it_cannot(house: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    class Windows:
        platform = "win32"

    monkeypatch.setattr(serve, "sys", Windows)
    async with house() as home:
        status, _, text = await home.ended(code(READY))
        assert status is grpc.StatusCode.UNIMPLEMENTED
        assert "Windows" in text


CONVENIENCES = {
    "IsConnected()": True,
    "GetServerGubun()": "1",
    "IsSimulationServer()": True,
    "IsRealServer()": False,
    "GetAccountCount()": 1,
    "len(GetAccountList())": 1,
    "GetFirstAvailableAccount() == GetAccountList()[0]": True,
    "GetUserId() == GetLoginInfo('USER_ID')": True,
    "GetUserName() == GetLoginInfo('USER_NAME')": True,
    "'005930' in GetKospiCodeList()": True,
    "GetKosdaqCodeList() == sorted(GetCodeListByMarketAsList('10'))": True,
    "len(GetNameListByMarketAsList(50)) == len(GetCodeListByMarketAsList(50))": True,
    "GetMasterStockStateAsList('005930') == GetStockStates('005930') != []": True,
    "IsSuspended('005930') or IsUnderSurveillance('005930') or IsUnderAdministration('005930')": False,
    "'시장구분0' in GetMasterStockInfoAsDict('005930')": True,
    "GetStockMarketKind('005930')": "0",
    "GetUpjongCodeAsList(0)[0][2] == GetUpjongNameByCode(GetUpjongCodeAsList(0)[0][1])": True,
    "IsOrderWarningETF('005930') + IsOrderWarningStock('005930')": "00",
    "int(GetMasterListedStockCntEx('005930')) > 0": True,
    "CommRqDataWithInputs('이름', 'opt10001', 0, '1000', {'종목코드': '005930'})": 0,
}


async def test_the_conveniences_say_what_koapy_s_said(house: Callable[..., Any]) -> None:
    asks = f"""
def on_enter(self): self.control.CommConnect()
def OnEventConnect(self, code):
    import builtins
    class Names(dict):
        def __missing__(names, name): return getattr(builtins, name, None) or getattr(self.control, name)
    tell(self, {{text: eval(text, Names()) for text in {list(CONVENIENCES)!r}}})
    self.stop()
"""
    async with house(control=SimulatedControl(hours="always")) as home:
        assert await told(home.listen(code(asks))) == [CONVENIENCES]
