"""Build the 32-bit host of the OpenAPI+ control, and with --fake the control that the tests put in its place.

    python3 tools/build_ocx.py            src/koapy/ocx/bin/koapy-ocx-host.exe
    python3 tools/build_ocx.py --fake     build/ocx/koapy-fake.ocx as well, and what plays its upgrades
    python3 tools/build_ocx.py --check    builds once more, in another place, and compares; with ocx/host.lock too
    python3 tools/build_ocx.py --record   writes ocx/host.lock, after a change of the sources
    python3 tools/build_ocx.py --locked   no compiler: whether ocx/host.lock is of these sources

It takes MinGW-w64's compiler for 32-bit Windows, nothing else; the fake control takes `widl` and Wine's stdole2.tlb
too. What is fresh is not built again. ocx/host.lock names the compiler that released hosts are built with, the packages
of Debian 12 that have it, and the SHA-256 of the host that it makes of these sources, wherever that is done. Another
compiler serves as well, and makes other bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from koapy.openapi.functions import EventSignature

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "ocx"
HOST = ROOT / "src/koapy/ocx/bin/koapy-ocx-host.exe"
WORK = ROOT / "build/ocx"
LOCK = SOURCES / "host.lock"
FAKE = WORK / "koapy-fake.ocx"
UPDATER = WORK / "koapy-fake-updater.exe"

PREFIX = "i686-w64-mingw32-"
ADVICE = """build_ocx: no compiler for 32-bit Windows ({missing}).
  Debian, Ubuntu:  apt install g++-mingw-w64-i686 mingw-w64-tools
  Fedora:          dnf install mingw32-gcc-c++ mingw-w64-tools
  Windows:         MSYS2, pacman -S mingw-w64-i686-gcc"""

LANGUAGE = ("-std=c++17", "-finput-charset=UTF-8", "-DUNICODE", "-D_UNICODE", "-D_WIN32_WINNT=0x0601")
WARNINGS = ("-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Wno-cast-function-type")
FLAGS = (*LANGUAGE, *WARNINGS, "-Os", "-ffunction-sections", "-fdata-sections")
LINK = ("-static", "-s", "-Wl,--gc-sections", "-Wl,--no-insert-timestamp")
HOST_DLLS = ("-lole32", "-loleaut32", "-luuid", "-luser32", "-lversion", "-ladvapi32")
FAKE_DLLS = ("-lole32", "-loleaut32", "-luuid", "-ladvapi32", "-lws2_32")

IDL_TYPES = {"str": "BSTR", "int": "long", "none": "void", "array": "VARIANT"}
GUIDS = {name: f"0A6F4B52-91C7-4E3D-A218-6B5CF03E7D{number:02}" for number, name in enumerate("LFEC", 1)}
"""Of the library, the functions, the events and the class; ocx/fake/ids.hpp has the same."""


class BuildError(Exception):
    """What is missing, or what the compiler said."""


def tool(name: str) -> str:
    """A program of the compiler.

    Raises: BuildError.
    """
    found = shutil.which(PREFIX + name)
    if not found:
        raise BuildError(ADVICE.format(missing=PREFIX + name))
    return found


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], cwd=WORK, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"build_ocx: failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def compile_all(folders: tuple[str, ...], extra: tuple[str, ...] = ()) -> list[Path]:
    """Compile what is in these folders, as many files at a time as there are processors."""
    compiler = tool("g++")
    running: list[tuple[Path, subprocess.Popen[str]]] = []
    sources = [source for folder in folders for source in sorted((SOURCES / folder).glob("*.cpp"))]
    objects = []
    slots = os.cpu_count() or 1
    while sources or running:
        while sources and len(running) < slots:
            source = sources.pop(0)
            made = WORK / f"{source.parent.name}-{source.stem}.o"
            objects.append(made)
            # Relative names, so that neither messages nor the program say where it was built.
            words = [compiler, *FLAGS, *extra, "-c", os.path.relpath(source, ROOT), "-o", str(made)]
            running.append((source, subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)))
        source, process = running.pop(0)
        said = process.communicate()[1]
        if process.returncode:
            raise BuildError(f"build_ocx: {source} does not compile\n{said}")
    return objects


def fresh(made: Path, *folders: str) -> bool:
    """Whether this file is newer than all that it is made from."""
    if not made.exists():
        return False
    from_what = [Path(__file__), ROOT / "src/koapy/openapi/tables/function.csv"]
    from_what += [file for folder in folders for file in (SOURCES / folder).iterdir()]
    return made.stat().st_mtime > max(file.stat().st_mtime for file in from_what)


def build_host() -> Path:
    """The host.

    Raises: BuildError.
    """
    if not fresh(HOST, "host", "wire"):
        WORK.mkdir(parents=True, exist_ok=True)
        HOST.parent.mkdir(parents=True, exist_ok=True)
        made = WORK / HOST.name
        run(tool("g++"), *LINK, "-municode", "-o", made, *compile_all(("host", "wire")), *HOST_DLLS)
        made.replace(HOST)
    return HOST


def compiler() -> str:
    """The compiler that is here, in words that tell it from others.

    Raises: BuildError.
    """

    def said(*command: str, given: str = "") -> str:
        environment = os.environ | {"LC_ALL": "C"}
        return subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, env=environment
        ).stdout.strip()

    gcc = said(tool("g++"), "-dumpversion")
    binutils = said(tool("ld"), "--version").partition("\n")[0].rpartition(" ")[2]
    macros = said(tool("g++"), "-E", "-dM", "-x", "c++", "-include", "windows.h", "-")
    parts = [re.search(rf"__MINGW64_VERSION_{part} (\d+)", macros) for part in ("MAJOR", "MINOR", "BUGFIX")]
    runtime = ".".join(found[1] if found else "?" for found in parts)
    return f"GCC {gcc}, binutils {binutils}, MinGW-w64 {runtime}"


def sources() -> str:
    """SHA-256 of all that the host is made of, and of how."""
    found = hashlib.sha256(repr((FLAGS, LINK, HOST_DLLS)).encode())
    for file in sorted((*(SOURCES / "host").iterdir(), *(SOURCES / "wire").iterdir())):
        found.update(file.name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return found.hexdigest()


def locked() -> dict[str, str]:
    """What ocx/host.lock says.

    Raises: BuildError: it is of other sources.
    """
    found = dict(line.split(": ", 1) for line in LOCK.read_text(encoding="utf-8").splitlines())
    if found["sources"] != sources():
        raise BuildError("build_ocx: ocx/host.lock is of other sources; run tools/build_ocx.py --record")
    return found


def record() -> None:
    """Write ocx/host.lock anew, with the compiler that it names.

    Raises: BuildError: another compiler is here.
    """
    lines = dict(line.split(": ", 1) for line in LOCK.read_text(encoding="utf-8").splitlines())
    if compiler() != lines["compiler"]:
        raise BuildError(f"build_ocx: this is {compiler()}, but hosts are built with {lines['compiler']}")
    lines |= {"sources": sources(), "host": hashlib.sha256(build_host().read_bytes()).hexdigest()}
    LOCK.write_text("".join(f"{name}: {said}\n" for name, said in lines.items()), encoding="utf-8")


def check() -> None:
    """Build the host once more, in another place, and compare it with the first one and with what was recorded.

    Raises: BuildError: they differ.
    """
    made = build_host().read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "elsewhere")
        shutil.copytree(SOURCES, place / "ocx")
        (place / "tools").mkdir()
        shutil.copy(__file__, place / "tools")
        subprocess.run([sys.executable, place / "tools" / Path(__file__).name], stdout=subprocess.DEVNULL, check=True)
        if (place / HOST.relative_to(ROOT)).read_bytes() != made:
            raise BuildError("build_ocx: the same sources gave other bytes")
    known = locked()
    if compiler() != known["compiler"]:
        print(f"built by {compiler()}, not by {known['compiler']}: other bytes than those of {LOCK.name}")
    elif hashlib.sha256(made).hexdigest() != known["host"]:
        raise BuildError("build_ocx: the host is not the one that ocx/host.lock names")


def idl() -> str:
    """The type library's source, from the catalogue's tables; a dispid is a row's number, as in the real one."""
    from koapy.openapi.functions import EVENTS, FUNCTIONS, Function

    def methods(listed: Iterable[Function | EventSignature]) -> str:
        lines = []
        for number, each in enumerate(listed, 1):
            parameters = ", ".join(f"{IDL_TYPES[one.type]} {one.name}" for one in each.parameters)
            returns = IDL_TYPES[each.returns] if isinstance(each, Function) else "void"
            lines.append(f"    [id({number})] {returns} {each.name}({parameters});")
        return "\n".join(lines)

    def interface(name: str, guid: str, listed: Iterable[Function | EventSignature]) -> str:
        return f"  [uuid({GUIDS[guid]})] dispinterface {name} {{\n  properties:\n  methods:\n{methods(listed)}\n  }};"

    return f"""\
typedef wchar_t *BSTR;
typedef struct tagVARIANT {{ long opaque; }} VARIANT;
interface IDispatch;
[uuid({GUIDS["L"]}), version(1.0)]
library KoapyFakeOpenApi {{
  importlib("stdole2.tlb");
{interface("_DFakeOpenApi", "F", FUNCTIONS.values())}
{interface("_DFakeOpenApiEvents", "E", EVENTS.values())}
  [uuid({GUIDS["C"]}), control] coclass FakeOpenApi {{
    [default] dispinterface _DFakeOpenApi;
    [default, source] dispinterface _DFakeOpenApiEvents;
  }};
}};
"""


