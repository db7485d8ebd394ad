"""Wrong requests over every RPC: each gets a proper status, nothing is left of them, and nobody else notices.

The large form is `python tests/faults/chaos_fuzz.py --requests 1000000`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import random
import struct
from typing import TYPE_CHECKING

import chaos_fuzz
import fuzz_wire as wire
import grpc
import pytest
from chaos_fuzz import ANSWERED_SECONDS, CONTROL, NEVER, SETTINGS, Judge, settled
from fault_host import Host
from fuzz_garbage import Garbage
from fuzz_requests import FINITE, GATEWAY, HEALTH, REFLECTION, SERVICE, STREAMS, World
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNARY_UNARY = frozenset({SERVICE + "Call", SERVICE + "SetLogLevel", HEALTH + "Check"})


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host(control=CONTROL, settings=SETTINGS) as host:
        yield host


@pytest.fixture(scope="module")
def channel(host: Host) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(host.address) as channel:
        yield channel


def raw(payload: bytes) -> bytes:
    return payload


def world(host: Host) -> World:
    return World(host.ready["codes"], host.ready["accounts"][0])


async def lone(
    host: Host, path: str, body: bytes, *metadata: tuple[bytes, bytes], seconds: float = 10.0
) -> wire.Exchange:
    """One request on a connection of its own, byte for byte."""
    name, _, port = host.address.rpartition(":")
    connection = await wire.Connection.to(name, int(port))
    ended = asyncio.Event()
    exchange = connection.request(wire.start(path.encode(), metadata), body, lambda _: ended.set())
    try:
        async with asyncio.timeout(seconds):
            await ended.wait()
    finally:
        connection.close()
    return exchange


async def test_a_session_of_wrong_requests(host: Host) -> None:
    outcome = await chaos_fuzz.fuzz(host, 12_000, seed=20261123)
    print(outcome.report())
    assert outcome.judge.wrong == [], outcome.report()
    assert outcome.witness.answers > 20
    assert outcome.witness.ticks > 20


texts = st.text(max_size=12) | st.sampled_from(
    ("005930", "opt10001", "GetMasterCodeName", "0101", "8000000011", "\x00")
)
numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 5)
arguments = st.builds(lambda text: pb.Argument(string_value=text), texts) | st.builds(
    lambda number: pb.Argument(long_value=number), numbers
)
messages = st.one_of(
    st.builds(
        lambda name, given: (SERVICE + "Call", pb.CallRequest(name=name, arguments=given)),
        st.sampled_from(("GetMasterCodeName", "SetRealReg", "SendOrder", "CommRqData", "SetInputValue")) | texts,
        st.lists(arguments, max_size=10),
    ),
    st.builds(
        lambda code, screen, inputs, name: (
            SERVICE + "TransactionCall",
            pb.TransactionRequest(transaction_code=code, screen_no=screen, inputs=inputs, request_name=name),
        ),
        texts,
        texts,
        st.dictionaries(texts | st.just("종목코드"), texts, max_size=3),
        texts,
    ),
    st.builds(
        lambda account, code, kind, quantity, price, quote: (
            SERVICE + "OrderCall",
            pb.OrderRequest(
                account_no=account, code=code, order_type=kind, quantity=quantity, price=price, quote_type=quote
            ),
        ),
        texts,
        texts,
        numbers,
        numbers,
        numbers,
        texts,
    ),
    st.builds(
        lambda codes, fids, option: (
            SERVICE + "RealCall",
            pb.RealRequest(code_list=codes, fid_list=fids, opt_type=option),
        ),
        st.lists(texts, max_size=5),
        st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
        texts,
    ),
    st.builds(lambda slots: (SERVICE + "Listen", pb.ListenRequest(slots=slots)), st.lists(texts, max_size=3)),
    st.builds(
        lambda name, index, kind: (
            SERVICE + "ConditionCall",
            pb.ConditionRequest(condition_name=name, condition_index=index, search_type=kind),
        ),
        texts,
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**31), 2**31 - 1),
    ),
    st.builds(lambda name: (HEALTH + "Check", health_pb2.HealthCheckRequest(service=name)), texts),
)
damage = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**16), st.binary(max_size=6)), max_size=2)
encodings = st.builds(
    lambda message, harm: (message[0], damaged(message[1].SerializeToString(), harm)), messages, damage
)


def damaged(body: bytes, harm: list[tuple[int, int, bytes]]) -> bytes:
    out = bytearray(body)
    for kind, where, what in harm:
        at = where % (len(out) + 1)
        if kind == 0:
            out[at : at + len(what)] = what
        elif kind == 1:
            out[at:at] = what
        else:
            del out[at : at + len(what)]
    return bytes(out)


@hypothesis_settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(requests=st.lists(encodings, min_size=5, max_size=25))
def test_any_encoding_gets_a_proper_status(channel: grpc.Channel, requests: list[tuple[str, bytes]]) -> None:
    """What hypothesis makes up, through grpc's own channel and serializers that leave bytes as they are."""
    calls = []
    for path, body in requests:
        if path in UNARY_UNARY:
            call = channel.unary_unary(path, raw, raw).future(body, timeout=ANSWERED_SECONDS)
        else:
            call = channel.unary_stream(path, raw, raw)(body, timeout=ANSWERED_SECONDS if path in FINITE else 0.2)
        calls.append((path, body, call))
    for path, body, call in calls:
        if path not in UNARY_UNARY:
            try:
                for _ in call:
                    pass
            except grpc.RpcError:
                pass
        code = call.code()
        assert code not in NEVER, (path, body.hex(), code, call.details())
        assert path not in FINITE or code is not grpc.StatusCode.DEADLINE_EXCEEDED, (path, body.hex())


