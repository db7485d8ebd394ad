"""The pages of a transaction, gathered and made into one DataFrame. pandas is imported when the first one is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from koapy.client import numeric, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb


@dataclass(frozen=True, slots=True)
class Transaction:
    """All that a TR answered."""

    code: str
    """The TR's code, as asked."""
    single: dict[str, Any]
    """The single part of the first page; empty where the TR has none."""
    multi: pd.DataFrame
    """The rows of all pages in their order, columns as the TR names them."""
    pages: int
    """How many answers it took."""


@dataclass(slots=True)
class Pages:
    """Gathers pages until there are enough."""

    code: str
    most_pages: int | None = None
    most_rows: int | None = None
    told: Callable[[Pages], None] = lambda pages: None
    """Called after each page, to show how far it is."""
    head: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    rows: list[Sequence[str]] = field(default_factory=list)
    count: int = 0

    def take(self, message: pb.ListenResponse) -> bool:
        """Add one page; True when no more are wanted."""
        self.count += 1
        if self.count == 1:
            self.head = parse.single(message)
        self.names = self.names or list(message.multi_data.names)
        self.rows.extend(list(row.values) for row in message.multi_data.values)
        self.told(self)
        return self.enough

    @property
    def enough(self) -> bool:
        """Whether there are as many pages or rows as were asked for."""
        return (self.most_pages is not None and self.count >= self.most_pages) or (
            self.most_rows is not None and len(self.rows) >= self.most_rows
        )

    def transaction(self, as_numbers: bool) -> Transaction:
        """All of it, as texts or, where they stand for numbers, as numbers."""
        return Transaction(self.code, self.single(as_numbers), self.multi(as_numbers), self.count)

    def multi(self, as_numbers: bool) -> pd.DataFrame:
        """The rows."""
        return frame(self.names or _names_of(self.code), self.rows[: self.most_rows], as_numbers)

    def single(self, as_numbers: bool) -> dict[str, Any]:
        """The single part of the first page."""
        return numeric.values(self.head) if as_numbers else dict(self.head)

    def first(self, as_numbers: bool) -> dict[str, Any]:
        """The first row of the multi part, of a TR that has one; the single part where it has none."""
        row = dict(zip(self.names, self.rows[0], strict=True)) if self.rows else dict(self.head)
        return numeric.values(row) if as_numbers else row


def frame(names: Sequence[str], rows: Sequence[Sequence[str]], as_numbers: bool) -> pd.DataFrame:
    """Rows as a DataFrame; a name may stand above several columns."""
    import pandas as pd

    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    series = [_series(name, column, as_numbers) for name, column in zip(names, columns, strict=True)]
    table = pd.concat(series, axis=1) if series else pd.DataFrame()
    table.columns = pd.Index(names, dtype=object)
    return table


def _series(name: str, texts: list[str], as_numbers: bool) -> pd.Series[Any]:
    """One column: text as it came, int64 or float64 for numbers, Int64 where integers have gaps."""
    import pandas as pd

    numbers = numeric.column(name, texts) if as_numbers else None
    if numbers is None:
        return pd.Series(texts, dtype=object)
    if not numeric.whole(numbers):
        return pd.Series(numbers, dtype="float64")
    return pd.Series(numbers, dtype="Int64" if None in numbers else "int64")


def _names_of(code: str) -> Sequence[str]:
    """The columns of an answer without rows, which brings none: the catalogue's."""
    from koapy.openapi.tr import is_tr, tr  # its tables load on first use

    return tr(code).multi_names if is_tr(code) else ()
