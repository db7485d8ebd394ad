"""The same seed, clock and calls give the same session, event for event."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SESSION = """
import hashlib, json, sys
from datetime import datetime
from functools import partial
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl

def session(seed):
    control = SimulatedControl(seed=seed, clock=ManualClock(datetime(2026, 3, 10, 10, tzinfo=KST)), market_size=20)
    heard = []
    for name in EVENTS:
        getattr(control, name).connect(lambda *arguments, name=name: heard.append((name, *arguments)))
    control.OnReceiveChejanData.connect(
        lambda gubun, count, fids: heard.append([control.GetChejanData(int(fid)) for fid in fids.split(";")])
    )
    call = lambda name, *arguments: control.submit(getattr(control, name), *arguments).result()
    call("CommConnect")
    control.advance(1)
    account = call("GetLoginInfo", "ACCNO").split(";")[0]
    call("SetRealReg", "1000", "005930;000660", "10;27;41", "0")
    call("GetConditionLoad")
    control.advance(1)
    call("SendCondition", "1001", "당일 강세주", 2, 1)
    call("SendOrder", "a", "1002", account, 1, "005930", 500, 0, "03", "")
    control.advance(30)
    call("SendOrder", "b", "1002", account, 2, "005930", 100, 0, "03", "")
    control.advance(30)
    control.close()
    return len(heard), hashlib.sha256(json.dumps(heard, ensure_ascii=False).encode()).hexdigest()

print(json.dumps([session(1), session(1), session(2)]))
"""


@pytest.fixture(scope="module")
def sessions():
    """The sessions of two processes whose hashes of text differ."""
    made = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", SESSION],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
        made.append(json.loads(done.stdout))
    return made


def test_the_same_seed_gives_the_same_session(sessions):
    (first, again, other), second_process = sessions
    assert first[0] > 100
    assert first == again
    assert first != other
    assert second_process == sessions[0]
