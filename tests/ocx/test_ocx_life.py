"""Whatever happens to OpenAPI+, its host or the server: no order is sent twice, none is forgotten, no stream is left
thinking that it has seen everything, and no process is left over. The journal judges.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from ocx_way import CONTROL, ROOT, Clock, load, press, running

from koapy.cli.app import CommandError
from koapy.cli.controls import control_of
from koapy.client import Client
from koapy.openapi.calendar import KST
from koapy.orders.journal import read_orders
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2 as v1
from koapy.remote.host import Host
from koapy.server.config import load as configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

beside = load("ocx_gateway_parts", ROOT / "tests/ocx/test_ocx_gateway.py")
control, parts, CODE = beside.control, beside.parts, beside.CODE
OTHER, UNASKED = "000660", "035720"


class Happening:
    """A gateway at noon, and how to do something to it."""

    def __init__(self, gateway: Any, ocx: Any, control: Any, clock: Clock) -> None:
        self.gateway = gateway
        self.ocx = ocx
        self.control = control
        self.clock = clock

    async def crash_in_a_call(self) -> None:
        await beside.order(self.ocx, "crash before GetMasterCodeName")
        with pytest.raises(grpc.aio.AioRpcError, match="the control's process crashed") as lost:
            await self.gateway.call("GetMasterCodeName", UNASKED)
        assert lost.value.code() is grpc.StatusCode.UNAVAILABLE

    async def crash_in_a_tick(self) -> None:
        await beside.order(self.ocx, "crash before OnReceiveRealData")

    async def crash_while_a_client_is_inside_an_event(self) -> None:
        held = self.gateway.stub.BidirectionalListen()
        slots = pb.ListenRequest(slots=["OnReceiveTrData"])
        await held.write(pb.BidirectionalListenRequest(listen_request=slots))
        async with asyncio.timeout(20):
            while not self.gateway.server.statistics()["gates"]:
                await asyncio.sleep(0.01)
        await beside.order(self.ocx, "crash before GetMasterCodeName")
        await self.gateway.stub.Call(beside.beside.request("SetInputValue", "종목코드", CODE))
        assert await self.gateway.call("CommRqData", "r", "opt10001", 0, "0777") == 0
        assert (await asyncio.wait_for(held.read(), 20)).name == "OnReceiveTrData"
        with pytest.raises(grpc.aio.AioRpcError, match="crashed"):
            await self.gateway.call("GetMasterCodeName", CODE)
        await held.write(pb.BidirectionalListenRequest(stop_listen_request=pb.StopListenRequest()))

    async def kill(self) -> None:
        os.kill(self.ocx.host_pid, signal.SIGKILL)
        words = await beside.health(self.gateway, "CONNECTION_LOST")
        assert "OP_ERR_SOCKET_CLOSED" in words
        assert "the login is made again at 12:0" in words

    async def night(self) -> None:
        self.clock.set(datetime(2026, 11, 24, 5, 9, 54, tzinfo=KST))
        self.control.inner.lose_connection()
        assert "away for maintenance until 05:10" in await beside.health(self.gateway, "MAINTENANCE")
        for name, *args in (("GetMasterCodeName", CODE), ("SetRealReg", "0009", CODE, "10", "0")):
            with pytest.raises(grpc.aio.AioRpcError, match="until 05:10") as refused:
                await self.gateway.call(name, *args)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "happens",
    [
        Happening.crash_in_a_call,
        Happening.crash_in_a_tick,
        Happening.crash_while_a_client_is_inside_an_event,
        Happening.kill,
        Happening.night,
    ],
    ids=lambda each: each.__name__,
)
async def test_an_open_order_and_the_streams_outlive_it(
    control: Any, tmp_path: Path, happens: Callable[[Happening], Any]
) -> None:
    journal, clock = tmp_path / "orders.sqlite", Clock()
    async with beside.gateway(control, journal, now=clock) as (gateway, ocx):
        ticks = gateway.stub.Listen(pb.ListenRequest(slots=["OnReceiveRealData"]))
        assert await gateway.call("SetRealReg", "0001", OTHER, "10;15", "0") == 0
        await asyncio.wait_for(ticks.read(), 20)
        request, key = parts.order(gateway.account, 10, await parts.low(gateway)), parts.key("k")
        order = gateway.stub.OrderCall(request, metadata=key)
        while (await asyncio.wait_for(order.read(), 20)).name != "OnReceiveChejanData":
            pass
        orders = gateway.stub.OrderListen(pb.ListenRequest())
        await orders.initial_metadata()
        host = ocx.host_pid
        await happens(Happening(gateway, ocx, control, clock))
        for ended in (order, orders):
            await beside.cut_off(ended)
        await beside.replaced(gateway, ocx, host)
        # The ticks go on, and the first behind the gap says that there was one.
        async with asyncio.timeout(20):
            while not (event := await ticks.read()).gaps:
                assert event.name == "OnReceiveRealData"
        assert len(event.gaps) == 1
        # Asked for again it is the same order, and it still stands.
        again = gateway.stub.OrderCall(request, metadata=key)
        assert (await asyncio.wait_for(again.read(), 20)).name == "OnReceiveMsg"
        await beside.found(gateway, "accepted")
        assert len(control.sent) == 1
        (left,) = running(KOAPY_FAKE_OCX=beside.address_of(ocx))
        assert left == ocx.host_pid
        for stream in (again, ticks):
            stream.cancel()
    assert running(KOAPY_FAKE_OCX=beside.address_of(ocx)) == {}
    assert [(each.key, each.state.value) for each in read_orders(journal)] == [("k", "accepted")]


async def test_an_order_that_hangs_in_the_control_is_given_up_and_looked_for(control: Any, tmp_path: Path) -> None:
    journal = tmp_path / "orders.sqlite"
    settings = replace(beside.SETTINGS, answer_seconds=30.0)
    async with beside.gateway(control, journal, settings=settings, hang_seconds=2.5) as (gateway, ocx):
        host = ocx.host_pid
        await beside.order(ocx, "hang after SendOrder")
        request, key = parts.order(gateway.account, 10), parts.key("k")
        _, status, _ = await parts.ended(gateway.stub.OrderCall(request, metadata=key))
        assert status is grpc.StatusCode.UNAVAILABLE
        await beside.replaced(gateway, ocx, host)
        await beside.found(gateway, "filled")
        await parts.ended(gateway.stub.OrderCall(request, metadata=key))
        assert len(control.sent) == 1


async def test_an_order_waits_for_the_one_who_answers_its_box(control: Any, tmp_path: Path) -> None:
    """As the box by which OpenAPI+ asks whether a warned stock is really to be bought."""
    journal = tmp_path / "orders.sqlite"
    async with beside.gateway(control, journal, settings=beside.PATIENT) as (gateway, ocx):
        await beside.order(ocx, "dialog before SendOrder 투자유의|정말 주문하시겠습니까?")
        request, key = parts.order(gateway.account, 10), parts.key("k")
        stream = gateway.stub.OrderCall(request, metadata=key)
        words = await beside.health(gateway, "CONTROL_FROZEN")
        assert "in SendOrder" in words
        assert "the box '투자유의' of koapy-ocx-host.exe is on the screen: 정말 주문하시겠습니까?" in words
        notices = (await gateway.v1.Status(v1.StatusRequest())).notices
        assert len(notices) == 1
        assert control.sent == []
        await asyncio.to_thread(press, "투자유의")
        await beside.health(gateway, "SERVING")
        await parts.ended(stream)
        await beside.found(gateway, "filled")
        assert len(control.sent) == 1


async def test_the_account_window_is_told_and_nothing_is_typed_into_it(control: Any, tmp_path: Path) -> None:
    async with beside.gateway(control, tmp_path / "orders.sqlite") as (gateway, ocx):
        await beside.order(ocx, "dialog before GetMasterCodeName 계좌비밀번호 입력 (버전: 3.9)|비밀번호를 등록하세요")
        call = asyncio.create_task(gateway.call("GetMasterCodeName", CODE))
        async with asyncio.timeout(20):
            while not (status := await gateway.v1.Status(v1.StatusRequest())).notices:
                await asyncio.sleep(0.01)
        (notice,) = status.notices
        assert notice == (
            "the account password window '계좌비밀번호 입력 (버전: 3.9)' is open and waits for somebody; "
            "koapy types nothing into it"
        )
        assert notice in status.text
        assert not call.done()
        await asyncio.to_thread(press, "계좌비밀번호")
        assert await call == "삼성전자"


class Served:
    """`koapy serve` in a process of its own, over a host whose control asks this address."""

    def __init__(self, folder: Path, address: str) -> None:
        config = folder / "koapy.toml"
        config.write_text(
            f"""
            [server]
            port = 0
            control = "ocx"
            journal = "orders.sqlite"
            [ocx]
            control = "{CONTROL}"
            nights = []
            boxes = "boxes.toml"
            """,
            encoding="utf-8",
        )
        (folder / "boxes.toml").write_text('[[box]]\ntitle = "안내"\naction = "press"\n', encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "koapy", "serve", "--config", str(config)],
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"KOAPY_FAKE_OCX": address},
        )
        assert self._process.stderr
        said = next(line for line in self._process.stderr if line.startswith("koapy: "))
        self.address = said.split()[3]
        threading.Thread(target=self._process.stderr.read, daemon=True).start()

    def end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        return self._process.wait(30)


@contextmanager
def served(folder: Path, address: str) -> Iterator[Served]:
    server = Served(folder, address)
    try:
        yield server
    finally:
        server.end(signal.SIGKILL)


def nobody_is_left(address: str) -> None:
    deadline = time.monotonic() + 20
    while left := running(KOAPY_FAKE_OCX=address):
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["server killed", "both killed"])
def test_an_order_in_which_the_server_dies_is_looked_for_by_the_next_one(
    control: Any, tmp_path: Path, how: str
) -> None:
    with Host(control) as host:
        with served(tmp_path, host.address) as first, Client(first.address, reconnect=0) as client:
            client.login()
            client.call("KOA_Functions", "Fake", "hang after SendOrder")
            stream = client.buy(CODE, 10)
            deadline = time.monotonic() + 20
            while not control.sent:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            if how == "both killed":
                (pid,) = running(KOAPY_FAKE_OCX=host.address)
                os.kill(pid, signal.SIGKILL)
            first.end(signal.SIGKILL)
            stream.close()
        nobody_is_left(host.address)
        with served(tmp_path, host.address) as second, Client(second.address) as client:
            client.login()
            deadline = time.monotonic() + 20
            while [each.state for each in client.journal_orders()] != ["filled"]:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            # A box that the operator's own rule knows is in nobody's way.
            client.call("KOA_Functions", "Fake", "dialog before GetMasterCodeName 안내|점검이 시작됩니다")
            assert client.call("GetMasterCodeName", UNASKED)
            assert second.end(signal.SIGINT) == 0
        nobody_is_left(host.address)
    assert len(control.sent) == 1
    assert [each.state.value for each in read_orders(tmp_path / "orders.sqlite")] == ["filled"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('boxes = "none.toml"', "none.toml: cannot be read"),
        ('maintenance = ["sunday"]', "'sunday' is no time of the servers' maintenance"),
    ],
)
def test_what_the_operator_got_wrong_is_said_at_the_start(tmp_path: Path, config: str, words: str) -> None:
    file = tmp_path / "koapy.toml"
    file.write_text(f'[server]\nport = 0\ncontrol = "ocx"\n[ocx]\n{config}\n', encoding="utf-8")
    with pytest.raises(CommandError, match=words), control_of(configuration(file)):
        pass
