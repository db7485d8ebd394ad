"""Server reflection for those who may be here: it needs a principal, of any role.

Health checking stays open, because what watches a server should need no secret, and it tells one word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grpc_reflection.v1alpha import reflection

from koapy.server.access import RPC_NEEDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import grpc

    from koapy.server.security.guard import Guard


class GuardedReflection(reflection.aio.ReflectionServicer):  # type: ignore[misc, name-defined]
    """Reflection behind the guard of the server."""

    def __init__(self, services: Sequence[str], guard: Guard) -> None:
        super().__init__(services)
        self._guard = guard

    async def ServerReflectionInfo(
        self, request_iterator: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Any]:
        """Answer what services and messages there are."""
        with self._guard.visit(context, "ServerReflectionInfo", context.peer()) as visit:
            visit.begin(None, RPC_NEEDS["ServerReflectionInfo"])
            async for response in super().ServerReflectionInfo(request_iterator, context):
                yield response
