"""What the exchange tells when it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime

    from koapy.simulation.model.accounts import Account, Position
    from koapy.simulation.model.market import Interruption, Trade
    from koapy.simulation.model.orders import Fill, Order
    from koapy.simulation.model.phases import Phase


class Traded(NamedTuple):
    """A trade happened; the quote has moved."""

    code: str
    trade: Trade


class BookChanged(NamedTuple):
    """The visible book may have changed; read it with `Exchange.depth`."""

    code: str


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """An order, cancel or modify has its number."""

    order: Order
    position: Position | None
    """Of a new sell: the position, of which less is orderable now."""


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """An order traded."""

    order: Order
    """After this fill."""
    fill: Fill
    position: Position
    """After this fill."""
    account: Account
    """After this fill."""


@dataclass(frozen=True, slots=True)
class OrderConfirmed:
    """A cancel or modify has been carried out."""

    order: Order
    """The cancel or modify."""
    original: Order
    """What it was about, after it."""
    quantity: int
    """Shares cancelled, or moved to the modify's number."""


@dataclass(frozen=True, slots=True)
class OrderCleared:
    """Nothing of an order is open any more because it was cancelled or modified."""

    original: Order


@dataclass(frozen=True, slots=True)
class OrderExpired:
    """The day ended with a part of the order open; `order` has that part in `open`."""

    order: Order


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """What can be sold changed without a trade: a sell order was cancelled."""

    account: str
    position: Position


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """A phase of the day began."""

    phase: Phase
    time: datetime


@dataclass(frozen=True, slots=True)
class AfterHoursChanged:
    """A book outside the day's hours may have changed; read it with `Exchange.after_hours`."""

    code: str


@dataclass(frozen=True, slots=True)
class AfterHoursTraded:
    """A trade outside the day's hours."""

    code: str
    time: datetime
    price: int
    quantity: int
    fixed: bool
    """At a close, not in an auction."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An issue trades in an auction from now on, because of its price."""

    interruption: Interruption


@dataclass(frozen=True, slots=True)
class Resumed:
    """The auction of an interruption is over."""

    interruption: Interruption


@dataclass(frozen=True, slots=True)
class DayStarted:
    """A new day began: reference prices, limits, quotes and order numbers are new."""

    day: date


Event = (
    Traded
    | BookChanged
    | OrderAccepted
    | OrderFilled
    | OrderConfirmed
    | OrderCleared
    | OrderExpired
    | PositionChanged
    | PhaseChanged
    | Interrupted
    | Resumed
    | AfterHoursChanged
    | AfterHoursTraded
    | DayStarted
)
