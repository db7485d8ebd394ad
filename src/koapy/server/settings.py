"""What can be set when a servicer is made."""

from __future__ import annotations

from dataclasses import dataclass

from koapy.openapi.limit import CONDITION_WINDOWS, ORDER_WINDOWS, TR_WINDOWS, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a servicer treats its control and its clients."""

    tr_windows: tuple[Window, ...] = TR_WINDOWS["guide"]
    """Calls and seconds of each sliding window for queries; `koapy.openapi.limit.TR_WINDOWS` has the known sets."""
    order_windows: tuple[Window, ...] = ORDER_WINDOWS["guide"]
    """The same for orders."""
    condition_windows: tuple[Window, ...] = CONDITION_WINDOWS["guide"]
    """The same for searches of the same condition."""
    answer_seconds: float = 30.0
    """Seconds after which a control that owes an answer is taken to be silent."""
    event_seconds: float = 5.0
    """Seconds that an event waits for a client that listens in both directions."""
    drain_seconds: float = 5.0
    """Seconds that orders without a number are given at shutdown."""
    queue: int = 8192
    """Messages that may wait to be read by one stream."""
