"""What goes wrong on purpose: a plan in a small file, and what comes of it, the same for the same seed.

    seed = 1

    [[fault]]
    kind = "early"                 # the order events overtake the answer
    on = "order"
    share = 0.1                    # of the orders, by chance
    seconds = [0.2, 0.5]           # how much later the answer comes

    [[fault]]
    kind = "code"
    on = "query"
    which = [3]                    # the third one
    code = -200

    [[fault]]
    kind = "disconnect"
    after = 60                     # seconds of the market after the start
    seconds = 20                   # until a login succeeds again

What befalls orders, queries and ticks has a share or numbers, and `after` and `until` where it is not to go on for
ever. What happens at moments has `after`, to happen again and again `every` besides, or `at`, a time of each day.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from dataclasses import dataclass, field, fields
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from koapy.openapi.calendar import KST
from koapy.simulation.toml import read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from koapy.simulation.clock import Clock, Handle

logger = logging.getLogger(__name__)

Kind = Literal[
    "barred", "code", "delayed", "disconnect", "dropped", "early", "frozen", "lost", "refused", "silent", "transit"
]  # fmt: skip
On = Literal["", "order", "query", "tick"]

KINDS: Mapping[On, tuple[Kind, ...]] = {
    "order": ("delayed", "early", "lost", "silent", "transit", "refused", "code", "frozen"),
    "query": ("delayed", "lost", "refused", "code", "barred", "frozen"),
    "tick": ("dropped",),
    "": ("disconnect", "frozen"),
}
"""What can befall what; what befalls nothing in particular happens at a moment."""

KEPT = 1000
"""How many of the last faults are remembered."""


class FaultError(ValueError):
    """A plan is not as it must be; the text says where, and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Kinds: `code`, the function returns `code` and nothing is sent; `barred`, so do all queries from then on, until the
    program logs in again, as when OpenAPI+'s hidden limit is met; `refused`, the server answers with `message` and does
    nothing else; `delayed`, the answer comes late, and with it all events of the order; `early`, the answer comes late,
    but not the order events; `transit`, the order reaches the exchange late; `lost`, neither message nor answer come,
    but what was asked is done; `silent`, the same, and no event of the order either until it is cancelled; `dropped`, a
    tick is not told; `frozen`, the control's thread stands still; `disconnect`, the connection is lost.
    """

    kind: Kind
    on: On = ""
    share: float = 1.0
    """Of the orders, queries or ticks, by chance."""
    which: tuple[int, ...] = ()
    """Their numbers from 1 on, instead of a share."""
    after: float = 0.0
    """Seconds of the market since the plan is in use; before that, nothing happens."""
    until: float | None = None
    """When it is over; None: never."""
    every: float | None = None
    """Seconds between two moments; None: it happens once."""
    at: time | None = None
    """A time of each day, instead of `after`."""
    seconds: tuple[float, float] = (0.05, 0.6)
    """How long it takes, at least and at most: seconds of the market, of the wall for `frozen`."""
    code: int | None = None
    """What the function returns; by default -308 for an order, -200 for a query, -209 for `barred`."""
    message: str = "[RC4058] 모의투자 장애 시험: 거부되었습니다."

    @property
    def returned(self) -> int:
        """What the function returns."""
        if self.code is not None:
            return self.code
        return -308 if self.on == "order" else -209 if self.kind == "barred" else -200

    def __post_init__(self) -> None:
        for name, choices in (("kind", get_args(Kind)), ("on", get_args(On))):
            if getattr(self, name) not in choices:
                raise FaultError(f"{name} = {getattr(self, name)!r}: one of {', '.join(map(repr, choices))} is wanted")
        if self.kind not in KINDS[self.on]:
            where = ", ".join(repr(on) for on, kinds in KINDS.items() if self.kind in kinds)
            raise FaultError(f"kind = {self.kind!r} on {self.on!r}: it happens on {where}")
        if not 0 <= self.share <= 1:
            raise FaultError(f"share = {self.share:g}: 0 to 1 is wanted")
        if not 0 <= self.seconds[0] <= self.seconds[1]:
            raise FaultError(f"seconds = {list(self.seconds)}: at least and at most are wanted")
        if self.every is not None and self.every <= 0:
            raise FaultError(f"every = {self.every:g}: more than 0 is wanted")


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All that is to go wrong."""

    faults: tuple[Fault, ...] = ()
    seed: int = 1


class Happened(NamedTuple):
    """A fault that has happened."""

    moment: datetime
    fault: Fault
    subject: str
    """Request name of an order or query, real type of a tick."""


def load_faults(path: Path) -> FaultPlan:
    """Read a plan.

    Raises: FaultError: the file cannot be read, or says what it cannot say.
    """
    said = read_toml(path, FaultError)
    if unknown := said.keys() - {"seed", "fault"}:
        raise FaultError(f"{path}: {', '.join(sorted(unknown))}: seed and [[fault]] are wanted")
    if type(seed := said.get("seed", 1)) is not int:
        raise FaultError(f"{path}: seed = {seed!r}: a whole number is wanted")
    if not isinstance(listed := said.get("fault", []), list):
        raise FaultError(f"{path}: fault: [[fault]], twice in brackets, is wanted")
    found = []
    for number, each in enumerate(listed, 1):
        try:
            found.append(_fault(each))
        except FaultError as error:
            raise FaultError(f"{path}: fault {number}: {error}") from None
    return FaultPlan(tuple(found), seed)


