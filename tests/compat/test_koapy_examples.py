"""The example programs 05 to 10 of KOAPY 0.9.0, as its wheel installs them, against servers of ours."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 100
"""Seconds for an example; the slowest has two timers of ten seconds."""

EXAMPLES = {
    "05_koapy_entrypoint.py": [r"\AC:\\OpenAPI\n\Z"],
    "06_main_scenario.py": [
        r"'종목명': '삼성전자'",
        r"\[\d+ rows x \d+ columns\]",  # daily bars
        r"'single_data': \{'names': \[",  # the last event, printed
        r"'name': 'OnReceiveTrCondition'",
        r"'name': 'OnReceiveRealData'",
        r"StatusCode\.CANCELLED",  # the program cancels its own stream after ten seconds
    ],
    "07_transaction_event.py": [r"'현재가': '[+-]?\d+'", r"(?m)^[+-]?\d+$"],
    "08_check_account_status.py": [
        r"전체 계좌 목록: \['\d{10}'",
        r"\| 예수금 +\| ",
        r"종목별계좌평가현황",
        r"\| 총매입금액 +\| ",
        r"계좌평가잔고개별합산",
    ],
    "09_get_historical_data.py": [r"(?s)일자 .*체결시간 .*일자 .*일자 .*체결시간 "],
    "10_condition.py": [
        r"\(\d+, '대형 저평가 우량주'\)",
        r"\(\d+, '중소형 저평가주'\)",
        r"(?m)^\[('\d{6}'(, )?)+\]$",  # codes found
        r"종목코드 +종목명",  # and their quotes
        r"'name': 'OnReceiveTrCondition'",
        r"Stopping to listen events\.\.\.",
        r"StatusCode\.CANCELLED",
    ],
}


@dataclass(frozen=True)
class Run:
    """A running example."""

    process: subprocess.Popen[str]
    folder: Path

    def output(self) -> tuple[str, str]:
        """What it has printed and logged, when it has ended well."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            code = None
        printed, logged = ((self.folder / name).read_text(encoding="utf-8") for name in ("out", "err"))
        assert code == 0, f"exit code {code}\n{printed[-2000:]}\n{logged[-4000:]}"
        return printed, logged


@pytest.fixture(scope="module")
def runs(
    koapy: Any, server: int, second_server: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Run]]:
    """All examples, started at once: they wait most of the time."""
    home = tmp_path_factory.mktemp("examples")
    runs = {}
    for name in EXAMPLES:
        port = second_server if name.startswith("06") else server  # 06 and 10 search the same conditions
        folder = home / name.removesuffix(".py")
        runs[name] = Run(koapy.start(folder, port, koapy.example(name)), folder)
    yield runs
    for run in runs.values():
        run.process.kill()
        run.process.wait()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_what_it_did(runs: dict[str, Run], name: str) -> None:
    printed, _ = runs[name].output()
    missing = [pattern for pattern in EXAMPLES[name] if not re.search(pattern, printed)]
    assert not missing, f"{missing} not in\n{printed}"


def test_the_main_scenario_orders_in_the_exchange_s_hours_only(runs: dict[str, Run]) -> None:
    printed, logged = runs["06_main_scenario.py"].output()
    ordered = "'name': 'OnReceiveChejanData'" in printed
    assert ordered != ("Cannot send an order while market is not open" in logged)
