"""The way to the fake OCX: a Windows of our own under Wine, and a control of ours at the far end of it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from koapy.ocx import OcxControl
from koapy.ocx.process import HostProcess, host_command
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS
from koapy.remote import holding, messages
from koapy.remote.frames import Kind, kind
from koapy.remote.host import Host
from koapy.remote.link import Link, Pace
from koapy.server import KiwoomOpenApiPlusServiceServicer, Server

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ROOT = Path(__file__).resolve().parents[2]
CONTROL = "KoapyFake.OpenAPI.1"
CACHE = ROOT / ".cache" / "ocx"
WINE = {
    "WINEPREFIX": str(CACHE / "wine"),
    "WINEARCH": "win64",
    "WINEDEBUG": "-all",
    # Neither .NET nor a browser is asked for, and nothing is drawn.
    "WINEDLLOVERRIDES": "mscoree,mshtml=",
    "DISPLAY": "",
}
WINE_DIED = -11
"""Where a program that has threads ends itself, 32-bit Wine 8 now and then (1 in 200 on a busy machine, whatever the
program) dies of a signal to one of them. A fault of the program's own does not look like this."""
NOON = datetime(2026, 11, 24, 12, tzinfo=KST)
"""So that no test runs while Kiwoom's servers are checked."""


class Clock:
    """The time in Korea, which may be set, and goes on from there."""

    def __init__(self) -> None:
        self.set(NOON)

    def set(self, now: datetime) -> None:
        """It is now so late."""
        self._ahead = now - datetime.now(KST)

    def __call__(self) -> datetime:
        return datetime.now(KST) + self._ahead


PROGRAMS_OF_UPGRADES = ("opstarter.exe", "opversionup.exe")
PROGRAMS = ("wine", "i686-w64-mingw32-g++", "i686-w64-mingw32-widl")
PACKAGES = "wine wine32:i386 wine64 libwine:i386 g++-mingw-w64-i686 mingw-w64-tools"


def missing() -> str | None:
    """Why there is no way to the fake OCX here."""
    if sys.platform == "win32":
        there = os.environ.get("KOAPY_FAKE_OCX_IS_THERE")
        return None if there else "the fake OCX is registered by the tests on Linux only, with Wine"
    lacking = [name for name in PROGRAMS if not shutil.which(name)]
    if not lacking and not list(Path("/usr/lib").glob("*/wine/i386-windows/stdole2.tlb")):
        lacking = ["32-bit Wine"]
    if not lacking:
        return None
    return (
        f"{', '.join(lacking)} not found: the way to the OCX is tested under Wine only "
        f"(on Debian: dpkg --add-architecture i386; apt update; apt install {PACKAGES})"
    )


