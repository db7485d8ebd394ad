"""BidirectionalListen: the client reads inside the event, and nobody is held up past the deadline."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Any

import grpc
import pytest

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

TR = "OnReceiveTrData"


def listen(*events: str) -> pb.BidirectionalListenRequest:
    return pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=events))


HANDLED = pb.BidirectionalListenRequest(handled_request=pb.HandledRequest(time=0.0))
STOP = pb.BidirectionalListenRequest(stop_listen_request=pb.StopListenRequest(time=0.0))


@pytest.fixture
def settings(with_settings: Any) -> Any:
    return with_settings(event_seconds=20.0, longest_event_seconds=60.0)


async def opened(gateway: Any, *events: str, stub: Any = None, **options: Any) -> Any:
    """A stream that the control's events reach already."""
    before = gateway.state.get("gates", 0)
    stream = (stub or gateway.stub).BidirectionalListen(**options)
    await stream.write(listen(*events))
    await gateway.reached(gates=before + 1)
    await gateway.heard()
    return stream


async def test_calls_run_inside_the_event(strict: Any) -> None:
    """What could not be read before and after can be read until handled_request, under the client's own names."""
    stream = await opened(strict, TR)
    await strict.call("SetInputValue", "종목코드", "005930")
    assert await strict.call("CommRqData", "내 요청", "opt10001", 0, "0777") == 0
    event = await stream.read()
    assert [argument.string_value for argument in event.arguments] == ["0777", "내 요청", "opt10001", "", "0"]
    assert not event.HasField("single_data")
    assert await strict.call("GetCommData", "opt10001", "내 요청", 0, "종목코드") == "  005930 "
    assert await strict.call("GetRepeatCnt", "opt10001", "내 요청") == 0
    await stream.write(HANDLED)
    assert await strict.call("GetConnectState") == 1
    await stream.write(STOP)
    assert await stream.read() is grpc.aio.EOF
    await strict.settled(screens=1)


async def test_a_client_that_closes_its_side_at_once_is_told_the_end(strict: Any) -> None:
    for _ in range(100):  # its stream is cancelled while it opens, now and then
        stream = strict.stub.BidirectionalListen(iter([listen("OnReceiveChejanData")]), timeout=10)
        assert await stream.read() is grpc.aio.EOF
    await strict.settled()


async def test_too_many_inside_an_event_get_the_code_at_once(running: Any, with_settings: Any) -> None:
    from server_doubles import StrictControl

    control = StrictControl()
    async with running(control, with_settings(tr_windows=((1, 60.0),), event_seconds=5.0)) as gateway:
        stream = await opened(gateway, TR)
        await gateway.call("SetInputValue", "종목코드", "005930")
        await gateway.call("CommRqData", "a", "opt10001", 0, "0001")
        await stream.read()
        await gateway.call("SetInputValue", "종목코드", "005930")
        assert await gateway.call("CommRqData", "a", "opt10001", 2, "0001") == -200
        await stream.write(HANDLED)
        stream.cancel()
    control.close()


@pytest.mark.parametrize("ending", ["stop", "close", "cancel"])
async def test_the_end_of_the_stream_lets_the_control_go_on(strict: Any, ending: str) -> None:
    stream = await opened(strict, TR, metadata=[("koapy-event-deadline", "30")])
    fired = strict.control.fire(TR, "1", "r", "opt10001", "", "0", 0, "", "", "")
    await stream.read()
    assert not fired.done()
    if ending == "stop":
        await stream.write(STOP)
    elif ending == "close":
        await stream.done_writing()
    else:
        stream.cancel()
    await asyncio.wait_for(asyncio.wrap_future(fired), 20)
    await strict.settled()


@pytest.mark.parametrize("seconds", ["61", "0", "-1", "nan", "x"])
async def test_an_event_is_held_no_longer_than_the_operator_allows(strict: Any, seconds: str) -> None:
    """All others wait meanwhile."""
    stream = strict.stub.BidirectionalListen(metadata=[("koapy-event-deadline", seconds)])
    await stream.write(pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=[TR])))
    with pytest.raises(grpc.aio.AioRpcError, match="at most 60"):
        await stream.read()


