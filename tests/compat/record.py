"""Records what KOAPY 0.9.0's own client and its own server say to each other, byte by byte.

Runs in KOAPY's environment (conftest.py builds it), with the stand-ins on PYTHONPATH and a type library:

    KOAPY_RECORD=1 python -m pytest tests/compat/test_koapy_recorded.py      writes recorded/koapy-0.9.jsonl

One line for each scene: what it shows, and its steps over all its RPCs in their order, each with the number of the
call, the RPC, and ">" with a message to the server, "<" with a message to the client (both in base64), or "=" with the
status of the end. The server is KOAPY's servicer, unmodified, over a control that plays a few fixed answers.
"""

# ruff: noqa: I001, RUF100  these are KOAPY's own modules, and some of them have namesakes here

import base64
import itertools
import json
import queue
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import grpc
from koapy.backend.kiwoom_open_api_plus.core.KiwoomOpenApiPlusRealType import KiwoomOpenApiPlusRealType
from koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusServiceClient import KiwoomOpenApiPlusServiceClient

from koapy.backend.kiwoom_open_api_plus.grpc import KiwoomOpenApiPlusService_pb2 as pb
from koapy.backend.kiwoom_open_api_plus.grpc import KiwoomOpenApiPlusService_pb2_grpc as pb_grpc
from koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusServiceServicer import KiwoomOpenApiPlusServiceServicer

ACCOUNT = "8000000011"
CODE, NAME = "005930", "삼성전자"
CONDITIONS = {"대형 저평가 우량주": 0, "중소형 저평가주": 1}
ORDER = "0163911"
ACCEPTED = (
    "9201;9203;9205;9001;912;913;302;900;901;902;903;904;905;906;907;908;909;"
    "910;911;10;27;28;914;915;938;939;919;920;921;922;923;949;10010;969;819"
)
BALANCE = (
    "9201;9001;917;916;302;10;930;931;932;933;945;946;950;951;27;28;307;"
    "8019;957;958;918;990;991;992;993;959;924;10010;25;11;12;306;305;970"
)
LOGIN_SECONDS = 0.3
PATIENCE = 10  # seconds


# The control

LOOK_UPS = {
    ("GetLoginInfo", "ACCLIST"): ACCOUNT + ";",
    ("GetLoginInfo", "ACCOUNT_CNT"): "1",
    ("GetLoginInfo", "USER_ID"): "tester",
    ("KOA_Functions", "GetServerGubun", ""): "1",
    ("KOA_Functions", "GetMasterListedStockCntEx", CODE): "5969782550",
    ("GetCodeListByMarket", "8"): "069500;114800;",
    ("GetMasterCodeName", CODE): NAME,
    ("GetMasterStockState", CODE): "증거금20%|담보대출|신용가능",
    ("GetMasterConstruction", CODE): "정상",
}


class Signal:
    """An event that handlers connect to."""

    def __init__(self):
        self._slots = []

    def connect(self, slot):
        self._slots.append(slot)

    def disconnect(self, slot):
        self._slots.remove(slot)

    def __call__(self, *arguments):
        for slot in list(self._slots):
            slot(*arguments)


class Queued:
    """A function as KOAPY's widget has it: callable, and callable in a queue."""

    def __init__(self, function):
        self._function = function

    def __call__(self, *arguments):
        return self._function(*arguments)

    def queuedCall(self, *arguments):
        done = Future()
        done.set_result(self._function(*arguments))
        return done


