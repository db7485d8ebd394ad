"""Landlock: the files that a handler may read, and its own folder, the only place where it may write."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
TRUNCATE, DEVICE_CONTROL = 1 << 14, 1 << 15
READING = EXECUTE | READ_FILE | READ_DIR
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | DEVICE_CONTROL
TCP = 3
"""Binding and connecting."""
SCOPES = 3
"""Abstract sockets of, and signals to, processes outside."""

SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/dev/urandom",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
)


def restrict(folder: str) -> bool:
    """Let this process read programs and libraries and write in `folder`; False where the system cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    edition = library.syscall(CREATE_RULESET, None, 0, 1)
    if edition < 1:
        return False
    # Each edition knows more rights; what is handled and not allowed by a rule is refused.
    handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(edition, 16)) - 1
    attributes = struct.pack("=Q", handled)
    if edition >= 4:
        attributes += struct.pack("=Q", TCP)
    if edition >= 6:
        attributes += struct.pack("=Q", SCOPES)
    rules = library.syscall(CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False
    for path in (*SYSTEM, *programs()):
        _allow(library, rules, path, READING & handled)
    _allow(library, rules, "/dev/null", (READ_FILE | WRITE_FILE) & handled)
    _allow(library, rules, folder, handled)
    restricted = bool(library.syscall(RESTRICT_SELF, rules, 0) == 0)
    os.close(rules)
    return restricted


def programs() -> list[str]:
    """Where Python and its packages are; not every entry of `sys.path`, which may be somebody's home."""
    return [sys.prefix, sys.base_prefix, *(entry for entry in sys.path if is_library(entry))]


def is_library(entry: str) -> bool:
    """Whether this entry of `sys.path` holds packages, or this one."""
    path = Path(entry)
    if not path.is_absolute():
        return False
    inside = any(path.is_relative_to(prefix) for prefix in (sys.prefix, sys.base_prefix))
    return inside or path.name in {"site-packages", "dist-packages"} or (path / "koapy" / "__init__.py").is_file()


def _allow(library: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    with suppress(OSError):  # what is not there needs no rule
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not Path(path).is_dir():
                rights &= OF_A_FILE
            library.syscall(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
        finally:
            os.close(descriptor)
