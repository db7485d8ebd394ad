"""A gateway under watch, in a process of its own: serves a simulation, and says what it has taken whenever it is asked.

On standard input: one JSON object that says how to be (`Host` lists the words), then a command a line; on standard
output an answer a line, JSON too; `answer` has the commands. The end of the input ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import logging
import os
import subprocess
import sys
import threading
import time
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")
START_SECONDS = 60.0
ANSWER_SECONDS = 60.0


class HostGone(Exception):
    """The process has ended, or does not answer; the text has its last words."""


class Host:
    """The process, seen from outside; a context manager.

    Args:
        control: keyword arguments of SimulatedControl; `start`, in ISO form, is when its clock begins.
        settings: keyword arguments of Settings; without limits unless they say so.
        journal: of the orders, or None.
        environment: added to the process's.
        wrapper: a command in front of it, such as unshare or nsenter.
        host, port: where it listens.
        idle: seconds after which a client that is silent and has no stream loses what it has called for.
        tokens: file of the tokens; None: everybody may do everything.
        open_to_all: listen off loopback without any of that; for a namespace in which there is nobody else.
    """

    def __init__(
        self,
        *,
        control: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        journal: Path | None = None,
        environment: dict[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        idle: float = 1.0,
        tokens: Path | None = None,
        open_to_all: bool = False,
    ) -> None:
        self._how = {
            "control": control or {},
            "settings": settings or {},
            "journal": None if journal is None else str(journal),
            "host": host,
            "port": port,
            "idle": idle,
            "tokens": None if tokens is None else str(tokens),
            "open_to_all": open_to_all,
        }
        # With an arena for each of grpc's threads, glibc keeps a part of what was freed in each of them: no leak, but
        # enough to hide one.
        own = {"PYTHONIOENCODING": "utf-8", "MALLOC_ARENA_MAX": "1"}
        self._environment = os.environ | own | (environment or {})
        self._wrapper = wrapper
        self.address = ""
        self.ready: dict[str, Any] = {}
        """What the process said of itself when it listened: address, codes, accounts, and a price in won (`low`) at
        which a purchase of the first code is taken and stays open."""

    def start(self) -> Self:
        """Start it; returns when it listens."""
        command = [*self._wrapper, sys.executable, str(Path(__file__).resolve())]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=self._environment,
        )
        self._log: list[str] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.ready = self._ask(json.dumps(self._how), START_SECONDS)
        self.address = str(self.ready["address"])
        return self

    __enter__ = start

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has written to standard error."""
        return "".join(self._log[-200:])

    def ask(self, command: str, *words: object) -> dict[str, Any]:
        """Give a command and wait for its answer."""
        return self._ask(json.dumps([command, *words]), ANSWER_SECONDS)

    def look(self) -> dict[str, Any]:
        """What it holds now."""
        return self.ask("look")

    def statistics(self) -> dict[str, int]:
        """What the gateway has taken now; told also while the market's thread is busy."""
        return self.ask("statistics")

    def stop(self, seconds: float = 30.0) -> int:
        """Let it end in peace; its exit code."""
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise HostGone(f"it did not stop within {seconds:g} s\n{self.log}") from None

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        elif self._process.poll() is None:
            code = self.stop()
            if code:
                raise HostGone(f"it ended with {code}\n{self.log}")
        assert self._process.stdout
        self._process.stdout.close()

    def _ask(self, line: str, seconds: float) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        watchdog = threading.Timer(seconds, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            watchdog.cancel()
        if not answer:
            code = self._process.wait(5)
            self._reader.join(5)
            raise HostGone(f"it is gone or did not answer within {seconds:g} s (exit code {code})\n{self.log}")
        told: dict[str, Any] = json.loads(answer)
        return told

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._log.append(line)
            del self._log[:-2000]


class Watch:
    """Inside the process: counts what must not happen, and how late the loop is."""

    def __init__(self) -> None:
        self.bugs: list[str] = []
        self.late = 0.0
        told = logging.Logger.error

        def error(logger: logging.Logger, text: object, *args: Any, **more: Any) -> None:
            # Not by a handler: SetLogLevel, which is fuzzed too, could silence that. What grpc itself reports, of
            # metadata that it cannot read and of clients that are gone, is nobody's bug; the loop's come another way.
            if not logger.name.startswith(("asyncio", "grpc.")) or "Unexpected" in str(text):
                self.note(f"{logger.name}: {str(text) % args if args else text}: {sys.exception()!r}")
            told(logger, text, *args, **more)

        logging.Logger.error = error  # type: ignore[method-assign, assignment]

    def note(self, text: str) -> None:
        """Keep the first few in full."""
        self.bugs.append(text[:2000] if len(self.bugs) < 50 else "...")

    def unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the loop would only log."""
        self.note(f"asyncio: {context.get('message')}: {context.get('exception')!r}")
        loop.default_exception_handler(context)

    async def measure(self) -> None:
        """How late a timer of 20 ms is."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.02
            await asyncio.sleep(0.02)
            self.late = max(self.late, loop.time() - due)


def objects() -> int:
    """How many objects there are, without what the simulated market remembers of its day.

    Runs on the market's thread while the loop waits: whoever holds a tuple that another thread is making breaks it.
    """
    return sum(not str(type(each).__module__).startswith("koapy.simulation") for each in gc.get_objects())


def look(control: Any, watch: Watch, statistics: dict[str, int]) -> dict[str, Any]:
    """What this process holds."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # give free memory back, so that what is left is what is held
        ctypes.CDLL(None).malloc_trim(0)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    late, watch.late = watch.late, 0.0
    return {
        "statistics": statistics,
        "tasks": len(asyncio.all_tasks()),
        "threads": int(status["Threads"]),
        "fds": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "rss": int(status["VmRSS"].split()[0]) * 1024,
        "objects": control.submit(objects).result(),
        "late": late,
        "bugs": list(watch.bugs),
        "cpu": time.process_time(),
    }


def make_control(words: dict[str, Any]) -> Any:
    """The simulation."""
    from koapy.simulation.clock import RealTimeClock
    from koapy.simulation.control import SimulatedControl
    from koapy.simulation.session import PerSecond

    if start := words.pop("start", None):
        words["clock"] = RealTimeClock(datetime.fromisoformat(start), words.pop("speed", 1.0))
    control = SimulatedControl(**words)
    session = control._login._session
    # The server behind a control refuses the sixth request of a second; what is tried here is the gateway.
    session.queries, session.orders = PerSecond(10**9), PerSecond(10**9)
    return control


async def on_control(control: Any, function: Callable[..., T], *args: Any) -> T:
    """What a function returns on the control's thread."""
    returned: T = await asyncio.wrap_future(control.submit(function, *args))
    return returned


async def known(control: Any) -> dict[str, Any]:
    """What a client needs to know of the market."""
    from koapy.openapi.market import round_to_tick

    accounts = await on_control(control, control.GetLoginInfo, "ACCNO")
    codes = (await on_control(control, control.GetCodeListByMarket, "0")).strip(";").split(";")
    last = await on_control(control, control.GetMasterLastPrice, codes[0])
    low = round_to_tick("KOSPI", int(last) * 3 // 4, date(2026, 3, 4))
    return {"accounts": accounts.strip(";").split(";"), "codes": codes, "low": low}


async def answer(control: Any, server: Any, watch: Watch, command: str, words: list[Any]) -> dict[str, Any]:
    """Do what was asked."""
    if command == "statistics":
        return server.statistics()  # type: ignore[no-any-return]
    if command == "look":
        return look(control, watch, server.statistics())
    if command == "orders":
        return {"orders": await on_control(control, lambda: len(control.world.order_screens))}
    if command == "busy":
        control.submit(time.sleep, *words)
        return {}
    if command == "call":
        name, *args = words
        return {"value": await on_control(control, getattr(control, name), *args)}
    if command == "time":
        return {"time": await on_control(control, lambda: control.world.clock.now().isoformat())}
    raise ValueError(f"no command {command!r}")


async def serve(how: dict[str, Any]) -> None:
    """Serve until the input ends."""
    from koapy.orders.rules import RiskLimits, RiskRules
    from koapy.server import Server, Settings, clients
    from koapy.server.security import Security

    watch = Watch()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(watch.unhandled)
    control = make_control(how["control"])
    unlimited: dict[str, Any] = {"tr_windows": (), "order_windows": (), "condition_windows": ()}
    given = unlimited | how["settings"]
    if "risk" in given:
        given["risk"] = RiskRules(everybody=RiskLimits(**given["risk"]["everybody"]))
    settings = Settings(**given)
    security = Security(tokens=how["tokens"] and Path(how["tokens"]), insecure_off_loopback=how["open_to_all"])
    clients.IDLE_SECONDS = how["idle"]  # a test need not wait a minute for what a silent client has called for
    journal = how["journal"] and Path(how["journal"])
    measuring = asyncio.create_task(watch.measure())
    try:
        await on_control(control, control.CommConnect)
        while not await on_control(control, control.GetConnectState):
            await asyncio.sleep(0.01)
        async with Server(control, how["host"], how["port"], settings, journal=journal, security=security) as server:
            say({"address": server.address} | await known(control))
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                command, *words = json.loads(line)
                say(await answer(control, server, watch, command, words))
    finally:
        measuring.cancel()
        control.close()


def say(answer: dict[str, Any]) -> None:
    """One line of answer."""
    print(json.dumps(answer, ensure_ascii=True), flush=True)


def main() -> None:
    """Run as the process."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(json.loads(sys.stdin.readline())))


if __name__ == "__main__":
    main()
