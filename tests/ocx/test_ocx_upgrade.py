"""Upgrades of OpenAPI+: programs of its own replace it, which takes that no process has it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from ocx_way import ROOT, Upgradable, chain, load
from ocx_way import running as in_use

from koapy.control.outlook import Closed
from koapy.ocx.boxes import KNOWN, UPGRADE
from koapy.orders.journal import read_orders
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.remote.holding import Rule
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from koapy.ocx import OcxControl

beside = load("ocx_gateway_parts", ROOT / "tests/ocx/test_ocx_gateway.py")
control, parts = beside.control, beside.parts
OLD, NEW, NEWER = "1.0.0.0", "2.0.0.0", "3.0.0.0"


@pytest.fixture
def upgradable() -> Iterator[Upgradable]:
    made = Upgradable()
    with made.alone():
        yield made


class Connections:
    """What OnEventConnect tells."""

    def __init__(self, ocx: OcxControl) -> None:
        self._changed = threading.Condition()
        self.codes: list[int] = []
        ocx.OnEventConnect.connect(self._told)

    def _told(self, code: int) -> None:
        with self._changed:
            self.codes.append(code)
            self._changed.notify_all()

    def wait(self, count: int) -> list[int]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.codes) >= count, 40), self.codes
        return self.codes


def test_a_login_that_leads_to_an_upgrade_is_made_by_the_new_version_unless_somebody_is_in_the_way(
    upgradable: Upgradable,
) -> None:
    simulation = SimulatedControl(seed=1, login_delay=0.0, market_size=60)
    quiet = tuple(each for each in KNOWN if each.action != UPGRADE)
    with (
        chain(parts.Counting(), to_host=upgradable.command, rules=quiet) as other,
        chain(simulation, to_host=upgradable.command) as ocx,
    ):
        upgradable.lay_ready()
        connections = Connections(ocx)
        assert ocx.submit(ocx.CommConnect).result(20) == 0
        assert connections.wait(1) == [-102]
        assert ocx.about["version"] == OLD
        # The one that is in the way has its host still, and it works.
        assert other.submit(other.GetConnectState).result(20) == 0
        other.close()
        assert ocx.submit(ocx.CommConnect).result(40) == 0
        assert connections.wait(2) == [-102, 0]
        assert ocx.about["version"] == NEW
        assert upgradable.programs() == []
    simulation.close()


def test_a_gateway_that_ends_in_the_middle_of_an_upgrade_leaves_it_to_itself(
    upgradable: Upgradable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koapy.ocx.upgrades.WHILE_UPGRADING", (Rule("", "opstarter", "", "report"),))
    with chain(parts.Counting(), to_host=upgradable.command) as ocx:
        upgradable.lay_ready()
        assert ocx.submit(ocx.CommConnect).result(20) == 0
        deadline = time.monotonic() + 20
        while ocx.host_pid is not None or not ocx.outlook.notices:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert ocx.outlook.closed is Closed.UPGRADING
    assert upgradable.programs() == ["opstarter.exe"]
    assert "koapy-ocx-host.exe" not in in_use(**upgradable.windows).values()


async def test_clients_stay_connected_through_an_upgrade_and_no_order_is_sent_twice(
    control: Any, tmp_path: Path, upgradable: Upgradable
) -> None:
    journal = tmp_path / "orders.sqlite"
    # A first upgrade comes before anybody is there: its host never says that its control is.
    upgradable.lay_ready()
    async with beside.gateway(control, journal, fault="upgrade", to_host=upgradable.command) as (running, ocx):
        assert ocx.about["version"] == NEW
        listening = running.stub.Listen(pb.ListenRequest(slots=["OnReceiveChejanData", "OnEventConnect"]))
        real = running.stub.RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10]))
        assert await running.call("SetRealReg", "0001", "000660", "10;15", "0") == 0
        await asyncio.wait_for(real.read(), 20)
        request, key = parts.order(running.account, 10, await parts.low(running)), parts.key("k")
        stream = running.stub.OrderCall(request, metadata=key)
        while (await asyncio.wait_for(stream.read(), 20)).name != "OnReceiveChejanData":
            pass
        upgradable.lay_ready(3)
        await beside.order(ocx, "upgrade")
        words = await beside.health(running, "UPGRADING")
        assert "a new version of OpenAPI+ is being installed" in words
        for _ in range(2):
            with pytest.raises(grpc.aio.AioRpcError, match="a new version of OpenAPI") as refused:
                await running.call("GetMasterCodeName", "005930")
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        # A login waits for the end of it.
        async for answer in running.stub.LoginCall(pb.LoginRequest()):
            assert answer.arguments[0].long_value == 0
        await beside.health(running, "SERVING")
        assert ocx.about["version"] == NEWER
        for ended in (stream, real):
            await beside.cut_off(ended)
        told = []
        while told[-2:] != [("OnEventConnect", -106), ("OnEventConnect", 0)]:
            event = await asyncio.wait_for(listening.read(), 20)
            told.append((event.name, event.arguments[0].long_value))
        # The order is where it was, and asked for again it is the same.
        retry = running.stub.OrderCall(request, metadata=key)
        assert (await asyncio.wait_for(retry.read(), 20)).name == "OnReceiveMsg"
        retry.cancel()
        assert len(control.sent) == 1
        (left,) = in_use(**upgradable.windows)
        assert left == ocx.host_pid
        listening.cancel()
    assert [(each.key, each.state.value) for each in read_orders(journal)] == [("k", "accepted")]


def test_no_upgrade_of_somebody_elses_begins_where_the_operator_says_so(upgradable: Upgradable) -> None:
    quiet = tuple(each for each in KNOWN if each.action != UPGRADE)
    with chain(parts.Counting(), to_host=upgradable.command, rules=quiet) as ocx:
        upgradable.lay_ready()
        host = ocx.host_pid
        assert ocx.submit(ocx.CommConnect).result(20) == 0
        ocx.wait_for_boxes(20)
        assert [box.title for box in ocx.dialogs] == ["opstarter"]
        assert ocx.host_pid == host
        assert ocx.about["version"] == OLD
