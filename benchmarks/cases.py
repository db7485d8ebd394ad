"""What is measured: each case takes one server and gives figures by name."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import requests, users
from benchmarks.control import FLAT_OUT, ROWS, YIELDING
from benchmarks.load import Acknowledger, Caller, Delays, Load
from benchmarks.processes import ROOT, Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.load import Calls, Flow
    from benchmarks.processes import Subject

Figures = dict[str, float]
P99_LIMIT_MS = 100.0
RATES = {1: 1000.0, 8: 250.0, 64: 60.0, 512: 8.0}
"""Ticks a second that every server keeps, by subscribers, for delays at equal load."""
IDLE_STREAMS = 2000


@dataclass(frozen=True, slots=True)
class Wish:
    """How long and how much."""

    seconds: float = 1.5
    """Of one measurement."""
    quick: bool = False
    shapes: Path | None = None
    """Where the gateway's messages are recorded."""

    def start(self, subject: Subject, *more: str) -> Server:
        """A fresh server, so that no measurement bears what another has left."""
        return Server(subject, *more, *(() if subject.is_gateway else ("--shapes", str(self.shapes))))


def _requests_of(method: str) -> bytes:
    return requests.LISTEN if method == "Listen" else requests.real()


def _flow(name: str, flow: Flow) -> Figures:
    return {
        f"{name}.rate": flow.rate,
        f"{name}.ticks": flow.ticks,
        f"{name}.lost": flow.lost,
        f"{name}.p50": flow.delays.p50,
        f"{name}.p99": flow.delays.p99,
        f"{name}.cpu": flow.cpu,
        f"{name}.client": flow.client,
        f"{name}.cost": flow.cpu / flow.rate * 1e6 if flow.rate else float("inf"),
    }


def _calls(name: str, calls: Calls) -> Figures:
    return {
        f"{name}rate": calls.rate,
        f"{name}p50": calls.delays.p50,
        f"{name}p99": calls.delays.p99,
        f"{name}cost": calls.cost,
    }


def call(subject: Subject, wish: Wish) -> Figures:
    """Calls of a function that always asks the control, of a master's look-up, and, on the bare server, of nothing."""
    figures: Figures = {}
    asked = {"state": requests.call("GetConnectState"), "master": requests.call("GetMasterCodeName", "005930")}
    methods = {name: ("Call", body) for name, body in asked.items()}
    if not subject.is_gateway:
        methods["without-hop"] = ("CallWithoutHop", asked["state"])
    for name, (method, body) in methods.items():
        for at_once in (1, 32):
            with wish.start(subject) as server, Load(server) as load:
                own = load.connections(min(at_once, 4))
                callers = [Caller(own[each % len(own)], method, [body]) for each in range(at_once)]
                figures |= _calls(f"{name}.{at_once}.", load.calls(callers, wish.seconds))
    return figures


def _fan_out(method: str, subject: Subject, wish: Wish) -> Figures:
    figures: Figures = {}
    for count, rate in RATES.items():
        if wish.quick and count not in {1, 64}:
            continue
        with wish.start(subject) as server, Load(server) as load:
            load.subscribe(method, [_requests_of(method)], count)
            figures |= _flow(f"{count}.steady", load.steady(rate, wish.seconds))
            figures |= _flow(f"{count}.yielding", load.flat_out(wish.seconds, YIELDING))
        with wish.start(subject) as server, Load(server) as load:
            load.subscribe(method, [_requests_of(method)], count)
            figures |= _flow(f"{count}.flat", load.flat_out(wish.seconds))
    return figures


def listen(subject: Subject, wish: Wish) -> Figures:
    """Listen: fan-out to subscribers of all ticks, at a rate that everybody keeps, and flat out."""
    return _fan_out("Listen", subject, wish)


def realcall(subject: Subject, wish: Wish) -> Figures:
    """RealCall: fan-out to subscribers of one code, at a rate that everybody keeps, and flat out."""
    return _fan_out("RealCall", subject, wish)


def rate(subject: Subject, wish: Wish) -> Figures:
    """The highest rate of ticks to 64 subscribers with nothing lost and p99 under 100 ms."""
    figures: Figures = {}
    count = 8 if wish.quick else 64
    for method in ("Listen",) if wish.quick else ("Listen", "RealCall"):
        with wish.start(subject) as server, Load(server) as load:
            load.subscribe(method, [_requests_of(method)], count)
            figures[f"{method}.{count}"] = _highest_kept(load, 12_800 / count, wish)
    return figures


def _highest_kept(load: Load, rate: float, wish: Wish) -> float:
    """By doubling or halving until it lies between two rates, then by bisection, to within some per cent."""
    low, high = 0.0, float("inf")
    for _ in range(3 if wish.quick else 9):
        flow = load.steady(rate, wish.seconds)
        if flow.lost == 0 and flow.delays.p99 < P99_LIMIT_MS:
            low = rate
        else:
            high = rate
        rate = 2 * low if high == float("inf") else high / 2 if low == 0 else (low * high) ** 0.5
    return low


