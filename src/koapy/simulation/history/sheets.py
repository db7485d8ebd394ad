"""Tables as they stand in CSV and Parquet files: the names of their columns, and rows with the numbers people see."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CSV = (".csv", ".tsv")
PARQUET = (".parquet", ".pq")

_ENCODINGS = ("utf-8-sig", "cp949")


class HistoryError(ValueError):
    """A folder or file of history is not as it must be; the text names the file, the row and what would be right."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that was read; cells of a CSV file are texts, those of a Parquet file what they are there."""

    path: Path
    names: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    numbers: Sequence[int]
    """Of each row: its line in a CSV file, its place from 1 on in a Parquet file."""

    def error(self, number: int, text: object) -> HistoryError:
        """What is wrong with a row."""
        return HistoryError(f"{self.path}:{number}: {text}")


def read_sheet(path: Path) -> Sheet:
    """Read a file by its suffix.

    Raises: HistoryError.
    """
    return _parquet(path) if path.suffix.lower() in PARQUET else _csv(path)


def _csv(path: Path) -> Sheet:
    text = _text(path)
    first, _, _ = text.partition("\n")
    delimiter = max(",\t;", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names: tuple[str, ...] = ()
    rows, numbers = [], []
    try:
        names = tuple(next(reader, ()))
        for row in reader:
            if any(row):
                rows.append(row)
                numbers.append(reader.line_num)
    except csv.Error as error:
        raise HistoryError(f"{path}:{reader.line_num}: {error}") from None
    sheet = Sheet(path, names, rows, numbers)
    for row, number in zip(rows, numbers, strict=True):
        if len(row) != len(names):
            raise sheet.error(number, f"{len(names)} values are needed ({','.join(names)}), found {len(row)}")
    return sheet


def _text(path: Path) -> str:
    """A file's text: UTF-8, or what a Korean Excel writes."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise HistoryError(f"{path}: cannot be read: {error.strerror}") from error
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise HistoryError(f"{path}: is no text; save it as UTF-8, or as CP949")


def _parquet(path: Path) -> Sheet:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ModuleNotFoundError:
        raise HistoryError(
            f"{path}: Parquet files need pyarrow: pip install 'koapy-gateway[parquet]', or save it as CSV"
        ) from None
    try:
        table = parquet.ParquetFile(path).read()
    except (OSError, arrow.ArrowException) as error:
        raise HistoryError(f"{path}: cannot be read as Parquet: {error}") from error
    columns = [column.to_pylist() for column in table.columns]
    rows = list(zip(*columns, strict=True))
    return Sheet(path, tuple(table.column_names), rows, range(1, len(rows) + 1))
