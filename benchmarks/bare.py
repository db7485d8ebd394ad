"""The ceiling: a grpc.aio server that does nothing but what gRPC in Python cannot do without.

    python -m benchmarks.bare --shapes FILE [--uvloop] [--cells]

It knows no OpenAPI+: it sends messages that were recorded from the gateway, as bytes, with the time and the code of a
tick put in. A Call makes one hop to the control's thread and back, as simply as asyncio offers it. With --cells, the
pages of a query are read cell by cell, made into a message and encoded instead, as the older gateway did it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import grpc

from benchmarks.commands import listen_for_commands, ready
from benchmarks.control import COLUMNS, HeadlessControl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SERVICE = "/koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService/"
WAITING = 8192
"""Messages that may wait for a stream, as at the gateway; beyond that the oldest are lost."""


class Ring:
    """The last messages for all streams that want the same; put on the control's thread, taken on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, shape: list[bytes]) -> None:
        self._loop = loop
        self._shape = shape
        self._kept: list[bytes] = [b""] * WAITING
        self._count = 0
        self._awake = False
        self._takers: list[asyncio.Future[None]] = []

    def put(self, code: str, raw: str) -> None:
        before, between, after = self._shape
        message = b"".join((before, code.encode(), between, raw[1:17].encode(), after))
        self._kept[self._count % WAITING] = message
        self._count += 1
        if not self._awake:
            self._awake = True
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._awake = False
        takers, self._takers = self._takers, []
        for taker in takers:
            if not taker.done():
                taker.set_result(None)

    async def send_all(self, context: Any) -> None:
        """Write what comes, until the stream is cancelled."""
        at = self._count
        while True:
            while at < self._count:
                at = max(at, self._count - WAITING)
                message = self._kept[at % WAITING]
                at += 1
                await context.write(message)
            taker = self._loop.create_future()
            self._takers.append(taker)
            await taker


