"""The whole way on the embedded exchange, under OpenAPI+'s own limits: each client served, nothing lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import Settings
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def simulated(running: Any) -> AsyncIterator[Any]:
    """A gateway over the simulation, logged in, under the guide's limits."""
    control = SimulatedControl(seed=1, login_delay=0.01)
    async with running(control, Settings()) as gateway:
        assert [event.name async for event in gateway.stub.LoginCall(pb.LoginRequest())] == ["OnEventConnect"]
        yield gateway
        await gateway.settled()
    control.close()


async def test_forty_queries_of_one_name_and_one_screen_each_get_their_own(simulated: Any) -> None:
    listed = (await simulated.call("GetCodeListByMarket", "0")).split(";")[:40]

    async def ask(code: str) -> list[str]:
        request = pb.TransactionRequest(
            request_name="같은 이름", transaction_code="opt10001", screen_no="0001", inputs={"종목코드": code}
        )
        stream = simulated.client().TransactionCall(request, timeout=60)
        return [page.single_data.values[0] async for page in stream]

    assert await asyncio.gather(*map(ask, listed)) == [[code] for code in listed]


async def test_long_queries_at_once_each_get_all_their_pages(simulated: Any) -> None:
    async def ask(code: str) -> list[str]:
        inputs = {"종목코드": code, "수정주가구분": "1"}
        request = pb.TransactionRequest(
            request_name="일봉", transaction_code="opt10081", screen_no="0001", inputs=inputs
        )
        stream = simulated.client().TransactionCall(request, timeout=60)
        return [row.values[4] async for page in stream for row in page.multi_data.values]

    for dates in await asyncio.gather(*map(ask, ("005930", "000660", "005930"))):
        assert len(dates) > 750
        assert dates == sorted(set(dates), reverse=True)


async def test_eight_orders_fired_at_once_all_arrive_each_once(simulated: Any) -> None:
    account = (await simulated.call("GetLoginInfo", "ACCNO")).split(";")[0]
    listener = simulated.client().OrderListen(pb.ListenRequest())
    await simulated.reached(streams=1, subscriptions=2)

    async def buy(quantity: int) -> tuple[str, str]:
        request = pb.OrderRequest(
            request_name="산다",
            screen_no="0001",
            account_no=account,
            order_type=1,
            code="005930",
            quantity=quantity,
            quote_type="03",
        )
        events = [event async for event in simulated.client().OrderCall(request, timeout=60)]
        numbers = [event.single_data.values[0] for event in events if event.name == "OnReceiveTrData"]
        fills = [dict(zip(event.single_data.names, event.single_data.values, strict=True)) for event in events[2:]]
        assert [event.name for event in events[:2]] == ["OnReceiveMsg", "OnReceiveTrData"]
        (ordered,) = {fill["주문수량"] for fill in fills if fill.get("주문번호") == numbers[0]}
        return numbers[0], ordered

    orders = await asyncio.gather(*map(buy, range(1, 9)))
    assert len({number for number, _ in orders}) == 8
    assert [ordered for _, ordered in orders] == [str(quantity) for quantity in range(1, 9)]
    accepted = set()
    while len(accepted) < 8:
        event = await asyncio.wait_for(listener.read(), 10)
        if event.name == "OnReceiveTrData":
            assert event.single_data.values[0] not in accepted
            accepted.add(event.single_data.values[0])
    assert accepted == {number for number, _ in orders}
    listener.cancel()


async def test_health_and_reflection_answer(simulated: Any) -> None:
    health = health_pb2_grpc.HealthStub(simulated.channel)
    service = "koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService"
    for name in ("", service):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    stream = reflection_pb2_grpc.ServerReflectionStub(simulated.channel).ServerReflectionInfo()
    await stream.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=service))
    (packed,) = (await stream.read()).file_descriptor_response.file_descriptor_proto
    assert descriptor_pb2.FileDescriptorProto.FromString(packed).service[0].name == "KiwoomOpenApiPlusService"
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
