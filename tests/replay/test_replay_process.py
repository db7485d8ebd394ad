"""`koapy serve --record`, killed while it records, and `koapy serve --control replay`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest

from koapy.cli.process import ServerProcess
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

TICKS = 30


def ticks(address: str, count: int) -> list[tuple[Any, ...]]:
    """Log in and listen to two codes."""
    with grpc.insecure_channel(address) as channel:
        stub = KiwoomOpenApiPlusServiceStub(channel)
        list(stub.LoginCall(pb.LoginRequest(), timeout=30))
        flags = pb.RealRequestFlags(infer_fids=True)
        real = stub.RealCall(pb.RealRequest(code_list=["005930", "000660"], flags=flags), timeout=60)
        told = [tuple(next(real).single_data.values) for _ in range(count)]
        real.cancel()
    return told


def test_a_session_that_was_killed_is_played_again(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    command = [sys.executable, "-m", "koapy", "serve", "--port", "0", "--seed", "5", "--record", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as recording:
        assert recording.stderr
        said = next(line for line in recording.stderr if line.startswith("koapy: listening"))
        recorded = ticks(said.split()[3], TICKS)
        recording.kill()
    with ServerProcess("--control", "replay", "--from", str(file), "--speed", "0") as replay:
        assert ticks(replay.address, TICKS) == recorded


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--control", "replay"), "--from FILE"),
        (("--control", "replay", "--from", "nowhere.jsonl"), "nowhere.jsonl: cannot be read"),
        (("--record", "nowhere/session.jsonl"), f"{Path('nowhere/session.jsonl')}: cannot be recorded to"),
    ],
)
def test_what_cannot_be_played_or_recorded_is_one_line(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-m", "koapy", "serve", "--port", "0", *options]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
