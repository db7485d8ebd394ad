"""KOAPY 0.9.0 itself, unmodified, in a Python 3.10 environment of its own, against servers of ours."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from koapy.openapi.functions import EVENTS, FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CACHE = ROOT / ".cache" / "koapy-0.9"
REQUIREMENTS = HERE / "koapy-0.9-requirements.txt"
STANDINS = HERE / "standins"
START_SECONDS = 30
BUILD_SECONDS = 600


@dataclass(frozen=True)
class Koapy:
    """The environment in which KOAPY 0.9.0 is installed."""

    python: Path

    def start(self, folder: Path, port: int, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a program of KOAPY's in a folder whose koapy.conf names the server's port."""
        folder.mkdir(parents=True)
        (folder / "koapy.conf").write_text(
            f"koapy.backend.kiwoom_open_api_plus.grpc {{ port = {port}, client.port = {port} }}\n"
            'koapy.python.executable.32bit = { path = "python" }\n'
        )
        library = folder / "typelib.json"
        library.write_text(json.dumps(type_library()), encoding="utf-8")
        environment = os.environ | {
            "PYTHONPATH": str(STANDINS),
            "PYTHONIOENCODING": "utf-8",
            "KOAPY_STANDIN_TYPELIB": str(library),
            "TZ": "KST-9",  # KOAPY's users sit in Korea, its client compares with the local clock
        }
        with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
            return subprocess.Popen(
                [self.python, *arguments], cwd=folder, env=environment, stdout=out, stderr=err, text=True
            )

    def example(self, name: str) -> Path:
        """An example program as KOAPY's wheel has installed it."""
        return next(self.python.parent.parent.rglob(f"koapy/examples/{name}"))


def type_library() -> dict[str, list[object]]:
    """The functions and events of OpenAPI+, which KOAPY's client reads from an installed control's type library."""
    functions = [[f.name, [[p.name, p.type] for p in f.parameters], f.returns] for f in FUNCTIONS.values()]
    events = [[e.name, [[p.name, p.type] for p in e.parameters], "none"] for e in EVENTS.values()]
    return {"functions": functions, "events": events}


def candidates() -> Iterator[list[str]]:
    """Commands that may start a Python 3.10."""
    if named := os.environ.get("KOAPY_PYTHON310"):
        yield [named]
        return
    yield ["python3.10"]
    yield ["py", "-3.10"]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for folder in sorted((pyenv / "versions").glob("3.10*"), reverse=True):
        yield [str(folder / "bin" / "python")]


def answers(command: list[str]) -> bool:
    """Whether this is a Python 3.10 that runs: a shim of a version manager may be there and refuse."""
    question = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    try:
        told = subprocess.run([*command, "-c", question], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return False
    return told.returncode == 0 and told.stdout.split() == ["3", "10"]


def build(command: list[str], home: Path) -> None:
    """Make the environment elsewhere and move it into place: whoever comes first wins, half of one is never seen."""
    scratch = home.with_name(f"{home.name}.{os.getpid()}")
    subprocess.run([*command, "-m", "venv", scratch], check=True, capture_output=True, text=True, timeout=BUILD_SECONDS)
    pip = [interpreter(scratch), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    try:
        subprocess.run([*pip, "-r", REQUIREMENTS], check=True, capture_output=True, text=True, timeout=BUILD_SECONDS)
        scratch.rename(home)
    except OSError:
        if not home.exists():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def interpreter(home: Path) -> Path:
    """The Python of a virtual environment."""
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture(scope="session")
def koapy() -> Koapy:
    """KOAPY 0.9.0, installed once. Without Python 3.10 or a way to install, its tests are skipped and say so."""
    home = CACHE / hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    if not interpreter(home).exists():
        command = next(filter(answers, candidates()), None)
        if command is None:
            pytest.skip("KOAPY 0.9.0 needs Python 3.10, and none was found (KOAPY_PYTHON310 names one)")
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            build(command, home)
        except subprocess.CalledProcessError as error:
            if "KOAPY_PYTHON310" in os.environ:
                raise
            reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
            pytest.skip(f"KOAPY 0.9.0 could not be installed: {reason}")
    return Koapy(interpreter(home))


@contextmanager
def serving(log: Path, *options: str) -> Iterator[int]:
    """Run `koapy serve` as a process of its own on a free port, and give the port."""
    command = [sys.executable, "-m", "koapy", "serve", "--port", "0", "--seed", "1", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8")
    assert process.stderr is not None
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    told = []
    try:
        for line in process.stderr:
            told.append(line)
            if found := re.search(r"127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise RuntimeError(f"koapy serve did not say where it listens:\n{''.join(told)}")
        watchdog.cancel()
        with log.open("w", encoding="utf-8") as file:
            reader = threading.Thread(target=lambda: file.writelines(process.stderr or ()))
            reader.start()
            yield int(found[1])
            process.terminate()
            reader.join(START_SECONDS)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server with nothing but defaults, the module's own: a condition is searched once a minute."""
    with serving(tmp_path_factory.mktemp("server") / "log") as port:
        yield port


@pytest.fixture(scope="module")
def second_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of another one, for programs that use the same conditions at the same time."""
    with serving(tmp_path_factory.mktemp("second-server") / "log") as port:
        yield port


@pytest.fixture(scope="module")
def handler_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that runs event handlers of its clients."""
    with serving(tmp_path_factory.mktemp("handler-server") / "log", "--allow-custom-handlers") as port:
        yield port
