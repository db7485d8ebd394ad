"""Keeps a connection to a host: makes it, watches it, and makes it again when it is lost."""

from __future__ import annotations

import logging
import random
import threading
import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.remote import messages
from koapy.remote.frames import LARGEST, FrameError, Kind, kind
from koapy.remote.link import Link, Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.remote.link import Stream
    from koapy.remote.messages import Welcome

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds between two attempts to connect; each pause is up to twice the one before."""


class ControlLost(ConnectionError):
    """There is no connection to the process that has the control; calls fail until it is back."""

    def __init__(self, text: str, *, begun: bool = False) -> None:
        super().__init__(text)
        self.begun = begun
        """Whether the call may have been made; otherwise it has not been and never will be."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a keeper asks and tells those whose connection it keeps; on its own thread, or on a reading one."""

    open: Callable[[], Stream]
    """Connect. Raises OSError."""
    introduce: Callable[[Link], object]
    """HELLO has been sent."""
    adopt: Callable[[Link, Welcome], object]
    """A host has said what it offers, and its connection is to be used from now on; under the condition."""
    take: Callable[[Link, list[bytes]], object]
    """Events and outcomes."""
    remark: Callable[[bytes], object]
    """Something that only some hosts say."""
    lose: Callable[[bool], object]
    """The connection has ended, by itself or because nobody wants it any more; under the condition."""
    excuse: Callable[[], bool]
    """Whether it is known why there is no host, and that there will be one: the first connection may wait for it."""
    watch: Callable[[], object]
    """Called again and again while there is a connection."""


