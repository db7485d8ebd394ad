"""Does one stuck subscriber among 200 slow down the others?  python benchmarks/stuck_subscriber.py

A gateway in a process of its own, over a control that ticks at a steady pace; 200 subscribers in another process, which
take the time from the tick's making to its arrival. Rounds without and with one more subscriber, which never reads,
follow each other in the same run, so that what else the machine does meets both alike. Before its round the stuck one
is sent so much that grpc's and the system's buffers and its own queue are full. Prints the 99th percentiles of each
round, those of all rounds of a kind and their ratio, and what the stuck subscriber has cost in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

import koapy
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.server import Settings

CODE, FLOOD_CODE = "005930", "000660"
FLOOD = 10_000
"""Ticks of FLOOD_CODE, which only the stuck one wants: more than wait anywhere before they are merged."""
FIDS = (20, 10, 11, 12, 27, 28, 15, 13, 14, 16, 17, 18, 25, 26, 29, 30, 31, 32, 228, 311, 290, 691, 567, 568)
FLOOD_SECONDS = 4.0
"""Seconds before each round is counted; the flood is over by then."""


class Signal:
    """An event with slots."""

    def __init__(self) -> None:
        self.slots: list[Any] = []

    def connect(self, slot: Any) -> None:
        self.slots.append(slot)

    def disconnect(self, slot: Any) -> None:
        self.slots.remove(slot)


class Ticking:
    """A control that does nothing but tick; each tick's raw data is the time at which it was made, in seconds."""

    def __init__(self, rate: float) -> None:
        self._pool = ThreadPoolExecutor(1)
        self.OnReceiveRealData = Signal()
        self._period = 1.0 / rate
        threading.Thread(target=self._run, daemon=True).start()

    def submit(self, function: Any, *args: Any) -> Future[Any]:
        return self._pool.submit(function, *args)

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        if FLOOD_CODE in codes:
            for _ in range(FLOOD):
                self._pool.submit(self._tick, FLOOD_CODE)
        return 0

    def SetRealRemove(self, screen: str, code: str) -> None:
        pass

    def DisconnectRealData(self, screen: str) -> None:
        pass

    def GetCommRealData(self, code: str, fid: int) -> str:
        return "+71500"

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            due += self._period
            time.sleep(max(0.0, due - time.monotonic()))
            self._pool.submit(self._tick, CODE).result()

    def _tick(self, code: str) -> None:
        for slot in tuple(self.OnReceiveRealData.slots):
            slot(code, "주식체결", repr(time.monotonic()))


def serve(rate: float, queue: int) -> None:
    """The gateway's process."""
    koapy.serve(Ticking(rate), port=0, settings=Settings(queue=queue), ready=lambda address: print(address, flush=True))


def resident(process: int) -> float:
    """Megabytes of memory that a process has; 0 where the system does not say."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return 0.0
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def stick(address: str) -> None:
    """The stuck subscriber's process: it reads one tick, and no more."""
    async with channel(address) as own:
        stream = subscribe(own, CODE, FLOOD_CODE)
        await stream.read()
        await asyncio.Event().wait()


def stuck_subscriber(address: str) -> subprocess.Popen[bytes]:
    """A process with a subscriber that does not read."""
    return subprocess.Popen([sys.executable, __file__, "--stick", address])


class Subscribers:
    """Streams that are read, and the delays of their ticks."""

    def __init__(self, address: str, count: int) -> None:
        self._address = address
        self._delays: list[float] = []
        self._counting = False
        self._tasks = [asyncio.create_task(self._follow()) for _ in range(count)]

    async def round(self, seconds: float) -> list[float]:
        """The delays of the next so many seconds, in milliseconds, sorted."""
        await asyncio.sleep(FLOOD_SECONDS)
        self._delays, self._counting = [], True
        await asyncio.sleep(seconds)
        self._counting = False
        return sorted(self._delays)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self) -> None:
        async with channel(self._address) as own:
            async for message in subscribe(own, CODE):
                if self._counting:
                    made = float(message.arguments[2].string_value)
                    self._delays.append((time.monotonic() - made) * 1000)


def channel(address: str) -> grpc.aio.Channel:
    """A connection that nobody shares."""
    return grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])


def subscribe(own: grpc.aio.Channel, *codes: str) -> Any:
    """Ticks of these codes."""
    return KiwoomOpenApiPlusServiceStub(own).RealCall(pb.RealRequest(code_list=codes, fid_list=FIDS))


async def measure(address: str, process: int, options: argparse.Namespace) -> float:
    """Play the rounds; the ratio of the 99th percentiles."""
    gc.disable()  # pauses of the subscribers' process are not the gateway's
    subscribers = Subscribers(address, options.subscribers)
    await asyncio.sleep(2)
    found: dict[str, list[float]] = {"without": [], "with": []}
    print(f"{options.subscribers} subscribers, {options.rate:g} ticks a second, rounds of {options.seconds:g} s")
    for _ in range(options.rounds):
        for kind, pooled in found.items():
            before = resident(process)
            stuck = stuck_subscriber(address) if kind == "with" else None
            delays = await subscribers.round(options.seconds)
            pooled += delays
            print(
                f"{kind:>8}: p50 {percentile(delays, 50):7.3f} ms   p99 {percentile(delays, 99):7.3f} ms   "
                f"{len(delays)} ticks   gateway {resident(process):.0f} MB ({resident(process) - before:+.1f})",
                flush=True,
            )
            if stuck is not None:
                stuck.kill()
                stuck.wait()
    await subscribers.aclose()
    without, with_it = (percentile(sorted(each), 99) for each in found.values())
    print(f"p99 of all rounds: without {without:.3f} ms, with {with_it:.3f} ms, ratio {with_it / without:.3f}")
    return with_it / without


def percentile(sorted_delays: list[float], percent: int) -> float:
    """The delay that so many per cent do not exceed."""
    return sorted_delays[len(sorted_delays) * percent // 100]


def main() -> int:
    """0 when the stuck subscriber changes the others' p99 by less than a tenth."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20.0, help="ticks a second")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a round")
    parser.add_argument("--rounds", type=int, default=6, help="of each kind")
    parser.add_argument("--queue", type=int, default=8192, help="messages that may wait for one subscriber")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--stick", metavar="ADDRESS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stick:
        asyncio.run(stick(options.stick))
    if options.serve:
        serve(options.rate, options.queue)
        return 0
    command = [sys.executable, __file__, "--serve", "--rate", str(options.rate), "--queue", str(options.queue)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            ratio = asyncio.run(measure(server.stdout.readline().strip(), server.pid, options))
        finally:
            server.terminate()
    return 0 if abs(ratio - 1) < 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
