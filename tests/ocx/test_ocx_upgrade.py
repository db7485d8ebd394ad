"""Upgrades of OpenAPI+: programs of its own replace it, which takes that nobody has it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from ocx_way import Upgradable, chain

from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import Iterator



@pytest.fixture
def upgradable() -> Upgradable:
    return Upgradable()


def test_first(upgradable: Upgradable, caplog: Any) -> None:
    simulation = SimulatedControl(seed=1, login_delay=0.0, market_size=60)
    with chain(simulation, to_host=upgradable.command) as ocx:
        assert ocx.about["version"] == "1.0.0.0"
        upgradable.lay_ready()
        told = []
        done = threading.Event()
        ocx.OnEventConnect.connect(lambda code: (told.append(code), done.set()))
        t = time.time()
        assert ocx.submit(ocx.CommConnect).result(20) == 0
        ok = done.wait(30)
        print(caplog.text)
        print(time.time() - t, told, ocx.outlook, ocx.about)
        assert ok
        assert ocx.about["version"] == "2.0.0.0"
    simulation.close()
