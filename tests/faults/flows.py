"""Order flows with retrying clients, a gateway that is killed at random moments, and an exchange that goes wrong.

    python tests/faults/flows.py --flows 1000 --seed 1

Prints figures, and what is wrong; exit code 1 when anything is.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from judge import CANCEL, ENDED, NEW, REFUSED, UNDETERMINED, Heard, Intent, judge, mine

from koapy import AsyncClient
from koapy.client import (
    ConnectionLost,
    InvalidArgument,
    KoapyError,
    KoapyWarning,
    OpenApiError,
    OrderUnknown,
    PreconditionFailed,
)
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2 as gateway
from koapy.protocol.gateway_pb2_grpc import GatewayStub
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

HERE = Path(__file__).parent
ACCOUNT = "8000000011"
KEY, FROM = "koapy-idempotency-key", "koapy-from-sequence"
EVERYTHING_GOES_WRONG = {
    "delayed": 0.06,
    "early": 0.06,
    "lost": 0.05,
    "silent": 0.03,
    "transit": 0.03,
    "refused": 0.04,
    "code": 0.03,
    "frozen": 0.03,
}
QUICK_RECONNECT = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.use_local_subchannel_pool", 1),
)
DEFINITE = {grpc.StatusCode.ABORTED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED}
CANCELS = 8
SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a run is to be."""

    flows: int = 1000
    at_once: int = 24
    seed: int = 1
    plan: dict[str, float] = field(default_factory=lambda: dict(EVERYTHING_GOES_WRONG))
    uptime: tuple[float, float] = (0.1, 1.5)
    """Seconds that a gateway lives after it has answered."""
    long: float = 0.12
    """The share of gateways that live longer: long enough to give up an order that the exchange does not know."""
    long_uptime: tuple[float, float] = (3.0, 6.0)
    early: float = 0.2
    """The share of gateways that are killed in their first second instead, while they start or recover."""
    cuts: float = 0.15
    """The share of interruptions that cut the connection between gateway and exchange, and kill nothing."""
    log_outs: float = 0.1
    """The share of interruptions by which OpenAPI+'s own connection is lost."""
    kills: int | None = None
    """Exactly so many, spread over the flows; None: until the last flow has ended."""
    library: bool = False
    """Whether the clients are AsyncClients instead of plain stubs."""
    patience: float = 90.0
    """Seconds in which a client's order must have an end."""


