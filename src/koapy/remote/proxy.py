"""A control in another process, as a program sees it: what all such controls share, whatever lies in between."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from koapy.control.jobs import fulfil
from koapy.control.owner import Owner
from koapy.control.reads import ELSEWHERE, READING, Nothing, Reads
from koapy.control.signals import Signal
from koapy.openapi.functions import EVENTS
from koapy.remote import frames
from koapy.remote.frames import LARGEST, FrameError, Kind
from koapy.remote.link import Link, Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from koapy.control.reads import Carried, Value
    from koapy.remote.frames import Welcome
    from koapy.remote.link import Stream

logger = logging.getLogger(__name__)

CONNECTION_LOST, CONNECTED = -106, 0
"""OnEventConnect: OP_ERR_SOCKET_CLOSED is what OpenAPI+ itself tells when its connection has ended under a program, so
programs know what to do about it; that the connection is OpenAPI+'s or this one makes no difference to them."""
LOGGED_IN = 1
"""GetConnectState."""

EVENTS_A_TURN = 100
"""Events that are told before submitted work gets its turn."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds between two attempts to connect; each pause is up to twice the one before."""


class ControlLost(ConnectionError):
    """There is no connection to the process that has the control; calls fail until it is back."""

    def __init__(self, text: str, *, begun: bool = False) -> None:
        super().__init__(text)
        self.begun = begun
        """Whether the call may have been made; otherwise it has not been and never will be."""


