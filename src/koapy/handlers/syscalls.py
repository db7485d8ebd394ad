"""seccomp: the system calls that a handler has no business with answer EPERM.

They are those that start processes, reach other processes, or open a way out of the machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from koapy.handlers.limits import HandlerLimits

PR_SET_SECCOMP, FILTER_MODE = 22, 2
ALLOW, KILL_PROCESS, ANSWER = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
"""Where they are in what the filter sees; of the argument the lower half, on a little-endian machine."""
CLONE_THREAD = 0x10000
FOREIGN_CALLS = 0x40000000
"""x86-64's calls with 32-bit pointers begin here, under numbers of their own."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """The numbers of one machine's system calls."""

    mark: int
    """AUDIT_ARCH_*."""
    forbidden: tuple[int, ...]
    own_process_only: tuple[int, ...]
    """Those whose first argument is a process."""
    start: tuple[int, ...]
    """Those that start or become another program."""
    clone: int


# The same everywhere: pidfd_send_signal, io_uring_setup, pidfd_open, pidfd_getfd, process_madvise
COMMON = (424, 425, 434, 438, 440)
CLONE3 = 435

ARCHITECTURES = {
    "x86_64": Architecture(
        mark=0xC000003E,
        # socket, ptrace, process_vm_readv, process_vm_writev, tkill, unshare, setns, kcmp, perf_event_open,
        # userfaultfd, add_key, request_key, keyctl, setpriority, sched_setparam, sched_setscheduler,
        # sched_setaffinity, ioprio_set, sched_setattr
        forbidden=(41, 101, 310, 311, 200, 272, 308, 312, 298, 323, 248, 249, 250, 141, 142, 144, 203, 251, 314),
        # kill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo
        own_process_only=(62, 234, 129, 297),
        # fork, vfork, execve, execveat
        start=(57, 58, 59, 322),
        clone=56,
    ),
    "aarch64": Architecture(
        mark=0xC00000B7,
        forbidden=(198, 117, 270, 271, 130, 97, 268, 272, 241, 282, 217, 218, 219, 140, 118, 119, 122, 30, 274),
        own_process_only=(129, 131, 138, 240),
        start=(221, 281),
        clone=220,
    ),
}
PRLIMIT = {"x86_64": 302, "aarch64": 261}


def restrict(limits: HandlerLimits) -> bool:
    """Forbid these calls to this process and all it starts; False on a machine whose numbers are not known here."""
    machine = ARCHITECTURES.get(platform.machine())
    if machine is None:
        return False
    program = _program(machine, PRLIMIT[platform.machine()], may_start=limits.processes > 0)
    code = b"".join(program)
    buffer = ctypes.create_string_buffer(code)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    head = Program(len(program), ctypes.addressof(buffer))
    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.prctl(PR_SET_SECCOMP, FILTER_MODE, ctypes.byref(head), 0, 0) == 0)


def _program(machine: Architecture, prlimit: int, *, may_start: bool) -> list[bytes]:
    refuse = _line(RETURN, ANSWER | errno.EPERM)
    lines = [
        _line(LOAD, ARCHITECTURE),
        _line(EQUAL, machine.mark, 1, 0),
        _line(RETURN, KILL_PROCESS),
        _line(LOAD, NUMBER),
        _line(AT_LEAST, FOREIGN_CALLS, 0, 1),
        refuse,
    ]
    for number in (*machine.forbidden, *COMMON, *(() if may_start else machine.start)):
        lines += [_line(EQUAL, number, 0, 1), refuse]
    # Arguments behind a pointer cannot be looked at: the C library then falls back to clone.
    lines += [_line(EQUAL, CLONE3, 0, 1), _line(RETURN, ANSWER | errno.ENOSYS)]
    if not may_start:
        flags = [_line(LOAD, FIRST_ARGUMENT), _line(ANY_BIT, CLONE_THREAD, 1, 0), refuse, _line(RETURN, ALLOW)]
        lines += [_line(EQUAL, machine.clone, 0, len(flags)), *flags]
    for numbers, allowed in ((machine.own_process_only, (os.getpid(),)), ((prlimit,), (0, os.getpid()))):
        for number in numbers:
            check = [_line(LOAD, FIRST_ARGUMENT)]
            for index, process in enumerate(allowed):
                check.append(_line(EQUAL, process, len(allowed) - index, 0))
            check += [refuse, _line(RETURN, ALLOW)]
            lines += [_line(EQUAL, number, 0, len(check)), *check]
    return [*lines, _line(RETURN, ALLOW)]


def _line(code: int, value: int, jump_if: int = 0, jump_else: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_if, jump_else, value)
