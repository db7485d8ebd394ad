"""koapy on a 64-bit Windows Python under Wine, by the commands that the README has for Windows."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ocx_way import CACHE, CONTROL, ROOT, load, running

from koapy.client import Client
from koapy.openapi.functions import FUNCTIONS
from koapy.orders.journal import read_orders
from koapy.remote.host import Host
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import Iterator

there = load("windows_python", ROOT / "tools/windows_python.py")
pytestmark = [
    pytest.mark.skipif(not there.fresh(), reason="no Windows Python is here: python3 tools/windows_python.py gets it"),
    pytest.mark.timeout(200, func_only=True),
]
CODE = "005930"
JOURNAL, LOG = "주문 장부.sqlite", "기록.log"
SCRIPTS = there.CLONE / ".venv/Scripts"
IS_KOREAN = any(there.LOCALES.glob("*"))
KOREAN = {"LOCPATH": str(there.LOCALES), "LC_ALL": "ko_KR.UTF-8" if IS_KOREAN else "C.UTF-8"}
"""A Korean Windows: its code page is 949."""


def py(*words: str | Path) -> list[str]:
    """What `py WORDS` is."""
    return ["wine", str(there.PYTHON), *map(str, words)]


def drive(path: Path) -> str:
    """A path of ours as Windows has it."""
    return "Z:" + str(path).replace("/", "\\")


def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `py run.py WORDS` in a clone to its end."""
    return subprocess.run(
        py("run.py", *words),
        cwd=there.CLONE,
        env=os.environ | KOREAN | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # what run.py itself says is in the code page
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def installed(windows: None) -> None:
    """As the first command of a user does: a virtual environment, pip, koapy itself."""
    import fcntl

    with (CACHE / "windows-python.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("search", "삼성전자")
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def serving(folder: Path, *options: str, killed: bool = False) -> Iterator[str]:
    """`py run.py serve` on a free port, with its files in `folder`, until its standard input ends or it is killed."""
    with subprocess.Popen(
        py("run.py", "serve", "--port", "0", "--until-eof", *kept(folder), *options),
        cwd=there.CLONE,
        env=os.environ | KOREAN,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as server:
        assert server.stdout
        assert server.stdin
        said = next((line for line in server.stdout if line.startswith("koapy: listening")), "")
        yield said.split()[3]
        if killed:
            for pid in processes(folder.name):
                os.kill(pid, signal.SIGKILL)
        server.stdin.close()
        rest = server.stdout.read()
        assert not complains(rest), rest
        assert (server.wait(30) == 0) is not killed, rest


def complains(said: str) -> bool:
    """Whether a program has shown an error of its own; Wine 8 may refuse the byte that tells asyncio of a signal."""
    wines = r"Exceptionignoredwhentryingtosendtothesignalwakeupfd:.*?BlockingIOError:\[WinError10035\]"
    return "Traceback" in re.sub(wines, "", "".join(said.split()))


def kept(folder: Path) -> tuple[str, ...]:
    """Options that keep the market and the orders in files with Korean names."""
    return "--state", drive(folder / "시장.sqlite"), "--journal", drive(folder / JOURNAL)


def processes(word: str) -> list[int]:
    """Processes that have this in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if word.encode() in words and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def test_the_demo_does_the_whole_job() -> None:
    done = run("demo", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    steps = json.loads(done.stdout)["steps"]
    assert "삼성전자" in str(steps)
    assert "보유수량" in str(steps)


def test_a_server_there_serves_clients_here_keeps_its_market_and_locks_its_journal(tmp_path: Path) -> None:
    with serving(tmp_path, killed=True) as address, Client(address) as client:
        client.login()
        assert client.call("GetMasterCodeName", CODE) == "삼성전자"
        assert list(client.buy(CODE, 3))
        with client.realtime([CODE]) as ticks:
            assert next(iter(ticks)).code == CODE
        held = client.balance()
        other = run("serve", "--port", "0", "--journal", drive(tmp_path / JOURNAL))
        assert other.returncode == 1
        assert re.search(r"is in use by the gateway of process \d+", other.stderr)
    (order,) = read_orders(tmp_path / JOURNAL)
    assert order.order.quantity == 3
    # Killed, as by the task manager; what it knew is there again.
    with serving(tmp_path) as address, Client(address) as client:
        client.login()
        assert shares(client.balance()) == shares(held)


def shares(balance: Any) -> list[int]:
    """How many are held of each issue."""
    return [int(each) for each in balance.multi["보유수량"]]


def test_the_gateway_starts_once_when_its_user_logs_on_and_ends_in_order_with_its_window() -> None:
    # A short name, as Windows takes no long commands there.
    with tempfile.TemporaryDirectory(prefix="홍 길동 ") as name, Host(SimulatedControl()) as market:
        settings, port = Path(name) / "설정.toml", free_port()
        settings.write_text(
            f'[server]\nport = {port}\njournal = "{JOURNAL}"\nlog = "{LOG}"\n'
            f'[ocx]\ncontrol = "{CONTROL}"\nnights = []\n',
            encoding="utf-8",
        )
        told = commands(
            ["service", "status"], ["service", "install", "--config", drive(settings)], ["service", "status"]
        )
        try:
            with logged_on(Path(name).name, market.address) as gateway:
                assert gateway.stdout
                next(each for each in gateway.stdout if each.startswith("koapy: listening"))
                with Client(f"127.0.0.1:{port}") as client:
                    with logged_on(Path(name).name, market.address) as other:
                        assert other.stdout
                        assert f"cannot listen on 127.0.0.1:{port}" in other.stdout.read()
                    client.login()
                    assert list(client.buy(CODE, 3))
                assert "koapy-ocx-host.exe" in running(KOAPY_FAKE_OCX=market.address).values()
                tell(Path(name) / JOURNAL, WINDOW_CLOSED)
                assert "the gateway is shutting down" in gateway.stdout.read()
                assert "the gateway is shutting down" in (Path(name) / LOG).read_text(encoding="utf-8")
                assert running(KOAPY_FAKE_OCX=market.address) == {}
        finally:
            told += commands(["service", "uninstall"], ["service", "status"])
        (order,) = read_orders(Path(name) / JOURNAL)
        assert order.order.quantity == 3
    assert [code for code, _, _ in told] == [1, 0, 0, 0, 1]
    line = told[1][1].splitlines()[0]
    assert line.endswith(f'-m koapy serve --control ocx --config "{drive(settings)}"')
    assert told[2][1].splitlines()[0] == line


BREAK, WINDOW_CLOSED = 1, 2
"""What a console tells its programs."""


def tell(journal: Path, event: int) -> None:
    """Tell the gateway of this journal what its console would, in the way that Windows does: by a thread in it."""
    script = """
import ctypes, sys
kernel = ctypes.WinDLL("kernel32")
for each in (kernel.OpenProcess, kernel.GetModuleHandleW, kernel.GetProcAddress):
    each.restype = ctypes.c_void_p
routine = kernel.GetProcAddress(ctypes.c_void_p(kernel.GetModuleHandleW("kernel32")), b"CtrlRoutine")
process = kernel.OpenProcess(0x1FFFFF, 0, int(sys.argv[1]))
args = (process, None, None, routine, int(sys.argv[2]))
sys.exit(not kernel.CreateRemoteThread(*map(ctypes.c_void_p, args), 0, None))
"""
    pid = journal.with_name(journal.name + ".lock").read_text(encoding="ascii").strip("\0")
    subprocess.run(
        py("-c", script, pid, str(event)), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
    )


@contextmanager
def logged_on(word: str, market: str) -> Iterator[subprocess.Popen[str]]:
    """What Windows starts when a user logs on, by its output: a gateway that has `word` in its command, and an OCX with
    its market at this address.
    """
    with subprocess.Popen(
        ["wine", "wineboot"],
        env=os.environ | KOREAN | {"KOAPY_FAKE_OCX": market},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as started:
        try:
            yield started
        except BaseException:
            for pid in processes(word):
                os.kill(pid, signal.SIGKILL)
            raise


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def commands(*lines: list[str]) -> list[tuple[int, str, str]]:
    """Exit codes, output and errors of commands of koapy, one after the other in one process, which starts once."""
    script = """
import contextlib, io, json, sys
from koapy.cli import main
told = []
for words in json.loads(sys.argv[1]):
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            main(words)
        except SystemExit as end:
            told.append((end.code, out.getvalue(), errors.getvalue()))
print(json.dumps(told))
"""
    done = subprocess.run(
        ["wine", str(SCRIPTS / "python.exe"), "-c", script, json.dumps(lines)],
        env=os.environ | KOREAN,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(each) for each in json.loads(done.stdout)]


@pytest.mark.skipif(not IS_KOREAN, reason="no localedef with Korean is here, so no code page 949")
def test_korean_is_shown_on_a_console_and_in_files_and_ctrl_c_and_ctrl_break_end_the_server(tmp_path: Path) -> None:
    (tmp_path / "명령.bat").write_bytes(BATCH.encode("cp949"))
    console = Console("cmd", "/c", drive(tmp_path / "명령.bat"), PY=drive(SCRIPTS / "python.exe"))
    assert console.end() == 0
    assert "".join(console.said.split()) == "cp949삼성전자"  # Wine sends blanks as movements of the cursor
    assert "시세조회 과부하" in (tmp_path / "조회 1.txt").read_text(encoding="utf-8")
    assert "시세조회 과부하" in (tmp_path / "조회 2.txt").read_text(encoding="cp949")
    interrupted = Console(*py("run.py", "serve", "--port", "0")[1:])
    serve = ("-m", "koapy", "serve", "--port", "0", "--journal", drive(tmp_path / JOURNAL))
    broken = Console(str(SCRIPTS / "python.exe"), *serve)
    interrupted.wait("listening on")
    interrupted.press("\x03")
    broken.wait("listening on")
    tell(tmp_path / JOURNAL, BREAK)  # Wine 8 has no key for it
    for each in (interrupted, broken):
        assert each.end() == 0, each.said
        assert "shutting down" in each.said
        assert not complains(each.said), each.said


BATCH = r"""@echo off
cd /d "%~dp0"
"%PY%" -c "import locale; print(locale.getpreferredencoding(), '삼성전자')"
"%PY%" -m koapy error -200 > "조회 1.txt"
set PYTHONIOENCODING=cp949
"%PY%" -m koapy error -200 > "조회 2.txt"
"""


class Console:
    """A program in a console window, which Wine makes of a terminal."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.said = ""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(there.CLONE)
            os.execvpe("wine", ["wine", *words], os.environ | KOREAN | {"TERM": "xterm"} | environment)

    def wait(self, text: str) -> None:
        """Return when the program has said this."""
        deadline = time.monotonic() + 60
        while text not in self.said:
            assert time.monotonic() < deadline, self.said
            assert self._read(), self.said

    def press(self, key: str) -> None:
        os.write(self._terminal, key.encode())

    def end(self) -> int:
        """Wait for the program's exit code."""
        while self._read():
            pass
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bool:
        try:
            data = os.read(self._terminal, 65536)
        except OSError:
            return False
        self.said += re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", data.decode(errors="replace"))
        return bool(data)


def test_the_tests_that_a_windows_python_can_run() -> None:
    """The way to the OCX from there, without Wine in between: all functions and events, Korean, arrays, codes."""
    chosen = ("tests/ocx/test_ocx_control.py", "-k", "every_function or every_event or answer or that_is_not_there")
    done = run("test", "-n", "0", "-q", "-p", "no:cacheprovider", *chosen, KOAPY_FAKE_OCX_IS_THERE="1")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > len(FUNCTIONS), done.stdout  # those that read in events share a test
