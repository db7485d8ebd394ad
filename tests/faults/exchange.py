"""A process with the simulated exchange behind a host: it survives the gateways, goes wrong on purpose, and judges.

    python tests/faults/exchange.py --control 127.0.0.1:0 --commands 127.0.0.1:0 --plan '{"seed": 1, "lost": 0.1}'

It prints one line of JSON with both addresses. On the command port each line is a JSON object with a `command`:
`ledger` (orders, what was sent, what was told), `codes`, `plan` (a new one), `freeze` (`seconds`),
`cut` (the gateway's connection), `log_out` (OpenAPI+'s connection is lost), `stop`.
"""

from __future__ import annotations

import argparse
import json
import socketserver
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from koapy.remote.host import Host
from koapy.simulation import session
from koapy.simulation.control import SimulatedControl
from koapy.simulation.faults import KINDS as KINDS_ON
from koapy.simulation.faults import Fault, FaultPlan
from koapy.simulation.model import AccountSetup

ACCOUNT = "8000000011"
CASH = 10**12
UNLIMITED = {"guide": ((1_000_000, 1.0),)}
"""Windows under which the simulation refuses nothing: what goes wrong here is in the plan."""
NUMBER, STATE, REST, FILLED = 9203, 913, 902, 911

KINDS = KINDS_ON["order"]


def plan_of(given: dict[str, Any]) -> FaultPlan:
    """Shares of the orders by kind of fault, `seed`, `delay_seconds` and `freeze_seconds`. Raises: ValueError."""
    if unknown := given.keys() - {*KINDS, "seed", "delay_seconds", "freeze_seconds"}:
        raise ValueError(f"unknown in a plan: {sorted(unknown)}")
    late, frozen = given.get("delay_seconds", (0.05, 0.6)), given.get("freeze_seconds", (0.1, 0.8))
    found = [
        Fault(kind=kind, on="order", share=given[kind], seconds=tuple(frozen if kind == "frozen" else late))
        for kind in KINDS
        if kind in given
    ]
    return FaultPlan(tuple(found), given.get("seed", 1))


@dataclass(slots=True)
class Ledger:
    """What the exchange and its control have done."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    """Each SendOrder: the request's name, its arguments, what went wrong with it."""
    told: list[dict[str, Any]] = field(default_factory=list)
    """Each order event that was told, and whether anybody was there to hear it."""


class Witness:
    """Writes down what a control does; everything here runs on its thread."""

    def __init__(self, control: SimulatedControl) -> None:
        self._control = control
        self.ledger = Ledger()
        self._send = control.SendOrder
        control.SendOrder = self._sent
        for name in ("OnReceiveMsg", "OnReceiveTrData", "OnReceiveChejanData"):
            getattr(control, name).connect(partial(self._told, name))

    def _sent(self, *args: Any) -> int:
        happened = self._control.faults.happened
        before = happened[-1] if happened else None
        returned = self._send(*args)
        new = happened[-1] if happened and happened[-1] is not before else None
        self.ledger.sent.append({"request": args[0], "args": args[1:], "fault": new.fault.kind if new else ""})
        return returned

    def _told(self, name: str, *args: Any) -> None:
        # Besides this one.
        heard = len(getattr(self._control, name)._slots) > 1
        entry: dict[str, Any] = {"event": name, "heard": heard}
        if name == "OnReceiveChejanData":
            fids = {"number": NUMBER, "state": STATE, "open": REST, "filled": FILLED}
            entry |= {"gubun": args[0]} | {what: self._control.GetChejanData(fid) for what, fid in fids.items()}
        else:
            entry |= {"request": args[1]}
        self.ledger.told.append(entry)


class Commands(socketserver.ThreadingTCPServer):
    """The second port."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], control: SimulatedControl, witness: Witness, host: Host) -> None:
        self._host = host
        self._control = control
        self._witness = witness
        self.stopped = threading.Event()
        super().__init__(address, _Talk)

    def answer(self, asked: dict[str, Any]) -> Any:
        match asked.pop("command"):
            case "ledger":
                return self._control.submit(self._ledger).result()
            case "codes":
                return self._control.submit(self._codes).result()
            case "plan":
                return self._control.submit(self._control.faults.use, plan_of(asked)).result()
            case "freeze":
                self._control.submit(threading.Event().wait, float(asked["seconds"]))
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
        return {"orders": orders, "fills": fills, "sent": self._witness.ledger.sent, "told": self._witness.ledger.told}

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
        seed=1,
        login_delay=0.01,
        market_size=asked.market,
        accounts=[AccountSetup(ACCOUNT, CASH)],
        faults=plan_of(asked.plan),
    )
    witness = Witness(control)
    host, port = asked.commands.split(":")
    with Host(control, asked.control) as offered, Commands((host, int(port)), control, witness, offered) as commands:
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