def build_fake() -> Path:
    """The fake control.

    Raises: BuildError.
    """
    if not fresh(FAKE, "fake", "wire"):
        WORK.mkdir(parents=True, exist_ok=True)
        standard = next(Path("/usr/lib").glob("*/wine/i386-windows/stdole2.tlb"), None)
        if standard is None:
            raise BuildError("build_ocx: Wine's stdole2.tlb is not here; on Debian: apt install libwine:i386")
        shutil.copy(standard, WORK)
        (WORK / "fake.idl").write_text(idl(), encoding="utf-8")
        run(tool("widl"), "-t", "-m32", "-L", ".", "-o", "fake.tlb", "fake.idl")
        run(tool("windres"), "-I", ".", SOURCES / "fake/fake.rc", "fake-rc.o")
        made = WORK / "koapy-fake.new"
        parts: list[str | Path] = [*compile_all(("fake", "wire")), SOURCES / "fake/fake.def", "fake-rc.o"]
        run(tool("g++"), *LINK, "-shared", "-o", made, *parts, "-Wl,--enable-stdcall-fixup", *FAKE_DLLS)
        made.replace(FAKE)
    return FAKE


def build_updater() -> Path:
    """The program that replaces the fake control by a new version of itself.

    Raises: BuildError.
    """
    if not fresh(UPDATER, "updater", "fake"):
        WORK.mkdir(parents=True, exist_ok=True)
        made = WORK / "koapy-fake-updater.new"
        run(tool("g++"), *LINK, "-municode", "-mwindows", "-o", made, *compile_all(("updater",)), "-luser32")
        made.replace(UPDATER)
    return UPDATER


def main() -> int:
    """Build what was asked for, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fake", action="store_true", help="the fake control and its updater as well")
    parser.add_argument("--check", action="store_true", help="build the host twice; it must be the bytes of the lock")
    parser.add_argument("--record", action="store_true", help="write ocx/host.lock")
    parser.add_argument("--locked", action="store_true", help="only look whether ocx/host.lock is of these sources")
    chosen = parser.parse_args()
    try:
        if chosen.locked:
            locked()
            return 0
        if chosen.record:
            record()
        if chosen.check:
            check()
        for made in [build_host(), *([build_fake(), build_updater()] if chosen.fake else [])]:
            print(f"{made.relative_to(ROOT)}: {made.stat().st_size} bytes")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
