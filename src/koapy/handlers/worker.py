"""A client's handler at work: its class is made, events are delivered one after the other, its messages are sent."""

from __future__ import annotations

import json
import linecache
import sys
import threading
import traceback
import types
from collections import deque
from typing import TYPE_CHECKING, Any

from koapy.handlers.bases import KiwoomOpenApiPlusEventHandler
from koapy.handlers.control import Aborted, Context, ControlRefused, HandlerControl
from koapy.handlers.frames import Channel, Kind, pack, pack_json
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

MODULE = "handler"
SOURCE = "<handler>"
LONGEST_TRACE = 1000
"""Characters of the report about an error; it travels in a header."""


class CodeError(Exception):
    """The code defines no handler."""


class Ended(Exception):
    """There is nothing more to wait for."""


class Worker:
    """One handler and its way to the gateway. Everything but sending belongs to the main thread."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._events: deque[bytes] = deque()
        self._thread = threading.get_ident()
        self._stopping = False
        self._error: BaseException | None = None

    # What an observer tells

    def on_next(self, response: Any) -> None:
        """Send one message."""
        if not isinstance(response, pb.ListenResponse):
            raise TypeError(f"on_next takes a ListenResponse, not {type(response).__name__}")
        self._channel.send(pack(Kind.NEXT, response.SerializeToString()))

    def on_end(self, error: BaseException | None) -> None:
        """End once the event that is being handled has been handled."""
        self._error = self._error or error
        self._stopping = True
        if threading.get_ident() != self._thread:
            self._channel.send(pack(Kind.FINISH))

    # What the control asks

    def call(self, request: pb.CallRequest) -> pb.CallResponse:
        """Make one call in the gateway."""
        return pb.CallResponse.FromString(self._ask(pack(Kind.CALL, request.SerializeToString())))

    def listen(self, names: list[str]) -> None:
        """Get these events and no others."""
        self._ask(pack_json(Kind.LISTEN, names))

    def _ask(self, frame: bytes) -> bytes:
        self._channel.send(frame)
        while True:
            kind, body = self._channel.receive()
            if kind is Kind.ANSWER:
                return body
            if kind is Kind.REFUSED:
                told = json.loads(body)
                raise ControlRefused(told["text"], told["status"], told["reason"])
            self._keep(kind, body)

    def _keep(self, kind: Kind, body: bytes) -> None:
        if kind is Kind.EVENT:
            self._events.append(body)
        elif kind is Kind.STOP:
            self._stopping = True

    # Its life

    def run(self, confined_by: list[str]) -> None:
        """Serve one handler from its code to its end."""
        _, body = self._channel.receive()
        facts, _, request_bytes = body.partition(b"\n")
        context = Context(json.loads(facts), lambda: self.on_end(None))
        try:
            self._serve(context, json.loads(facts)["rpc"], request_bytes, confined_by)
        except EOFError:  # the gateway has gone
            return
        except BaseException as error:
            self._end(error)
        else:
            self._end(self._error)

    def _serve(self, context: Context, rpc: str, request_bytes: bytes, confined_by: list[str]) -> None:
        control = HandlerControl(self.call, self.listen)
        handler = _make(rpc, request_bytes, control, context)
        try:
            handler.observer.attach(self)
            handler.enter()
            self._channel.send(pack_json(Kind.ENTERED, confined_by))
            self._events_until_stopped(control)
        except EOFError:
            raise
        except BaseException as error:
            context.end()
            handler.exit(type(error), error, error.__traceback__)
            raise
        context.end()
        handler.exit(None, None, None)

    def _events_until_stopped(self, control: HandlerControl) -> None:
        while not self._stopping:
            while not (self._events or self._stopping):
                self._keep(*self._channel.receive())
            if self._stopping:
                return
            control.deliver(pb.ListenResponse.FromString(self._events.popleft()))
            self._channel.send(pack(Kind.DONE))

    def _end(self, error: BaseException | None) -> None:
        self._channel.send(pack_json(Kind.END, report(error)))


def _make(rpc: str, request_bytes: bytes, control: HandlerControl, context: Context) -> KiwoomOpenApiPlusEventHandler:
    """Run the code and make the handler that it names.

    Raises:
        CodeError: the code cannot be compiled, or defines no such class.
    """
    request: Any = (pb.CallAndListenRequest if rpc == "CustomCallAndListen" else pb.ListenRequest).FromString(
        request_bytes
    )
    listen: pb.ListenRequest = request.listen_request if rpc == "CustomCallAndListen" else request
    defined = _class(listen.code, listen.class_name)
    if issubclass(defined, KiwoomOpenApiPlusEventHandler):
        made: Any = defined
        handler: KiwoomOpenApiPlusEventHandler = made(control, request, context)
        return handler
    # A class without a base gets what the bases bring, but keeps its own `__init__`.
    adopted: Any = type(defined.__name__, (defined, _Adopted), {})
    handler = adopted.__new__(adopted, control, request, context)
    handler._begin(control)
    handler._context = context  # type: ignore[attr-defined]
    adopted.__init__(handler, control, request, context)
    return handler


class _Adopted(KiwoomOpenApiPlusEventHandler):
    """What a class without a base gets."""

    def __new__(cls, *_: Any) -> _Adopted:
        return super().__new__(cls)

    def __init__(self, *_: Any) -> None:
        """Everything is there already."""

    @property
    def context(self) -> Context:
        """The RPC."""
        context: Context = self._context  # type: ignore[attr-defined]
        return context


def _class(code: str, name: str) -> type:
    # A module of its own, so that methods see what is imported at the top, and so does what looks classes up by module.
    module = types.ModuleType(MODULE)
    module.__file__ = SOURCE
    sys.modules[MODULE] = module
    linecache.cache[SOURCE] = (len(code), None, code.splitlines(keepends=True), SOURCE)
    try:
        compiled = compile(code, SOURCE, "exec")
    except (SyntaxError, ValueError) as error:
        raise CodeError(f"the handler's code cannot be compiled: {error}") from error
    exec(compiled, vars(module))
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise CodeError(f"the code defines no class {name!r}")
    return found


def report(error: BaseException | None) -> Mapping[str, str]:
    """How a handler ended, for the gateway."""
    if error is None:
        return {"end": "completed"}
    if isinstance(error, CodeError):
        return {"end": "code", "text": str(error)[:LONGEST_TRACE]}
    if isinstance(error, ControlRefused):
        return {"end": "refused", "text": str(error)[:LONGEST_TRACE]}
    if isinstance(error, Aborted):
        return {"end": "aborted", "status": error.status, "text": str(error)[:LONGEST_TRACE]}
    if isinstance(error, SystemExit):
        return {"end": "exited", "text": f"with {error.code!r}"[:LONGEST_TRACE]}
    lines = traceback.extract_tb(error.__traceback__)
    own = [line for line in lines if line.filename == SOURCE]
    where = "".join(f"; line {line.lineno}, in {line.name}: {line.line}" for line in own[-1:])
    trace = "\n".join(f"line {line.lineno}, in {line.name}: {line.line}" for line in own[-5:])
    end = "memory" if isinstance(error, MemoryError) else "failed"
    told = "".join(traceback.format_exception_only(error)).strip().splitlines() or [type(error).__name__]
    return {"end": end, "text": f"{told[-1][:200]}{where[:160]}", "traceback": trace[-LONGEST_TRACE:]}


def work(connection: socket.socket, confined_by: list[str]) -> None:
    """Run the handler that the gateway sends over this socket."""
    Worker(Channel(connection)).run(confined_by)
