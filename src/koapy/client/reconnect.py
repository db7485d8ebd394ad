"""Trying again when a connection breaks: what may be repeated, when, and what the user is told of it. Pure.

Requests that only read are made again. An order is made again under its own idempotency key, and only at the journal
that it was first meant for: that one knows whether it was sent. Streams are opened again; those whose events have
numbers go on behind the last one, the others have a gap.
"""

from __future__ import annotations

import contextlib
import logging
import math
import random
import time
import warnings
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from koapy.client import requests
from koapy.client.errors import (
    ConnectionLost,
    KoapyError,
    KoapyWarning,
    PermissionDenied,
    PreconditionFailed,
    Unimplemented,
)
from koapy.client.order import uncertain
from koapy.client.plan import Ask, Collect, Pause
from koapy.openapi.calendar import KST
from koapy.protocol import gateway_pb2 as gateway
from koapy.protocol import streams_pb2 as v1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from koapy.client.plan import Plan, Source, Step
    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

T = TypeVar("T")

logger = logging.getLogger("koapy.client")
# Without a handler of its own, Python prints what is logged to stderr, where the warning stands already.
logger.addHandler(logging.NullHandler())

RECONNECT = 60.0
"""Seconds for which a client tries unless told otherwise."""
MOST_UNTOLD = 3
"""How often in all a stream that was refused without a reason is opened again at once."""
FIRST, LONGEST = 0.2, 2.0
"""Seconds: the longest wait before the first try, and before any."""
CLOSED_LONGEST = 30.0
"""The same while the gateway is closed by plan and has said until when: it may be open earlier, or go meanwhile."""

_LOST = frozenset({"", "SHUTTING_DOWN", "NOT_SENT"})
"""Reasons of ConnectionLost with which a gateway goes; "": it said nothing. NOT_SENT: the try that this one had joined
went with its connection before the order was sent."""
_NOT_YET = frozenset(
    {"NOT_LOGGED_IN", "CONNECTION_LOST", "MAINTENANCE", "UPGRADING", "CONTROL_FROZEN", "JOURNAL_FAILED"}
)
"""Reasons that a gateway has for a while after it has come back."""
_CLOSED = frozenset({"MAINTENANCE", "UPGRADING"})
"""Those of them that are by plan, so that the time does not count for which they are to last."""
_RESUMABLE = frozenset({"STREAM_QUEUE_FULL", "JOURNAL_FAILED", "CONTROL_SILENT", "CONNECTION_LOST"})
"""Reasons that end a stream with numbers, which goes on where it ended. CONTROL_SILENT: an order is in doubt, and
whoever asks again is told how that was resolved. CONNECTION_LOST: it goes on when somebody has logged in again."""


def delay(tries: int, chance: float) -> float:
    """Seconds before the next try after so many; `chance` (0 to 1) spreads the clients of a gateway that went."""
    return chance * min(LONGEST, FIRST * 2.0 ** min(tries, 16))


def closed_for(error: KoapyError) -> float:
    """For how many seconds more the gateway is closed by plan; 0 where it is not, or does not say until when."""
    if error.reason not in _CLOSED:
        return 0.0
    try:
        until = datetime.fromisoformat(error.details.get("until", ""))
        return max(0.0, (until - datetime.now(KST)).total_seconds())
    except (ValueError, TypeError):  # no time, or one without a zone
        return 0.0


@dataclass(frozen=True, slots=True)
class Interruption:
    """A time in which a stream was not connected, or the gateway was not connected to OpenAPI+."""

    since: datetime
    """When the loss was noticed, in KST."""
    until: datetime
    """When the gateway answered again, in KST, or had registered all anew."""
    resumed_from: int | None
    """Number of the event behind the last one that had been read; None where none had, or there are no numbers."""
    lost: bool
    """Whether the stream has missed what was told meanwhile."""


@dataclass(slots=True)
class Link:
    """What a client knows of its gateway, over all its connections."""

    address: str
    reconnect: float | None = RECONNECT
    """Seconds for which it tries; 0: never, None: without end. For a stream they begin anew when a time is over for
    which the gateway says that it is closed by plan."""
    timeout: float | None = None
    """Seconds for each request that is to end."""
    on_reconnect: Callable[[Interruption], object] | None = None
    reached: bool = False
    """Whether a gateway has ever answered: one that never did is not waited for."""
    journal: str | None = None
    """Identity of the journal behind the connection; "" when it keeps none, None when not asked yet."""
    login: pb.LoginRequest | None = None
    """How this client has logged in."""

    def broke(self, error: KoapyError) -> None:
        """Remember what an error tells."""
        self.reached = self.reached or _reached(error)
        if isinstance(error, ConnectionLost) or error.reason == "JOURNAL_CHANGED":
            self.journal = None

    def tell(self, text: str) -> None:
        """Tell the user that the connection went or came."""
        logger.warning("%s", text)
        warnings.warn(text, KoapyWarning, stacklevel=6)


