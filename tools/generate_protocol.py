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
from pathlib import Path

import fresh

COMPILER = "grpcio-tools==1.74.0"
NEWEST_PYTHON = (3, 13)
"""The newest one that the compiler has been built for."""
ROOT = fresh.ROOT
SOURCES = [f"koapy/protocol/{name}.proto" for name in ("KiwoomOpenApiPlusService", "gateway", "streams")]


def compiler() -> str:
    """The interpreter of the environment that holds the compiler, made on first use."""
    home = ROOT / ".cache" / COMPILER
    if not (home / "ready").exists():
        fresh.environment(home, COMPILER, "setuptools<80")
        (home / "ready").touch()
    return fresh.interpreter(home)


def generate(out: Path) -> list[Path]:
    """Compile all sources below `out`; the paths are relative to it."""
    kinds = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
    subprocess.run([compiler(), "-m", "grpc_tools.protoc", f"-I{ROOT / 'src'}", *kinds, *SOURCES], check=True)
    return sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())


def main() -> int:
    """Write the modules, or compare them with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a module is stale")
    check = parser.parse_args().check
    if sys.version_info[:2] > NEWEST_PYTHON:
        newest = ".".join(map(str, NEWEST_PYTHON))
        print(f"{COMPILER} needs Python {newest} or older; whether the modules are fresh is not known", file=sys.stderr)
        return 0 if check else 1
    if not check:
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
