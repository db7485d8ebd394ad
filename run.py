"""Runs koapy from a clone with nothing but Python: makes .venv, installs what requirements.lock pins, runs the command.

    python3 run.py demo          the whole job in one minute, on the embedded exchange
    python3 run.py test ...      the tests; further words go to pytest
    python3 run.py check         lint, format, types, import layers, and whether what is generated is fresh
    python3 run.py chaos ...     1,000 order flows while the gateway is killed at random moments; --seed N repeats a run
    python3 run.py chaos fuzz    1,000,000 wrong requests over every RPC; chaos soak: a trading day in ten minutes
    python3 run.py bench ...     how fast it is beside a bare gRPC server; --quick says only whether it runs
    python3 run.py conformance   compare every field that the simulation tells with recordings of the real OpenAPI+
    python3 run.py docs          write what is generated anew: the protocol modules and docs/cli.md
    python3 run.py lock ...      bring requirements.lock in line with pyproject.toml; --upgrade takes newer releases
    python3 run.py serve ...     any other word goes to the koapy command

On Windows say `py` for `python3`. KOAPY_VENV names another folder than .venv.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = Path(os.environ.get("KOAPY_VENV") or ROOT / ".venv").absolute()
BIN = HOME / ("Scripts" if os.name == "nt" else "bin")
STAMP = HOME / "koapy-installed"
LOCK = ROOT / "requirements.lock"

INCOMPLETE = "incomplete"
IDENTITY = f"{sys.version} in {HOME} for {ROOT}".replace("\n", " ")
"""What a virtual environment cannot survive the change of."""

CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
    ("lint-imports",),
    ("python", "tools/generate_protocol.py", "--check"),
    ("python", "tools/build_cli_docs.py", "--check"),
    ("python", "tools/build_ocx.py", "--locked"),
)
DOCS = (("python", "tools/generate_protocol.py"), ("python", "tools/build_cli_docs.py"))
CHAOS = {"flows": "flows.py", "fuzz": "chaos_fuzz.py", "soak": "soak.py"}
PARALLEL = ("-n", "auto", "--maxprocesses", "4")
"""Several tests at a time; `-n 0` after `test` runs them one after the other."""
LOCKING = (
    "uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-emit-index-url --no-annotate "
    f"--no-header --python-version 3.11 -o {LOCK.name}"
).split()


def run(*command: str) -> int:
    """Run a program of the virtual environment in the project's folder and give its exit code."""
    program = BIN / (command[0] + (".exe" if os.name == "nt" else ""))
    environment = os.environ | {"VIRTUAL_ENV": str(HOME), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen([program, *command[1:]], cwd=ROOT, env=environment) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the program has got the same signal, and ends when it is ready
                continue


def run_all(commands: tuple[tuple[str, ...], ...]) -> int:
    """Run all of them, whatever each of them says; 1 when one has failed."""
    failed = [command for command in commands if run(*command)]
    for command in failed:
        print("koapy: failed:", *command, file=sys.stderr)
    return 1 if failed else 0


def install() -> None:
    """Make the virtual environment, or bring it up to date with the lock file; nothing when it is."""
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = STAMP.read_text(encoding="utf-8").splitlines() if STAMP.exists() else []
    if stamp == [IDENTITY, wanted]:
        return
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit("koapy: this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv")
    # Only what bears our stamp is ever cleared: an installation that was interrupted, or of another Python or place.
    if not stamp and HOME.exists() and any(HOME.iterdir()) and not (HOME / "pyvenv.cfg").exists():
        sys.exit(f"koapy: {HOME} is no virtual environment; name a new folder by KOAPY_VENV")
    print(f"koapy: installing into {HOME}, which takes about a minute, once", file=sys.stderr, flush=True)
    venv.create(HOME, with_pip=True, symlinks=os.name != "nt", clear=bool(stamp) and stamp[0] != IDENTITY)
    STAMP.write_text(INCOMPLETE, encoding="utf-8")
    # Settings of the user that a virtual environment does not bear.
    environment = os.environ | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    pip = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    for what in (["--require-hashes", "-r", str(LOCK)], ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]):
        if subprocess.call([*pip, *what], env=environment, stdout=sys.stderr):
            sys.exit("koapy: the installation failed; pip says why above. The next run begins anew")
    if os.name == "nt":
        point_to_sources()
    STAMP.write_text(f"{IDENTITY}\n{wanted}", encoding="utf-8")


def point_to_sources() -> None:
    """Name our sources, where pip has named them, in a way that each Python on Windows can read.

    pip writes UTF-8. Before 3.13 Python takes that for the code page, and starts no more where the clone lies below a
    Korean name. A relative path has none of it.
    """
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(HOME)}))
    for file in packages.glob("*koapy*.pth"):
        try:
            sources = os.path.relpath(ROOT / "src", packages)
        except ValueError:  # on another drive
            sources = str(ROOT / "src")
        file.write_text(sources, encoding="locale")


def main() -> int:
    """Install if needed, then do what was asked."""
    if sys.version_info < (3, 11):  # noqa: UP036  the interpreter is the user's
        print(f"koapy needs Python 3.11 or newer, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    if len(sys.argv) < 2 or sys.argv[1] in {"-h", "--help"}:
        print(__doc__)
        return 0
    install()
    name, *rest = sys.argv[1:]
    if name == "test":
        return run("python", "-m", "pytest", *PARALLEL, *rest)
    if name == "chaos":
        kind, *words = rest if rest and rest[0] in CHAOS else ["flows", *rest]
        return run("python", f"tests/faults/{CHAOS[kind]}", *words)
    if name == "bench":
        return run("python", "-m", "benchmarks", *rest)
    if name == "conformance":
        return run("python", "-m", "conformance", *rest)
    if name == "lock":
        return run(*LOCKING, *rest)
    if name in {"check", "docs"}:
        return run_all(CHECKS if name == "check" else DOCS)
    return run("koapy", name, *rest)


if __name__ == "__main__":
    sys.exit(main())
