"""Runs koapy from a clone with nothing but Python: makes .venv, installs what requirements.lock pins, runs the command.

    python3 run.py demo          the whole job in one minute, on the embedded exchange
    python3 run.py test          the tests
    python3 run.py check         lint, format, types, import layers, fresh generated modules
    python3 run.py serve ...     any other word goes to the koapy command
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = Path(os.environ.get("KOAPY_VENV", ROOT / ".venv"))
BIN = HOME / ("Scripts" if os.name == "nt" else "bin")
LOCK = ROOT / "requirements.lock"

CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
    ("lint-imports",),
    ("python", "tools/generate_protocol.py", "--check"),
)


def environment() -> dict[str, str]:
    """The environment variables of a command that runs inside the virtual environment."""
    return os.environ | {"VIRTUAL_ENV": str(HOME), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def run(*command: str) -> int:
    """Run a program of the virtual environment in the project's folder and give its exit code."""
    program = BIN / (command[0] + (".exe" if os.name == "nt" else ""))
    try:
        return subprocess.call([program, *command[1:]], cwd=ROOT, env=environment())
    except KeyboardInterrupt:  # the program has got the same signal and has said what it had to say
        return 130


def install() -> None:
    """Make the virtual environment, or bring it up to date with the lock file."""
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    stamp = HOME / "koapy-installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"koapy: installing into {HOME} (once)", file=sys.stderr, flush=True)
    venv.create(HOME, with_pip=True, clear=not stamp.exists())
    pip = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True, stdout=sys.stderr)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], check=True, stdout=sys.stderr)
    stamp.write_text(wanted)


def main() -> int:
    """Install if needed, then do what was asked."""
    if sys.version_info < (3, 11):
        print(f"koapy needs Python 3.11 or newer, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    if len(sys.argv) < 2:
        print(__doc__)
        return 0
    install()
    name, *rest = sys.argv[1:]
    if name == "test":
        return run("python", "-m", "pytest", *rest)
    if name == "check":
        return max(run(*command) for command in CHECKS)
    return run("koapy", name, *rest)


if __name__ == "__main__":
    sys.exit(main())
