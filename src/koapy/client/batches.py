"""Ticks and events as they come in one message: to iterate one by one, or column by column. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from koapy.client import parse
from koapy.client.columns import Column, stacked
from koapy.client.errors import InvalidArgument
from koapy.client.parse import Event, Tick, clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
    from koapy.protocol import streams_pb2 as v1

REAL_DATA = "OnReceiveRealData"
TIMES = ("체결시간", "호가시간")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a batch the rows of a table are."""

    first: int
    """The position of the segment's first event."""
    rows: int
    order: bytes = b""
    """The segment's."""
    number: int = 0
    """The table's in `order`."""

    def positions(self) -> Iterable[int]:
        if not self.order:
            return range(self.first, self.first + self.rows)
        return (at for at, number in enumerate(self.order, self.first) if number == self.number)


@dataclass(frozen=True)
class Ticks:
    """Ticks of one real type, column by column."""

    real_type: str
    """실시간타입."""
    fids: tuple[int, ...]
    """Of the columns."""
    codes: Column
    """종목코드 of each."""
    columns: tuple[Column, ...]
    """The values of each FID, under its name."""
    raw: tuple[str, ...]
    """The raw data of each; empty unless events were listened to."""
    _places: tuple[_Place, ...]

    def __len__(self) -> int:
        return self.codes.rows

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def positions(self) -> list[int]:
        """Which of the batch's events they are."""
        return [position for place in self._places for position in place.positions()]

    def __iter__(self) -> Iterator[Tick]:
        names, real_type = self.names, self.real_type
        times = [each for each in TIMES if each in names]
        rows: Iterable[tuple[str, ...]] = zip(*[column.values for column in self.columns], strict=True)
        for code, row in zip(self.codes.values, rows if self.columns else [()] * len(self), strict=True):
            values = dict(zip(names, row, strict=True))
            text = next((values[each] for each in times if values[each]), "")
            yield Tick(code, real_type, clock(text), values)

    def as_events(self) -> Iterator[Event]:
        """Each as the event that it was; only where the raw data is there."""
        for tick, raw in zip(self, self.raw, strict=True):
            yield Event(REAL_DATA, (tick.code, tick.real_type, raw), tick.values, ())

    def to_numpy(self, *, as_numbers: bool = True) -> dict[str, np.ndarray[Any, Any]]:
        """Arrays by name, `code` first: int64, float64 with NaN for what is empty, or texts as objects."""
        return {
            "code": self.codes.array(as_numbers=False),
            **{column.name: column.array(as_numbers=as_numbers) for column in self.columns},
        }

    def to_pandas(self, *, as_numbers: bool = True) -> pd.DataFrame:
        """A row for each tick: `code`, then the values; the index is where in the batch the tick was."""
        import pandas as pd

        series = [self.codes.series(as_numbers=False)]
        series += [column.series(as_numbers=as_numbers) for column in self.columns]
        table = pd.concat(series, axis=1)
        table.columns = pd.Index(("code", *self.names), dtype=object)
        table.index = pd.Index(self.positions, name="position")
        return table

    def to_arrow(self, *, as_numbers: bool = True) -> pa.Table:
        """The same as an Arrow table, with `position` as its first column. Takes pyarrow: koapy-gateway[parquet]."""
        import pyarrow as pa

        arrays = [pa.array(self.positions, type=pa.int64()), self.codes.arrow(as_numbers=False)]
        arrays += [column.arrow(as_numbers=as_numbers) for column in self.columns]
        return pa.Table.from_arrays(arrays, names=["position", "code", *self.names])


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
        return (each for each in self if isinstance(each, Tick))

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
        gathered: dict[tuple[str, tuple[int, ...]], list[Ticks]] = {}
        for segment in self._segments:
            for table in segment.tables:
                gathered.setdefault((table.real_type, table.fids), []).append(table)
        return tuple(map(_joined, gathered.values()))

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


def _joined(tables: list[Ticks]) -> Ticks:
    """Tables of one kind, one below the other."""
    first = tables[0]
    if len(tables) == 1:
        return first
    return Ticks(
        first.real_type,
        first.fids,
        stacked([table.codes for table in tables]),
        tuple(stacked(list(parts)) for parts in zip(*[table.columns for table in tables], strict=True)),
        tuple(raw for table in tables for raw in table.raw),
        tuple(place for table in tables for place in table._places),
    )


@dataclass(frozen=True, slots=True)
class _Schema:
    real_type: str
    fids: tuple[int, ...]
    names: tuple[str, ...]


class Decoder:
    """Makes batches of a stream's messages; of several streams that follow one another, too."""

    def __init__(self) -> None:
        self._schemas: dict[int, _Schema] = {}

    def batch(self, message: v1.EventBatch) -> Batch:
        """What a message brings."""
        for told in message.schemas:
            self._schemas[told.number] = _Schema(told.real_type, tuple(told.fids), tuple(told.names))
        segments: list[_Segment] = []
        first = 0
        for each in message.segments:
            segments.append(self._segment(each, first))
            first += len(segments[-1])
        return Batch(tuple(segments), {each.code: each.ticks for each in message.missed})

    def _segment(self, message: v1.Segment, first: int) -> _Segment:
        order = message.order
        tables = tuple(
            self._table(table, _Place(first, table.rows, order, number)) for number, table in enumerate(message.tables)
        )
        events = tuple(event for each in message.events for event in parse.event(each))
        return _Segment(order, tables, events)

    def _table(self, table: v1.Table, place: _Place) -> Ticks:
        schema, rows = self._schemas[table.schema], table.rows
        if cells := list(table.cells):
            width = 1 + len(schema.names)
            codes = Column("code", rows, None, cells[::width])
            columns = tuple(Column(name, rows, None, cells[at::width]) for at, name in enumerate(schema.names, 1))
        else:
            codes = Column("code", rows, table.codes)
            columns = tuple(Column(name, rows, text) for name, text in zip(schema.names, table.columns, strict=True))
        return Ticks(schema.real_type, schema.fids, codes, columns, tuple(table.raw), (place,))


def single(message: pb.ListenResponse) -> Batch:
    """The batch of one event, as servers tell it that have no batches."""
    if message.name != REAL_DATA:
        return Batch((_Segment(b"", (), tuple(parse.event(message))),))
    code, real_type, raw = (str(each) for each in parse.arguments(message)[:3])
    columns = tuple(Column(name, 1, None, [value]) for name, value in parse.single(message).items())
    ticks = Ticks(real_type, (), Column("code", 1, None, [code]), columns, (raw,), (_Place(0, 1),))
    return Batch((_Segment(b"", (ticks,), ()),))
