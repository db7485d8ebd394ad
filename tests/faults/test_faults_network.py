"""A network that goes away in the middle of orders and ticks: nothing twice, nothing missing, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from fault_host import Host
from net_link import Link, Namespaces, Proxy, Unavailable

from koapy.orders.journal import read_events, read_orders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")

CONTROL: dict[str, Any] = {"seed": 3, "answer_delay": 16.0, "login_delay": 0.01, "market_size": 8, "speed": 20.0}
"""An order has its answer 0.8 s after it was sent, so there is time to cut in between."""
SETTINGS = {"keepalive_seconds": 0.5, "keepalive_timeout_seconds": 0.5}
PROGRAM = Path(__file__).with_name("net_client.py")


class FarClient:
    """net_client.py, seen from the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.orders = 0
        self.ticks = 0
        self.end: dict[str, Any] | None = None
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, link: Link, *words: str) -> Self:
        """Start it on its side of the network."""
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                *link.client, sys.executable, str(PROGRAM), *words, stdin=pipe, stdout=pipe, limit=2**24
            )
        )

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            told = json.loads(line)
            self.orders = told.get("order", self.orders)
            self.ticks = told.get("ticks", self.ticks)
            if "sequences" in told:
                self.end = told

    def go_on(self, orders: int = 1) -> None:
        """Let it send so many orders more."""
        assert self._process.stdin
        self._process.stdin.write(b"\n" * orders)

    async def until(self, met: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait for what it tells."""
        async with asyncio.timeout(seconds):
            while not met():
                assert not self._reading.done() or met(), f"the client has ended with {await self._process.wait()}"
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


async def given_back(host: Host, seconds: float = 20.0) -> None:
    """Wait until the server holds nothing for anybody."""
    async with asyncio.timeout(seconds):
        while any((await asyncio.to_thread(host.look))["statistics"].values()):
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def network(kind: Callable[[], Link], journal: Path) -> AsyncIterator[tuple[Link, Host, str]]:
    """A server, and a network to it."""
    try:
        async with kind() as link:
            with Host(
                control=CONTROL,
                settings=SETTINGS,
                journal=journal,
                wrapper=link.server,
                host=link.bind,
                open_to_all=True,
            ) as host:
                yield link, host, await link.join(host)
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(("kind", "client"), [(Namespaces, "library"), (Proxy, "stubs")])
async def test_cuts_in_the_middle_cost_no_order_and_no_event(
    tmp_path: Path, kind: Callable[[], Link], client: str
) -> None:
    journal = tmp_path / "orders.sqlite"
    async with network(kind, journal) as (link, host, address):
        far = await FarClient.start(link, client, address, host.ready["accounts"][0], host.ready["codes"][0], "6")
        try:
            far.go_on()
            await far.until(lambda: far.orders == 1 and far.ticks > 0)
            far.go_on()
            async with asyncio.timeout(20):  # the order has arrived; its answer comes 0.8 s later
                while (await asyncio.to_thread(host.look))["statistics"]["rpcs"] < 3:
                    await asyncio.sleep(0.002)
            await link.cut()
            await given_back(host)
            assert far.orders == 1
            ticks = far.ticks
            await link.mend()
            await far.until(lambda: far.orders == 2 and far.ticks > ticks)
            await link.slow()
            far.go_on(2)
            await far.until(lambda: far.orders == 4)
            await link.mend()
            await link.cut()  # before it is sent
            far.go_on(2)
            await given_back(host)
            await link.mend()
            await far.until(lambda: far.end is not None)
            assert far.end is not None
            assert far.end["sequences"] == list(range(1, far.end["last"] + 1))
            assert (await asyncio.to_thread(host.ask, "orders"))["orders"] == 6
        finally:
            await far.kill()
        await given_back(host)
    events = read_events(journal)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    records = read_orders(journal)
    assert len({record.key for record in records}) == len({record.number for record in records}) == len(records) == 6
    assert {record.state.value for record in records} == {"filled"}


@pytest.mark.parametrize("kind", [Namespaces, Proxy])
async def test_a_client_that_dies_behind_a_cut_leaves_nothing(tmp_path: Path, kind: Callable[[], Link]) -> None:
    """Half-open connections: the server hears neither of the death nor of anything else."""
    async with network(kind, tmp_path / "orders.sqlite") as (link, host, address):
        clients = [
            await FarClient.start(link, "stubs", address, host.ready["accounts"][0], host.ready["codes"][0], "2")
            for _ in range(3)
        ]
        try:
            for far in clients:
                far.go_on()
                await far.until(lambda: far.orders == 1 and far.ticks > 0)  # noqa: B023
            assert (await asyncio.to_thread(host.look))["statistics"]["streams"] == 6
            await link.cut()
        finally:
            for far in clients:
                await far.kill()
        await given_back(host)
