"""Servers with TLS and tokens on free ports, and clients that come with what they were given, or without."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.server import Server, Settings
from koapy.server.security import Security, Tls, certificates, tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from koapy.server.access import Role

DOUBLES = "server_doubles"
if DOUBLES not in sys.modules:
    spec = importlib.util.spec_from_file_location(DOUBLES, Path(__file__).parents[1] / "server" / "doubles.py")
    assert spec
    assert spec.loader
    sys.modules[DOUBLES] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[DOUBLES])

UNLIMITED = Settings(tr_windows=(), order_windows=(), condition_windows=())


class Place:
    """A folder with certificates, tokens and an audit log."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder = folder
        self.keys = keys
        self.tokens = folder / "tokens.json"
        self.audit = folder / "audit.jsonl"

    def tls(self, *, mutual: bool = False) -> Tls:
        ca = self.keys / "ca.pem"
        return Tls(
            certificate=self.keys / "server.pem", key=self.keys / "server-key.pem", client_ca=ca if mutual else None
        )

    def security(self, *, mutual: bool = False, audit: bool = False) -> Security:
        return Security(tls=self.tls(mutual=mutual), tokens=self.tokens, audit=self.audit if audit else None)

    def token(self, name: str, *roles: Role, **how: Any) -> str:
        return tokens.create(self.tokens, name, roles, **how)


class Client:
    """One connection, and the metadata that each call of it brings."""

    def __init__(self, channel: grpc.aio.Channel, token: str | None) -> None:
        self.channel = channel
        self.stub = KiwoomOpenApiPlusServiceStub(channel)
        self.metadata = () if token is None else (("authorization", f"Bearer {token}"),)

    def call(self, rpc: str, request: Any, **how: Any) -> Any:
        """Begin an RPC; a list is a stream of requests."""
        given = iter(request) if isinstance(request, list) else request
        return getattr(self.stub, rpc)(given, metadata=self.metadata, timeout=20, **how)


@asynccontextmanager
async def secured(security: Security, control: Any, settings: Settings = UNLIMITED) -> AsyncIterator[Server]:
    """A server that is told this, on a free port."""
    async with Server(control, port=0, settings=settings, security=security) as server:
        yield server


def channel_to(address: str, ca: Path | None, pair: tuple[Path, Path] | None) -> grpc.aio.Channel:
    """A connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    if ca is None:
        return grpc.aio.insecure_channel(address, options=options)
    certificate, key = (each.read_bytes() for each in pair) if pair else (None, None)
    return grpc.aio.secure_channel(
        address, grpc.ssl_channel_credentials(ca.read_bytes(), key, certificate), options=options
    )


@asynccontextmanager
async def connected(
    server: Server, ca: Path | None = None, pair: tuple[Path, Path] | None = None, token: str | None = None
) -> AsyncIterator[Client]:
    """A client of it: over TLS when it has a CA, with a certificate and its key when it has those."""
    async with channel_to(server.address, ca, pair) as channel:
        yield Client(channel, token)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA with a server's and a client's certificate; not to be changed."""
    folder = tmp_path_factory.mktemp("keys")
    certificates.make(folder)
    certificates.make(folder, client="bot")
    return folder


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of another CA."""
    folder = tmp_path_factory.mktemp("strangers")
    certificates.make(folder)
    certificates.make(folder, client="bot")
    return folder


@pytest.fixture
def place(tmp_path: Path, keys: Path) -> Place:
    return Place(tmp_path, keys)


@pytest.fixture
def control() -> Any:
    control = sys.modules[DOUBLES].StrictControl()
    yield control
    assert control.faults == []
    control.close()


@pytest.fixture(name="secured")
def _secured() -> Any:
    return secured


@pytest.fixture(name="connected")
def _connected() -> Any:
    return connected


async def read(stream: Any) -> list[Any]:
    """All messages of an RPC."""
    return [each async for each in stream] if hasattr(stream, "read") else [await stream]


async def ending(stream: Any) -> grpc.aio.AioRpcError:
    """How an RPC fails."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await read(stream)
    return raised.value


@pytest.fixture(name="ending")
def _ending() -> Any:
    return ending


def pair(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.pem", folder / f"{name}-key.pem"


@pytest.fixture(name="pair")
def _pair() -> Any:
    return pair


def reason(error: grpc.aio.AioRpcError) -> tuple[str, dict[str, str]]:
    """What programs read of a failure."""
    from google.rpc import error_details_pb2, status_pb2

    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(packed).details[0].Unpack(info)
    return info.reason, dict(info.metadata)


@pytest.fixture(name="reason")
def _reason() -> Any:
    return reason
