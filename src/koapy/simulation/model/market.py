"""What an issue is, and what its day shows: quotes, books, trades, bars, interruptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime

    from koapy.simulation.model.orders import Side


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed issue on one day."""

    code: str
    name: str
    market: str
    """KOSPI, KOSDAQ or KONEX."""
    kind: str
    """stock, preferred, spac, foreign, dr, reit, fund, etf, etn."""
    shares: int
    sector: str
    """The exchange's name of the industry, "" for funds and some others."""
    listed: date | None
    base_price: int
    """Today's reference price (기준가): the last close before today."""
    lower: int
    """Lower price limit of today, on tick."""
    upper: int
    """Upper price limit of today, on tick."""

    @property
    def fund(self) -> bool:
        """Traded like a share, but no company: ETF or ETN. Not a member of any index."""
        return self.kind in ("etf", "etn")


class Level(NamedTuple):
    """What rests at one price."""

    price: int
    quantity: int
    orders: int


class Depth(NamedTuple):
    """The visible book: at most ten levels a side, best first; totals are of the whole book."""

    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    total_ask: int
    total_bid: int


class Trade(NamedTuple):
    """One trade as the public sees it."""

    time: datetime
    price: int
    quantity: int
    side: Side
    """Side of the order that came last: BUY means it lifted the ask."""
    best_ask: int
    """After the trade; 0 without asks."""
    best_bid: int
    """After the trade; 0 without bids."""
    volume: int
    """Shares traded today, this trade included."""
    value: int
    """Won traded today, this trade included."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One trade as history has it: less is known of it than of those that the exchange has seen."""

    time: datetime
    price: int
    quantity: int
    side: Side | None = None
    """Of the order that came last, where that is known."""


class Bar(NamedTuple):
    """Prices of a stretch of time: a minute, day, week, month or year.

    Bars of sectors have prices in hundredths of an index point.
    """

    start: datetime
    """Start of the minute; of a day, midnight; of a longer stretch, midnight of its first trading day."""
    open: int
    high: int
    low: int
    close: int
    volume: int
    value: int
    """Won traded."""


class Quote(NamedTuple):
    """An instrument's day so far. Counts and amounts are 0, times None, before the first trade."""

    code: str
    base_price: int
    last: int
    """Price of the last trade; the reference price before the first one."""
    open: int
    high: int
    low: int
    volume: int
    value: int
    """Won traded today."""
    buy_volume: int
    """Shares traded by aggressive buys."""
    sell_volume: int
    """Shares traded by aggressive sells."""
    buy_count: int
    sell_count: int
    best_ask: int
    """0 without asks."""
    best_bid: int
    """0 without bids."""
    last_trade: Trade | None
    open_time: datetime | None
    high_time: datetime | None
    low_time: datetime | None
    previous_volume: int
    """Shares traded on the last day before today."""
    previous_value: int
    """Won traded on the last day before today."""

    @property
    def change(self) -> int:
        """Against the reference price."""
        return self.last - self.base_price

    @property
    def rate(self) -> float:
        """Change in percent of the reference price."""
        return 100 * (self.last - self.base_price) / self.base_price


@dataclass(frozen=True, slots=True)
class AfterHoursQuote:
    """What an issue does outside the day's hours. Prices and volumes are those of the evening's auctions, 0 or the
    close before the first one; the totals are of whatever book is open.
    """

    code: str
    close: int
    """The last price of the day's hours, from which the evening's limits are reckoned."""
    last: int
    open: int
    high: int
    low: int
    volume: int
    value: int
    lower: int
    upper: int
    best_ask: int
    best_bid: int
    total_ask: int
    total_bid: int
    fixed_volume: int
    """Shares traded at yesterday's and at today's close."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """Trading of an issue was interrupted because its price would have moved too far (변동성완화장치, VI).

    Two to two and a half minutes of auction follow; then trading goes on.
    """

    code: str
    kind: Literal["static", "dynamic", "both"]
    """static: too far from the price of the last auction; dynamic: from the last trade."""
    price: int
    """At which it would have traded (발동가격)."""
    static_reference: int
    """Price of the last auction, the reference price before the first one (정적기준가격)."""
    dynamic_reference: int
    """Price of the last trade (동적기준가격)."""
    began: datetime
    ended: datetime | None
    """None while it lasts."""
    count: int
    """Which of the day it is for this issue, from 1 (VI발동횟수)."""
