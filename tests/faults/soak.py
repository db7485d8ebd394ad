"""A compressed trading day: clients come and go from before the opening to the end of after-hours, and nothing is left.

    python3 run.py chaos soak --seconds 600 --csv samples.csv

Prints what was done, samples of what the server held, and exits with 1 where it does not hold in the end what it held
when it was warm, or where any answer was no proper status.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import random
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fuzz_wire as wire
import grpc
from chaos_fuzz import NEVER, Judge, settled
from fault_host import Host
from fuzz_requests import SERVICE, STREAMS

from koapy.client.connection import Stub
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import streams_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DAY_BEGINS, DAY_SECONDS = "2026-03-04T08:25:00+09:00", 34_900.0
"""A Wednesday, from before the opening auction until after the last announcement of the day, 18:01."""
CONDITION = (0, "대형 저평가 우량주")
HELD = ("rss", "objects", "tasks", "threads", "fds")
OPEN = ("rpcs", "streams", "screens", "codes", "subscriptions", "gates")
ALLOWED = {"objects": 15_000, "tasks": 2, "threads": 4, "fds": 2}
"""By how much the end may exceed what was held when warm. Objects: caches that are bounded (the names of the last 4,096
requests, the catalogue, loaded as it is asked for) fill up on the way. Tasks and files: a connection that is just being
closed. Threads: grpc keeps idle ones for a while."""
RSS_ALLOWED = 60_000_000
"""Of memory: the simulated market remembers all trades and ticks of its day, which the gateway has no part in."""


def control(seconds: float, codes: int) -> dict[str, Any]:
    """A control whose day passes in so many seconds."""
    speed = DAY_SECONDS / seconds
    # The delays are of the market's time.
    delays = {"answer_delay": 0.002 * speed, "login_delay": 0.01 * speed}
    return {"start": DAY_BEGINS, "speed": speed, "hours": "krx", "seed": 9, "market_size": codes, **delays}


@dataclass
class Day:
    """What the clients did and what they were told."""

    address: str
    codes: list[str]
    account: str
    low: int
    """A price at which a purchase of the first code stays open."""
    judge: Judge = field(default_factory=Judge)
    done: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)

    def channel(self) -> grpc.aio.Channel:
        """A connection of its own."""
        return grpc.aio.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)])

    async def read(self, what: str, stream: Any, seconds: float | None = None) -> None:
        """Read a stream to its end, or for so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                async for _ in stream:
                    self.messages[what] += 1
            self.told["OK"] += 1
        except TimeoutError:
            stream.cancel()
            self.told["(ended by the client)"] += 1
        except grpc.aio.AioRpcError as error:
            self.told[error.code().name] += 1
            if error.code() in NEVER or error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                self.judge.fail(f"{what}: {error.code()} {error.details()}", f"{what} {error.code()}")


async def queries(day: Day, chance: random.Random, stub: Any) -> None:
    """A few TRs."""
    for _ in range(chance.randrange(1, 5)):
        tr = chance.choice(("opt10001", "opt10004", "opw00001", "opt10075", "opt10081"))
        request = pb.TransactionRequest(
            request_name="질의",
            transaction_code=tr,
            inputs={"종목코드": chance.choice(day.codes), "계좌번호": day.account},
        )
        if tr == "opt10081":
            request.stop_condition.CopyFrom(pb.TransactionStopCondition(name="일자", value="20260101", comparator=1))
        await day.read("queries", stub.TransactionCall(request, timeout=30))


async def ticks(day: Day, chance: random.Random, stub: Any) -> None:
    """Real-time data for a moment."""
    codes = chance.sample(day.codes, chance.randrange(1, min(6, len(day.codes) + 1)))
    request = pb.RealRequest(code_list=codes, fid_list=[10, 15], opt_type="0")
    await day.read("ticks", stub.RealCall(request), chance.random())


async def changing_ticks(day: Day, chance: random.Random, stub: Any) -> None:
    """Codes that come and go on one stream."""
    stream = stub.BidirectionalRealCall()
    start = pb.BidirectionalRealInitializeRequest(fid_list=[10])
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        await stream.write(pb.BidirectionalRealRequest(initialize_request=start))
        for _ in range(6):
            register = pb.BidirectionalRealRegisterRequest(code_list=[chance.choice(day.codes)])
            await stream.write(pb.BidirectionalRealRequest(register_request=register))
            remove = pb.BidirectionalRealRemoveRequest(code_list=[chance.choice(day.codes)])
            await stream.write(pb.BidirectionalRealRequest(remove_request=remove))
        await stream.write(pb.BidirectionalRealRequest(stop_request=pb.BidirectionalRealStopRequest()))
    await day.read("changing ticks", stream, 5.0)


async def batches(day: Day, chance: random.Random, stub: Any) -> None:
    """The same in batches, with events among them."""
    stream = stub.Events()
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        names = chance.choice(([], ["OnReceiveMsg"], ["OnReceiveRealData", "OnReceiveChejanData"]))
        await stream.write(streams_pb2.EventsRequest(slots=names, add=chance.sample(day.codes, 3)))
        for _ in range(6):
            change = streams_pb2.EventsRequest(add=[chance.choice(day.codes)], remove=[chance.choice(day.codes)])
            await stream.write(change)
            await asyncio.sleep(chance.random() * 0.1)
    await day.read("batches", stream, chance.random())


