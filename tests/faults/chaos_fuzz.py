"""Fuzz: a stream of wrong requests over every RPC, many at once, and a client beside it that must not notice.

    python3 run.py chaos fuzz --requests 1000000 --seed 1

Prints what was sent, what came back, what the server held afterwards, and exits with 1 where anything was not as it
must: an answer that is no proper status, a request that is not answered in time, a bug in the log, a leak, a wrong
answer to the client beside it. The seed and the number of a request give the request again: `--show NUMBER`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import fuzz_wire as wire
import grpc
from fault_host import Host
from fuzz_garbage import Garbage
from fuzz_requests import Generator, Request, World

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

ANSWERED_SECONDS = 20.0
"""In which a request that ends by itself must have ended, however busy the machine is."""

STATUS = {code.value[0]: code.name for code in grpc.StatusCode}
NEVER = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS}
"""Statuses that say that the gateway does not know what it does."""
PROPER = {code.name for code in grpc.StatusCode if code not in NEVER and code is not grpc.StatusCode.CANCELLED}
LENIENT = {"INTERNAL", "CANCELLED"}
"""What grpc itself answers to those who break its protocol."""
BUG = "bug%20of%20the%20gateway"

SETTINGS: dict[str, Any] = {"event_seconds": 0.05, "longest_event_seconds": 1.0, "answer_seconds": 5.0}
CONTROL: dict[str, Any] = {"seed": 5, "answer_delay": 0.001, "login_delay": 0.01, "market_size": 60}


@dataclass
class Judge:
    """What came back, and what was wrong with it."""

    started: int = 0
    ended: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_of: str = ""
    wrong: list[str] = field(default_factory=list)
    wrong_count: int = 0
    told: set[str] = field(default_factory=set)

    def fail(self, text: str, kind: str = "") -> None:
        """Something is wrong; of each kind the first is told in full."""
        self.wrong_count += 1
        if not kind or kind not in self.told:
            self.told.add(kind)
            if len(self.wrong) < 60:
                self.wrong.append(text)

    def take(self, request: Request, exchange: wire.Exchange) -> None:
        """Judge one answer."""
        self.ended += 1
        self.shapes[request.shape] += 1
        method = request.path.rpartition("/")[2]
        self.paths[method] += 1
        if request.finite and exchange.took > self.slowest:
            self.slowest, self.slowest_of = exchange.took, method
        status = exchange.status
        if exchange.cancelled:
            self.statuses["(ended by the client)"] += 1
            if request.finite:
                self.fail(f"not answered within {ANSWERED_SECONDS:g} s: {request}", f"hang {method}")
            return
        if status is None:
            self.statuses[f"(reset {exchange.reset})" if exchange.reset is not None else "(no status)"] += 1
            if not request.lenient:
                text = f"no status, reset {exchange.reset}, headers {dict(exchange.headers)}: {request}"
                self.fail(text, f"none {method} {exchange.reset}")
            return
        name = STATUS.get(status, str(status))
        if name == "CANCELLED" and b"grpc-accept-encoding" not in exchange.headers:
            # Before anybody was asked: where a thousand requests wait to be looked at, grpc turns some away like this.
            self.statuses["(turned away by grpc)"] += 1
            return
        self.statuses[name] += 1
        if name not in PROPER and not (request.lenient and name in LENIENT and BUG not in exchange.text):
            self.fail(f"{name} {exchange.text!r}: {request}", f"{name} {method} {exchange.text[:60]}")


class Fuzzer:
    """Keeps requests in flight until as many as wanted have been answered."""

    def __init__(self, host: str, port: int, generator: Generator, judge: Judge, chance: random.Random) -> None:
        self._host = host
        self._port = port
        self._generator = generator
        self._judge = judge
        self._random = chance
        self._loop = asyncio.get_running_loop()
        self._wanted = 0
        self._finished = asyncio.Event()
        self._connecting: set[asyncio.Task[None]] = set()

    async def run(self, requests: int, connections: int = 6, in_flight: int = 100) -> None:
        """Send so many requests over so many connections; returns when all have been answered."""
        self._wanted = self._judge.started + requests
        lanes = [asyncio.create_task(self._lane(in_flight)) for _ in range(connections)]
        await asyncio.gather(*lanes)

    async def _lane(self, in_flight: int) -> None:
        while self._judge.started < self._wanted:
            connection = await wire.Connection.to(self._host, self._port)
            lane = _Lane(self, connection, life=self._random.randrange(2_000, 40_000))
            for _ in range(in_flight):
                lane.next()
            await lane.over.wait()
            if lane.refused:
                self._judge.fail(f"the server ended a connection: {connection.goaway}", "connection")
                await asyncio.sleep(0.1)
            connection.close()
            await connection.closed

    def take(self) -> Request | None:
        """The next request, or None when there have been enough."""
        if self._judge.started >= self._wanted:
            return None
        self._judge.started += 1
        return self._generator.request()


class _Lane:
    """One connection's requests."""

    def __init__(self, fuzzer: Fuzzer, connection: wire.Connection, life: int) -> None:
        self._fuzzer = fuzzer
        self._connection = connection
        self._life = life
        self._busy = 0
        self.over = asyncio.Event()
        self.refused = False

    def next(self) -> None:
        fuzzer = self._fuzzer
        request = None
        if self._life > 0 and not self._connection.closed.done() and self._connection.goaway is None:
            request = fuzzer.take()
        if request is None:
            if not self._busy:
                self.over.set()
            return
        self._life -= 1
        self._busy += 1
        block = wire.start(request.path.encode(), request.metadata)
        body = b"".join(map(wire.message, request.bodies))
        chance = fuzzer._random.random()
        if request.lenient and chance < 0.3:
            body = broken_frame(fuzzer._random, body)
        exchange = self._connection.request(block, body, self._done, half_close=request.finite or chance < 0.8)
        if request.finite and request.lenient and chance < 0.1:
            seconds = 0.0  # a client that thinks better of it; judged as any other that ended by itself
            request = Request("/other", request.shape, ())
        else:
            seconds = ANSWERED_SECONDS if request.finite else fuzzer._random.choice(patience(request))
        timer = fuzzer._loop.call_later(seconds, self._connection.cancel, exchange)
        exchange.context = (request, timer)

    def _done(self, exchange: wire.Exchange) -> None:
        context = exchange.context
        self._busy -= 1
        if not isinstance(context, tuple):  # the connection was gone before it was sent
            self._fuzzer._loop.call_soon(self.next)
            return
        request, timer = context
        timer.cancel()
        if exchange.reset == -1:
            self.refused = True
        self._fuzzer._judge.take(request, exchange)
        # Not at once: an answer may have come inside the sending, and depth grows with each.
        self._fuzzer._loop.call_soon(self.next)


