"""One handler's RPC: events go to its process, its calls and messages come back, and every end gets its reason."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.message import DecodeError

from koapy.control.patience import to_the_end
from koapy.handlers.frames import Kind, pack, pack_json
from koapy.openapi.functions import EVENTS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.access import call_needs, events_needs, require
from koapy.server.call import call
from koapy.server.custom.process import HandlerGone, output
from koapy.server.custom.stopwatch import Stopwatch
from koapy.server.events import Event
from koapy.server.failure import Failure, invalid
from koapy.server.gaps import Gap, Notice
from koapy.server.router import REAL_DATA
from koapy.server.ticks import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from koapy.handlers.limits import HandlerLimits
    from koapy.server.core import Core
    from koapy.server.custom.acting import Acting
    from koapy.server.custom.process import HandlerProcess
    from koapy.server.custom.wishes import Wishes
    from koapy.server.inbox import Inbox

logger = logging.getLogger(__name__)

WINDOW = 16
"""Events that may be on their way to the handler; more wait in the stream's inbox, where ticks can be merged."""
CONFINEMENT = {
    "files": "without Landlock (Linux 5.13) it can read what the gateway's user can",
    "calls": "without seccomp it can use the network and signal the gateway",
}
LONGEST_JSON = 1 << 16
CLOSING_SECONDS = 2.0
"""Time for goodbyes when the gateway itself is about to end."""
M = TypeVar("M", pb.ListenResponse, pb.CallRequest)


