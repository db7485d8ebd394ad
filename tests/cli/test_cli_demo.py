"""The demo, as a newcomer types it."""

import subprocess
import sys
import time

import pytest

from koapy.cli import demo, main
from koapy.cli.process import ServerProcess


def test_demo_does_the_whole_job_in_under_a_minute() -> None:
    began = time.monotonic()
    command = [sys.executable, "-m", "koapy", "demo"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=90, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 60
    for expected in (
        "삼성전자",
        "모의투자",
        "예수금",
        "상한가",
        "volume",
        "filled: 10 of 10",
        "confirmed",
        "우량주",
        "보유수량",
    ):
        assert expected in done.stdout, expected
    assert "stopped cleanly" in done.stdout


def test_a_demo_that_fails_says_why_and_shows_the_servers_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "CODE", "999999")
    with pytest.raises(SystemExit) as ended:
        main(["demo"])
    err = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert err[0].startswith("server: ")
    assert any("listening on" in line for line in err)
    assert err[-1].startswith("koapy: ")
    assert "999999" in err[-1]


def test_a_demo_that_hangs_is_ended_and_says_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Two seconds do not suffice for ticks that are not there.
    monkeypatch.setattr(demo, "SECONDS", 2.0)
    monkeypatch.setattr(demo, "TICKS", 10**9)
    with pytest.raises(SystemExit) as ended:
        main(["demo"])
    assert ended.value.code == 1
    assert "ticks as they come" in capsys.readouterr().err.splitlines()[-1]


def test_a_server_that_cannot_start_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "ServerProcess", lambda *options: ServerProcess(*options, "--nonsense"))
    with pytest.raises(SystemExit) as ended:
        main(["demo"])
    assert ended.value.code == 1
    assert "--nonsense" in capsys.readouterr().err
