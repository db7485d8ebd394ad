"""Runs in KOAPY's own environment: sends event handlers to the server by KOAPY's client, prints what they gave as JSON.

KOAPY reads the port of the server from koapy.conf in the working directory. test_koapy_handlers.py knows what
it must be.
"""

# ruff: noqa: I001, RUF100  these are KOAPY's own modules, and some of them have namesakes here

import json

from koapy import KiwoomOpenApiPlusEntrypoint
from koapy.backend.kiwoom_open_api_plus.grpc import KiwoomOpenApiPlusService_pb2 as pb

QUERY = """
from koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService_pb2 import ListenResponse
from koapy.backend.kiwoom_open_api_plus.grpc.event.KiwoomOpenApiPlusEventHandlerForGrpc import (
    KiwoomOpenApiPlusEventHandlerForGrpc,
)


class Query(KiwoomOpenApiPlusEventHandlerForGrpc):
    def __init__(self, control, request, context):
        super().__init__(control, context)
        self._request = request
        self._screen = "0101"

    def on_enter(self):
        self.control.SetInputValue("종목코드", "005930")
        if self.control.CommRqData("주식기본정보", "opt10001", 0, self._screen) != 0:
            self.observer.on_error(RuntimeError("refused"))
        self.add_callback(self.control.DisconnectRealData, self._screen)

    def OnReceiveTrData(
        self, scrnno, rqname, trcode, recordname, prevnext, datalength, errorcode, message, splmmsg
    ):
        if (scrnno, rqname, trcode) == (self._screen, "주식기본정보", "opt10001"):
            response = ListenResponse()
            response.name = "OnReceiveTrData"
            response.arguments.add().string_value = trcode
            for name in ("종목코드", "종목명"):
                response.single_data.names.append(name)
                response.single_data.values.append(self.control.GetCommData(trcode, rqname, 0, name).strip())
            self.observer.on_next(response)
            self.observer.on_completed()
"""

TICKS = """
from koapy.backend.kiwoom_open_api_plus.core.KiwoomOpenApiPlusEventHandler import KiwoomOpenApiPlusEventHandler
from koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService_pb2 import ListenResponse


class Ticks(KiwoomOpenApiPlusEventHandler):
    def __init__(self, control, request, context):
        super().__init__(control)
        self.count = 0

    def OnReceiveRealData(self, code, realtype, realdata):
        if realtype == "주식체결":
            self.count += 1
            price = self.control.GetCommRealData(code, 10)
            self.observer.on_next(ListenResponse(name=code, arguments=[{"string_value": price}]))
            if self.count == 2:
                self.stop()
"""


def query(stub):
    """What a handler that asks a TR gives."""
    responses = list(stub.CustomListen(pb.ListenRequest(code=QUERY, class_name="Query")))
    return [[each.name, each.arguments[0].string_value, list(each.single_data.values)] for each in responses]


def ticks(stub):
    """What a handler of ticks gives after a call that registers a code."""
    request = pb.CallAndListenRequest()
    request.call_request.name = "SetRealReg"
    for text in ("0102", "005930", "10", "0"):
        request.call_request.arguments.add().string_value = text
    request.listen_request.code = TICKS
    request.listen_request.class_name = "Ticks"
    first, *rest = stub.CustomCallAndListen(request)
    prices = [each.listen_response.arguments[0].string_value for each in rest]
    return [first.call_response.return_value.long_value, [each.listen_response.name for each in rest], prices]


with KiwoomOpenApiPlusEntrypoint() as entrypoint:
    entrypoint.EnsureConnected()
    print(json.dumps({"query": query(entrypoint), "ticks": ticks(entrypoint)}, ensure_ascii=False))
