"""A gateway over the simulation in another process serves its clients as over one in its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.remote.control import RemoteControl
from koapy.server import Server, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SAMSUNG = "005930"


class Gateway:
    """A gateway's stub, and what its tests ask of it."""

    def __init__(self, server: Server, channel: grpc.aio.Channel) -> None:
        self.server = server
        self.stub = KiwoomOpenApiPlusServiceStub(channel)

    async def call(self, name: str, *args: str | int) -> Any:
        arguments = [
            pb.Argument(long_value=arg) if isinstance(arg, int) else pb.Argument(string_value=arg) for arg in args
        ]
        value = (await self.stub.Call(pb.CallRequest(name=name, arguments=arguments))).return_value
        kind = value.WhichOneof("value")
        return getattr(value, kind) if kind else None

    async def log_in(self) -> None:
        assert [event.arguments[0].long_value async for event in self.stub.LoginCall(pb.LoginRequest())] == [0]

    async def reached(self, **least: int) -> None:
        async with asyncio.timeout(20):
            while any(self.server.statistics().get(name, 0) < count for name, count in least.items()):
                await asyncio.sleep(0.005)

    async def order(self, quantity: int, **other: Any) -> list[pb.ListenResponse]:
        account = (await self.call("GetLoginInfo", "ACCNO")).split(";")[0]
        values = {"order_type": 1, "quote_type": "03", "code": SAMSUNG, "quantity": quantity, "account_no": account}
        request = pb.OrderRequest(request_name="주문", screen_no="0001", **values | other)
        return [event async for event in self.stub.OrderCall(request, timeout=60)]


@asynccontextmanager
async def gateway(address: str) -> AsyncIterator[Gateway]:
    control = RemoteControl(address)
    async with Server(control, port=0, settings=Settings()) as server, grpc.aio.insecure_channel(server.address) as way:
        yield Gateway(server, way)
    control.close()


@pytest.fixture
async def served(process: Any) -> AsyncIterator[Gateway]:
    with process() as host:
        async with gateway(host.address) as found:
            await found.log_in()
            yield found


def values(event: pb.ListenResponse) -> dict[str, str]:
    return dict(zip(event.single_data.names, event.single_data.values, strict=True))


async def test_queries_at_once_each_get_their_own(served: Gateway) -> None:
    listed = (await served.call("GetCodeListByMarket", "0")).split(";")[:9]

    async def ask(code: str) -> list[str]:
        request = pb.TransactionRequest(
            request_name="같은 이름", transaction_code="opt10001", screen_no="0001", inputs={"종목코드": code}
        )
        return [page.single_data.values[0] async for page in served.stub.TransactionCall(request, timeout=60)]

    assert await asyncio.gather(*map(ask, listed)) == [[code] for code in listed]


async def test_a_long_query_gets_all_its_pages(served: Gateway) -> None:
    inputs = {"종목코드": SAMSUNG, "수정주가구분": "1"}
    request = pb.TransactionRequest(request_name="일봉", transaction_code="opt10081", screen_no="0001", inputs=inputs)
    dates = [row.values[4] async for page in served.stub.TransactionCall(request) for row in page.multi_data.values]
    assert len(dates) > 750
    assert dates == sorted(set(dates), reverse=True)


async def test_orders_at_once_each_have_their_own_events_in_order(served: Gateway) -> None:
    listener = served.stub.OrderListen(pb.ListenRequest())
    await served.reached(streams=1)
    quantities = range(1, 5)
    numbers = set()
    for quantity, events in zip(quantities, await asyncio.gather(*map(served.order, quantities)), strict=True):
        assert [event.name for event in events[:2]] == ["OnReceiveMsg", "OnReceiveTrData"]
        number = events[1].single_data.values[0]
        numbers.add(number)
        own = [each for each in map(values, events[2:]) if each.get("주문번호") == number]
        assert [each["주문상태"] for each in own[:1]] == ["접수"]
        assert {each["종목명"].strip() for each in own} == {"삼성전자"}
        assert own[-1]["미체결수량"] == "0"
        assert own[-1]["체결량"] == str(quantity)
    assert len(numbers) == 4
    told = set()
    while len(told) < 4:
        event = await asyncio.wait_for(listener.read(), 10)
        if event.name == "OnReceiveTrData":
            told.add(event.single_data.values[0])
    assert told == numbers
    listener.cancel()