class Bare(grpc.GenericRpcHandler):
    """The RPCs, over bytes."""

    def __init__(self, control: HeadlessControl, shapes: Path | None, cells: bool) -> None:
        self._control = control
        self._loop = asyncio.get_running_loop()
        self._shapes: dict[str, list[bytes]] = {}
        if shapes is not None:
            stored = json.loads(shapes.read_text(encoding="utf-8"))
            self._shapes = {name: [bytes.fromhex(each) for each in row] for name, row in stored.items()}
        self._rings: dict[tuple[str, ...], Ring] = {}
        self._by_code: dict[str, tuple[Ring, ...]] = {}
        self._every: tuple[Ring, ...] = ()
        self._gates = 0
        self._acknowledged: SimpleQueue[None] = SimpleQueue()
        self._offered: asyncio.Queue[bytes] = asyncio.Queue()
        self._answers: dict[str, asyncio.Queue[Any]] = {}
        control.OnReceiveRealData.connect(self._on_real_data)
        if cells:
            control.OnReceiveTrData.connect(self._on_tr_data)
        streams = {"Listen": self._listen, "RealCall": self._real, "OrderCall": self._order}
        streams["TransactionCall"] = self._read_query if cells else self._query
        self._handlers = {SERVICE + name: grpc.unary_stream_rpc_method_handler(each) for name, each in streams.items()}
        self._handlers[SERVICE + "Call"] = grpc.unary_unary_rpc_method_handler(self._call)
        self._handlers[SERVICE + "CallWithoutHop"] = grpc.unary_unary_rpc_method_handler(self._call_without_hop)
        self._handlers[SERVICE + "BidirectionalListen"] = grpc.stream_stream_rpc_method_handler(self._bidirectional)

    def service(self, details: Any) -> Any:
        return self._handlers.get(details.method)

    async def _call(self, request: bytes, context: Any) -> bytes:
        await asyncio.wrap_future(self._control.submit(self._control.GetConnectState))
        return self._shapes["call"][0] if self._shapes else b""

    async def _call_without_hop(self, request: bytes, context: Any) -> bytes:
        return self._shapes["call"][0]

    # Ticks

    def _on_real_data(self, code: str, kind: str, raw: str) -> None:
        for ring in self._every:
            ring.put(code, raw)
        for ring in self._by_code.get(code, ()):
            ring.put(code, raw)
        if self._gates:
            before, between, after = self._shapes["held"]
            message = b"".join((before, code.encode(), between, raw[1:17].encode(), after))
            self._loop.call_soon_threadsafe(self._offered.put_nowait, message)
            self._acknowledged.get()

    async def _listen(self, request: bytes, context: Any) -> None:
        if b"OnReceiveRealData" not in request:
            await asyncio.Event().wait()
        if not self._every:
            self._every = (Ring(self._loop, self._shapes["listen"]),)
        await self._every[0].send_all(context)

    async def _real(self, request: bytes, context: Any) -> None:
        from koapy.protocol.KiwoomOpenApiPlusService_pb2 import RealRequest

        codes = tuple(RealRequest.FromString(request).code_list)
        ring = self._rings.get(codes)
        if ring is None:
            ring = self._rings[codes] = Ring(self._loop, self._shapes["real"])
            for code in codes:
                self._by_code[code] = (*self._by_code.get(code, ()), ring)
        await ring.send_all(context)

    async def _bidirectional(self, requests: AsyncIterator[bytes], context: Any) -> None:
        await anext(aiter(requests))
        writing = asyncio.create_task(self._offer(context))
        self._gates += 1
        try:
            async for _ in requests:
                self._acknowledged.put(None)
        finally:
            self._gates -= 1
            self._acknowledged.put(None)
            writing.cancel()

    async def _offer(self, context: Any) -> None:
        while True:
            await context.write(await self._offered.get())

    # Queries and orders

    async def _order(self, request: bytes, context: Any) -> None:
        for each in self._shapes["order"]:
            await context.write(each)

    async def _query(self, request: bytes, context: Any) -> None:
        more, last = self._shapes["query"]
        for _ in range(_pages(request) - 1):
            await context.write(more)
        await context.write(last)

    async def _read_query(self, request: bytes, context: Any) -> None:
        name, pages = str(id(context)), _pages(request)
        answers = self._answers[name] = asyncio.Queue()
        run: Callable[..., Any] = self._control.submit
        for page in range(pages):
            run(self._control.SetInputValue, "기준일자", str(pages))
            run(self._control.CommRqData, name, "opt10081", 2 if page else 0, "0101")
            message = await answers.get()
            await context.write(message.SerializeToString())
        del self._answers[name]

    def _on_tr_data(self, screen: str, request: str, code: str, record: str, more: str, *_: object) -> None:
        from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

        answers = self._answers.get(request)
        if answers is None:
            return
        read, names = self._control.GetCommData, [f"열{column}" for column in range(COLUMNS)]
        message = pb.ListenResponse(
            name="OnReceiveTrData",
            arguments=[pb.Argument(string_value=each) for each in (screen, request, code, record, more)],
        )
        message.multi_data.names.extend(names)
        for row in range(self._control.GetRepeatCnt(code, request)):
            values = [read(code, request, row, name).strip() for name in names]
            message.multi_data.values.append(pb.RepeatedString(values=values))
        self._loop.call_soon_threadsafe(answers.put_nowait, message)


def _pages(request: bytes) -> int:
    from koapy.protocol.KiwoomOpenApiPlusService_pb2 import TransactionRequest

    return int(TransactionRequest.FromString(request).inputs["기준일자"])


async def serve(options: argparse.Namespace) -> None:
    """Serve until terminated."""
    control = HeadlessControl()
    listen_for_commands(control)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Bare(control, options.shapes, options.cells),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    gc.collect()
    gc.freeze()
    ready(f"127.0.0.1:{port}")
    await server.wait_for_termination()


def main() -> None:
    """Serve on asyncio's loop or on uvloop's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", type=Path)
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--cells", action="store_true")
    options = parser.parse_args()
    if options.uvloop:
        import uvloop

        uvloop.run(serve(options))
    else:
        asyncio.run(serve(options))


if __name__ == "__main__":
    main()
