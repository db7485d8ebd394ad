"""Batches at the clients: single ticks or columns, codes that change, breaks, and servers that have no batches."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading

import grpc
import numpy as np
import pytest

from koapy.client import AsyncClient, Client, InvalidArgument, Unimplemented
from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as pb_grpc
from koapy.protocol import streams_pb2 as v1
from koapy.protocol import streams_pb2_grpc
from koapy.server.batching import Schemas, event, missed
from koapy.server.events import ReceiveMsg
from koapy.server.reading import View
from koapy.server.ticks import Lane, Tick

KIND = "주식체결"
VIEW = View((20, 10), readable=True)
pytestmark = pytest.mark.filterwarnings("ignore::koapy.client.KoapyWarning")


class Streams(streams_pb2_grpc.StreamsServicer):
    """Tells what a test puts in, on each stream from its beginning, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[list[v1.EventsRequest]] = []
        self.more = asyncio.Event()
        self.sent: list[bytes] = []
        self.breaks = asyncio.Event()
        self.gone = asyncio.Event()
        self._schemas = Schemas()

    def batch(self, *prices: str, raw: bool = False, code: str = "005930") -> bytes:
        ticks = [Tick(1, Lane(code, KIND, VIEW), f"raw {price}", ("093000", price)) for price in prices]
        (piece,) = self._schemas.pieces(ticks, raw=raw)
        return b"".join((*(schema.encoded for schema in piece.schemas), piece.encoded))

    def renumber(self) -> None:
        """What begins anew has other numbers for the same."""
        self._schemas = Schemas()
        list(self._schemas.pieces([Tick(1, Lane("005930", "주식시세", VIEW), "", ("", ""))]))

    async def Events(self, requests, context):
        asked: list[v1.EventsRequest] = []
        self.asked.append(asked)
        self.more.set()
        context.add_done_callback(lambda context: self.gone.set())

        async def listen():
            async for request in requests:
                asked.append(request)
                self.more.set()

        listening = asyncio.create_task(listen())
        for body in self.sent:
            await context.write(v1.EventBatch.FromString(body))
        try:
            await self.breaks.wait()
            self.breaks.clear()
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        finally:
            listening.cancel()

    async def told(self, count: int, stream: int = -1) -> list[v1.EventsRequest]:
        """The requests of a stream, once there are so many."""
        async with asyncio.timeout(10):
            while not self.asked or len(self.asked[stream]) < count:
                self.more.clear()
                await self.more.wait()
        return self.asked[stream]

    async def opened(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.asked) < count:
                self.more.clear()
                await self.more.wait()


@pytest.fixture
async def streams():
    return Streams()