class Exchange:
    """The exchange's process."""

    def __init__(self, plan: dict[str, Any]) -> None:
        command = [sys.executable, HERE / "exchange.py", "--plan", json.dumps(plan)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        addresses = json.loads(self._process.stdout.readline())
        self.address: str = addresses["control"]
        host, port = addresses["commands"].split(":")
        self._commands = socket.create_connection((host, int(port)), timeout=60)
        self._answers = self._commands.makefile("r", encoding="utf-8")

    def ask(self, command: str, **more: Any) -> Any:
        self._commands.sendall(json.dumps({"command": command} | more).encode() + b"\n")
        answer = json.loads(self._answers.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["answer"]

    def close(self) -> None:
        self._commands.close()
        self._process.communicate(timeout=20)


class Gateway:
    """The gateway's process, started anew each time it was killed; always on the same port and journal."""

    def __init__(self, exchange: str, journal: Path, log: Path) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._command = [sys.executable, HERE / "gateway.py", exchange, "--port", str(self.port), "--journal", journal]
        self._log = log.open("ab")
        self.kills = 0
        self.starts: list[float] = []
        """Seconds from each start to the moment at which it listened."""

    def start(self) -> None:
        self._began = time.monotonic()
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=self._log, text=True)

    async def ready(self) -> None:
        assert self._process.stdout
        line = await asyncio.to_thread(self._process.stdout.readline)
        if not line.startswith("ready"):
            raise RuntimeError(f"the gateway ended with {self._process.wait()}; its log is {self._log.name}")
        self.starts.append(time.monotonic() - self._began)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()
        self.kills += 1

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()


class Clients:
    """Programs that want orders, and retry with the same key until they know."""

    def __init__(self, address: str, wish: Wish, codes: list[dict[str, Any]]) -> None:
        self._address = address
        self._wish = wish
        self._codes = codes
        self._random = random.Random(f"{wish.seed}:flows")
        self._killed = 0
        self._kill = asyncio.Condition()
        self.intents: list[Intent] = []
        self.statuses: Counter[str] = Counter()

    @contextlib.asynccontextmanager
    async def stub(self) -> AsyncIterator[KiwoomOpenApiPlusServiceStub]:
        async with grpc.aio.insecure_channel(self._address, options=QUICK_RECONNECT) as channel:
            yield KiwoomOpenApiPlusServiceStub(channel)

    async def log_in(self) -> None:
        """Log in, and keep trying; the login survives the gateways."""
        async with self.stub() as stub:
            while True:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    async for _ in stub.LoginCall(pb.LoginRequest(), wait_for_ready=True, timeout=10):
                        pass
                    return
                await asyncio.sleep(0.05)

    async def killed(self, kills: int) -> None:
        """The gateway has been killed so often."""
        async with self._kill:
            self._killed = kills
            self._kill.notify_all()

    async def run(self) -> None:
        """All flows."""
        flows = iter(range(self._wish.flows))
        async with asyncio.TaskGroup() as group:
            for _ in range(self._wish.at_once):
                group.create_task(self._program(flows))

    async def _program(self, flows: Iterator[int]) -> None:
        """One program: one flow after the other, on a connection of its own."""
        async with self._connected() as way:
            for flow in flows:
                await self._turn(flow)
                await self._flow(way, flow)

    def _connected(self) -> contextlib.AbstractAsyncContextManager[Any]:
        """What `_want` sends over."""
        return self.stub()

    async def _turn(self, flow: int) -> None:
        """Wait until enough kills have been, where their number is given: the last flows begin before the last kill."""
        due = flow * (self._wish.kills or 0) // self._wish.flows
        async with self._kill:
            await self._kill.wait_for(lambda: self._killed >= due)

    async def _flow(self, way: Any, flow: int) -> None:
        # Code and quantity together are this flow's alone, so the ledger says whose order is whose.
        issue = self._codes[flow % len(self._codes)]
        quantity = 1 + flow // len(self._codes)
        kind = self._random.choice(("market", "market", "limit", "rest"))
        if kind == "rest":
            await self._rest_and_cancel(way, flow, issue, quantity)
            return
        price, quote = (0, "03") if kind == "market" else (issue["upper"], "00")
        await self._want(way, Intent(f"{self._wish.seed}-{flow}", NEW, issue["code"], quantity, price, quote))

    async def _rest_and_cancel(self, way: Any, flow: int, issue: dict[str, Any], quantity: int) -> None:
        """An order at a price that nobody sells at, cancelled as soon as its number is known."""
        intent = Intent(f"{self._wish.seed}-{flow}", NEW, issue["code"], quantity, issue["lower"], "00")
        numbered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def learn(number: str) -> None:
            if not numbered.done():
                numbered.set_result(number)

        resting = asyncio.create_task(self._want(way, intent, learn))
        await asyncio.wait({resting, numbered}, return_when=asyncio.FIRST_COMPLETED)
        for attempt in range(CANCELS):
            if not numbered.done() or resting.done():
                break
            key = f"{intent.key}-cancel-{attempt}"
            cancel = Intent(key, CANCEL, intent.code, quantity, 0, "00", numbered.result())
            await self._want(way, cancel)
            if cancel.outcome == ENDED:
                break
            # Refused or undetermined: the order may stand, so it is cancelled again, under another key.
            await asyncio.wait({resting}, timeout=1.0)
        await resting

    async def _want(self, way: Any, intent: Intent, learn: Callable[[str], None] | None = None) -> None:
        """Send an order until it has an end or is definitely refused."""
        stub: KiwoomOpenApiPlusServiceStub = way
        self.intents.append(intent)
        until = time.monotonic() + self._wish.patience
        request = pb.OrderRequest(
            request_name=f"주문 {intent.key}"[:20],
            screen_no="0001",
            account_no=ACCOUNT,
            order_type=intent.order_type,
            code=intent.code,
            quantity=intent.quantity,
            price=intent.price,
            quote_type=intent.quote_type,
            original_order_no=intent.original,
        )
        while time.monotonic() < until:
            intent.attempts += 1
            intent.sequences, intent.chejan = [], []
            try:
                stream = stub.OrderCall(request, timeout=until - time.monotonic(), metadata=[(KEY, intent.key)])
                async for event in stream:
                    intent.sequences.append(event.sequence)
                    if event.name == "OnReceiveChejanData":
                        intent.chejan.append(event.sequence)
                    number = number_of(event)
                    if event.name == "OnReceiveTrData" and number:
                        intent.numbers.add(number)
                        if learn:
                            learn(number)
            except grpc.aio.AioRpcError as error:
                reason = reason_of(error)
                intent.text = f"{error.code().name} {reason} {error.details()}"
                self.statuses[f"{error.code().name} {reason}"] += 1
                if error.code() in DEFINITE:
                    intent.outcome = UNDETERMINED if reason == "ORDER_UNDETERMINED" else REFUSED
                    return
                # A pause as clients make it, not a wait for anything.
                await asyncio.sleep(self._random.uniform(0.02, 0.2))
            else:
                intent.outcome, intent.text = ENDED, ""
                self.statuses["OK"] += 1
                return


class Library(Clients):
    """The same programs as users of koapy write them: AsyncClient makes the keys, reconnects and resumes by itself."""

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncClient]:
        async with AsyncClient(self._address, reconnect=self._wish.patience) as client:
            # A client that has never reached a gateway takes it for one that does not exist.
            yield await client.ready(self._wish.patience)

    async def _want(self, way: Any, intent: Intent, learn: Callable[[str], None] | None = None) -> None:
        client: AsyncClient = way
        self.intents.append(intent)
        intent.attempts = 1
        if intent.order_type == CANCEL:
            stream = client.cancel(intent.original, intent.quantity)
        else:
            stream = client.buy(intent.code, intent.quantity, intent.price or None)
        try:
            async with asyncio.timeout(self._wish.patience):
                async for _ in stream:
                    if stream.order.number:
                        intent.numbers.add(stream.order.number)
                        if learn:
                            learn(stream.order.number)
            intent.outcome = ENDED
        except TimeoutError:
            intent.text = "no end in time"
        except (OpenApiError, InvalidArgument, PreconditionFailed, ConnectionLost) as error:
            # ConnectionLost: the control was away, and nothing was sent; of an order that may have been sent
            # AsyncClient says OrderUnknown.
            intent.outcome, intent.text = REFUSED, repr(error)
            await asyncio.sleep(0.1)
        except OrderUnknown as error:
            intent.outcome, intent.text = UNDETERMINED, repr(error)
        except KoapyError as error:
            intent.text = repr(error)
        self.statuses[intent.text.partition("(")[0] or "OK"] += 1
        intent.attempts += len(stream.interruptions)


