"""Frames as bytes: their sizes, their kinds, and where one ends; no socket, no thread, no clock.

`docs/remote.md` describes every byte. What stands in a frame is in `messages`, which all hosts understand, and in
`holding`, which those understand that hold events; `values` has what both are made of.
"""

from __future__ import annotations

import struct
from enum import IntEnum

MAGIC = b"KOAPYCTL"
VERSION = 3
LARGEST = 16 * 1024 * 1024
"""Bytes of a frame, without its length. A page of 600 rows and 30 columns takes a third of one."""
LARGEST_GREETING = 1024
"""The same until the gateway has said HELLO: a stranger makes nobody keep more."""

_SIZE = struct.Struct("<I")


class Kind(IntEnum):
    """What a frame is: its first byte."""

    HELLO = 1
    WELCOME = 2
    REFUSED = 3
    CALL = 4
    RESULT = 5
    TRS = 6
    EVENT = 7
    BEAT = 8
    BYE = 9
    PLAN = 10
    DONE = 11
    RULES = 12
    DIALOG = 13
    BUSY = 14


class FrameError(ValueError):
    """These bytes are no frame, or this cannot be put into one."""


def frame(what: Kind, *parts: bytes) -> bytes:
    """A frame with its size, from the parts of its body.

    Raises:
        FrameError: it is too large.
    """
    body = b"".join(parts)
    size = 1 + len(body)
    if size > LARGEST:
        raise FrameError(f"{what.name} of {size} bytes does not fit a frame: at most {LARGEST}")
    return _SIZE.pack(size) + bytes((what,)) + body


BEAT = frame(Kind.BEAT)


def kind(frame: bytes) -> Kind:
    """What this frame, without its size, is.

    Raises:
        FrameError: nothing known.
    """
    try:
        return Kind(frame[0])
    except ValueError:
        raise FrameError(f"a frame of the unknown kind {frame[0]}") from None


class Splitter:
    """Cuts what comes over a connection into frames."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        """Bytes that a frame may have; may be changed between two calls of `feed`."""
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that are complete now, each from its kind on.

        Raises:
            FrameError: a frame is empty or larger than may be; the connection cannot be used any more.
        """
        rest = self._rest
        rest += data
        frames, start = [], 0
        while len(rest) - start >= _SIZE.size:
            (size,) = _SIZE.unpack_from(rest, start)
            if not 0 < size <= self.largest:
                raise FrameError(f"a frame of {size} bytes; 1 to {self.largest} are possible")
            end = start + _SIZE.size + size
            if len(rest) < end:
                break
            frames.append(bytes(rest[start + _SIZE.size : end]))
            start = end
        del rest[:start]
        return frames
