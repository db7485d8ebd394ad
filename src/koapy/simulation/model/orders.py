"""Orders and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