BROKEN = b"\x0a\xff\xff\xff\xff\x0f"
PATHS = [
    SERVICE + name
    for name in (
        "Call", "Listen", "BidirectionalListen", "LoginCall", "TransactionCall", "OrderCall", "RealCall",
        "LoadConditionCall", "ConditionCall", "BidirectionalRealCall", "OrderListen", "CustomListen",
        "CustomCallAndListen", "SetLogLevel",
    )
]  # fmt: skip
PATHS += [GATEWAY + name for name in ("OrderEvents", "Orders", "Halt", "Release", "Status")]
PATHS += [STREAMS + "Events", HEALTH + "Check", HEALTH + "Watch", REFLECTION + "ServerReflectionInfo"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.rpartition("/")[2])
async def test_what_cannot_be_decoded_is_an_invalid_argument(host: Host, path: str) -> None:
    exchange = await lone(host, path, wire.message(BROKEN))
    assert (exchange.status, "no such message" in exchange.text.replace("%20", " ")) == (3, True), exchange


@pytest.mark.parametrize("path", [path for path in PATHS if "Bidirectional" not in path and "Info" not in path])
async def test_a_request_that_ends_before_its_message_is_answered(host: Host, path: str) -> None:
    for body in (b"", b"\0\0", b"\0\0\0\0\x05abc"):
        exchange = await lone(host, path, body)
        assert exchange.status in {3, 13}, (body, exchange)  # 13 is grpc's own word for half a message


@pytest.mark.parametrize("number", [b"9" * 19, b"9" * 5000, b"-1", b"1.5", b"x"])
async def test_a_sequence_number_that_is_none_is_an_invalid_argument(host: Host, number: bytes) -> None:
    exchange = await lone(host, SERVICE + "OrderListen", wire.message(b""), (b"koapy-from-sequence", number))
    assert exchange.status == grpc.StatusCode.INVALID_ARGUMENT.value[0], exchange


async def test_garbage_on_the_socket_leaves_nothing(host: Host) -> None:
    before = await settled(host)
    name, _, port = host.address.rpartition(":")
    for seed in range(3):
        await Garbage(name, int(port), random.Random(seed)).once()
    judge = Judge()
    chaos_fuzz.check(judge, before, await settled(host, before), 0)
    assert judge.wrong == []


def strings(*values: str) -> list[pb.Argument]:
    return [pb.Argument(string_value=value) for value in values]


LONG = [
    ("Call", pb.CallRequest(name="x" * 20_000), grpc.StatusCode.UNIMPLEMENTED),
    ("Call", pb.CallRequest(name="가" * 20_000), grpc.StatusCode.UNIMPLEMENTED),
    ("OrderCall", pb.OrderRequest(order_type=1, quote_type="x" * 20_000), grpc.StatusCode.INVALID_ARGUMENT),
    ("TransactionCall", pb.TransactionRequest(transaction_code="y" * 200_000), grpc.StatusCode.INVALID_ARGUMENT),
    ("Listen", pb.ListenRequest(slots=["z" * 50_000]), grpc.StatusCode.INVALID_ARGUMENT),
]


