"""A process with the simulated exchange behind a host: it survives the gateways, goes wrong on purpose, and judges.

    python tests/faults/exchange.py --control 127.0.0.1:0 --commands 127.0.0.1:0 --plan '{"seed": 1, "lost": 0.1}'

It prints one line of JSON with both addresses. On the command port each line is a JSON object with a `command`:
`ledger` (orders, what was sent, what was told), `codes`, `plan` (a new one), `freeze` (`seconds`),
`cut` (the gateway's connection), `log_out` (OpenAPI+'s connection is lost), `stop`.
"""

from __future__ import annotations

import argparse
import json
import random
import socketserver
import sys
import threading
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from koapy.control.reads import ELSEWHERE, READING, Answer, Carried, Reads, Wanted
from koapy.control.signals import Signal
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS
from koapy.remote.host import Host
from koapy.simulation import session
from koapy.simulation.control import SimulatedControl
from koapy.simulation.model import AccountSetup

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

ACCOUNT = "8000000011"
CASH = 10**12
UNLIMITED = {"guide": ((1_000_000, 1.0),)}
"""Windows under which the simulation refuses nothing: what goes wrong here is in the plan."""
ORDER_NUMBER = "주문번호"
NEVER = datetime.max.replace(tzinfo=KST)
REFUSED = "[RC4058] 모의투자 장애 시험: 거부되었습니다."
NUMBER, STATE, REST, FILLED, CLOSING = 9203, 913, 902, 911, 819


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What goes wrong with which share of the orders. At most one thing with each."""

    seed: int = 1
    delayed: float = 0.0
    """The answer and all order events come late."""
    early: float = 0.0
    """The answer comes late, the order events do not: chejan before the TR answer."""
    lost: float = 0.0
    """Neither message nor answer come; the order stands, and its order events come."""
    silent: float = 0.0
    """Nothing comes until the order is cancelled; it stands."""
    transit: float = 0.0
    """The order reaches the exchange late."""
    refused: float = 0.0
    """An answer without a number; the exchange never sees the order."""
    code: float = 0.0
    """SendOrder returns a negative code; the exchange never sees the order."""
    frozen: float = 0.0
    """The control's thread stands still, before or after the order."""
    delay_seconds: tuple[float, float] = (0.05, 0.6)
    freeze_seconds: tuple[float, float] = (0.1, 0.8)

    @classmethod
    def of(cls, given: dict[str, Any]) -> Plan:
        known = {each.name for each in fields(cls)}
        if unknown := set(given) - known:
            raise ValueError(f"unknown in a plan: {sorted(unknown)}")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


KINDS = ("delayed", "early", "lost", "silent", "transit", "refused", "code", "frozen")


@dataclass(slots=True)
class Ledger:
    """What the exchange and its control have done."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    """Each SendOrder: the request's name, its arguments, what went wrong with it."""
    told: list[dict[str, Any]] = field(default_factory=list)
    """Each order event that was told, and whether anybody was there to hear it."""


