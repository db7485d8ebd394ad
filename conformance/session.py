"""What the simulation tells: a program that uses its functions and events as any other would, and keeps every value."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.samples import Field, number_of, numbered, table
from conformance.signs import disagreements
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS
from koapy.openapi.realtype import real_type
from koapy.openapi.tr import is_tr, tr
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from conformance.forms import Rule
    from koapy.openapi.tr import Tr
    from koapy.simulation.world import ServerKind

DAY = datetime(2026, 3, 10, tzinfo=KST)
"""A Tuesday on which the exchange was open."""
ROWS = 25
"""Rows at the beginning of an answer that are looked at; the last five are besides."""
TICKS = 400
"""Ticks of a real type that a program looks at."""


class Told(NamedTuple):
    """One value that the simulation told."""

    field: Field
    value: str


class Message(NamedTuple):
    """One OnReceiveMsg."""

    screen: str
    request: str
    tr: str
    text: str


class Program:
    """A program at work with a simulated control whose time it drives.

    Args:
        server: mock or real.
        time: of `DAY`, at which the control begins.
        size: issues of the market.
    """

    def __init__(self, server: ServerKind, time: str, size: int = 30) -> None:
        hour, minute = map(int, time.split(":"))
        clock = ManualClock(DAY + timedelta(hours=hour, minutes=minute))
        self.control = SimulatedControl(clock=clock, server=server, hours="krx", market_size=size)
        self.told: list[Told] = []
        self.messages: list[Message] = []
        self.wrong: list[str] = []
        """What is amiss with an event as a whole."""
        self.orders: list[str] = []
        """Order numbers, "" for a refusal."""
        self.waiting = ""
        """The number of an order that stays open."""
        self.ticks: Counter[str] = Counter()
        """How many of each real type."""
        for name in EVENTS:
            getattr(self.control, name).connect(partial(self._heard, name))
        self.call("CommConnect")
        self.advance(1)
        self.account: str = self.call("GetLoginInfo", "ACCNO").split(";")[0]

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function and return its value."""
        return self.control.submit(getattr(self.control, name), *arguments).result(60)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.control.advance(seconds)

    def ask(self, code: str, inputs: dict[str, str], screen: str = "1000", prev_next: int = 0) -> None:
        """Ask for a TR and let its answer come."""
        self.advance(0.25)
        if code.lower() in ("optkwfid", "optfofid"):
            codes, kind = next(iter(inputs.values())), 0 if code.lower() == "optkwfid" else 3
            self.call("CommKwRqData", codes, 0, codes.count(";") + 1, kind, "질의", screen)
        else:
            for name, value in inputs.items():
                self.call("SetInputValue", name, value)
            self.call("CommRqData", "질의", code, prev_next, screen)
        self.advance(0.05)

    def order(self, kind: int, code: str, quantity: int, price: int = 0, hoga: str = "03", original: str = "") -> str:
        """Send an order, let it be answered and return its number, "" when it was refused."""
        self.advance(0.3)
        self.orders.clear()
        self.call("SendOrder", "주문", "2000", self.account, kind, code, quantity, price, hoga, original)
        self.advance(0.1)
        return self.orders[-1] if self.orders else ""

    def price(self, code: str) -> int:
        """The present price."""
        self.told, kept = [], self.told
        self.ask("opt10001", {"종목코드": code}, screen="9999")
        found = next(each.value for each in self.told if each.field.field == "현재가")
        self.told = kept + self.told
        return abs(int(found))

    def close(self) -> None:
        """End the control."""
        self.control.close()

    def _heard(self, name: str, *arguments: Any) -> None:
        match name:
            case "OnReceiveTrData":
                self._answer(*arguments)
            case "OnReceiveRealData":
                self._tick(*arguments)
            case "OnReceiveChejanData":
                self._chejan(*arguments)
            case "OnReceiveMsg":
                self.messages.append(Message(*arguments))
            case _:
                names = [parameter.name for parameter in EVENTS[name].parameters]
                self.told += [
                    Told(Field("event", name, "", key), str(each)) for key, each in zip(names, arguments, strict=True)
                ]

    def _answer(self, screen: str, request: str, code: str, record: str, prev_next: str, *unused: Any) -> None:
        names = ("nDataLength", "sErrorCode", "sMessage", "sSplmMsg")
        part = "order" if code.startswith("KOA_") else ""
        given = dict(
            zip(("sTrCode", "sRecordName", "sPrevNext", *names), (code, record, prev_next, *unused), strict=True)
        )
        self.told += [Told(Field("event", "OnReceiveTrData", part, key), str(each)) for key, each in given.items()]
        if part:
            self.orders.append(self.control.GetCommData(code, "", 0, "주문번호"))
            self.told.append(Told(Field("event", "OnReceiveTrData", part, "주문번호"), self.orders[-1]))
        elif is_tr(code):
            what = tr(code)
            self._agree(self._single(what))
            for row in self._multi(what):
                self._agree(row)

    def _agree(self, told: list[Told]) -> None:
        """Keep the values of one tick or row, and say where their signs disagree."""
        self.told += told
        # Where a FID comes more than once, the later ones are about something else, such as an ETF's index.
        values = {number: value for field, value in reversed(told) if (number := number_of(field)) is not None}
        rules = {
            number: rule for field, _ in told if (number := number_of(field)) is not None and (rule := _rule(field))
        }
        self.wrong += [f"{'/'.join(told[0].field[:3])}: {each}" for each in disagreements(values, rules)]

    def _single(self, what: Tr) -> list[Told]:
        field = partial(Field, "tr", what.code.lower(), "single")
        return [
            Told(field(name), self.control.GetCommData(what.code, what.single_record, 0, name))
            for name in what.single_names
        ]

    def _multi(self, what: Tr) -> list[list[Told]]:
        names, field = numbered(what.multi_names), partial(Field, "tr", what.code.lower(), "multi")
        rows = self.control.GetCommDataEx(what.code, what.multi_record) if names else []
        rows = rows[:ROWS] + rows[ROWS:][-5:]
        # One row of blanks is how it says that there are no rows.
        return [[Told(field(name), value) for name, value in zip(names, row, strict=True)] for row in rows if any(row)]

    def _tick(self, code: str, kind: str, data: str) -> None:
        self.ticks[kind] += 1
        if self.ticks[kind] > TICKS:
            return
        fids = real_type(kind).fids
        values = data.split("\t")
        read = [self.control.GetCommRealData(code, each) for each in fids]
        if values != read:
            self.wrong.append(f"{kind}: {len(values)} values for {len(fids)} FIDs, or not those of GetCommRealData")
        self._agree(
            [Told(Field("real", kind, "", str(each)), value) for each, value in zip(fids, values, strict=False)]
        )

    def _chejan(self, gubun: str, count: int, listed: str) -> None:
        fids = listed.split(";")
        if count != len(fids):
            self.wrong.append(f"chejan {gubun}: {count} FIDs announced, {len(fids)} listed")
        values = {each: self.control.GetChejanData(int(each)) for each in fids}
        state = values.get("913", "") if gubun == "0" else ""
        if values.get("819") == "1":
            state = "closed"
        self.told += [Told(Field("chejan", gubun, state, each), value) for each, value in values.items()]


@cache
def _rule(field: Field) -> Rule | None:
    found = table().get((field, "")) or table().get((field, "mock"))
    return found.rule if found else None
