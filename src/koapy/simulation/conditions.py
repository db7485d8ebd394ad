"""Condition search (조건검색): finding codes once, and telling which come in and go out as the market moves."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.openapi.limit import CONDITION_HITS, CONDITION_WINDOWS, REALTIME_CONDITIONS
from koapy.simulation.screening import preparation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from koapy.simulation.clock import Handle
    from koapy.simulation.screening import Condition
    from koapy.simulation.session import Session

FAILED, SENT = 0, 1
TOO_MANY_REQUESTS = -200
ONCE, REALTIME = 0, 1
"""Kinds of search."""
PERIOD = 1.0
"""Seconds between two looks at the market for real-time conditions."""


@dataclass(slots=True)
class Watch:
    """A real-time condition."""

    index: int
    hits: list[str]


class Conditions:
    """Conditions of one session. One screen has one condition at a time."""

    def __init__(self, session: Session, conditions: Sequence[Condition]) -> None:
        self._session = session
        self._conditions = conditions
        self._loaded = False
        self._last: dict[int, datetime] = {}
        self._watches: dict[str, Watch] = {}
        """Real-time conditions by screen."""
        self._timer: Handle | None = None
        self.with_prices = False
        """Whether lists have code^price (SetConditionSearchFlag AddPrice)."""
        session.when_lost.append(self._lost)

    def GetConditionLoad(self) -> int:
        """Load the user's conditions; OnReceiveConditionVer follows."""
        if not self._session.connected:
            return FAILED
        self._session.later(self._load, preparation(self._session.world.exchange))
        return SENT

    def GetConditionNameList(self) -> str:
        """Return index^name of every condition, "" until they were loaded."""
        if not self._loaded:
            return ""
        return "".join(f"{number(index)}^{each.name};" for index, each in enumerate(self._conditions))

    def SendCondition(self, strScrNo: str, strConditionName: str, nIndex: int, nSearch: int) -> int:
        """Search once (0) or from now on (1). 1: sent; 0 or negative: not."""
        now = self._session.world.now()
        if not self._loaded or nSearch not in (ONCE, REALTIME) or not self._known(strConditionName, nIndex):
            return FAILED
        calls, seconds = CONDITION_WINDOWS["guide"][0]
        last = self._last.get(nIndex)
        if last is not None and (now - last).total_seconds() < seconds / calls:
            return FAILED
        others = self._watches.keys() - {strScrNo}
        if nSearch == REALTIME and len(others) >= REALTIME_CONDITIONS:
            return FAILED
        if not self._session.use_screen(strScrNo):
            return FAILED
        if self._session.faults.barred:
            return self._session.faults.barred
        if not self._session.queries.take(now):
            return TOO_MANY_REQUESTS
        self._last[nIndex] = now
        self._watches.pop(strScrNo, None)
        if nSearch == REALTIME:
            self._watches[strScrNo] = Watch(nIndex, [])
        self._session.later(self._answer, strScrNo, nIndex)
        return SENT

    def SendConditionStop(self, strScrNo: str, strConditionName: str, nIndex: int) -> None:
        """Stop a real-time condition."""
        watch = self._watches.get(strScrNo)
        if watch is not None and watch.index == nIndex and self._known(strConditionName, nIndex):
            del self._watches[strScrNo]

    def _lost(self) -> None:
        self._loaded = False
        self._watches.clear()
        self._last.clear()

    def _known(self, name: str, index: int) -> bool:
        return 0 <= index < len(self._conditions) and self._conditions[index].name == name

    def _load(self, steps: Iterator[None]) -> None:
        """Load step by step, each a timer of its own, so that ticks and calls get their turn in between."""
        for _ in steps:
            self._session.later(self._load, steps, delay=0)
            return
        self._loaded = True
        self._session.events.OnReceiveConditionVer(1, "")

    def _answer(self, screen: str, index: int) -> None:
        exchange = self._session.world.exchange
        condition = self._conditions[index]
        hits = condition.find(exchange)
        watch = self._watches.get(screen)
        if watch is not None and watch.index == index:
            watch.hits = hits
            if len(hits) > CONDITION_HITS:
                del self._watches[screen]  # no real-time signals then
            elif self._timer is None:
                self._timer = self._session.world.clock.call_later(PERIOD, self._look)
        prices = {code: f"^{exchange.quote(code).last}" for code in hits} if self.with_prices and watch is None else {}
        codes = "".join(f"{code}{prices.get(code, '')};" for code in hits)
        self._session.events.OnReceiveTrCondition(screen, codes, condition.name, index, 0)

    def _look(self) -> None:
        """Tell what came in and went out since the last look."""
        self._timer = None
        found = {
            index: self._conditions[index].find(self._session.world.exchange)
            for index in {watch.index: None for watch in self._watches.values()}
        }
        for screen, watch in list(self._watches.items()):
            before, watch.hits = watch.hits, found[watch.index]
            self._signal(screen, watch, "D", [code for code in before if code not in watch.hits])
            self._signal(screen, watch, "I", [code for code in watch.hits if code not in before])
        if self._watches and self._timer is None:
            self._timer = self._session.world.clock.call_later(PERIOD, self._look)

    def _signal(self, screen: str, watch: Watch, kind: str, codes: list[str]) -> None:
        for code in codes:
            # A slot may have stopped the condition meanwhile.
            if self._watches.get(screen) is watch:
                name = self._conditions[watch.index].name
                self._session.events.OnReceiveRealCondition(code, kind, name, number(watch.index))


def number(index: int) -> str:
    """Write a condition's index as OpenAPI+ writes it: 3 digits."""
    return f"{index:03d}"