async def test_a_refused_order_ends_with_its_reason(served: Gateway) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await served.order(20_000, quote_type="00", price=70_000)
    assert error.value.code() is grpc.StatusCode.ABORTED
    assert "[RC4027]" in (error.value.details() or "")


async def test_ticks_come_with_their_values(served: Gateway) -> None:
    stream = served.stub.RealCall(
        pb.RealRequest(code_list=[SAMSUNG, "000660"], fid_list=[10, 20], flags=pb.RealRequestFlags(readable_names=True))
    )
    for _ in range(5):
        tick = await asyncio.wait_for(stream.read(), 20)
        assert list(tick.single_data.names) == ["현재가", "체결시간"]
        assert tick.arguments[1].string_value != "주식체결" or all(tick.single_data.values)
    stream.cancel()


async def test_a_client_reads_inside_an_event_that_is_held_for_it(served: Gateway) -> None:
    stream = served.stub.BidirectionalListen()
    slots = pb.ListenRequest(slots=["OnReceiveTrData"])
    await stream.write(pb.BidirectionalListenRequest(listen_request=slots))
    await served.reached(gates=1)
    await served.call("SetInputValue", "종목코드", SAMSUNG)
    assert await served.call("CommRqData", "내 요청", "opt10001", 0, "0777") == 0
    event = await stream.read()
    assert [argument.string_value for argument in event.arguments[:3]] == ["0777", "내 요청", "opt10001"]
    assert (await served.call("GetCommData", "opt10001", "내 요청", 0, "종목명")).strip() == "삼성전자"
    assert await served.call("GetRepeatCnt", "opt10001", "내 요청") == 0
    assert await served.call("GetMasterCodeName", "000660") == "SK하이닉스"
    await stream.write(pb.BidirectionalListenRequest(handled_request=pb.HandledRequest()))
    assert await served.call("GetConnectState") == 1
    stream.cancel()


async def test_a_killed_host_ends_streams_in_words_and_comes_back(process: Any) -> None:
    with process() as host:
        async with gateway(host.address) as served:
            await served.log_in()
            stream = served.stub.OrderListen(pb.ListenRequest())
            await served.reached(streams=1)
            host.kill()
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await asyncio.wait_for(stream.read(), 20)
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE
            with process(host.address):
                async with asyncio.timeout(20):
                    while True:
                        try:
                            await served.log_in()
                            break
                        except grpc.aio.AioRpcError:
                            await asyncio.sleep(0.05)
                assert await served.call("GetMasterCodeName", SAMSUNG) == "삼성전자"


GATEWAY = """
import sys
from koapy.remote.control import RemoteControl
control = RemoteControl(sys.argv[1])
done = []
def send():
    control.SetInputValue("종목코드", "005930")
    return control.SendOrder("r", "0001", "8000000011", 1, "005930", 7, 0, "03", "")
print(control.submit(send).result(), flush=True)
sys.stdin.read()
"""


async def test_the_exchange_survives_a_killed_gateway_and_the_next_sees_its_order(process: Any) -> None:
    with process() as host:
        async with gateway(host.address) as served:
            await served.log_in()
        with subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-c", GATEWAY, host.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as killed:
            assert killed.stdout
            assert await asyncio.to_thread(killed.stdout.readline) == "0\n"
            killed.kill()
        async with gateway(host.address) as served:
            assert await served.call("GetConnectState") == 1
            account = (await served.call("GetLoginInfo", "ACCNO")).split(";")[0]
            inputs = {"계좌번호": account, "전체종목구분": "0", "매매구분": "0", "체결구분": "0"}
            request = pb.TransactionRequest(
                request_name="주문", transaction_code="opt10075", screen_no="0001", inputs=inputs
            )
            rows: list[list[str]] = []
            async with asyncio.timeout(20):
                while not any("7" in row for row in rows):
                    rows = [
                        list(row.values)
                        async for page in served.stub.TransactionCall(request)
                        for row in page.multi_data.values
                    ]
            assert len([row for row in rows if SAMSUNG in " ".join(row)]) == 1
