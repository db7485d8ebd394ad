"""What one instrument has traded: its day so far, its last trades, its minutes."""

from __future__ import annotations

from array import array
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.simulation import plain
from koapy.simulation.model import Bar, Side, Trade

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

TRADES_KEPT = 600
"""Of today, for each code."""

MINUTES_KEPT = 3000
"""Of today and the days before it that the exchange itself has seen, for each code."""

_FIGURES = (
    *("open", "high", "low", "last", "volume", "value"),
    *("buy_volume", "sell_volume", "buy_count", "sell_count"),
    *("open_time", "high_time", "low_time"),
)

_FIELDS = 7
_EPOCH = datetime(1900, 1, 1, tzinfo=KST)  # before every recorded day that may be played


class Tape:
    """Today's figures; 0 or None before the first trade."""

    __slots__ = (
        "buy_count",
        "buy_volume",
        "high",
        "high_time",
        "last",
        "low",
        "low_time",
        "minutes",
        "open",
        "open_time",
        "sell_count",
        "sell_volume",
        "trades",
        "value",
        "volume",
    )

    def __init__(self) -> None:
        self.minutes = MinuteTape()
        self.trades: deque[Trade] = deque(maxlen=TRADES_KEPT)
        self.start_day()

    def start_day(self) -> None:
        """Forget the day, but not its minutes."""
        self.open = self.high = self.low = self.last = 0
        self.volume = self.value = 0
        self.buy_volume = self.sell_volume = self.buy_count = self.sell_count = 0
        self.open_time: datetime | None = None
        self.high_time: datetime | None = None
        self.low_time: datetime | None = None
        self.trades.clear()

    def record(self, time: datetime, price: int, quantity: int, side: Side, best_ask: int, best_bid: int) -> Trade:
        """Add a trade and give it as the public sees it."""
        self.minutes.record(time, price, quantity)
        return self.count(time, price, quantity, side, best_ask, best_bid)

    def count(self, time: datetime, price: int, quantity: int, side: Side, best_ask: int, best_bid: int) -> Trade:
        """Add a trade to the day's figures alone."""
        if not self.volume:
            self.open = self.high = self.low = price
            self.open_time = self.high_time = self.low_time = time
        elif price > self.high:
            self.high, self.high_time = price, time
        elif price < self.low:
            self.low, self.low_time = price, time
        self.last = price
        self.volume += quantity
        self.value += price * quantity
        if side is Side.BUY:
            self.buy_volume += quantity
            self.buy_count += 1
        else:
            self.sell_volume += quantity
            self.sell_count += 1
        trade = Trade(time, price, quantity, side, best_ask, best_bid, self.volume, self.value)
        self.trades.append(trade)
        return trade

    def dump(self) -> dict[str, Any]:
        """The day's figures as plain values."""
        return {name: plain.plain(getattr(self, name)) for name in _FIGURES}

    def restore(self, values: dict[str, Any], minutes: Iterable[Bar]) -> None:
        """Take up a day from what `dump` gave and its minutes."""
        for name in _FIGURES:
            value = values[name]
            setattr(self, name, datetime.fromisoformat(value) if isinstance(value, str) else value)
        self.minutes.restore(minutes)

    def bar(self, day: date) -> Bar | None:
        """The day so far as a daily bar; None before the first trade."""
        if not self.volume:
            return None
        start = datetime(day.year, day.month, day.day, tzinfo=KST)
        return Bar(start, self.open, self.high, self.low, self.last, self.volume, self.value)


class MinuteTape:
    """Bars of one minute in which there was a trade, in little memory: numbers in a row, seven to a bar."""

    __slots__ = ("_numbers", "_until")

    def __init__(self) -> None:
        self._numbers = array("q")
        self._until = _EPOCH  # end of the current minute: trades before it need no division

    def record(self, time: datetime, price: int, quantity: int) -> None:
        """Add a trade; times ascend."""
        numbers = self._numbers
        if time >= self._until:
            self._begin(time, price)
        if price > numbers[-5]:
            numbers[-5] = price
        elif price < numbers[-4]:
            numbers[-4] = price
        numbers[-3] = price
        numbers[-2] += quantity
        numbers[-1] += price * quantity

    def restore(self, bars: Iterable[Bar]) -> None:
        """Begin with these bars, ascending."""
        for bar in bars:
            minute = (bar.start - _EPOCH) // timedelta(minutes=1)
            self._numbers.extend((minute, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.value))
            self._until = _EPOCH + timedelta(minutes=minute + 1)

    def since(self, moment: datetime) -> list[Bar]:
        """The bars that start at a moment or later, ascending."""
        first = (moment - _EPOCH) // timedelta(minutes=1)
        at = len(self._numbers)
        while at and self._numbers[at - _FIELDS] >= first:
            at -= _FIELDS
        return self._bars(at)

    def bars(self) -> list[Bar]:
        """All bars, ascending."""
        return self._bars(0)

    def _bars(self, first: int) -> list[Bar]:
        numbers = self._numbers
        return [
            Bar(_EPOCH + timedelta(minutes=numbers[at]), *numbers[at + 1 : at + _FIELDS])
            for at in range(first, len(numbers), _FIELDS)
        ]

    def _begin(self, time: datetime, price: int) -> None:
        minute = (time - _EPOCH) // timedelta(minutes=1)
        self._until = _EPOCH + timedelta(minutes=minute + 1)
        self._numbers.extend((minute, price, price, price, price, 0, 0))
        if len(self._numbers) > _FIELDS * MINUTES_KEPT * 5 // 4:
            del self._numbers[: -_FIELDS * MINUTES_KEPT]
