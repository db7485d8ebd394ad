"""What the exchange tells about itself: instruments, quotes, trades, orders, positions and events.

Everything here is a snapshot: it never changes once made, so a listener may keep it. Prices and amounts are whole won,
times are aware and in Korean time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime


class Side(Enum):
    """Buy or sell."""

    BUY = "buy"
    SELL = "sell"

    @property
    def other(self) -> Side:
        """The side that trades with this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderKind(Enum):
    """How an order is priced, and how long it waits."""

    LIMIT = "limit"
    MARKET = "market"
    CONDITIONAL = "conditional limit"
    """A limit order that becomes a market order when the closing auction begins."""
    BEST = "best"
    """At the best price of the other side."""
    PRIORITY = "priority"
    """At the best price of its own side."""
    LIMIT_IOC = "limit ioc"
    """What does not trade at once is cancelled (IOC)."""
    MARKET_IOC = "market ioc"
    BEST_IOC = "best ioc"
    LIMIT_FOK = "limit fok"
    """Trades in full at once, or not at all (FOK)."""
    MARKET_FOK = "market fok"
    BEST_FOK = "best fok"
    EARLY_CLOSE = "yesterday's close"
    """Before the opening, at the reference price (장전 시간외 종가)."""
    LATE_CLOSE = "today's close"
    """After the close, at today's last price (장후 시간외 종가)."""
    LATE_AUCTION = "auction after hours"
    """In the auctions of the evening (시간외 단일가)."""

    @property
    def priced(self) -> bool:
        """The order names a price."""
        return self in _PRICED

    @property
    def unlimited(self) -> bool:
        """The order takes any price of the day."""
        return self in _UNLIMITED

    @property
    def immediate(self) -> bool:
        """What does not trade at once is cancelled."""
        return self in _IMMEDIATE

    @property
    def whole(self) -> bool:
        """Trades in full or not at all."""
        return self in _WHOLE

    @property
    def after_hours(self) -> bool:
        """Trades outside the day's hours, in books of its own."""
        return self in _AFTER_HOURS


_PRICED = frozenset(
    {OrderKind.LIMIT, OrderKind.CONDITIONAL, OrderKind.LIMIT_IOC, OrderKind.LIMIT_FOK, OrderKind.LATE_AUCTION}
)
_AFTER_HOURS = frozenset({OrderKind.EARLY_CLOSE, OrderKind.LATE_CLOSE, OrderKind.LATE_AUCTION})
_UNLIMITED = frozenset({OrderKind.MARKET, OrderKind.MARKET_IOC, OrderKind.MARKET_FOK})
_WHOLE = frozenset({OrderKind.LIMIT_FOK, OrderKind.MARKET_FOK, OrderKind.BEST_FOK})
_IMMEDIATE = frozenset({OrderKind.LIMIT_IOC, OrderKind.MARKET_IOC, OrderKind.BEST_IOC}) | _WHOLE


class Action(Enum):
    """What an order does: it is new, or changes or cancels an earlier one."""

    NEW = "new"
    MODIFY = "modify"
    CANCEL = "cancel"


class OrderState(Enum):
    """Where an order stands."""

    ACCEPTED = "accepted"
    """Has its number, nothing filled yet."""
    FILLED = "filled"
    """Filled in part or in full; `Order.open` says which."""
    CONFIRMED = "confirmed"
    """A cancel or modify that has been carried out. A modify is filled under its own number from here."""
    EXPIRED = "expired"
    """Was open when its day ended."""


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


class Refusal(Enum):
    """Why an order was refused."""

    BEFORE_OPEN = "the market has not opened yet"
    AFTER_CLOSE = "the market is closed"
    HOLIDAY = "no trading on this day"
    NO_SUCH_ACCOUNT = "unknown account"
    NO_SUCH_CODE = "unknown code"
    KIND_NOT_OFFERED = "this kind of order is not offered"
    KIND_NOT_NOW = "this kind of order is not taken in this phase"
    NOTHING_TO_MEET = "the book has no price that the order could take"
    PRICE_WITH_MARKET = "a market order takes no price"
    BAD_TICK = "the price is not on a tick"
    OUTSIDE_LIMITS = "the price is outside the limits of the day"
    BAD_QUANTITY = "the quantity must be positive"
    NO_CREDIT = "no credit for this issue"
    NO_CASH = "not enough cash"
    NOT_HELD = "not enough shares to sell"
    NO_SUCH_ORDER = "unknown original order"
    NOTHING_OPEN = "nothing is open any more"
    TOO_MUCH = "more than is open"
    SAME_PRICE = "the price is the original's"
    SIDE_MISMATCH = "the original is on the other side"