class Proxy(Owner):
    """The functions and events of a control in another process.

    It owns a thread, on which all functions must be called and all events are told, one at a time and in the order in
    which the control told them; `submit` runs a callable there. Events that come while a call outside of events waits
    for its outcome are told within it, before it returns; those that come while an event is being told wait for its
    end, but for one that the control itself waits in: that one, and those before it, are told at once, since nothing
    else goes on over there. Inside an event the functions that read it are answered from what came with it; all others
    are made in the other process: within the event where the control waits in it, else after it.

    When the connection is lost OnEventConnect(-106) is told, and every call raises `ControlLost`. It is made again by
    itself, in pauses that grow to `longest_pause`.

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
    longest_pause = LONGEST_PAUSE

    def __init__(self, where: str, *, name: str, wait: float, pace: Pace | None) -> None:
        super().__init__(where)
        self._name = name
        self._pace = pace or Pace()
        # All below is changed under the condition only, as are the jobs.
        self._news: deque[tuple[Link, bytes] | _Lost | _Back] = deque()
        """What is to be told, in order: events, and what became of the connection."""
        self._unread = 0
        self._held = 0
        """How many of the events that are to be told the control waits in."""
        self._arrived = self._told = 0
        """How many news there have been, and how many of them are told or being told."""
        self._outcomes: dict[int, tuple[bytes, int]] = {}
        """What calls returned, and how many news had arrived before."""
        self._link: Link | None = None
        self._greeted: Link | None = None
        """The connection that has not been answered yet."""
        self._replaced: Link | None = None
        """A connection whose end is nobody's loss."""
        self._why = "it has never been there"
        # Of the control's thread only.
        self._calls = itertools.count(1)
        self._inputs: list[tuple[str, tuple[Value, ...]]] = []
        self._event: tuple[Link | None, int, Reads] | None = None
        """The event that is being told: whence, the innermost around it that is held (0: none), what it carries."""
        self._functions: Mapping[str, Callable[..., Any]] = {}
        self._signals: dict[str, Signal] = {}
        self._first = Future[None]()
        self._wake = threading.Event()
        self._keeper = threading.Thread(target=self._keep, args=(time.monotonic() + wait,), name="koapy-remote-link")
        self._thread = threading.Thread(target=self._run, name="koapy-remote")
        for thread in (self._keeper, self._thread):
            thread.daemon = True
            thread.start()
        try:
            self._first.result()
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

    def _adopted(self, link: Link, welcome: Welcome) -> None:
        """A host has said what it offers; what it must be told before any call is sent now. On its reading thread."""

    def _remarked(self, frame: bytes) -> None:
        """The host says something that only some do. On its reading thread.

        Raises:
            FrameError: this kind of host has nothing such to say.
        """
        raise FrameError(f"{frames.kind(frame).name} was not expected of a host")

    def _returned(self) -> None:
        """The connection is there again. On the control's thread."""

    def _missed(self, function: str, args: tuple[Value, ...]) -> None:
        """A slot has read what its event did not carry. On the control's thread."""

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
        return self._link is not None

    def close(self) -> None:
        """End the connection and the threads; the control in the other process goes on. Harmless twice."""
        with self._changed:
            self._closed = True
            link, greeted = self._link, self._greeted
            self._changed.notify_all()
        self._wake.set()
        if greeted is not None:
            greeted.end("closed")
        if link is not None:
            link.finish(frames.told(Kind.BYE, "the gateway is shutting down"), "closed")
        if self._keeper is not threading.current_thread():
            self._keeper.join()
        super().close()

    # The control's thread.

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._jobs or self._news or self._closed):
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
            if not self._news:
                return False
            news = self._news.popleft()
            self._told += 1
            if isinstance(news, tuple):
                self._unread -= len(news[1])
                self._held -= frames.is_held(news[1])
        if isinstance(news, _Lost):
            self._inputs.clear()
            self._tell("OnEventConnect", (CONNECTION_LOST,))
        elif isinstance(news, _Back):
            if news.link is self._link:
                self._returned()
        else:
            self._tell_frame(*news)
        return True

    def _tell_frame(self, link: Link, frame: bytes) -> None:
        try:
            event = frames.read_event(frame)
        except FrameError as error:
            link.end(f"what came is not the protocol: {error}")
            return
        self._tell(event.name, event.args, event.carried, link, event.number if event.held else 0)
        if event.held:
            link.send(frames.done(event.number))

    def _tell(
        self,
        name: str,
        args: tuple[Value, ...],
        carried: Carried | None = None,
        link: Link | None = None,
        held: int = 0,
    ) -> None:
        signal = self._signals.get(name)
        if signal is None:
            return
        outer = self._event
        if outer is not None and outer[0] is link:
            held = held or outer[1]
        self._event = link, held, Reads(carried or Nothing())
        try:
            signal.tell(*args)
        finally:
            self._event = outer

    def _call(self, name: str, *args: Value) -> Value:
        """Call a function of the control."""
        self._require_own_thread(name)
        context = 0
        link = self._link
        if self._event is not None:
            of, held, reads = self._event
            known = reads.answer(name, args)
            if known is not ELSEWHERE:
                return known  # type: ignore[return-value]
            if name in READING:
                self._missed(name, args)
            context = held if of is link else 0
        if link is None:
            raise ControlLost(f"{name} was not called: no connection to {self._where}: {self._why}")
        if name == "SetInputValue":
            self._inputs.append((name, args))
            return None
        calls: list[tuple[str, tuple[Value, ...]]] = [(name, args)]
        if name == "CommRqData":
            # In one piece: a gateway that dies in between must not leave its inputs to the next one's query.
            calls, self._inputs = [*self._inputs, *calls], []
        number = next(self._calls) & 0xFFFFFFFF
        link.send(frames.call(number, context, calls))
        return self._outcome(link, number, name)

    def _replace(self, reason: str) -> None:
        """End the connection without telling of it, and wait for the next. On the control's thread.

        Raises:
            ControlLost: there is none in time.
        """
        old = self._link
        if old is not None:
            self._replaced = old
            self._inputs.clear()
            old.end(reason)
        with self._changed:
            if not self._changed.wait_for(lambda: self._link is not None or self._closed, self.greeting_seconds):
                raise ControlLost(f"{self._where} did not come back: {self._why}")

    def _outcome(self, link: Link, number: int, name: str) -> Value:
        """Wait for what a call returns, and tell the events that come before."""
        while (frame := self._next_outcome(link, number, name)) is None:
            self._tell_next()
        value, error = frames.read_outcome(frame)
        if error is not None:
            raise RuntimeError(f"{name} raised {error[0]} in the control's process: {error[1]}")
        return value

    def _next_outcome(self, link: Link, number: int, name: str) -> bytes | None:
        """Wait for what a call returns; None: an event is to be told first."""
        with self._changed:
            while True:
                frame, before = self._outcomes.get(number, (None, 0))
                if frame is not None and (self._event is not None or self._told >= before):
                    del self._outcomes[number]
                    return frame
                if frame is None and self._link is not link:
                    raise ControlLost(
                        f"the connection to {self._where} was lost while {name} ran, and nobody "
                        f"knows what came of it: {self._why}",
                        begun=True,
                    )
                if self._held or (self._news and self._event is None):
                    return None
                self._changed.wait()

    # The connection's threads.

    def _keep(self, until: float) -> None:
        """Connect, watch the connection, and connect again; until closed."""
        pause = FIRST_PAUSE
        while not self._closed:
            try:
                self._connect()
            except (OSError, FrameError) as error:
                self._why = str(error)
                if not self._first.done() and time.monotonic() + pause > until:
                    text = f"{self._where} is not there: {error}"
                    self._first.set_exception(ControlLost(text))
                    return
                self._wake.wait(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, self.longest_pause)
                continue
            pause = FIRST_PAUSE
            if not self._first.done():
                self._first.set_result(None)
            self._watch()

    def _watch(self) -> None:
        while (link := self._link) is not None and not self._wake.wait(self._pace.beat_seconds / 2):
            link.beat()
            self._watched()

    def _connect(self) -> None:
        greeting = Future[frames.Welcome]()
        conversation = _Conversation(self, greeting)
        link = conversation.link = Link(
            self._open(), conversation.received, conversation.ended, largest=LARGEST, pace=self._pace
        )
        with self._changed:
            self._greeted = link
        link.start()
        link.send(frames.hello(self._name))
        try:
            if not self._closed:
                greeting.result(self.greeting_seconds)
        except TimeoutError:
            link.end("the host does not answer HELLO")
            raise ControlLost("the host does not answer HELLO") from None
        finally:
            with self._changed:
                self._greeted = None

    def adopt(self, link: Link, welcome: Welcome) -> None:
        """Use this connection from now on. Called on its reading thread, before anything else of it is handed on."""
        known = {name: partial(self._call, name) for name in welcome.functions}
        for name in welcome.events:
            if name in EVENTS:
                self._signals.setdefault(name, Signal(name))
        with self._changed:
            if link.over:  # what ended it has found nothing to lose
                raise FrameError("the connection ended with its greeting")
            self._functions = known
            self._adopted(link, welcome)
            self._link = link
            if self._first.done():
                self._add(_Back(link))
            self._changed.notify_all()
        logger.info("connected to %s, session %s", self._where, welcome.session)

    def take(self, link: Link, received: list[bytes]) -> None:
        """Events and outcomes from the host."""
        with self._changed:
            if self._link is not link:
                return
            for frame in received:
                if frame[0] == Kind.EVENT:
                    self._add((link, frame))
                    self._unread += len(frame)
                    self._held += frames.is_held(frame)
                else:
                    self._outcomes[frames.outcome_of(frame)] = frame, self._arrived
            behind = self._unread
            self._changed.notify_all()
        if behind > self._pace.queue_bytes:
            link.end(f"this gateway is {behind} bytes behind the control's events")

    def _add(self, news: tuple[Link, bytes] | _Lost | _Back) -> None:
        self._news.append(news)
        self._arrived += 1

    def remarked(self, frame: bytes) -> None:
        """Something that only some hosts say."""
        self._remarked(frame)

    def lose(self, link: Link, reason: str) -> None:
        """This connection has ended."""
        with self._changed:
            if self._link is not link:
                return
            self._link = None
            self._why = reason
            self._outcomes.clear()
            if not self._closed and link is not self._replaced:
                self._add(_Lost())
            self._changed.notify_all()
        if not self._closed and link is not self._replaced:
            logger.warning("%s is lost: %s", self._where, reason)