class Keeper:
    """A connection that is made again by itself, in pauses that grow.

    Args:
        where: what words call the other side.
        hooks: what is asked and told.
        changed: what `link` is changed under, and told of.
        name: what the other side calls this gateway.
        wait: seconds in which the first connection must be made.
        greeting_seconds: how long a host may take to say what it offers.
        pace: when the other side is taken to be dead.
    """

    def __init__(
        self,
        where: str,
        hooks: Hooks,
        changed: threading.Condition,
        *,
        name: str,
        wait: float,
        greeting_seconds: float,
        pace: Pace,
    ) -> None:
        self.link: Link | None = None
        """The connection, once the host has said what it offers."""
        self.why = "it has never been there"
        """Why there is none, or why the last one has ended."""
        self.wake = threading.Event()
        """Set when this is closed: nobody goes on waiting then."""
        self._where = where
        self._hooks = hooks
        self._changed = changed
        self._name = name
        self._wait = wait
        self._greeting_seconds = greeting_seconds
        self._pace = pace
        self._greeted: Link | None = None
        """The connection that has not been answered yet."""
        self._replaced: Link | None = None
        """A connection whose end is nobody's loss."""
        self._first = Future[None]()
        self._thread = threading.Thread(target=self._keep, name="koapy-remote-link", daemon=True)

    def start(self) -> None:
        """Begin, and wait for the first connection.

        Raises:
            ControlLost: there is none in time, or the host refused.
        """
        self._thread.start()
        self._first.result()

    def close(self) -> None:
        """Say good-bye and end the connection and the thread. Harmless twice."""
        with self._changed:
            link, greeted = self.link, self._greeted
            self.wake.set()
            self._changed.notify_all()
        if greeted is not None:
            greeted.end("closed")
        if link is not None:
            link.finish(messages.told(Kind.BYE, "the gateway is shutting down"), "closed")
        if self._thread is not threading.current_thread():
            self._thread.join()

    def replace(self, reason: str) -> None:
        """End the connection without telling of it, and wait for the next.

        Raises:
            ControlLost: there is none in time.
        """
        self.drop(reason, silently=True)
        with self._changed:
            if not self._changed.wait_for(lambda: self.link is not None or self.wake.is_set(), self._greeting_seconds):
                raise ControlLost(f"{self._where} did not come back: {self.why}")

    def drop(self, reason: str, *, silently: bool) -> None:
        """End the connection, also one that has just been begun; `silently`: without telling of it."""
        link = self.link or self._greeted
        if link is not None:
            if silently:
                self._replaced = link
            link.end(reason)

    def _keep(self) -> None:
        until = time.monotonic() + self._wait
        pause = FIRST_PAUSE
        while not self.wake.is_set():
            try:
                self._connect()
            except (OSError, FrameError) as error:
                self.why = str(error)
                if not (self._first.done() or self._hooks.excuse()) and time.monotonic() + pause > until:
                    self._first.set_exception(ControlLost(f"{self._where} is not there: {error}"))
                    return
                self.wake.wait(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            if not self._first.done():
                self._first.set_result(None)
            while (link := self.link) is not None and not self.wake.wait(self._pace.beat_seconds / 2):
                link.beat()
                self._hooks.watch()

    def _connect(self) -> None:
        greeting = Future[None]()
        conversation = _Conversation(self, greeting)
        link = conversation.link = Link(
            self._hooks.open(), conversation.received, conversation.ended, largest=LARGEST, pace=self._pace
        )
        with self._changed:
            self._greeted = link
        link.start()
        link.send(messages.hello(self._name))
        self._hooks.introduce(link)
        try:
            if not self.wake.is_set():
                greeting.result(self._greeting_seconds)
        except TimeoutError:
            link.end("the host does not answer HELLO")
            raise ControlLost("the host does not answer HELLO") from None
        finally:
            with self._changed:
                self._greeted = None

    # What the one conversation that goes on says, on its reading thread.

    def adopt(self, link: Link, welcome: Welcome) -> None:
        """Use this connection from now on, before anything else of it is handed on."""
        with self._changed:
            if link.over:  # what ended it has found nothing to lose
                raise FrameError("the connection ended with its greeting")
            self._hooks.adopt(link, welcome)
            self.link = link
            self._changed.notify_all()
        logger.info("connected to %s, session %s", self._where, welcome.session)

    def take(self, link: Link, received: list[bytes]) -> None:
        """Events and outcomes."""
        self._hooks.take(link, received)

    def remark(self, frame: bytes) -> None:
        """Something that only some hosts say."""
        self._hooks.remark(frame)

    def lose(self, link: Link, reason: str) -> None:
        """This connection has ended."""
        with self._changed:
            if self.link is not link:
                return
            self.link = None
            self.why = reason
            is_loss = not (self.wake.is_set() or link is self._replaced)
            self._hooks.lose(is_loss)
            self._changed.notify_all()
        if is_loss:
            logger.warning("%s is lost: %s", self._where, reason)


class _Conversation:
    """What one connection brings, on its reading thread."""

    link: Link

    def __init__(self, keeper: Keeper, greeting: Future[None]) -> None:
        self._keeper = keeper
        self._greeting = greeting

    def received(self, received: list[bytes]) -> None:
        """Sort what has come."""
        news: list[bytes] = []
        for frame in received:
            match kind(frame):
                case Kind.EVENT | Kind.RESULT if self._greeting.done():
                    news.append(frame)
                case Kind.WELCOME if not self._greeting.done():
                    self._keeper.adopt(self.link, messages.read_welcome(frame))
                    with suppress(InvalidStateError):  # it may have ended in between
                        self._greeting.set_result(None)
                case (Kind.REFUSED | Kind.BYE) as last:
                    self._keeper.take(self.link, news)
                    self.link.end(messages.read_told(frame, last))
                    return
                case Kind.BEAT:
                    pass
                case Kind.DIALOG | Kind.BUSY:
                    self._keeper.remark(frame)
                case other:
                    raise FrameError(f"{other.name} was not expected of a host")
        if news:
            self._keeper.take(self.link, news)

    def ended(self, reason: str) -> None:
        """The connection is over."""
        with suppress(InvalidStateError):
            self._greeting.set_exception(ControlLost(reason))
        self._keeper.lose(self.link, reason)
