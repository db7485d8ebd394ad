"""The exchange: instruments, books, other traders, accounts and the phases of the day. It knows no OpenAPI+ words.

Single-threaded: everything here is called on the thread of its clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from koapy.simulation.clock import Clock
    from koapy.simulation.market import Market
    from koapy.simulation.model import (
        Account,
        AccountSetup,
        Bar,
        Depth,
        Event,
        Fill,
        Instrument,
        Order,
        OrderKind,
        Phase,
        Quote,
        Sector,
        SectorQuote,
        Side,
        Tick,
        Trade,
    )

Hours = Literal["always", "krx"]


class Exchange:
    """A market that runs from its construction on.

    Args:
        clock: simulated time; the exchange sets timers on it and is called on its thread.
        market: the issues and their past, see `koapy.simulation.market.load_market`.
        seed: of the other traders. The same seed, market, clock and calls give the same session, event for event.
        accounts: to start with; one by default.
        hours: "always": continuous trading at every moment, days change at midnight. "krx": the phases of the Korea
            Exchange on its trading days; on other days the last session stays in place, closed.
    """

    def __init__(
        self,
        clock: Clock,
        market: Market,
        *,
        seed: int = 1,
        accounts: Sequence[AccountSetup] | None = None,
        hours: Hours = "always",
    ) -> None:
        raise NotImplementedError

    clock: Clock
    hours: Hours
    today: date
    """The day of the session: under "krx" the last trading day."""
    phase: Phase
    instruments: Mapping[str, Instrument]
    """By code, ascending; today's reference prices and limits."""
    sectors: Mapping[str, Sector]
    """By code, ascending."""
    account_numbers: Sequence[str]

    # Market data. Unknown codes raise KeyError.

    def quote(self, code: str) -> Quote:
        """The instrument's day so far."""
        raise NotImplementedError

    def depth(self, code: str) -> Depth:
        """The visible book, at most ten levels a side. In an auction the sides may overlap."""
        raise NotImplementedError

    def trades(self, code: str, limit: int | None = None) -> list[Trade]:
        """Today's trades, newest first; the exchange keeps the last 600 of each code."""
        raise NotImplementedError

    def expected(self, code: str) -> tuple[int, int]:
        """Price and quantity at which an auction would trade now; (0, 0) outside auctions and when nothing would."""
        raise NotImplementedError

    def ticks_away(self, code: str, price: int, ticks: int) -> int:
        """The price so many ticks above (or, negative, below) `price`, kept inside today's limits."""
        raise NotImplementedError

    def daily(self, code: str) -> Sequence[Bar]:
        """Daily bars, ascending, up to the day before today. Bars of a folder are exact, others are made up from the seed."""
        raise NotImplementedError

    def today_bar(self, code: str) -> Bar | None:
        """Today's bar so far; None before the first trade."""
        raise NotImplementedError

    def minutes(self, code: str) -> Sequence[Bar]:
        """Bars of one minute, ascending, of the last week of trading days and of today; minutes without a trade are absent."""
        raise NotImplementedError

    def ticks(self, code: str) -> Sequence[Tick]:
        """Trades, ascending, of the last trading days and of today (of which the last 600 are kept)."""
        raise NotImplementedError

    def sector_quote(self, code: str) -> SectorQuote:
        """An index's day so far, computed from its members."""
        raise NotImplementedError

    def sector_daily(self, code: str) -> Sequence[Bar]:
        """Daily bars of an index in hundredths of a point, ascending, up to the day before today."""
        raise NotImplementedError

    def sector_today_bar(self, code: str) -> Bar | None:
        """Today's bar of an index so far; None before the first trade of a member."""
        raise NotImplementedError

    # Orders. All raise Refused at once and then have changed nothing.

    def place(self, account: str, code: str, side: Side, kind: OrderKind, price: int, quantity: int) -> Order:
        """Accept a new order.

        What follows is told by events, which are delivered after the caller has returned to the clock, the first one
        being OrderAccepted; then come OrderFilled and the market's own events in the order in which they happened.

        Args:
            price: limit in won; 0 for market orders.
            quantity: shares.

        Returns: the order as accepted, with its number and nothing filled.
        """
        raise NotImplementedError

    def modify(self, account: str, original: int, price: int, quantity: int = 0, *, side: Side | None = None) -> Order:
        """Move what is open of an order, or a part of it, to another price, under a new number and at the end of its queue.

        Events: OrderAccepted(modify), OrderConfirmed(modify, original, quantity), OrderCleared(original) when nothing of the
        original is open any more; then fills under the new number.

        Args:
            original: number of the order.
            quantity: shares to move; 0: all that is open.
            side: if given, the side the caller takes the original to be on.
        """
        raise NotImplementedError

    def cancel(self, account: str, original: int, quantity: int = 0, *, side: Side | None = None) -> Order:
        """Cancel what is open of an order, or a part of it.

        Events: OrderAccepted(cancel), OrderConfirmed(cancel, original, quantity), OrderCleared(original) when nothing of it
        is open any more, PositionChanged when the original was a sell.

        Args: as of `modify`.
        """
        raise NotImplementedError

    def account(self, number: str) -> Account:
        """The account now. Unknown numbers raise KeyError."""
        raise NotImplementedError

    def orders(self, account: str) -> list[Order]:
        """Today's orders as they stand, by number. Those with `open` > 0 may still trade."""
        raise NotImplementedError

    def order(self, number: int) -> Order:
        """One of today's orders as it stands. Unknown numbers raise KeyError."""
        raise NotImplementedError

    def fills(self, account: str) -> list[Fill]:
        """Today's fills, oldest first."""
        raise NotImplementedError

    def max_quantity(self, account: str, code: str, side: Side, kind: OrderKind, price: int) -> int:
        """The largest quantity that `place` would take now."""
        raise NotImplementedError

    # Events.

    def subscribe(self, listener: Callable[[Event], object]) -> None:
        """Have `listener` called with every event, in order, after those that were subscribed before it."""
        raise NotImplementedError

    def unsubscribe(self, listener: Callable[[Event], object]) -> None:
        """Undo `subscribe`."""
        raise NotImplementedError
