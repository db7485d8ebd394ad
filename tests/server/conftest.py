"""A real server on a free port, a real channel to it, and a look at what is left afterwards."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.server import Server, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_spec = importlib.util.spec_from_file_location("server_doubles", Path(__file__).with_name("doubles.py"))
assert _spec
assert _spec.loader
doubles = importlib.util.module_from_spec(_spec)
sys.modules["server_doubles"] = doubles
_spec.loader.exec_module(doubles)

UNLIMITED = Settings(tr_windows=(), order_windows=(), condition_windows=())


class Gateway:
    """A running server and one connection to it."""

    def __init__(self, server: Server, control: Any) -> None:
        self.server = server
        self.control = control
        self.address = server.address
        self.channel = self.connect()
        self.stub = KiwoomOpenApiPlusServiceStub(self.channel)

    def connect(self) -> grpc.aio.Channel:
        """A connection of its own, as another client has it."""
        return grpc.aio.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)])

    def client(self) -> KiwoomOpenApiPlusServiceStub:
        """Another client."""
        return KiwoomOpenApiPlusServiceStub(self.connect())

    async def call(self, name: str, *args: str | int | bool, stub: Any = None) -> Any:
        """One Call, and its value."""
        response = await (stub or self.stub).Call(request(name, *args))
        kind = response.return_value.WhichOneof("value")
        return getattr(response.return_value, kind) if kind else None

    @property
    def state(self) -> dict[str, int]:
        """What is taken at the moment."""
        return self.server.statistics()

    async def settled(self, **expected: int) -> None:
        """Wait until nothing is taken but what is expected."""
        await self._until(lambda: self.state == dict.fromkeys(self.state, 0) | expected)

    async def reached(self, **least: int) -> None:
        """Wait until at least so much is taken."""
        await self._until(lambda: all(self.state.get(name, 0) >= count for name, count in least.items()))

    async def heard(self) -> None:
        """Wait until the control has all that it has been asked and told by now: one that is far away has it later."""
        await self.call("GetConnectState")

    async def _until(self, met: Callable[[], bool]) -> None:
        # Nobody outside tells when a stream has subscribed or let go, so the tests look.
        async with asyncio.timeout(20):
            while not met():
                await asyncio.sleep(0.005)


async def _look(met: Callable[[], bool]) -> None:
    while not met():
        await asyncio.sleep(0.005)


def request(name: str, *args: str | int | bool) -> pb.CallRequest:
    """A CallRequest with these arguments."""
    arguments = [
        pb.Argument(bool_value=arg)
        if isinstance(arg, bool)
        else pb.Argument(long_value=arg)
        if isinstance(arg, int)
        else pb.Argument(string_value=arg)
        for arg in args
    ]
    return pb.CallRequest(name=name, arguments=arguments)


@asynccontextmanager
async def running(control: Any, settings: Settings = UNLIMITED) -> AsyncIterator[Gateway]:
    """A gateway over `control` on a free port; afterwards nothing of it is left."""
    before = set(threading.enumerate())
    async with Server(control, port=0, settings=settings) as server:
        gateway = Gateway(server, control)
        yield gateway
        await gateway.channel.close()
    ours = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("koapy-apartment")]
    for thread in ours:
        thread.join(5)
        assert not thread.is_alive()


@pytest.fixture
def settings() -> Settings:
    """Without limits; a test that wants some overrides it."""
    return UNLIMITED


@pytest.fixture
async def strict(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway over a control that is strict about its thread, answers by itself, and must be left clean."""
    control = doubles.StrictControl()
    async with running(control, settings) as gateway:
        yield gateway
    assert control.faults == []
    assert not any(control.registered.values())
    assert control.slots() == 0
    control.close()


@pytest.fixture(name="running")
def _running() -> Any:
    """`running`, for tests that bring a control of their own."""
    return running


@pytest.fixture
def with_settings() -> Callable[..., Settings]:
    """The unlimited settings with changes."""
    return lambda **changes: replace(UNLIMITED, **changes)
