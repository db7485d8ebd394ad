"""`koapy serve` and the commands that ask it, as processes of their own."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from koapy.cli import main
from koapy.cli.app import CommandError
from koapy.cli.process import ServerProcess

Run = Callable[..., subprocess.CompletedProcess[str]]
BAR = ("시가", "고가", "저가", "현재가", "거래량")


def koapy(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "koapy", *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", **settings}
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=60, check=False)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--seed", "3") as process:
        yield process


def test_log_lines_are_written_into_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "기록" / "koapy.log"
    with ServerProcess("--log", str(file)) as process:
        pass
    said, written = "\n".join(process.log), file.read_text(encoding="utf-8")
    assert "the gateway is shutting down" in said
    assert "the gateway is shutting down" in written
    koapy("serve", "--port", "0", "--journal", str(tmp_path), "--log", str(file))
    assert f"the journal {tmp_path} cannot be opened" in file.read_text(encoding="utf-8")
    done = koapy("serve", "--port", "0", "--log", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"koapy: the log {tmp_path} cannot be written: ")


@pytest.fixture
def run(server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in this process, which spares each the start of an interpreter."""
    monkeypatch.setenv("KOAPY_ADDRESS", server.address)

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), out, err)

    return command


def answer(run: Run, *arguments: str) -> object:
    done = run(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def lines(run: Run, *arguments: str) -> list[dict[str, object]]:
    done = run(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("interruption", ["SIGINT", "SIGTERM"])
def test_serve_says_where_it_listens_and_stops_cleanly(interruption: str) -> None:
    command = [sys.executable, "-m", "koapy", "serve", "--port", "0", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr
        said = next(line for line in process.stderr if line.startswith("koapy: "))
        match = re.fullmatch(r"koapy: listening on 127\.0\.0\.1:(\d+) \(simulation, seed 7\)\n", said)
        assert match
        socket.create_connection(("127.0.0.1", int(match[1])), 5).close()
        process.send_signal(getattr(signal, interruption))
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err


def test_a_port_in_use_is_one_line_and_exit_code_1(server: ServerProcess, tmp_path: Path) -> None:
    port = server.address.rpartition(":")[2]
    # A server on a port of its own keeps a journal, which is not to be left in the state folder of whoever tests.
    done = koapy("serve", "--port", port, "--journal", str(tmp_path / "orders.sqlite"))
    assert (done.returncode, done.stdout) == (1, "")
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("koapy: ")]
    assert "taken" in told
    assert "--port 0" in told
    assert "Traceback" not in done.stderr


def test_a_folder_without_history_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = koapy("serve", "--port", "0", "--history", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "005930.csv" in done.stderr


def test_a_plan_of_failures_that_cannot_be_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    plan = tmp_path / "faults.toml"
    plan.write_text("[[fault]]\nkind = 'dropt'", encoding="utf-8")
    done = koapy("serve", "--port", "0", "--faults", str(plan))
    assert done.returncode == 1
    assert "fault 1: kind = 'dropt'" in done.stderr


def test_a_plan_of_failures_befalls_the_clients(tmp_path: Path) -> None:
    plan = tmp_path / "faults.toml"
    plan.write_text("[[fault]]\nkind = 'code'\non = 'query'\ncode = -203", encoding="utf-8")
    with ServerProcess("--faults", str(plan)) as process:
        done = koapy("tr", "opt10001", "종목코드=005930", "--address", process.address)
    assert done.returncode == 1
    assert "-203" in done.stderr


def test_history_is_what_opt10081_answers(tmp_path: Path) -> None:
    rows = [["20240102", 100, 120, 90, 110, 5000], ["20240103", 110, 115, 105, 105, 4000]]
    with (tmp_path / "900001.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["date", "open", "high", "low", "close", "volume"], *rows])
    with ServerProcess("--history", str(tmp_path)) as process:
        query = koapy("tr", "opt10081", "종목코드=900001", "--json", "--address", process.address)
    bars = {bar["일자"]: bar for bar in json.loads(query.stdout)["multi"]}
    assert [bars["20240102"][name] for name in BAR] == ["100", "120", "90", "110", "5000"]
    assert min(bars) == "20240102"
    assert max(bars) <= "20240104"


def test_a_state_file_carries_orders_over_the_end_of_the_gateway(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "market.db"), "--issues", "5")
    upper = "종목코드=005930"
    with ServerProcess(*state) as process:
        asked = koapy("tr", "opt10001", upper, "--json", "--address", process.address)
        price = json.loads(asked.stdout)["single"]["상한가"].lstrip("+-")
        sell = ("order", "sell", "005930", "3", "--price", price, "--no-wait")
        placed = koapy(*sell, "--address", process.address)
        assert placed.returncode == 0, placed.stderr
    with ServerProcess(*state) as process:
        query = ("tr", "opt10075", "계좌번호=8000000011", "전체종목구분=0", "매매구분=0", "체결구분=1")
        listed = json.loads(koapy(*query, "--json", "--address", process.address).stdout)["multi"]
    assert [(row["종목코드"], row["미체결수량"], row["주문가격"]) for row in listed] == [("005930", "3", price)]
    done = koapy("serve", "--port", "0", "--seed", "2", *state)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "seed 1, not 2" in done.stderr


def test_a_margin_account_may_order_for_more_than_it_has() -> None:
    asked = ("tr", "opw00011", "계좌번호=8000000011", "종목번호=005930", "--json")
    with ServerProcess("--issues", "5", "--margin") as process:
        told = json.loads(koapy(*asked, "--address", process.address).stdout)["single"]
        assert (told["종목증거금율"], told["적용증거금율"]) == ("20%", "20%")
        shares = 2 * int(told["증거금100주문가능수량"])  # twice what the cash is worth
        bought = koapy("order", "buy", "005930", str(shares), "--address", process.address)
    assert bought.returncode == 0, bought.stderr


def test_a_server_that_does_not_start_tells_why() -> None:
    process = ServerProcess("--limits", "many")
    with pytest.raises(CommandError, match="exit code 1"), process:
        pass
    assert "5/1,100/60" in process.log[-1]


def test_nobody_there_is_one_line_that_says_how_to_start_a_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = koapy("login", "--address", f"127.0.0.1:{free.getsockname()[1]}")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "koapy serve" in done.stderr


def test_login_and_account(run: Run) -> None:
    facts = answer(run, "login")
    assert isinstance(facts, dict)
    assert facts["server"] == "mock"
    assert all(re.fullmatch(r"\d{10}", number) for number in facts["accounts"])
    account = answer(run, "account")
    assert isinstance(account, dict)
    assert int(account["deposit"]["예수금"]) > 0
    assert "예수금" in run("account", facts["accounts"][0]).stdout


def test_call_returns_what_the_function_returned(run: Run) -> None:
    answer(run, "login")
    assert answer(run, "call", "GetMasterCodeName", "005930") == "삼성전자"
    assert run("call", "GetMasterCodeName", "005930").stdout == "삼성전자\n"
    assert answer(run, "call", "GetConnectState") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["call", "GetMasterCodeNam", "005930"], "GetMasterCodeName"),
        (["call", "GetMasterCodeName"], "GetMasterCodeName(sTrCode: str)"),
        (["call", "GetBranchCodeName", "1"], "takes 0 arguments"),
        (["call", "GetThemeGroupList", "x"], "'x' is no int for nType"),
        (["tr", "opt10081", "종목코드"], "NAME=VALUE"),
        (["tr", "opt10081", "코드=005930"], "종목코드"),
        (["tr", "opt10081", "종목코드=999999"], "999999"),
        (["condition", "없는 조건"], "대형 저평가 우량주"),
        (["order", "cancel", "9999999"], "9999999"),
        (["order", "buy", "005930", "0"], "quantity"),
        (["watch", "999999"], "999999"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(run: Run, arguments: list[str], expected: str) -> None:
    run("login")
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert expected in done.stderr


def test_tr_prints_a_table_of_what_the_server_answered(run: Run) -> None:
    found = answer(run, "tr", "opt10081", "종목코드=005930", "--rows", "30")
    assert isinstance(found, dict)
    assert len(found["multi"]) == 30
    assert found["single"]["종목코드"] == "005930"
    shown = run("tr", "opt10081", "종목코드=005930", "--rows", "5").stdout
    assert "\x1b" not in shown
    for row in found["multi"][1:5]:
        assert row["일자"] in shown
    assert "blank in every row: " in shown


def test_watch_streams_ticks(run: Run) -> None:
    ticks = lines(run, "watch", "005930", "000660", "--count", "5")
    assert len(ticks) == 5
    assert all(tick["real_type"] == "주식체결" and tick["code"] in ("005930", "000660") for tick in ticks)
    shown = run("watch", "005930", "--count", "2").stdout.splitlines()
    assert len(shown) == 2
    assert all("005930  삼성전자" in line for line in shown)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_watch_ends_well_when_interrupted(server: ServerProcess) -> None:
    command = [sys.executable, "-m", "koapy", "watch", "005930", "--address", server.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout
        assert "삼성전자" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")


def test_order_is_followed_to_its_end_and_listed(run: Run) -> None:
    events = lines(run, "order", "buy", "005930", "3")
    assert [events[0]["event"], events[-1]["event"]] == ["message", "order"]
    assert (events[-1]["state"], events[-1]["filled"]) == ("filled", 3)
    listed = answer(run, "order", "list")
    assert isinstance(listed, list)
    assert events[-1]["number"] in [row["주문번호"] for row in listed]
    shown = run("order", "sell", "005930", "1").stdout
    assert "-매도" in shown
    assert "filled: 1 of 1" in shown


def test_limit_order_is_placed_modified_and_cancelled(run: Run) -> None:
    stock = answer(run, "tr", "opt10001", "종목코드=005930")
    assert isinstance(stock, dict)
    floor = abs(int(stock["single"]["하한가"]))
    placed = lines(run, "order", "buy", "005930", "2", "--price", str(floor), "--no-wait")[-1]
    assert (placed["state"], placed["open"]) == ("accepted", 2)
    modified = lines(run, "order", "modify", str(placed["number"]), "--price", str(floor + 1000))[-1]
    assert modified["state"] == "confirmed"
    assert lines(run, "order", "cancel", str(modified["number"]))[-1]["state"] == "confirmed"
    assert "no open order" in run("order", "cancel", str(modified["number"])).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_interrupting_an_order_says_that_it_stands(run: Run, server: ServerProcess) -> None:
    stock = answer(run, "tr", "opt10001", "종목코드=000660")
    assert isinstance(stock, dict)
    price = str(abs(int(stock["single"]["하한가"])))
    command = [
        sys.executable,
        "-m",
        "koapy",
        "order",
        "buy",
        "000660",
        "1",
        "--price",
        price,
        "--address",
        server.address,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout
        number = next(line.split()[1] for line in process.stdout if line.startswith("접수"))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"koapy order cancel {number}" in err
    assert err.count("\n") == 1
    assert run("order", "cancel", number).returncode == 0


def test_condition_lists_and_runs(run: Run) -> None:
    listed = answer(run, "condition")
    assert isinstance(listed, list)
    assert "대형 저평가 우량주" in [each["name"] for each in listed]
    found = answer(run, "condition", "대형 저평가 우량주")
    assert isinstance(found, list)
    assert all(each["name"] for each in found)


def test_output_that_nobody_reads_any_more_is_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "koapy", "fid"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="names of locales")
def test_korean_on_a_stream_without_korean_is_escaped_and_json_stays_json() -> None:
    shown = koapy("fid", "10", PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert r"\ud604\uc7ac\uac00" in shown.stdout
    told = koapy("fid", "10", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(told.stdout)["name"] == "현재가"


PARENT = """
from koapy.cli.process import ServerProcess
with ServerProcess() as server:
    print(server.address, flush=True)
    input()
"""


def listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 5).close()
    except OSError:
        return False
    return True


def test_a_server_ends_with_the_process_that_started_it_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        address = parent.stdout.readline().decode().strip()
        assert listens(address)
        parent.kill()
    deadline = time.monotonic() + 20
    while listens(address):
        assert time.monotonic() < deadline


def test_a_server_ends_with_its_input_where_it_is_told_to() -> None:
    command = [sys.executable, "-m", "koapy", "serve", "--port", "0", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stderr
        assert next(line for line in server.stderr if line.startswith("koapy: listening"))
        _, err = server.communicate(timeout=20)
    assert (server.returncode, "Traceback" in err) == (0, False)
