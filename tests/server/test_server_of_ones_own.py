"""The servicer on a server that somebody else has made, as programs of KOAPY's kind do."""

from __future__ import annotations

import asyncio
from concurrent import futures
from typing import Any

import grpc
import pytest
from server_doubles import StrictControl

from koapy.backend.kiwoom_open_api_plus.grpc import KiwoomOpenApiPlusService_pb2_grpc as published
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as generated
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.server import KiwoomOpenApiPlusServiceServicer


@pytest.mark.parametrize("module", [published, generated])
async def test_events_reach_their_streams(module: Any) -> None:
    control = StrictControl()
    server = grpc.aio.server()
    async with KiwoomOpenApiPlusServiceServicer(control) as servicer:
        module.add_KiwoomOpenApiPlusServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel, asyncio.timeout(20):
            stub = KiwoomOpenApiPlusServiceStub(channel)
            ticks = stub.RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10]))
            texts = stub.OrderListen(pb.ListenRequest())
            await ticks.initial_metadata()
            await texts.initial_metadata()
            control.fire("OnReceiveRealData", "005930", "주식체결", "", data={"10": "+70000"})
            control.fire("OnReceiveMsg", "0001", "주문", "KOA_NORMAL_BUY_KP_ORD", "매수주문완료")
            tick, text = await ticks.read(), await texts.read()
            assert list(tick.single_data.values) == ["+70000"]
            assert (text.arguments[3].string_value, text.sequence) == ("매수주문완료", 1)
        await server.stop(0)
    control.close()


class Somebodys(generated.KiwoomOpenApiPlusServiceServicer):
    """A servicer that is not ours, of the kind that runs on threads."""

    def Call(self, request: pb.CallRequest, context: grpc.ServicerContext) -> pb.CallResponse:
        return pb.CallResponse(return_value=pb.ReturnValue(string_value=request.name))


async def test_a_servicer_that_is_not_ours_is_registered_as_it_is() -> None:
    with futures.ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        published.add_KiwoomOpenApiPlusServiceServicer_to_server(Somebodys(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = await KiwoomOpenApiPlusServiceStub(channel).Call(pb.CallRequest(name="GetUserId"), timeout=20)
            assert answer.return_value.string_value == "GetUserId"
        server.stop(0).wait()
