"""Rows into a file that other programs read: CSV, or Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from koapy.cli.app import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


def export_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], file: Path) -> None:
    """Write `rows` as the ending of `file` says; a file that is there is replaced.

    Raises: CommandError.
    """
    writers = {".csv": _csv, ".parquet": _parquet}
    writer = writers.get(file.suffix.lower())
    if writer is None:
        raise CommandError(f"--export {file}: a name that ends in {' or '.join(writers)} is wanted")
    try:
        writer(rows, columns, file)
    except OSError as error:
        raise CommandError(f"--export {file}: {error.strerror or error}") from error


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], file: Path) -> None:
    # With a mark at its start, or Excel takes Korean for something else.
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)


def _text(value: object) -> object:
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat else value


def _parquet(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], file: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(columns))
    # Whole numbers stay whole where some are missing.
    frame = frame.convert_dtypes()
    try:
        frame.to_parquet(file, engine="pyarrow", index=False)
    except ImportError as error:
        text = "Parquet needs pyarrow: pip install 'koapy-gateway[parquet]', or export to .csv"
        raise CommandError(text) from error
