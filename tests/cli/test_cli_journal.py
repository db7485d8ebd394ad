"""The journal of orders and the kill switch from the command line, also after a crash."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from koapy.cli import main
from koapy.cli.process import ServerProcess
from koapy.client import Client
from koapy.openapi.calendar import KST
from koapy.orders.journal import read_events, read_orders

Run = Callable[..., subprocess.CompletedProcess[str]]


class KilledServer(ServerProcess):
    """A server that ends as by a power cut."""

    def stop(self) -> int:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        return 0


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in this process, which spares each the start of an interpreter."""

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), out, err)

    return command


def rows(run: Run, *arguments: object) -> list[dict[str, object]]:
    done = run("orders", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal") / "orders.sqlite"


@pytest.fixture(scope="module")
def server(journal: Path) -> Iterator[ServerProcess]:
    """A server through which an order was filled and another one stands, then nothing more is ordered."""
    with ServerProcess("--seed", "3", "--journal", str(journal)) as process:
        with Client(process.address) as client:
            client.login()
            with client.buy("005930", 3) as stream:
                assert list(stream)[-1]
            floor = client.stock("000660")["하한가"]
            with client.buy("000660", 2, floor) as stream:
                stream.accepted()
        yield process


@pytest.fixture
def at(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOAPY_ADDRESS", server.address)


@pytest.mark.usefixtures("at")
def test_the_ready_line_names_the_journal(server: ServerProcess, journal: Path) -> None:
    assert any(f"listening on {server.address} (simulation, seed 3, journal {journal})" in line for line in server.log)


@pytest.mark.usefixtures("at")
def test_orders_are_the_same_from_the_server_and_from_its_file(run: Run, journal: Path) -> None:
    told, kept = rows(run), rows(run, "--journal", journal)
    assert told == kept
    assert [(each["code"], each["state"], each["filled"]) for each in told] == [
        ("005930", "filled", 3),
        ("000660", "accepted", 0),
    ]
    assert [each["number"] for each in told] == [each.number for each in read_orders(journal)]
    assert rows(run, "--unsettled") == rows(run, "--unsettled", "--journal", journal) == told[1:]
    shown = run("orders").stdout
    assert "신규매수" in shown
    assert "partly" not in shown
    assert str(told[0]["number"]) in shown


@pytest.mark.usefixtures("at")
def test_a_day_has_its_orders_and_another_has_none(run: Run, journal: Path) -> None:
    (first, _) = read_orders(journal)
    day = f"{first.time.astimezone(KST):%Y-%m-%d}"
    assert len(rows(run, "--day", day)) == len(rows(run, "--day", day.replace("-", ""), "--journal", journal)) == 2
    assert run("orders", "--day", "20200102").stdout == "no orders\n"
    assert len(rows(run, "--events", "--day", day)) == len(rows(run, "--events"))
    assert (
        rows(run, "--events", "--day", "20200102")
        == rows(run, "--events", "--day", "20200102", "--journal", journal)
        == []
    )
    for arguments in (["--day", "yesterday"], ["--events", "--unsettled"]):
        done = run("orders", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


@pytest.mark.usefixtures("at")
def test_events_are_the_same_from_the_server_and_from_its_file(run: Run, journal: Path) -> None:
    told, kept = rows(run, "--events"), rows(run, "--events", "--journal", journal)
    assert [each["sequence"] for each in told] == [each.sequence for each in read_events(journal)]
    assert told == kept
    assert {each["order_id"] for each in kept} >= {1, 2}
    assert all(each["time"] for each in kept)
    fill = next(each for each in told if each["state"] == "체결" and each["open"] == 0)
    assert (fill["code"], fill["ordered"], fill["filled"], fill["kind"]) == ("005930", 3, 3, "+매수")
    assert rows(run, "--events", "--since", 4) == told[3:]
    assert rows(run, "--events", "--since", 4, "--journal", journal) == kept[3:]
    assert run("orders", "--events", "--since", 10_000).stdout == "no events\n"


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize("what", [[], ["--events"]])
def test_what_is_exported_is_what_is_there(run: Run, journal: Path, tmp_path: Path, what: list[str]) -> None:
    expected = rows(run, *what, "--journal", journal)
    for ending in (".csv", ".parquet"):
        file = tmp_path / f"exported{ending}"
        done = run("orders", *what, "--journal", journal, "--export", file)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{len(expected)} ")
    with (tmp_path / "exported.csv").open(encoding="utf-8-sig", newline="") as written:
        lines = list(csv.DictReader(written))
    assert [set(each) for each in lines] == [set(each) for each in expected]
    assert [each["number"] for each in lines] == [each["number"] for each in expected]
    frame = pd.read_parquet(tmp_path / "exported.parquet")
    assert list(frame["code"]) == [each["code"] for each in expected]
    assert [str(each) for each in frame["time"].dt.tz_convert(KST)] == [each["time"] for each in expected]


@pytest.mark.usefixtures("at")
def test_an_export_that_cannot_be_is_one_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file, expected in ((tmp_path / "orders.xlsx", ".csv or .parquet"), (tmp_path / "no" / "orders.csv", "No such")):
        done = run("orders", "--export", file)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert expected in done.stderr
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "koapy-gateway[parquet]" in run("orders", "--export", tmp_path / "orders.parquet").stderr


def test_a_file_that_is_no_journal_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("no journal")
    for name in ("text.sqlite", "none.sqlite"):
        for what in ([], ["--events"]):
            done = run("orders", "--journal", tmp_path / name, *what)
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
            assert name in done.stderr
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.usefixtures("at")
def test_a_journal_has_one_server(journal: Path) -> None:
    command = [sys.executable, "-m", "koapy", "serve", "--port", "0", "--journal", str(journal)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"koapy: the journal {journal} is in use" in done.stderr


def test_the_kill_switch_holds_over_a_crash_until_it_is_released(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "orders.sqlite"
    with KilledServer("--journal", str(file)) as server:
        monkeypatch.setenv("KOAPY_ADDRESS", server.address)
        assert run("login").returncode == 0
        assert run("order", "buy", "005930", "1").returncode == 0
        halted = run("halt", "--reason", "a strange market")
        assert halted.stdout.startswith("halted by local since ")
    assert [each.state for each in read_orders(file)] == ["filled"]
    with ServerProcess("--journal", str(file)) as server:
        monkeypatch.setenv("KOAPY_ADDRESS", server.address)
        assert run("login").returncode == 0
        assert "halted by local since " in run("status").stdout
        refused = run("order", "buy", "005930", "1")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "a strange market" in refused.stderr
        assert "koapy release" in refused.stderr
        assert "a strange market" in run("release").stdout
        assert run("release").stdout == "trading was not halted\n"
        assert run("order", "buy", "005930", "1").returncode == 0
    assert [each.state for each in read_orders(file)] == ["filled", "filled"]


def test_halting_cancels_what_is_open_and_says_what(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with ServerProcess() as server:
        monkeypatch.setenv("KOAPY_ADDRESS", server.address)
        early = run("halt", "--cancel-open")
        assert (early.returncode, early.stderr.count("\n")) == (1, 1)
        assert "trading is halted, but open orders are not cancelled: " in early.stderr
        with Client(server.address) as client:
            client.login()
            client.release()
            floor = client.stock("000660")["하한가"]
            for _ in range(2):
                with client.buy("000660", 2, floor) as stream:
                    number = stream.accepted().number
            done = run("halt", "--cancel-open")
            assert (done.returncode, done.stderr) == (0, "")
            assert number in done.stdout
            assert len(client.open_orders()) == 0
        assert run("orders", "--unsettled").stdout == "no orders\n"
        assert "no order was open" in run("halt", "--cancel-open").stdout
        assert json.loads(run("release", "--json").stdout)["halted"] is True


@pytest.mark.usefixtures("at")
def test_status_tells_by_its_exit_code_whether_it_serves(
    run: Run, server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^state +SERVING$", done.stdout, re.MULTILINE)
    assert re.search(r"^unsettled +1 orders of today$", done.stdout, re.MULTILINE)
    told = json.loads(run("status", "--json").stdout)
    assert (told["serving"], told["halt"]["halted"]) == (True, False)
    with Client(server.address) as client:
        frozen = replace(client.status(), serving=False, state="CONTROL_FROZEN")
    monkeypatch.setattr(Client, "status", lambda _: frozen)
    assert run("status").returncode == 1
    assert run("status", "--json").returncode == 1


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="another state folder")
def test_a_server_on_a_port_of_its_own_keeps_its_journal_in_the_users_state_folder(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    config = tmp_path / "koapy.toml"
    config.write_text("[server]\nport = 1\n[simulation]\nseed = 9\n")

    def said(*options: str) -> str:
        command = [sys.executable, "-m", "koapy", "serve", "--config", str(config), *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8", env=environment) as process:
            assert process.stderr
            line = next((line for line in process.stderr if line.startswith("koapy: ")), "")
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        return line

    # Options win over the file.
    once = said("--port", "0")
    assert re.fullmatch(r"koapy: listening on \S+ \(simulation, seed 9\)\n", once)
    assert not (tmp_path / "koapy").exists()
    # Outside of the range that systems give out by themselves, and another one for each process that tests.
    port = str(20_000 + os.getpid() % 10_000)
    kept = said("--port", port, "--seed", "8")
    assert f"(simulation, seed 8, journal {tmp_path / 'koapy' / f'orders-{port}.sqlite'})" in kept


def test_a_configuration_file_is_checked_and_shown(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "koapy.toml"
    config.write_text("[risk]\nmax_quantity = 5\n")
    done = run("serve", "--config", config, "--port", "7", "--print-config")
    assert (done.returncode, done.stderr) == (0, "")
    assert "max_quantity = 5\n" in done.stdout
    assert "port = 7\n" in done.stdout
    config.write_text("[risk]\nmax_quantities = 5\n")
    wrong = run("serve", "--config", config)
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (1, "", 1)
    assert f"{config}: [risk] has an unknown key 'max_quantities'; did you mean max_quantity?" in wrong.stderr
