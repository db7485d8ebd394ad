"""Builds the package, installs its wheel where nothing of the clone is, and lets that koapy serve and be asked.

The source archive is built first and the wheel from it, so that both are complete.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import fresh
from build_ocx import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT = """
import sys
import koapy
with koapy.connect(sys.argv[1]) as client:
    client.login()
    bars = client.daily("005930", rows=5)
    with client.buy("005930", 1) as stream:
        order = stream.result()
assert len(bars) == 5, bars
assert order.filled == 1, order
"""


def build(folder: Path) -> Path:
    """Build the source archive and, from it, the wheel; give the wheel."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder], cwd=fresh.ROOT, check=True
    )
    (archive,) = folder.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-w", folder, archive], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def missing(wheel: Path) -> set[str]:
    """Files of the source tree, and the host of OpenAPI+ where it is built, that the wheel lacks."""
    tracked = subprocess.run(["git", "ls-files", "src"], cwd=fresh.ROOT, check=True, capture_output=True, text=True)
    names = {name.removeprefix("src/") for name in tracked.stdout.split()}
    if HOST.exists():  # only where there is a compiler for it
        names.add(str(HOST.relative_to(fresh.ROOT / "src")))
    return names - set(zipfile.ZipFile(wheel).namelist())


@contextmanager
def served(command: list[str], folder: Path) -> Iterator[str]:
    """The address of an installed server, which is stopped after the block and must end well."""
    with subprocess.Popen([*command, "serve", "--port", "0"], cwd=folder, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            lines = iter(server.stderr.readline, "")
            yield next(found[1] for line in lines if (found := re.search(r"listening on (\S+)", line)))
        finally:
            server.terminate()
            server.communicate(timeout=30)
    # Windows knows no way to ask: there a terminated process says 1.
    if server.returncode != 0 and os.name != "nt":
        raise SystemExit(f"the installed server ended with {server.returncode}")


def host_starts(command: list[str], folder: Path) -> bool:
    """Whether the host of OpenAPI+ that the wheel carries can be started; True where there is nothing to start it with.

    It has no OpenAPI+ to be started with, and says so.
    """
    if not HOST.exists() or (os.name != "nt" and shutil.which("wine") is None):
        return True
    windows = {"WINEPREFIX": str(folder / "windows"), "WINEARCH": "win64", "WINEDLLOVERRIDES": "mscoree,mshtml="}
    environment = os.environ | windows | {"WINEDEBUG": "-all", "DISPLAY": ""}
    if os.name != "nt":  # a new Windows; files, not pipes, because what it starts in the background keeps them
        with (folder / "wine.log").open("wb") as log:
            subprocess.run(
                ["wineboot", "-i"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, check=True
            )
    words = [*command, "ocx", "doctor", "--json", "--control", "Nobody.Has.This.1"]
    said = subprocess.run(words, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False).stdout
    if os.name != "nt":
        subprocess.run(["wineserver", "-k"], env=environment, check=False)
        subprocess.run(["wineserver", "-w"], env=environment, check=False)
    return any(each["what"] == "bitness" for each in json.loads(said))  # which only the host can tell


def main() -> int:
    """Build, install, ask."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wheel = build(folder)
        if lacking := missing(wheel):
            print("the wheel lacks", *sorted(lacking), file=sys.stderr)
            return 1
        python = fresh.environment(folder / "venv", str(wheel))
        command = str(Path(python).parent / "koapy")
        subprocess.run([command, "version"], cwd=folder, check=True)
        with served([command], folder) as address:
            subprocess.run([python, "-c", CLIENT, address], cwd=folder, check=True, timeout=60)
        if not host_starts([command], folder):
            print("the wheel's host of OpenAPI+ does not start", file=sys.stderr)
            return 1
    print(wheel.name, "works where only it is installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
