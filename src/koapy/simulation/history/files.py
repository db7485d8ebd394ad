"""Real history from a folder: CSV and Parquet files of days, minutes or trades, named by code."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from koapy.simulation.history.record import joined, length_of, make_record
from koapy.simulation.history.rows import WIDTHS, read_rows, rows_of
from koapy.simulation.history.sheets import CSV, PARQUET, HistoryError, read_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from koapy.simulation.history.record import Label, Record
    from koapy.simulation.history.rows import Kind, Rows

logger = logging.getLogger(__name__)

_NAME = re.compile(r"A?([0-9][0-9A-Z]{5})(?:[._-].*)?", re.IGNORECASE)
"""A file's name: the code, an A before it as OpenAPI+ has it, and anything after a mark."""


def read_folder(folder: Path, label: Label = "start") -> dict[str, Record]:
    """Read every CSV and Parquet file of a folder and of those in it, by code.

    Args: label: what the time of a minute bar is, its start (as in OpenAPI+) or its end.

    Raises: HistoryError.
    """
    if not folder.is_dir():
        raise HistoryError(f"{folder}: no such folder of price history")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (*CSV, *PARQUET) and path.is_file()]
    if not paths:
        raise HistoryError(f"{folder}: no price history; one file CODE.csv a code is expected, such as 005930.csv")
    found: dict[str, dict[Kind, list[tuple[str, Rows]]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        code = code_of(path)
        rows = read_rows(read_sheet(path))
        found[code][rows.kind].append((str(path), rows))
    whole = {
        code: {kind: joined(kinds[kind]) if kind in kinds else rows_of(kind, ()) for kind in WIDTHS}
        for code, kinds in found.items()
    }
    usual = min(filter(None, (length_of(each["minutes"]) for each in whole.values())), default=1)
    records = {
        code: make_record(each["days"], each["minutes"], each["ticks"], label, usual)
        for code, each in sorted(whole.items())
    }
    for code, record in records.items():
        _tell_odd(code, record)
    return records


def code_of(path: Path) -> str:
    """The code that a file is named after.

    Raises: HistoryError.
    """
    name = _NAME.fullmatch(path.stem)
    if name is None:
        raise HistoryError(f"{path}: the name must be a code of six characters, such as 005930.csv or 005930_2025.csv")
    return name[1].upper()


def _tell_odd(code: str, record: Record) -> None:
    """Say what a record has that no market can have done, and what becomes of it."""
    for what, rows in (("days", record.days), ("minutes", tuple(record.minutes))):
        quiet = sum(not volume for *_, volume in rows)
        if quiet:
            logger.info("%s: %d %s without volume: charts have them, nothing trades in them", code, quiet, what)
        scant = sum(0 < volume < len({opened, high, low, close}) for _, opened, high, low, close, volume in rows)
        if scant:
            logger.warning(
                "%s: %d %s have fewer shares than prices: played as the market they do not reach all of them",
                code,
                scant,
                what,
            )
