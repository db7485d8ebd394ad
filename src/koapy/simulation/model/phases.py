"""The parts of a day: of the exchange's hours, and of what goes on outside them."""

from __future__ import annotations

from enum import Enum

from koapy.simulation.model.orders import OrderKind


class Phase(Enum):
    """Part of the exchange's day."""

    BEFORE_OPEN = "before open"
    OPENING_AUCTION = "opening auction"
    CONTINUOUS = "continuous"
    CLOSING_AUCTION = "closing auction"
    CLOSED = "closed"

    @property
    def auction(self) -> bool:
        """Orders are collected and traded at one price when the phase ends."""
        return self in (Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION)

    @property
    def takes_orders(self) -> bool:
        """Orders may be placed, modified and cancelled."""
        return self is Phase.CONTINUOUS or self.auction


class AfterHours(Enum):
    """What goes on outside the day's hours, on the real server."""

    EARLY = "before hours"
    """08:30 to 08:40, at yesterday's close."""
    WAITING = "orders for after hours"
    """15:30 to 15:40: orders at today's close are taken, and trade later."""
    LATE = "after hours"
    """15:40 to 16:00, at today's close."""
    AUCTIONS = "auctions after hours"
    """16:00 to 18:00, an auction each ten minutes within 10 % of the close."""

    @property
    def kind(self) -> OrderKind:
        """The kind of order that is taken."""
        if self is AfterHours.EARLY:
            return OrderKind.EARLY_CLOSE
        return OrderKind.LATE_AUCTION if self is AfterHours.AUCTIONS else OrderKind.LATE_CLOSE
