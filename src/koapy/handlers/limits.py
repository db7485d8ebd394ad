"""What a client's event handler may use."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerLimits:
    """Limits of one event handler; what does not fit ends its own stream."""

    event_seconds: float = 5.0
    """Seconds that the handler's own code may take for one event; waiting for gateway or client does not count."""
    start_seconds: float = 10.0
    """The same for starting: the process, the code, its imports, `__init__` and `on_enter`."""
    exit_seconds: float = 2.0
    """Seconds, waiting included, for `on_exit` and the callbacks when the client has gone."""
    cpu_seconds: int = 3600
    """Processor seconds in the handler's whole life, threads of its own included."""
    memory: int = 512 * MIB
    """Bytes of address space for each of the handler's processes."""
    file_bytes: int = 16 * MIB
    """Bytes of one file; it can write in its own temporary folder only where the system can hold it to that."""
    open_files: int = 64
    """Files, sockets and pipes open at once."""
    processes: int = 0
    """Processes that it may start; they are killed with it."""
    threads: int = 32
    """Threads that it may have, its own one included; not counted where the gateway runs as root."""
    message_bytes: int = 4 * MIB
    """Bytes of one message or call; also what a client of gRPC takes unless told otherwise."""
    event_messages: int = 10_000
    """Messages that it may give for one event, or before it is ready."""
    log_bytes: int = 64 << 10
    """Bytes of what it prints that go to the gateway's debug log; the rest is dropped."""
    at_once: int = 32
    """Handlers that run at the same time, of all clients together."""
