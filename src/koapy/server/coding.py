"""Requests that are no messages: what cannot be decoded, or never comes, is refused in so many words.

By itself grpc answers a request that it cannot decode with UNKNOWN, as if the servicer had failed, and one that ends
before its message has come with nothing at all, so that its client waits for ever. Every service of the server, health
checking and reflection among them, is served behind this.

The other way, what is encoded already, once for all streams that want the same, is passed on as it is.
"""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import grpc

from koapy.server.failure import Failure, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

CODED: ContextVar[bool] = ContextVar("CODED", default=False)
"""Whether this task serves an RPC whose responses may be bytes."""
KNOWN_REQUESTS, LONGEST_KNOWN = 256, 128
"""How many requests of a method are kept decoded, and of how many bytes each of them at most."""
Behaviour = Any
"""What serves an RPC: a coroutine function or an asynchronous generator, of request and context."""
Context = grpc.aio.ServicerContext[Any, Any]
EOF = grpc.aio.EOF  # type: ignore[attr-defined]  # its stubs have forgotten it


class Services(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs only
    """All services of a server. Decodes requests where a failure can be told, and takes responses as bytes, too.

    The generated `add_..._to_server` functions take it for a server. It finds an RPC's handler by name: to register
    methods with the server itself would have grpc.aio wait for each of them anew at every RPC.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        self._later: dict[str, Callable[[Services], object]] = {}

    def add_later(self, services: Iterable[str], add: Callable[[Services], object]) -> None:
        """Serve these services, too; `add` is to add them all, with the first RPC of one of them."""
        self._later |= dict.fromkeys(services, add)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of an RPC; None where there is no such RPC, which grpc tells."""
        method = handler_call_details.method
        found = self._handlers.get(method)
        if found is None and (add := self._later.get(method[1:].partition("/")[0])) is not None:
            self._later = {name: other for name, other in self._later.items() if other is not add}
            add(self)
            found = self._handlers.get(method)
        return found

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Nothing: the same methods come by their names."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """Serve the methods of one service."""
        for name, handler in handlers.items():
            self._handlers[f"/{service}/{name}"] = _coded(handler)


def _coded(handler: Any) -> grpc.RpcMethodHandler[Any, Any]:
    """The same RPC over bytes. One with a single request is read as a stream too, whose end can be seen."""
    decode, encode = _decoding(handler.request_deserializer), _encoding(handler.response_serializer)
    if handler.request_streaming:
        behaviour = handler.stream_stream if handler.response_streaming else handler.stream_unary
    else:
        behaviour = handler.unary_stream if handler.response_streaming else handler.unary_unary
    if inspect.isasyncgenfunction(behaviour):
        behaviour = _written(behaviour)
    serve = (_serving_many if handler.request_streaming else _serving_one)(behaviour, decode)
    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(serve, None, encode)
    return grpc.stream_unary_rpc_method_handler(serve, None, encode)


def _decoding(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Decodes short requests once, as many are the same byte by byte: acknowledgements, and look-ups over and over.

    A message may therefore be that of several RPCs, and nobody changes it. Raises Failure for what is none.
    """
    known = lru_cache(maxsize=KNOWN_REQUESTS)(deserialize)

    def decode(request: bytes) -> Any:
        try:
            return known(request) if len(request) <= LONGEST_KNOWN else deserialize(request)
        except Exception as error:
            raise invalid(f"the request is no such message: {str(error)[:200]}") from None

    return decode


def _encoding(serialize: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    return lambda response: response if isinstance(response, bytes) else serialize(response)


def _written(generate: Behaviour) -> Behaviour:
    """As a coroutine function: what is generated is written."""

    async def write(request: Any, context: Context) -> None:
        async for response in generate(request, context):
            await context.write(response)

    return write


def _serving_one(behaviour: Behaviour, decode: Callable[[bytes], Any]) -> Behaviour:
    async def serve(raw: object, context: Context) -> Any:
        CODED.set(True)
        try:
            # Read from the context: an iterator over one message costs more than the message.
            request: Any = await context.read()
            if request is EOF:
                raise invalid("the request ended before its message; send one message")
            return await behaviour(decode(request), context)
        except Failure as failure:
            await _fail(context, failure)

    return serve


def _serving_many(behaviour: Behaviour, decode: Callable[[bytes], Any]) -> Behaviour:
    async def serve(raw: object, context: Context) -> Any:
        CODED.set(True)
        try:
            return await behaviour(_Requests(context, decode), context)
        except Failure as failure:
            await _fail(context, failure)

    return serve


async def _fail(context: Context, failure: Failure) -> None:
    await context.abort(failure.status, failure.text, (("grpc-status-details-bin", failure.packed()),))


class _Requests:
    """The requests of a stream."""

    __slots__ = ("_context", "_decode")

    def __init__(self, context: Context, decode: Callable[[bytes], Any]) -> None:
        self._context = context
        self._decode = decode

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        request: Any = await self._context.read()
        if request is EOF:
            raise StopAsyncIteration
        return self._decode(request)
