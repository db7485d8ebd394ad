"""What the exchange tells about itself: instruments, quotes, trades, orders, positions and events.

Everything here is a snapshot: it never changes once made, so a listener may keep it. Prices and amounts are whole won,
times are aware and in Korean time.
"""

from koapy.simulation.model.accounts import Account, AccountSetup, PastDay, Position
from koapy.simulation.model.events import (
    AfterHoursChanged,
    AfterHoursTraded,
    BookChanged,
    DayStarted,
    Event,
    Interrupted,
    OrderAccepted,
    OrderCleared,
    OrderConfirmed,
    OrderExpired,
    OrderFilled,
    PhaseChanged,
    PositionChanged,
    Resumed,
    Traded,
)
from koapy.simulation.model.market import (
    AfterHoursQuote,
    Bar,
    Depth,
    Instrument,
    Interruption,
    Level,
    Quote,
    Tick,
    Trade,
)
from koapy.simulation.model.orders import Action, Credit, Fill, Order, OrderKind, OrderState, Refusal, Refused, Side
from koapy.simulation.model.phases import AfterHours, Phase
from koapy.simulation.model.sectors import Sector, SectorMoment, SectorQuote

__all__ = [
    "Account",
    "AccountSetup",
    "Action",
    "AfterHours",
    "AfterHoursChanged",
    "AfterHoursQuote",
    "AfterHoursTraded",
    "Bar",
    "BookChanged",
    "Credit",
    "DayStarted",
    "Depth",
    "Event",
    "Fill",
    "Instrument",
    "Interrupted",
    "Interruption",
    "Level",
    "Order",
    "OrderAccepted",
    "OrderCleared",
    "OrderConfirmed",
    "OrderExpired",
    "OrderFilled",
    "OrderKind",
    "OrderState",
    "PastDay",
    "Phase",
    "PhaseChanged",
    "Position",
    "PositionChanged",
    "Quote",
    "Refusal",
    "Refused",
    "Resumed",
    "Sector",
    "SectorMoment",
    "SectorQuote",
    "Side",
    "Tick",
    "Trade",
    "Traded",
]
