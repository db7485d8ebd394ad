"""The rows of an answer as GetCommDataEx gave them at once: kept as one text, encoded once, without touching each cell.

A page of 600 x 15 cells costs a message object for each row and a text for each cell, or some passes over one array of
bytes. The encoding is protobuf's own, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

CELL, ROW = "\n\0", "\x12\1\1\n\0"
"""What protobuf has before a cell and before a row's first cell: tags and, still to be filled in, lengths. A row's own
length has one byte or two."""
BEFORE_ROW = len(ROW) - len(CELL)
SPACE = 0x20
LONGEST = 0x7F
"""Bytes of a length that fits into one byte."""
WIDE_SPACES = tuple(text.encode() for text in ("\u0085", "\u00a0", "\u1680", "\u3000", "\u205f"))
GENERAL_PUNCTUATION = b"\xe2\x80"
"""The first bytes of the other white space that is no ASCII, and of some dashes and quotes."""
NUMPY = "numpy"
SMALL = 500
"""Cells that are encoded one by one: fewer than this are not worth an array."""


@dataclass(frozen=True)
class Page:
    """Rows of one width whose cells are still to be stripped."""

    names: tuple[str, ...]
    count: int
    """How many rows there are."""
    raw: bytes
    """Each cell in UTF-8, behind the tags and lengths of CELL or ROW."""

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The cells, stripped."""
        pieces = self.raw.decode().split("\0")[1:]
        width = len(self.names)
        cells = [piece[: -len(CELL) + 1].strip() for piece in pieces]
        # Behind the last cell of a row stands what comes before the next row, and behind the very last one nothing.
        cells[width - 1 :: width] = [piece[: -len(ROW) + 1].strip() for piece in pieces[width - 1 :: width]]
        cells[-1] = pieces[-1].strip()
        return tuple(tuple(cells[at : at + width]) for at in range(0, len(cells), width))

    @cached_property
    def encoded(self) -> bytes:
        """All rows as multi data, encoded."""
        names: bytes = pb.MultiData(names=self.names).SerializeToString()
        rows = _at_once(self.raw, self.count, len(self.names)) if self.count * len(self.names) >= SMALL else None
        return names + (_one_by_one(self.rows) if rows is None else rows)


def prepare() -> None:
    """Load what large pages need, which takes a tenth of a second; who only orders, or streams, has no use for it."""
    import_module(NUMPY)


def page(names: tuple[str, ...], rows: Sequence[Sequence[str]]) -> Page | None:
    """The rows as they are at this moment; None where they are not as long as the names, or cannot be kept like this.

    Raises:
        UnicodeEncodeError: a cell holds what no UTF-8 can.
    """
    if set(map(len, rows)) != {len(names)}:
        return None
    try:
        raw = (ROW + ROW.join(map(CELL.join, rows))).encode()
    except TypeError:  # a cell is no text
        return None
    return Page(names, len(rows), raw) if _zeros(raw, len(rows) * len(names)) else None


def _zeros(raw: bytes, expected: int) -> bool:
    """Whether there are no more zeros than those before the cells."""
    if expected < SMALL:
        return raw.count(0) == expected
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(raw, np.uint8) == 0)) == expected


def _one_by_one(rows: Iterable[Sequence[str]]) -> bytes:
    message = pb.MultiData()
    add = message.values.add
    for row in rows:
        add().values.extend(row)
    encoded: bytes = message.SerializeToString()
    return encoded


def _at_once(raw: bytes, count: int, width: int) -> bytes | None:
    """The rows encoded; None where a cell is longer than one byte can say."""
    import numpy as np

    found = _stripped(raw, count, width)
    if found is None:
        names = ("",) * width
        stripped = page(names, Page(names, count, raw).rows)
        assert stripped is not None
        data = np.frombuffer(bytearray(stripped.raw), np.uint8)
        (at,) = (data == 0).nonzero()
        found = data, at, _lengths(data.size, at, width)
    data, at, lengths = found
    if lengths.max() > LONGEST:
        return None
    data[at] = lengths
    return _with_row_lengths(data, at[::width] - len(ROW) + 1)


def _stripped(raw: bytes, count: int, width: int) -> tuple[Any, Any, Any] | None:
    """The data without its blanks, where each cell's length stands in it, and the lengths.

    None where a blank may stand inside a cell, or where there is other white space.
    """
    import numpy as np

    if not raw.isascii() and (GENERAL_PUNCTUATION in raw or any(each in raw for each in WIDE_SPACES)):
        return None
    shown = np.frombuffer(raw, np.uint8) > SPACE
    data = np.frombuffer(bytearray(raw.translate(None, b" ")), np.uint8)
    (at,) = (data == 0).nonzero()
    lengths = _lengths(data.size, at, width)
    # As many runs of characters as there are cells that are not empty: then none is in two parts.
    is_whole = np.count_nonzero(shown[1:] > shown[:-1]) == np.count_nonzero(lengths)
    others = np.count_nonzero(data <= SPACE) - len(CELL) * count * width - BEFORE_ROW * count
    return None if others or not is_whole else (data, at, lengths)


def _lengths(size: int, at: np.ndarray[Any, Any], width: int) -> np.ndarray[Any, Any]:
    """The bytes of each cell, by where the one for its length stands."""
    import numpy as np

    lengths = np.empty_like(at)
    np.subtract(at[1:], at[:-1], out=lengths[:-1])
    lengths[-1] = size + len(ROW) - 1 - at[-1]
    lengths -= len(CELL)
    lengths[width - 1 :: width] -= BEFORE_ROW
    return lengths


def _with_row_lengths(data: np.ndarray[Any, Any], starts: np.ndarray[Any, Any]) -> bytes:
    """The data with the lengths of the rows that start there, each in one byte or two."""
    import numpy as np

    sizes = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=sizes[:-1])
    sizes[-1] = data.size - starts[-1]
    sizes -= BEFORE_ROW
    short = sizes <= LONGEST
    data[starts + 1] = np.where(short, sizes, sizes & LONGEST | 0x80)
    data[starts + 2] = sizes >> 7
    keep = np.ones(data.size, bool)
    keep[starts[short] + 2] = False
    return data[keep].tobytes()
