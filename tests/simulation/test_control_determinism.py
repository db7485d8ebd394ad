"""The same seed, clock and calls give the same session, byte for byte: in another process, on another Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SESSION = """
import hashlib, json, sys, tempfile
from datetime import datetime
from pathlib import Path
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl

class Session:
    def __init__(self, begin, **settings):
        self.clock = ManualClock(begin)
        self.control = SimulatedControl(clock=self.clock, market_size=20, **settings)
        self.heard = []
        for name in EVENTS:
            getattr(self.control, name).connect(lambda *words, name=name: self.heard.append((name, *words)))
        self.control.OnReceiveChejanData.connect(
            lambda gubun, count, fids: self.heard.append([self.control.GetChejanData(int(f)) for f in fids.split(";")])
        )
        self.control.OnReceiveTrData.connect(
            lambda screen, name, tr, *_: self.heard.append(self.control.GetCommDataEx(tr, ""))
        )
        self.call("CommConnect")
        self.control.advance(1)
        self.account = self.call("GetLoginInfo", "ACCNO").split(";")[0]

    def call(self, name, *words):
        return self.control.submit(getattr(self.control, name), *words).result()

    def order(self, kind, quantity, price, quote):
        self.call("SendOrder", "a", "1002", self.account, kind, "005930", quantity, price, quote, "")
        self.control.advance(0.3)

    def ask(self, tr, **inputs):
        for name, value in inputs.items():
            self.call("SetInputValue", name, value)
        self.call("CommRqData", "q", tr, 0, "1003")
        self.control.advance(0.3)

    def hash(self):
        self.control.close()
        return len(self.heard), hashlib.sha256(json.dumps(self.heard, ensure_ascii=False).encode()).hexdigest()

def morning(seed):
    s = Session(datetime(2026, 3, 10, 10, tzinfo=KST), seed=seed)
    s.call("SetRealReg", "1000", "005930;000660", "10;27;41", "0")
    s.call("GetConditionLoad")
    s.control.advance(1)
    s.call("SendCondition", "1001", "당일 강세주", 2, 1)
    s.order(1, 500, 0, "03")
    s.control.advance(20)
    s.order(2, 100, 0, "03")
    for tr in ("opt10001", "opt10079", "opt10080", "opt10081"):
        s.ask(tr, 종목코드="005930")
    s.ask("opt20006", 업종코드="001")
    s.ask("opw00018", 계좌번호=s.account, 조회구분="2")
    return s.hash()

def day(seed):
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "market.db"
        begin = datetime(2026, 3, 10, 8, 58, tzinfo=KST)
        s = Session(begin, seed=seed, hours="krx", server="real", state=state)
        s.call("SetRealReg", "1000", "005930;000660;069500", "10;27;41", "0")
        s.call("SetRealReg", "1001", "", "215", "0")
        s.order(1, 10, 0, "03")
        s.control.advance(130)
        s.order(1, 10, 0, "13")
        s.order(2, 5, 0, "06")
        s.control.advance(20)
        first = s.hash()
        later = Session(s.clock.now(), seed=seed, hours="krx", server="real", state=state)
        later.call("SetRealReg", "1000", "005930", "10;27;41", "0")
        later.control.advance(10)
        return first + later.hash()

print(json.dumps([morning(1), day(1), *([morning(1), morning(2)] if sys.argv[1:] else [])]))
"""


def run(python: str, hashes: str, *words: str) -> list[list[object]]:
    environment = {
        "PYTHONHASHSEED": hashes,
        "PATH": "",
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if sys.platform == "win32":
        environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    done = subprocess.run(
        [python, "-X", "utf8", "-c", SESSION, *words],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: list[list[object]] = json.loads(done.stdout)
    return made


@cache
def here() -> list[list[object]]:
    return run(sys.executable, "1", "and others")


def other_python(version: str) -> str | None:
    """An interpreter of this version that is installed, if it is not the one that runs."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return None
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [shutil.which(f"python{version}"), *map(str, sorted(home.glob(f"{version}.*/bin/python")))]
    asked = [sys.executable, "-c", "import sys; sys.exit('%d.%d' % sys.version_info[:2] != sys.argv[1])", version]
    for program in filter(None, found):
        if subprocess.run([program, *asked[1:]], capture_output=True, check=False).returncode == 0:
            return program
    return None


def test_the_same_seed_gives_the_same_session():
    first, day, again, other = here()
    assert first[0] > 100
    assert day[0] > 100
    assert first == again
    assert first != other


def test_it_does_so_where_texts_have_other_hashes():
    assert run(sys.executable, "2") == here()[:2]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_it_does_so_on_another_python(version):
    python = other_python(version)
    if python is None:
        pytest.skip(f"no other Python {version} is installed")
    assert run(python, "3") == here()[:2]
