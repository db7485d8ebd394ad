"""The rows of an answer as GetCommDataEx gives them at once, encoded where they are read, without touching each cell.

A page of 600 x 15 cells costs a message object for each row and a text for each cell, or one long text and some passes
over its bytes. The encoding is protobuf's own, byte for byte.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from threading import Event
from typing import TYPE_CHECKING, Any

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    Rows = Sequence[Sequence[str]]
    Array = np.ndarray[Any, Any]

CELL, ROW = "\n\0", "\x12\1\n\0"
"""What protobuf has before a cell and before a row's first cell: tags and, still to be filled in, lengths."""
BEFORE_ROW = len(ROW) - len(CELL)
SPACE = 0x20
LONGEST, LONGEST_ROW = 0x7F, 0x3FFF
"""Bytes of a length that fits into one byte, and into two."""
BEGIN_SPACES = (b"\xc2", b"\xe1", b"\xe2", b"\xe3")
"""The first bytes of white space that is no ASCII, and of other characters, which are no Hangul syllables."""
NUMPY = "numpy"
LARGE = 2**23
"""Bytes, more than encoding a page takes."""
SMALL = 500
"""Cells that are encoded one by one: fewer than this are not worth an array."""

prepared = Event()
"""Whether `prepare` has been called."""


class Page:
    """Rows of one width, encoded."""

    def __init__(self, names: tuple[str, ...], multi: bytes) -> None:
        self.names = names
        self.multi = multi
        """All rows as the field of an event's multi data, their cells stripped."""

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The cells, stripped."""
        return tuple(tuple(row.values) for row in pb.ListenResponse.FromString(self.multi).multi_data.values)


def prepare() -> None:
    """Load what large pages need, which takes a tenth of a second; who only orders, or streams, has no use for it."""
    import_module(NUMPY)
    # glibc gives memory that has been freed back to the system, and takes it anew for the next page, unless blocks of
    # such a size have been seen to come and go.
    bytes(LARGE)
    prepared.set()


def page(names: tuple[str, ...], rows: Rows) -> Page | None:
    """The rows as they are at this moment; None where they are not as long as the names, or a cell is no text.

    Raises:
        UnicodeEncodeError: a cell holds what no UTF-8 can.
    """
    if set(map(len, rows)) != {len(names)}:
        return None
    try:
        return Page(names, encoding.multi(encoding.names(names), _at_once(rows) or _one_by_one(rows)))
    except TypeError:
        return None


def _one_by_one(rows: Rows) -> bytes:
    message = pb.MultiData()
    add = message.values.add
    for row in rows:
        add().values.extend(map(str.strip, row))
    encoded: bytes = message.SerializeToString()
    return encoded


def _at_once(rows: Rows) -> bytes | None:
    """The rows encoded; None for few, and where a cell is long or holds a zero."""
    width = len(rows[0])
    if len(rows) * width < SMALL:
        return None
    import numpy as np

    data = _stripped(rows)
    (at,) = (data == 0).nonzero()
    if at.size != len(rows) * width:
        return None
    lengths = _distances(at, data.size + BEFORE_ROW + 1) - len(CELL)
    lengths[width - 1 :: width] -= BEFORE_ROW
    starts = at[::width] - BEFORE_ROW
    sizes = _distances(starts, data.size + 1) - BEFORE_ROW
    if lengths.max() > LONGEST or sizes.max() > LONGEST_ROW:
        return None
    data[at] = lengths
    long = sizes > LONGEST
    if not long.any():
        data[starts] = sizes
        return data.tobytes()
    data[starts] = np.where(long, sizes & LONGEST | 0x80, sizes)
    return np.insert(data, starts[long] + 1, sizes[long] >> 7).tobytes()


def _stripped(rows: Rows) -> Array:
    """The rows as one text, without the blanks around their cells."""
    import numpy as np

    text = _joined(rows)
    raw = text.encode()
    data = np.frombuffer(bytearray(raw.translate(None, b" ")), np.uint8)
    others = (len(CELL) * len(rows[0]) + BEFORE_ROW) * len(rows)
    is_narrow = text.isascii() or not any(each in raw for each in BEGIN_SPACES)
    if not (is_narrow and _is_plain(np.frombuffer(raw, np.uint8), data, others)):
        text = _joined([[cell.strip() for cell in row] for row in rows])
        data = np.frombuffer(bytearray(text.encode()), np.uint8)
    return data


def _joined(rows: Rows) -> str:
    return ROW + ROW.join(map(CELL.join, rows))


def _is_plain(raw: Array, data: Array, others: int) -> bool:
    """Whether no blank was inside a cell, and no other white space of ASCII is there.

    Args:
        raw, data: with and without blanks.
        others: how many bytes are no part of a cell.
    """
    import numpy as np

    was_shown, shown = raw > SPACE, data > SPACE
    # As many runs of characters as before: then none of them was in two parts.
    before, after = (np.count_nonzero(each[1:] > each[:-1]) for each in (was_shown, shown))
    return bool(before == after and data.size - np.count_nonzero(shown) == others)


def _distances(at: Array, end: int) -> Array:
    """From each of these to the next one, and from the last one to the end."""
    import numpy as np

    distances = np.empty_like(at)
    np.subtract(at[1:], at[:-1], out=distances[:-1])
    distances[-1] = end - at[-1]
    return distances
