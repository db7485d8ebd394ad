"""Regenerates the protocol modules from their .proto source; with --check only says whether they are fresh.

The compiler lives in an environment of its own: its release decides which protobuf and grpcio releases can load what it
writes, so it stays at the oldest one that the package admits while the project itself runs on current releases.
"""

from __future__ import annotations

import argparse
import filecmp
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

COMPILER = "grpcio-tools==1.74.0"
ROOT = Path(__file__).resolve().parent.parent
SOURCES = ["koapy/protocol/KiwoomOpenApiPlusService.proto"]


def compiler() -> Path:
    """The interpreter of the environment that holds the compiler, made on first use."""
    home = ROOT / ".cache" / COMPILER
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", COMPILER, "setuptools<80"], check=True)
        (home / "ready").touch()
    return python


def generate(out: Path) -> list[Path]:
    """Compile all sources below `out`; the paths are relative to it."""
    command = [compiler(), "-m", "grpc_tools.protoc", "-I", ROOT / "src"]
    for kind in ("--python_out", "--pyi_out", "--grpc_python_out"):
        command.append(f"{kind}={out}")
    subprocess.run([*command, *SOURCES], check=True)
    return sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())


def main() -> int:
    """Write the modules, or compare them with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a module is stale")
    if not parser.parse_args().check:
        generate(ROOT / "src")
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        stale = [path for path in generate(out) if not _same(out / path, ROOT / "src" / path)]
    for path in stale:
        print(f"stale: src/{path}; run `python tools/generate_protocol.py`", file=sys.stderr)
    return 1 if stale else 0


def _same(fresh: Path, committed: Path) -> bool:
    return committed.exists() and filecmp.cmp(fresh, committed, shallow=False)


if __name__ == "__main__":
    sys.exit(main())
