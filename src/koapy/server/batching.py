"""Ticks and events as the batches of koapy.v1: rows into columns, each run encoded once for all who want it. Pure.

A column is one text, its values joined by tabs: to make it costs a tenth of a message for each value, and to read it
less than a tenth, as both ends have it done in C. What is equal in all rows is sent once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from koapy.protocol import streams_pb2 as pb
from koapy.server.encoding import length_delimited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from koapy.server.ticks import Lane, Tick

LARGEST = 2**19
"""Bytes of a message, if it can be helped: what comes next is late by what it takes to send this."""
MOST_TABLES = 256
"""In a segment, as one byte says which one a tick is in."""
SEPARATOR = "\t"
"""OpenAPI+'s own between the values of a tick, so that none has it in it; where one has, the table has cells."""
MOST_SCHEMAS = 2_000
"""Remembered; what clients ask for must not fill the memory."""

SEGMENTS, ORDER, TABLES, EVENTS = b"\x12", b"\x0a", b"\x12", b"\x1a"
"""EventBatch.segments; Segment.order, tables and events: number and wire type."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What the columns of tables are."""

    number: int
    encoded: bytes
    """An EventBatch that tells it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some events, encoded: an EventBatch without its schemas."""

    encoded: bytes
    schemas: tuple[Schema, ...]
    """What its tables refer to."""


@dataclass(slots=True)
class Schemas:
    """The schemas of a server; a number is never used for another one."""

    _known: dict[tuple[str, tuple[int, ...], tuple[str, ...]], Schema] = field(default_factory=dict)
    _count: int = 0

    def of(self, tick: Tick) -> Schema:
        """The schema of a tick's table."""
        key = (tick.real_type, tick.lane.fids, tick.lane.names)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_SCHEMAS:
                self._known.clear()
            self._count += 1
            told = pb.Schema(number=self._count, real_type=key[0], fids=key[1], names=key[2])
            encoded = pb.EventBatch(schemas=[told]).SerializeToString()
            known = self._known[key] = Schema(self._count, encoded)
        return known

    def pieces(self, ticks: Sequence[Tick], *, raw: bool = False, largest: int = LARGEST) -> Iterator[Piece]:
        """Encode ticks in their order, in as few pieces as keep below `largest` bytes each, or are a single tick.

        Args:
            ticks: at least one.
            raw: with the raw data of each tick.
        """
        tables = _by_schema(ticks) if len(ticks) > 1 else [[*ticks]]
        piece = self._piece(ticks, tables, raw=raw) if len(tables) <= MOST_TABLES else None
        if piece is not None and (len(ticks) == 1 or len(piece.encoded) <= largest):
            yield piece
        else:
            half = len(ticks) // 2
            for part in (ticks[:half], ticks[half:]):
                yield from self.pieces(part, raw=raw, largest=largest)

    def _piece(self, ticks: Sequence[Tick], tables: list[list[Tick]], *, raw: bool) -> Piece:
        schemas = tuple(self.of(table[0]) for table in tables)
        body = b"".join(
            length_delimited(TABLES, _table(schema.number, table, raw=raw))
            for schema, table in zip(schemas, tables, strict=True)
        )
        if len(tables) > 1:
            number = {id(tick): at for at, table in enumerate(tables) for tick in table}
            body += length_delimited(ORDER, bytes(number[id(tick)] for tick in ticks))
        return Piece(length_delimited(SEGMENTS, body), schemas)


def _by_schema(ticks: Sequence[Tick]) -> list[list[Tick]]:
    """The ticks of each table, in their order."""
    tables: dict[tuple[str, tuple[str, ...]], list[Tick]] = {}
    by_lane: dict[Lane, list[Tick]] = {}
    for tick in ticks:
        table = by_lane.get(tick.lane)
        if table is None:
            table = by_lane[tick.lane] = tables.setdefault((tick.real_type, tick.lane.names), [])
        table.append(tick)
    return list(tables.values())


def event(encoded: bytes) -> bytes:
    """An EventBatch of anything but a tick, from its ListenResponse."""
    return length_delimited(SEGMENTS, length_delimited(EVENTS, encoded))


def gap(text: str) -> bytes:
    """An EventBatch that tells of a time in which something may have been missed."""
    encoded: bytes = pb.EventBatch(gaps=[text]).SerializeToString()
    return encoded


def missed(ticks: Mapping[str, int]) -> bytes:
    """An EventBatch that tells how many ticks of which codes a stream did not get."""
    rows = [pb.Missed(code=code, ticks=count) for code, count in ticks.items()]
    encoded: bytes = pb.EventBatch(missed=rows).SerializeToString()
    return encoded


def _table(number: int, ticks: list[Tick], *, raw: bool) -> bytes:
    columns = _columns(ticks)
    table = pb.Table(schema=number, rows=len(ticks))
    if columns is None:
        table.cells.extend(cell for tick in ticks for cell in (tick.code, *tick.values))
    else:
        table.codes = columns[0]
        table.columns.extend(columns[1:])
    if raw:
        table.raw.extend(tick.raw for tick in ticks)
    encoded: bytes = table.SerializeToString()
    return encoded


def _columns(ticks: list[Tick]) -> list[str] | None:
    """The codes and the values of each FID, as a column is told; None where one of them has a tab in it."""
    size = len(ticks)
    if size == 1:  # the most frequent of all
        cells = [ticks[0].code, *ticks[0].values]
        return None if SEPARATOR in "".join(cells) else cells
    columns: list[str] = []
    for values in ([tick.code for tick in ticks], *zip(*[tick.values for tick in ticks], strict=True)):
        first = values[0]
        if first == values[-1] and values.count(first) == size:
            joined, tabs = first, 0
        else:
            joined, tabs = SEPARATOR.join(values), size - 1
        if joined.count(SEPARATOR) != tabs:
            return None
        columns.append(joined)
    return columns
