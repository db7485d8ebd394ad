"""What keeps a handler's process from the rest of the machine. Linux has most of it; elsewhere there are only limits.

Called in the worker, in this order, before any code of the client's: from then on the process and whatever it starts
can do less, and nothing in it can undo that.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from koapy.handlers import files, syscalls

if TYPE_CHECKING:
    from koapy.handlers.limits import HandlerLimits

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CAPABILITY_VERSION_3 = 0x20080522
NICENESS = 10
"""A handler that computes leaves the processor to the gateway."""


def confine(limits: HandlerLimits, folder: str) -> list[str]:
    """Confine this process for good, and say by what."""
    by = ["limits"]
    os.nice(NICENESS)
    linux = sys.platform == "linux"
    if linux:
        _die_with_parent()
        # When memory runs out, this process goes first.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
    tasks = _tasks_of_this_user() if linux else 0
    _limit(limits, tasks)
    if linux:
        _drop_privileges()
        by += [name for name, done in (("files", files.restrict(folder)), ("calls", syscalls.restrict(limits))) if done]
    return by


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _die_with_parent() -> None:
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _tasks_of_this_user() -> int:
    """Processes and threads that count against the user's limit already."""
    count, user = 0, os.getuid()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == user:
                count += len(os.listdir(entry / "task"))  # noqa: PTH208  no need for paths
    return count


def _limit(limits: HandlerLimits, tasks: int) -> None:
    wanted = {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 1),
        resource.RLIMIT_FSIZE: (limits.file_bytes, limits.file_bytes),
        resource.RLIMIT_NOFILE: (limits.open_files, limits.open_files),
        resource.RLIMIT_AS: (limits.memory, limits.memory),
    }
    if tasks:
        room = tasks + limits.processes + limits.threads
        wanted[resource.RLIMIT_NPROC] = (room, room)
    for which, (soft, hard) in wanted.items():
        now = resource.getrlimit(which)[1]
        if now != resource.RLIM_INFINITY:
            soft, hard = min(soft, now), min(hard, now)
        # macOS knows no limit of address space.
        with suppress(ValueError, OSError):
            resource.setrlimit(which, (soft, hard))


def _drop_privileges() -> None:
    """Nothing that is run gains rights, and those of root are gone, so that limits hold for root too."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    library = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    if library.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset failed")
