"""A program that works with a SimulatedControl whose time it drives itself."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS
from koapy.openapi.tr import tr as known
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from koapy.simulation.model import Account
    from koapy.simulation.world import World

MORNING = datetime(2026, 3, 10, 10, 0, tzinfo=KST)


class Heard(NamedTuple):
    """One event: its arguments, and what was read inside it."""

    name: str
    arguments: tuple[Any, ...]
    values: dict[Any, str]
    rows: list[list[str]]
    moment: datetime


class Program:
    """Calls functions on the control's thread and keeps what it is told."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(settings.pop("start", MORNING))
        settings.setdefault("market_size", 30)
        self.control = SimulatedControl(clock=self.clock, **settings)
        self.heard: list[Heard] = []
        self.account = ""
        for name in EVENTS:
            getattr(self.control, name).connect(partial(self._hear, name))

    def _hear(self, name: str, *arguments: Any) -> None:
        control, values, rows = self.control, {}, []
        if name == "OnReceiveTrData":
            code = arguments[2]
            values = {item: control.GetCommData(code, "", 0, item) for item in ("주문번호", "종목명", "현재가")}
            rows = control.GetCommDataEx(code, "")
        if name == "OnReceiveChejanData":
            values = {int(fid): control.GetChejanData(int(fid)) for fid in arguments[2].split(";")}
        if name == "OnReceiveRealData":
            values = {fid: control.GetCommRealData(arguments[0], fid) for fid in (10, 13, 15, 20, 21, 27, 28, 41, 215)}
        self.heard.append(Heard(name, arguments, values, rows, self.clock.now()))

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function and return its value."""
        return self.control.submit(getattr(self.control, name), *arguments).result(30)

    def advance(self, seconds: float) -> list[Heard]:
        """Let time pass and return what was told meanwhile."""
        self.control.advance(seconds)
        heard, self.heard = self.heard, []
        return heard

    def named(self, name: str, seconds: float) -> list[Heard]:
        """Let time pass and return the events of one name."""
        return [each for each in self.advance(seconds) if each.name == name]

    def login(self) -> Program:
        assert self.call("CommConnect") == 0
        self.advance(1)
        self.account = self.call("GetLoginInfo", "ACCNO").split(";")[0]
        return self

    def ask(self, tr: str, screen: str = "1000", request: str = "질의", prev_next: int = 0, **inputs: str) -> int:
        for name, value in inputs.items():
            self.call("SetInputValue", name, value)
        return self.call("CommRqData", request, tr, prev_next, screen)

    def order(
        self,
        kind: int,
        code: str,
        quantity: int,
        price: int = 0,
        hoga: str = "03",
        original: str = "",
        screen: str = "2000",
        request: str = "주문",
    ) -> list[Heard]:
        """Send an order and return what followed at once: OnReceiveMsg, OnReceiveTrData, chejan."""
        sent = self.call("SendOrder", request, screen, self.account, kind, code, quantity, price, hoga, original)
        assert sent == 0
        return self.advance(0.02)

    def asked(self, tr: str, **inputs: str) -> tuple[dict[str, str], list[dict[str, str]]]:
        """The single values and the rows of an account's TR by the names of their items."""
        self.advance(1)
        control, what = self.control, known(tr)
        single: dict[str, str] = {}
        rows: list[dict[str, str]] = []

        def read(_screen: str, _name: str, code: str, *_: Any) -> None:
            single.update({each: control.GetCommData(code, "", 0, each).strip() for each in what.single_names})
            rows.extend(
                {each: control.GetCommData(code, "", row, each).strip() for each in what.multi_names}
                for row in range(control.GetRepeatCnt(code, ""))
            )

        control.OnReceiveTrData.connect(read)
        inputs["계좌번호"] = self.account
        assert self.ask(tr, **{name: inputs[name] for name in what.input_names if name in inputs}) == 0
        self.advance(0.1)
        control.OnReceiveTrData.disconnect(read)
        return single, rows

    @property
    def world(self) -> World:
        """What stands behind the control; for looking at, on its thread."""
        return self.control.world

    def state(self) -> Account:
        """The account now."""
        return self.control.submit(self.world.exchange.account, self.account).result()

    def price(self, code: str) -> int:
        """The present price."""
        self.advance(1.0)
        assert self.ask("opt10001", screen="9999", 종목코드=code) == 0
        answer = next(each for each in self.advance(0.02) if each.name == "OnReceiveTrData")
        self.call("DisconnectRealData", "9999")
        return abs(int(answer.values["현재가"]))

    def close(self) -> None:
        self.control.close()


@pytest.fixture
def start():
    """Make programs; their controls are closed at the end."""
    made: list[Program] = []

    def make(**settings: Any) -> Program:
        made.append(Program(**settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def program(start: Any) -> Program:
    """A program that has logged in."""
    return start().login()
