"""OcxControl on a Windows Python of 64 bits, under Wine; KOAPY_WINDOWS_PYTHON says where its python.exe is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ocx_way import CONTROL, ROOT

from koapy.remote.host import Host
from koapy.simulation.control import SimulatedControl

PYTHON = os.environ.get("KOAPY_WINDOWS_PYTHON")


@pytest.mark.skipif(not PYTHON, reason="KOAPY_WINDOWS_PYTHON names no python.exe of a 64-bit Windows Python")
def test_the_same_program_works_there() -> None:
    assert PYTHON
    program = Path(__file__).with_name("windows_program.py")
    simulation = SimulatedControl(seed=1, login_delay=0.0, market_size=60)
    with Host(simulation) as host:
        words = ["wine", PYTHON, "-X", "utf8", f"Z:{program}", f"Z:{ROOT / 'src'}", CONTROL]
        environment = os.environ | {"KOAPY_FAKE_OCX": host.address}
        done = subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=100
        )
    simulation.close()
    platform, wide, answered, first, last, ending = done.stdout.splitlines() or [done.stderr] * 6
    assert (platform, wide, answered) == ("win32", "True", "[0, '삼성전자']")
    assert (first, last) == ("10=500", "10=1")
    assert "crashed: exception 0xC0000005 in koapy-fake.ocx" in ending
    assert "'-106', '0'" in ending
