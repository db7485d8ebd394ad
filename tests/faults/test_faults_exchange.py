"""The exchange that goes wrong on purpose does go wrong, as planned, and its ledger says what it did."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from flows import Exchange

from koapy.remote.control import RemoteControl

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = "005930"


class Gateway:
    """Sends one order and keeps what it is told of it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.control = RemoteControl(exchange.address)
        self.told: list[tuple[str, str]] = []
        self._changed = threading.Condition()
        for name in ("OnEventConnect", "OnReceiveMsg", "OnReceiveTrData", "OnReceiveChejanData"):
            getattr(self.control, name).connect(lambda *args, name=name: self._hear(name, args))
        self.call("CommConnect")
        self.until(1)
        self.told.clear()

    def _hear(self, name: str, args: tuple[Any, ...]) -> None:
        read = ""
        if name == "OnReceiveTrData":
            read = "number" if self.control.GetCommData(args[2], args[1], 0, "주문번호") else ""
        elif name == "OnReceiveChejanData" and args[0] == "0":
            read = self.control.GetChejanData(913)
        with self._changed:
            self.told.append((name, read))
            self._changed.notify_all()

    def call(self, name: str, *args: Any) -> Any:
        return self.control.submit(getattr(self.control, name), *args).result(30)

    def buy(self, quantity: int) -> int:
        return self.call("SendOrder", f"r{quantity}", "0001", "8000000011", 1, CODE, quantity, 0, "03", "")

    def until(self, count: int) -> list[tuple[str, str]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, 20), self.told
        return self.told


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    started = Exchange({})
    yield started
    started.close()


@pytest.fixture
def gateway(exchange: Exchange) -> Iterator[Gateway]:
    connected = Gateway(exchange)
    yield connected
    connected.control.close()
    exchange.ask("plan")


MESSAGE, ANSWER, TOLD = ("OnReceiveMsg", ""), ("OnReceiveTrData", "number"), "OnReceiveChejanData"
ACCEPTED, TRADED, BALANCE = (TOLD, "접수"), (TOLD, "체결"), (TOLD, "")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("", [MESSAGE, ANSWER, ACCEPTED, TRADED, BALANCE]),
        ("delayed", [MESSAGE, ANSWER, ACCEPTED, TRADED, BALANCE]),
        ("transit", [MESSAGE, ANSWER, ACCEPTED, TRADED, BALANCE]),
        ("frozen", [MESSAGE, ANSWER, ACCEPTED, TRADED, BALANCE]),
        ("early", [ACCEPTED, TRADED, BALANCE, MESSAGE, ANSWER]),
        ("lost", [ACCEPTED, TRADED, BALANCE]),
        ("silent", []),
        ("refused", [MESSAGE, ("OnReceiveTrData", "")]),
        ("code", []),
    ],
)
def test_a_fault_happens_as_planned(gateway: Gateway, fault: str, told: list[tuple[str, str]]) -> None:
    before = gateway.exchange.ask("ledger")
    gateway.exchange.ask("plan", delay_seconds=[0.2, 0.3], **({fault: 1.0} if fault else {}))
    assert gateway.buy(1) == (-308 if fault == "code" else 0)
    gateway.until(len(told))
    gateway.exchange.ask("plan")
    gateway.buy(2)
    gateway.until(len(told) + 5)
    assert gateway.told == [*told, MESSAGE, ANSWER, ACCEPTED, TRADED, BALANCE]
    ledger = gateway.exchange.ask("ledger")
    expected = [2] if fault in {"code", "refused"} else [1, 2]
    assert [order["quantity"] for order in ledger["orders"][len(before["orders"]) :]] == expected
    assert [sent["fault"] for sent in ledger["sent"][len(before["sent"]) :]] == [fault, ""]
    assert {told["heard"] for told in ledger["told"]} == {True}


def test_a_freeze_holds_up_everything_and_ends(gateway: Gateway) -> None:
    gateway.exchange.ask("freeze", seconds=0.3)
    assert gateway.call("GetConnectState") == 1


def test_the_ledger_goes_on_while_nobody_listens(gateway: Gateway, exchange: Exchange) -> None:
    before = exchange.ask("ledger")
    exchange.ask("plan", delayed=1.0, delay_seconds=[1.0, 1.0])
    gateway.buy(1)
    gateway.control.close()
    told: list[dict[str, Any]] = []
    while len(told) < 5:
        ledger = exchange.ask("ledger")
        told = ledger["told"][len(before["told"]) :]
    assert [(order["quantity"], order["open"]) for order in ledger["orders"][-1:]] == [(1, 0)]
    assert [each["event"] for each in told] == ["OnReceiveMsg", "OnReceiveTrData", *["OnReceiveChejanData"] * 3]
    assert not any(each["heard"] for each in told)
