"""What an event carries, as bytes: see `koapy.control.reads` for what it means."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from koapy.control.reads import Answer, Fields, Nothing, Unreadable
from koapy.remote.frames import FrameError
from koapy.remote.values import BYTE, INTEGER, Reader, split, text, texts, value
from koapy.remote.values import table as written

if TYPE_CHECKING:
    from koapy.control.reads import Carried

_NOTHING, _FIELDS, _ANSWER, _UNREADABLE = range(4)


def carried(given: Carried) -> bytes:
    """The last part of an event's frame."""
    match given:
        case Nothing():
            return BYTE.pack(_NOTHING)
        case Fields(fields):
            return BYTE.pack(_FIELDS) + texts(map(str, fields)) + texts(fields.values())
        case Unreadable(words):
            return BYTE.pack(_UNREADABLE) + text(words)
    rows = given.array
    parts = (
        BYTE.pack(_ANSWER),
        text(given.code),
        texts(sorted(given.records)),
        INTEGER.pack(-1 if given.repeat is None else given.repeat),
        written(given.single),
        texts(given.columns),
        texts(given.cells),
        value(None if rows is None else [list(row) for row in rows]),
    )
    return b"".join(parts)


def read_carried(reader: Reader) -> Carried:
    """The same, read.

    Raises:
        FrameError: it is nothing that an event can carry.
    """
    form = reader.byte()
    if form == _FIELDS:
        fids, found = _fids(*reader.raw_texts()), reader.texts()
        if len(fids) != len(found):
            raise FrameError(f"{len(found)} values for {len(fids)} FIDs")
        return Fields(dict(zip(fids, found, strict=True)))
    if form == _NOTHING:
        return Nothing()
    if form == _UNREADABLE:
        return Unreadable(reader.text())
    if form != _ANSWER:
        raise FrameError(f"an event with data of the unknown form {form}")
    code, records = reader.text(), frozenset(reader.texts())
    repeat, single = reader.unpack(INTEGER), reader.table()
    columns, cells, rows = tuple(reader.texts()), tuple(reader.texts()), reader.value()
    if not (rows is None or isinstance(rows, list)):
        raise FrameError("the rows of an answer are no rows")
    array = None if rows is None else tuple(map(tuple, rows))
    return Answer(code, records, None if repeat < 0 else repeat, single, columns, cells, array)


@lru_cache(maxsize=512)
def _fids(count: int, joined: bytes) -> tuple[int, ...]:
    """FIDs, of which tick after tick has the same."""
    try:
        return tuple(map(int, split(count, joined)))
    except ValueError as error:
        raise FrameError(f"no FIDs: {error}") from None
