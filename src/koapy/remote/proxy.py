"""A control in another process, as a program sees it: what all such controls share, whatever lies in between."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from koapy.control.jobs import fulfil
from koapy.control.owner import Owner
from koapy.control.reads import ELSEWHERE, READING, Nothing, Reads
from koapy.control.seam import Unread
from koapy.control.signals import Signal
from koapy.openapi.functions import EVENTS
from koapy.remote import messages
from koapy.remote.frames import FrameError, kind
from koapy.remote.holding import done
from koapy.remote.inbox import Back, Heard, Inbox, Lost
from koapy.remote.keeper import ControlLost, Hooks, Keeper
from koapy.remote.link import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from koapy.control.reads import Value
    from koapy.remote.link import Link, Stream
    from koapy.remote.messages import Function, Outcome, Welcome

CONNECTION_LOST, CONNECTED = -106, 0
"""OnEventConnect: OP_ERR_SOCKET_CLOSED is what OpenAPI+ itself tells when its connection has ended under a program, so
programs know what to do about it; that the connection is OpenAPI+'s or this one makes no difference to them."""
LOGGED_IN = 1
"""GetConnectState."""

EVENTS_A_TURN = 100
"""Events that are told before submitted work gets its turn."""


class CallFailed(RuntimeError):
    """A function raised in the control's process."""

    def __init__(self, text: str, values: tuple[Value, ...]) -> None:
        super().__init__(text)
        self.values = values
        """What the functions of the batch before it returned; those behind it have not been called."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """An event that is being told."""

    link: Link | None
    """Whence; None: from nowhere else than here."""
    context: int
    """The innermost event around it, or itself, that the control waits in, by number; 0: none."""
    waits: bool
    """Whether the control waits in it."""
    reads: Reads


class Proxy(Owner):
    """The functions and events of a control in another process.

    It owns a thread, on which all functions must be called and all events are told, one at a time and in the order in
    which the control told them; `submit` runs a callable there. Events that come while a call outside of events waits
    for its outcome are told within it, before it returns; those that come while an event is being told wait for its
    end, but for one that the control itself waits in: that one, and those before it, are told at once, since nothing
    else goes on over there. Inside an event the functions that read it are answered from what came with it; all others
    are made in the other process: within the event where the control waits in it, else after it.

    When the connection is lost OnEventConnect(-106) is told, and every call raises `ControlLost`. It is made again by
    itself, in pauses that grow.

    A kind of control brings `_open` and may bring the hooks below it; its own fields are there before `__init__`.

    Args:
        where: what words about the connection call the other side.
        name: what the other side calls this gateway.
        wait: seconds in which the first connection must be made.
        pace: when the other side is taken to be dead.

    Raises:
        ControlLost: there is no connection in time, or the host refused.
    """

    greeting_seconds = 5.0
    """How long a host may take to say what it offers."""
    holds = False
    """Whether the control can wait in its events, so that one in which it does not was not meant to be asked more."""

    def __init__(self, where: str, *, name: str, wait: float, pace: Pace | None) -> None:
        super().__init__(where)
        pace = pace or Pace()
        self._queue_bytes = pace.queue_bytes
        # Changed under the condition only.
        self._inbox = Inbox()
        self._keeper = Keeper(
            where,
            Hooks(
                open=self._open,
                introduce=self._introduced,
                adopt=self._adopt,
                take=self._take,
                remark=self._remarked,
                lose=self._lose,
                excuse=self._excused,
                watch=self._watched,
            ),
            self._changed,
            name=name,
            wait=wait,
            greeting_seconds=self.greeting_seconds,
            pace=pace,
        )
        # Of the control's thread only.
        self._calls = itertools.count(1)
        self._inputs: list[Function] = []
        self._event: _Telling | None = None
        """The event that is being told."""
        self._functions: Mapping[str, Callable[..., Any]] = {}
        self._signals: dict[str, Signal] = {}
        self._thread = threading.Thread(target=self._run, name="koapy-remote", daemon=True)
        self._thread.start()
        try:
            self._keeper.start()
        except ControlLost:
            self.close()
            raise

    # What kinds of controls bring.

    def _open(self) -> Stream:
        """Connect; called on a thread of the connection's own.

        Raises:
            OSError: there is nobody.
        """
        raise NotImplementedError

    def _introduced(self, link: Link) -> None:
        """HELLO has been sent; what the host must know before it says anything is sent now. As `_open`."""

    def _adopted(self, link: Link, welcome: Welcome) -> None:
        """A host has said what it offers; what it must be told before any call is sent now. On its reading thread."""

    def _remarked(self, frame: bytes) -> None:
        """The host says something that only some do. On its reading thread.

        Raises:
            FrameError: this kind of host has nothing such to say.
        """
        raise FrameError(f"{kind(frame).name} was not expected of a host")

    def _returned(self) -> None:
        """The connection is there again. On the control's thread."""

    def _excused(self) -> bool:
        """Whether it is known why there is no host, and that there will be one. As `_open`."""
        return False

    def _watched(self) -> None:
        """Called again and again while there is a connection. On a thread of the connection's own."""

    # What programs see.

    def __getattr__(self, name: str, /) -> Any:
        """The functions and events that the host offers."""
        if not name.startswith("_"):
            if (function := self._functions.get(name)) is not None:
                return function
            if (signal := self._signals.get(name)) is not None:
                return signal
        raise AttributeError(f"{self._where} does not offer {name}", name=name, obj=self)

    @property
    def connected(self) -> bool:
        """Whether the other process is there; GetConnectState says whether the control is logged in."""
        return self._keeper.link is not None

    def batch(self, functions: Sequence[Function]) -> list[Value]:
        """Call functions one after the other in one piece, which takes one way there and back however many they are.

        Inside an event that the control waits in they are called within it; nothing of it is answered from here.

        Args:
            functions: the name and the arguments of each.

        Returns:
            What each of them returned, in their order.

        Raises:
            CallFailed: one of them raised; it has those before it, and those behind it are not called.
            ControlLost: there is no connection, or it was lost meanwhile.
            FrameError: they, or what they return, fit no frame.
        """
        self._require_own_thread("batch")
        return list(self._made(functions))

    def read_tick(self, code: str, fids: Sequence[int]) -> Sequence[Value]:
        """GetCommRealData of each FID, at once where the event has brought them all.

        Raises:
            Unread: the event did not bring one of them, and the control has gone on.
        """
        self._require_own_thread("read_tick")
        known = self._event.reads.fields(fids) if self._event is not None else None
        return known or [self._read("GetCommRealData", code, fid) for fid in fids]

    def close(self) -> None:
        """End the connection and the threads; the control in the other process goes on. Harmless twice."""
        self._keeper.close()
        super().close()

    # The control's thread.

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._jobs or self._inbox or self._closed):
                    self._changed.wait()
                if self._closed:
                    break
                jobs = len(self._jobs)
            for _ in range(EVENTS_A_TURN):
                if not self._tell_next():
                    break
            for _ in range(jobs):
                fulfil(*self._jobs.popleft())
        for future, _, _ in self._jobs:
            future.cancel()

    def _tell_next(self) -> bool:
        """Tell the next event; False when there is none."""
        with self._changed:
            news = self._inbox.next()
        match news:
            case None:
                return False
            case Heard(link, frame):
                self._tell_frame(link, frame)
            case Lost():
                self._inputs.clear()
                self._tell("OnEventConnect", (CONNECTION_LOST,))
            case Back(link):
                if link is self._keeper.link:
                    self._returned()
        return True

    def _tell_frame(self, link: Link, frame: bytes) -> None:
        try:
            event = messages.read_event(frame)
        except FrameError as error:
            link.end(f"what came is not the protocol: {error}")
            return
        outer = self._event
        around = outer.context if outer is not None and outer.link is link else 0
        context = event.number if event.held else around
        self._tell(event.name, event.args, _Telling(link, context, event.held, Reads(event.carried)))
        if event.held:
            link.send(done(event.number))

    def _tell(self, name: str, args: tuple[Value, ...], telling: _Telling | None = None) -> None:
        """Tell an event; without a `telling` it is one that the control has not told."""
        signal = self._signals.get(name)
        if signal is None:
            return
        outer, self._event = self._event, telling or _Telling(None, 0, True, Reads(Nothing()))
        try:
            signal.tell(*args)
        finally:
            self._event = outer

    def _read(self, name: str, *args: Value) -> Value:
        """Read the event that is being told: from what it brought, or else by a call."""
        self._require_own_thread(name)
        if self._event is not None:
            known = self._event.reads.answer(name, args)
            if known is not ELSEWHERE:
                return known  # type: ignore[return-value]
            if self.holds and not self._event.waits:
                raise Unread(f"{name}{args!r}: the event did not bring it, and the control does not wait in it")
        return self._made([(name, args)])[-1]

    def _call(self, name: str, *args: Value) -> Value:
        """Call a function of the control."""
        self._require_own_thread(name)
        if name == "SetInputValue" and self.connected:
            self._inputs.append((name, args))
            return None
        calls: list[Function] = [(name, args)]
        if name == "CommRqData":
            # In one piece: a gateway that dies in between must not leave its inputs to the next one's query.
            calls, self._inputs = [*self._inputs, *calls], []
        return self._made(calls)[-1]

    def _made(self, calls: Sequence[Function]) -> tuple[Value, ...]:
        """Have these functions called, and tell the events that come first."""
        if not calls:
            return ()
        name, link = calls[-1][0], self._keeper.link
        if link is None:
            raise ControlLost(f"{name} was not called: no connection to {self._where}: {self._keeper.why}")
        number = next(self._calls) & 0xFFFFFFFF
        context = self._event.context if self._event is not None and self._event.link is link else 0
        link.send(messages.call(number, context, calls))
        while (outcome := self._outcome(link, number, name)) is None:
            self._tell_next()
        if outcome.error is not None:
            failed, (error, text) = calls[len(outcome.values)][0], outcome.error
            raise CallFailed(f"{failed} raised {error} in the control's process: {text}", outcome.values)
        return outcome.values

    def _outcome(self, link: Link, number: int, name: str) -> Outcome | None:
        """Wait for what came of a call; None: an event is to be told first."""
        inside = self._event is not None
        with self._changed:
            while (frame := self._inbox.outcome(number, inside=inside)) is None:
                if self._keeper.link is not link and not self._inbox.has_outcome(number):
                    raise ControlLost(
                        f"the connection to {self._where} was lost while {name} ran, and nobody "
                        f"knows what came of it: {self._keeper.why}",
                        begun=True,
                    )
                if self._inbox.cannot_wait(inside=inside):
                    return None
                self._changed.wait()
        return messages.read_result(frame)

    def _replace(self, reason: str) -> None:
        """End the connection without telling of it, and wait for the next. On the control's thread.

        Raises:
            ControlLost: there is none in time.
        """
        self._inputs.clear()
        self._keeper.replace(reason)

    # What the keeper of the connection says, on threads of its own.

    def _adopt(self, link: Link, welcome: Welcome) -> None:
        known = {name: partial(self._read if name in READING else self._call, name) for name in welcome.functions}
        for name in welcome.events:
            if name in EVENTS:
                self._signals.setdefault(name, Signal(name))
        is_first, self._functions = not self._functions, known
        self._adopted(link, welcome)
        if not is_first:
            self._inbox.put(Back(link))

    def _take(self, link: Link, received: list[bytes]) -> None:
        with self._changed:
            if self._keeper.link is not link:
                return
            self._inbox.take(link, received)
            behind = self._inbox.unread
            self._changed.notify_all()
        if behind > self._queue_bytes:
            link.end(f"this gateway is {behind} bytes behind the control's events")

    def _lose(self, is_loss: bool) -> None:
        self._inbox.forget_outcomes()
        if is_loss:
            self._inbox.put(Lost())
