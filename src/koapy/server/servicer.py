"""The servicer: the fourteen RPCs of the published service over any control."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Self

from koapy.orders.journal import Journal, JournalError
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as pb_grpc
from koapy.server import listen, order_call, realtime, requests
from koapy.server.call import call
from koapy.server.core import Core
from koapy.server.edge import rpc
from koapy.server.failure import invalid, unavailable
from koapy.server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path
    from types import TracebackType

    from koapy.control.seam import Control
    from koapy.server.edge import Caller
    from koapy.server.security.guard import Guard

LOGGERS = "koapy"
"""The root of the gateway's loggers, which "" means too."""
LOGGER = re.compile(rf"{LOGGERS}(\.[a-z_]{{1,30}}){{0,5}}")


class KiwoomOpenApiPlusServiceServicer(pb_grpc.KiwoomOpenApiPlusServiceServicer):
    """Serves `control` on a `grpc.aio.server()`; give it back by `await servicer.aclose()` or `async with`.

    Nothing happens when it is made; it binds to the running loop and connects to the control's events at the first RPC.

    Args:
        control: any object with OpenAPI+'s functions and events; see `koapy.control.seam`.
        settings: limits and deadlines, where the defaults do not fit.
        guard: who may come in; None: everybody who reaches the server.
        journal: the file in which orders are written down; None: they are known for as long as the servicer lives.
    """

    def __init__(
        self,
        control: Control,
        settings: Settings | None = None,
        guard: Guard | None = None,
        *,
        journal: Path | None = None,
    ) -> None:
        self._control = control
        self._settings = settings or Settings()
        self._guard = guard
        self._journal = journal
        self._starting: asyncio.Task[Core] | None = None
        self._core: Core | None = None
        """While it serves."""
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def core(self) -> Core:
        """What the RPCs share, made at the first one.

        Raises:
            Failure: the servicer has been closed, or the journal cannot be used.
        """
        if self._core is not None:
            return self._core
        if self._closed:
            raise unavailable("the gateway is shutting down; reconnect when it is back", "SHUTTING_DOWN")
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        core = await asyncio.shield(self._starting)
        if not self._closed:
            self._core = core
        return core

    async def _start(self) -> Core:
        journal = None
        try:
            journal = await asyncio.to_thread(Journal, self._journal)
            core = Core(self._control, self._settings, journal, self._guard)
            await core.start()
        except BaseException as error:
            self._starting = None  # the next RPC tries again
            if journal is not None:
                journal.close()
            if isinstance(error, JournalError):
                raise unavailable(str(error), "JOURNAL_FAILED") from error
            raise
        return core

    def statistics(self) -> dict[str, int]:
        """What the RPCs have taken at this moment; all 0 when nobody is there."""
        starting = self._starting
        return starting.result().statistics() if starting is not None and starting.done() else {}

    async def aclose(self) -> None:
        """Refuse new RPCs, give orders without a number a moment, end all streams with UNAVAILABLE, let the control go.

        Safe at any time and twice.
        """
        self._closed, self._core = True, None
        if self._starting is not None:
            starting, self._starting = self._starting, None
            core = await starting
            await core.aclose()
            await asyncio.to_thread(core.journal.close)

    @rpc
    def Call(self, core: Core, request: pb.CallRequest, caller: Caller) -> Awaitable[pb.CallResponse]:
        """Call one OpenAPI+ function."""
        return call(core, request, caller)  # not awaited here: one coroutine less on the way of each Call

    @rpc
    async def Listen(self, core: Core, request: pb.ListenRequest, caller: Caller) -> None:
        """Stream the named events."""
        await listen.listen(core, request, caller)

    @rpc
    async def BidirectionalListen(
        self, core: Core, request: AsyncIterator[pb.BidirectionalListenRequest], caller: Caller
    ) -> None:
        """Stream the named events, each held open until the client is through with it."""
        await listen.bidirectional(core, request, caller)

    @rpc
    async def LoginCall(self, core: Core, request: pb.LoginRequest, caller: Caller) -> None:
        """Log in."""
        await requests.login(core, request, caller)

    @rpc
    async def TransactionCall(self, core: Core, request: pb.TransactionRequest, caller: Caller) -> None:
        """Ask a TR, page by page."""
        await requests.transaction(core, request, caller)

    @rpc
    async def OrderCall(self, core: Core, request: pb.OrderRequest, caller: Caller) -> None:
        """Send an order and stream its life."""
        await order_call.order(core, request, caller)

    @rpc
    async def RealCall(self, core: Core, request: pb.RealRequest, caller: Caller) -> None:
        """Stream ticks."""
        await realtime.real(core, request, caller)

    @rpc
    async def LoadConditionCall(self, core: Core, request: pb.LoadConditionRequest, caller: Caller) -> None:
        """Load the conditions."""
        await requests.load_condition(core, request, caller)

    @rpc
    async def ConditionCall(self, core: Core, request: pb.ConditionRequest, caller: Caller) -> None:
        """Search by a condition."""
        await requests.condition(core, request, caller)

    @rpc
    async def BidirectionalRealCall(
        self, core: Core, request: AsyncIterator[pb.BidirectionalRealRequest], caller: Caller
    ) -> None:
        """Stream ticks of codes that come and go."""
        await realtime.bidirectional_real(core, request, caller)

    @rpc
    async def OrderListen(self, core: Core, request: pb.ListenRequest, caller: Caller) -> None:
        """Stream every event of every order."""
        await listen.orders(core, caller)

    @rpc
    async def CustomListen(self, core: Core, request: pb.ListenRequest, caller: Caller) -> None:
        """What the client's own event handler gives; every event, where there is none."""
        # Off by default, and a process takes longer to start than this to load.
        from koapy.server.custom import serve as custom

        await custom.listen(core, request, caller)

    @rpc
    async def CustomCallAndListen(self, core: Core, request: pb.CallAndListenRequest, caller: Caller) -> None:
        """Call a function once, then as CustomListen."""
        from koapy.server.custom import serve as custom

        await custom.call_and_listen(core, request, caller)

    @rpc
    async def SetLogLevel(self, core: Core, request: pb.SetLogLevelRequest, caller: Caller) -> pb.SetLogLevelResponse:
        """Set the level of one of the gateway's own loggers; others might print what passes by them."""
        if not 0 <= request.level <= logging.CRITICAL:
            raise invalid(f"level {request.level}: 0 to {logging.CRITICAL}, as Python's logging counts (20 is INFO)")
        name = request.logger or LOGGERS
        if not LOGGER.fullmatch(name):
            raise invalid(f"no logger {name[:40]!r} of the gateway: {LOGGERS}, or one below it such as {__name__}")
        logging.getLogger(name).setLevel(request.level)
        return pb.SetLogLevelResponse()
