"""Real hosts: in a process of their own, or around a small control in this one."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from koapy.control.signals import Signal
from koapy.openapi.functions import EVENTS
from koapy.remote import frames
from koapy.remote.control import RemoteControl
from koapy.remote.frames import LARGEST, Splitter
from koapy.remote.host import Host
from koapy.remote.link import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = Path(__file__).with_name("remote_process.py")
QUICK = Pace(beat_seconds=0.1, silent_seconds=20.0)


class Process:
    """A host process."""

    def __init__(self, address: str = "127.0.0.1:0") -> None:
        self._process = subprocess.Popen(
            [sys.executable, PROGRAM, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.address = self._process.stdout.readline().strip()
        assert self.address

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)


@contextmanager
def process(address: str = "127.0.0.1:0") -> Iterator[Process]:
    started = Process(address)
    try:
        yield started
    finally:
        started.kill()


@pytest.fixture(name="process")
def _process() -> Any:
    """`with process() as host`: the simulation in a process of its own."""
    return process


class SmallControl:
    """A control with a thread of its own; tests fire its events, and give what is to be read inside them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self.calls: list[tuple[Any, ...]] = []
        self.readable: dict[Any, Any] = {}
        self.state = 1
        self.events: defaultdict[str, Signal] = defaultdict(lambda: Signal("small"))
        for name in EVENTS:
            setattr(self, name, self.events[name])

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        return self._pool.submit(function, *args)

    def fire(self, event: str, *args: Any, data: dict[Any, Any] | None = None) -> Future[Any]:
        return self.submit(self._fire, event, args, data or {})

    def _fire(self, event: str, args: tuple[Any, ...], data: dict[Any, Any]) -> None:
        before, self.readable = self.readable, data
        try:
            self.events[event].tell(*args)
        finally:
            self.readable = before

    def GetConnectState(self) -> int:
        return self.state

    def CommConnect(self) -> int:
        return -101

    def GetMasterCodeName(self, code: str) -> str:
        self.calls.append(("GetMasterCodeName", code))
        return f"종목{code}"

    def GetLoginInfo(self, tag: str) -> str:
        raise LookupError(f"꼬리표 {tag}")

    def SetInputValue(self, name: str, value: str) -> None:
        self.calls.append(("SetInputValue", name, value))

    def CommRqData(self, request: str, code: str, following: int, screen: str) -> int:
        self.calls.append(("CommRqData", request, code, following, screen))
        self._fire("OnReceiveMsg", (screen, request, code, "안에서"), {})
        return 0

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        return 0

    def DisconnectRealData(self, screen: str) -> None:
        self.calls.append(("DisconnectRealData", screen))

    def GetCommRealData(self, code: str, fid: int) -> str:
        return self.readable.get(fid, "")

    def GetChejanData(self, fid: int) -> str:
        if self.readable.get("broken"):
            raise OSError("망가짐")
        return self.readable.get(fid, "")

    def GetRepeatCnt(self, code: str, record: str) -> int:
        return len(self.readable.get("rows", ()))

    def GetCommData(self, code: str, record: str, row: int, item: str) -> str:
        self.calls.append(("GetCommData", row, item))
        return self.readable.get((row, item), self.readable.get(item, ""))

    def GetCommDataEx(self, code: str, record: str) -> list[list[str]]:
        return self.readable.get("rows", [])

    def close(self) -> None:
        self._pool.shutdown()


@pytest.fixture
def small() -> Iterator[SmallControl]:
    control = SmallControl()
    yield control
    control.close()


@pytest.fixture
def host(small: SmallControl) -> Iterator[Host]:
    with Host(small, pace=QUICK) as started:
        yield started


@pytest.fixture
def remote(host: Host) -> Iterator[RemoteControl]:
    with RemoteControl(host.address, pace=QUICK) as control:
        yield control


class Heard:
    """A slot that keeps what it is told and what `read` gives inside it."""

    def __init__(self, read: Callable[[], Any] = lambda: None) -> None:
        self._read = read
        self._changed = threading.Condition()
        self.events: list[tuple[Any, ...]] = []
        self.read: list[Any] = []

    def __call__(self, *args: Any) -> None:
        try:
            read: Any = self._read()
        except Exception as error:
            read = error
        with self._changed:
            self.events.append(args)
            self.read.append(read)
            self._changed.notify_all()

    def wait(self, count: int = 1) -> list[tuple[Any, ...]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, 20), self.events
        return self.events


@pytest.fixture
def heard() -> type[Heard]:
    return Heard


class Raw:
    """A gateway that speaks the protocol byte by byte."""

    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self._splitter = Splitter(LARGEST)
        self._frames: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> bytes | None:
        """The next frame that is no sign of life; None at the end."""
        while True:
            while not self._frames:
                try:
                    data = self.socket.recv(65536)
                except ConnectionResetError:
                    return None
                if not data:
                    return None
                self._frames += self._splitter.feed(data)
            frame = self._frames.pop(0)
            if frame[0] != frames.Kind.BEAT:
                return frame


@pytest.fixture
def raw(host: Host) -> Iterator[Callable[[], Raw]]:
    opened: list[Raw] = []

    def connect() -> Raw:
        opened.append(Raw(host.address))
        return opened[-1]

    yield connect
    for each in opened:
        each.socket.close()