class Control:
    """Fixed answers under the names of OpenAPI+ and of KOAPY's widget; its one thread fires the events."""

    def __init__(self):
        self._thread = ThreadPoolExecutor(1)
        self._connected = self._conditions = False
        self._tr, self._chejan, self._real = {}, {}, {}
        self._inputs = {}
        for name in ("TrData", "RealData", "Msg", "ChejanData", "ConditionVer", "TrCondition", "RealCondition"):
            setattr(self, "OnReceive" + name, Signal())
        self.OnEventConnect = Signal()
        self.RateLimitedCommRqData = Queued(self._comm_rq_data_with_inputs)
        self.RateLimitedCommKwRqData = Queued(self._comm_kw_rq_data)
        self.RateLimitedSendOrder = Queued(self._send_order)
        self.RateLimitedSendCondition = Queued(self._send_condition)
        self.SetRealReg = Queued(self._set_real_reg)
        self.SetRealRemove = Queued(lambda *_: None)
        for name in {key[0] for key in LOOK_UPS}:
            setattr(self, name, lambda *arguments, name=name: LOOK_UPS[(name, *arguments)])

    # Login

    def GetConnectState(self):
        return int(self._connected)

    def GetAPIModulePath(self):
        return "C:\\OpenAPI"

    def CommConnect(self):
        self._thread.submit(self._log_in)
        return 0

    def _log_in(self):
        time.sleep(LOGIN_SECONDS)  # as the real one: a client's slot needs a moment to arrive
        self._connected = True
        self.OnEventConnect(0)

    # Queries

    def SetInputValue(self, name, value):
        self._inputs[name] = value

    def CommRqData(self, request, code, more, screen):
        self._thread.submit(self._answer, screen, request, code, "2" if code == "opt10081" and not more else "")
        return 0

    def _comm_rq_data_with_inputs(self, request, code, more, screen, _inputs):
        return self.CommRqData(request, code, more, screen)

    def _comm_kw_rq_data(self, codes, _more, count, _kind, request, screen):
        self._thread.submit(self._answer, screen, request, "OPTKWFID", "", codes.split(";")[:count])
        return 0

    def _answer(self, screen, request, code, more, codes=(CODE,)):
        rows = {"opt10081": 3, "opt10007": 1, "OPTKWFID": len(codes)}.get(code, 0)
        self._tr = {"rows": rows, "codes": codes, "code": code}
        self.OnReceiveTrData(screen, request, code, "", more, 0, "", "", "")

    def GetRepeatCnt(self, _code, _record):
        return self._tr["rows"]

    def GetCommData(self, _code, _record, index, name):
        if name == "주문번호":
            return self._tr.get("order", "")
        if name == "일자":
            return f"202611{20 - index:02}"
        return {"종목코드": self._tr["codes"][min(index, len(self._tr["codes"]) - 1)], "종목명": NAME}.get(
            name, "  1000"
        )

    def DisconnectRealData(self, _screen):
        pass

    # Orders

    def _send_order(self, request, screen, account, _kind, code, quantity, *_rest):
        self._thread.submit(self._fill, request, screen, account, code, quantity)
        return 0

    def _fill(self, request, screen, account, code, quantity):
        tr = "KOA_NORMAL_BUY_KP_ORD"
        self.OnReceiveMsg(screen, request, tr, "[100000] 모의투자 매수주문완료")
        self._tr = {"rows": 0, "order": ORDER, "codes": (code,)}
        self.OnReceiveTrData(screen, request, tr, "", "", 0, "", "", "")
        told = {9201: account, 9001: "A" + code, 9203: ORDER, 904: "0000000", 920: screen, 302: NAME}
        for state, left in (("접수", quantity), ("체결", 0)):
            self._tell("0", ACCEPTED, told | {913: state, 902: str(left)})
        self._tell("1", BALANCE, told | {930: str(quantity)})

    def _tell(self, kind, fids, values):
        self._chejan = values
        self.OnReceiveChejanData(kind, len(fids.split(";")), fids)

    def GetChejanData(self, fid):
        return self._chejan.get(fid, "0")

    # Conditions

    def LoadCondition(self):
        self._conditions = True
        return 1

    def EnsureConditionLoaded(self, force=False):
        return self.LoadCondition()

    def IsConditionLoaded(self):
        return self._conditions

    def GetConditionNameList(self):
        return "".join(f"{index:03}^{name};" for name, index in CONDITIONS.items())

    def GetConditionNameListAsList(self):
        return [(index, name) for name, index in CONDITIONS.items()]

    def _send_condition(self, screen, name, index, _kind):
        self._thread.submit(self.OnReceiveTrCondition, screen, f"{CODE};000660;", name, index, 0)
        return 1

    def SendConditionStop(self, *_):
        pass

    # Real-time data

    def _set_real_reg(self, _screen, codes, _fids, _kind):
        self._thread.submit(self._tick, codes.split(";")[0])
        return 0

    def _tick(self, code):
        for kind in ("주식체결", "주식호가잔량"):
            fids = KiwoomOpenApiPlusRealType.get_fids_by_realtype_name(kind)
            self._real = {fid: str(place) for place, fid in enumerate(fids)}
            self.OnReceiveRealData(code, kind, "\t".join(self._real.values()))

    def GetCommRealData(self, _code, fid):
        return self._real.get(fid, "")


# The wire


class Tape(grpc.GenericRpcHandler):
    """Stands between client and server, hands every message on as it is, and writes all steps down in their order."""

    def __init__(self, target):
        self._channel = grpc.insecure_channel(target)
        self._changed = threading.Condition()
        self._calls = itertools.count()
        self._open = 0
        self._steps = []

    def scene(self):
        """The steps since the last scene, when all of its calls have ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, PATIENCE)
            steps, self._steps = self._steps, []
        return steps

    def service(self, details):
        name = f"{next(self._calls)} {details.method.rpartition('/')[2]}"
        with self._changed:
            self._open += 1

        def forward(requests, context):
            call = self._channel.stream_stream(details.method)(self._noted(name, ">", requests))
            context.add_callback(call.cancel)
            try:
                yield from self._noted(name, "<", call)
            except grpc.RpcError:
                context.abort(call.code(), call.details())
            finally:
                self._note(name, "=", call.code().name)
                with self._changed:
                    self._open -= 1
                    self._changed.notify()

        return grpc.stream_stream_rpc_method_handler(forward)

    def _note(self, *step):
        with self._changed:
            self._steps.append(" ".join(step))

    def _noted(self, name, direction, messages):
        for message in messages:
            self._note(name, direction, base64.b64encode(message).decode())
            yield message


def address(server):
    """A port of this machine's own for a server."""
    return f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"


