"""gRPC's health checking, served so that one who watches and does not read holds up nobody.

The servicer of grpcio-health-checking writes to each watcher while it holds the lock under which the state is changed:
one watcher whose connection takes nothing keeps everybody else, and the gateway itself, from that lock.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterable

Status = health_pb2.HealthCheckResponse


class HealthChecking(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # its package has no types
    """Serves grpc.health.v1.Health. Belongs to the event loop.

    Args:
        names: the services that have a state; "" is the server itself.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._status = Status.SERVING
        self._changed = asyncio.Event()
        self._closing = False

    def set(self, *, serving: bool) -> None:
        """All services serve from now on, or do not; nothing after `close`."""
        if not self._closing:
            self._become(Status.SERVING if serving else Status.NOT_SERVING)

    def close(self) -> None:
        """None serves any more, for good."""
        self._closing = True
        self._become(Status.NOT_SERVING)

    async def Check(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        """The state of a service, at once."""
        if request.service not in self._names:
            known = ", ".join(sorted(filter(None, self._names)))
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no such service; there are {known}")
        return Status(status=self._status)

    async def Watch(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """The state of a service, now and whenever it has changed; ends when none serves any more."""
        told = None
        while True:
            changed = self._changed
            status = self._status if request.service in self._names else Status.SERVICE_UNKNOWN
            if status != told:
                await context.write(Status(status=status))
                told = status
            if self._closing:  # or the server would wait for its watchers to go
                return
            await changed.wait()

    def _become(self, status: Any) -> None:
        self._status = status
        self._changed.set()
        self._changed = asyncio.Event()
