"""The benchmarks run; how fast anything is, no test says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60
    )


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the benchmarks look into /proc")
def test_the_smallest_case_measures_gateway_and_ceiling(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench("bidirectional", "--quick", "--seconds", "0.1", "--subjects", "koapy,bare", "--json", str(file))
    assert done.returncode == 0, done.stderr
    assert "| BidirectionalListen, round trips | " in done.stdout
    medians = json.loads(file.read_text(encoding="utf-8"))["medians"]["bidirectional"]
    assert set(medians) == {"koapy", "bare"}
    assert all(figures["rate"] > 0 for figures in medians.values())


def test_an_unknown_case_is_refused_by_name() -> None:
    done = bench("fanout")
    assert done.returncode == 2
    assert "no case 'fanout'; there are call, listen" in done.stderr
