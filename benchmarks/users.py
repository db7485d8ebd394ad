"""The Python clients as a user has them: how many ticks a second go through one, and what each costs it."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.control import CODE, REAL_FIDS
from koapy.client import AsyncClient, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from koapy.client import Batch, Tick

STYLES: dict[str, tuple[str, Callable[[Any], int]]] = {
    "single": ("realtime", lambda tick: 1),
    "batches": ("realtime_batches", len),
    "numpy": ("realtime_batches", lambda batch: len(batch.to_numpy()["code"])),
    "pandas": ("realtime_batches", lambda batch: len(batch.to_pandas())),
}
"""What is done with the ticks: which method gives them, and what takes an item and says how many it was."""
WARMING = 0.3


@dataclass(frozen=True, slots=True)
class Taken:
    """What one client has taken."""

    rate: float
    """Ticks a second."""
    cost: float
    """Microseconds of processor for a tick, gRPC's threads included."""


@contextmanager
def _collecting() -> Iterator[None]:
    """With the collector on, as a user has it; the benchmark's own has it off."""
    gc.enable()
    try:
        yield
    finally:
        gc.disable()


class _Meter:
    """Counts between two moments."""

    def __init__(self, seconds: float, take: Callable[[Any], int]) -> None:
        self._take = take
        self._begins = time.perf_counter() + WARMING
        self._ends = self._begins + seconds
        self._count = 0
        self._used = self._began = 0.0

    def goes_on(self, item: Tick | Batch) -> bool:
        """Take one item; whether more are wanted."""
        count, now = self._take(item), time.perf_counter()
        if self._began:
            self._count += count
        elif now >= self._begins:
            self._began, self._used = now, time.process_time()
        return now < self._ends

    @property
    def taken(self) -> Taken:
        """What there was."""
        used, wall = time.process_time() - self._used, time.perf_counter() - self._began
        return Taken(self._count / wall, used / max(self._count, 1) * 1e6)


def waiting(address: str, style: str, seconds: float) -> Taken:
    """Through the client that waits."""
    method, take = STYLES[style]
    with _collecting(), Client(address) as client, getattr(client, method)(CODE, fids=REAL_FIDS) as stream:
        meter = _Meter(seconds, take)
        for item in stream:
            if not meter.goes_on(item):
                break
        return meter.taken


def awaited(address: str, style: str, seconds: float) -> Taken:
    """Through the client that is awaited."""
    method, take = STYLES[style]

    async def read() -> Taken:
        async with AsyncClient(address) as client, getattr(client, method)(CODE, fids=REAL_FIDS) as stream:
            meter = _Meter(seconds, take)
            async for item in stream:
                if not meter.goes_on(item):
                    break
            return meter.taken

    with _collecting():
        return asyncio.run(read())
