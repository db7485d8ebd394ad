"""The life of an RPC as a state machine without I/O: events in; messages, control calls and the end out.

A driver (`koapy.server.driver`) owns the waiting: it makes the calls on the control's thread when the limits allow it,
feeds back what they returned and what the control told, and writes the messages. A machine is used by one task only.
Screens and request names in calls are the control's own; events carry the client's.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from koapy.server.events import Event
    from koapy.server.failure import Failure


class Limit(Enum):
    """What a call counts against."""

    TR = "TR"
    ORDER = "order"
    CONDITION = "condition"


class Send(NamedTuple):
    """Write `event` to the client."""

    event: Event


class Ask(NamedTuple):
    """Make these control calls in one piece, when `limit` allows it; `returned` gets the last call's value."""

    calls: tuple[tuple[str, tuple[str | int, ...]], ...]
    limit: Limit | None = None
    key: str = ""
    """What the limit is counted for, where it has a count of its own: a condition's index and name."""


class Done(NamedTuple):
    """The RPC ends, well or with a failure."""

    failure: Failure | None = None


class Numbered(NamedTuple):
    """What the RPC held until its order has a number, and its client has been told, is needed no more."""


Effect = Send | Ask | Numbered | Done


class Machine(Protocol):
    """One RPC's life. Asks are made in the order given, one at a time; events may come between an ask and its return.

    What follows a Done does not happen.
    """

    @property
    def waiting_for(self) -> str:
        """What the control owes an answer to, for the deadline's text; "" when it owes none."""
        ...

    def start(self) -> Iterable[Effect]:
        """The first effects."""
        ...

    def returned(self, ask: Ask, value: object) -> Iterable[Effect]:
        """The control call of `ask` has returned `value`."""
        ...

    def received(self, event: Event) -> Iterable[Effect]:
        """The control has fired an event that this RPC is subscribed to."""
        ...

    def release(self) -> Iterable[Ask]:
        """The calls that give back what the RPC took at the control, at whatever end."""
        ...
