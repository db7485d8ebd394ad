"""`koapy ocx doctor` on a machine with the fake OCX, and on one without any."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocx_way import CONTROL

from koapy.ocx.doctor import examine
from koapy.ocx.process import host_command

if TYPE_CHECKING:
    import pytest


def page(*words: str) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "koapy", "ocx", "doctor", "--json", *words]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=50, check=True)
    return {each["what"]: each for each in json.loads(done.stdout)}


def test_a_machine_with_the_control() -> None:
    found = page("--control", CONTROL)
    assert found["file"]["found"].endswith("koapy-fake.ocx")
    assert found["bits"]["found"] == "32"
    assert (found["folder is writable"]["found"], found["folder is writable"]["advice"]) == ("yes", "")
    assert "Korean" in found["code page"]["advice"]
    assert "AUTO" in found["auto login"]["advice"]
    assert (found["functions and events"]["found"], found["functions and events"]["advice"]) == ("as known", "")


def test_a_machine_without_it_is_told_where_it_is_to_be_had() -> None:
    found = page()
    assert "is not registered for 32-bit programs" in found["control"]["found"]
    assert "kiwoom.com" in found["control"]["advice"]


def test_a_machine_without_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koapy.ocx.control.host_command", lambda: host_command(Path("/no/such/host.exe")))
    (*_, last) = examine()
    assert (last.what, last.found) == ("host", "cannot be started")
