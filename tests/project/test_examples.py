"""The program of the READMEs and the examples run against `koapy serve`."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIRST = ROOT / "examples" / "first.py"
PROGRAM = re.compile(r"^```python\n(import koapy\n.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a server listens that was started as a user starts one."""
    command = [sys.executable, "-m", "koapy", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stderr is not None
        try:
            yield next(found[1] for line in server.stderr if (found := re.search(r"listening on (\S+)", line)))
        finally:
            server.terminate()
            server.communicate(timeout=30)


def run(*arguments: str) -> list[str]:
    command = [sys.executable, "-X", "utf8", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", timeout=60)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.splitlines()


@pytest.mark.parametrize("readme", ["README.md", "README.ko.md"])
def test_the_first_program_is_the_same_everywhere_and_has_ten_lines(readme: str) -> None:
    (program,) = PROGRAM.findall((ROOT / readme).read_text(encoding="utf-8"))
    assert program == FIRST.read_text(encoding="utf-8")
    assert len(program.splitlines()) == 10


def test_the_first_program_works(address: str) -> None:
    (program,) = PROGRAM.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert program.count("koapy.connect()") == 1
    # The port is the only difference: the usual one may be taken on the machine that tests.
    lines = run("-c", program.replace("koapy.connect()", f"koapy.connect({address!r})"))
    assert lines[0].split() == ["일자", "현재가", "거래량"]
    dates = [line.split()[1] for line in lines[1:6]]
    assert dates == sorted(dates, reverse=True)
    assert lines[6] == "10"
    assert [price.isdecimal() for price in lines[7:]] == [True] * 5


def test_watching_and_ordering_at_once(address: str) -> None:
    lines = run(str(ROOT / "examples" / "watch_three.py"), address)
    assert "filled: 1" in lines
    assert {"Accepted", "Chejan"} <= {line.split()[0] for line in lines}
    assert len([line for line in lines if re.match(r"\d\d:\d\d:\d\d \d{6} \d+$", line)]) == 10


def test_asking_by_grpc_alone(address: str) -> None:
    lines = run(str(ROOT / "examples" / "bare_grpc.py"), address)
    assert lines[0] == "OnEventConnect 0"
    assert "종목명 삼성전자" in lines


def test_trades_column_by_column(address: str) -> None:
    lines = run(str(ROOT / "examples" / "columns.py"), address)
    assert re.match(r"shares: \d{4,}", lines[-1])
    trades = {code: int(won) for code, _, won in map(str.split, lines[2:-1])}
    assert trades
    assert set(trades) <= {"005930", "000660", "035720", "005380", "069500"}
    assert min(trades.values()) > 0


def test_every_example_is_tested() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in FIRST.parent.glob("*.py") if f'"{path.name}"' not in source] == []
