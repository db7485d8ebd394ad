"""Running a servicer: a server with health checking and reflection, until it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from typing import TYPE_CHECKING, Self

import grpc
from grpc_health.v1 import health_pb2_grpc

from koapy.orders.journal import JournalError
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import add_KiwoomOpenApiPlusServiceServicer_to_server
from koapy.server.checking import HealthChecking
from koapy.server.coding import Services
from koapy.server.failure import Failure
from koapy.server.security import Security
from koapy.server.servicer import KiwoomOpenApiPlusServiceServicer
from koapy.server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from koapy.control.seam import Control

logger = logging.getLogger(__name__)

HOST, PORT = "127.0.0.1", 5943
"""Where the clients of KOAPY 0.9 look for their server."""

SERVICE = pb.DESCRIPTOR.services_by_name["KiwoomOpenApiPlusService"].full_name
GATEWAY, STREAMS = "koapy.v1.Gateway", "koapy.v1.Streams"
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"
GRACE_SECONDS = 5.0
PENDING = 65_536
"""Requests, of all connections, that may wait to be taken; each connection has its own limit on top."""

YOUNG = 10_000
"""Objects after which the collector looks for garbage: ticks and messages are made by the thousand, live for a moment,
and are given back without it. Python's own 700 cost the control's thread a tenth of its time."""
TURN_SECONDS = 0.003
"""After which a thread that computes, such as the control's, has to let another one have the interpreter's lock. The
loop gives it up with each message that it writes; with Python's own 0.005 it writes little more than half as many."""
METADATA_BYTES = 16 * 1024
"""Of one request; grpc refuses what is longer with RESOURCE_EXHAUSTED."""

CHECKED = ("", SERVICE, GATEWAY, STREAMS)
"""The names under which health is told."""