class Session:
    """Carries one handler's frames.

    Args:
        core: what all RPCs share.
        caller: on whose behalf the handler calls.
        process: the handler's.
        inbox: events for it.
        wishes: which events those are.
        write: takes a message for the client.
        begin: called when the handler is ready, before any of its messages is sent and any event delivered.
    """

    def __init__(
        self,
        core: Core,
        caller: Acting,
        process: HandlerProcess,
        inbox: Inbox,
        wishes: Wishes,
        limits: HandlerLimits,
        write: Callable[[pb.ListenResponse], Awaitable[None]],
        begin: Callable[[], Awaitable[None]],
    ) -> None:
        self._core = core
        self._caller = caller
        self._process = process
        self._inbox = inbox
        self._wishes = wishes
        self._limits = limits
        self._write = write
        self._begin = begin
        self._window = asyncio.Semaphore(WINDOW)
        self._unhandled = 0
        self._ready = asyncio.Event()
        self._given = 0
        self._early: list[pb.ListenResponse] = []
        self._leaving = False
        self._refusal: Failure | None = None
        self._late: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watch = Stopwatch(self._expire)

    async def run(self, start: bytes) -> None:
        """Serve the handler until it ends, or the client goes, or it does what it must not.

        Raises:
            Failure: why it ended, unless it wanted to.
        """
        self._watch.allow(self._limits.start_seconds, "to start")
        self._process.send(start)
        reading = asyncio.create_task(self._read())
        feeding = asyncio.create_task(self._feed())
        closing = asyncio.create_task(self._closing())
        tasks = (self._late, reading, feeding, closing)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            next(task for task in tasks if task.done()).result()
        finally:
            feeding.cancel()
            await to_the_end(self._over(reading, closing))
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _over(self, reading: asyncio.Task[None], closing: asyncio.Task[None]) -> None:
        """Let the handler say goodbye, unless it has ended by itself or did what it must not."""
        if not (reading.done() or self._late.done()):
            await self._goodbye(reading, closing)
        for task in (reading, closing, self._late):
            task.cancel()
        self._watch.off()

    async def _closing(self) -> None:
        """End with the gateway at once, also while the handler is busy and takes no events."""
        with self._core.inbox() as notices:
            while True:
                await notices.get()

    async def _goodbye(self, reading: asyncio.Task[None], closing: asyncio.Task[None]) -> None:
        """Let the handler clean up, for a moment; its calls are still made."""
        self._leaving = True
        self._watch.off()
        self._process.send(pack(Kind.STOP))
        if not closing.done():
            await asyncio.wait(
                {reading, closing}, timeout=self._limits.exit_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        if closing.done():
            await asyncio.wait({reading}, timeout=min(self._limits.exit_seconds, CLOSING_SECONDS))

    def _expire(self, what: str, seconds: float) -> None:
        if not self._late.done():
            text = f"the event handler was stopped: it took more than {seconds:g} s {what}"
            self._late.set_exception(Failure(grpc.StatusCode.DEADLINE_EXCEEDED, text, reason="HANDLER_TIMEOUT"))

    async def _feed(self) -> None:
        """Send the events, a few at a time."""
        await self._ready.wait()
        notice = Notice()
        while True:
            # Not before there is room, so that what waits can be merged.
            await self._window.acquire()
            self._window.release()
            item = await self._inbox.get()
            if isinstance(item, Run):
                for tick in item.ticks:
                    await self._give(REAL_DATA, notice.put_on(tick.encoded))
            elif isinstance(item, Event):
                await self._give(item.name, notice.put_on(item.encoded))
            elif isinstance(item, Gap):
                notice.take(item)

    async def _give(self, name: str, encoded: bytes) -> None:
        """Send one event, when few enough are on their way."""
        await self._window.acquire()
        self._unhandled += 1
        if self._unhandled == 1:
            self._watch.allow(self._limits.event_seconds, f"for {name}")
        self._process.send(pack(Kind.EVENT, encoded))
        await self._process.drain()

    async def _read(self) -> None:
        """Take what the handler says, until it ends."""
        while True:
            # One turn of the loop for each frame: a flood of them must not keep others waiting.
            await asyncio.sleep(0)
            self._watch.run()
            try:
                await self._process.drain()
                kind, body = await self._process.receive()
            except HandlerGone as gone:
                raise _died(gone.code) from None
            finally:
                self._watch.pause()
            if kind is Kind.END:
                self._end(_parsed(body))
                return
            await self._take(kind, body)

    async def _take(self, kind: Kind, body: bytes) -> None:
        match kind:
            case Kind.NEXT:
                await self._next(_message(pb.ListenResponse, body))
            case Kind.DONE:
                self._done()
            case Kind.CALL:
                request = _message(pb.CallRequest, body)
                await self._answer(self._call(request))
            case Kind.LISTEN:
                await self._answer(self._listen(_parsed(body)))
            case Kind.ENTERED if not self._ready.is_set():
                self._note_confinement(_parsed(body))
                await self._enter()
            case Kind.FINISH:
                self._process.send(pack(Kind.STOP))
            case _:
                raise output(f"it wrote into the gateway's channel ({kind.name})")

    def _note_confinement(self, by: object) -> None:
        named = by if isinstance(by, list) else []
        if missing := [name for name in CONFINEMENT if name not in named]:
            text = "handler %d is not kept from everything on this system: %s"
            logger.warning(text, self._process.pid, "; ".join(CONFINEMENT[name] for name in missing))

    async def _enter(self) -> None:
        self._watch.off()
        await self._begin()
        for message in self._early:
            await self._write(message)
        self._early.clear()
        self._given = 0
        self._ready.set()

    async def _next(self, message: pb.ListenResponse) -> None:
        if self._leaving:
            return
        # What it gives between events, from a thread of its own, is a matter between it and its client.
        self._given += 1
        if self._given > self._limits.event_messages and (self._unhandled or not self._ready.is_set()):
            raise output(f"it gave more than {self._limits.event_messages} messages for one event")
        if self._ready.is_set():
            await self._write(message)
        else:
            self._early.append(message)

    def _done(self) -> None:
        if not self._unhandled:
            raise output("it wrote into the gateway's channel (DONE)")
        self._unhandled -= 1
        self._given = 0
        self._window.release()
        if self._unhandled and not self._leaving:
            self._watch.allow(self._limits.event_seconds, "for an event")
        else:
            self._watch.off()

    async def _answer(self, answering: Awaitable[pb.CallResponse]) -> None:
        """Send the answer to what the handler waits for, or why there is none."""
        try:
            frame = pack(Kind.ANSWER, (await answering).SerializeToString())
        except Failure as failure:
            self._refusal = failure
            told = {"status": failure.status.name, "reason": failure.reason, "text": failure.text}
            frame = pack_json(Kind.REFUSED, told)
        self._process.send(frame)

    async def _call(self, request: pb.CallRequest) -> pb.CallResponse:
        with self._core.guard.call(self._caller.principal, self._caller.client) as visit:
            visit.begin(request, call_needs(request.name, request.arguments))
            return await call(self._core, request, self._caller)

    async def _listen(self, names: Any) -> pb.CallResponse:
        if not (isinstance(names, list) and all(name in EVENTS for name in names)):
            raise output("it wrote into the gateway's channel (LISTEN)")
        require(self._caller.principal, events_needs(names), "listening to these events")
        self._wishes.become(frozenset(names))
        return pb.CallResponse()

    def _end(self, told: Any) -> None:
        """The handler's own report."""
        if not isinstance(told, dict):
            raise output("it wrote into the gateway's channel (END)")
        text, shown = _clean(told.get("text", ""), 400), _clean(told.get("traceback", ""), 1000)
        trace = {"traceback": shown} if shown else {}
        match told.get("end"):
            case "completed":
                return
            case "refused" if self._refusal is not None:
                raise self._refusal
            case "code":
                raise invalid(text)
            case "memory":
                text = f"the event handler ran out of its {self._limits.memory >> 20} MiB: {text}"
                raise Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, text, reason="HANDLER_MEMORY", details=trace)
            case "exited":
                raise _exited(text)
            case "aborted":
                raise Failure(_status(told.get("status")), text, reason="HANDLER_ABORTED")
            case _:
                text = f"the event handler failed: {text}"
                raise Failure(grpc.StatusCode.ABORTED, text, reason="HANDLER_FAILED", details=trace)


def _status(name: object) -> grpc.StatusCode:
    """The status that a handler has chosen."""
    status = grpc.StatusCode.__members__.get(str(name), grpc.StatusCode.ABORTED)
    return grpc.StatusCode.ABORTED if status is grpc.StatusCode.OK else status


def _died(code: int) -> Failure:
    """The process has ended without a word."""
    if code < 128:
        return _exited(f"with {code}")
    with suppress(ValueError):
        name = signal.Signals(code - 128).name
        if name == "SIGXCPU":
            text = "the event handler was stopped: it has used up its processor seconds"
            return Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, text, reason="HANDLER_CPU")
        return _exited(f"by {name}")
    return _exited(f"with {code}")


def _exited(how: str) -> Failure:
    return Failure(grpc.StatusCode.ABORTED, f"the event handler's process exited {how}", reason="HANDLER_EXITED")


def _message(kind: type[M], body: bytes) -> M:
    try:
        return kind.FromString(body)
    except DecodeError:
        raise output(f"it sent something that is no {kind.DESCRIPTOR.name}") from None


def _parsed(body: bytes) -> Any:
    try:
        if len(body) <= LONGEST_JSON:
            return json.loads(body)
    except (ValueError, RecursionError):
        pass
    raise output("it wrote into the gateway's channel")


def _clean(told: object, longest: int) -> str:
    """Text of a handler's that can be sent on."""
    return str(told)[:longest].encode("utf-8", "replace").decode()