def take(stream, count):
    """So many messages, then cancel."""
    for _ in range(count):
        next(stream)
    stream.cancel()


def own_slot(api):
    """A client's own event handler, which reads inside the event, and disconnects."""
    read = queue.Queue()

    def slot(_screen, _request, code, record, *_rest):
        told = api.GetRepeatCnt(code, record), api.GetCommData(code, record, 0, "종목명")
        api.OnReceiveTrData.disconnect(slot)
        read.put(told)

    api.OnReceiveTrData.connect(slot)
    time.sleep(LOGIN_SECONDS)  # connect does not wait for the server
    api.CommRqDataWithInputs("직접 조회", "opt10001", 0, "0101", {"종목코드": CODE})
    read.get(timeout=PATIENCE)


def registering():
    """Requests of BidirectionalRealCall: what to read, then a code."""
    flags = pb.RealRequestFlags(readable_names=True)
    yield pb.BidirectionalRealRequest(initialize_request={"fid_list": [10, 20], "flags": flags})
    yield pb.BidirectionalRealRequest(register_request={"code_list": [CODE]})


def listen(api):
    """Every tick by Listen, while another stream has them registered."""
    events = api.Listen(pb.ListenRequest(slots=["OnReceiveRealData"]))
    time.sleep(LOGIN_SECONDS)  # nothing says when the server listens
    ticks = api.GetRealDataForCodesAsStream(CODE, [10])
    take(events, 1)
    take(ticks, 1)


def scenes(api):
    """What is recorded: name and action."""
    yield "login of EnsureConnected", api.EnsureConnected
    yield "login RPC", api.LoginCall
    yield "string", api.GetAPIModulePath
    yield "integer", api.GetConnectState
    yield "accounts", api.GetAccountList
    yield "number of accounts", api.GetAccountCount
    yield "server", api.IsSimulationServer
    yield "listed shares", lambda: api.GetMasterListedStockCntExAsInt(CODE)
    yield "codes of a market", lambda: api.GetCodeListByMarketAsList("8")
    yield "name of a code", lambda: api.GetMasterCodeName(CODE)
    yield "state of a code", lambda: api.IsNormal(CODE)
    yield "conditions, a boolean argument", lambda: api.EnsureConditionLoaded(force=True)
    yield "conditions, a boolean result", api.IsConditionLoaded
    yield "conditions, names", api.GetConditionNameListAsList
    yield "no result", lambda: api.SetInputValue("종목코드", CODE)
    yield "own slot", lambda: own_slot(api)
    yield "single data", lambda: api.GetStockBasicInfoAsDict(CODE)
    yield "pages", lambda: api.GetDailyStockDataAsDataFrame(CODE)
    stop = {"name": "일자", "value": "2", "comparator": ">"}
    daily = ("일봉", "opt10081", "", {"종목코드": CODE, "수정주가구분": "1"}, stop)
    yield "stop at the first row", lambda: list(api.TransactionCall(*daily))
    yield "a row in multi data", lambda: api.GetMarketPriceInfo(CODE)
    yield "many codes", lambda: api.GetStockQuoteInfoAsDataFrame([CODE, "000660"])
    yield "single data without rows", lambda: api.GetDepositInfo(ACCOUNT, with_multi=True)
    yield "condition, once, with quotes", lambda: api.GetCodeListByCondition("대형 저평가 우량주", with_info=True)
    yield "condition, going on", lambda: take(api.GetCodeListByConditionAsStream("중소형 저평가주"), 1)
    ticks = {"infer_fids": True, "readable_names": True}
    yield "ticks, all fields by name", lambda: take(api.GetRealDataForCodesAsStream(CODE, **ticks), 2)
    yield "ticks, given fields by number", lambda: take(api.GetRealDataForCodesAsStream(CODE, [10, 15, 20]), 2)
    order = ("시장가 매수", "0001", ACCOUNT, 1, CODE, 1, 0, "03", "")
    yield "ticks of codes registered on the way", lambda: take(api.BidirectionalRealCall(registering()), 2)
    yield "events with their data", lambda: listen(api)
    yield "order until filled", lambda: list(api.OrderCall(*order))
    yield "log level", lambda: api.SetLogLevel(30, "koapy")


def main():
    """Play all scenes and write what went over the wire."""
    server = grpc.server(ThreadPoolExecutor(16))
    pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server(KiwoomOpenApiPlusServiceServicer(Control()), server)
    target = address(server)
    server.start()
    tape = Tape(target)
    recorder = grpc.server(ThreadPoolExecutor(16), handlers=[tape])
    port = int(address(recorder).rpartition(":")[2])
    recorder.start()
    with KiwoomOpenApiPlusServiceClient(host="127.0.0.1", port=port) as client:
        api = client.get_stub()
        for shows, action in scenes(api):
            action()
            print(json.dumps({"shows": shows, "steps": tape.scene()}, ensure_ascii=False))
    recorder.stop(None).wait()
    server.stop(None).wait()


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    main()
