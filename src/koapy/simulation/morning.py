"""The part of today that the exchange has not seen itself: made up, or taken up from a state that has minutes only."""

from __future__ import annotations

from collections import deque
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST
from koapy.simulation.history.intraday import minutes_until
from koapy.simulation.history.walk import walked
from koapy.simulation.model import Side, Trade
from koapy.simulation.tape import TRADES_KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from koapy.simulation.hours import Timetable
    from koapy.simulation.model import Bar
    from koapy.simulation.pit import Pit


class Morning:
    """Minutes and trades of today before the exchange began.

    Args:
        seed: of what is made up.
    """

    def __init__(self, seed: int, timetable: Timetable) -> None:
        self._seed = seed
        self._timetable = timetable
        self._made: dict[str, list[Bar]] = {}
        self._traded: dict[str, list[Trade]] = {}

    def start_day(self) -> None:
        """Forget the day."""
        self._made.clear()
        self._traded.clear()

    def minutes(self, pit: Pit) -> Sequence[Bar]:
        """Today's minutes before the exchange began, made when they are first asked for."""
        if pit.early is None or pit.early_until is None:
            return ()
        code = pit.instrument.code
        if code not in self._made:
            begin, _ = self._timetable.continuous(pit.early.start.date())
            self._made[code] = minutes_until(self._seed, code, pit.early, begin, pit.ladder, pit.early_until)
        return self._made[code]

    def trades(self, pit: Pit, today: date) -> Sequence[Trade]:
        """Today's trades before the exchange began, ascending: as recorded, else as far as its minutes tell of them."""
        if pit.known_from is None:
            return ()
        if pit.played is not None:
            return pit.played.told
        code = pit.instrument.code
        if code not in self._traded:
            self._traded[code] = list(deque(self._told(pit, pit.known_from, today), TRADES_KEPT))
        return self._traded[code]

    def _told(self, pit: Pit, until: datetime, today: date) -> Iterator[Trade]:
        last, midnight = until - timedelta(minutes=1), datetime.combine(today, time(), KST)
        seen = [each for each in pit.tape.minutes.since(midnight) if each.start <= last]
        minutes = [*self.minutes(pit), *seen]
        whole, won = max(sum(each.volume for each in minutes), 1), sum(each.value for each in minutes)
        volume = 0
        for tick in walked(self._seed, pit.instrument.code, today, minutes, 1, pit.ladder):
            volume += tick.quantity
            value = won * volume // whole
            side = Side.BUY if tick.time.second % 30 else Side.SELL
            up, down = pit.ladder.up(tick.price), pit.ladder.down(tick.price)
            ask, bid = (tick.price, down) if side is Side.BUY else (up, tick.price)
            yield Trade(tick.time, tick.price, tick.quantity, side, ask, bid, volume, value)