@pytest.mark.parametrize(("rpc", "request_", "status"), LONG, ids=[f"{rpc}-{n}" for n, (rpc, *_) in enumerate(LONG)])
async def test_what_is_said_about_long_values_reaches_the_client(
    host: Host, rpc: str, request_: object, status: grpc.StatusCode
) -> None:
    """A client's grpc takes 8 KB of trailing metadata, and puts a status of its own in the place of a longer one."""
    async with grpc.aio.insecure_channel(host.address) as channel:
        call = getattr(KiwoomOpenApiPlusServiceStub(channel), rpc)(request_)
        assert await call.code() is status


async def test_a_warning_about_many_inputs_reaches_the_client(host: Host) -> None:
    inputs = {"종목코드": host.ready["codes"][0]} | {f"입력{number}": "x" for number in range(2000)}
    async with grpc.aio.insecure_channel(host.address) as channel:
        request = pb.TransactionRequest(request_name="질의", transaction_code="opt10001", inputs=inputs)
        call = KiwoomOpenApiPlusServiceStub(channel).TransactionCall(request)
        assert [page.name async for page in call] == ["OnReceiveTrData"]
        assert "koapy-warning" in dict(await call.trailing_metadata())


async def until(host: Host, met: Callable[[dict[str, int]], bool]) -> None:
    async with asyncio.timeout(20):
        while not met(await asyncio.to_thread(host.statistics)):
            await asyncio.sleep(0.02)


async def test_codes_being_removed_when_their_client_goes_are_given_back(host: Host) -> None:
    """Found by the soak: what a removal had begun to take out of the books, the end of the stream no longer knew of."""
    first, second = host.ready["codes"][:2]
    await settled(host)
    async with grpc.aio.insecure_channel(host.address) as channel:
        stub = KiwoomOpenApiPlusServiceStub(channel)
        stream = stub.BidirectionalRealCall()
        start = pb.BidirectionalRealInitializeRequest(fid_list=[10])
        await stream.write(pb.BidirectionalRealRequest(initialize_request=start))
        register = pb.BidirectionalRealRegisterRequest(code_list=[first])
        await stream.write(pb.BidirectionalRealRequest(register_request=register))
        await until(host, lambda held: held["codes"] == 1 and held["subscriptions"] == 2)
        other = stub.RealCall(pb.RealRequest(code_list=[second], fid_list=[10]))
        await until(host, lambda held: held["codes"] == 2 and held["subscriptions"] == 4)
        look_up = pb.CallRequest(name="GetMasterCodeName", arguments=strings(first))
        await stub.Call(look_up)
        await asyncio.to_thread(host.ask, "busy", 3.0)
        other.cancel()  # its code is given back once the control has time, and others wait for that
        await until(host, lambda held: held["subscriptions"] == 3)
        remove = pb.BidirectionalRealRemoveRequest(code_list=[first])
        await stream.write(pb.BidirectionalRealRequest(remove_request=remove))
        for _ in range(3):  # answered from what is known: when the answers are here, the removal is on its way
            await stub.Call(look_up)
        stream.cancel()
        assert not any((await settled(host))["statistics"].values())


async def test_what_a_call_registers_after_its_client_has_been_silent_is_given_back() -> None:
    """Found by fuzzing: a Call that had to wait longer than a silent client is remembered registered for nobody."""
    with Host(control=CONTROL, idle=0.2) as host:
        arguments = strings("1000", host.ready["codes"][0], "10", "0")
        async with grpc.aio.insecure_channel(host.address) as channel:
            await asyncio.to_thread(host.ask, "busy", 1.0)
            call = KiwoomOpenApiPlusServiceStub(channel).Call(pb.CallRequest(name="SetRealReg", arguments=arguments))
            assert (await call).return_value.long_value == 0
        assert not any((await settled(host))["statistics"].values())