class _Tries:
    """How long the tries after one loss may go on, and when the next one is due."""

    def __init__(self, most: float | None, clock: Callable[[], float], chance: Callable[[], float]) -> None:
        self._most = math.inf if most is None else most
        self._clock = clock
        self._chance = chance
        self._count = 0
        self._until: float | None = None

    @property
    def begun(self) -> bool:
        return self._until is not None

    def next(self, closed: float = 0.0) -> float | None:
        """Seconds before the next try; None when the time is over, which begins anew behind so many `closed` ones."""
        now = self._clock()
        if self._until is None or closed:
            self._until = now + closed + self._most
        if now >= self._until:
            return None
        wait = min(closed + delay(self._count, self._chance()), self._until - now)
        self._count += 1
        return min(wait, CLOSED_LONGEST) if closed else wait

    def reset(self) -> None:
        self._count, self._until = 0, None


def persistent(plan: Plan[T], link: Link) -> Plan[T]:
    """The plan, with each step that may be repeated tried again while the gateway is away."""
    with contextlib.closing(plan):
        try:
            step = next(plan)
            while True:
                try:
                    reply = yield from _tried(step, link)
                except KoapyError as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result


def journal(link: Link) -> Plan[str]:
    """The identity of the gateway's journal, asked once for each connection; "" when orders cannot be repeated."""
    if link.reconnect == 0:
        return ""
    if link.journal is None:
        try:
            status = yield Ask("Status", gateway.StatusRequest(), repeatable=True)
        except (Unimplemented, PermissionDenied):
            link.journal = ""
        else:
            # What cannot be sent back cannot be asked for.
            link.journal = status.journal if requests.sendable(status.journal) else ""
    return link.journal


def _tried(step: Step, link: Link) -> Plan[Any]:
    """One step, as often as it takes."""
    if isinstance(step, Pause):
        return (yield step)
    if isinstance(step, Ask) and step.order:
        return (yield from _ordered(step, link))
    return (yield from _repeated(step, link, _Sent()))


def _ordered(step: Ask, link: Link) -> Plan[Any]:
    """A call of SendOrder or its sisters."""
    known = yield from persistent(journal(link), link)
    sent = _Sent()
    metadata = (*step.metadata, *requests.expected(known))
    try:
        return (yield from _repeated(replace(step, metadata=metadata, repeatable=bool(known)), link, sent))
    except KoapyError as error:
        raise uncertain(error, "whether the order was sent is not known", perhaps_sent=sent.perhaps) from error


class _Sent:
    """Whether an earlier try may have reached the gateway."""

    perhaps = False


def _repeated(step: Ask | Collect, link: Link, sent: _Sent) -> Plan[Any]:
    limits = [each for each in (link.reconnect, link.timeout) if each is not None]
    tries = _Tries(min(limits, default=None), time.monotonic, random.random)
    begun = False

    def take(message: pb.ListenResponse) -> bool:
        nonlocal begun
        begun = True
        return isinstance(step, Collect) and step.take(message)

    made = replace(step, take=take) if isinstance(step, Collect) else step
    while True:
        was_away = tries.begun
        try:
            reply = yield made
        except KoapyError as error:
            repeatable = not begun if isinstance(step, Collect) else step.repeatable
            again = _lost(error, link) or (was_away and error.reason in _NOT_YET)
            wait = tries.next() if again and (repeatable or not _reached(error)) else None
            link.broke(error)
            if wait is None:
                raise
            sent.perhaps = sent.perhaps or _reached(error)
            if not was_away:
                link.tell(_going(error, link))
            yield from _pause(wait, error, link)
        else:
            link.reached = True
            if was_away:
                link.tell(f"{link.address} is back")
            return reply


