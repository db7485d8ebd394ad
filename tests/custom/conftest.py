"""A gateway that runs handlers, and a look at what is left of them afterwards."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from koapy.handlers.limits import HandlerLimits
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_spec = importlib.util.spec_from_file_location("custom_server", Path(__file__).parent.parent / "server" / "conftest.py")
assert _spec
assert _spec.loader
server = importlib.util.module_from_spec(_spec)
sys.modules["custom_server"] = server
_spec.loader.exec_module(server)

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]

PATIENT = HandlerLimits(event_seconds=60, start_seconds=60, exit_seconds=30)
"""For tests of something else than time."""


class House:
    """A gateway with handlers, a client that sends some, and another one that must not notice."""

    def __init__(self, gateway: Any, marker: str) -> None:
        self.gateway = gateway
        self.control = gateway.control
        self.stub = gateway.stub
        self.marker = marker
        self.others = gateway.client()

    def listen(self, code: str, name: str = "Handler", stub: Any = None) -> Any:
        """Have a handler run."""
        return (stub or self.stub).CustomListen(pb.ListenRequest(code=code, class_name=name))

    async def ended(self, code: str, name: str = "Handler") -> tuple[grpc.StatusCode, str, str]:
        """Run a handler to its bad end: status, reason, text."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in self.listen(code, name):
                pass
        return how(caught.value)

    how = staticmethod(lambda error: how(error))
    detail = staticmethod(lambda error: detail(error))

    def left(self) -> list[str]:
        """What is left of handlers: processes and folders."""
        return [*processes(self.marker), *map(str, Path(self.marker).iterdir())]

    async def clean(self) -> None:
        """Wait until nothing is left; nobody outside tells when a process has been buried."""
        async with asyncio.timeout(30):
            while self.left():
                await asyncio.sleep(0.01)


def how(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str, str]:
    """Status, reason and text of an end."""
    info = detail(error)
    return error.code(), info.reason, error.details() or ""


def detail(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """What programs read of an end."""
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    assert isinstance(packed, bytes), error
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(packed).details[0].Unpack(info)
    return info


def processes(marker: str) -> list[str]:
    """The processes that bear the marker in their command line or environment, and unburied children of this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if marker.encode() in text or (state == "Z" and int(parent) == os.getpid()):
                    found.append(f"{entry.name}: {text!r}")
    return found


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder for the handlers' folders, whose name all their processes bear."""
    folder = tmp_path / "handlers"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return str(folder)


@pytest.fixture
def house(marker: str) -> Callable[..., Any]:
    """A gateway whose handlers have these limits; afterwards nothing of them is left, and the control is clean."""

    @asynccontextmanager
    async def open_house(limits: HandlerLimits = PATIENT, control: Any = None, **changes: Any) -> AsyncIterator[House]:
        control = control or server.doubles.StrictControl()
        settings = replace(server.UNLIMITED, custom_handlers=replace(limits, **changes))
        async with server.running(control, settings) as gateway:
            opened = House(gateway, marker)
            yield opened
        assert opened.left() == []
        if isinstance(control, server.doubles.StrictControl):
            assert control.faults == []
            assert not any(control.registered.values())
            assert control.slots() == 0
        control.close()

    return open_house


@pytest.fixture
def strict_gateway() -> Callable[..., Any]:
    """A gateway as it is unless its operator asks for handlers."""

    @asynccontextmanager
    async def open_gateway() -> AsyncIterator[Any]:
        control = server.doubles.StrictControl()
        async with server.running(control) as gateway:
            yield gateway
        control.close()

    return open_gateway


@pytest.fixture
def server_doubles() -> Any:
    """The controls that the server's tests use."""
    return server.doubles
