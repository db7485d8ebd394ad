"""How a day goes on an exchange: its phases, auctions and interruptions, and what the other traders do when."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from koapy.simulation.model import AfterHours, Phase, PhaseChanged
from koapy.simulation.volatility import RANDOM_END, SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from koapy.simulation.clock import Clock
    from koapy.simulation.floor import Floor
    from koapy.simulation.hours import Timetable
    from koapy.simulation.model import Interruption
    from koapy.simulation.pit import Pit
    from koapy.simulation.played import Played
    from koapy.simulation.sectors import SectorBoard
    from koapy.simulation.telling import Telling

_LATE_SECONDS, _LATE_PART = 5.0, 0.2
"""How often some of the issues, and what part of them, see something done outside the day's hours."""

_SAMPLING = 10.0
"""Seconds between two looks at the indices."""


class Trading:
    """Brings pits, orders and indices through the day. `floor` and `board` are set before anything is started.

    Args:
        evenings: whether there is trading outside the day's hours.
    """

    floor: Floor
    board: SectorBoard

    def __init__(
        self, clock: Clock, timetable: Timetable, pits: Mapping[str, Pit], telling: Telling, *, evenings: bool
    ) -> None:
        self._clock = clock
        self._timetable = timetable
        self._pits = pits
        self._telling = telling
        self._has_evenings = evenings
        self._pace = 1.0
        self.phase = timetable.phase(clock.now())
        self._open = self.phase.takes_orders

    def warm_up(self, today: date) -> None:
        """Let the session have begun when it would have."""
        start, end = self._timetable.continuous(today)
        now = self._clock.now().replace(second=0, microsecond=0)
        if now <= start:
            return
        for pit in self._pits.values():
            pit.warm_up(start, min(now, end))
            if self.phase is Phase.CLOSED:
                pit.close_early(self._timetable.close(today))

    def prepare_books(self) -> None:
        """Have the other traders' orders in place; the opening auction begins with an empty book."""
        if self.phase in (Phase.CONTINUOUS, Phase.CLOSING_AUCTION, Phase.CLOSED):
            for pit in self._pits.values():
                pit.tend()

    def start(self) -> None:
        """Let time bring what it brings."""
        self.plan_day()
        self._set_pace()
        self._clock.call_later(_SAMPLING, self._sample)
        if self.phase.takes_orders:
            self._start_flow()

    def plan_day(self) -> None:
        """Set timers for the phases that are still to come today."""
        now = self._clock.now()
        for pit in self._pits.values():
            if pit.played is not None:
                self._plan_trade(pit, pit.played)
        if self._timetable.starts_session(now.date()):
            for moment, phase in self._timetable.changes(now.date()):
                if moment > now:
                    self._clock.call_at(moment, self._begin_phase, phase)
            if self._has_evenings:
                for moment, before, after in self._timetable.turns(now.date()):
                    if moment > now:
                        self._clock.call_at(moment, self._turn, before, after)

    def begin_evening(self, now: datetime) -> AfterHours | None:
        """Go on with what is on outside the day's hours, where the server has that."""
        if not self._has_evenings:
            return None
        late = self._timetable.after_hours(now)
        if late is not None:
            self._turn(None, late)
        return late

    def _turn(self, before: AfterHours | None, after: AfterHours | None) -> None:
        """Something outside the day's hours begins, has one of its auctions, or ends."""
        now = self._clock.now()
        late = [(pit, pit.evening) for pit in self._pits.values() if pit.evening is not None]
        for pit, evening in late:
            if before is AfterHours.AUCTIONS:
                evening.auction(now)
            if after is not before:
                pit.after_hours = after
            if before is None and after is not None:
                evening.begin(after, now)
        if after is None and before is not AfterHours.EARLY and before is not AfterHours.WAITING:
            self.floor.expire(self._pits)
        if before is None and after is not None:
            self._clock.call_later(_LATE_SECONDS, self._late_step, after)

    def _late_step(self, what: AfterHours) -> None:
        """Let some of the other traders do something outside the day's hours."""
        now = self._clock.now()
        acting = [pit for pit in self._pits.values() if pit.after_hours is what and pit.evening is not None]
        for pit in acting:
            if pit.evening is not None and pit.evening.chance() < _LATE_PART:
                pit.evening.step(what, now)
        if acting:
            self._clock.call_later(_LATE_SECONDS, self._late_step, what)

    def _set_pace(self) -> None:
        """Trade faster near the opening and the close; the volume of a trade is that of a normal pace."""
        self._pace = self._timetable.pace(self._clock.now())
        self._clock.call_later(60.0, self._set_pace)

    def _start_flow(self) -> None:
        for pit in self._pits.values():
            self._clock.call_later(pit.pause() / self._pace, self._step, pit)

    def _step(self, pit: Pit) -> None:
        """One action of the other traders of an instrument; they rest with the market."""
        if not self._open and pit.interruption is None:
            return
        self._clock.call_later(pit.pause() / self._pace, self._step, pit)
        self._telling.during(pit.collect if pit.auction else partial(pit.step, self._clock.now()))

    def _plan_trade(self, pit: Pit, played: Played) -> None:
        if played.coming is not None:
            self._clock.call_at(played.coming.time, self._play, pit, played)

    def _play(self, pit: Pit, played: Played) -> None:
        """Let the next trade of a recorded day happen; the one that an auction waits for ends it."""
        now = self._clock.now()
        if pit.played is not played:
            return
        if self._timetable.phase(now) is not self.phase:  # changes in this moment, too, and before
            self._clock.call_at(now, self._play, pit, played)
            return
        ends = played.awaited
        self._telling.during(pit.play_next)
        if ends:
            self._end_auction(pit)
        self._plan_trade(pit, played)

    def _end_auction(self, pit: Pit) -> None:
        """An auction that went on by itself is over for an issue."""
        code = {pit.instrument.code}
        self.floor.price_rest(code)
        if self.phase is Phase.CLOSED:
            self.floor.expire(code)
        pit.tend()

    def _sample(self) -> None:
        self.board.sample(self._clock.now())
        self._clock.call_later(_SAMPLING, self._sample)

    def set_phase(self, phase: Phase) -> None:
        """Take a phase over without what its beginning would bring."""
        self.phase = phase
        self._open = phase.takes_orders
        for pit in self._pits.values():
            pit.begin_phase(phase)

    def _begin_phase(self, phase: Phase) -> None:
        """Change the phase. An auction that ends trades, unless its price would be too far away; what waits for the
        end of an interruption is part of the closing auction when that begins.
        """
        now, before = self._clock.now(), self.phase
        self._telling.emit(PhaseChanged(phase, now))
        prolonged = set()
        for code, pit in self._pits.items():
            if before.auction and pit.prolong(now):
                prolonged.add(code)
            elif before.auction:
                pit.uncross(now)
            elif pit.interruption is not None:
                pit.end_interruption(now)
        self.set_phase(phase)
        through = self._pits.keys() - prolonged
        if before.auction:
            self.floor.price_rest(through)
        if phase is Phase.OPENING_AUCTION:
            for pit in self._pits.values():
                pit.traders.gap()
            self._start_flow()
        if phase is Phase.CLOSING_AUCTION:
            self.floor.convert()
        self.prepare_books()
        if phase is Phase.CLOSED:
            self.floor.expire(through)

    def interrupted(self, pit: Pit) -> None:
        """Have an interruption end in two minutes, and up to half a minute more by chance."""
        self._clock.call_later(SECONDS + RANDOM_END * pit.chance(), self._resume, pit, pit.interruption)

    def _resume(self, pit: Pit, interruption: Interruption) -> None:
        """End an interruption, if nothing else has ended it."""
        if pit.interruption is not interruption:
            return
        pit.resume(self._clock.now())
        self._end_auction(pit)