@pytest.fixture
async def address(gateway, streams):
    """The scripted gateway of the other tests, with batches."""
    server = grpc.aio.server()
    pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server(gateway, server)
    streams_pb2_grpc.add_StreamsServicer_to_server(streams, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


async def test_single_ticks_come_out_of_batches(client, streams):
    streams.sent = [streams.batch("+71500", "-71400"), streams.batch("+71600")]
    stream = await client.realtime("005930")
    got = await stream.taken(3)
    assert [(tick.code, tick.real_type, tick.price, f"{tick.time:%H%M%S}") for tick in got] == [
        ("005930", KIND, price, "093000") for price in (71500, 71400, 71600)
    ]
    assert got[0].values == {"체결시간": "093000", "현재가": "+71500"}
    (first,) = await streams.told(1)
    assert first == v1.EventsRequest(add=["005930"], real_types=[KIND])


async def test_batches_are_arrays_and_frames(client, streams):
    streams.sent = [streams.batch("+71500", "-71400"), streams.batch("+71600") + missed({"005930": 4})]
    stream = await client.realtime_batches(["005930", "000660"], fids=[20, 10])
    first, second = await stream.taken(2)
    assert (len(first), len(second), first.missed, second.missed) == (2, 1, {}, {"005930": 4})
    assert first.to_numpy()["현재가"].dtype == np.int64
    assert first.to_pandas().to_dict("list") == {
        "code": ["005930"] * 2,
        "체결시간": ["093000"] * 2,
        "현재가": [71500, 71400],
    }
    assert first.to_pandas(as_numbers=False)["현재가"].tolist() == ["+71500", "-71400"]
    assert second.to_arrow().to_pylist() == [{"position": 0, "code": "005930", "체결시간": "093000", "현재가": 71600}]
    assert (await streams.told(1))[0] == v1.EventsRequest(add=["005930", "000660"], fids=[20, 10])


async def test_events_and_ticks_of_listen_come_in_one_order(client, streams):
    said = ReceiveMsg("0001", "이름", "opt10001", "조회가 완료되었습니다")
    streams.sent = [streams.batch("+1", raw=True) + event(said.encoded) + streams.batch("+2", raw=True)]
    stream = await client.listen("OnReceiveRealData", "OnReceiveMsg")
    got = await stream.taken(3)
    assert [each.arguments[2] for each in got] == ["raw +1", "opt10001", "raw +2"]
    assert [each.single.get("현재가") for each in got] == ["+1", None, "+2"]
    batches = await client.listen_batches("OnReceiveRealData", "OnReceiveMsg")
    (batch,) = await batches.taken(1)
    assert list(batch.as_events()) == got
    assert (list(batch.of(KIND).positions), [each.name for each in batch.events]) == ([0, 2], ["OnReceiveMsg"])
    assert (await streams.told(1))[0] == v1.EventsRequest(slots=["OnReceiveRealData", "OnReceiveMsg"], raw=True)


async def test_codes_change_and_a_stream_that_is_opened_again_has_those_of_the_moment(client, streams):
    streams.sent = [streams.batch("+1")]
    stream = await client.realtime("005930")
    await stream.taken(1)
    await stream.add(["000660", "035720"])
    await stream.remove("005930")
    assert (await streams.told(3))[1:] == [
        v1.EventsRequest(add=["000660", "035720"]),
        v1.EventsRequest(remove=["005930"]),
    ]
    # The numbers of schemas are those of the stream: this one's is the first one's of another kind.
    streams.renumber()
    streams.sent = [streams.batch("+2", code="000660")]
    streams.breaks.set()
    (tick,) = await stream.taken(1)
    assert (tick.code, tick.price) == ("000660", 2)
    assert (await streams.told(1))[0] == v1.EventsRequest(add=["000660", "035720"], real_types=[KIND])
    assert [each.lost for each in stream.inner.interruptions] == [True]


async def test_closing_ends_it_at_the_server(client, streams):
    streams.sent = [streams.batch("+1", "+2")]
    stream = await client.realtime("005930")
    await stream.taken(1)
    await stream.close()
    async with asyncio.timeout(10):
        await streams.gone.wait()
    assert [tick.price for tick in await stream.all()] == [2]


@pytest.mark.parametrize("ending", ["close", "forget", "break"])
async def test_no_thread_is_left_of_a_stream(address, streams, ending):
    streams.sent = [streams.batch("+1")]

    def follow() -> set[threading.Thread]:
        with Client(address, reconnect=0) as client:
            before = set(threading.enumerate())
            stream = client.realtime("005930")
            next(stream)
            if ending == "break":
                loop.call_soon_threadsafe(streams.breaks.set)
                with contextlib.suppress(Exception):
                    next(stream)
            elif ending == "close":
                stream.close()
            del stream
            gc.collect()
            return set(threading.enumerate()) - before

    loop = asyncio.get_running_loop()
    for thread in await asyncio.to_thread(follow):
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()


class TestAServerWithoutBatches:
    """KOAPY's own, for one."""

    @pytest.fixture
    async def streams(self):
        return streams_pb2_grpc.StreamsServicer()  # UNIMPLEMENTED

    async def test_ticks_and_batches_come_from_its_streams(self, client, gateway, wire):
        values = {"체결시간": "093000", "현재가": "-71500"}
        gateway.scripts["RealCall"] = wire.playing(
            wire.event("OnReceiveRealData", "005930", KIND, "raw", single=values),
            wire.event("OnReceiveRealData", "005930", "주식호가잔량", "raw", single={"매도호가1": "+1"}),
            wire.event("OnReceiveRealData", "000660", KIND, "raw", single=values),
            forever=True,
        )
        stream = await client.realtime("005930")
        assert [tick.code for tick in await stream.taken(2)] == ["005930", "000660"]
        assert stream.inner.interruptions == []
        with pytest.raises(Unimplemented, match="close this one"):
            await stream.add("000660")
        batches = await client.realtime_batches("005930")
        (batch, _) = await batches.taken(2)
        assert batch.to_pandas()["현재가"].tolist() == [71500]

    async def test_events_come_from_its_streams(self, client, gateway, wire):
        gateway.scripts["Listen"] = wire.playing(wire.says("거부"), forever=True)
        assert (await (await client.listen("OnReceiveMsg")).taken(1))[0].arguments[3] == "거부"
        (batch,) = await (await client.listen_batches("OnReceiveMsg")).taken(1)
        assert [each.arguments[3] for each in batch] == ["거부"]
        assert [each.slots for each in gateway.asked("Listen")] == [["OnReceiveMsg"]] * 2

    async def test_its_refusals_are_told_as_they_are(self, client, gateway, wire):
        gateway.scripts["RealCall"] = wire.failing(grpc.StatusCode.INVALID_ARGUMENT, "unknown 종목코드")
        with pytest.raises(InvalidArgument, match="unknown 종목코드"):
            await (await client.realtime("999999")).taken(1)
        gateway.scripts["RealCall"] = wire.failing(grpc.StatusCode.UNIMPLEMENTED, "this control does not offer it")
        with pytest.raises(Unimplemented, match="does not offer"):
            await (await client.realtime("005930")).taken(1)


async def test_codes_may_change_before_anything_has_come(address, streams):
    async with AsyncClient(address) as client:
        stream = client.realtime([])
        await stream.add("005930")
        assert (await streams.told(2))[1] == v1.EventsRequest(add=["005930"])


class Untold(grpc.aio.AioRpcError):
    """What grpc.aio raises where a call is over before its request has gone out."""

    def __init__(self) -> None:
        nothing = grpc.aio.Metadata()
        super().__init__(grpc.StatusCode.INTERNAL, nothing, nothing, "Internal error from Core")


@pytest.mark.parametrize("times", [1, 3])
async def test_a_refusal_that_grpc_kept_to_itself_is_asked_for_again(address, streams, monkeypatch, times):
    async with AsyncClient(address) as client:
        streams.sent = [streams.batch("+1")]
        real, failures = client._stub.Events, [Untold() for _ in range(times)]

        def events(requests, **how):
            call = real(requests, **how)
            if failures:
                failure = failures.pop()

                async def read():
                    call.cancel()
                    raise failure

                call.read = read
            return call

        monkeypatch.setattr(client._stub, "Events", events)
        stream = client.realtime("005930")
        assert (await anext(stream)).price == 1
        assert stream.interruptions == []


async def test_a_stream_that_has_told_something_and_ends_so_was_interrupted(address, streams, monkeypatch):
    async with AsyncClient(address) as client:
        streams.sent = [streams.batch("+1")]
        stream = client.realtime("005930")
        await anext(stream)

        async def read():
            raise Untold

        monkeypatch.setattr(stream._call, "read", read)
        assert (await anext(stream)).price == 1
        assert [each.lost for each in stream.interruptions] == [True]