class Subscribers:
    """Two listeners that resume after each break: OrderListen, and OrderEvents of koapy.v1."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.heard = [Heard("OrderEvents"), Heard("OrderListen")]

    async def run(self) -> None:
        await asyncio.gather(self._forever(self._events, self.heard[0]), self._forever(self._listen, self.heard[1]))

    async def until(self, last: int) -> bool:
        """Wait until everybody has heard so many events; whether that came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while any(len(heard.events) < last for heard in self.heard):
                    await asyncio.sleep(0.01)
        return all(len(heard.events) >= last for heard in self.heard)

    async def _forever(self, once: Callable[..., Any], heard: Heard) -> None:
        while True:
            async with grpc.aio.insecure_channel(self._address, options=QUICK_RECONNECT) as channel:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await once(channel, heard)
            await asyncio.sleep(0.02)

    async def _events(self, channel: grpc.aio.Channel, heard: Heard) -> None:
        request = gateway.OrderEventsRequest(from_sequence=len(heard.events) + 1)
        stream = GatewayStub(channel).OrderEvents(request, wait_for_ready=True)
        await self._identify(stream, heard)
        async for event in stream:
            heard.events.append(noted(event.sequence, event.recovered, event.event) | {"order": event.order_id})

    async def _listen(self, channel: grpc.aio.Channel, heard: Heard) -> None:
        metadata = [(FROM, str(len(heard.events) + 1))]
        stub = KiwoomOpenApiPlusServiceStub(channel)
        stream = stub.OrderListen(pb.ListenRequest(), metadata=metadata, wait_for_ready=True)
        await self._identify(stream, heard)
        async for event in stream:
            heard.events.append(noted(event.sequence, event.recovered, event))

    async def _identify(self, stream: Any, heard: Heard) -> None:
        told = dict(await stream.initial_metadata() or ())
        heard.connections += 1
        if "koapy-journal" in told:
            heard.journals.add(str(told["koapy-journal"]))


