"""Handlers that loop, fork, allocate, raise, exit or talk nonsense: each ends its own stream and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.handlers.limits import HandlerLimits
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

BRISK = HandlerLimits(event_seconds=0.5, start_seconds=60, exit_seconds=1, event_messages=500, memory=256 << 20)

TOP = """
import os, socket, struct, sys, threading, time
from koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService_pb2 import ListenResponse

def channel():
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and socket.socket(fileno=os.dup(int(name))).getpeername() is not None:
                return int(name)
        except OSError:
            pass

class Handler:
    def __init__(self, control, request, context): pass
    def on_enter(self): self.observer.on_next(ListenResponse(name="ready"))
    def OnReceiveMsg(self, *args):
"""

DEADLINE, EXHAUSTED, ABORTED = (
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
)

MISDEEDS = {
    "loops": ("while True: pass", DEADLINE, "HANDLER_TIMEOUT", "0.5 s for OnReceiveMsg"),
    "sleeps": ("time.sleep(3600)", DEADLINE, "HANDLER_TIMEOUT", "0.5 s for OnReceiveMsg"),
    "loops in calls": (
        "while True: self.control.GetConnectState()",
        DEADLINE,
        "HANDLER_TIMEOUT",
        "0.5 s for OnReceiveMsg",
    ),
    "allocates": ("x = bytearray(1 << 40)", EXHAUSTED, "HANDLER_MEMORY", "MemoryError"),
    "allocates slowly": ("x = []\nwhile True: x.append(bytes(1 << 20))", EXHAUSTED, "HANDLER_MEMORY", "MemoryError"),
    "raises": (
        "raise ValueError('없는 종목')",
        ABORTED,
        "HANDLER_FAILED",
        "ValueError: 없는 종목; line 17, in OnReceiveMsg",
    ),
    "recurses": ("self.OnReceiveMsg()", ABORTED, "HANDLER_FAILED", "RecursionError"),
    "exits": ("sys.exit(3)", ABORTED, "HANDLER_EXITED", "with 3"),
    "exits at once": ("os._exit(3)", ABORTED, "HANDLER_EXITED", "with 3"),
    "kills itself": ("os.kill(os.getpid(), 9)", ABORTED, "HANDLER_EXITED", "by SIGKILL"),
    "crashes": ("import ctypes; ctypes.string_at(0)", ABORTED, "HANDLER_EXITED", "by SIGSEGV"),
    "forks": ("os.fork()", ABORTED, "HANDLER_FAILED", "PermissionError"),
    "runs a program": ("import subprocess; subprocess.run(['true'])", ABORTED, "HANDLER_FAILED", "PermissionError"),
    "gives what is no message": ("self.observer.on_next('x')", ABORTED, "HANDLER_FAILED", "TypeError"),
    "writes into the channel": ("os.write(channel(), b'\\xff' * 64)", ABORTED, "HANDLER_OUTPUT", "at once"),
    "makes up frames": ("os.write(channel(), b'\\0\\0\\0\\0\\x63')", ABORTED, "HANDLER_OUTPUT", "channel"),
    "says DONE twice": ("os.write(channel(), b'\\0\\0\\0\\0\\x14' * 2)", ABORTED, "HANDLER_OUTPUT", "channel"),
    "sends what is no message": (
        "os.write(channel(), b'\\0\\0\\0\\4\\x13\\xff\\xff\\xff\\xff')",
        ABORTED,
        "HANDLER_OUTPUT",
        "no ListenResponse",
    ),
    "gives too much at once": (
        "self.observer.on_next(ListenResponse(name='x' * (5 << 20)))",
        ABORTED,
        "HANDLER_OUTPUT",
        "5242",
    ),
    "gives for ever": (
        "while True: self.observer.on_next(ListenResponse(name='x' * 1000))",
        ABORTED,
        "HANDLER_OUTPUT",
        "more than 500 messages",
    ),
    "closes the channel": ("os.close(channel())", ABORTED, "HANDLER_EXITED", "exited"),
    "closes the channel and stays": (
        "os.close(channel()); threading.Thread(target=time.sleep, args=[3600]).start()",
        ABORTED,
        "HANDLER_EXITED",
        "exited",
    ),
    "asks without reading the answers": (
        "while True: os.write(channel(), b'\\0\\0\\0\\2\\x10[]' * 1000)",
        DEADLINE,
        "HANDLER_TIMEOUT",
        "0.5 s for OnReceiveMsg",
    ),
    "sends what is too deep": (
        "os.write(channel(), struct.pack('>IB', 50000, 16) + b'[' * 50000); time.sleep(60)",
        ABORTED,
        "HANDLER_OUTPUT",
        "channel",
    ),
    "raises what is no text": ("raise ValueError(chr(0xd800))", ABORTED, "HANDLER_FAILED", "ValueError: ?"),
    "ends with nonsense": (
        "os.write(channel(), b'\\0\\0\\0\\2\\x16[]'); time.sleep(60)",
        ABORTED,
        "HANDLER_OUTPUT",
        "channel",
    ),
}


def indented(body: str) -> str:
    """A handler that does this when a message comes."""
    return TOP + "\n".join(f"        {line}" for line in body.splitlines())


async def rest(stream: Any) -> None:
    """Read to the end."""
    while await stream.read() is not grpc.aio.EOF:
        pass


@pytest.mark.parametrize("misdeed", MISDEEDS)
async def test_a_misdeed_ends_its_own_stream_and_others_get_every_event(
    house: Callable[..., Any], misdeed: str
) -> None:
    body, status, reason, says = MISDEEDS[misdeed]
    # Where it is not about time, a slow machine makes no difference.
    seconds = BRISK.event_seconds if reason == "HANDLER_TIMEOUT" else 60
    async with house(BRISK, event_seconds=seconds) as home:
        other = home.others.Listen(pb.ListenRequest(slots=["OnReceiveMsg"]))
        await home.gateway.reached(streams=1)
        stream = home.listen(indented(body))
        assert (await stream.read()).name == "ready"
        for number in range(20):
            home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", str(number))
        got = [(await other.read()).arguments[3].string_value for _ in range(20)]
        assert got == [str(number) for number in range(20)]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await rest(stream)
        found = home.how(caught.value)
        assert found[:2] == (status, reason), found
        assert says in found[2], found
        # The gateway is as it was.
        home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", "after")
        assert (await other.read()).arguments[3].string_value == "after"
        other.cancel()
        await home.gateway.settled()


@pytest.mark.parametrize("body", ["while True: pass", "while True: self.control.GetConnectState()"])
async def test_others_get_their_events_while_it_is_still_at_it(house: Callable[..., Any], body: str) -> None:
    async with house(exit_seconds=0.1) as home:
        other = home.others.Listen(pb.ListenRequest(slots=["OnReceiveMsg"]))
        await home.gateway.reached(streams=1)
        stream = home.listen(indented(body))
        assert (await stream.read()).name == "ready"
        for number in range(200):
            home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", str(number))
            assert (await other.read()).arguments[3].string_value == str(number)
        assert not stream.done()
        stream.cancel()
        other.cancel()


async def test_the_traceback_shows_the_clients_lines(house: Callable[..., Any]) -> None:
    async with house() as home:
        stream = home.listen(indented("self.deep()") + "\n    def deep(self):\n        return {}['없음']")
        assert (await stream.read()).name == "ready"
        home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", "")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert home.detail(caught.value).metadata["traceback"].splitlines() == [
            "line 17, in OnReceiveMsg: self.deep()",
            "line 19, in deep: return {}['없음']",
        ]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("while True: pass", DEADLINE, "HANDLER_TIMEOUT"),
        ("import sys; sys.exit()", ABORTED, "HANDLER_EXITED"),
        ("raise KeyError('x')", ABORTED, "HANDLER_FAILED"),
    ],
)
async def test_what_fails_at_the_top_of_the_code(
    house: Callable[..., Any], body: str, status: grpc.StatusCode, reason: str
) -> None:
    async with house(BRISK, start_seconds=2 if reason == "HANDLER_TIMEOUT" else 60) as home:
        assert (await home.ended(body))[:2] == (status, reason)


async def test_processor_time_is_limited_outside_events_too(house: Callable[..., Any]) -> None:
    spins = "threading.Thread(target=self.spin, daemon=True).start()\n    def spin(self):\n        while True: pass"
    async with house(cpu_seconds=1) as home:
        stream = home.listen(TOP + "        " + spins)
        assert (await stream.read()).name == "ready"
        home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", "")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert home.how(caught.value)[:2] == (EXHAUSTED, "HANDLER_CPU")


async def test_what_it_prints_is_bounded_and_harms_nothing(
    house: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    prints = (
        "print('가' * 50 + chr(10) * 3, end='')\n"
        "sys.stdout.write('x' * (1 << 22))\n"
        "self.observer.on_next(ListenResponse())"
    )
    caplog.set_level("DEBUG", "koapy.server.custom.process")
    async with house(log_bytes=1000) as home:
        stream = home.listen(indented(prints))
        assert (await stream.read()).name == "ready"
        home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", "")
        await stream.read()
        stream.cancel()
        await home.gateway.settled()
    printed = "".join(record.getMessage() for record in caplog.records if "prints" in record.getMessage())
    assert "가" * 50 in printed
    assert len(printed) < 3000


async def test_it_may_end_itself_from_a_thread(house: Callable[..., Any]) -> None:
    async with house() as home:
        stream = home.listen(indented("threading.Thread(target=self.stop).start()"))
        assert (await stream.read()).name == "ready"
        home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", "")
        assert await stream.read() is grpc.aio.EOF


async def test_a_client_that_does_not_read_holds_up_its_own_handler_only(house: Callable[..., Any]) -> None:
    floods = "\nfor _ in range(4): self.observer.on_next(ListenResponse(name='x' * (1 << 20)))"
    async with house(BRISK) as home:
        other = home.others.Listen(pb.ListenRequest(slots=["OnReceiveMsg"]))
        await home.gateway.reached(streams=1)
        stream = home.listen(indented(floods))
        assert (await stream.read()).name == "ready"
        for number in range(20):
            home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", str(number))
        for number in range(20):
            assert (await other.read()).arguments[3].string_value == str(number)
        # Waiting for a client is not the handler's time: everything is there when it reads at last.
        for _ in range(80):
            assert len((await stream.read()).name) == 1 << 20
        stream.cancel()
        other.cancel()


async def test_twenty_at_once_and_no_more_than_may(house: Callable[..., Any]) -> None:
    counts = "self.observer.on_next(ListenResponse(name=args[3]))"
    async with house(at_once=20) as home:
        streams = [home.listen(indented(counts)) for _ in range(20)]
        for stream in streams:
            assert (await stream.read()).name == "ready"
        assert home.gateway.state["handlers"] == 20
        status, reason, text = await home.ended(indented(counts))
        assert (status, reason) == (EXHAUSTED, "HANDLERS")
        assert "20 event handlers" in text
        for number in range(10):
            home.control.fire("OnReceiveMsg", "1000", "이름", "opt10001", str(number))
        for stream in streams:
            assert [(await stream.read()).name for _ in range(10)] == [str(number) for number in range(10)]
        for stream in streams:
            stream.cancel()
        await home.gateway.settled()