async def test_what_was_called_for_stays_while_the_client_listens() -> None:
    """A client that registers by Call and then only listens has nothing more to call."""
    with Host(control=CONTROL, idle=0.2) as host:
        code = host.ready["codes"][0]
        async with grpc.aio.insecure_channel(host.address) as channel:
            stub = KiwoomOpenApiPlusServiceStub(channel)
            listening = stub.Listen(pb.ListenRequest(slots=["OnReceiveRealData"]))
            await listening.initial_metadata()  # it is there before the client's time without a stream could pass
            await stub.Call(pb.CallRequest(name="SetRealReg", arguments=strings("1000", code, "10", "0")))
            ended = asyncio.get_running_loop().time() + 1.0
            async for tick in listening:
                assert tick.arguments[0].string_value == code
                if asyncio.get_running_loop().time() > ended:  # ticks go on long after it was last heard of
                    break
            listening.cancel()
        assert not any((await settled(host))["statistics"].values())


async def test_a_health_watcher_that_does_not_read_holds_up_nobody() -> None:
    """Neither others who watch, nor the shutdown."""
    host = Host(control=CONTROL).start()
    try:
        name, _, port = host.address.rpartition(":")
        _, writer = await asyncio.open_connection(name, int(port))
        writer.write(wire.PREFACE + wire.frame(wire.SETTINGS, 0, 0, struct.pack(">HI", 4, 0)))  # takes not a byte
        for stream in (1, 3, 5):
            writer.write(wire.frame(wire.HEADERS, 4, stream, wire.start((HEALTH + "Watch").encode())))
            writer.write(wire.frame(wire.DATA, 1, stream, wire.message(b"")))
        await until(host, lambda _: True)
        async with grpc.aio.insecure_channel(host.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for _ in range(3):  # by now the server has read what came before
                await health.Check(health_pb2.HealthCheckRequest(), timeout=10)
            watching = health.Watch(health_pb2.HealthCheckRequest(), timeout=20)
            assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVING
            stopping = asyncio.create_task(asyncio.to_thread(host.stop))
            assert (await watching.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            assert await watching.read() is grpc.aio.EOF
            assert await stopping == 0
        writer.transport.abort()
    finally:
        host.kill()


async def codes_of(stub: KiwoomOpenApiPlusServiceStub, codes: list[str]) -> grpc.StatusCode:
    """How a keyword query for these ends."""
    request = pb.TransactionRequest(
        request_name="관심", transaction_code="OPTKWFID", inputs={"종목코드": ";".join(codes)}
    )
    stream = stub.TransactionCall(request, timeout=ANSWERED_SECONDS)
    with contextlib.suppress(grpc.aio.AioRpcError):
        async for _ in stream:
            pass
    return await stream.code()


async def test_queries_that_take_many_screens_do_not_wait_for_one_another(host: Host) -> None:
    """Three that need 75 screens each, of 200: whoever held some and waited for more would wait for ever."""
    many = (host.ready["codes"] * 1000)[:7_500]
    async with grpc.aio.insecure_channel(host.address) as channel:
        stub = KiwoomOpenApiPlusServiceStub(channel)
        ended = await asyncio.gather(*(codes_of(stub, many) for _ in range(3)))
        assert ended == [grpc.StatusCode.OK] * 3
        assert await codes_of(stub, (many * 3)[:25_000]) is grpc.StatusCode.INVALID_ARGUMENT
    assert not any((await settled(host))["statistics"].values())


async def test_what_a_client_may_leave_behind_by_calls_is_bounded(host: Host) -> None:
    async with grpc.aio.insecure_channel(host.address) as channel:
        stub = KiwoomOpenApiPlusServiceStub(channel)
        keep = pb.CallRequest(name="SetInputValue", arguments=strings("이름", "x" * 1000))
        codes = [await stub.Call(keep).code() for _ in range(250)]
        assert set(codes[-40:]) == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert set(codes[:150]) == {grpc.StatusCode.OK}


async def test_a_small_message_does_not_become_a_large_one(host: Host) -> None:
    """A request of 200 KB that is 200 MB when it is unpacked."""
    before = (await settled(host))["rss"]
    packed = wire.message(gzip.compress(bytes(200_000_000), 9), compressed=1)
    exchange = await lone(host, SERVICE + "Call", packed, (b"grpc-encoding", b"gzip"))
    assert exchange.status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert (await settled(host))["rss"] < before + 50_000_000