class _Lost:
    """The connection has ended; told after all that came before."""


class _Back:
    """The connection was made again."""

    def __init__(self, link: Link) -> None:
        self.link = link


class _Conversation:
    """What one connection brings, on its reading thread."""

    link: Link

    def __init__(self, control: Proxy, greeting: Future[Welcome]) -> None:
        self._control = control
        self._greeting = greeting

    def received(self, received: list[bytes]) -> None:
        """Sort what has come."""
        news: list[bytes] = []
        for frame in received:
            match frames.kind(frame):
                case Kind.EVENT | Kind.RESULT | Kind.FAILED if self._greeting.done():
                    news.append(frame)
                case Kind.WELCOME if not self._greeting.done():
                    self._greeted(frames.read_welcome(frame))
                case (Kind.REFUSED | Kind.BYE) as last:
                    self._control.take(self.link, news)
                    self.link.end(frames.read_told(frame, last))
                    return
                case Kind.BEAT:
                    pass
                case Kind.DIALOG | Kind.BUSY:
                    self._control.remarked(frame)
                case other:
                    raise FrameError(f"{other.name} was not expected of a host")
        if news:
            self._control.take(self.link, news)

    def _greeted(self, welcome: Welcome) -> None:
        if welcome.version != frames.VERSION:
            raise FrameError(f"the host speaks version {welcome.version} of the protocol, this is {frames.VERSION}")
        self._control.adopt(self.link, welcome)
        with suppress(InvalidStateError):  # it may have ended in between
            self._greeting.set_result(welcome)

    def ended(self, reason: str) -> None:
        """The connection is over."""
        with suppress(InvalidStateError):
            self._greeting.set_exception(ControlLost(reason))
        self._control.lose(self.link, reason)
