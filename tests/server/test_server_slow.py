"""Clients that are slow, stuck, dead or greedy cost themselves only, and are told what they missed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from server_doubles import ACCOUNT, StrictControl

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CODES = ("005930", "000660")
BIG = "x" * 4000
"""A value that fills what grpc keeps of a stream by itself soon."""


def ticks(*codes: str) -> pb.RealRequest:
    return pb.RealRequest(code_list=codes or CODES, fid_list=[10])


def info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """The ErrorInfo of a failed RPC."""
    packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    found = error_details_pb2.ErrorInfo()
    assert isinstance(packed, bytes)
    status_pb2.Status.FromString(packed).details[0].Unpack(found)
    return found


async def failure(stream: Any, got: list[tuple[str, int]] | None = None) -> grpc.aio.AioRpcError:
    """How a stream that should fail has failed, and the codes and numbers of the ticks that came before."""
    async with asyncio.timeout(20):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await read_all(stream, got if got is not None else [])
    return caught.value


async def read_all(stream: Any, got: list[tuple[str, int]]) -> None:
    while (message := await stream.read()) is not grpc.aio.EOF:
        if message.name == "OnReceiveRealData":
            got.append((message.arguments[0].string_value, int(message.arguments[2].string_value)))


def counts(text: str) -> dict[str, int]:
    return {name: int(count) for name, _, count in (each.partition("=") for each in text.split(","))}


async def fire(control: StrictControl, count: int, value: str = BIG) -> None:
    """Ticks of all codes in turn, numbered in their raw data."""
    for number in range(count):
        fired = control.fire("OnReceiveRealData", CODES[number % 2], "주식체결", str(number), data={"10": value})
    await asyncio.wrap_future(fired)


@pytest.fixture
async def gateway(running: Any, with_settings: Any) -> AsyncIterator[Any]:
    control = StrictControl()
    async with running(control, with_settings(queue=100)) as gateway:
        yield gateway
        await gateway.settled()
    assert control.faults == []
    control.close()


@pytest.mark.parametrize(
    ("metadata", "right"),
    [
        (("koapy-overflow", "drop"), "conflate or drop-oldest"),
        (("koapy-overflow", ""), "conflate or drop-oldest"),
        (("koapy-queue", "0"), "1 to 100"),
        (("koapy-queue", "101"), "1 to 100"),
        (("koapy-queue", "-1"), "1 to 100"),
        (("koapy-queue", "many"), "1 to 100"),
    ],
)
async def test_a_queue_that_cannot_be_had_is_refused_with_what_can(
    gateway: Any, metadata: tuple[str, str], right: str
) -> None:
    listen = pb.ListenRequest(slots=["OnReceiveRealData"])
    for stream in (
        gateway.stub.RealCall(ticks(), metadata=[metadata]),
        gateway.stub.BidirectionalRealCall(metadata=[metadata]),
        gateway.stub.Listen(listen, metadata=[metadata]),
    ):
        error = await failure(stream)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert metadata[0] in (error.details() or "")
        assert right in (error.details() or "")


@pytest.mark.parametrize("rpc", ["RealCall", "Listen"])
@pytest.mark.parametrize("overflow", ["conflate", "drop-oldest"])
async def test_a_stream_that_does_not_read_gets_what_it_asked_for_and_the_count_of_the_rest(
    gateway: Any, rpc: str, overflow: str
) -> None:
    metadata = [("koapy-overflow", overflow), ("koapy-queue", "10")]
    if rpc == "RealCall":
        stuck = gateway.client().RealCall(ticks(), metadata=metadata)
    else:
        stuck = gateway.client().Listen(
            pb.ListenRequest(slots=["OnReceiveRealData", "OnEventConnect"]), metadata=metadata
        )
    await gateway.reached(subscriptions=2)
    await gateway.heard()
    await fire(gateway.control, 2000)
    got: list[tuple[str, int]] = []
    reading = asyncio.create_task(failure(stuck, got))
    await asyncio.wrap_future(gateway.control.fire("OnEventConnect", -106))  # ends RealCall
    await gateway.server.__aexit__(None, None, None)  # ends Listen
    error = await reading
    metadata_told = dict(error.trailing_metadata() or ())
    told = counts(str(metadata_told["koapy-conflated" if overflow == "conflate" else "koapy-dropped"]))
    assert ("koapy-dropped" if overflow == "conflate" else "koapy-conflated") not in metadata_told
    assert told["total"] == told[CODES[0]] + told[CODES[1]] == 2000 - len(got)
    numbers = [number for _, number in got]
    for code in CODES:
        of_code = [number for each, number in got if each == code]
        assert of_code == sorted(of_code)
    if overflow == "drop-oldest":
        assert numbers == sorted(numbers)
        assert numbers[-10:] == list(range(1990, 2000))


async def test_of_a_query_whose_client_does_not_read_one_page_waits(running: Any, with_settings: Any) -> None:
    class Endless(StrictControl):
        asked = 0

        def CommRqData(self, request: str, code: str, prev_next: int, screen: str) -> int:
            self.asked += 1
            self.answer(screen, request, code, "2", {"종목코드": page})
            return 0

    control, page = Endless(), "x" * 1_000_000
    async with running(control, with_settings()) as gateway:
        stream = gateway.client().TransactionCall(
            pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})
        )
        await gateway.reached(waiting_bytes=len(page))
        for _ in range(50):
            await gateway.call("GetConnectState")
            assert gateway.state["waiting_bytes"] < 2 * len(page)
        assert control.asked < 20  # grpc takes some megabytes by itself
        stream.cancel()
        await gateway.settled()
    assert control.faults == []
    control.close()


async def test_streams_and_requests_of_one_client_are_limited_and_others_not(running: Any, with_settings: Any) -> None:
    control = StrictControl(automatic=False)
    async with running(control, with_settings(client_streams=2, client_requests=1)) as gateway:
        await gateway.call("GetConnectState")
        streams = [gateway.stub.OrderListen(pb.ListenRequest()) for _ in range(2)]
        await gateway.reached(streams=2)
        error = await failure(gateway.stub.Listen(pb.ListenRequest(slots=["OnReceiveMsg"])))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert info(error).reason == "CLIENT_STREAMS"
        assert dict(info(error).metadata) == {"limit": "2", "held": "2"}
        query = pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})
        asking = gateway.stub.TransactionCall(query)
        await gateway.reached(rpcs=3)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await gateway.call("GetConnectState")
        assert info(refused.value).reason == "CLIENT_REQUESTS"
        assert await gateway.call("GetConnectState", stub=gateway.client()) == 1
        asking.cancel()
        streams[0].cancel()
        await gateway.settled(rpcs=1, streams=1, subscriptions=2)
        assert await gateway.call("GetConnectState") == 1
        again = gateway.stub.OrderListen(pb.ListenRequest())
        await gateway.reached(streams=2)
        for stream in (streams[1], again):
            stream.cancel()
        await gateway.settled()
    control.close()


async def test_streams_that_are_opened_in_one_burst_are_all_served(strict: Any) -> None:
    """By its own default grpc turns away what is more than a thousand at once, without a word."""
    streams = [strict.stub.Listen(pb.ListenRequest(slots=["OnReceiveMsg"])) for _ in range(2000)]
    async with asyncio.timeout(60):
        await asyncio.gather(*(stream.initial_metadata() for stream in streams))
    assert not any(stream.done() for stream in streams)
    for stream in streams:
        stream.cancel()
    await strict.settled()


async def test_five_hundred_streams_of_one_connection_are_no_trouble(strict: Any) -> None:
    streams = [strict.stub.RealCall(ticks("005930")) for _ in range(600)]
    await strict.reached(streams=600, subscriptions=1200, codes=1)
    strict.control.fire("OnReceiveRealData", "005930", "주식체결", "1", data={"10": "1"})
    async with asyncio.timeout(20):
        got = await asyncio.gather(*(stream.read() for stream in streams))
    assert {message.arguments[2].string_value for message in got} == {"1"}
    for stream in streams:
        stream.cancel()
    await strict.settled()


async def test_bytes_of_one_client_are_limited_ticks_are_merged_and_order_events_have_room(
    running: Any, with_settings: Any
) -> None:
    control = StrictControl()
    async with running(control, with_settings(client_bytes=200_000)) as gateway:
        greedy, modest = gateway.client(), gateway.client()
        stuck = [greedy.RealCall(ticks()) for _ in range(4)]
        orders = greedy.OrderListen(pb.ListenRequest())
        others = modest.OrderListen(pb.ListenRequest())
        await gateway.reached(streams=6, subscriptions=4 * 3 + 4)
        async with asyncio.timeout(20):
            while gateway.state["waiting_bytes"] < 90_000:  # what grpc takes off the gateway's hands comes first
                await fire(control, 50)
        await fire(control, 1000)
        # At most half, and what each stream may have of each code beyond that.
        assert gateway.state["waiting_bytes"] < 100_000 + 4 * 2 * 2 * 5000
        chejan = {"9201": ACCOUNT, "9001": "A005930", "302": BIG}
        control.fire("OnReceiveChejanData", "0", 3, "9201;9001;302", data=chejan)
        for stream in (orders, others):
            assert (await asyncio.wait_for(stream.read(), 10)).name == "OnReceiveChejanData"
        for _ in range(100):  # far more than grpc takes off the gateway's hands for a client that does not read
            for _ in range(40):
                control.fire("OnReceiveChejanData", "0", 3, "9201;9001;302", data=chejan)
            for _ in range(40):
                assert (await asyncio.wait_for(others.read(), 10)).name == "OnReceiveChejanData"
        error = await failure(orders)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert info(error).reason == "CLIENT_BYTES"
        assert info(error).metadata["limit"] == "200000"
        assert int(info(error).metadata["held"]) >= 200_000
        for stream in (*stuck, others):
            stream.cancel()
        await gateway.settled()
    control.close()


async def test_a_stream_that_ends_gives_its_bytes_back_to_its_client(gateway: Any) -> None:
    greedy = gateway.client()
    staying = greedy.Listen(pb.ListenRequest(slots=["OnEventConnect"]))
    stuck = greedy.RealCall(ticks())
    await gateway.reached(streams=2, codes=2)
    async with asyncio.timeout(20):
        while gateway.state["waiting_bytes"] < 90_000:
            await fire(gateway.control, 50)
    stuck.cancel()
    await gateway.settled(rpcs=1, streams=1, subscriptions=1)
    staying.cancel()


async def test_a_stream_of_orders_that_is_closed_says_from_where_it_can_be_resumed(gateway: Any) -> None:
    """What was read and what the failure says leave no gap to what comes after."""
    chejan = {"9201": ACCOUNT, "9001": "A005930", "302": BIG}
    stuck = gateway.client().OrderListen(pb.ListenRequest())
    others = gateway.client().OrderListen(pb.ListenRequest())
    await gateway.reached(streams=2)
    for _ in range(100):
        for _ in range(40):
            gateway.control.fire("OnReceiveChejanData", "0", 3, "9201;9001;302", data=chejan)
        for _ in range(40):
            assert await asyncio.wait_for(others.read(), 10)
    numbers: list[int] = []

    async def read() -> None:
        while True:
            numbers.append((await stuck.read()).sequence)

    async with asyncio.timeout(20):
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await read()
    assert info(ended.value).reason == "STREAM_QUEUE_FULL"
    assert numbers == list(range(1, len(numbers) + 1))
    assert info(ended.value).metadata["sequence"] == str(numbers[-1])
    again = gateway.client().OrderListen(pb.ListenRequest(), metadata=[("koapy-from-sequence", str(numbers[-1] + 1))])
    assert (await asyncio.wait_for(again.read(), 10)).sequence == numbers[-1] + 1
    for stream in (others, again):
        stream.cancel()


class Silence:
    """A TCP proxy that can stop passing anything on, without closing anything."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        try:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def fall_silent(self) -> None:
        self._passing.clear()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        for pair in ((reader, far_writer), (far_reader, writer)):
            self._tasks.add(asyncio.create_task(self._pass_on(*pair)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._passing.wait()
            writer.write(data)
            await writer.drain()


async def test_a_peer_that_fell_silent_is_found_and_everything_of_it_given_back(
    running: Any, with_settings: Any
) -> None:
    control = StrictControl()
    settings = with_settings(keepalive_seconds=0.2, keepalive_timeout_seconds=1.0)
    async with running(control, settings) as gateway:
        proxy = Silence(gateway.address)
        async with proxy.open() as address:
            channel = grpc.aio.insecure_channel(address)
            stub = KiwoomOpenApiPlusServiceStub(channel)
            streams = [stub.RealCall(ticks()), stub.OrderListen(pb.ListenRequest())]
            alive = gateway.client().RealCall(ticks("005930"))
            await gateway.reached(streams=3, codes=2)
            proxy.fall_silent()
            await gateway.settled(rpcs=1, streams=1, codes=1, screens=1, subscriptions=2)
            control.fire("OnReceiveRealData", "005930", "주식체결", "", data={"10": "1"})
            assert (await asyncio.wait_for(alive.read(), 10)).arguments[0].string_value == "005930"
            for stream in streams:
                stream.cancel()
            await channel.close()
            alive.cancel()
        await gateway.settled()
    assert not any(control.registered.values())
    control.close()