async def orders(day: Day, chance: random.Random, stub: Any) -> None:
    """Orders that fill, that stay, and that nobody waits for."""
    for _ in range(chance.randrange(1, 4)):
        market = chance.random() < 0.6
        request = pb.OrderRequest(
            request_name="주문",
            account_no=day.account,
            order_type=chance.choice((1, 1, 2)),
            code=chance.choice(day.codes) if market else day.codes[0],
            quantity=chance.randrange(1, 5),
            price=0 if market else day.low,
            quote_type="03" if market else "00",
        )
        await day.read("orders", stub.OrderCall(request), chance.choice((0.05, 0.5, 2.0)))


async def conditions(day: Day, chance: random.Random, stub: Any) -> None:
    """A search, once or with signals."""
    index, name = CONDITION
    request = pb.ConditionRequest(condition_name=name, condition_index=index, search_type=chance.choice((0, 1)))
    await day.read("conditions", stub.ConditionCall(request), 1.0)


async def listeners(day: Day, chance: random.Random, stub: Any) -> None:
    """Events of all kinds, and the events of all orders."""
    request = pb.ListenRequest(slots=["OnReceiveTrData", "OnReceiveChejanData", "OnReceiveMsg", "OnReceiveRealData"])
    await asyncio.gather(
        day.read("events", stub.Listen(request), chance.random()),
        day.read("order events", stub.OrderListen(pb.ListenRequest()), chance.random() * 2),
    )


async def inside(day: Day, chance: random.Random, stub: Any) -> None:
    """A listener in both directions that reads inside the event, then stops, or is simply gone."""
    stream = stub.BidirectionalListen()
    await stream.write(pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=["OnReceiveTrData"])))
    read = pb.CallRequest(
        name="CommRqData",
        arguments=[
            pb.Argument(string_value="안에서"),
            pb.Argument(string_value="opt10001"),
            pb.Argument(long_value=0),
            pb.Argument(string_value="1234"),
        ],
    )
    code = pb.CallRequest(
        name="SetInputValue",
        arguments=[pb.Argument(string_value="종목코드"), pb.Argument(string_value=chance.choice(day.codes))],
    )
    with contextlib.suppress(grpc.aio.AioRpcError, TimeoutError, asyncio.InvalidStateError):
        await stub.Call(code, timeout=10)
        await stub.Call(read, timeout=10)
        async with asyncio.timeout(5.0):
            event = await stream.read()
            if isinstance(event, pb.ListenResponse):
                day.messages["events from inside"] += 1
            await stream.write(pb.BidirectionalListenRequest(handled_request=pb.HandledRequest()))
    if chance.random() < 0.5:
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await stream.write(pb.BidirectionalListenRequest(stop_listen_request=pb.StopListenRequest()))
    stream.cancel()