class Follow(Generic[T]):
    """A stream over any number of connections: what to open, which of its messages are new, what the user is told."""

    def __init__(
        self,
        source: Source[T],
        link: Link,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.source = source
        self.sequence = source.sequence
        self.interruptions: list[Interruption] = []
        self._gaps: list[str] = []
        """What the gateway has told of itself, and the user has not heard."""
        self._link = link
        self._tries = _Tries(link.reconnect, clock, chance)
        self._clock = clock
        self._since: datetime | None = None
        self._back = clock()
        self._heard = False
        self._untold = 0

    @property
    def _sends(self) -> bool:
        """Whether to open it again may send an order, which nobody wants to happen hours later."""
        return self.source.rpc == "OrderCall" and not self.sequence

    @property
    def interrupted(self) -> bool:
        """Whether it was lost and nothing has come back yet."""
        return self._since is not None

    def took(self, message: Any) -> Iterable[T]:
        """The items of a message; none of one that was read before the connection broke."""
        self._link.reached = self._heard = True
        number = getattr(message, "sequence", 0)
        if self.source.ascending and number <= self.sequence:
            return ()
        items = list(self.source.parse(message))
        self._gaps += getattr(message, "gaps", ())
        self.sequence = max(self.sequence, number)
        if items or not number:
            self._tries.reset()
        return items

    def steer(self, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> v1.EventsRequest:
        """The request that changes the codes of the stream, which keeps the change when it is opened again.

        Raises: Unimplemented, where the server has no stream whose codes change.
        """
        first = self.source.request
        if not isinstance(first, v1.EventsRequest):
            text = f"{self._link.address} has no stream whose codes change; close this one and open another"
            raise Unimplemented(text)
        change = requests.codes(add, remove)
        self.source = replace(self.source, request=requests.changed(first, change))
        return change

    def back(self) -> None:
        """Tell that the gateway has answered, if it was away; what it sent is safe by then, should a warning raise."""
        while self._gaps:
            self._tell_gap(self._gaps.pop(0))
        if self._since is None:
            return
        lost = self.source.again is None
        resumed = None if lost or not self.sequence else self.sequence + 1
        found = Interruption(self._since, datetime.now(KST), resumed, lost)
        self._since = None
        self._back = self._clock()
        self.interruptions.append(found)
        seconds = (found.until - found.since).total_seconds()
        then = "what was told meanwhile is lost" if lost else "nothing was missed"
        self._link.tell(f"{self.source.rpc}: {self._link.address} is back after {seconds:.1f} s; {then}")
        if self._link.on_reconnect is not None:
            self._link.on_reconnect(found)

    def _tell_gap(self, text: str) -> None:
        """The gateway had no connection to OpenAPI+; the stream has gone on, and what was told meanwhile is lost."""
        since, until = map(datetime.fromisoformat, text.split("/"))
        found = Interruption(since, until, None, lost=True)
        self.interruptions.append(found)
        without = f"{self._link.address} was not connected to OpenAPI+, {text}"
        self._link.tell(f"{self.source.rpc}: {without}; what was told meanwhile is lost")
        if self._link.on_reconnect is not None:
            self._link.on_reconnect(found)

    def broke(self, error: KoapyError) -> Plan[None]:
        """Wait until it may be opened again. Raises: what the user gets when it may not, or the time is over."""
        if isinstance(error, Unimplemented) and self.source.otherwise is not None:
            self.source = self.source.otherwise(self.source.request)
            return
        if isinstance(error, ConnectionLost) and error.untold and not self._heard and self._untold < MOST_UNTOLD:
            self._untold += 1  # a server that refused it before it had the request; asked again, that is told
            return
        self._heard = False
        source = self._again(error)
        if not self.interrupted and self._clock() - self._back > LONGEST:
            # A loss of its own. Sooner, and without news, it is a gateway that answers and cannot go on.
            self._tries.reset()
        wait = None if source is None else self._tries.next(0.0 if self._sends else closed_for(error))
        self._link.broke(error)
        if source is None or wait is None:
            raise self.source.failed(error)
        if self._since is None:
            self._since = datetime.now(KST)
            self._link.tell(_going(error, self._link))
        if source.again is not None:
            self.source = source
        yield from _pause(wait, error, self._link)

    def _again(self, error: KoapyError) -> Source[T] | None:
        again = self.source.again
        possible = (
            _lost(error, self._link)
            or (self._tries.begun and error.reason in _NOT_YET)
            or (again is not None and error.reason in _RESUMABLE)
        )
        if again is None:
            return self.source if possible else None
        return again(error, self.sequence) if possible or error.reason == "JOURNAL_CHANGED" else None


def _lost(error: KoapyError, link: Link) -> bool:
    """Whether the gateway went away; one that was never there did not."""
    return isinstance(error, ConnectionLost) and error.reason in _LOST and (error.reached or link.reached)


def _reached(error: KoapyError) -> bool:
    return not isinstance(error, ConnectionLost) or error.reached


def _going(error: KoapyError, link: Link) -> str:
    most = "without end" if link.reconnect is None else f"for {link.reconnect:g} s"
    return f"{error}; trying again {most}"


def _pause(seconds: float, error: KoapyError, link: Link) -> Plan[None]:
    yield Pause(seconds)
    if error.reason == "NOT_LOGGED_IN" and isinstance(error, PreconditionFailed | ConnectionLost) and link.login:
        # A gateway that was restarted may have a control that nobody has logged in yet.
        with contextlib.suppress(KoapyError):
            yield Collect("LoginCall", link.login, lambda message: False)
