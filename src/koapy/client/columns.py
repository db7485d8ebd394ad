"""Columns of ticks as arrays and frames: what `numeric` says of each text, without touching each text in Python.

numpy, pandas and pyarrow are imported when they are first needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from koapy.client import numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa

SEPARATOR = "\t"
_KINDS = bytes.maketrans(b"123456789-", b"000000000+")
"""Any digit as 0 and any sign as +, to see how texts are built."""
_CHARACTERS = b"0+\t"
_NO_NUMBERS = (b"++", b"0+", b"+\t", b"\t\t")
_EXACT = 18
"""Digits that an int64 surely has room for."""


Data = str | list[str]
"""Values joined by tabs, of which one without a tab stands for all rows; a list where a value has a tab in it."""


def cells(data: Data, rows: int) -> Sequence[str]:
    """The values as OpenAPI+ gave them."""
    if isinstance(data, list):
        return data
    return data.split(SEPARATOR) if SEPARATOR in data else [data] * rows


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one FID in some rows."""

    name: str
    rows: int
    data: Data

    @property
    def values(self) -> list[str]:
        """The values as OpenAPI+ gave them."""
        return list(cells(self.data, self.rows))

    def numbers(self) -> np.ndarray[Any, Any] | list[numeric.Number | None] | None:
        """The numbers: int64 or float64, a list where some are empty; None for a column of text."""
        import numpy as np

        if numeric.is_text(self.name):
            return None
        found = self._integers()
        if found is not None:
            return np.abs(found) if numeric.is_price(self.name) else found
        numbers = numeric.column(self.name, self.values)
        if numbers is None or None in numbers:
            return numbers
        return np.array(numbers, dtype=np.int64 if numeric.whole(numbers) else np.float64)

    def _integers(self) -> np.ndarray[Any, Any] | None:
        """All values as integers with their own signs, read in one go; None where some are anything else."""
        import numpy as np

        text = self.data
        if isinstance(text, list) or not text.isascii():
            return None
        shape = text.encode().translate(_KINDS)
        if not shape or shape.translate(None, _CHARACTERS) or any(each in shape for each in _NO_NUMBERS):
            return None
        if shape[:1] == b"\t" or shape[-1:] in b"\t+" or b"0" * (_EXACT + 1) in shape:
            return None
        found = np.fromstring(text, dtype=np.int64, sep=SEPARATOR)
        return found if len(found) == self.rows else np.full(self.rows, found[0])

    def array(self, *, as_numbers: bool) -> np.ndarray[Any, Any]:
        """The values as numbers where they stand for such, NaN for those that are empty; as texts otherwise."""
        import numpy as np

        numbers = self.numbers() if as_numbers else None
        if numbers is None:
            return np.array(self.values, dtype=object)
        return np.asarray(numbers, dtype=np.float64) if isinstance(numbers, list) else numbers

    def series(self, *, as_numbers: bool) -> pd.Series[Any]:
        """As the columns of a transaction are: text, int64 or float64, Int64 where integers have gaps."""
        import pandas as pd

        numbers = self.numbers() if as_numbers else None
        if numbers is None:
            return pd.Series(self.values, dtype=object)
        if isinstance(numbers, list):
            return pd.Series(numbers, dtype="Int64" if numeric.whole(numbers) else "float64")
        return pd.Series(numbers)

    def arrow(self, *, as_numbers: bool) -> pa.Array:
        """The same for Arrow, nulls where texts are empty."""
        import pyarrow as pa

        numbers = self.numbers() if as_numbers else None
        if isinstance(numbers, list) and not numeric.whole(numbers):
            return pa.array(numbers, type=pa.float64())
        return pa.array(self.values, type=pa.string()) if numbers is None else pa.array(numbers)


def stacked(parts: Sequence[Column]) -> Column:
    """Columns of one name, one below the other."""
    name, rows = parts[0].name, sum(part.rows for part in parts)
    first = parts[0].data
    if any(isinstance(part.data, list) for part in parts):
        return Column(name, rows, [value for part in parts for value in part.values])
    if SEPARATOR not in first and all(part.data == first for part in parts):
        return Column(name, rows, first)
    return Column(name, rows, SEPARATOR.join(SEPARATOR.join(cells(part.data, part.rows)) for part in parts))
