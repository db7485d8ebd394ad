"""Real-time data: registrations, and OnReceiveRealData as the market moves."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.openapi.limit import CODES_PER_SCREEN
from koapy.openapi.realtype import real_type
from koapy.simulation import realdata
from koapy.simulation.model import (
    AfterHoursChanged,
    AfterHoursTraded,
    BookChanged,
    DayStarted,
    Interrupted,
    Phase,
    PhaseChanged,
    Resumed,
    Side,
    Trade,
    Traded,
)
from koapy.simulation.periodic import Periodic
from koapy.simulation.realbook import BOOK, BookWriter
from koapy.simulation.realdata import (
    BEST,
    BREADTH,
    EVENING_QUOTE,
    EVENING_TRADE,
    EXPECTED,
    FACTS,
    INDEX,
    INTERRUPTION,
    LATE_BOOK,
    PHASE,
)
from koapy.simulation.realfigures import (
    FIRMS,
    FUTURE_TYPES,
    MARKET_PROGRAMS,
    NAV,
    OPTION_TYPES,
    PROGRAMS,
    WARRANT_TYPES,
)
from koapy.simulation.realtrade import AFTER_HOURS, BEFORE_HOURS, QUOTE, TRADE, DayWriter
from koapy.simulation.registrations import EVERYTHING, Registrations
from koapy.simulation.session import NOT_LOGGED_IN, WRONG_INPUT
from koapy.simulation.timetable import DAY_OVER, PHASE_CODE, Timetable
from koapy.simulation.told import NOTHING, Told
from koapy.simulation.tr.request import plain_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from koapy.openapi.tr import Tr
    from koapy.simulation.model import Depth, Event, Interruption
    from koapy.simulation.session import Session

TOO_MANY_CODES = -204
TOO_MANY_FIDS = -206
FIDS = 100
"""FIDs in one SetRealReg."""

INTERRUPTIONS = "opt10054"
"""The TR that registers the interruptions of all issues; they are filed under it as if it were a code."""

_STOCK_TYPES = (TRADE, QUOTE, BEST, BOOK, EXPECTED, LATE_BOOK)
_BY_OWN_FIDS = {
    EVENING_TRADE: frozenset(range(10010, 10029)),
    EVENING_QUOTE: frozenset(range(10010, 10029)),
    FACTS: frozenset({297, 305, 306, 307, 592, 593, 689, 594, 382, 370, 300}),
    FIRMS: frozenset(range(141, 181)) | frozenset({*range(261, 269), *range(271, 276), *range(281, 286)}),
    PROGRAMS: frozenset({202, 204, 206, 208, *range(210, 214)}),
    NAV: frozenset({*range(36, 40), 265, 266}),
}
"""Types that SetRealReg brings for a FID of their own only, not for one that every stock type has."""
_SECTOR_TYPES = (INDEX, BREADTH)
_HEARD = (AfterHoursChanged, AfterHoursTraded, Interrupted, Resumed, PhaseChanged, DayStarted)
_CONTRACT_TYPES = (*FUTURE_TYPES, *OPTION_TYPES, *WARRANT_TYPES)


@dataclass(slots=True)
class _Followed:
    """An issue on one day, as it was told so far."""

    book: BookWriter
    day: DayWriter
    depth: Depth | None = None
    """What was seen last of its book."""


class RealTime:
    """Real-time data of one session. A code that nobody registered costs one look into a dictionary."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._registrations = Registrations()
        self._told = NOTHING
        """The event that is being told."""
        self._evenings: dict[str, tuple[int, int]] = {}
        self._followed: dict[str, _Followed] = {}
        """Issues of which something was told today."""
        session.when_lost.append(self._lost)
        # Two that come thousands of times a second, and the others.
        session.world.exchange.subscribe(self._traded, [Traded])
        session.world.exchange.subscribe(self._moved, [BookChanged])
        session.world.exchange.subscribe(self._heard, _HEARD)
        self._periodic = Periodic(session.world, self)
        if session.world.exchange.hours == "krx":
            Timetable(session.world.clock, self._phase)

    # Functions.

    def SetRealReg(self, strScreenNo: str, strCodeList: str, strFidList: str, strOptType: str) -> int:
        """Register codes under a screen, type "0" in place of its codes, "1" besides them."""
        codes = [code.strip() for code in strCodeList.split(";") if code.strip()]
        fids = [fid.strip() for fid in strFidList.split(";") if fid.strip()]
        if not self._session.connected:
            return NOT_LOGGED_IN
        if len(fids) > FIDS:
            return TOO_MANY_FIDS
        if strOptType not in ("0", "1") or not all(fid.isascii() and fid.isdigit() for fid in fids):
            return WRONG_INPUT
        kept = self._registrations.codes(strScreenNo) if strOptType == "1" else frozenset()
        if len(kept.union(codes)) > CODES_PER_SCREEN:
            return TOO_MANY_CODES
        if not self._session.use_screen(strScreenNo):
            return WRONG_INPUT
        if strOptType == "0":
            self.end_screen(strScreenNo)
        numbers = frozenset(int(fid) for fid in fids)
        self._registrations.add(strScreenNo, codes, _types(numbers), asked=False)
        if PHASE_CODE not in codes and 215 in numbers:
            self._registrations.add(strScreenNo, [PHASE_CODE], frozenset({PHASE}), asked=False)
        return 0

    def SetRealRemove(self, strScrNo: str, strDelCode: str) -> None:
        """Take away what SetRealReg registered: a code or ALL, of a screen or ALL."""
        screen, code = strScrNo.strip(), strDelCode.strip()
        self._registrations.remove(None if screen.upper() == "ALL" else screen, None if code.upper() == "ALL" else code)
        self._forget()

    def DisconnectRealData(self, sScnNo: str) -> None:
        """Free a screen and all that is registered under it."""
        self.end_screen(sScnNo)
        self._session.screens.discard(sScnNo)

    def GetCommRealData(self, sTrCode: str, nFid: int) -> str:
        """A value of the event that is being told; "" for a FID that its type lacks, and outside of the event."""
        return self._told.value(nFid)

    def read_tick(self, code: str, fids: Sequence[int]) -> list[str]:
        """GetCommRealData of each FID at once."""
        return self._told.several(fids)

    # What requests do to registrations.

    def end_screen(self, screen: str) -> None:
        """Take everything of a screen away, as a request on it does."""
        self._registrations.end(screen)
        self._forget()

    def register_asked(self, screen: str, what: Tr, inputs: Mapping[str, str]) -> None:
        """Register what a 시세 TR (opt...) was asked about; account TRs register nothing."""
        if not what.code.lower().startswith("opt") or "계좌번호" in what.input_names:
            return
        asked = inputs.get("종목코드") or inputs.get("업종코드") or ""
        codes = [plain_code(code) for code in asked.split(";") if code.strip()]
        self._registrations.add(screen, codes[:CODES_PER_SCREEN], EVERYTHING, asked=True)
        if what.code.lower() == INTERRUPTIONS:
            self._registrations.add(screen, [INTERRUPTIONS], frozenset({INTERRUPTION}), asked=True)

    def _lost(self) -> None:
        self._registrations = Registrations()
        self._forget()

    def _forget(self) -> None:
        for code in [code for code in self._followed if code not in self._registrations.wanted]:
            del self._followed[code]

    # Events.

    def _heard(self, event: Event) -> None:
        match event:
            case AfterHoursChanged(code):
                if self.wants(code, LATE_BOOK):
                    self._evening(code)
            case AfterHoursTraded(code, time, price, quantity, fixed):
                if code in self._registrations.wanted:
                    self._traded_late(code, time, price, quantity, fixed=fixed)
            case Interrupted(found) | Resumed(found):
                self._interrupted(found)
            case PhaseChanged(phase, _):
                if phase is Phase.CLOSED:
                    self._quotes()
            case DayStarted():
                self._followed.clear()
                self._evenings.clear()
                self._periodic.start_day()
                self._facts()
                self._quotes()
                if self._session.world.exchange.hours == "always":
                    # A market that never closes has days all the same: what was open has expired at midnight.
                    self._phase(*DAY_OVER)

    def _traded(self, event: Traded) -> None:
        code = event.code
        if self.wants(code, TRADE):
            day = self._session.world.exchange.tape(code)
            self._fire(code, TRADE, self._follow(code).day.trade(event.trade, day))

    def _follow(self, code: str) -> _Followed:
        found = self._followed.get(code)
        if found is None:
            exchange = self._session.world.exchange
            issue, quote = exchange.instruments[code], exchange.quote(code)
            found = self._followed[code] = _Followed(
                BookWriter(issue.base_price, quote.previous_volume),
                DayWriter(issue, exchange.today, (quote.previous_volume, quote.previous_value), exchange.usual_part),
            )
        return found

    def _traded_late(self, code: str, time: datetime, price: int, quantity: int, *, fixed: bool) -> None:
        """A trade outside the day's hours."""
        late = self._session.world.exchange.after_hours(code)
        if fixed:
            if self.wants(code, TRADE):
                self._traded_at_close(code, time, price, quantity)
        elif late is not None:
            if self.wants(code, EVENING_TRADE):
                self.tell(code, EVENING_TRADE, realdata.evening_trade(late, time, quantity))
            if self.wants(code, EVENING_QUOTE):
                self.tell(code, EVENING_QUOTE, realdata.evening_quote(late))

    def _traded_at_close(self, code: str, time: datetime, price: int, quantity: int) -> None:
        """A trade outside the day's hours at a close: it adds to the day's volume, and 장구분 says when it was."""
        exchange = self._session.world.exchange
        quote, late = exchange.quote(code), exchange.after_hours(code)
        more = late.fixed_volume if late else quantity
        trade = Trade(time, price, quantity, Side.BUY, price, price, quote.volume + more, quote.value + more * price)
        hours = BEFORE_HOURS if exchange.phase is Phase.OPENING_AUCTION else AFTER_HOURS
        self._fire(code, TRADE, self._follow(code).day.trade(trade, exchange.tape(code), hours))

    def _moved(self, event: BookChanged) -> None:
        code = event.code
        if code not in self._registrations.wanted:
            return
        exchange, it, now = self._session.world.exchange, self._follow(code), self._session.world.now()
        depth, before = exchange.depth(code), it.depth
        it.depth = depth
        auction = exchange.expected(code)
        if self.wants(code, BEST) and (before is None or _tops(before) != _tops(depth)):
            self.tell(code, BEST, realdata.best(depth, exchange.instruments[code].base_price))
        if self.wants(code, BOOK):
            auctions = auction, exchange.auctioned(code)
            self._fire(code, BOOK, it.book.text(depth, before, exchange.tape(code).volume, auctions, now))
        if auction[0] and self.wants(code, EXPECTED):
            self.tell(code, EXPECTED, realdata.expected(*auction, exchange.quote(code), now))

    def _interrupted(self, found: Interruption) -> None:
        """Tell of every issue, once a TR about interruptions was asked."""
        exchange = self._session.world.exchange
        if self.wants(INTERRUPTIONS, INTERRUPTION):
            issue, quote = exchange.instruments[found.code], exchange.quote(found.code)
            self.tell(found.code, INTERRUPTION, realdata.interruption(found, issue, quote))

    def _quotes(self) -> None:
        """Tell the prices of every code that is registered: a new day, or the end of one, has changed them."""
        exchange = self._session.world.exchange
        for code in sorted(exchange.instruments.keys() & self._registrations.wanted.keys()):
            if self.wants(code, QUOTE):
                self._fire(code, QUOTE, self._follow(code).day.quote(exchange.quote(code)))

    def _facts(self) -> None:
        """Tell the limits of a new day."""
        exchange = self._session.world.exchange
        for code in sorted(exchange.instruments.keys() & self._registrations.wanted.keys()):
            if self.wants(code, FACTS):
                self.tell(code, FACTS, realdata.facts(exchange.instruments[code]))

    def _phase(self, value: str, moment: str, remaining: str) -> None:
        if self.wants(PHASE_CODE, PHASE):
            self.tell(PHASE_CODE, PHASE, realdata.phase(value, moment, remaining))

    @property
    def wanted(self) -> Mapping[str, frozenset[str]]:
        """What is registered, by code."""
        return self._registrations.wanted

    def wants(self, code: str, kind: str) -> bool:
        """Whether a real type of a code is registered."""
        # Looked up each time: a slot of the event before may have changed what is registered.
        wanted = self._registrations.wanted.get(code)
        if wanted is None:
            return False
        return kind in wanted or "*" in wanted

    def _evening(self, code: str) -> None:
        """The totals of a book outside the day's hours have changed."""
        world = self._session.world
        quote = world.exchange.after_hours(code)
        if quote is None:
            return
        totals, before = (quote.total_ask, quote.total_bid), self._evenings.get(code)
        if totals != before:
            self._evenings[code] = totals
            self.tell(code, LATE_BOOK, realdata.late_book(totals, before or totals, world.now()))

    def tell(self, code: str, kind: str, values: Mapping[int, str]) -> None:
        """Fire OnReceiveRealData with values by FID."""
        self._fire(code, kind, realdata.text(kind, values))

    def _fire(self, code: str, kind: str, raw: str) -> None:
        """Fire OnReceiveRealData; what `raw` says can be read until all slots have returned."""
        if not self._session.events.OnReceiveRealData or self._session.faults.drops(kind):
            return
        outer, self._told = self._told, Told(kind, raw)
        try:
            self._session.events.OnReceiveRealData(code, kind, raw)
        finally:
            self._told = outer


def _types(fids: frozenset[int]) -> frozenset[str]:
    """The real types that these FIDs bring: each one that has any of them; all without FIDs."""
    if not fids:
        return EVERYTHING
    known = (*_STOCK_TYPES, *_SECTOR_TYPES, *_CONTRACT_TYPES, MARKET_PROGRAMS, PHASE)
    found = {name for name in known if not fids.isdisjoint(real_type(name).fids)}
    return frozenset(found | {name for name, own in _BY_OWN_FIDS.items() if not fids.isdisjoint(own)})


def _tops(depth: Depth) -> tuple[int, int]:
    return (
        depth.asks[0].price if depth.asks else 0,
        depth.bids[0].price if depth.bids else 0,
    )
