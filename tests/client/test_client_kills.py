"""Gateways in processes of their own, killed with SIGKILL while both clients use them.

The exchange lives in a process that survives, and counts what it was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from koapy.client import OrderUnknown

pytestmark = pytest.mark.filterwarnings("ignore::koapy.client.KoapyWarning")

FAULTS = Path(__file__).parents[1] / "faults"


class Exchange:
    """An exchange's process, and its ledger."""

    def __init__(self) -> None:
        command = [sys.executable, str(FAULTS / "exchange.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        addresses = json.loads(self._process.stdout.readline())
        self.address = addresses["control"]
        host, port = addresses["commands"].split(":")
        self._commands = socket.create_connection((host, int(port)), timeout=30)
        self._answers = self._commands.makefile("r", encoding="utf-8")

    def ask(self, command, **more):
        self._commands.sendall(json.dumps({"command": command} | more).encode() + b"\n")
        return json.loads(self._answers.readline())["answer"]

    def orders(self) -> Counter[tuple[str, int, str]]:
        """How often each order was made: code, quantity, action."""
        return Counter((each["code"], each["quantity"], each["action"]) for each in self.ask("ledger")["orders"])

    def close(self) -> None:
        self._answers.close()
        self._commands.close()
        self._process.communicate(timeout=20)


class Gateway:
    """A gateway's process at one port, with one journal unless told otherwise."""

    def __init__(self, exchange: Exchange, folder: Path) -> None:
        self._exchange, self._folder = exchange, folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._process = None

    async def start(self, journal: str = "orders.sqlite") -> None:
        self._begin(journal)
        line = await asyncio.to_thread(self._process.stdout.readline)
        assert line.startswith("ready"), (self._folder / "log").read_text()

    def _begin(self, journal: str) -> None:
        files = ["--port", str(self.port), "--journal", str(self._folder / journal)]
        command = [sys.executable, str(FAULTS / "gateway.py"), self._exchange.address, *files]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture(scope="module")
def exchange():
    made = Exchange()
    yield made
    made.close()


@pytest.fixture
async def gateway(exchange, tmp_path):
    made = Gateway(exchange, tmp_path)
    await made.start()
    yield made
    made.kill()


@pytest.fixture
def address(gateway):
    return gateway.address


@pytest.fixture
def issues(exchange):
    """Codes that no other order of this module has been for."""
    used = {code for code, _, _ in exchange.orders()}
    return [each for each in exchange.ask("codes") if each["code"] not in used]


async def test_orders_under_fire_are_sent_once_and_told_once(client, gateway, exchange, issues):
    await client.login()
    events = await client.order_events()
    heard: list[int] = []
    streams: list[Any] = []

    async def listen():
        with contextlib.suppress(StopAsyncIteration):
            while True:
                heard.append((await anext(events)).sequence)

    async def trade(number: int) -> tuple[list[int], bool]:
        stream = await client.buy(issues[number % 4]["code"], 100 + number)
        streams.append(stream)
        reason = ""
        try:
            await stream.all()
        except OrderUnknown as unknown:
            reason = unknown.reason
        # The gateway may have died between writing the order down and sending it: nobody can tell whether it did.
        assert reason in ("", "ORDER_UNDETERMINED")
        order = stream.inner.order
        told = [event.sequence for event in order.events]
        assert order.state == ("filled" if told else "sent")
        return told, bool(told)

    exchange.ask("plan", delayed=1.0)
    listening = asyncio.ensure_future(listen())
    sent = len(exchange.ask("ledger")["sent"])
    trading = asyncio.gather(*(trade(number) for number in range(8)))
    # The first kill when an order has been sent, the second when one is followed again.
    for met in (
        lambda: len(exchange.ask("ledger")["sent"]) > sent,
        lambda: any(stream.inner.interruptions for stream in streams),
    ):
        async with asyncio.timeout(20):
            while not met():
                await asyncio.sleep(0.005)
        gateway.kill()
        await gateway.start()
    exchange.ask("plan")
    traded = await trading
    told = [numbers for numbers, _ in traded]
    for numbers in told:
        assert len(numbers) == len(set(numbers))
    last = (await client.status()).last_sequence
    async with asyncio.timeout(20):
        while not heard or heard[-1] < last:
            await asyncio.sleep(0.01)
    assert heard == list(range(heard[0], last + 1))
    assert {number for numbers in told for number in numbers} <= set(heard)
    made = exchange.orders()
    assert [made[issues[number % 4]["code"], 100 + number, "new"] for number in range(8)] == [
        int(sent) for _, sent in traded
    ]
    journal = await client.journal_orders()
    assert (len(journal), journal.last_sequence) == (8, last)
    assert Counter(each.state for each in journal)["filled"] == sum(sent for _, sent in traded)
    assert not any(each.lost for stream in (events, *streams) for each in stream.inner.interruptions)
    await events.close()
    await listening


async def test_an_order_that_stays_open_is_followed_over_a_restart(client, gateway, exchange, issues):
    await client.login()
    issue = issues[0]
    stream = await client.buy(issue["code"], 3, issue["lower"])
    placed = await stream.accepted()
    rest = asyncio.ensure_future(stream.all())
    gateway.kill()
    await gateway.start()
    assert (await (await client.cancel(placed)).result()).state == "confirmed"
    await rest
    order = await stream.result()
    assert (order.state, order.open) == ("cancelled", 0)
    numbers = [event.sequence for event in order.events]
    assert len(numbers) == len(set(numbers))
    made = exchange.orders()
    assert (made[issue["code"], 3, "new"], made[issue["code"], 3, "cancel"]) == (1, 1)
    assert not any(each.lost for each in stream.inner.interruptions)
    assert len(stream.inner.interruptions) == 1


async def test_a_gateway_with_another_journal_does_not_get_the_order(client, gateway, exchange, issues):
    await client.login()
    issue = issues[0]
    stream = await client.buy(issue["code"], 3, issue["lower"])
    placed = await stream.accepted()
    gateway.kill()
    await gateway.start("another.sqlite")
    with pytest.raises(OrderUnknown, match=r"opt10075.*not sent a second time.*open_orders") as caught:
        await stream.result()
    assert caught.value.order.number == placed.number
    assert exchange.orders()[issue["code"], 3, "new"] == 1
    assert len(await client.journal_orders()) == 0
    assert placed.number in (await client.open_orders())["주문번호"].tolist()


async def test_a_halt_survives(client, gateway, exchange, issues):
    await client.login()
    halted = await client.halt("a test")
    assert (halted.halted, halted.by, halted.reason, halted.cancellations) == (True, "local", "a test", ())
    gateway.kill()
    await gateway.start()
    state = (await client.status()).halt
    assert (state.halted, state.reason, state.since) == (True, "a test", halted.since)
    assert (await client.release()).reason == "a test"
    assert not (await client.status()).halt.halted
    order = await (await client.buy(issues[0]["code"], 1)).result()
    assert order.filled == 1
