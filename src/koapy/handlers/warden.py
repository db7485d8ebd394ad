"""The process between the gateway and a handler's worker: whatever happens, nothing of the worker is left behind.

It watches two things: its standard input, a pipe whose other end only the gateway has and which closes when the gateway
lets go of the handler or dies, and the worker. When either ends it kills and reaps everything below itself, removes the
handler's folder, and exits as the worker did. It holds no data of anybody.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from koapy.handlers.confine import confine, prctl
from koapy.handlers.folder import remove
from koapy.handlers.limits import HandlerLimits
from koapy.handlers.worker import work

PR_SET_CHILD_SUBREAPER = 36
SWEEP_SECONDS = 5.0
KILLED = 128
"""Added to the number of the signal that ended the worker."""


def main(connection: int, folder: str, limits: str) -> NoReturn:
    """Start the worker and outlive it."""
    linux = sys.platform == "linux"
    if linux:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGCHLD, lambda *_: None)
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, end)
    worker = os.fork()
    if not worker:
        _become_worker(connection, folder, HandlerLimits(**json.loads(limits)), (wake, woken))
    os.close(connection)
    status: int | None = None
    while status is None and not ended:
        ready, _, _ = select.select([0, wake], [], [])
        ended = ended or 0 in ready
        if wake in ready:
            os.read(wake, 512)
        status = _reap(worker)
    late = _sweep(worker)
    status = late if status is None else status
    remove(folder)
    os._exit(_code(status))


def _become_worker(connection: int, folder: str, limits: HandlerLimits, unwanted: tuple[int, int]) -> NoReturn:
    """Leave everything of the warden behind, and run the client's code."""
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for each in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)
        for descriptor in unwanted:
            os.close(descriptor)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        sys.dont_write_bytecode = True
        # Python's -c has left the arguments there.
        sys.argv[:] = ["handler"]
        with socket.socket(fileno=connection) as channel:
            work(channel, confine(limits, folder))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
        os._exit(code)


def _reap(worker: int) -> int | None:
    """Bury who has died, orphans of the worker's too; the worker's status if it was among them."""
    status = None
    with suppress(ChildProcessError):
        while True:
            process, ended = os.waitpid(-1, os.WNOHANG)
            if not process:
                break
            if process == worker:
                status = ended
    return status


def _sweep(worker: int) -> int | None:
    """Kill and bury everything below; the worker's status if that is when it died."""
    status = None
    deadline = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < deadline:
        below = descendants(os.getpid()) if sys.platform == "linux" else []
        # First held, so that what forks faster than it is looked for stays what it is.
        for process in below:
            _signal(process, signal.SIGSTOP)
        for process in below:
            _signal(process, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)
        found = _reap(worker)
        status = found if status is None else status
        with suppress(ChildProcessError):
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            time.sleep(0.002)  # somebody is left: the kernel is not through with killing
            continue
        break
    return status


def _signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)


def descendants(ancestor: int) -> list[int]:
    """All processes below this one, in /proc's order."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208  only names are wanted
        if entry.isdigit():
            with suppress(OSError):
                # The name of the program stands in brackets and may hold anything.
                text = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
                parents[int(entry)] = int(text.rpartition(")")[2].split()[1])
    below, last = {ancestor}, 0
    while len(below) > last:
        last = len(below)
        below |= {process for process, parent in parents.items() if parent in below}
    return sorted(below - {ancestor})


def _code(status: int | None) -> int:
    if status is None:
        return KILLED + signal.SIGKILL
    if os.WIFSIGNALED(status):
        return KILLED + os.WTERMSIG(status)
    return min(os.WEXITSTATUS(status), KILLED - 1)
