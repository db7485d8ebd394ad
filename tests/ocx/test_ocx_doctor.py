"""`koapy ocx doctor` on machines with the fake OCX, sound and not, and on one without any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocx_way import CONTROL

from koapy.ocx.doctor import examine
from koapy.ocx.process import host_command

if TYPE_CHECKING:
    import pytest


def doctor(*words: str, **environment: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "koapy", "ocx", "doctor", *words]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=50, env=os.environ | environment, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def page(*words: str, **environment: str) -> dict[str, dict[str, Any]]:
    return {each["what"]: each for each in json.loads(doctor("--json", *words, **environment)[1])}


def test_a_machine_with_the_control() -> None:
    # Under Wine the code page is the locale's.
    found = page("--control", CONTROL, LC_ALL="ko_KR.UTF-8")
    asked = ("registered", "can be started", "folder is writable")
    assert [found[each]["found"] for each in asked] == ["yes", "yes", "yes"]
    assert found["file"]["found"].endswith("koapy-fake.ocx")
    assert found["version"]["found"] == "1.0.0.0"
    assert found["bitness"]["found"].startswith("32 bits")
    assert found["functions and events"]["found"] == "as koapy knows them"
    assert found["boxes on the screen"]["found"] == "none"
    assert "AUTO" in found["auto login"]["advice"]
    assert found["code page"]["found"] == "949, Korean"
    assert not any(each["grave"] for each in found.values())


def test_the_page_fits_a_letter_and_ends_with_what_counts() -> None:
    code, text = doctor()
    assert code == 1
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("!!  registered") and line.split()[2] == "no" for line in lines)
    assert "https://www.kiwoom.com/h/customer/download/VOpenApiInfoView" in text
    assert "marked !! keep OpenAPI+ from working here" in lines[-1]


def test_a_control_that_crashes_when_it_is_made_says_so() -> None:
    told = page("--control", CONTROL, KOAPY_FAKE_FAULT="crash before creation")["can be started"]
    assert "exception 0xC0000005 in koapy-fake.ocx" in told["found"]
    assert told["grave"]


def test_a_box_that_is_in_the_way_of_the_control_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koapy.ocx.doctor._Looked.greeting_seconds", 3.0)
    monkeypatch.setenv("KOAPY_FAKE_FAULT", "dialog before creation 안내|계좌 8012345611의 점검이 시작됩니다")
    found = {each.what: each for each in examine(CONTROL)}
    assert found["box on the screen"].found == "'안내' of koapy-ocx-host.exe: 계좌 ********의 점검이 시작됩니다"
    assert found["can be started"].advice == "answer the box below"


def test_a_machine_without_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koapy.ocx.doctor.host_command", lambda: host_command(Path("/no/such/host.exe")))
    (*_, last) = examine()
    assert (last.what, last.grave) == ("host", True)
    assert "tools/build_ocx.py" in last.found
