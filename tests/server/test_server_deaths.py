"""Clients that die or go away in mid-stream leave nothing behind, and disturb nobody."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Any

import grpc
import pytest

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.router import MARKET_HOURS

CLIENT = """
import sys, grpc, threading
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import streams_pb2
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.protocol.streams_pb2_grpc import StreamsStub
channel = grpc.insecure_channel(sys.argv[1])
stub = KiwoomOpenApiPlusServiceStub(channel)
streams = {
    "Listen": lambda: stub.Listen(pb.ListenRequest(slots=["OnReceiveRealData", "OnReceiveMsg"])),
    "OrderListen": lambda: stub.OrderListen(pb.ListenRequest()),
    "RealCall": lambda: stub.RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10])),
    "BidirectionalRealCall": lambda: stub.BidirectionalRealCall(iter([
        pb.BidirectionalRealRequest(initialize_request=pb.BidirectionalRealInitializeRequest(fid_list=[10])),
        pb.BidirectionalRealRequest(
            register_request=pb.BidirectionalRealRegisterRequest(code_list=["005930", "000660"])),
    ])),
    "TransactionCall": lambda: stub.TransactionCall(
        pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})),
    "OrderCall": lambda: stub.OrderCall(pb.OrderRequest(
        account_no="8000000011", order_type=1, code="005930", quantity=1, quote_type="03")),
    "ConditionCall": lambda: stub.ConditionCall(
        pb.ConditionRequest(condition_name="중소형 저평가주", condition_index=1, search_type=1)),
    "LoginCall": lambda: stub.LoginCall(pb.LoginRequest()),
    "CustomListen": lambda: stub.CustomListen(pb.ListenRequest()),
    "Events": lambda: StreamsStub(channel).Events(iter([
        streams_pb2.EventsRequest(slots=["OnReceiveMsg"], add=["005930"]),
        streams_pb2.EventsRequest(add=["000660"]),
    ])),
}
stream = streams[sys.argv[2]]()
threading.Event().wait()
"""
REACHED = {"RealCall": {"codes": 1}, "BidirectionalRealCall": {"codes": 2}, "Events": {"codes": 2}}


@pytest.mark.parametrize(
    "rpc",
    [
        "Listen",
        "OrderListen",
        "RealCall",
        "BidirectionalRealCall",
        "TransactionCall",
        "OrderCall",
        "ConditionCall",
        "LoginCall",
        "CustomListen",
        "Events",
    ],
)
async def test_a_client_killed_in_mid_stream_leaves_nothing(strict: Any, rpc: str) -> None:
    strict.control.automatic = False
    if rpc == "LoginCall":
        strict.control.connected = False
    await strict.call("GetConnectState")
    with subprocess.Popen([sys.executable, "-c", CLIENT, strict.address, rpc]) as client:  # noqa: ASYNC220
        await strict.reached(streams=1, subscriptions=1, **REACHED.get(rpc, {}))
        client.send_signal(signal.SIGKILL)
    await strict.settled()
    held: set[str] = set().union(*strict.control.registered.values())
    assert held <= {MARKET_HOURS}, "but for the phases of the day, which every order follows"


async def test_a_deadline_ends_a_stream_and_frees_what_it_had(strict: Any) -> None:
    stream = strict.stub.RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10]), timeout=0.3)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stream.read()
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await strict.settled()


async def test_a_client_that_does_not_read_costs_itself_only(running: Any, with_settings: Any) -> None:
    """Its ticks are merged and counted, or its order events end its stream; the other client gets every one."""
    from server_doubles import StrictControl

    control = StrictControl()
    data = {"10": "x" * 2000}
    async with running(control, with_settings(queue=50)) as gateway:
        request = pb.RealRequest(code_list=["005930"], fid_list=[10])
        stuck = gateway.client().RealCall(request, timeout=60)
        reading = gateway.client().RealCall(request, timeout=60)
        await gateway.reached(subscriptions=4)
        await gateway.heard()
        for number in range(3000):
            fired = control.fire("OnReceiveRealData", "005930", "주식체결", str(number), data=data)
            if number % 20 == 0:
                await asyncio.wrap_future(fired)
                while (await reading.read()).arguments[2].string_value != str(number):
                    pass
        assert await asyncio.wait_for(gateway.call("GetConnectState"), 20) == 1
        reading.cancel()
        control.fire("OnReceiveRealData", "005930", "주식체결", "last", data=data)
        received = 0
        last = ""
        async with asyncio.timeout(20):
            while last != "last":
                last = (await stuck.read()).arguments[2].string_value
                received += 1
        assert received < 3000
        control.fire("OnEventConnect", -106)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stuck.read()
        merged = dict(error.value.trailing_metadata() or ())["koapy-conflated"]
        assert merged == f"total={3001 - received},005930={3001 - received}"
        await gateway.settled()
    control.close()


async def test_order_events_are_never_dropped_the_stream_ends_instead(running: Any, with_settings: Any) -> None:
    from server_doubles import StrictControl

    control = StrictControl()
    async with running(control, with_settings(queue=20)) as gateway:
        stuck = gateway.client().OrderListen(pb.ListenRequest())
        await gateway.reached(subscriptions=2)
        data = {"9201": "8000000011", "9001": "A005930", "302": "x" * 4000}
        for _ in range(2000):
            fired = control.fire("OnReceiveChejanData", "0", 3, "9201;9001;302", data=data)
        await asyncio.wrap_future(fired)
        received: list[pb.ListenResponse] = []
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await _collect(stuck, received)
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert 0 < len(received) < 2000
        await gateway.settled()
    control.close()


async def _collect(stream: Any, messages: list[pb.ListenResponse]) -> None:
    while True:
        messages.append(await stream.read())
