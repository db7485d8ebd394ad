"""A gateway that says what a test tells it to, on a real port, and both clients behind one face."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.client import AsyncClient, Client, Stream
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

    Script = Callable[[Any, grpc.aio.ServicerContext[Any, Any]], Awaitable[Any]]


class Gateway(pb_grpc.KiwoomOpenApiPlusServiceServicer):
    """Runs a script for each RPC and remembers what came and which streams went."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.functions: dict[str, Any] = {"GetLoginInfo": "8000000011;8000000022;", "GetConnectState": 1}
        self.requests: list[tuple[str, Any, dict[str, Any]]] = []
        self.gone: dict[str, asyncio.Event] = {}
        for rpc in pb.DESCRIPTOR.services_by_name["KiwoomOpenApiPlusService"].methods_by_name:
            if rpc not in ("Call", "SetLogLevel"):
                setattr(self, rpc, self._stream(rpc))

    def asked(self, rpc: str) -> list[Any]:
        return [request for name, request, _ in self.requests if name == rpc]

    async def Call(self, request: Any, context: Any) -> pb.CallResponse:
        self.requests.append(("Call", request, dict(context.invocation_metadata())))
        if "Call" in self.scripts:
            await self.scripts["Call"](request, context)
        value = self.functions.get(request.name)
        kind = {str: "string_value", bool: "bool_value", int: "long_value"}.get(type(value))
        return pb.CallResponse(return_value=pb.ReturnValue(**({kind: value} if kind else {})))

    async def SetLogLevel(self, request: Any, context: Any) -> pb.SetLogLevelResponse:
        self.requests.append(("SetLogLevel", request, dict(context.invocation_metadata())))
        return pb.SetLogLevelResponse()

    def _stream(self, rpc: str) -> Script:
        gone = self.gone[rpc] = asyncio.Event()

        async def stream(request: Any, context: Any) -> None:
            self.requests.append((rpc, request, dict(context.invocation_metadata())))
            context.add_done_callback(lambda context: gone.set())
            await self.scripts[rpc](request, context)

        return stream


class Wire:
    """Builds the service's messages."""

    @staticmethod
    def event(
        name: str,
        *arguments: str | int,
        single: Mapping[str, str] | None = None,
        rows: Sequence[Mapping[str, str]] = (),
    ) -> pb.ListenResponse:
        message = pb.ListenResponse(
            name=name,
            arguments=[
                pb.Argument(long_value=each) if isinstance(each, int) else pb.Argument(string_value=each)
                for each in arguments
            ],
        )
        if single is not None:
            message.single_data.CopyFrom(pb.SingleData(names=single.keys(), values=single.values()))
        if rows:
            values = [pb.RepeatedString(values=row.values()) for row in rows]
            message.multi_data.CopyFrom(pb.MultiData(names=rows[0].keys(), values=values))
        return message

    def page(
        self, code: str, rows: Sequence[Mapping[str, str]], more: bool = False, single: Mapping[str, str] | None = None
    ) -> pb.ListenResponse:
        return self.event("OnReceiveTrData", "2000", code, code, "", "2" if more else "0", single=single, rows=rows)

    def says(self, text: str) -> pb.ListenResponse:
        return self.event("OnReceiveMsg", "2000", "buy", "KOA_NORMAL_BUY_KP_ORD", text)

    def answers(self, number: str) -> pb.ListenResponse:
        arguments = ("2000", "buy", "KOA_NORMAL_BUY_KP_ORD", "", "")
        return self.event("OnReceiveTrData", *arguments, single={"주문번호": number})

    def chejan(self, gubun: str, **values: str) -> pb.ListenResponse:
        """Values by f and the FID."""
        fids = {key[1:]: value for key, value in values.items()}
        return self.event("OnReceiveChejanData", gubun, len(fids), ";".join(fids), single=fids)

    @staticmethod
    def playing(*messages: pb.ListenResponse, forever: bool = False) -> Script:
        """A script that sends these."""

        async def play(request: Any, context: Any) -> None:
            for message in messages:
                await context.write(message)
            if forever:
                await asyncio.Event().wait()

        return play

    @staticmethod
    def failing(
        status: grpc.StatusCode,
        text: str,
        trailing: Iterable[tuple[str, str | bytes]] = (),
        after: Iterable[pb.ListenResponse] = (),
    ) -> Script:
        """A script that ends so."""

        async def fail(request: Any, context: Any) -> None:
            for message in after:
                await context.write(message)
            await context.abort(status, text, tuple(trailing))

        return fail


class Face:
    """One face of both clients: every method is awaited, streams are asynchronous; the waiting one waits in threads."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        if not callable(method):
            return method

        async def called(*args: Any, **kwargs: Any) -> Any:
            waiting = isinstance(self.inner, Client | Stream)
            result = await asyncio.to_thread(method, *args, **kwargs) if waiting else method(*args, **kwargs)
            if inspect.iscoroutine(result):
                result = await result
            return Face(result) if hasattr(result, "close") and result is not self.inner else result

        return called

    def __aiter__(self) -> Face:
        return self

    async def __anext__(self) -> Any:
        if not isinstance(self.inner, Stream):
            return await anext(self.inner)
        item = await asyncio.to_thread(next, self.inner, self)
        if item is self:
            raise StopAsyncIteration
        return item

    async def taken(self, count: int) -> list[Any]:
        return [await anext(self) for _ in range(count)]

    async def all(self) -> list[Any]:
        return [item async for item in self]


@contextlib.asynccontextmanager
async def _served(gateway: Gateway) -> AsyncIterator[str]:
    server = grpc.aio.server()
    pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server(gateway, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


@pytest.fixture
async def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def address(gateway: Gateway) -> AsyncIterator[str]:
    async with _served(gateway) as address:
        yield address


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def client_options() -> dict[str, Any]:
    """What both clients are told besides the address; a test that wants something overrides it."""
    return {}


@pytest.fixture(params=["waiting", "awaited"])
async def client(request: pytest.FixtureRequest, address: str, client_options: dict[str, Any]) -> AsyncIterator[Any]:
    """Each test that uses it runs with both clients."""
    if request.param == "waiting":
        with Client(address, **client_options) as waiting:
            yield Face(waiting)
    else:
        async with AsyncClient(address, **client_options) as awaited:
            yield Face(awaited)
