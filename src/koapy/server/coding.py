"""Requests that are no messages: what cannot be decoded, or never comes, is refused in so many words.

By itself grpc answers a request that it cannot decode with UNKNOWN, as if the servicer had failed, and one that ends
before its message has come with nothing at all, so that its client waits for ever. Every service of the server, health
checking and reflection among them, is served behind this.

The other way, what is encoded already, once for all streams that want the same, is passed on as it is.
"""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import grpc

from koapy.server.failure import Failure, invalid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

CODED: ContextVar[bool] = ContextVar("CODED", default=False)
"""Whether this task serves an RPC whose responses may be bytes."""
Behaviour = Any
"""What serves an RPC: a coroutine function or an asynchronous generator, of request and context."""


class Coding(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in its stubs only
    """Decodes requests where a failure can be told, and takes responses as messages or as their bytes."""

    def __init__(self) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """The handler of an RPC; None where there is no such RPC, which grpc tells."""
        method = handler_call_details.method
        known = self._handlers.get(method)
        if known is None:
            known = await continuation(handler_call_details)
            if known is not None:  # only RPCs that exist are remembered
                known = self._handlers[method] = _coded(known)
        return known


def _coded(handler: Any) -> grpc.RpcMethodHandler[Any, Any]:
    """The same RPC over bytes. One with a single request is read as a stream too, whose end can be seen."""
    decode, encode = handler.request_deserializer, _encoding(handler.response_serializer)
    if handler.request_streaming:
        behaviour = handler.stream_stream if handler.response_streaming else handler.stream_unary
    else:
        behaviour = handler.unary_stream if handler.response_streaming else handler.unary_unary
    serve = _serving(behaviour, decode, single=not handler.request_streaming)
    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(serve, None, encode)
    return grpc.stream_unary_rpc_method_handler(serve, None, encode)


def _encoding(serialize: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    return lambda response: response if isinstance(response, bytes) else serialize(response)


def _serving(behaviour: Behaviour, decode: Callable[[bytes], Any], *, single: bool) -> Behaviour:
    generates = inspect.isasyncgenfunction(behaviour)

    async def serve(raw: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        CODED.set(True)
        try:
            request = await _only(raw, decode) if single else _each(raw, decode)
            if not generates:
                return await behaviour(request, context)
            async for response in behaviour(request, context):
                await context.write(response)
        except Failure as failure:
            trailing = (("grpc-status-details-bin", failure.packed()),)
            await context.abort(failure.status, failure.text, trailing)
        return None

    return serve


async def _only(raw: AsyncIterator[bytes], decode: Callable[[bytes], Any]) -> Any:
    async for request in raw:
        return _decoded(request, decode)
    raise invalid("the request ended before its message; send one message")


async def _each(raw: AsyncIterator[bytes], decode: Callable[[bytes], Any]) -> AsyncIterator[Any]:
    async for request in raw:
        yield _decoded(request, decode)


def _decoded(request: bytes, decode: Callable[[bytes], Any]) -> Any:
    try:
        return decode(request)
    except Exception as error:
        raise invalid(f"the request is no such message: {str(error)[:200]}") from None
