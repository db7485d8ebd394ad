"""One connection that carries frames: what comes is handed on, what goes is queued, and silence ends it.

Nobody who sends waits: a control's thread must not hang on a gateway that does not read. What cannot be sent in time
ends the connection instead.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from koapy.remote.frames import BEAT, LARGEST, FrameError, Splitter

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 256 * 1024
DO_NOT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When a connection is taken to be dead."""

    beat_seconds: float = 1.0
    """Seconds between two signs of life."""
    silent_seconds: float = 10.0
    """Seconds of silence after which the other side is taken to be dead."""
    queue_bytes: int = 64 * 1024 * 1024
    """Bytes that may wait for the other side to read them, or, having been read, to be told on this side."""


class Stream(Protocol):
    """What frames go over: a socket, or a pair of pipes."""

    def read(self) -> bytes:
        """Wait for bytes; none when the other side has closed."""
        ...

    def write(self, data: bytes) -> None:
        """Write all of it, waiting as long as it takes."""
        ...

    def try_write(self, data: bytes) -> int:
        """Write what goes without waiting, and give how many bytes that was; 0 where that cannot be known before.

        Raises:
            OSError: the other side reads no more.
        """
        ...

    def close(self) -> None:
        """End both directions; those who wait in `read` or `write` come back."""
        ...


class SocketStream:
    """Frames over a TCP socket."""

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(None)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connected

    def read(self) -> bytes:
        """Wait for bytes."""
        return self._socket.recv(CHUNK)

    def write(self, data: bytes) -> None:
        """Write all of it."""
        self._socket.sendall(data)

    def try_write(self, data: bytes) -> int:
        """Write what goes without waiting."""
        try:
            return self._socket.send(data, DO_NOT_WAIT) if DO_NOT_WAIT else 0
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """End both directions."""
        with suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Link:
    """A connection and its two threads.

    Args:
        stream: what the frames go over; the link closes it.
        received: called with the frames that have come, on the reading thread. A FrameError ends the connection.
        ended: called once, with the reason, on whichever thread found it.
        largest: bytes that a frame from the other side may have.
        pace: when the other side is taken to be dead.
    """

    def __init__(
        self,
        stream: Stream,
        received: Callable[[list[bytes]], object],
        ended: Callable[[str], object],
        *,
        largest: int = LARGEST,
        pace: Pace,
    ) -> None:
        self._stream = stream
        self._received = received
        self._told = ended
        self._pace = pace
        self._splitter = Splitter(largest)
        self._changed = threading.Condition()
        self._queue: list[bytes] = []
        self._queued = 0
        self._idle = True
        """Whether nothing waits to be written, and nothing is being written."""
        self._last: str | None = None
        """Why the connection ends once the queue is written."""
        self._reason: str | None = None
        self._heard = self._beaten = time.monotonic()

    def start(self) -> None:
        """Begin to read and write."""
        for name, run in (("koapy-link-reader", self._read), ("koapy-link-writer", self._write)):
            threading.Thread(target=run, name=name, daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether the connection has ended, or ends with what is written now."""
        return self._reason is not None or self._last is not None

    def admit(self) -> None:
        """The other side is known: it may send frames of full size."""
        self._splitter.largest = LARGEST

    def send(self, frame: bytes) -> None:
        """Send a frame, soon; after the end nothing happens. Never waits."""
        reason = ""
        with self._changed:
            if self.over:
                return
            if self._idle:  # what can be written here and now needs no other thread
                try:
                    frame = frame[self._stream.try_write(frame) :]
                except OSError as error:
                    reason = str(error)
            if frame and not reason:
                self._queue.append(frame)
                self._queued += len(frame)
                self._idle = False
                self._changed.notify()
                if self._queued > self._pace.queue_bytes:
                    reason = f"the other side does not read: {self._queued} bytes wait for it"
        if reason:
            self.end(reason)

    def finish(self, frame: bytes, reason: str) -> None:
        """Send this frame and end the connection."""
        self.send(frame)
        with self._changed:
            if self._last is None:
                self._last = reason
            self._changed.notify()

    def end(self, reason: str) -> None:
        """End the connection; harmless twice."""
        with self._changed:
            if self._reason is not None:
                return
            self._reason = reason
            self._queue.clear()
            self._changed.notify()
        self._stream.close()
        self._told(reason)

    def beat(self) -> None:
        """Give a sign of life when it is time, and end the connection when none has come; to be called often."""
        now = time.monotonic()
        if now - self._heard > self._pace.silent_seconds:
            self.end(f"nothing was heard for {self._pace.silent_seconds:g} s")
        elif now - self._beaten >= self._pace.beat_seconds:
            self._beaten = now
            self.send(BEAT)

    def _read(self) -> None:
        reason = "the other side has ended the connection"
        try:
            while data := self._stream.read():
                self._heard = time.monotonic()
                frames = self._splitter.feed(data)
                if frames:
                    self._received(frames)
        except FrameError as error:
            reason = f"what came is not the protocol: {error}"
        except OSError as error:
            reason = str(error)
        self.end(reason)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._idle = not self._queue
                while not (self._queue or self._last or self._reason):
                    self._changed.wait()
                waiting, self._queue = self._queue, []
                self._queued = 0
                last = self._last
                if self._reason is not None:
                    return
            try:
                if waiting:
                    self._stream.write(b"".join(waiting))
            except OSError as error:
                self.end(str(error))
                return
            if last is not None and not self._queue:
                self.end(last)
                return


def loopback(address: str) -> tuple[str, int]:
    """Host and port of an address such as 127.0.0.1:5950, which must be this machine's own.

    Raises:
        ValueError: the address is another machine's, where frames would be open to everybody on the way, or none.
    """
    host, _, port = address.rpartition(":")
    with suppress(ValueError):
        if ipaddress.ip_address(host.strip("[]")).is_loopback and 0 <= int(port) < 65536:
            return host.strip("[]"), int(port)
    raise ValueError(
        f"{address!r} is no address of this machine: frames are neither encrypted nor authenticated; use 127.0.0.1:PORT"
    )
