"""A wall clock that is set: back an hour, forward a day, over midnight, between orders and while they are under way.

The server runs in a process of its own whose wall clock is a small library's, loaded in front of libc; its monotonic
clock is the machine's, as it is when somebody sets a real clock.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from fault_client import client_of, end_of, reason, values
from fault_host import Host

from koapy.openapi.calendar import KST
from koapy.orders.journal import read_events, read_orders
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2
from koapy.server.access import Role
from koapy.server.security import tokens

if TYPE_CHECKING:
    from fault_client import Client

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD and the clocks of Linux")

CONTROL: dict[str, Any] = {"seed": 3, "answer_delay": 0.01, "login_delay": 0.01, "market_size": 8}
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=KST)
SOURCE = Path(__file__).with_name("clock_shim.c")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("there is no C compiler to make the stepped clock with")
    library = tmp_path_factory.mktemp("shim") / "clock.so"
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"the stepped clock does not compile here: {done.stderr}")
    return library


class Clock:
    """The wall clock of a server."""

    def __init__(self, shim: Path, folder: Path) -> None:
        self._file = folder / "clock"
        self._file.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": str(shim), "FAULT_CLOCK": str(self._file)}
        self._offset = 0

    def set(self, to: datetime) -> None:
        """It is now `to`."""
        self._write(int((to.timestamp() - time.time()) * 1e9))

    def step(self, seconds: float) -> None:
        """Set it forward, or back."""
        self._write(self._offset + int(seconds * 1e9))

    def _write(self, offset: int) -> None:
        self._offset = offset
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", offset))

    @property
    def now(self) -> datetime:
        """What it shows."""
        return datetime.fromtimestamp(time.time() + self._offset / 1e9, KST)


@pytest.fixture
def clock(shim: Path, tmp_path: Path) -> Clock:
    clock = Clock(shim, tmp_path)
    clock.set(NOON)
    return clock


async def buy(client: Client) -> list[int]:
    """An order that fills, and the numbers of its events."""
    told: list[Any] = []
    assert await end_of(client.order(os.urandom(8).hex()), told) is None
    return [message.sequence for message in told]


async def days(client: Client, *wanted: str) -> list[int]:
    """How many orders the journal has of each day."""
    return [len((await client.gateway.Orders(gateway_pb2.OrdersRequest(day=day))).orders) for day in wanted]


async def test_numbers_go_on_and_days_are_those_of_the_clock(clock: Clock, tmp_path: Path) -> None:
    journal = tmp_path / "orders.sqlite"
    with Host(control=CONTROL, journal=journal, environment=clock.environment) as host:
        async with client_of(host) as client:
            numbers = await buy(client)
            listener = client.listen(1)
            heard: list[Any] = []
            listening = asyncio.create_task(end_of(listener, heard))
            for step in (-3600, 90_000, -90_000, 86_400 * 400, -86_400 * 400):
                clock.step(step)
                numbers += await buy(client)
            assert numbers == sorted(set(numbers)), "numbers are of the journal, not of the clock"
            # 12:00, 11:00, 12:00 tomorrow, 11:00, next year, 11:00
            assert await days(client, "20260304", "20260305", "20270408", "") == [4, 1, 1, 4]
            last = (await client.gateway.Status(gateway_pb2.StatusRequest())).last_sequence
            async with asyncio.timeout(20):
                while len(heard) < last:
                    await asyncio.sleep(0.01)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            assert [each.sequence for each in heard] == list(range(1, last + 1))
    clock.step(-7200)  # and a start at a time when nothing of this had happened yet
    with Host(control=CONTROL, journal=journal, environment=clock.environment) as host:
        async with client_of(host) as client:
            assert min(await buy(client)) > last
            assert await days(client, "20260304") == [5]
    assert [event.sequence for event in read_events(journal)] == list(range(1, len(read_events(journal)) + 1))
    ids = [record.id for day in ("20260304", "20260305", "20270408") for record in read_orders(journal, day)]
    assert sorted(ids) == list(range(1, 8))


async def test_an_order_under_way_over_midnight_is_told_to_its_end(clock: Clock, tmp_path: Path) -> None:
    """The midnight of the wall clock; the market's own is another matter."""
    clock.set(NOON.replace(hour=23, minute=59, second=50))
    journal = tmp_path / "orders.sqlite"
    with Host(control=CONTROL, journal=journal, environment=clock.environment) as host:
        async with client_of(host) as client:
            opened: list[Any] = []
            opening = asyncio.create_task(end_of(client.order("over midnight", "00", host.ready["low"]), opened))
            async with asyncio.timeout(20):
                while len(opened) < 3:
                    await asyncio.sleep(0.01)
            assert (clock.now.day, await days(client, "")) == (4, [1])
            clock.step(20)
            assert (clock.now.day, await days(client, "", "20260304")) == (5, [0, 1])
            yesterday = gateway_pb2.OrdersRequest(day="20260304", unsettled=True)
            assert len((await client.gateway.Orders(yesterday)).orders) == 1, "still open is still open"
            cancel = pb.OrderRequest(
                request_name="취소",
                account_no=host.ready["accounts"][0],
                order_type=3,
                code=host.ready["codes"][0],
                quantity=1,
                quote_type="00",
                original_order_no=values(opened[-1])["주문번호"],
            )
            assert await end_of(client.stub.OrderCall(cancel, timeout=30), []) is None
            assert await asyncio.wait_for(opening, 20) is None
            assert await days(client, "20260304", "20260305") == [1, 1]
            joined: list[Any] = []
            assert await end_of(client.order("over midnight", "00", host.ready["low"]), joined) is None
            assert [each.sequence for each in joined] == [each.sequence for each in opened], (
                "the same order, not another"
            )
            assert await client.sent() == 2