def _fault(said: Any) -> Fault:
    known = {each.name for each in fields(Fault)}
    if not isinstance(said, dict) or "kind" not in said:
        raise FaultError(f"a kind is wanted, one of {', '.join(get_args(Kind))}")
    if unknown := said.keys() - known:
        raise FaultError(f"{', '.join(sorted(unknown))}: only {', '.join(sorted(known))} are wanted")
    if "at" in said and said.keys() & {"after", "every"}:
        raise FaultError("at is a time of each day: no after and no every besides")
    given = dict(said)
    for name, value in said.items():
        if name == "seconds" and _is_number(value):
            value = [value, value]
        right, wanted = _WANTED[name]
        if not right(value):
            raise FaultError(f"{name} = {value!r}: {wanted} is wanted")
        given[name] = tuple(value) if isinstance(value, list) else value
    return Fault(**given)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _is_numbering(value: Any) -> bool:
    return isinstance(value, list) and all(type(each) is int and each > 0 for each in value)


_WANTED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "kind": (_is_text, "a text"),
    "on": (_is_text, "a text"),
    "message": (_is_text, "a text"),
    "share": (_is_number, "a number"),
    "after": (_is_number, "a number of seconds"),
    "until": (_is_number, "a number of seconds"),
    "every": (_is_number, "a number of seconds"),
    "code": (lambda value: type(value) is int, "a whole number"),
    "at": (lambda value: isinstance(value, time), "a time without quotes, such as 10:15:00,"),
    "seconds": (_is_pair, "a number, or the least and the most,"),
    "which": (_is_numbering, "a list of numbers from 1 on"),
}
"""What a plan may give for each word, and how to say so."""


@dataclass(slots=True)
class Chance:
    """A fault of the plan, and how far its chances have come."""

    fault: Fault
    random: random.Random
    count: int = 0
    """How many it could have befallen."""

    @property
    def kind(self) -> Kind:
        """What goes wrong."""
        return self.fault.kind

    def seconds(self) -> float:
        """How long it takes this time."""
        return self.random.uniform(*self.fault.seconds)


@dataclass(slots=True)
class Faults:
    """A plan in use. Belongs to the control's thread."""

    clock: Clock
    lose: Callable[[], object] = lambda: None
    """Loses the connection."""
    happened: deque[Happened] = field(default_factory=lambda: deque(maxlen=KEPT))
    """The last ones, oldest first."""
    out_until: datetime | None = None
    """Until when no login succeeds."""
    barred: int = 0
    """What all queries return until the next login; 0: they are answered."""
    _chances: dict[str, list[Chance]] = field(default_factory=dict)
    _started: datetime | None = None
    _timers: list[Handle] = field(default_factory=list)
    silent: set[int] = field(default_factory=set)
    """Orders of which nothing is told until they are over."""
    late: dict[int, list[Callable[[], object]]] = field(default_factory=dict)
    """What is to be told of orders whose events are held back, in order."""

    def use(self, plan: FaultPlan) -> None:
        """Follow a plan from now on, instead of any other."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._chances.clear()
        self.barred = 0
        self._started = self.clock.now()
        for number, fault in enumerate(plan.faults):
            chance = Chance(fault, random.Random(f"{plan.seed}:{number}"))
            if fault.on:
                self._chances.setdefault(fault.on, []).append(chance)
            else:
                self._plan(chance, self._first(fault))

    def draw(self, on: On, subject: str) -> Chance | None:
        """Say what goes wrong with this one: the first fault of the plan that meets it."""
        met = None
        for chance in self._chances.get(on, ()):
            chance.count += 1
            fault = chance.fault
            # Drawn whatever comes of it, so that one fault does not change the chances of another.
            hit = chance.random.random() < fault.share
            if fault.which:
                hit = chance.count in fault.which
            if hit and met is None and self._within(fault):
                met = chance
        if met is not None:
            self._note(met.fault, subject)
            if met.kind == "barred":
                self.barred = met.fault.returned
        return met

    def drops(self, kind: str) -> bool:
        """Whether a tick of this real type is not told."""
        return "tick" in self._chances and self.draw("tick", kind) is not None

    def hold(self, number: int, until: datetime) -> None:
        """Hold the events of an order back."""
        self.late[number] = []
        self.clock.call_at(until, self._let_go, number)

    def _let_go(self, number: int) -> None:
        for tell in self.late.pop(number):
            tell()

    def freeze(self, chance: Chance) -> None:
        """Let the thread stand still."""
        threading.Event().wait(chance.seconds())

    @property
    def out(self) -> bool:
        """Whether no login succeeds now."""
        return self.out_until is not None and self.clock.now() < self.out_until

    def cut(self, until: datetime) -> None:
        """Lose the connection; until then no login succeeds."""
        self.out_until = until
        self.lose()

    def _within(self, fault: Fault) -> bool:
        assert self._started is not None
        passed = (self.clock.now() - self._started).total_seconds()
        return fault.after <= passed and (fault.until is None or passed < fault.until)

    def _first(self, fault: Fault) -> datetime:
        now = self.clock.now()
        if fault.at is None:
            return now + timedelta(seconds=fault.after)
        moment = datetime.combine(now.date(), fault.at, KST)
        return moment if moment > now else moment + timedelta(days=1)

    def _plan(self, chance: Chance, moment: datetime) -> None:
        self._timers.append(self.clock.call_at(moment, self._happen, chance, moment))

    def _happen(self, chance: Chance, moment: datetime) -> None:
        fault = chance.fault
        again = timedelta(days=1) if fault.at else timedelta(seconds=fault.every) if fault.every else None
        if fault.until is not None and not self._within(fault):
            return
        if again:
            self._plan(chance, moment + again)
        self._note(fault, "")
        if fault.kind == "frozen":
            self.freeze(chance)
        else:
            self.cut(self.clock.now() + timedelta(seconds=chance.seconds()))

    def _note(self, fault: Fault, subject: str) -> None:
        self.happened.append(Happened(self.clock.now(), fault, subject))
        logger.info("fault: %s %s %s", fault.kind, fault.on, subject)
