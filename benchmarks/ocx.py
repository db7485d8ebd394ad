"""What the way to OpenAPI+ costs, on the fake OCX under Wine: `python -m benchmarks.ocx`, where there is Wine.

Wine's waits are slower than Windows', and the fake OCX answers faster than the real one; what counts is how the figures
stand to each other.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from koapy.remote.host import Host
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
TICKS, CALLS, PAGES, CODE = 10_000, 2_000, 20, "005930"
FIDS = range(10, 20)


def call(control: Any, name: str, *args: Any) -> Any:
    """Call a function of the control and wait for what it returns."""
    return control.submit(getattr(control, name), *args).result(60)


def flood(control: Any, reads: Callable[[str], object]) -> float:
    """Ticks a second, of each of which a slot reads ten FIDs."""
    seen, done = [0], threading.Event()

    def slot(code: str, kind: str, data: str) -> None:
        reads(code)
        seen[0] += 1
        if seen[0] == TICKS:
            done.set()

    control.OnReceiveRealData.connect(slot)
    began = time.perf_counter()
    call(control, "KOA_Functions", "Fake", f"flood {TICKS}")
    if not done.wait(120):
        sys.exit("the ticks did not come")
    control.OnReceiveRealData.disconnect(slot)
    return TICKS / (time.perf_counter() - began)


def page(control: Any) -> float:
    """Seconds of a query of 600 rows, from CommRqData to the rows in hand."""
    done = threading.Event()

    def slot(screen: str, request: str, code: str, *_: object) -> None:
        if len(control.GetCommDataEx(code, request)) != 600:
            sys.exit("a page without its rows")
        done.set()

    def ask() -> None:
        control.SetInputValue("종목코드", CODE)
        control.SetInputValue("수정주가구분", "1")
        control.CommRqData("일봉", "opt10081", 0, "1000")

    control.OnReceiveTrData.connect(slot)
    time.sleep(0.25)  # OpenAPI+ lets five through in a second
    began = time.perf_counter()
    control.submit(ask)
    if not done.wait(60):
        sys.exit("a page did not come")
    took = time.perf_counter() - began
    control.OnReceiveTrData.disconnect(slot)
    return took


def calls(control: Any) -> float:
    """Calls a second, one after the other on the control's thread."""

    def many() -> float:
        began = time.perf_counter()
        for _ in range(CALLS):
            control.GetMasterCodeName(CODE)
        return CALLS / (time.perf_counter() - began)

    return float(control.submit(many).result(120))


def log_in(control: Any) -> None:
    """Log in and wait until it is told."""
    done = threading.Event()
    control.OnEventConnect.connect(lambda code: done.set())
    call(control, "CommConnect")
    if not done.wait(30):
        sys.exit("the login was not told")


def main() -> None:
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
    simulation = SimulatedControl(seed=1, login_delay=0.0, answer_delay=0.0)
    with Host(simulation) as host:
        began = time.perf_counter()
        with way.OcxControl(way.CONTROL, command=way.command(host.address)) as control:
            print(f"host ready                              {time.perf_counter() - began:8.2f} s")
            log_in(control)
            planned = flood(control, lambda code: [control.GetCommRealData(code, fid) for fid in FIDS])
            print(f"ticks, ten FIDs of each from the plan   {planned:8.0f} /s")
            print(f"calls, one at a time                    {calls(control):8.0f} /s")
            far = sorted(page(control) for _ in range(PAGES))[PAGES // 2]
    log_in(simulation)
    near = sorted(page(simulation) for _ in range(PAGES))[PAGES // 2]
    print(f"600 rows of opt10081, median            {1e3 * far:8.1f} ms; in this process {1e3 * near:.1f} ms")
    simulation.close()


if __name__ == "__main__":
    main()
