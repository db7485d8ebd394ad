"""Running a servicer: a server with health checking and reflection, until it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import add_KiwoomOpenApiPlusServiceServicer_to_server
from koapy.server.servicer import KiwoomOpenApiPlusServiceServicer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from koapy.control.seam import Control
    from koapy.server.settings import Settings

logger = logging.getLogger(__name__)

HOST, PORT = "127.0.0.1", 5943
"""Where the clients of KOAPY 0.9 look for their server."""

SERVICE = pb.DESCRIPTOR.services_by_name["KiwoomOpenApiPlusService"].full_name
GRACE_SECONDS = 5.0

OPTIONS = (
    # Two servers on one port would share the clients between them; the second one is to fail instead.
    ("grpc.so_reuseport", 0),
    # A peer that died without a word is found by pings, and its streams are given back.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)


class Server:
    """A gRPC server for one control, with health checking and reflection.

    Args:
        control: any object with OpenAPI+'s functions and events.
        host: the address to listen on.
        port: 0 chooses a free one; `address` says which.
        settings: limits and deadlines.
    """

    def __init__(self, control: Control, host: str = HOST, port: int = PORT, settings: Settings | None = None) -> None:
        self._host = host
        self._port = port
        self._control = control
        self._settings = settings
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._servicer = KiwoomOpenApiPlusServiceServicer(self._control, self._settings)
        self._server = grpc.aio.server(options=OPTIONS)
        add_KiwoomOpenApiPlusServiceServicer_to_server(self._servicer, self._server)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        try:
            self._port = self._server.add_insecure_port(f"{self._host}:{self._port}")
        except RuntimeError:
            text = (
                f"cannot listen on {self._host}:{self._port}; the port is taken, or the address is not this machine's"
            )
            raise OSError(text) from None
        await self._server.start()
        for name in ("", SERVICE):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._health.enter_graceful_shutdown()
        await self._servicer.aclose()
        await self._server.stop(GRACE_SECONDS)

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
    ready: Callable[[str], object] | None = None,
) -> None:
    """Serve `control` until interrupted (SIGINT or SIGTERM) or cancelled.

    Args:
        control: any object with OpenAPI+'s functions and events.
        host: the address to listen on.
        port: 0 chooses a free one.
        settings: limits and deadlines.
        ready: called with host:port once the server listens; by default that is logged.

    Raises:
        OSError: the address cannot be listened on.
    """
    async with Server(control, host, port, settings) as server:
        loop = asyncio.get_running_loop()
        for interruption in (signal.SIGINT, signal.SIGTERM):
            # Windows has no signal handlers on the loop, other threads have none at all: KeyboardInterrupt ends those.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(interruption, server.stop)
        (ready or _log_address)(server.address)
        await server.wait()


def serve(
    control: Control,
    host: str = HOST,
    port: int = PORT,
    settings: Settings | None = None,
    *,
    ready: Callable[[str], object] | None = None,
) -> None:
    """Serve `control`, blocking, until interrupted; see `serve_async`."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve_async(control, host, port, settings, ready=ready))


def _log_address(address: str) -> None:
    logger.info("listening on %s", address)
