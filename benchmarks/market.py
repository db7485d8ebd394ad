"""How many ticks a second the embedded exchange produces at a busy opening, on one core.

    python3 run.py bench market            250 issues and the whole listing, the first seconds after 09:00
    python3 run.py bench market --quick    whether it works

A tick is a trade or a change of a book that the exchange tells: what becomes 주식체결 and 주식호가잔량.
OnReceiveRealData is those two in full, every FID, of a control where all codes are registered. Seconds are those of the
processor, so that what else the machine does matters less; simulated time does not wait. The collector of garbage is
set as `koapy serve` sets it.
"""

from __future__ import annotations

import argparse
import gc
import time
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from koapy.openapi.calendar import KST
from koapy.openapi.listing import listing
from koapy.server.serving import YOUNG
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl
from koapy.simulation.exchange import Exchange
from koapy.simulation.market import load_market
from koapy.simulation.model import BookChanged, Traded

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

T = TypeVar("T")

EVE = datetime(2026, 11, 23, 8, 59, 58, tzinfo=KST)
TARGET = 20_000
"""Ticks a second."""


def ticks(issues: int, seconds: float) -> tuple[float, float]:
    """Ticks a second of processor time, and trades among them, in the first `seconds` after the opening."""
    clock = ManualClock(EVE)
    exchange = Exchange(clock, load_market(size=issues), hours="krx")
    told = dict.fromkeys((Traded, BookChanged), 0)

    def count(event: object) -> None:
        if type(event) in told:
            told[type(event)] += 1

    exchange.subscribe(count)
    clock.advance(2.0)
    gc.freeze()
    told |= dict.fromkeys(told, 0)
    took = _processor(lambda: clock.advance(seconds))
    gc.unfreeze()
    return sum(told.values()) / took, told[Traded] / took


def events(issues: int, seconds: float) -> float:
    """OnReceiveRealData a second of processor time, for as many issues."""
    control = SimulatedControl(clock=ManualClock(EVE), hours="krx", market_size=issues, login_delay=0.0)
    heard = [0]

    def count(code: str, kind: str, raw: str) -> None:
        heard[0] += 1

    control.OnReceiveRealData.connect(count)
    try:
        _on(control.submit(control.CommConnect))
        control.advance(0.0)
        codes = list(control.world.exchange.instruments)
        for number, start in enumerate(range(0, len(codes), 100)):
            screen, some = f"{1000 + number}", ";".join(codes[start : start + 100])
            _on(control.submit(control.SetRealReg, screen, some, "10;41", "0"))
        control.advance(3.0)  # the opening itself, and the first look at yesterday
        gc.freeze()
        heard[0] = 0
        took: float = _on(control.submit(_processor, lambda: control.advance(seconds)))
    finally:
        control.close()
        gc.unfreeze()
    return heard[0] / took


def _processor(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def _on(future: Future[T]) -> T:
    return future.result(60)


def main(arguments: list[str]) -> int:
    """Measure and say; 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="bench market", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small, and only whether it works")
    quick = parser.parse_args(arguments).quick
    missed = False
    gc.set_threshold(YOUNG)
    for issues in (20,) if quick else (250, len(listing())):
        seconds = 1.0 if quick else 5000 / issues
        told, trades = ticks(issues, seconds)
        formed = events(issues, seconds)
        missed |= told < TARGET
        print(
            f"{issues:>5} issues: {told:>8,.0f} ticks/s ({trades:,.0f} of them trades), "
            f"{formed:>8,.0f} OnReceiveRealData/s in full; target {TARGET:,} ticks/s"
        )
    return int(missed and not quick)
