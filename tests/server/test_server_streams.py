"""koapy.v1.Streams: batches tell what the published streams tell, in its order, to those who read and who do not."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from server_doubles import StrictControl

from koapy.client import AsyncClient, parse
from koapy.client.batches import Batch, Decoder
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import streams_pb2 as v1
from koapy.protocol.streams_pb2_grpc import StreamsStub, add_StreamsServicer_to_server
from koapy.server import KiwoomOpenApiPlusServiceServicer
from koapy.server.streams import StreamsServicer
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

INVALID = grpc.StatusCode.INVALID_ARGUMENT
REAL = ["OnReceiveRealData"]
FLAGS = pb.RealRequestFlags(infer_fids=True, readable_names=True)
GRPC_LARGEST = 4 * 2**20
"""Bytes of a message that grpc takes where nobody tells it another number."""


class Reader:
    """A stream of batches, read on and on."""

    def __init__(self, gateway: Any, first: v1.EventsRequest | None = None, **how: Any) -> None:
        self.call = StreamsStub(gateway.connect()).Events(**how)
        self.batches: list[Batch] = []
        self.sizes: list[int] = []
        self._first = first
        self._decoder = Decoder()

    async def send(self, **asked: Any) -> None:
        await self.call.write(v1.EventsRequest(**asked))

    async def next(self) -> Batch:
        message = await self.call.read()
        if message is grpc.aio.EOF:
            raise EOFError
        self.sizes.append(message.ByteSize())
        self.batches.append(self._decoder.batch(message))
        return self.batches[-1]

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not met():
                await self.next()

    async def end(self) -> grpc.aio.AioRpcError:
        """How it has failed, after all that came before."""
        async with asyncio.timeout(20):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await self.until(lambda: False)
        return caught.value

    @property
    def ticks(self) -> list[parse.Tick]:
        return [tick for batch in self.batches for tick in batch.as_ticks()]

    @property
    def events(self) -> list[parse.Event]:
        return [event for batch in self.batches for event in batch.as_events()]

    @property
    def missed(self) -> Counter[str]:
        return sum((Counter(batch.missed) for batch in self.batches), Counter())


@asynccontextmanager
async def reading(gateway: Any, metadata: Any = None, **first: Any) -> AsyncIterator[Reader]:
    """A stream of batches that is served, its codes registered with a control that may be far away; or refused."""
    reader = Reader(gateway, metadata=metadata)
    try:
        await reader.send(**first)
        await reader.call.initial_metadata()
        yield reader
    finally:
        reader.call.cancel()


async def all_of(stream: Any) -> list[pb.ListenResponse]:
    """What a stream tells until the server goes."""
    messages: list[pb.ListenResponse] = []
    with pytest.raises(grpc.aio.AioRpcError):
        await gather(stream, messages)
    return messages


async def gather(stream: Any, messages: list[Any]) -> None:
    while (message := await stream.read()) is not grpc.aio.EOF:
        messages.append(message)


def tick(control: StrictControl, code: str, number: int, kind: str = "주식체결", **values: str) -> Any:
    data = {"20": "093000", "10": f"+{number}", "15": "", **{name[1:]: value for name, value in values.items()}}
    return control.fire("OnReceiveRealData", code, kind, str(number), data=data)


@pytest.fixture
async def gateway(running: Any, with_settings: Any) -> AsyncIterator[Any]:
    control = StrictControl()
    async with running(control, with_settings(queue=1000)) as gateway:
        yield gateway
        await gateway.settled()
    assert control.faults == []
    assert not any(control.registered.values())
    control.close()


async def test_a_simulated_session_is_the_same_in_batches_and_in_messages(running: Any) -> None:
    """All events and all ticks of a seeded session: what Listen and RealCall tell, batches tell too."""
    clock = ManualClock(datetime(2026, 3, 10, 10, 0, tzinfo=KST))
    control = SimulatedControl(seed=7, clock=clock, market_size=20, login_delay=0.01)
    async with running(control) as gateway:
        await passing(clock, gateway.stub.LoginCall(pb.LoginRequest()))
        codes = (await gateway.call("GetCodeListByMarket", "0")).split(";")[:5]
        account = (await gateway.call("GetLoginInfo", "ACCNO")).split(";")[0]
        real = gateway.client().RealCall(pb.RealRequest(code_list=codes, fid_list=[10, 27, 41], flags=FLAGS))
        listen = gateway.client().Listen(pb.ListenRequest(slots=EVENTS))
        async with reading(gateway, add=codes) as ticks, reading(gateway, slots=EVENTS, raw=True) as events:
            for stream in (real, listen):
                await stream.initial_metadata()
            messages = [asyncio.create_task(all_of(stream)) for stream in (real, listen)]
            batches = [asyncio.create_task(reader.end()) for reader in (ticks, events)]
            order = pb.OrderRequest(account_no=account, order_type=1, code=codes[0], quantity=3, quote_type="03")
            await passing(clock, gateway.client().OrderCall(order))
            await asyncio.to_thread(clock.advance, 30.0)
            await gateway.server.__aexit__(None, None, None)
            told, heard = await asyncio.gather(*messages)
            await asyncio.gather(*batches)
        assert len(told) > 100
        assert {message.arguments[1].string_value for message in told} > {"주식체결", "주식호가잔량"}
        assert [tick for message in told for tick in parse.tick(message)] == ticks.ticks
        expected = [event for message in heard for event in parse.event(message)]
        assert {"OnReceiveChejanData", "OnReceiveMsg", "OnReceiveTrData"} <= {event.name for event in expected}
        for is_tick in (True, False):
            of_kind = [event for event in expected if (event.name in REAL) is is_tick]
            assert of_kind == [event for event in events.events if (event.name in REAL) is is_tick]
    control.close()


async def passing(clock: ManualClock, stream: Any) -> None:
    """Let time pass until a stream has ended."""
    ended = asyncio.create_task(gather(stream, []))
    while not ended.done():
        await asyncio.to_thread(clock.advance, 0.1)
    await ended


async def test_ticks_and_events_keep_their_order_across_kinds(gateway: Any) -> None:
    listen = gateway.client().Listen(pb.ListenRequest(slots=EVENTS))
    async with reading(gateway, slots=EVENTS, raw=True) as reader:
        await listen.initial_metadata()
        await gateway.heard()
        control = gateway.control
        for number in range(0, 60, 3):
            tick(control, "005930", number)
            control.fire("OnReceiveMsg", "0001", "이름", "opt10001", f"{number + 1}")
            tick(control, "000660", number + 2, "주식호가잔량", f21="093000")
        heard = [await listen.read() for _ in range(60)]
        await reader.until(lambda: len(reader.events) == 60)
    assert reader.events == [event for message in heard for event in parse.event(message)]
    assert [int(event.arguments[2 if event.name in REAL else 3]) for event in reader.events] == list(range(60))
    listen.cancel()


async def test_a_tick_goes_out_at_once_and_what_gathers_meanwhile_in_one(gateway: Any) -> None:
    async with reading(gateway, add=["005930"], fids=[10]) as reader:
        tick(gateway.control, "005930", 1)
        assert [len(await reader.next()), *(each.values for each in reader.ticks)] == [1, {"현재가": "+1"}]
        # One job of the control's thread: the loop gets to see all of them, or some, at once, but none twice.
        await asyncio.wrap_future(gateway.control.submit(fire_many, gateway.control, range(2, 302)))
        await reader.until(lambda: len(reader.ticks) == 301)
        assert [each.price for each in reader.ticks] == list(range(1, 302))
        assert len(reader.batches) < 100


def fire_many(control: StrictControl, numbers: range, *codes: str) -> None:
    for number in numbers:
        for code in codes or ("005930",):
            control._fire("OnReceiveRealData", (code, "주식체결", ""), {"10": f"+{number}"})


async def test_codes_come_and_go_while_no_tick_of_the_others_is_missed_or_comes_twice(gateway: Any) -> None:
    codes = ("005930", "000660", "035720")
    async with (
        reading(gateway, add=codes[:1], fids=[10]) as changing,
        reading(gateway, add=codes[:1], fids=[10]) as other,
    ):
        count = 0
        for at in range(8):
            code, before = codes[1 + at % 2], codes[2 - at % 2]
            await changing.send(add=[code], remove=[before])
            had = len(prices(changing, code))
            while len(prices(changing, code)) < had + 30:  # the change falls somewhere among these ticks
                gateway.control.submit(fire_many, gateway.control, range(count, count + 20), *codes)
                count += 20
                for reader in (changing, other):
                    await reader.until(lambda reader=reader, last=count - 1: last in prices(reader, codes[0]))
        await gateway.settled(**gateway.state | {"codes": 2})
        for reader in (changing, other):
            assert not reader.missed
            assert prices(reader, codes[0]) == list(range(count))
        assert {each.code for each in other.ticks} == {codes[0]}
        for code in codes[1:]:
            assert prices(changing, code) == sorted(set(prices(changing, code)))
            assert len(prices(changing, code)) < count


async def registered(control: StrictControl) -> None:
    """Wait until the control itself has been asked for ticks; it may be far away."""
    await asyncio.to_thread(control.wait_for, "SetRealReg")


def prices(reader: Reader, code: str) -> list[int]:
    return [tick.price or 0 for tick in reader.ticks if tick.code == code]


async def test_a_stream_may_begin_with_nothing_and_its_half_close_does_not_end_it(gateway: Any) -> None:
    async with reading(gateway) as reader:
        await reader.send(add=["005930"])
        await reader.call.done_writing()
        await registered(gateway.control)
        tick(gateway.control, "005930", 5)
        await reader.next()
        assert [each.price for each in reader.ticks] == [5]


async def test_only_the_kinds_that_are_asked_for_are_read_and_sent(gateway: Any) -> None:
    async with reading(gateway, add=["005930"], real_types=["주식체결"]) as reader:
        tick(gateway.control, "005930", 1, "주식호가잔량")
        tick(gateway.control, "005930", 2)
        await reader.next()
        assert [(each.real_type, each.price) for each in reader.ticks] == [("주식체결", 2)]
    registered = gateway.control.named("SetRealReg")[0]
    assert "20" in registered[3].split(";")


async def test_every_tick_comes_once_to_who_wants_all_and_registers_some(gateway: Any) -> None:
    async with reading(gateway, slots=REAL, add=["005930"], fids=[10]) as reader:
        for number, code in enumerate(("005930", "000660", "005930")):
            tick(gateway.control, code, number)
        await reader.until(lambda: len(reader.ticks) == 3)
        assert [(each.code, each.price) for each in reader.ticks] == [("005930", 0), ("000660", 1), ("005930", 2)]


async def test_streams_of_one_wish_get_the_raw_data_only_where_they_ask_for_it(gateway: Any) -> None:
    async with reading(gateway, add=["005930"]) as plain, reading(gateway, add=["005930"], raw=True) as raw:
        tick(gateway.control, "005930", 7)
        await plain.next()
        await raw.next()
        assert plain.ticks == raw.ticks
        assert raw.events[0].arguments == ("005930", "주식체결", "7")
        assert plain.batches[0].of().raw == ()


@pytest.mark.parametrize("overflow", ["conflate", "drop-oldest"])
async def test_a_stream_that_does_not_read_is_told_in_the_stream_what_it_missed(gateway: Any, overflow: str) -> None:
    metadata = [("koapy-overflow", overflow), ("koapy-queue", "10")]
    async with reading(gateway, metadata, add=["005930", "000660"], fids=[10]) as stuck:
        for number in range(2000):
            fired = tick(gateway.control, ("005930", "000660")[number % 2], number, f10=f"{number}{' ' * 4000}")
        await asyncio.wrap_future(fired)
        last = asyncio.create_task(stuck.end())
        await stuck_is_through(stuck, 2000)
        gateway.control.fire("OnEventConnect", -106)
        error = await last
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        got = Counter(each.code for each in stuck.ticks)
        assert stuck.missed
        assert got + stuck.missed == Counter({"005930": 1000, "000660": 1000})
        told = dict(error.trailing_metadata() or ())[f"koapy-{'conflated' if overflow == 'conflate' else 'dropped'}"]
        assert str(told).startswith(f"total={stuck.missed.total()},")


async def stuck_is_through(stuck: Reader, count: int) -> None:
    async with asyncio.timeout(20):
        while len(stuck.ticks) + stuck.missed.total() < count:
            await asyncio.sleep(0.005)


async def test_much_comes_in_messages_that_anybody_can_take(gateway: Any) -> None:
    async with reading(gateway, add=["005930"], fids=[10]) as reader:
        for number in range(900):
            fired = tick(gateway.control, "005930", number, f10=f"{number} {'가' * 4000}")
        await asyncio.wrap_future(fired)
        await reader.until(lambda: len(reader.ticks) == 900)
        assert [int(each.values["현재가"].split()[0]) for each in reader.ticks] == list(range(900))
        assert max(reader.sizes) < GRPC_LARGEST / 2


@pytest.mark.parametrize(
    ("first", "says"),
    [
        ({"slots": ["OnReceiveRealDat"]}, "did you mean OnReceiveRealData"),
        ({"add": ["999999"]}, "unknown 종목코드"),
        ({"add": ["005930"], "fids": [-1]}, "FID"),
        ({"add": ["005930"], "fids": range(1, 102)}, "at most 100"),
        ({"add": ["005930"], "real_types": ["주식채결"]}, "주식체결"),
    ],
)
async def test_what_is_wrong_with_a_first_request(gateway: Any, first: dict[str, Any], says: str) -> None:
    async with reading(gateway, **first) as reader:
        error = await reader.end()
    assert error.code() is INVALID
    assert says in (error.details() or "")


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ({}, "add or remove"),
        ({"add": ["999999"]}, "unknown 종목코드"),
        ({"slots": REAL}, "first request"),
        ({"raw": True, "add": ["005930"]}, "first request"),
    ],
)
async def test_what_is_wrong_with_a_later_request(gateway: Any, then: dict[str, Any], says: str) -> None:
    async with reading(gateway, add=["005930"]) as reader:
        await reader.send(**then)
        error = await reader.end()
    assert error.code() is INVALID
    assert says in (error.details() or "")


async def test_a_stream_without_any_request_is_told_so(gateway: Any) -> None:
    reader = Reader(gateway)
    await reader.call.done_writing()
    error = await reader.end()
    assert error.code() is INVALID
    assert "first one" in (error.details() or "")


async def test_codes_need_a_login_and_events_do_not(gateway: Any) -> None:
    gateway.control.connected = False
    async with reading(gateway, slots=["OnReceiveMsg"]) as reader:
        await reader.send(add=["005930"])
        error = await reader.end()
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    gateway.control.connected = True


async def test_a_lost_connection_ends_streams_that_hold_codes_and_those_alone(gateway: Any) -> None:
    async with (
        reading(gateway, slots=["OnEventConnect"]) as listening,
        reading(gateway, slots=["OnEventConnect"], add=["005930"]) as holding,
        reading(gateway, add=["005930"]) as silent,
    ):
        gateway.control.fire("OnEventConnect", -106)
        assert (await silent.end()).code() is grpc.StatusCode.UNAVAILABLE
        assert (await holding.end()).code() is grpc.StatusCode.UNAVAILABLE
        await listening.next()
        assert [each.arguments for each in listening.events] == [each.arguments for each in holding.events] == [(-106,)]
        assert silent.events == []
        gateway.control.fire("OnEventConnect", 0)
        await listening.until(lambda: len(listening.events) == 2)


async def test_a_deadline_gives_all_of_it_back(gateway: Any) -> None:
    reader = Reader(gateway, timeout=0.3)
    await reader.send(slots=REAL, add=["005930"])
    assert (await reader.end()).code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_batches_count_as_streams_of_their_client(running: Any, with_settings: Any) -> None:
    control = StrictControl()
    async with running(control, with_settings(client_streams=1)) as gateway:
        stub = StreamsStub(gateway.channel)
        calls = [stub.Events(iter([v1.EventsRequest(slots=REAL)])) for _ in range(2)]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await asyncio.gather(*(call.read() for call in calls))
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        for call in calls:
            call.cancel()
        await gateway.settled()
    control.close()


async def test_a_value_that_is_no_text_ends_the_streams_that_want_it(gateway: Any) -> None:
    async with reading(gateway, add=["005930"], fids=[10]) as reader:
        tick(gateway.control, "005930", 1, f10="\ud800")
        error = await reader.end()
    assert error.code() is grpc.StatusCode.INTERNAL


async def test_batches_on_a_server_of_ones_own() -> None:
    control = StrictControl()
    server = grpc.aio.server()
    async with KiwoomOpenApiPlusServiceServicer(control) as servicer:
        add_StreamsServicer_to_server(StreamsServicer(servicer), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with AsyncClient(f"127.0.0.1:{port}") as client, client.realtime("005930", fids=[10]) as ticks:
            await registered(control)
            await asyncio.wrap_future(tick(control, "005930", 7))
            assert (await anext(ticks)).price == 7
        await server.stop(0)
    control.close()