async def test_limits_in_seconds_know_no_wall_clock(clock: Clock) -> None:
    settings = {"order_windows": [[2, 0.5]]}
    with Host(control=CONTROL, settings=settings, environment=clock.environment) as host:
        async with client_of(host) as client:
            await buy(client)
            for step in (-3600, 86_400):
                clock.step(step)
                begun = time.monotonic()
                for _ in range(4):
                    await asyncio.wait_for(buy(client), 20)
                # Four orders at two in half a second take half a second at least: none is given, none is taken away.
                assert time.monotonic() - begun > 0.45


async def test_orders_a_day_are_counted_by_the_date_in_korea(clock: Clock, tmp_path: Path) -> None:
    risk = {"everybody": {"orders_per_day": 2}}
    clock.set(NOON.replace(hour=23, minute=50))
    how: dict[str, Any] = {"control": CONTROL, "settings": {"risk": risk}, "environment": clock.environment}
    with Host(**how, journal=tmp_path / "orders.sqlite") as host:
        async with client_of(host) as client:
            await buy(client)
            await buy(client)

            async def refused() -> None:
                failure = await end_of(client.order(os.urandom(8).hex()), [])
                assert failure is not None
                assert failure.code() is grpc.StatusCode.FAILED_PRECONDITION, failure
                assert reason(failure) == "RISK_ORDERS_PER_DAY"

            await refused()
            clock.step(-3600)
            await refused()
            clock.step(3600 + 1200)
            await buy(client)
            clock.step(-1200)  # back over midnight: yesterday's count is as it was
            await refused()
            clock.step(1200)
            await buy(client)
            await refused()
    with Host(**how, journal=tmp_path / "orders.sqlite") as host:  # over a restart
        async with client_of(host) as client:
            failure = await end_of(client.order("k"), [])
            assert failure is not None
            assert reason(failure) == "RISK_ORDERS_PER_DAY"


async def test_a_token_is_over_when_the_clock_says_so(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    token = tokens.create(file, "bot", [Role.MARKET_DATA], days=1, now=NOON)
    with Host(control=CONTROL, environment=clock.environment, tokens=file) as host:
        async with client_of(host) as client:

            async def asked() -> grpc.StatusCode:
                call = client.stub.Call(
                    pb.CallRequest(name="GetConnectState"), metadata=(("authorization", f"Bearer {token}"),)
                )
                return await call.code()

            assert await asked() is grpc.StatusCode.OK
            clock.step(86_400 + 60)
            assert await asked() is grpc.StatusCode.UNAUTHENTICATED
            clock.step(-3600)
            assert await asked() is grpc.StatusCode.OK
            clock.step(-86_400)
            assert await asked() is grpc.StatusCode.OK
    assert NOON + timedelta(days=1) > clock.now
