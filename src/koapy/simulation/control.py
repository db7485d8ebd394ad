"""SimulatedControl: OpenAPI+ as a program sees it, with an exchange inside instead of Windows and an account."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS, FUNCTIONS
from koapy.simulation.answers import Answers
from koapy.simulation.chejan import Chejan
from koapy.simulation.clock import ManualClock, RealTimeClock
from koapy.simulation.conditions import Conditions
from koapy.simulation.derivatives import Derivatives
from koapy.simulation.exchange import Exchange
from koapy.simulation.faults import Faults
from koapy.simulation.futures import Contracts
from koapy.simulation.keeper import look
from koapy.simulation.login import Login
from koapy.simulation.lookups import Lookups
from koapy.simulation.maintenance import Maintenance
from koapy.simulation.market import load_market
from koapy.simulation.orders import Orders
from koapy.simulation.realtime import RealTime
from koapy.simulation.requests import Requests
from koapy.simulation.samples import Samples
from koapy.simulation.screening import CONDITIONS
from koapy.simulation.session import Session
from koapy.simulation.statefile import StateFile
from koapy.simulation.world import User, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from koapy.simulation.clock import Clock
    from koapy.simulation.faults import FaultPlan
    from koapy.simulation.history.record import Label
    from koapy.simulation.hours import Hours
    from koapy.simulation.model import AccountSetup
    from koapy.simulation.screening import Condition
    from koapy.simulation.world import ServerKind

T = TypeVar("T")
logger = logging.getLogger(__name__)


class SimulatedControl:
    """The functions and events of OpenAPI+ over an embedded exchange.

    It owns one thread, on which the exchange runs, all functions must be called and all events are told: `submit` runs
    a callable there. A function that is called on another thread raises RuntimeError. The thread begins with the first
    `submit` and ends with `close`.

    Args:
        seed: of the market. The same seed, clock and calls give the same session, event for event.
        history: folder of real days, minutes or trades, files named by code; see docs/simulation.md.
        minute_label: what the times of minute bars in `history` are: their "start", as in OpenAPI+, or their "end".
        date: when the market's clock begins, on a day that `history` has: "2025-06-10" (a minute before the opening) or
            "2025-06-10 10:30". That day and those after it are then played as they were. None: the first trading day
            after everything in `history`.
        clock: how time passes; by default as on the wall, `speed` times as fast. A `ManualClock` passes in `advance`.
        hours: "always": the market is open at every moment; "krx": the hours of the Korea Exchange.
        server: "mock" (모의투자) or "real": which messages, fees and kinds of order there are.
        accounts: to start with; one by default.
        login_delay: seconds from CommConnect to OnEventConnect.
        answer_delay: seconds from a request or an order to its answer.
        market_size: how many issues the market has; those of `history` come on top.
        faults: what is to go wrong; nothing unless given.
        conditions: that the user has, by index; four of the simulation's own unless given.
        state: file in which the market's day, the accounts and their orders outlive this control; made where there is
            none. Its market is taken up where it was left: on the same day with the same prices and open orders, on a
            later one after the days have been changed as at midnight. Time does not pass meanwhile.

    Raises:
        HistoryError: a file of `history` is not as it must be, none has the day of `date`, or `hours` are closed on it.
        StateError: `state` is in use, is no state file, or is of a market with another seed, hours or server.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        history: Path | None = None,
        minute_label: Label = "start",
        date: str | None = None,
        clock: Clock | None = None,
        hours: Hours = "always",
        server: ServerKind = "mock",
        accounts: Sequence[AccountSetup] | None = None,
        speed: float = 1.0,
        login_delay: float = 0.5,
        answer_delay: float = 0.02,
        market_size: int = 250,
        state: Path | None = None,
        faults: FaultPlan | None = None,
        conditions: Sequence[Condition] = CONDITIONS,
    ) -> None:
        file = StateFile(state) if state is not None else None
        try:
            kept = look(file) if file is not None else None
            codes = kept.codes if kept else ()
            market = load_market(seed, history, market_size, also=codes, label=minute_label, begin=date, hours=hours)
            begin = market.opens or datetime.now(KST)
            self._clock = clock or RealTimeClock(max(begin, kept.moment) if kept else begin, speed)
            exchange = Exchange(
                self._clock, market, seed=seed, accounts=accounts, hours=hours, server=server, state=file
            )
        except BaseException:
            if file is not None:
                file.close()
            raise
        self.world = World(exchange, self._clock, server, User(accounts=tuple(exchange.account_numbers)))
        """What is simulated; it belongs to the control's thread."""
        self.world.recall()
        self.world.contracts = Contracts(exchange)
        self.world.samples = Samples(exchange, self._clock)
        self.faults = Faults(self._clock)
        """What goes wrong on purpose; it belongs to the control's thread."""
        session = Session(self.world, answer_delay, self.faults)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        # Listeners hear the exchange in this order: an order's own events come before the ticks that they cause.
        chejan, real = Chejan(session), RealTime(session)
        answers, search = Answers(session), Conditions(session, conditions)
        self._login = Login(session, login_delay)
        self.faults.lose = self._login.lose
        if faults is not None:
            self.faults.use(faults)
        if hours == "krx":
            Maintenance(self._clock, self.faults)
        families = (
            self._login,
            Requests(session, answers, real),
            answers,
            Orders(session, answers),
            chejan,
            real,
            search,
            Lookups(session, search),
            Derivatives(session),
        )
        for name in FUNCTIONS:
            function = next(getattr(family, name) for family in families if hasattr(family, name))
            setattr(self, name, self._owned(function))
        for name in EVENTS:
            setattr(self, name, getattr(session.events, name))
        self.read_tick = self._owned(real.read_tick)

    if TYPE_CHECKING:

        def __getattr__(self, name: str, /) -> Any:
            """The functions and events of OpenAPI+; `koapy.openapi.functions` lists them."""

    def submit(self, function: Callable[..., T], /, *args: Any) -> Future[T]:
        """Run `function(*args)` on the control's thread and give its outcome. May be called on any thread.

        Raises:
            RuntimeError: the control has been closed.
        """
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="koapy-simulation", daemon=True)
                self._thread.start()
        return self._clock.submit(function, *args)

    def advance(self, seconds: float) -> None:
        """Let time pass on a `ManualClock`; returns when all that became due has been told.

        Raises:
            TypeError: the clock passes by itself.
        """
        if not isinstance(self._clock, ManualClock):
            raise TypeError(f"{type(self._clock).__name__} passes by itself; give the control a ManualClock")
        if self._clock.on_thread:
            self._clock.advance(seconds)
        else:
            self.submit(self._clock.advance, seconds).result()

    def lose_connection(self) -> Future[None]:
        """Lose the connection to the server: OnEventConnect(-106); what was asked stays unanswered. For tests."""
        return self.submit(self._login.lose)

    def close(self) -> None:
        """End the thread and wait for it; work that has not begun is cancelled. Harmless twice, and from any thread."""
        with self._lock:
            unused = self._thread is None and not self._closed
            self._closed = True
        self._clock.stop()
        if unused:
            self.world.exchange.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._clock.run()
        finally:
            self.world.exchange.close()

    def _owned(self, function: Callable[..., T]) -> Callable[..., T]:
        """Let a function run on the control's thread only."""

        @wraps(function)
        def owned(*args: Any) -> T:
            if not self._clock.on_thread:
                raise RuntimeError(
                    f"{function.__name__} was called on thread {threading.current_thread().name!r}, but OpenAPI+ works "
                    f"on the control's own thread only: use control.submit(control.{function.__name__}, ...)"
                )
            return function(*args)

        return owned
