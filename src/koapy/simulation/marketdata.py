"""What can be read of an exchange's market: quotes, books, trades, bars, indices. It changes nothing."""

from __future__ import annotations

import sys
from datetime import datetime, time
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST
from koapy.simulation.history.aggregate import minutes_of
from koapy.simulation.model import Side, Tick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from koapy.simulation.clock import Clock
    from koapy.simulation.history import History
    from koapy.simulation.model import (
        AfterHoursQuote,
        Bar,
        Depth,
        Instrument,
        Interruption,
        Quote,
        Sector,
        SectorMoment,
        SectorQuote,
        Trade,
    )
    from koapy.simulation.morning import Morning
    from koapy.simulation.pit import Pit
    from koapy.simulation.sectors import SectorBoard
    from koapy.simulation.tape import Tape


class MarketData:
    """The readable side of an exchange, which makes its parts. Unknown codes raise KeyError."""

    clock: Clock
    """The market's."""
    today: date
    """The day of the session: under "krx" the last trading day."""
    instruments: Mapping[str, Instrument]
    """By code, ascending; today's reference prices and limits."""
    sectors: Mapping[str, Sector]
    """By code, ascending."""

    _pits: dict[str, Pit]
    _history: History
    _morning: Morning
    _board: SectorBoard

    def quote(self, code: str) -> Quote:
        """The instrument's day so far."""
        return self._pits[code].quote(self._history.last_day(code))

    def tape(self, code: str) -> Tape:
        """What the instrument has traded today. It goes on changing: read it at once."""
        return self._pits[code].tape

    def depth(self, code: str) -> Depth:
        """The visible book, at most ten levels a side. In an auction the sides may overlap."""
        return self._pits[code].depth()

    def waiting(self, code: str) -> tuple[int, int]:
        """Shares that are offered and asked for in the whole book."""
        book = self._pits[code].book
        return book.total(Side.SELL), book.total(Side.BUY)

    def trades(self, code: str, limit: int | None = None) -> list[Trade]:
        """Today's trades, newest first; the exchange keeps the last 600 of each code, of a recorded day all.

        Of the trades before the exchange began, as of past days, a few a minute are known, of a recorded day its own.
        """
        pit = self._pits[code]
        kept = list(pit.tape.trades)
        most = pit.tape.trades.maxlen or sys.maxsize
        if pit.known_from is not None and len(kept) < most:
            seen = [each for each in kept if each.time >= pit.known_from]
            kept = [*self._morning.trades(pit, self.today), *seen][-most:]
        return kept[::-1][:limit]

    def expected(self, code: str) -> tuple[int, int]:
        """Price and quantity at which an auction would trade now; (0, 0) outside auctions and when nothing would."""
        pit = self._pits[code]
        return pit.crossing() if pit.auction else (0, 0)

    def auctioned(self, code: str) -> tuple[int, int]:
        """Price and quantity of the last auction of an issue today; (0, 0) before the first one that trades."""
        return self._pits[code].auctioned

    def auction(self, code: str) -> bool:
        """Whether an issue trades in an auction now: that of the opening or closing, or of an interruption."""
        return self._pits[code].auction

    def after_hours(self, code: str) -> AfterHoursQuote | None:
        """What an issue does outside the day's hours; None where there is no such trading."""
        evening = self._pits[code].evening
        return evening.quote() if evening is not None else None

    def after_hours_depth(self, code: str) -> Depth | None:
        """The book of an issue outside the day's hours; None where there is no such trading."""
        evening = self._pits[code].evening
        return evening.depth() if evening is not None else None

    def interruption(self, code: str) -> Interruption | None:
        """The interruption (VI) of an issue that lasts now."""
        return self._pits[code].interruption

    def interruptions(self, code: str | None = None) -> list[Interruption]:
        """Today's interruptions of an issue, or of all, in the order in which they began."""
        if code is not None:
            return list(self._pits[code].interruptions)
        found = (each for pit in self._pits.values() for each in pit.interruptions)
        return sorted(found, key=lambda each: (each.began, each.code))

    def ticks_away(self, code: str, price: int, ticks: int) -> int:
        """The price so many ticks above (or, negative, below) `price`, kept inside today's limits."""
        pit = self._pits[code]
        for _ in range(abs(ticks)):
            price = pit.ladder.up(price) if ticks > 0 else pit.ladder.down(price)
        return min(max(price, pit.instrument.lower), pit.instrument.upper)

    def daily(self, code: str) -> Sequence[Bar]:
        """Daily bars, ascending, up to the day before today.

        Bars of a folder are exact, others are made up from the seed.
        """
        return self._history.daily(code)

    def recent(self, code: str, count: int) -> Sequence[Bar]:
        """The last `count` daily bars before today, ascending: `daily` without making up what nobody asks for."""
        return self._history.recent(code, count)

    def close_before(self, code: str, day: date) -> int | None:
        """The last close of an issue before a day, today's not among them; None where there is none."""
        return self._history.close_before(code, day)

    def today_bar(self, code: str) -> Bar | None:
        """Today's bar so far; None before the first trade."""
        return self._pits[code].tape.bar(self.today)

    def minutes(self, code: str, length: int = 1) -> Sequence[Bar]:
        """Bars of so many minutes, ascending: of the past as a folder has them, else of the last week of trading days;
        and of today.

        Minutes without a trade are absent, but those that a folder has.
        """
        pit = self._pits[code]
        past = [each for each in pit.tape.minutes.bars() if not self._history.told(code, each.start.date())]
        quiet = self._history.quiet(code, length, self.clock.now())
        seen = sorted([*self._morning.minutes(pit), *past, *quiet], key=lambda bar: bar.start)
        return [*self._history.minutes(code, length), *minutes_of(seen, length)]

    def today_minutes(self, code: str) -> Sequence[Bar]:
        """Bars of one minute of today, ascending; minutes without a trade are absent."""
        pit = self._pits[code]
        midnight = datetime.combine(self.today, time(), KST)
        return [*self._morning.minutes(pit), *pit.tape.minutes.since(midnight)]

    def ticks(self, code: str) -> Sequence[Tick]:
        """Trades, ascending, of the last week of trading days and of today (of which the last 600 are kept)."""
        today = (Tick(each.time, each.price, each.quantity) for each in reversed(self.trades(code)))
        return [*self._history.ticks(code), *today]

    def sector_quote(self, code: str) -> SectorQuote:
        """An index's day so far, computed from its members."""
        return self._board.quote(code)

    def sector_moments(self, code: str) -> Sequence[SectorMoment]:
        """An index through today, a value each ten seconds, ascending; the exchange keeps the last 600 of each."""
        return self._board.moments(code)

    def sector_daily(self, code: str) -> Sequence[Bar]:
        """Daily bars of an index in hundredths of a point, ascending, up to the day before today."""
        return self._board.daily(code)

    def sector_today_bar(self, code: str) -> Bar | None:
        """Today's bar of an index so far; None before the first trade of a member."""
        return self._board.today_bar(code, self.today)