def options(settings: Settings) -> tuple[tuple[str, int], ...]:
    """How grpc is to treat connections."""
    return (
        # Two servers on one port would share the clients between them; the second one is to fail instead.
        ("grpc.so_reuseport", 0),
        # A peer that died without a word is found by pings, and its streams are given back.
        ("grpc.keepalive_time_ms", round(settings.keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", round(settings.keepalive_timeout_seconds * 1000)),
        # Without it grpc gives a ping a minute, whatever the line above says.
        ("grpc.http2.ping_timeout_ms", round(settings.keepalive_timeout_seconds * 1000)),
        # However long nothing else is sent: an order's stream may be silent for hours.
        ("grpc.http2.max_pings_without_data", 0),
        # The same holds for pings that clients send; more frequent ones would end their connection.
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        # What a peer can make the server hold before anybody has looked at who it is.
        ("grpc.max_receive_message_length", settings.request_bytes),
        ("grpc.max_metadata_size", METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", METADATA_BYTES),
        # Some more than one client may have, so that one too many is told so instead of being left to wait.
        ("grpc.max_concurrent_streams", settings.client_streams + settings.client_requests + 100),
        # Requests that wait for the loop: by its own default grpc turns a thousand at once away, without a word.
        ("grpc.server.max_pending_requests", PENDING),
        ("grpc.server.max_pending_requests_hard_limit", PENDING),
    )


class Server:
    """A gRPC server for one control, with health checking and reflection.

    Args:
        control: any object with OpenAPI+'s functions and events.
        host: the address to listen on.
        port: 0 chooses a free one; `address` says which.
        settings: limits and deadlines.
        journal: the file in which orders are written down before they are sent, so that a crash loses and doubles
            none; None: they are known for as long as the server runs.
        security: who may reach it, and how; without it everybody on this machine may do everything.
    """

    def __init__(
        self,
        control: Control,
        host: str = HOST,
        port: int = PORT,
        settings: Settings | None = None,
        *,
        journal: Path | None = None,
        security: Security | None = None,
    ) -> None:
        self._host = host
        self._journal = journal
        self._port = port
        self._control = control
        self._settings = settings or Settings()
        self._security = security or Security()
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._security.require_safe(self._host)
        credentials = self._security.credentials()
        self._guard = self._security.guard()
        try:
            await self._start(credentials)
        except BaseException:
            self._guard.close()
            raise
        self._telling = asyncio.create_task(self._tell_health())
        self._watching = asyncio.create_task(self._guard.watch())
        return self

    async def _start(self, credentials: grpc.ServerCredentials | None) -> None:
        self._servicer = KiwoomOpenApiPlusServiceServicer(
            self._control, self._settings, self._guard, journal=self._journal
        )
        self._bind(credentials)
        try:
            # Before the first request: no event of an order may go by unrecorded.
            await self._servicer.core()
            await self._server.start()
        except BaseException as error:
            await self._servicer.aclose()
            await self._server.stop(None)
            if isinstance(error, Failure) and isinstance(error.__cause__, JournalError):
                raise error.__cause__ from None
            raise

    def _bind(self, credentials: grpc.ServerCredentials | None) -> None:
        """Take the port, so that one that is taken is told before anything has begun."""
        self._server = grpc.aio.server(options=options(self._settings))
        served = Services()
        add_KiwoomOpenApiPlusServiceServicer_to_server(self._servicer, served)
        self._health = HealthChecking(CHECKED)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, served)
        served.add_later((GATEWAY, STREAMS, REFLECTION), self._add_others)
        self._server.add_generic_rpc_handlers((served,))
        try:
            address = f"{self._host}:{self._port}"
            self._port = (
                self._server.add_insecure_port(address)
                if credentials is None
                else self._server.add_secure_port(address, credentials)
            )
        except RuntimeError:
            text = (
                f"cannot listen on {self._host}:{self._port}; the port is taken, or the address is not this machine's"
            )
            raise OSError(text) from None

    def _add_others(self, served: Services) -> None:
        # To load them takes a tenth of the time to the first answer, and many a client asks for none of them.
        from koapy.server import others

        others.add(self._servicer, self._guard, served)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._telling.cancel()
        await asyncio.gather(self._telling, return_exceptions=True)
        self._health.close()
        await self._servicer.aclose()
        await self._server.stop(GRACE_SECONDS)
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        self._guard.close()

    async def _tell_health(self) -> None:
        """Tell those who check health what state the gateway is in, now and whenever it changes."""
        state = (await self._servicer.core()).health
        while True:
            self._health.set(serving=state.serving)
            await state.changed()

    @property
    def address(self) -> str:
        """Where the server listens, as host:port."""
        return f"{self._host}:{self._port}"

    def statistics(self) -> dict[str, int]:
        """What is taken at this moment: streams, screens, codes, subscriptions; all 0 when nobody is there."""
        return self._servicer.statistics()

    def stop(self) -> None:
        """Let `wait` return; safe at any time and twice."""
        self._stopping.set()

    async def wait(self) -> None:
        """Wait until `stop` is called."""
        await self._stopping.wait()


async def serve_async(
    control: Control,
    host: str = HOST,
    port: int = PORT,
    settings: Settings | None = None,
    *,
    journal: Path | None = None,
    security: Security | None = None,
    ready: Callable[[str], object] | None = None,
) -> None:
    """Serve `control` until interrupted (SIGINT or SIGTERM) or cancelled.

    Args:
        control: any object with OpenAPI+'s functions and events.
        host: the address to listen on.
        port: 0 chooses a free one.
        settings: limits and deadlines.
        journal: the file in which orders are written down before they are sent; None: nothing is kept.
        security: who may reach it, and how; needed where `host` is open to other machines.
        ready: called with host:port once the server listens; by default that is logged.

    Raises:
        OSError: the address cannot be listened on.
        JournalError: the journal cannot be used; JournalInUse where another server uses it.
        SecurityError: `host` is open to other machines and `security` does not say how that is safe, or a file that it
            names is missing, wrong or open to others.
    """
    async with Server(control, host, port, settings, journal=journal, security=security) as server:
        loop = asyncio.get_running_loop()
        for interruption in (signal.SIGINT, signal.SIGTERM):
            # Windows has no signal handlers on the loop, other threads have none at all: KeyboardInterrupt ends those.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(interruption, server.stop)
        # What has been made until now stays. The collector holds up everybody; it need not look through that each time.
        # Nor now: what is garbage of it by then is next to nothing, and looking for it a tenth of the start.
        gc.freeze()
        gc.set_threshold(YOUNG)
        sys.setswitchinterval(TURN_SECONDS)
        (ready or _log_address)(server.address)
        await server.wait()


def serve(
    control: Control,
    host: str = HOST,
    port: int = PORT,
    settings: Settings | None = None,
    *,
    journal: Path | None = None,
    security: Security | None = None,
    ready: Callable[[str], object] | None = None,
) -> None:
    """Serve `control`, blocking, until interrupted, on uvloop's loop except on Windows; see `serve_async`."""
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve_async(control, host, port, settings, journal=journal, security=security, ready=ready))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Of the fastest loop that there is for this system; None: Python's own."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _log_address(address: str) -> None:
    logger.info("listening on %s", address)
