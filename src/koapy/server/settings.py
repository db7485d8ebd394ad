"""What can be set when a servicer is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from koapy.openapi.limit import CONDITION_WINDOWS, ORDER_WINDOWS, TR_WINDOWS
from koapy.orders.risk import RiskRules

if TYPE_CHECKING:
    from koapy.handlers.limits import HandlerLimits
    from koapy.openapi.limit import Window


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
    longest_event_seconds: float = 10.0
    """Seconds that such a client may ask for instead: all others wait meanwhile."""
    patience: tuple[float, ...] = (1.0, 3.0, 6.0)
    """Seconds until an order in doubt that is not listed is looked for again, and again; then it is undetermined."""
    drain_seconds: float = 5.0
    """Seconds that orders without a number are given at shutdown."""
    risk: RiskRules = field(default_factory=RiskRules)
    """What orders may be sent at all."""
    price_seconds: float = 10.0
    """Seconds for which a last price that was seen is good enough for the limits of risk."""
    custom_handlers: HandlerLimits | None = None
    """Limits of the event handlers that clients may send as code; None: they may not."""
    queue: int = 8192
    """Ticks that may wait to be read by one stream, and as many other messages."""
    client_streams: int = 4096
    """Streams that one client may have open: those that do not end by themselves, orders among them."""
    client_requests: int = 2048
    """Requests that one client may have under way: calls, queries, logins."""
    request_bytes: int = 2**20
    """Bytes that one message from a client may have."""
    client_bytes: int = 256 * 2**20
    """Bytes that may wait to be read by one client, in all of its streams; ticks may take half of them, and those that
    are just being written a quarter."""
    keepalive_seconds: float = 20.0
    """Seconds without a word after which a client that has something open is asked whether it is there."""
    keepalive_timeout_seconds: float = 10.0
    """Seconds that it has to answer; after that its connection is closed and everything of it given back."""
    freeze_seconds: float = 10.0
    """Seconds after which a control's thread that does not answer is taken to be frozen."""