def control(subject: Subject, wish: Wish) -> Figures:
    """Ticks a second that the control's thread keeps, flat out, by listeners."""
    figures: Figures = {}
    for method in ("RealCall",) if wish.quick else ("Listen", "RealCall"):
        for count in (0, 1, 64):
            with wish.start(subject) as server, Load(server) as load:
                if count:
                    load.subscribe(method, [_requests_of(method)], count)
                flow = load.flat_out(wish.seconds)
                figures |= {f"{method}.{count}": flow.ticks, f"{method}.{count}.cost": flow.a_tick}
    return figures


def query(subject: Subject, wish: Wish) -> Figures:
    """TransactionCall of 1 and 20 pages of 600 x 15: rows a second; also where each cell is read by GetCommData."""
    figures: Figures = {}
    for kind, more in {"rows": (), "cells": ("--cells",)}.items():
        for pages in (1, 20):
            with wish.start(subject, *more) as server, Load(server) as load:
                (own,) = load.connections(1)
                caller = Caller(own, "TransactionCall", [requests.query(pages)], pages)
                calls = load.calls([caller], max(wish.seconds, 1.0))
                figures |= {f"{kind}.{pages}": calls.rate * pages * ROWS, f"{kind}.{pages}.p50": calls.delays.p50}
                figures[f"{kind}.{pages}.cost"] = calls.cost / pages / ROWS
    return figures


def bidirectional(subject: Subject, wish: Wish) -> Figures:
    """BidirectionalListen: events a second of which each waits for its acknowledgement."""
    with wish.start(subject) as server, Load(server) as load:
        (own,) = load.connections(1)
        listener = Acknowledger(own, requests.LISTEN_BOTH_WAYS)
        load.run(0.2)
        # The answer to this command waits for nothing, as only ticks wait for the client.
        server.tick(20)
        load.run(20, lambda: listener.messages > 2)
        server.tick(FLAT_OUT)
        load.run(0.3)
        before, began = listener.messages, time.monotonic()
        load.run(wish.seconds)
        return {"rate": (listener.messages - before) / (time.monotonic() - began)}


def order(subject: Subject, wish: Wish) -> Figures:
    """OrderCall with a journal on disk and no limits: orders a second, five messages each."""
    figures: Figures = {}
    for at_once in (1, 32):
        figures |= _calls(f"{at_once}.", _orders(subject, wish, at_once))
    return figures


def _orders(subject: Subject, wish: Wish, at_once: int) -> Calls:
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as folder:
        more = ("--journal", str(Path(folder) / "orders.sqlite")) if subject.is_gateway else ()
        with wish.start(subject, *more) as server, Load(server) as load:
            own = load.connections(min(at_once, 4))
            callers = [
                Caller(own[each % len(own)], "OrderCall", [requests.order(each + 1)], 5) for each in range(at_once)
            ]
            return load.calls(callers, wish.seconds)


def idle(subject: Subject, wish: Wish) -> Figures:
    """What 2,000 streams cost on which nothing comes: memory, processor, and the p99 of a Call beside them.

    Calls beside them and Calls of a server without them take turns: a delay says little about one at another time.
    """
    count = 200 if wish.quick else IDLE_STREAMS
    with wish.start(subject) as server, Load(server) as load, wish.start(subject) as other, Load(other) as alone:
        calling = {"beside": (load, *load.connections(1)), "without": (alone, *alone.connections(1))}

        def delays(name: str) -> Delays:
            on, connection = calling[name]
            return on.calls([Caller(connection, "Call", [requests.call("GetConnectState")])], wish.seconds / 3).delays

        delays("beside"), delays("without")
        memory = server.memory()
        load.idle(count, 8)
        each = (server.memory() - memory) / count
        used = server.used()
        load.run(wish.seconds)
        cpu = server.used().share_since(used)
        turns = [{name: delays(name).p99 for name in calling} for _ in range(2 if wish.quick else 9)]
        p99 = {f"p99.{name}": statistics.median(turn[name] for turn in turns) for name in calling}
        return {"memory": each, "cpu": cpu, **p99}


def busy(subject: Subject, wish: Wish) -> Figures:
    """What one stream costs that gets 1,000 ticks a second: memory, and microseconds of processor for a message."""
    with wish.start(subject) as server, Load(server) as load:
        memory = server.memory()
        load.subscribe("RealCall", [requests.real()], 1)
        flow = load.steady(1000, wish.seconds)
        return {"memory": server.memory() - memory, "cost": flow.cpu / flow.rate * 1e6, "p99": flow.delays.p99}


def ready(subject: Subject, wish: Wish) -> Figures:
    """Seconds from the start of the process to the first answer."""
    began = time.monotonic()
    with Server(subject) as server, Load(server) as load:
        (own,) = load.connections(1)
        caller = Caller(own, "Call", [requests.call("GetConnectState")])
        load.once(caller)
        return {"seconds": time.monotonic() - began}