class FaultyControl:
    """A SimulatedControl with which things go wrong as planned; everything here runs on its thread."""

    def __init__(self, inner: SimulatedControl, plan: Plan) -> None:
        self._inner = inner
        self._clock = inner.world.clock
        self._wanted = Wanted(inner)
        self.ledger = Ledger()
        self._reads: Reads | None = None
        self._answers: dict[str, str] = {}
        """What goes wrong with the answers to requests of this name."""
        self._late: dict[str, datetime] = {}
        """Until when the events of an order of this number are held back."""
        self._balance_late: datetime | None = None
        self._early: dict[str, datetime] = {}
        """Until when the answer to a request is held back, as its message is."""
        self.use(plan)
        self._signals = {name: Signal(name) for name in EVENTS}
        for name in EVENTS:
            getattr(inner, name).connect(partial(self._heard, name))

    def use(self, plan: Plan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        return self._inner.submit(function, *args)

    def __getattr__(self, name: str) -> Any:
        if name in EVENTS:
            return self._signals[name]
        if name in READING:
            return partial(self._read, name)
        return getattr(self._inner, name)

    def _read(self, name: str, *args: Any) -> Any:
        known = ELSEWHERE if self._reads is None else self._reads.answer(name, args)
        return getattr(self._inner, name)(*args) if known is ELSEWHERE else known

    # Orders.

    def SendOrder(self, *args: Any) -> int:
        fault = self._draw()
        self.ledger.sent.append({"request": args[0], "args": args[1:], "fault": fault})
        request, screen = args[:2]
        if fault == "code":
            return -308
        if fault == "refused":
            self._clock.call_later(0.02, self._refuse, screen, request)
            return 0
        if fault == "transit":
            self._clock.call_later(self._seconds(), self._inner.SendOrder, *args)
            return 0
        self._answers[request] = fault
        before = fault == "frozen" and self._random.random() < 0.5
        if before:
            self.freeze()
        returned = self._inner.SendOrder(*args)
        if fault == "frozen" and not before:
            self.freeze()
        return returned

    def freeze(self, seconds: float | None = None) -> None:
        """The thread stands still."""
        threading.Event().wait(self._random.uniform(*self._plan.freeze_seconds) if seconds is None else seconds)

    def _draw(self) -> str:
        at = self._random.random()
        for kind in KINDS:
            at -= getattr(self._plan, kind)
            if at < 0:
                return kind
        return ""

    def _seconds(self) -> float:
        return self._random.uniform(*self._plan.delay_seconds)

    def _refuse(self, screen: str, request: str) -> None:
        code = "KOA_NORMAL_BUY_KP_ORD"
        carried = Answer(code, frozenset({"", request}), 0, {ORDER_NUMBER: ""})
        self._fire("OnReceiveMsg", (screen, request, code, REFUSED), carried)
        self._fire("OnReceiveTrData", (screen, request, code, "", "", 0, "", "", ""), carried)

    # Events.

    def _heard(self, name: str, *args: Any) -> None:
        if name in {"OnReceiveMsg", "OnReceiveTrData"} and args[1] in self._answers:
            self._answered(name, args)
        elif name == "OnReceiveChejanData":
            self._chejan(name, args)
        else:
            self._signals[name].tell(*args)

    def _answered(self, name: str, args: tuple[Any, ...]) -> None:
        fault = self._answers[args[1]]
        if name == "OnReceiveTrData":
            del self._answers[args[1]]
            number = self._inner.GetCommData(args[2], "", 0, ORDER_NUMBER).strip()
            self.ledger.sent[-1 - self._age(args[1])]["number"] = number
            if fault == "delayed":
                self._late[number] = self._soon()
                self._hold(self._late[number], name, args)
                return
            if fault == "silent":
                self._late[number] = NEVER
                return
        if fault in {"lost", "silent"}:
            return
        if fault == "early":
            until = self._early.pop(args[1], None) or self._soon()
            self._hold(until, name, args)
            if name == "OnReceiveMsg":
                self._early[args[1]] = until
        elif fault == "delayed":  # the message; its answer, that follows, says until when
            self._signals[name].tell(*args)
        else:
            self._tell(name, args)

    def _age(self, request: str) -> int:
        return next(age for age, sent in enumerate(reversed(self.ledger.sent)) if sent["request"] == request)

    def _chejan(self, name: str, args: tuple[Any, ...]) -> None:
        if args[0] == "0":
            # A balance event has no number: it follows the order event before it.
            self._balance_late = self._late.get(self._inner.GetChejanData(NUMBER))
        until = self._balance_late
        # What was silent is not so for ever: that an order is closed is told, or its stream would have no end.
        closing = until is NEVER and args[0] == "0" and self._inner.GetChejanData(CLOSING) == "1"
        if until is None or closing or until <= self._clock.now():
            self._tell(name, args)
        elif until is not NEVER:
            self._hold(until, name, args)

    def _soon(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._seconds())

    def _hold(self, until: datetime, name: str, args: tuple[Any, ...]) -> None:
        self._clock.call_at(until, self._fire, name, args, self._wanted.read(name, args))

    def _fire(self, name: str, args: tuple[Any, ...], carried: Carried) -> None:
        self._reads = Reads(carried)
        try:
            self._tell(name, args)
        finally:
            self._reads = None

    def _tell(self, name: str, args: tuple[Any, ...]) -> None:
        entry: dict[str, Any] = {"event": name, "heard": bool(self._signals[name]._slots)}
        if name == "OnReceiveChejanData":
            fids = {"number": NUMBER, "state": STATE, "open": REST, "filled": FILLED}
            entry |= {"gubun": args[0]} | {what: self._read("GetChejanData", fid) for what, fid in fids.items()}
        else:
            entry |= {"request": args[1]}
        self.ledger.told.append(entry)
        self._signals[name].tell(*args)


class Commands(socketserver.ThreadingTCPServer):
    """The second port."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], control: SimulatedControl, faulty: FaultyControl, host: Host) -> None:
        self._host = host
        self._control = control
        self._faulty = faulty
        self.stopped = threading.Event()
        super().__init__(address, _Talk)

    def answer(self, asked: dict[str, Any]) -> Any:
        match asked.pop("command"):
            case "ledger":
                return self._faulty.submit(self._ledger).result()
            case "codes":
                return self._faulty.submit(self._codes).result()
            case "plan":
                return self._faulty.submit(self._faulty.use, Plan.of(asked)).result()
            case "freeze":
                self._faulty.submit(self._faulty.freeze, float(asked["seconds"]))
                return None
            case "cut":
                self._host.disconnect("cut")
                return None
            case "log_out":
                return self._control.lose_connection().result()
            case "stop":
                self.stopped.set()
                return None
            case other:
                raise ValueError(f"unknown command {other!r}")

    def _ledger(self) -> dict[str, Any]:
        exchange = self._control.world.exchange
        orders = [
            {
                "number": f"{each.number:07d}",
                "code": each.code,
                "side": each.side.value,
                "action": each.action.value,
                "price": each.price,
                "quantity": each.quantity,
                "open": each.open,
                "filled": each.filled,
                "amount": each.filled_value,
                "original": f"{each.original:07d}" if each.original else "",
                "state": each.state.value,
                "time": each.time.isoformat(),
            }
            for each in exchange.orders(ACCOUNT)
        ]
        fills = [
            {"order": f"{each.order.number:07d}", "price": each.price, "quantity": each.quantity}
            for each in exchange.fills(ACCOUNT)
        ]
        return {"orders": orders, "fills": fills, "sent": self._faulty.ledger.sent, "told": self._faulty.ledger.told}

    def _codes(self) -> list[dict[str, Any]]:
        issues = self._control.world.exchange.instruments.values()
        return [
            {"code": each.code, "base": each.base_price, "lower": each.lower, "upper": each.upper} for each in issues
        ]


class _Talk(socketserver.StreamRequestHandler):
    server: Commands

    def handle(self) -> None:
        for line in self.rfile:
            try:
                answer = {"answer": self.server.answer(json.loads(line))}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            self.wfile.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--control", default="127.0.0.1:0")
    parser.add_argument("--commands", default="127.0.0.1:0")
    parser.add_argument("--plan", default="{}", type=json.loads)
    parser.add_argument("--market", default=24, type=int, help="issues of the market")
    asked = parser.parse_args()
    session.ORDER_WINDOWS = session.TR_WINDOWS = UNLIMITED
    control = SimulatedControl(
        seed=1, login_delay=0.01, market_size=asked.market, accounts=[AccountSetup(ACCOUNT, CASH)]
    )
    faulty = FaultyControl(control, Plan.of(asked.plan))
    host, port = asked.commands.split(":")
    with Host(faulty, asked.control) as offered, Commands((host, int(port)), control, faulty, offered) as commands:
        threading.Thread(target=commands.serve_forever, daemon=True).start()
        print(
            json.dumps(
                {"control": offered.address, "commands": f"{commands.server_address[0]}:{commands.server_address[1]}"}
            ),
            flush=True,
        )
        threading.Thread(target=_until_closed, args=(commands.stopped,), daemon=True).start()
        commands.stopped.wait()
        commands.shutdown()
    control.close()


def _until_closed(stopped: threading.Event) -> None:
    """Whoever started the exchange is gone when its end of stdin is."""
    sys.stdin.read()
    stopped.set()


if __name__ == "__main__":
    main()
