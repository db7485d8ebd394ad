"""Ticks of one real type as they come: one by one, or column by column. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from koapy.client.columns import Column, cells, stacked
from koapy.client.parse import Event, Tick, clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from koapy.client.columns import Data

REAL_DATA = "OnReceiveRealData"
TIMES = ("체결시간", "호가시간")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a batch the rows of a table are."""

    first: int
    """The position of the segment's first event."""
    rows: int
    order: bytes = b""
    """The segment's."""
    number: int = 0
    """The table's in `order`."""

    def positions(self) -> Iterable[int]:
        """The positions of the rows."""
        if not self.order:
            return range(self.first, self.first + self.rows)
        return (at for at, number in enumerate(self.order, self.first) if number == self.number)


@dataclass(frozen=True, slots=True)
class Schema:
    """What the columns of a table are."""

    real_type: str
    fids: tuple[int, ...]
    names: tuple[str, ...]


class Ticks:
    """Ticks of one real type, column by column. Iterating it gives one by one."""

    def __init__(
        self, schema: Schema, rows: int, data: Sequence[Data], raw: tuple[str, ...], places: Sequence[Place]
    ) -> None:
        self.schema = schema
        """What the columns are."""
        self._rows = rows
        self._data = data
        self._places = places
        self.raw = raw
        """The raw data of each; empty unless events were listened to."""

    def __len__(self) -> int:
        return self._rows

    @property
    def real_type(self) -> str:
        """실시간타입."""
        return self.schema.real_type

    @property
    def fids(self) -> tuple[int, ...]:
        """Of the columns; none at a server without batches."""
        return self.schema.fids

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return self.schema.names

    @cached_property
    def codes(self) -> Column:
        """종목코드 of each."""
        return Column("code", self._rows, self._data[0])

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The values of each FID, under its name."""
        return tuple(Column(name, self._rows, data) for name, data in zip(self.names, self._data[1:], strict=True))

    @cached_property
    def positions(self) -> list[int]:
        """Which of the batch's events they are."""
        return [position for place in self._places for position in place.positions()]

    def __iter__(self) -> Iterator[Tick]:
        names, real_type = self.names, self.real_type
        times = [each for each in TIMES if each in names]
        for code, *row in self._lines():
            values = dict(zip(names, row, strict=True))
            text = ""
            for each in times:
                text = text or values[each]
            yield Tick(code, real_type, clock(text), values)

    def _lines(self) -> Iterable[Sequence[str]]:
        """Code and values of each."""
        if self._rows == 1:
            return ([data if isinstance(data, str) else data[0] for data in self._data],)
        return zip(*(cells(data, self._rows) for data in self._data), strict=True)

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

    def below(self, others: Sequence[Ticks]) -> Ticks:
        """With those of other tables of the same schema below them."""
        all_ = (self, *others)
        columns = [stacked(parts) for parts in zip(*((each.codes, *each.columns) for each in all_), strict=True)]
        return Ticks(
            self.schema,
            sum(map(len, all_)),
            [column.data for column in columns],
            tuple(raw for each in all_ for raw in each.raw),
            [place for each in all_ for place in each._places],
        )
