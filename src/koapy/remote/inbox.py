"""What has come from a host and is not told yet, and what calls came to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.remote import messages
from koapy.remote.frames import Kind

if TYPE_CHECKING:
    from koapy.remote.link import Link


@dataclass(frozen=True, slots=True)
class Heard:
    """An event's frame, and the connection that it came over."""

    link: Link
    frame: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection has ended; told after all that came before."""


@dataclass(frozen=True, slots=True)
class Back:
    """The connection was made again."""

    link: Link


News = Heard | Lost | Back


class Inbox:
    """News in the order in which they came. All of it is used under one condition, which is the owner's."""

    def __init__(self) -> None:
        self._news: deque[News] = deque()
        self._held = 0
        """How many of the events that wait here the control waits in."""
        self._arrived = self._told = 0
        """How many news there have been, and how many of them are told or being told."""
        self._outcomes: dict[int, tuple[bytes, int]] = {}
        """What calls came to, and how many news had arrived before."""
        self.unread = 0
        """Bytes of the events that wait here."""

    def __bool__(self) -> bool:
        return bool(self._news)

    def put(self, news: News) -> None:
        """Something to be told."""
        self._news.append(news)
        self._arrived += 1

    def take(self, link: Link, received: list[bytes]) -> None:
        """Events and outcomes that a connection has brought."""
        for frame in received:
            if frame[0] == Kind.EVENT:
                self.put(Heard(link, frame))
                self.unread += len(frame)
                self._held += messages.is_held(frame)
            else:
                self._outcomes[messages.outcome_of(frame)] = frame, self._arrived

    def next(self) -> News | None:
        """The next to be told, which counts as told from now on; None where there is none."""
        if not self._news:
            return None
        news = self._news.popleft()
        self._told += 1
        if isinstance(news, Heard):
            self.unread -= len(news.frame)
            self._held -= messages.is_held(news.frame)
        return news

    def has_outcome(self, number: int) -> bool:
        """Whether it is known what came of a call."""
        return number in self._outcomes

    def outcome(self, number: int, *, inside: bool) -> bytes | None:
        """What came of a call, once: outside of events, when all has been told that came before it."""
        frame, before = self._outcomes.get(number, (None, 0))
        if frame is None or (self._told < before and not inside):
            return None
        del self._outcomes[number]
        return frame

    def cannot_wait(self, *, inside: bool) -> bool:
        """Whether news are to be told before a call's outcome can come, or be given."""
        return self._held > 0 or (bool(self._news) and not inside)

    def forget_outcomes(self) -> None:
        """No call that was made has anybody left to answer it."""
        self._outcomes.clear()