async def killed(day: Day, chance: random.Random, _: Any) -> None:
    """A client that dies with streams of every kind open: its connection is reset without a word."""
    host, _, port = day.address.rpartition(":")
    connection = await wire.Connection.to(host, int(port))
    code = chance.choice(day.codes)
    index, name = CONDITION
    order = pb.OrderRequest(
        request_name="주문",
        account_no=day.account,
        order_type=1,
        code=day.codes[0],
        quantity=1,
        price=day.low,
        quote_type="00",
    )
    listen = pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=["OnReceiveMsg"]))
    for method, request in (
        ("RealCall", pb.RealRequest(code_list=[code], fid_list=[10])),
        (STREAMS + "Events", streams_pb2.EventsRequest(slots=["OnReceiveMsg"], add=[code])),
        ("OrderCall", order),
        ("OrderListen", pb.ListenRequest()),
        ("Listen", pb.ListenRequest(slots=["OnReceiveRealData"])),
        ("BidirectionalListen", listen),
        ("ConditionCall", pb.ConditionRequest(condition_name=name, condition_index=index, search_type=1)),
        ("TransactionCall", pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": code})),
    ):
        body = wire.message(request.SerializeToString())
        path = method if method.startswith("/") else SERVICE + method
        connection.request(wire.start(path.encode()), body, lambda _: None, half_close=False)
    await asyncio.sleep(chance.random() * 0.5)
    linger = struct.pack("ii", 1, 0)
    sock = connection.transport.get_extra_info("socket")
    sock.setsockopt(1, 13, linger)  # SOL_SOCKET, SO_LINGER: RST instead of FIN, as the kernel does for who was killed
    connection.close()
    await connection.closed


DOINGS: tuple[tuple[int, Callable[[Day, random.Random, Any], Awaitable[None]]], ...] = (
    (6, queries),
    (4, ticks),
    (3, changing_ticks),
    (3, batches),
    (5, orders),
    (1, conditions),
    (3, listeners),
    (2, inside),
    (3, killed),
)


async def client(day: Day, chance: random.Random, until: float) -> None:
    """One client after the other until it is that late."""
    while time.monotonic() < until:
        doing = chance.choices([each for _, each in DOINGS], [weight for weight, _ in DOINGS])[0]
        channel = day.channel()
        try:
            await doing(day, chance, Stub(channel))
            day.done[doing.__name__] += 1
        finally:
            await channel.close()


@dataclass
class Outcome:
    """What the day showed."""

    day: Day
    warm: dict[str, Any]
    after: dict[str, Any]
    samples: list[dict[str, Any]]
    seconds: float

    def report(self) -> str:
        """For people."""
        done = ", ".join(f"{name} {count:,}" for name, count in self.day.done.most_common())
        told = ", ".join(f"{name} {count:,}" for name, count in self.day.told.most_common())
        messages = ", ".join(f"{name} {count:,}" for name, count in self.day.messages.most_common())
        lines = [
            f"a day of the market in {self.seconds:.0f} s; {sum(self.day.done.values()):,} clients: {done}",
            f"streams ended with {told}; messages: {messages}",
            f"{'':<9}{'market':>10}" + "".join(f"{name:>14}" for name in (*HELD, *OPEN)),
        ]
        every = max(1, len(self.samples) // 12)
        shown = [("warm", self.warm), *(("", sample) for sample in self.samples[::every]), ("after", self.after)]
        for name, held in shown:
            figures = [held[each] for each in HELD] + [held["statistics"].get(each, 0) for each in OPEN]
            lines.append(f"{name:<9}{held['time'][11:19]:>10}" + "".join(f"{figure:>14,}" for figure in figures))
        lines += [f"{name:<8} {spark([sample[name] for sample in self.samples])}" for name in HELD]
        return "\n".join([*lines, *(f"WRONG: {each}" for each in self.day.judge.wrong)])

    def save(self, path: Path) -> None:
        """The samples as CSV."""
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["seconds", "market", *HELD, *OPEN])
            for sample in self.samples:
                figures = [sample["statistics"].get(each, 0) for each in OPEN]
                rows.writerow([f"{sample['at']:.1f}", sample["time"], *(sample[each] for each in HELD), *figures])


def spark(figures: list[float]) -> str:
    """A row of figures as a small plot, from nothing to the most."""
    most = max(figures, default=0) or 1
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * figure / most))] for figure in figures[:: max(1, len(figures) // 100)])


async def soak(host: Host, seconds: float, clients: int, seed: int = 1, every: float = 2.0) -> Outcome:
    """A day with so many clients at any moment."""
    day = Day(host.address, host.ready["codes"], host.ready["accounts"][0], host.ready["low"])
    begun = time.monotonic()

    async def look() -> dict[str, Any]:
        held = await asyncio.to_thread(host.look)
        held["time"] = (await asyncio.to_thread(host.ask, "time"))["time"]
        held["at"] = time.monotonic() - begun
        return held

    async def rush(until: float, number: int) -> None:
        await asyncio.gather(*(client(day, random.Random(seed * 1000 + number + n), until) for n in range(clients)))

    await rush(begun + 0.2 * seconds, 0)
    warm = await settled(host)
    warm = await look()
    samples: list[dict[str, Any]] = []

    async def sample() -> None:
        while True:
            await asyncio.sleep(every)
            samples.append(await look())

    sampling = asyncio.create_task(sample())
    try:
        await rush(begun + seconds, 500)
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
    await settled(host, warm)
    after = await look()
    check(day.judge, warm, after)
    return Outcome(day, warm, after, samples, time.monotonic() - begun)


def check(judge: Judge, warm: dict[str, Any], after: dict[str, Any]) -> None:
    """Compare the end with the beginning."""
    if left := {name: count for name, count in after["statistics"].items() if count}:
        judge.fail(f"left behind: {left}")
    for bug in after["bugs"]:
        judge.fail(f"in the log: {bug}", bug[:80])
    for name, spare in (*ALLOWED.items(), ("rss", RSS_ALLOWED)):
        if after[name] > warm[name] + spare:
            judge.fail(f"{name} grew from {warm[name]:,} to {after[name]:,}, more than {spare:,}")


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 where everything was as it must."""
    parser = argparse.ArgumentParser(
        prog="chaos soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600.0, help="in which the day passes (default 600)")
    parser.add_argument("--clients", type=int, default=24, help="at any moment (default 24)")
    parser.add_argument("--codes", type=int, default=40, help="of the market (default 40)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", type=Path, help="where to write the samples")
    given = parser.parse_args(arguments)
    with Host(control=control(given.seconds, given.codes)) as host:
        try:
            outcome = asyncio.run(soak(host, given.seconds, given.clients, given.seed, max(1.0, given.seconds / 100)))
        except (grpc.aio.AioRpcError, OSError):
            print(host.log)  # it has gone, and says why
            raise
    print(outcome.report())
    if given.csv:
        outcome.save(given.csv)
    return 1 if outcome.day.judge.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
