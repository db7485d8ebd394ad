"""The exchange: instruments, books, other traders, accounts and the phases of the day. It knows no OpenAPI+ words.

Single-threaded: everything here is called on the thread of its clock.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from koapy.simulation.account import Ledger
from koapy.simulation.blotter import Blotter
from koapy.simulation.desk import Desk
from koapy.simulation.floor import Floor
from koapy.simulation.history import History
from koapy.simulation.hours import Timetable, midnight_after
from koapy.simulation.instruments import instrument, leverage, margins
from koapy.simulation.keeper import SECONDS as KEEP_SECONDS
from koapy.simulation.keeper import Keeper, look
from koapy.simulation.marketdata import MarketData
from koapy.simulation.model import AccountSetup, DayStarted, OrderKind, Phase, PhaseChanged, Refusal, Refused, Side
from koapy.simulation.morning import Morning
from koapy.simulation.pit import Pit
from koapy.simulation.sectors import KOSPI200, SectorBoard, sectors_of
from koapy.simulation.statefile import StateError
from koapy.simulation.tariff import Tariff
from koapy.simulation.telling import Telling
from koapy.simulation.trading import Trading
from koapy.simulation.volatility import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from datetime import datetime

    from koapy.openapi.market import Server
    from koapy.simulation.clock import Clock
    from koapy.simulation.hours import Hours
    from koapy.simulation.market import Market
    from koapy.simulation.model import Account, Bar, Credit, Event, Fill, Instrument, Order, PastDay
    from koapy.simulation.statefile import StateFile

E = TypeVar("E", bound="Event")

DEFAULT_ACCOUNTS = (AccountSetup("8000000011", 100_000_000, {"005930": 100, "000660": 10, "069500": 50}),)
"""What an exchange has if nothing else is asked for."""


class Exchange(MarketData):
    """A market that runs from its construction on.

    Args:
        clock: simulated time; the exchange sets timers on it and is called on its thread.
        market: the issues and their past, see `koapy.simulation.market.load_market`.
        seed: of the other traders. The same seed, market, clock and calls give the same session, event for event.
        accounts: to start with; one by default. Their holdings were bought at the reference price.
        hours: "always": continuous trading at every moment, days change at midnight. "krx": the phases of the Korea
            Exchange on its trading days; on other days the last session stays in place, closed.
        server: whose commission is taken.
        state: the file that this market is kept in and taken up from; see `koapy.simulation.keeper`.

    Raises:
        StateError: the state is of another market, or of a later day than the clock's.

    A session that is in progress at construction already has some trades, unless the market has real history: then its
    first trade is the first that anybody sees.
    """

    def __init__(
        self,
        clock: Clock,
        market: Market,
        *,
        seed: int = 1,
        accounts: Sequence[AccountSetup] | None = None,
        hours: Hours = "always",
        server: Server = "mock",
        state: StateFile | None = None,
    ) -> None:
        self.clock = clock
        self.hours = hours
        self._timetable = Timetable(hours)
        now = clock.now()
        session = self._timetable.session(now)
        kept = look(state) if state is not None else None
        if kept is not None and kept.today > session:
            raise StateError(f"the state is of {kept.today}, the clock stands at {now:%Y-%m-%d}")
        self.today = kept.today if kept else session
        self._issues = market.issues
        self._history = History(
            market.seed, market.issues, market.recorded, kept.first if kept else self.today, self.today
        )
        bases: dict[str, int] = {}
        if kept is not None:
            bases |= kept.bases
            self._history.take_up(kept.days)
        self.instruments = {code: self._instrument(code, bases.get(code)) for code in market.issues}
        # What is taken up goes on otherwise than it has begun, but as surely.
        self._seed = f"{seed}" if kept is None else f"{seed}:{kept.moment:%Y%m%d%H%M%S%f}"
        self._keeper: Keeper | None = None
        self._morning = Morning(market.seed, self._timetable)
        self._telling = Telling(clock, self._keep_orders)
        self.sectors = sectors_of(self.instruments.values())
        large = frozenset(self.sectors[KOSPI200].members if KOSPI200 in self.sectors else ())
        self._pits = {}
        evenings = server == "real" and hours == "krx"
        self._trading = Trading(clock, self._timetable, self._pits, self._telling, evenings=evenings)
        for code in self.instruments:
            self._pits[code] = self._pit(code, large, evenings=evenings)
        self._trading.set_phase(self.phase)
        tariff = Tariff(self, server)
        self._margins = margins(self.instruments.values())
        setups = list(DEFAULT_ACCOUNTS if accounts is None else accounts)
        given = {each.number for each in setups}
        setups += [AccountSetup(number, 0) for number in (kept.accounts if kept else ()) if number not in given]
        self._ledgers = {each.number: self._ledger(each, tariff) for each in setups}
        self._blotter = Blotter()
        self._floor = self._trading.floor = Floor(self._blotter, self._telling.emit)
        self._desk = Desk(self._pits, self._ledgers, tariff, self._blotter, self._floor, self._telling.emit)
        self._board = self._trading.board = SectorBoard(self.sectors, self._pits, self._history, market.seed)
        if state is not None:
            identity = {"seed": seed, "hours": hours, "server": server}
            self._keeper = Keeper(
                state,
                identity,
                self._pits,
                self._ledgers,
                self._desk,
                self._blotter,
                self._board,
                self._history.before,
            )
        self._begin(market, now, taken_up=kept is not None)

    def _begin(self, market: Market, now: datetime, *, taken_up: bool) -> None:
        """Start the session of this moment, or go on with it."""
        session = self._timetable.session(now)
        ended: list[tuple[str, Bar]] = []
        if self._keeper is not None and taken_up:
            self._keeper.restore(now)
        if self.today != session:
            ended = self._end_day()
            self.today = session
            self._start_day()
            taken_up = False
        if not market.recorded and not taken_up:
            self._trading.warm_up(self.today)
        for pit in self._pits.values():
            pit.play_before(now, told=taken_up)
        self._board.sample(now)
        self._trading.prepare_books()
        late = self._trading.begin_evening(now)
        if taken_up:
            self._floor.reopen(now)
        if self.phase is Phase.CLOSED:
            self._floor.expire(self._pits, but=late.kind if late else None)
        self._trading.start()
        self.clock.call_at(midnight_after(now), self._midnight)
        if self._keeper is not None:
            self._keeper.keep_all(self.today, now, ended)
            self.clock.call_later(KEEP_SECONDS, self._keep_market)

    def close(self) -> None:
        """Write the state, if there is one, and let its file go. The exchange must not be used any more."""
        if self._keeper is not None:
            self._keeper.keep_all(self.today, self.clock.now())
            self._keeper.close()

    def keep(self, name: str, value: Any) -> None:
        """Write plain values of somebody else into the state, under a name; nothing where there is no state."""
        if self._keeper is not None:
            self._keeper.keep_other(name, value)

    def kept(self, name: str) -> Any:
        """What `keep` has written, None where there is nothing."""
        return self._keeper.other(name) if self._keeper is not None else None

    @property
    def phase(self) -> Phase:
        """Of the day; an issue whose trading is interrupted may be in an auction meanwhile."""
        return self._trading.phase

    @property
    def account_numbers(self) -> tuple[str, ...]:
        """All accounts, in the order in which they were given."""
        return tuple(self._ledgers)

    # Orders. All raise Refused at once and then have changed nothing.

    def place(
        self,
        account: str,
        code: str,
        side: Side,
        kind: OrderKind,
        price: int,
        quantity: int,
        credit: Credit | None = None,
    ) -> Order:
        """Accept a new order.

        What follows is told by events, which are delivered after the caller has returned to the clock, the first one
        being OrderAccepted; then come OrderFilled and the market's own events in the order in which they happened.

        Args:
            price: limit in won; 0 for market orders.
            quantity: shares.
            credit: a buy takes a loan, a sale pays one back; None: the account's own cash and shares.

        Returns: the order as accepted, with its number and nothing filled.
        Raises: Refused.
        """
        self._check_hours(code, kind)
        return self._kept(self._desk.place(account, code, side, kind, price, quantity, self.clock.now(), credit))

    def modify(self, account: str, original: int, price: int, quantity: int = 0, *, side: Side | None = None) -> Order:
        """Move what is open of an order, or a part, to another price, under a new number and to the end of the queue.

        Events: OrderAccepted(modify), OrderConfirmed(modify, original, quantity), OrderCleared(original) when nothing
        of the original is open any more; then fills under the new number.

        Args:
            original: number of the order.
            quantity: shares to move; 0: all that is open.
            side: if given, the side the caller takes the original to be on.

        Raises: Refused.
        """
        self._check_hours(*self._known(original))
        return self._kept(self._desk.modify(account, original, price, quantity, side, self.clock.now()))

    def cancel(self, account: str, original: int, quantity: int = 0, *, side: Side | None = None) -> Order:
        """Cancel what is open of an order, or a part of it.

        Events: OrderAccepted(cancel), OrderConfirmed(cancel, original, quantity), OrderCleared(original) when nothing
        of it is open any more, PositionChanged when the original was a sell.

        Args: as of `modify`.
        Raises: Refused.
        """
        self._check_hours(*self._known(original))
        return self._kept(self._desk.cancel(account, original, quantity, side, self.clock.now()))

    def account(self, number: str) -> Account:
        """The account now. Unknown numbers raise KeyError."""
        return self._ledgers[number].account()

    def usual_part(self, moment: datetime) -> float:
        """The part of a day's shares that is usually traded by a moment of its session: from more than 0 to 1."""
        return self._timetable.part(moment)

    def past_days(self, account: str) -> Sequence[PastDay]:
        """What an account did on earlier days, ascending; days that the exchange has seen to their end, at most 250."""
        return self._ledgers[account].past

    def orders(self, account: str) -> list[Order]:
        """Today's orders as they stand, by number. Those with `open` > 0 may still trade."""
        return self._blotter.orders(account)

    def order(self, number: int) -> Order:
        """One of today's orders as it stands. Unknown numbers raise KeyError."""
        return self._blotter.order(number)

    def fills(self, account: str) -> list[Fill]:
        """Today's fills, oldest first."""
        return self._blotter.fills(account)

    def max_quantity(
        self, account: str, code: str, side: Side, kind: OrderKind, price: int, credit: Credit | None = None
    ) -> int:
        """The largest quantity that `place` would take now, as far as cash and holdings go.

        Raises: Refused for an unknown account or code.
        """
        return self._desk.max_quantity(account, code, side, kind, price, credit)

    def margin(self, code: str) -> int:
        """Percent of a buy that a margin account has to have at once (증거금률); 100: no credit either."""
        return self._margins[code]

    # Events.

    def subscribe(self, listener: Callable[[E], object], kinds: Iterable[type[E]] = ()) -> None:
        """Have `listener` called with every event of some kinds, of all unless given, in order, after those that were
        subscribed before it.
        """
        self._telling.subscribe(listener, kinds)

    def _kept(self, order: Order) -> Order:
        """The order, after it has been written where there is a state."""
        self._keep_orders()
        return order

    def _keep_orders(self) -> None:
        if self._keeper is not None:
            self._keeper.keep_orders(self.today, self.clock.now())

    def _keep_market(self) -> None:
        if self._keeper is not None:
            self._keeper.keep_market(self.today, self.clock.now())
            self.clock.call_later(KEEP_SECONDS, self._keep_market)

    def _known(self, number: int) -> tuple[str, OrderKind]:
        """Issue and kind of an order; of an unknown one, what is refused later."""
        try:
            order = self._blotter.order(number)
        except KeyError:
            return "", OrderKind.LIMIT
        return order.code, order.kind

    def _check_hours(self, code: str, kind: OrderKind) -> None:
        pit = self._pits.get(code)
        if self.phase.takes_orders or (pit is not None and pit.interruption is not None):
            return
        if kind.after_hours and pit is not None and pit.after_hours is not None:
            return
        if not self._timetable.starts_session(self.clock.now().date()):
            raise Refused(Refusal.HOLIDAY)
        raise Refused(Refusal.BEFORE_OPEN if self.phase is Phase.BEFORE_OPEN else Refusal.AFTER_CLOSE)

    def _pit(self, code: str, large: Container[str], *, evenings: bool) -> Pit:
        fund = self.instruments[code].fund
        pit = Pit(
            self.instruments[code],
            self.today,
            Random(f"{self._seed}:{code}:flow"),
            self._history.normal_volume(code),
            self._history.turmoil(code),
            self._timetable.seconds,
            watch(self.instruments[code], leverage(self._issues[code]) == 1 if fund else code in large),
            self._telling.emit,
            self._trading.interrupted,
        )
        pit.play(self._history.played(code))
        if evenings:
            pit.open_evening(Random(f"{self._seed}:{code}:evening"))
        return pit

    def _instrument(self, code: str, last: int | None) -> Instrument:
        """An issue today, after a day that ended with a price; that of a record counts more."""
        issue, day = self._issues[code], self._history.recorded_day(code)
        made = instrument(issue, self._history.base_price(code, last), self.today)
        if day is None or made.lower <= day.low <= day.high <= made.upper:
            return made
        # A split, a capital change or a first day: what the reference price was, only the opening tells.
        made = instrument(issue, day.open, self.today)
        return replace(made, lower=min(made.lower, day.low), upper=max(made.upper, day.high))

    def _ledger(self, setup: AccountSetup, tariff: Tariff) -> Ledger:
        known = self.instruments
        held = {code: (count, known[code].base_price) for code, count in setup.holdings.items() if code in known}
        return Ledger(
            setup.number,
            setup.cash,
            held,
            tariff,
            margin=setup.margin,
            today=self.today,
            settles=self._timetable.settling(self.today),
        )

    def _midnight(self) -> None:
        """Begin the next day; one without a session leaves everything as it is."""
        now = self.clock.now()
        ended: list[tuple[str, Bar]] = []
        if self._timetable.starts_session(now.date()):
            ended = self._end_day()
            self.today = now.date()
            self._start_day()
        if self.phase is not (phase := self._timetable.phase(now)):
            self._trading.set_phase(phase)
            self._telling.emit(PhaseChanged(phase, now))
        self._trading.prepare_books()
        self._trading.plan_day()
        self.clock.call_at(midnight_after(now), self._midnight)
        if self._keeper is not None:
            self._keeper.keep_all(self.today, now, ended)

    def _end_day(self) -> list[tuple[str, Bar]]:
        """Let today become past; give its bars, by code."""
        for pit in self._pits.values():
            if pit.interruption is not None:
                pit.end_interruption(self.clock.now())
        self._floor.expire(self._pits)
        self._board.end_day(self.today)
        found = ((code, pit.tape.bar(self.today)) for code, pit in self._pits.items())
        ended = [(code, bar) for code, bar in found if bar is not None]
        for code, bar in ended:
            self._history.add(code, bar)
        return ended

    def _start_day(self) -> None:
        self._morning.start_day()
        self._history.start_day(self.today)
        lasts = {code: pit.last() for code, pit in self._pits.items()}
        self.instruments = {code: self._instrument(code, last) for code, last in lasts.items()}
        for code, pit in self._pits.items():
            pit.start_day(self.instruments[code], self.today)
            pit.play(self._history.played(code))
        self._board.start_day()
        self._blotter.start_day()
        self._margins = margins(self.instruments.values())
        settles = self._timetable.settling(self.today)
        for ledger in self._ledgers.values():
            ledger.start_day(self.today, settles, lasts)
        self._telling.emit(DayStarted(self.today))