def patience(request: Request) -> tuple[float, ...]:
    """Seconds after which a client may end this stream."""
    # An event that is held open holds up everybody, as it must, so few of those and not for long.
    return (0.0, 0.002) if request.path.endswith("/BidirectionalListen") else (0.0, 0.002, 0.01, 0.05)


def broken_frame(chance: random.Random, body: bytes) -> bytes:
    """A message whose length or whose flag is a lie."""
    kind = chance.randrange(5)
    if kind == 0:
        return b"\x01" + body[1:]  # says that it is compressed
    if kind == 1:
        return body[: max(0, len(body) - 3)]  # ends early
    if kind == 2:
        return b"\x00\xff\xff\xff\xff" + body[5:]  # four gigabytes to come
    if kind == 3:
        return b"\x07" + body[1:]
    return body + b"\x00\x00"


class Witness:
    """A client that does everything right while the others do not; whatever it is told must be true."""

    def __init__(self, address: str, world: World, judge: Judge) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self._stub = KiwoomOpenApiPlusServiceStub(self._channel)
        self._world = world
        self._judge = judge
        self.answers = 0
        self.ticks = 0
        self.slowest = 0.0
        self._names: dict[str, str] = {}

    async def learn(self) -> None:
        """Ask while nobody disturbs."""
        for code in self._world.codes[:20]:
            self._names[code] = await self._name(code)

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(self._ask(random.Random(number)))
            group.create_task(self._follow())

    async def close(self) -> None:
        """Hang up."""
        await self._channel.close()

    async def _name(self, code: str) -> str:
        request = pb.CallRequest(name="GetMasterCodeName", arguments=[pb.Argument(string_value=code)])
        answer = await self._stub.Call(request, timeout=ANSWERED_SECONDS)
        return str(answer.return_value.string_value)

    async def _query(self, code: str) -> None:
        request = pb.TransactionRequest(
            request_name="증인", transaction_code="opt10001", screen_no="0777", inputs={"종목코드": code}
        )
        pages = [page async for page in self._stub.TransactionCall(request, timeout=ANSWERED_SECONDS)]
        told = dict(zip(pages[0].single_data.names, pages[0].single_data.values, strict=True))
        screen, name = (each.string_value for each in pages[0].arguments[:2])
        if len(pages) != 1 or (told["종목코드"], told["종목명"], screen, name) != (
            code,
            self._names[code],
            "0777",
            "증인",
        ):
            self._judge.fail(f"the client beside it got a wrong answer: {code}: {pages}")

    async def _ask(self, chance: random.Random) -> None:
        while True:
            code = chance.choice(list(self._names))
            begun = time.monotonic()
            try:
                if chance.random() < 0.5:
                    await self._query(code)
                elif (name := await self._name(code)) != self._names[code]:
                    self._judge.fail(f"the client beside it got a wrong name: {code}: {name!r}")
            except grpc.aio.AioRpcError as error:
                self._judge.fail(f"the client beside it was refused: {error.code()} {error.details()}", "refused")
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.answers += 1
            await asyncio.sleep(0.01)

    async def _follow(self) -> None:
        codes = list(self._names)
        stream = self._stub.RealCall(pb.RealRequest(code_list=codes, fid_list=[10], opt_type="0"))
        try:
            async for tick in stream:
                self.ticks += 1
                if tick.arguments[0].string_value not in codes or not tick.single_data.values:
                    self._judge.fail(f"the client beside it got a tick it has not asked for: {tick}")
        except grpc.aio.AioRpcError as error:
            self._judge.fail(f"the ticks of the client beside it ended: {error.code()} {error.details()}")
        finally:
            stream.cancel()