def free_port() -> int:
    """A port below those that the system gives to clients: one of them that tries to connect while nobody listens may
    be given the very port, and connect to itself; then no gateway can come back there."""
    while True:
        port = random.SystemRandom().randrange(15_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def number_of(event: pb.ListenResponse) -> str:
    return dict(zip(event.single_data.names, event.single_data.values, strict=True)).get("주문번호", "")


def noted(sequence: int, recovered: bool, event: pb.ListenResponse) -> dict[str, Any]:
    """What the judge wants to know of an event."""
    values = dict(zip(event.single_data.names, event.single_data.values, strict=True))
    chejan = event.name == "OnReceiveChejanData" and event.arguments[0].string_value == "0"
    entry = {"sequence": sequence, "recovered": recovered, "name": event.name, "number": values.get("주문번호", "")}
    if not chejan:
        return entry
    names = {"original": "원주문번호", "state": "주문상태", "open": "미체결수량", "filled": "체결량"}
    return entry | {what: values.get(name, "") for what, name in names.items()}


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The word for programs in a status."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            info = error_details_pb2.ErrorInfo()
            if status.details and status.details[0].Unpack(info):
                return info.reason
    return ""


@dataclass(slots=True)
class Result:
    """What a run has shown."""

    wrong: list[str]
    figures: dict[str, Any]


async def chaos(wish: Wish, folder: Path) -> Result:
    """One run; its journal and log are left in `folder`."""
    began = time.monotonic()
    exchange = Exchange(wish.plan | {"seed": wish.seed})
    process = Gateway(exchange.address, folder / "orders.sqlite", folder / "gateway.log")
    try:
        process.start()
        await process.ready()
        clients = (Library if wish.library else Clients)(process.address, wish, exchange.ask("codes"))
        await clients.log_in()
        subscribers = Subscribers(process.address)
        listening = asyncio.create_task(subscribers.run())
        killing = asyncio.create_task(interrupt(exchange, process, wish, clients))
        flowing = time.monotonic()
        running = asyncio.create_task(clients.run())
        try:
            # An interruption that fails leaves no gateway to wait for.
            await asyncio.wait(
                {running, killing}, return_when=asyncio.FIRST_EXCEPTION if wish.kills else asyncio.FIRST_COMPLETED
            )
            await (killing if killing.done() else running)
            await running
        finally:
            flowing = time.monotonic() - flowing
            for task in (killing, running):
                task.cancel()
            await asyncio.gather(killing, running, return_exceptions=True)
        answer = await settled(process.address)
        heard_all = await subscribers.until(answer.last_sequence)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        ledger = exchange.ask("ledger")
    finally:
        process.close()
        exchange.close()
    wrong = judge(clients.intents, ledger, [*map(row, answer.orders)], subscribers.heard, answer.last_sequence)
    figures = {
        "seed": wish.seed,
        "flows": wish.flows,
        "orders wanted": len(clients.intents),
        "orders in the ledger": len(ledger["orders"]),
        "sends": len(ledger["sent"]),
        "kills": process.kills,
        "seconds": round(time.monotonic() - began, 1),
        "flows/s": round(wish.flows / flowing, 1),
        "attempts": sum(intent.attempts for intent in clients.intents),
        "outcomes": dict(Counter(intent.outcome for intent in clients.intents)),
        "undetermined, in the ledger": sum(
            bool(mine(intent, ledger["orders"]))
            for intent in clients.intents
            if intent.outcome == UNDETERMINED and intent.order_type == NEW
        ),
        "statuses": dict(clients.statuses.most_common()),
        "faults": dict(Counter(sent["fault"] for sent in ledger["sent"])),
        "events": answer.last_sequence,
        "events recovered": sum(event["recovered"] for event in subscribers.heard[0].events),
        "events told to nobody": sum(not told["heard"] for told in ledger["told"]),
        "subscriptions": [heard.connections for heard in subscribers.heard],
        "subscribers heard all": heard_all,
        "seconds to start, middle and most": _spread(process.starts),
    }
    return Result(wrong, figures)


async def interrupt(exchange: Exchange, process: Gateway, wish: Wish, clients: Clients) -> None:
    """Kill the gateway and start it again, or cut what it needs, at random moments; leaves all running."""
    chance = random.Random(f"{wish.seed}:kills")
    while wish.kills is None or process.kills < wish.kills:
        # Random moments are what is asked for here; nothing is waited for.
        long = chance.random() < wish.long
        await asyncio.sleep(chance.uniform(*(wish.long_uptime if long else wish.uptime)))
        at = chance.random()
        if at < wish.cuts:
            exchange.ask("cut")
            clients.statuses["cuts"] += 1
        elif at < wish.cuts + wish.log_outs:
            exchange.ask("log_out")
            clients.statuses["log-outs"] += 1
            await clients.log_in()
        else:
            await _kill(process, wish, chance)
            await clients.killed(process.kills)
            await process.ready()


async def _kill(process: Gateway, wish: Wish, chance: random.Random) -> None:
    """Kill the gateway, and perhaps the next one while it starts or recovers."""
    while True:
        process.kill()
        process.start()
        if process.kills == wish.kills or chance.random() >= wish.early:
            return
        await asyncio.sleep(chance.uniform(0.0, 1.0))


async def orders(address: str) -> gateway.OrdersResponse:
    async with grpc.aio.insecure_channel(address, options=QUICK_RECONNECT) as channel:
        return await GatewayStub(channel).Orders(gateway.OrdersRequest(), wait_for_ready=True, timeout=60)


async def settled(address: str) -> gateway.OrdersResponse:
    """The journal's orders, once it is in doubt about none."""
    answer = await orders(address)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            while any(each.state in {"intended", "sent"} for each in answer.orders):
                await asyncio.sleep(0.05)
                answer = await orders(address)
    return answer


def row(order: gateway.Order) -> dict[str, Any]:
    names = ("id", "number", "state", "open", "filled", "amount", "order_type", "original")
    return {name: getattr(order, name) for name in names}


def _spread(values: list[float]) -> list[float]:
    ordered = sorted(values)
    return [round(ordered[len(ordered) // 2], 2), round(ordered[-1], 2)] if ordered else []


def main() -> int:
    parser = argparse.ArgumentParser(prog="run.py chaos", description=__doc__)
    parser.add_argument("--flows", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=24)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kills", type=int, default=None, help="exactly so many; otherwise it goes on to the end")
    parser.add_argument("--patience", type=float, default=90.0, help="seconds that an order's end may take")
    parser.add_argument("--library", action="store_true", help="koapy.AsyncClient instead of plain stubs")
    parser.add_argument("--folder", type=Path, default=None, help="keeps the journal, the log and the result")
    parser.add_argument("--calm", action="store_true", help="nothing goes wrong but the kills")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    plan = {} if asked.calm else dict(EVERYTHING_GOES_WRONG)
    wish = Wish(
        flows=asked.flows,
        at_once=asked.at_once,
        seed=seed,
        kills=asked.kills,
        plan=plan,
        patience=asked.patience,
        library=asked.library,
    )
    warnings.simplefilter("ignore", KoapyWarning)  # that connections break is what this is about
    print(f"chaos: {wish.flows} flows, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as passing:
        folder = asked.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            parser.error(
                f"{folder} is not empty, and a journal of another exchange's orders would be wrong in all of them"
            )
        result = asyncio.run(chaos(wish, folder))
        if asked.folder:
            (folder / "result.json").write_text(
                json.dumps(result.figures | {"wrong": result.wrong}, ensure_ascii=False)
            )
    for name, value in result.figures.items():
        print(f"{name:>34}: {value}")
    for text in result.wrong[:SHOWN]:
        print("wrong:", text)
    print(f"{len(result.wrong)} violations")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
