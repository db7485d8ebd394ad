"""What the way to OpenAPI+ costs, on the fake OCX under Wine: `python3 run.py bench ocx`, where there is Wine.

Wine's waits are slower than Windows', and the fake OCX answers faster than the real one; what counts is how the figures
stand to each other, and to those of the experiment that this way was built after, which did nothing but this.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from koapy.remote.host import Host
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

ROOT = Path(__file__).resolve().parent.parent
PLANNED, ASKED, CALLS, PAGES, ROUNDS, CODE = 20_000, 2_000, 3_000, 50, 3, "005930"
FIDS = range(10, 20)
TICK = "OnReceiveRealData"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, and what the experiment had on the machine that it was made on."""

    what: str
    unit: str
    measure: Callable[[Any], float]
    experiment: str = ""


def call(control: Any, name: str, *args: Any) -> Any:
    """Call a function of the control and wait for what it returns."""
    return control.submit(getattr(control, name), *args).result(60)


@contextmanager
def hearing(control: Any, event: str, read: Callable[..., object], count: int) -> Iterator[threading.Event]:
    """Have a slot read so many events; what is given is set after the last."""
    done, left = threading.Event(), [count]

    def slot(*args: Any) -> None:
        read(*args)
        left[0] -= 1
        if not left[0]:
            done.set()

    signal = getattr(control, event)
    signal.connect(slot)
    yield done
    signal.disconnect(slot)


def told(control: Any, event: str, read: Callable[..., object], count: int, order: str) -> float:
    """Seconds until the fake OCX has told, as ordered, so many events that a slot reads."""
    with hearing(control, event, read, count) as done:
        began = time.perf_counter()
        call(control, "KOA_Functions", "Fake", order)
        if not done.wait(120):
            sys.exit(f"{event} was not told {count} times")
        return time.perf_counter() - began


def planned(control: Any) -> float:
    """Ticks a second, ten FIDs of each read by the host and by a slot here; the control waits for nobody."""
    control.read_ahead({"": FIDS}, ())
    read = lambda code, kind, raw: [control.GetCommRealData(code, fid) for fid in FIDS]  # noqa: E731
    return PLANNED / told(control, TICK, read, PLANNED, f"flood {PLANNED}")


def batched(control: Any) -> float:
    """Ticks a second without a plan, ten FIDs of each read by one batch while the control waits."""
    control.read_ahead({}, (TICK,))
    read = lambda code, *_: control.batch([("GetCommRealData", (code, fid)) for fid in FIDS])  # noqa: E731
    return ASKED / told(control, TICK, read, ASKED, f"flood {ASKED}")