@dataclass
class Outcome:
    """What a run showed."""

    judge: Judge
    seconds: float
    before: dict[str, Any]
    after: dict[str, Any]
    witness: Witness
    garbage: int
    looks: list[dict[str, Any]]
    cpu: float

    def report(self) -> str:
        """The figures, for people."""
        judge = self.judge
        lines = [
            f"{judge.ended:,} requests in {self.seconds:.1f} s: {judge.ended / self.seconds:,.0f}/s; "
            f"{self.garbage} connections of garbage; slowest that ends by itself {judge.slowest:.3f} s "
            f"({judge.slowest_of}); the server's loop at most {self.after['late']:.3f} s late, "
            f"{self.after['cpu']:.1f} s of CPU",
            "shapes:   " + ", ".join(f"{name} {count:,}" for name, count in judge.shapes.most_common()),
            "RPCs:     " + ", ".join(f"{name} {count:,}" for name, count in judge.paths.most_common()),
            "statuses: " + ", ".join(f"{name} {count:,}" for name, count in judge.statuses.most_common()),
            f"beside it: {self.witness.answers:,} right answers, {self.witness.ticks:,} ticks, "
            f"slowest {self.witness.slowest:.3f} s",
            "             " + "".join(f"{name:>12}" for name in HELD),
        ]
        for name, held in (("warmed up", self.before), *(("", look) for look in self.looks), ("after", self.after)):
            lines.append(f"{name:<13}" + "".join(f"{held[each]:>12,}" for each in HELD))
        lines += [f"WRONG: {each}" for each in judge.wrong]
        if judge.wrong_count > len(judge.wrong):
            lines.append(f"... {judge.wrong_count} in all")
        return "\n".join(lines)


HELD = ("rss", "objects", "tasks", "threads", "fds")