class Refused(Exception):
    """An order that was refused; nothing has changed. `reason` says why, the text with what numbers."""

    def __init__(self, reason: Refusal, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason


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


@dataclass(frozen=True, slots=True)
class Depth:
    """The visible book: at most ten levels a side, best first; totals are of the whole book."""

    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    total_ask: int
    total_bid: int


@dataclass(frozen=True, slots=True)
class Trade:
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
    """One trade of an earlier day, of which less is known."""

    time: datetime
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Bar:
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


@dataclass(frozen=True, slots=True)
class Quote:
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
class Sector:
    """An index: of a market, of large issues, or of an industry."""

    code: str
    """Three digits as OpenAPI+ has them: 001, 101, 201, ..."""
    name: str
    market: str
    """KOSPI or KOSDAQ."""
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SectorQuote:
    """An index's day so far. Index values are in hundredths of a point."""

    code: str
    base: int
    """Yesterday's close."""
    last: int
    open: int
    high: int
    low: int
    volume: int
    """Shares of the members traded today."""
    value: int
    """Won of the members traded today."""
    rising: int
    """Members above their reference price, those at the upper limit included."""
    falling: int
    """Members below it, those at the lower limit included."""
    unchanged: int
    upper: int
    """Members at the upper limit."""
    lower: int
    """Members at the lower limit."""
    traded: int
    """Members that have traded today."""

    @property
    def change(self) -> int:
        """Against yesterday's close, in hundredths of a point."""
        return self.last - self.base

    @property
    def rate(self) -> float:
        """Change in percent."""
        return 100 * (self.last - self.base) / self.base if self.base else 0.0


@dataclass(frozen=True, slots=True)
class SectorMoment:
    """An index at one moment of the day."""

    time: datetime
    value: int
    """In hundredths of a point."""
    volume: int
    """Shares of the members traded today up to then."""


@dataclass(frozen=True, slots=True)
class Credit:
    """That an order is on credit: a buy takes a loan, a sale pays loans back."""

    loan_date: date | None = None
    """Of a sale: the day of the loan to pay back; None: the oldest ones of the code first (융자합)."""


@dataclass(frozen=True, slots=True)
class Order:
    """An account's order as it stood at one moment."""

    number: int
    """1 and up, anew each day."""
    account: str
    code: str
    side: Side
    """Of a cancel or modify: the side of its original."""
    kind: OrderKind
    price: int
    """Limit; 0 for market orders and cancels."""
    quantity: int
    """Shares asked for. A modify: the shares it took over; a cancel: the shares it cancels."""
    open: int
    """Shares that may still trade under this number."""
    filled: int
    filled_value: int
    """Sum of price x quantity of the fills."""
    fee: int
    """Commission so far."""
    tax: int
    """Sale taxes so far."""
    original: int | None
    """Number of the order that this one changes or cancels."""
    action: Action
    state: OrderState
    time: datetime
    """Of acceptance."""
    credit: Credit | None = None

    @property
    def average(self) -> int:
        """Average price of the fills so far, cut to a won; 0 without fills."""
        return self.filled_value // self.filled if self.filled else 0


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of an account's order."""

    number: int
    """1 and up, anew each day."""
    order: Order
    """The order after this fill."""
    price: int
    quantity: int
    time: datetime
    fee: int
    """Commission that this fill added."""
    tax: int
    """Sale taxes that this fill added."""
    realised: int
    """Profit of a sale after its own fee and tax, against the average cost; 0 for buys."""


@dataclass(frozen=True, slots=True)
class Position:
    """What an account holds of one code. A position that was sold today stays, with quantity 0, until the day ends."""

    code: str
    quantity: int
    cost: int
    """Won paid for what is held, without fees."""
    orderable: int
    """Held less what open sell orders bind."""
    previous_quantity: int
    """Held when the day began."""
    bought_today: int
    sold_today: int
    bought_value: int
    """Won of today's buys, without fees."""
    sold_value: int
    """Won of today's sales, before fees and taxes."""
    realised: int
    """Profit realised today, after the sales' fees and taxes."""
    realised_cost: int
    """Cost of what was sold today."""
    fees: int
    """Commission paid today."""
    taxes: int
    """Sale taxes paid today."""
    average: int
    """Average cost of a share, cut to a won; what it was before the last sale when nothing is held any more."""
    loan: int = 0
    """Won lent for what is held (신용융자); 0 for what was bought with cash."""
    loan_date: date | None = None
    """Day on which a position on credit was bought (대출일), each day's a position of its own. None: with cash."""
    interest: int = 0
    """Of the loan, up to today; taken when it is paid back."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account at one moment."""

    number: str
    cash: int
    """What will be there when all trades are settled (D+2)."""
    opening_cash: int
    """Cash when the day began."""
    reserved: int
    """Bound in open buy orders, expected commission included."""
    positions: Mapping[str, Position] = field(hash=False)
    """What was bought with cash, by code, in order of first purchase."""
    bought_value: int
    """Won of today's buys, without fees."""
    sold_value: int
    """Won of today's sales, before fees and taxes."""
    realised: int
    """Profit realised today, after the sales' fees and taxes."""
    realised_cost: int
    """Cost of what was sold today."""
    fees: int
    """Commission paid today."""
    taxes: int
    """Sale taxes paid today."""
    deposit: int
    """Settled cash (예수금). Less than nothing: what is overdue (미수)."""
    deposit_next: int
    """What it will be on the next trading day, by what is known now (D+1)."""
    carried: int
    """Won of unsettled buys beyond their margin, which bind no cash until they are settled; 0 for cash accounts."""
    loans: tuple[Position, ...] = ()
    """What was bought on credit, one position a code and day, in order of purchase."""

    @property
    def orderable_cash(self) -> int:
        """Cash that a new buy may use."""
        return self.cash + self.carried - self.reserved

    @property
    def withdrawable(self) -> int:
        """Cash that may leave the account today (출금가능금액)."""
        return max(0, min(self.deposit, self.deposit_next, self.cash - self.reserved))

    @property
    def realised_rate(self) -> float:
        """Profit realised today in percent of what the sold shares had cost."""
        return 100 * self.realised / self.realised_cost if self.realised_cost else 0.0


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """An account to start with."""

    number: str
    cash: int
    holdings: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Shares by code, bought at the reference price; codes that the market lacks are left out."""
    margin: bool = False
    """Buys take the margin of the issue (증거금) at once, the rest when they are settled. False: all at once."""


@dataclass(frozen=True, slots=True)
class Traded:
    """A trade happened; the quote has moved."""

    code: str
    trade: Trade


@dataclass(frozen=True, slots=True)
class BookChanged:
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