def run(*words: str | Path, **environment: str) -> None:
    """Run a program to its end, one that may be run twice."""
    # Files, not pipes: what Wine starts in the background keeps them.
    with (CACHE / "wine.log").open("ab") as log:
        for _ in range(3):
            done = subprocess.run(
                list(map(str, words)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=100,
                env=os.environ | environment,
            )
            if done.returncode != WINE_DIED:
                break
    assert done.returncode == 0, f"{words} ended with {done.returncode}; {log.name} says why"


def prepare() -> None:
    """Build what is not fresh, make a Windows, and register the fake OCX with it; all of it once, kept in .cache."""
    if sys.platform == "win32":  # Linux has done it
        return
    import fcntl

    tools = load("build_ocx", ROOT / "tools/build_ocx.py")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tools.build_host()
        fake = tools.build_fake()
        registered = CACHE / "registered"
        if not registered.exists():
            shutil.rmtree(CACHE / "wine", ignore_errors=True)
            run("wine", "wineboot", "-i")
            run("wine", "reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Graphics", "/d", "null", "/f")
            # What runs in the background by now still asks for a screen. It may have ended by itself.
            subprocess.run(["wineserver", "-k"], check=False)
            subprocess.run(["wineserver", "-w"], check=False)
        if not registered.exists() or registered.stat().st_mtime < fake.stat().st_mtime:
            run("wine", r"C:\windows\syswow64\regsvr32.exe", "/s", fake)
            registered.touch()


OURS = ("koapy-ocx-host.exe", *PROGRAMS_OF_UPGRADES)


def running(**environment: str) -> dict[int, str]:
    """The programs of OpenAPI+'s side that run with these in their environment, by process."""
    wanted = [f"{name}={value}".encode() for name, value in environment.items()]
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            has = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        name = next((each for each in OURS if each in words), None)
        if name is not None and all(each in has for each in wanted):
            found[int(entry.name)] = name
    return found


def press(title: str) -> None:
    """Do what a user does: confirm the box of this title, and return when it is gone."""
    gone = threading.Event()

    def received(told: list[bytes]) -> None:
        for frame in told:
            if kind(frame) is Kind.DIALOG and holding.read_dialog(frame).step is holding.Step.GONE:
                gone.set()

    # Without a control and with nobody to wait for it looks at the screen for two seconds.
    host = HostProcess([*host_command(), "--while", "nobody"])
    link = Link(host, received, lambda reason: None, pace=Pace())
    link.start()
    link.send(messages.hello("a user"))
    link.send(holding.rules([holding.Rule(title, "*", "", "press:OK")]))
    assert gone.wait(20)
    link.end("done")
    host.close()


class Upgradable:
    """A Windows of its own in which the fake OCX is replaced by new versions of itself: programs of an upgrade wait for
    all hosts on their screen, and would wait for those of other tests.
    """

    folder = CACHE / "upgradable"
    windows = {"WINEPREFIX": str(CACHE / "wine-upgradable")}  # noqa: RUF012

    def __init__(self) -> None:
        import fcntl

        tools = load("build_ocx", ROOT / "tools/build_ocx.py")
        with (CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._original, updater = tools.build_fake(), tools.build_updater()
            self.folder.mkdir(exist_ok=True)
            for name in PROGRAMS_OF_UPGRADES:
                shutil.copy(updater, self.folder / name)
            self.control = self.folder / self._original.name
            prefix = Path(self.windows["WINEPREFIX"])
            if not (prefix / "koapy-registered").exists():
                shutil.rmtree(prefix, ignore_errors=True)
                # Its files are Wine's own, which nobody changes, but for the registry.
                shutil.copytree(CACHE / "wine", prefix, symlinks=True, copy_function=os.link)
                for registry in prefix.glob("*.reg"):
                    registry.write_bytes(registry.unlink() or (CACHE / "wine" / registry.name).read_bytes())
                self._reset()
                run("wine", r"C:\windows\syswow64\regsvr32.exe", "/s", self.control, **self.windows)
                (prefix / "koapy-registered").touch()

    def _reset(self) -> None:
        shutil.copy(self._original, self.control)
        (self.folder / "koapy-fake.new").unlink(missing_ok=True)

    def command(self, address: str, fault: str = "") -> list[str]:
        """What starts a host there."""
        return ["env", *(f"{name}={value}" for name, value in self.windows.items()), *command(address, fault)[1:]]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else is in this Windows until the end of the block, and nobody is left in it then."""
        import fcntl

        with (CACHE / "upgradable.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._reset()
            try:
                yield
            finally:
                subprocess.run(["wineserver", "-k"], env=os.environ | self.windows, check=False)
                subprocess.run(["wineserver", "-w"], env=os.environ | self.windows, check=False)

    def programs(self) -> list[str]:
        """The programs of an upgrade that run in this Windows."""
        return [name for name in running(**self.windows).values() if name in PROGRAMS_OF_UPGRADES]

    def lay_ready(self, version: int = 2) -> None:
        """Put a new version beside the old one: the same, with another number."""
        told = self._original.read_bytes()
        at = told.index(struct.pack("<II", 0xFEEF04BD, 0x00010000)) + 8
        (self.folder / "koapy-fake.new").write_bytes(told[:at] + struct.pack("<II", version << 16, 0) + told[at + 8 :])


def load(name: str, file: Path) -> Any:
    """A module that lies in no package."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command(address: str, fault: str = "") -> list[str]:
    """What starts a host whose OCX asks the control at `address`, and goes wrong as `fault` says."""
    settings = {"KOAPY_FAKE_OCX": address, "KOAPY_FAKE_FAULT": fault}
    if sys.platform == "win32":  # which has no `env`; there is one test at a time
        os.environ.update(settings)
        return host_command()
    return ["env", *(f"{name}={value}" for name, value in settings.items()), *host_command()]


@contextmanager
def chain(control: Any, fault: str = "", **options: Any) -> Iterator[OcxControl]:
    """`control` as it looks from the other end: a host of ours, the fake OCX, COM, the 32-bit host, its pipe."""
    options = {"now": lambda: NOON} | options
    to_host = options.pop("to_host", command)
    with Host(control) as host:
        with OcxControl(CONTROL, command=to_host(host.address, fault), **options) as ocx:
            yield ocx
        deadline = time.monotonic() + 20
        while host.gateway is not None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    if hasattr(control, "submit"):
        control.submit(lambda: None).result(20)  # after what the host has put away


class Fired:
    """Has a double's `fire` be done when the gateway's slots have been told of the event, as without a way in between;
    and what a double keeps waiting keeps the OCX waiting, which is only asked when it is called.
    """

    def __init__(self, control: Any, ocx: OcxControl) -> None:
        self._ocx, self._fire = ocx, control.fire
        self._waiting: deque[tuple[tuple[str, ...], Future[None]]] = deque()
        self._order = threading.Lock()
        for name in EVENTS:
            getattr(ocx, name).connect(partial(self._told, name))
        control.fire = self.fire
        if hasattr(control, "freeze"):
            self._freeze = control.freeze
            control.freeze = self.freeze

    def fire(self, event: str, *args: Any, **how: Any) -> Future[None]:
        """Fire an event."""
        told: Future[None] = Future()
        with self._order:
            self._waiting.append((_key(event, args), told))
            self._fire(event, *args, **how)
        return told

    def freeze(self) -> None:
        """Let the double answer nobody, and the OCX be in a call of it; one that no double notes."""
        self._freeze()
        self._ocx.submit(self._ocx.GetAPIModulePath)

    def _told(self, name: str, *args: Any) -> None:
        with self._order:
            keys = [key for key, _ in self._waiting]
            if (key := _key(name, args)) not in keys:
                return  # fired in another way
            # Those before it have been told, or never will be: an OCX tells little before a login.
            over = [self._waiting.popleft()[1] for _ in range(keys.index(key) + 1)]
        with contextlib.suppress(RuntimeError):  # closed
            self._ocx.submit(lambda: [each.set_result(None) for each in over])  # after the other slots


def _key(name: str, args: tuple[Any, ...]) -> tuple[str, ...]:
    return (name, *map(str, args))


class Chained:
    """What makes a servicer's test put the whole way between it and its control."""

    def __init__(self, control: Any, **options: Any) -> None:
        self._way = contextlib.ExitStack()
        ocx = self._way.enter_context(chain(control, relogin=False))
        if hasattr(control, "fire"):
            Fired(control, ocx)
        if _logged_in(control):
            _log_in(control, ocx)
        super().__init__(ocx, **options)

    async def __aexit__(self, *caught: Any) -> None:
        try:
            await super().__aexit__(*caught)  # type: ignore[misc]
        finally:
            self._way.close()


def _logged_in(control: Any) -> bool:
    if hasattr(control, "connected"):  # without a call, which a double would note
        return bool(control.connected)
    asked = getattr(control, "GetConnectState", None)
    return asked is not None and hasattr(control, "submit") and control.submit(asked).result(20) == 1


def _log_in(control: Any, ocx: OcxControl) -> None:
    """Log in an OCX before a control that counts as logged in, which no OCX does from the beginning."""
    if not hasattr(control, "fire"):  # of the simulation, which another gateway has logged in
        ocx.submit(ocx.KOA_Functions, "Fake", "log in").result(20)
        return
    control.CommConnect = lambda: 0  # notes nothing
    ocx.submit(ocx.CommConnect).result(20)
    del control.CommConnect
    control.fire("OnEventConnect", 0).result(20)


class ChainedServer(Chained, Server):
    """A server as the servicer's tests make it."""


class ChainedServicer(Chained, KiwoomOpenApiPlusServiceServicer):
    """A servicer of a test that makes its own server."""


def again(name: str, without: Collection[str] = (), **longer: float) -> dict[str, Any]:
    """The tests and fixtures of a file in tests/server, with the whole way to the control in between; `longer` are the
    file's own times, by name, for a way that takes longer."""
    module = load(f"ocx_{name}", ROOT / "tests/server" / f"{name}.py")
    for each, seconds in longer.items():
        assert seconds > getattr(module, each)
        setattr(module, each, seconds)
    for made in (ChainedServer, ChainedServicer):
        if hasattr(module, made.__bases__[-1].__name__):
            setattr(module, made.__bases__[-1].__name__, made)
    unknown = [each for each in without if not hasattr(module, each)]
    assert not unknown, unknown
    fixtures = {key: value for key, value in vars(module).items() if hasattr(value, "_fixture_function_marker")}
    tests = {key: value for key, value in vars(module).items() if key.startswith("test_") and key not in without}
    return fixtures | tests