async def test_a_client_that_never_acknowledges_ends_alone(strict: Any) -> None:
    """The deadline passes, the stream ends with DEADLINE_EXCEEDED, everybody else gets the event in time."""
    stubborn = await opened(strict, TR, metadata=[("koapy-event-deadline", "0.3")])
    patient = strict.client().Listen(pb.ListenRequest(slots=[TR]))
    await strict.reached(streams=2)
    fired = strict.control.fire(TR, "1", "r", "opt10001", "", "0", 0, "", "", "")
    assert (await asyncio.wait_for(patient.read(), 20)).name == TR
    await stubborn.read()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stubborn.read()
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "handled_request" in (error.value.details() or "")
    await asyncio.wait_for(asyncio.wrap_future(fired), 20)
    assert await strict.call("GetConnectState") == 1
    patient.cancel()
    await strict.settled()


async def test_two_listeners_are_let_in_together(strict: Any) -> None:
    first = await opened(strict, "OnEventConnect")
    second = await opened(strict, "OnEventConnect", stub=strict.client())
    fired = strict.control.fire("OnEventConnect", 0)
    for stream in (first, second):
        assert (await asyncio.wait_for(stream.read(), 20)).arguments[0].long_value == 0
    await first.write(HANDLED)
    assert not fired.done()
    await second.write(HANDLED)
    await asyncio.wait_for(asyncio.wrap_future(fired), 20)
    first.cancel()
    second.cancel()


async def test_the_answer_to_anothers_request_is_not_waited_for(strict: Any) -> None:
    mine = await opened(strict, TR)
    other = strict.client()
    await strict.call("SetInputValue", "종목코드", "000001", stub=other)
    assert await strict.call("CommRqData", "r", "opt10001", 0, "0001", stub=other) == 0
    assert await strict.call("GetConnectState") == 1
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mine.read(), 0.2)


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (HANDLED, "listen_request"),
        (listen(), "no event"),
        (listen("OnReceiveTrDat"), "did you mean OnReceiveTrData"),
    ],
)
async def test_a_stream_must_begin_with_events(strict: Any, first: Any, text: str) -> None:
    stream = strict.stub.BidirectionalListen()
    await stream.write(first)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stream.read()
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert text in (error.value.details() or "")


CLIENT = """
import sys, grpc
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
import queue
requests = queue.Queue()
requests.put(pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=["OnEventConnect"])))
stub = KiwoomOpenApiPlusServiceStub(grpc.insecure_channel(sys.argv[1]))
for event in stub.BidirectionalListen(iter(requests.get, None), metadata=[("koapy-event-deadline", "60")]):
    print("inside", flush=True)
"""


async def test_a_client_killed_inside_an_event_holds_up_nobody(strict: Any) -> None:
    with subprocess.Popen([sys.executable, "-c", CLIENT, strict.address], stdout=subprocess.PIPE) as client:  # noqa: ASYNC220
        assert client.stdout
        await strict.reached(gates=1)
        await strict.heard()
        fired = strict.control.fire("OnEventConnect", 0)
        assert await asyncio.to_thread(client.stdout.readline) == b"inside\n"
        client.send_signal(signal.SIGKILL)
        await asyncio.wait_for(asyncio.wrap_future(fired), 20)
    await strict.settled()


async def test_what_waits_for_an_event_waits_until_the_open_one_is_over(strict: Any) -> None:
    """A client's other thread asks for conditions while its handler still holds an event."""
    stream = await opened(strict, "OnEventConnect", metadata=[("koapy-event-deadline", "30")])
    strict.control.fire("OnEventConnect", 0)
    await stream.read()
    loading = asyncio.ensure_future(strict.call("EnsureConditionLoaded", False))
    assert await strict.call("GetMasterCodeName", "005930") == "종목005930"
    await stream.write(STOP)
    assert await asyncio.wait_for(loading, 20) == 1


async def test_a_new_login_needs_its_conditions_loaded(strict: Any) -> None:
    assert await strict.call("EnsureConditionLoaded", False) == 1
    assert await strict.call("IsConditionLoaded") is True
    await asyncio.wrap_future(strict.control.fire("OnEventConnect", -106))
    assert await strict.call("IsConditionLoaded") is False