def asked(control: Any) -> float:
    """Ticks a second without a plan, ten FIDs of each read one by one while the control waits."""
    control.read_ahead({}, (TICK,))
    read = lambda code, *_: [control.GetCommRealData(code, fid) for fid in FIDS]  # noqa: E731
    return ASKED / 4 / told(control, TICK, read, ASKED // 4, f"flood {ASKED // 4}")


def one_tick(control: Any) -> float:
    """Milliseconds from the call that has the OCX tell a tick until a slot has read it, median."""
    control.read_ahead({"": FIDS}, ())
    read = lambda code, *_: control.GetCommRealData(code, FIDS[0])  # noqa: E731
    return 1e3 * statistics.median(told(control, TICK, read, 1, "flood 1") for _ in range(300))


def calls(control: Any) -> float:
    """Calls a second that the OCX answers by itself, one after the other."""

    def many() -> float:
        began = time.perf_counter()
        for _ in range(CALLS):
            control.GetConnectState()
        return CALLS / (time.perf_counter() - began)

    return float(control.submit(many).result(120))


def pages(control: Any) -> float:
    """Milliseconds of an answer of 600 rows of 15 columns, until a slot has the rows, median."""

    def read(screen: str, request: str, code: str, *_: object) -> None:
        if len(control.GetCommDataEx(code, request)) != 600:
            sys.exit("a page without its rows")

    control.read_ahead({}, ())
    return 1e3 * statistics.median(told(control, "OnReceiveTrData", read, 1, "answer 600") for _ in range(PAGES))


def cells(control: Any) -> float:
    """Milliseconds of 9,000 GetCommData inside an event, in one batch."""
    took: list[float] = []

    def read(screen: str, request: str, code: str, *_: object) -> None:
        wanted = [("GetCommData", (code, request, row, f"f{column}")) for row in range(600) for column in range(15)]
        began = time.perf_counter()
        if len(control.batch(wanted)) != len(wanted):
            sys.exit("a batch without its values")
        took.append(time.perf_counter() - began)

    control.read_ahead({}, ("OnReceiveTrData",))
    for _ in range(5):
        told(control, "OnReceiveTrData", read, 1, "answer 600")
    return 1e3 * statistics.median(took)


LINES = (
    Line("ticks, ten FIDs of each from the plan", "/s", planned, "14,500-20,500"),
    Line("ticks without a plan, ten FIDs of each in one batch", "/s", batched, "1,650-2,570"),
    Line("ticks without a plan, ten FIDs of each one by one", "/s", asked),
    Line("calls, one at a time", "/s", calls, "5,000-11,000"),
    Line("one tick, from the call that has it told to the slot", "ms", one_tick),
    Line("page of 600 x 15 from the plan, from that call to the slot", "ms", pages, "8-16 for GetCommDataEx alone"),
    Line("9,000 GetCommData inside the event, one batch", "ms", cells, "30-57"),
)


def query(control: Any) -> float:
    """Milliseconds of a query of 600 rows, from CommRqData to the rows in hand, median."""

    def one() -> float:
        def ask() -> None:
            control.SetInputValue("종목코드", CODE)
            control.SetInputValue("수정주가구분", "1")
            control.CommRqData("일봉", "opt10081", 0, "1000")

        time.sleep(0.25)  # OpenAPI+ lets five through in a second
        read = lambda screen, request, code, *_: control.GetCommDataEx(code, request)  # noqa: E731
        with hearing(control, "OnReceiveTrData", read, 1) as done:
            began = time.perf_counter()
            control.submit(ask)
            if not done.wait(60):
                sys.exit("a page did not come")
            return time.perf_counter() - began

    return 1e3 * statistics.median(one() for _ in range(10))


def look_ups(control: Any) -> float:
    """Microseconds of a look-up, one after the other on the control's thread."""

    def many() -> float:
        began = time.perf_counter()
        for _ in range(1000):
            control.GetMasterCodeName(CODE)
        return 1e3 * (time.perf_counter() - began)

    return float(control.submit(many).result(120))


def log_in(control: Any) -> None:
    """Log in and wait until it is told."""
    with hearing(control, "OnEventConnect", lambda code: None, 1) as done:
        call(control, "CommConnect")
        if not done.wait(30):
            sys.exit("the login was not told")


def simulate(parent: Connection) -> None:
    """A process that plays OpenAPI+ behind the fake OCX, and measures what it takes there without any way between."""
    simulation = SimulatedControl(seed=1, login_delay=0.0, answer_delay=0.0, market_size=60)
    with Host(simulation) as host:
        parent.send(host.address)
        parent.recv()
    log_in(simulation)
    parent.send((query(simulation), look_ups(simulation)))
    simulation.close()


def main() -> int:
    """Measure and print."""
    spec = importlib.util.spec_from_file_location("ocx_way", ROOT / "tests/ocx/way.py")
    assert spec
    assert spec.loader
    way = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(way)
    if reason := way.missing():
        sys.exit(reason)
    os.environ.update(way.WINE)
    way.prepare()
    began = time.perf_counter()
    with way.OcxControl(way.CONTROL, command=way.command(""), relogin=False) as control:
        print(f"{'host ready':<60}{time.perf_counter() - began:9.2f} s")
        found = [[line.measure(control) for line in LINES] for _ in range(ROUNDS)]
    for line, *figures in zip(LINES, *found, strict=True):
        beside = f"   the experiment: {line.experiment}" if line.experiment else ""
        print(f"{line.what:<60}{statistics.median(figures):9,.{2 * (line.unit == 'ms')}f} {line.unit}{beside}")
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=simulate, args=(theirs,))
    process.start()
    with way.OcxControl(way.CONTROL, command=way.command(ours.recv()), maintenance=()) as control:
        log_in(control)
        far = query(control), look_ups(control)
    ours.send(None)
    near = ours.recv()
    process.join()
    for what, unit, there, here in zip(
        ("query of 600 rows of the simulation", "look-up in the simulation"), ("ms", "us"), far, near, strict=True
    ):
        print(f"{what:<60}{there:9.1f} {unit}   without the way to OpenAPI+: {here:.1f} {unit}")
    return 0