def importing(subject: Subject, wish: Wish) -> Figures:
    """Milliseconds of `import koapy`, beyond Python's own start: the least of several, as noise only adds."""
    if not subject.is_gateway:
        return {}
    times: dict[str, list[float]] = {"pass": [], "import koapy": []}
    for _ in range(5):
        for statement, took in times.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
            took.append(time.perf_counter() - began)
    return {"milliseconds": (min(times["import koapy"]) - min(times["pass"])) * 1000}


def codes(subject: Subject, wish: Wish) -> Figures:
    """20 subscribers that share so many codes among them, each tick one's: the cost must follow what each receives."""
    figures: Figures = {}
    subscribers = 20
    for total in (20,) if wish.quick else (20, 200, 2000):
        each = total // subscribers
        asked = [requests.real(each, 1 + at * each) for at in range(subscribers)]
        with wish.start(subject) as server, Load(server) as load:
            load.subscribe("RealCall", asked, subscribers, total + 1)
            share = total / (total + 1) / subscribers
            flow = load.steady(2000, wish.seconds, total + 1, share)
            figures |= {f"{total}.cost": flow.cpu / flow.rate * 1e6, f"{total}.p99": flow.delays.p99}
    return figures


def growth(subject: Subject, wish: Wish) -> Figures:
    """How messages, Calls, rows and orders a second change as streams, pages and orders under way grow tenfold."""
    figures: Figures = {}
    sizes = (10,) if wish.quick else (1, 10, 100, 1000)
    for size in sizes:
        with wish.start(subject) as server, Load(server) as load:
            load.subscribe("RealCall", [requests.real()], size)
            figures[f"streams.{size}"] = load.flat_out(wish.seconds, YIELDING).rate
        with wish.start(subject) as server, Load(server) as load:
            load.idle(size, min(size, 8))
            (own,) = load.connections(1)
            calls = load.calls([Caller(own, "Call", [requests.call("GetConnectState")])], wish.seconds)
            figures[f"calls.{size}"] = calls.rate
    for size in sizes[:3]:
        figures[f"orders.{size}"] = _orders(subject, wish, size).rate
        with wish.start(subject) as server, Load(server) as load:
            (own,) = load.connections(1)
            caller = Caller(own, "TransactionCall", [requests.query(size)], size)
            load.once(caller)
            figures[f"pages.{size}"] = size * ROWS / caller.took[0] * 1e6
    return figures


def batched(subject: Subject, wish: Wish) -> Figures:
    """koapy.v1's batches against messages, to 1 and 64 subscribers of one code: ticks delivered a second, and delays.

    The bare server sends a message for each tick, and so does the gateway's RealCall. What the control tells varies.
    """
    figures: Figures = {}
    kinds = {"message": ("RealCall", requests.real())}
    if subject.is_gateway:
        kinds["batch"] = ("Events", requests.batches())
    more = ("--varied",) if subject.is_gateway else ()
    for name, (method, asked) in kinds.items():
        for count in (8,) if wish.quick else (1, 64):
            with wish.start(subject, *more) as server, Load(server) as load:
                load.subscribe(method, [asked], count)
                figures |= _flow(f"{name}.{count}.steady", load.steady(RATES[count], wish.seconds))
                figures[f"{name}.{count}.kept"] = count * _highest_kept(load, 12_800 / count, wish)
            for kind, rate in (("yielding", YIELDING), ("flat", FLAT_OUT)):
                with wish.start(subject, *more) as server, Load(server) as load:
                    load.subscribe(method, [asked], count)
                    figures |= _flow(f"{name}.{count}.{kind}", load.flat_out(wish.seconds, rate))
                    figures[f"{name}.{count}.{kind}.size"] = load.counter.messages / max(load.counter.batches, 1)
    return figures


def client(subject: Subject, wish: Wish) -> Figures:
    """Ticks a second through the Python clients, and a tick's cost there; from the bare server one message each."""
    figures: Figures = {}
    for name, read in (("waiting", users.waiting), ("awaited", users.awaited)):
        for style in ("single",) if wish.quick else users.STYLES:
            with wish.start(subject, *(("--varied",) if subject.is_gateway else ())) as server:
                server.tick(FLAT_OUT)
                taken = read(server.address, style, wish.seconds)
                figures |= {f"{name}.{style}.rate": taken.rate, f"{name}.{style}.cost": taken.cost}
    return figures


CASES: dict[str, Callable[[Subject, Wish], Figures]] = {
    "call": call,
    "listen": listen,
    "realcall": realcall,
    "rate": rate,
    "control": control,
    "query": query,
    "bidirectional": bidirectional,
    "order": order,
    "idle": idle,
    "busy": busy,
    "ready": ready,
    "import": importing,
    "codes": codes,
    "batched": batched,
    "client": client,
    "growth": growth,
}