def check(judge: Judge, before: dict[str, Any], after: dict[str, Any], requests: int) -> None:
    """Compare what is held after with what was held when warmed up.

    Tasks, threads and files must be as they were: a few belong to connections that are just being closed, or are a
    pool's that is filled up as it is needed. Objects are those outside of the simulation: caches that are bounded fill
    up, and nothing else may grow, however many requests there were. Memory may also grow by what the market itself
    remembers of its day, orders and trades.
    """
    if left := {name: count for name, count in after["statistics"].items() if count}:
        judge.fail(f"left behind: {left}")
    for bug in after["bugs"]:
        judge.fail(f"in the log: {bug}", bug[:80])
    for name, spare in (("tasks", 3), ("threads", 6), ("fds", 4)):
        if after[name] > before[name] + spare:
            judge.fail(f"{name} grew from {before[name]} to {after[name]}")
    for name, most in (("objects", 15_000), ("rss", 60_000_000 + requests * 60)):
        if after[name] > before[name] + most:
            judge.fail(f"{name} grew from {before[name]:,} to {after[name]:,}, more than {most:,}")


async def settled(host: Host, before: dict[str, Any] | None = None, seconds: float = 20.0) -> dict[str, Any]:
    """What the server holds once nothing is open, or what it still holds after so many seconds."""
    until = time.monotonic() + seconds
    late = 0.0
    while True:
        now = await asyncio.to_thread(host.look)
        late = now["late"] = max(late, now["late"])
        calm = not any(now["statistics"].values())
        if before is not None:
            calm = calm and now["tasks"] <= before["tasks"] + 1 and now["fds"] <= before["fds"] + 1
        if calm or time.monotonic() > until:
            return now
        await asyncio.sleep(0.5)


async def fuzz(host: Host, requests: int, seed: int, *, warm_up: int | None = None, steps: int = 1) -> Outcome:
    """Fuzz a server that listens."""
    name, _, port = host.address.rpartition(":")
    world = World(host.ready["codes"], host.ready["accounts"][0])
    judge = Judge()
    generator = Generator(random.Random(seed), world)
    chance = random.Random(seed + 1)
    witness = Witness(host.address, world, judge)
    garbage = Garbage(name, int(port), random.Random(seed + 2))
    await witness.learn()
    fuzzer = Fuzzer(name, int(port), generator, judge, chance)
    first = min(requests // 4, 20_000) if warm_up is None else warm_up
    begun = time.monotonic()
    beside = [asyncio.create_task(witness.run()), asyncio.create_task(garbage.run())]
    looks: list[dict[str, Any]] = []
    try:
        await fuzzer.run(first)
        before = await asyncio.to_thread(host.look)
        for _ in range(steps):
            await fuzzer.run((requests - first) // steps)
            looks.append(await asyncio.to_thread(host.look))
            if sys.stderr.isatty() or steps > 1:
                print(f"{judge.ended:,} {judge.ended / (time.monotonic() - begun):,.0f}/s", file=sys.stderr, flush=True)
    finally:
        for task in beside:
            task.cancel()
        for done in await asyncio.gather(*beside, return_exceptions=True):
            if isinstance(done, Exception):
                judge.fail(f"beside it: {done!r}")
    seconds = time.monotonic() - begun
    await witness.close()
    after = await settled(host, before)
    after["late"] = max(each["late"] for each in (*looks, after))
    check(judge, before, after, requests)
    if judge.ended != judge.started:
        judge.fail(f"{judge.started - judge.ended} requests have no end")
    return Outcome(judge, seconds, before, after, witness, garbage.connections, looks, 0.0)


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 where everything was as it must."""
    parser = argparse.ArgumentParser(
        prog="chaos fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1_000_000, help="how many (default 1,000,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, metavar="NUMBER", help="print this request of the seed and end")
    given = parser.parse_args(arguments)
    with Host(control=CONTROL, settings=SETTINGS) as host:
        if given.show is not None:
            world = World(host.ready["codes"], host.ready["accounts"][0])
            generator = Generator(random.Random(given.seed), world)
            for _ in range(given.show):
                generator.request()
            print(generator.request())
            return 0
        outcome = asyncio.run(fuzz(host, given.requests, given.seed, steps=max(1, min(10, given.requests // 50_000))))
    print(outcome.report())
    return 1 if outcome.judge.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
