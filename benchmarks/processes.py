"""The servers' processes: started, told what to do, and looked at from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Subject:
    """A server that can be measured."""

    name: str
    command: tuple[str, ...]

    @property
    def is_gateway(self) -> bool:
        """Whether it is the gateway, not a ceiling."""
        return self.command[0] == "benchmarks.gateway"


SUBJECTS = (
    Subject("koapy", ("benchmarks.gateway",)),
    Subject("bare", ("benchmarks.bare",)),
    Subject("bare-uvloop", ("benchmarks.bare", "--uvloop")),
)
"""The gateway as `koapy.serve` runs it, on uvloop, and the ceilings."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has used until a moment."""

    cpu: float
    """Seconds, of all of its threads."""
    at: float
    """Seconds of the monotonic clock."""

    def share_since(self, before: Used) -> float:
        """The share of one core; 2.0 is two cores."""
        return (self.cpu - before.cpu) / (self.at - before.at)


@dataclass(frozen=True, slots=True)
class Ticks:
    """What the control has done until a moment."""

    ticks: int
    at: float
    """Seconds of the monotonic clock."""
    used: float
    """Seconds of processor that its thread has used."""


class Server:
    """One server in a process of its own."""

    def __init__(self, subject: Subject, *more: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *subject.command, *more],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._to, self._from = self._process.stdin, self._process.stdout
        try:
            self.address: str = self._answer()["address"]
        except ValueError:
            raise RuntimeError(f"{subject.name} has not started") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()  # what is measured is over; a graceful end is the business of the tests
        self._process.wait()
        self._to.close()
        self._from.close()

    def tick(self, rate: float, codes: int = 1) -> Ticks:
        """Have the control tick so many times a second, or FLAT_OUT, or YIELDING; 0: not at all."""
        return self._ask({"rate": rate, "codes": codes})

    def count(self) -> Ticks:
        """What the control has done until now."""
        return self._ask({})

    def used(self) -> Used:
        """The processor's time that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return Used((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), time.monotonic())

    def memory(self) -> float:
        """Kilobytes of memory that it has."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        return float(line.split()[1])

    def _ask(self, command: dict[str, Any]) -> Ticks:
        self._to.write(json.dumps(command) + "\n")
        self._to.flush()
        return Ticks(**self._answer())

    def _answer(self) -> Any:
        return json.loads(self._from.readline())
