"""Ticks and events as they come in one message: to iterate one by one, or column by column. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from koapy.client import parse
from koapy.client.errors import InvalidArgument
from koapy.client.ticks import REAL_DATA, Place, Schema, Ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from koapy.client.columns import Data
    from koapy.client.parse import Event, Tick
    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
    from koapy.protocol import streams_pb2 as v1


@dataclass(frozen=True, slots=True)
class _Segment:
    """Ticks or other events that followed one another; `order` has the table of each tick."""

    order: bytes
    tables: tuple[Ticks, ...]
    events: tuple[Event, ...]

    def __len__(self) -> int:
        return sum(map(len, self.tables)) + len(self.events)

    def each(self, rows: Callable[[Ticks], Iterator[Any]]) -> Iterator[Any]:
        """All in their order; `rows` makes items of a table."""
        tables = list(map(rows, self.tables))
        if self.order:
            return (next(tables[number]) for number in self.order)
        return itertools.chain(*tables, self.events)


class Batch:
    """Everything that happened between two messages of a stream, in its order.

    Iterating it gives single ticks and events.
    """

    def __init__(self, segments: tuple[_Segment, ...], missed: Mapping[str, int] | None = None) -> None:
        self._segments = segments
        self.missed: Mapping[str, int] = missed or {}
        """How many ticks of which codes did not come since the last batch, as this client was too slow for them."""

    def __len__(self) -> int:
        return sum(map(len, self._segments))

    def __iter__(self) -> Iterator[Tick | Event]:
        for segment in self._segments:
            yield from segment.each(iter)

    def as_ticks(self) -> Iterator[Tick]:
        """The ticks alone, in their order."""
        for segment in self._segments:
            if segment.tables:
                yield from segment.each(iter)

    def as_events(self) -> Iterator[Event]:
        """All as events, as `listen` gives them: ticks, too."""
        for segment in self._segments:
            yield from segment.each(Ticks.as_events)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{len(ticks)} x {ticks.real_type}" for ticks in self.ticks)
        return f"<Batch of {len(self)}{': ' if kinds else ''}{kinds}>"

    @cached_property
    def ticks(self) -> tuple[Ticks, ...]:
        """The ticks, by real type."""
        gathered: dict[Schema, list[Ticks]] = {}
        for segment in self._segments:
            for table in segment.tables:
                gathered.setdefault(table.schema, []).append(table)
        return tuple(first.below(others) if others else first for first, *others in gathered.values())

    @property
    def events(self) -> tuple[Event, ...]:
        """What was no tick."""
        return tuple(event for segment in self._segments for event in segment.events)

    def of(self, real_type: str = "") -> Ticks:
        """The ticks of a real type; none needs to be named where there is only one.

        Raises: InvalidArgument, where there is none, or more than one and none was named.
        """
        found = [each for each in self.ticks if real_type in ("", each.real_type)]
        if len(found) != 1:
            there = ", ".join(each.real_type for each in self.ticks) or "none"
            raise InvalidArgument(f"which real type? in this batch there are: {there}")
        return found[0]

    def to_pandas(self, real_type: str = "", *, as_numbers: bool = True) -> pd.DataFrame:
        """The ticks of a real type, as `of` finds them: one row each."""
        return self.of(real_type).to_pandas(as_numbers=as_numbers)

    def to_numpy(self, real_type: str = "", *, as_numbers: bool = True) -> dict[str, np.ndarray[Any, Any]]:
        """The same as arrays by name."""
        return self.of(real_type).to_numpy(as_numbers=as_numbers)

    def to_arrow(self, real_type: str = "", *, as_numbers: bool = True) -> pa.Table:
        """The same as an Arrow table."""
        return self.of(real_type).to_arrow(as_numbers=as_numbers)


class Decoder:
    """Makes batches of a stream's messages; of several streams that follow one another, too."""

    def __init__(self) -> None:
        self._schemas: dict[int, Schema] = {}

    def batch(self, message: v1.EventBatch) -> Batch:
        """What a message brings."""
        for told in message.schemas:
            self._schemas[told.number] = Schema(told.real_type, tuple(told.fids), tuple(told.names))
        segments: list[_Segment] = []
        first = 0
        for each in message.segments:
            segments.append(self._segment(each, first))
            first += len(segments[-1])
        return Batch(tuple(segments), {each.code: each.ticks for each in message.missed})

    def _segment(self, message: v1.Segment, first: int) -> _Segment:
        order = message.order
        tables = tuple(
            self._table(table, Place(first, table.rows, order, number)) for number, table in enumerate(message.tables)
        )
        events = tuple(event for each in message.events for event in parse.event(each)) if message.events else ()
        return _Segment(order, tables, events)

    def _table(self, table: v1.Table, place: Place) -> Ticks:
        schema = self._schemas[table.schema]
        data: list[Data]
        if table.cells:
            width = 1 + len(schema.names)
            data = [list(table.cells[at::width]) for at in range(width)]
        else:
            data = [table.codes, *table.columns]
        return Ticks(schema, place.rows, data, tuple(table.raw), (place,))


def single(message: pb.ListenResponse) -> Batch:
    """The batch of one event, as servers tell it that have no batches."""
    if message.name != REAL_DATA:
        return Batch((_Segment(b"", (), tuple(parse.event(message))),))
    code, real_type, raw = (str(each) for each in parse.arguments(message)[:3])
    told = parse.single(message)
    data: list[Data] = [[code], *([value] for value in told.values())]
    ticks = Ticks(Schema(real_type, (), tuple(told)), 1, data, (raw,), (Place(0, 1),))
    return Batch((_Segment(b"", (ticks,), ()),))
