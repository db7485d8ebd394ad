"""What frames are made of: numbers, texts, tables, and the values of arguments and results."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from koapy.remote.frames import FrameError, Kind, kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from koapy.control.reads import Value

NUMBER = struct.Struct("<I")
SHORT = struct.Struct("<H")
BYTE = struct.Struct("<B")
INTEGER = struct.Struct("<q")
_SIZES = struct.Struct("<II")

_NONE, _INT, _STR, _BOOL, _ROWS = range(5)
_NONE_TAG, _INT_TAG, _STR_TAG, _BOOL_TAG, _ROWS_TAG = (bytes((tag,)) for tag in range(5))
_ENDED = "\0"


def text(given: str) -> bytes:
    """A text.

    Raises:
        FrameError: UTF-8 cannot hold it.
    """
    try:
        data = given.encode()
    except UnicodeEncodeError as error:
        raise FrameError(f"text that UTF-8 cannot hold: {error}") from None
    return NUMBER.pack(len(data)) + data


def texts(given: Iterable[str]) -> bytes:
    """Many short texts, each ended by a zero byte: one piece to decode, however many there are.

    Raises:
        FrameError: one of them has such a byte.
    """
    listed = list(given)
    joined = "".join(f"{each}{_ENDED}" for each in listed)
    if joined.count(_ENDED) != len(listed):
        raise FrameError("a zero byte in a text of a list")
    data = joined.encode()
    return _SIZES.pack(len(listed), len(data)) + data


def table(given: Mapping[str, str]) -> bytes:
    """Texts by name."""
    return texts(given.keys()) + texts(given.values())


def value(given: Value) -> bytes:
    """An argument, or what a function returned.

    Raises:
        FrameError: no frame can hold it.
    """
    if isinstance(given, str):
        return _STR_TAG + text(given)
    if given is None:
        return _NONE_TAG
    # A bool is an int as well, so it comes first.
    if isinstance(given, bool):
        return _BOOL_TAG + BYTE.pack(given)
    if isinstance(given, int):
        try:
            return _INT_TAG + INTEGER.pack(given)
        except struct.error:
            raise FrameError(f"{given} does not fit 64 bits") from None
    if isinstance(given, list | tuple):
        return _ROWS_TAG + NUMBER.pack(len(given)) + b"".join(texts(map(str, row)) for row in given)
    raise FrameError(f"a {type(given).__name__} cannot be sent: integers, texts, booleans and rows of texts can")


def values(given: Sequence[Value]) -> bytes:
    """Arguments."""
    if len(given) > 255:  # their number is one byte
        raise FrameError(f"{len(given)} arguments; at most 255")
    return BYTE.pack(len(given)) + b"".join(map(value, given))


class Reader:
    """Reads a frame from its kind on; each method raises FrameError where the frame is too short or says nonsense."""

    def __init__(self, frame: bytes, expected: Kind) -> None:
        if frame[0] != expected:
            raise FrameError(f"{kind(frame).name} where {expected.name} was expected")
        self._frame = frame
        self._at = 1

    def unpack(self, form: struct.Struct) -> int:
        """The next number, or numbers of which the first counts."""
        try:
            found: int = form.unpack_from(self._frame, self._at)[0]
        except struct.error:
            raise FrameError("a frame ends in the middle of a number") from None
        self._at += form.size
        return found

    def number(self) -> int:
        """A u32."""
        return self.unpack(NUMBER)

    def short(self) -> int:
        """A u16."""
        return self.unpack(SHORT)

    def byte(self) -> int:
        """A u8."""
        return self.unpack(BYTE)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        found = self._frame[self._at : self._at + size]
        if len(found) != size:
            raise FrameError("a frame ends in the middle of a text")
        self._at += size
        return found

    def text(self) -> str:
        """A text."""
        return _decoded(self.take(self.number()))

    def texts(self) -> list[str]:
        """A list of texts."""
        return split(*self.raw_texts())

    def raw_texts(self) -> tuple[int, bytes]:
        """A list of texts that is not taken apart: how many, and their bytes, for `split`."""
        return self.number(), self.take(self.number())

    def table(self) -> dict[str, str]:
        """Texts by name."""
        names, found = self.texts(), self.texts()
        if len(names) != len(found):
            raise FrameError(f"{len(found)} values for {len(names)} names")
        return dict(zip(names, found, strict=True))

    def value(self) -> Value:
        """An argument, or what a function returned."""
        tag = self.byte()
        if tag == _STR:
            return self.text()
        if tag == _INT:
            return self.unpack(INTEGER)
        if tag == _NONE:
            return None
        if tag == _BOOL:
            return bool(self.byte())
        if tag == _ROWS:
            return [self.texts() for _ in range(self.number())]
        raise FrameError(f"a value of the unknown kind {tag}")

    def values(self) -> tuple[Value, ...]:
        """Arguments."""
        return tuple([self.value() for _ in range(self.byte())])

    def end(self) -> None:
        """There must be nothing more."""
        if self._at != len(self._frame):
            raise FrameError(f"{len(self._frame) - self._at} bytes too many in a frame")


def split(count: int, joined: bytes) -> list[str]:
    """A list of texts, from how many there are and their bytes.

    Raises:
        FrameError: there are fewer, or more.
    """
    found = _decoded(joined).split(_ENDED)
    if found.pop() or len(found) != count:
        raise FrameError(f"a list of {count} texts has {len(found)}")
    return found


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FrameError(f"text that is no UTF-8: {error}") from None
