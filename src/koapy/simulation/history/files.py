"""Real history from a folder: CSV and Parquet files of days, minutes or trades, named by code."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from koapy.simulation.history.columns import MINUTE, written
from koapy.simulation.history.record import LENGTHS, joined, length_of, make_record
from koapy.simulation.history.rows import WIDTHS, read_rows, rows_of
from koapy.simulation.history.sheets import CSV, PARQUET, HistoryError, read_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from koapy.simulation.history.record import Label, Record
    from koapy.simulation.history.rows import Kind, Rows

logger = logging.getLogger(__name__)

_NAME = re.compile(r"A?([0-9][0-9A-Z]{5})(?:[._-].*)?", re.IGNORECASE)
"""A file's name: the code, an A before it as OpenAPI+ has it, and anything after a mark."""

_LENGTH = re.compile(r"(\d+) ?(?:m|min|minutes?|분)|(?:min|minutes?|분)[_-]?(\d+)", re.IGNORECASE)
"""A folder's name that says how long the bars in it are: 5m, 5min, minute5."""


def read_folder(folder: Path, label: Label = "start") -> dict[str, Record]:
    """Read every CSV and Parquet file of a folder and of those in it, by code.

    How long the bars of minutes are the name of their folder says, else their labels, else those of other files.

    Args: label: what the time of a minute bar is, its start (as in OpenAPI+) or its end.

    Raises: HistoryError.
    """
    if not folder.is_dir():
        raise HistoryError(f"{folder}: no such folder of price history")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (*CSV, *PARQUET) and path.is_file()]
    if not paths:
        raise HistoryError(f"{folder}: no price history; one file CODE.csv a code is expected, such as 005930.csv")
    found: dict[str, dict[Kind, list[tuple[str, Rows]]]] = defaultdict(lambda: defaultdict(list))
    named: dict[str, tuple[int, Path]] = {}
    for path in paths:
        code = code_of(path)
        rows = read_rows(read_sheet(path))
        found[code][rows.kind].append((str(path), rows))
        if rows.kind == "minutes":
            _note_length(named, code, path)
    whole = {
        code: {kind: joined(kinds[kind]) if kind in kinds else rows_of(kind, ()) for kind in WIDTHS}
        for code, kinds in found.items()
    }
    lengths = {
        code: named[code][0] if code in named else length_of(each["minutes"]) for code, each in sorted(whole.items())
    }
    usual = min(filter(None, lengths.values()), default=1)
    records = {
        code: make_record(whole[code]["days"], whole[code]["minutes"], whole[code]["ticks"], label, length or usual)
        for code, length in lengths.items()
    }
    for code, (length, path) in named.items():
        _check_length(path, length, records[code].minutes)
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


def _note_length(named: dict[str, tuple[int, Path]], code: str, path: Path) -> None:
    """Keep what the name of a file's folder says of the length of its bars, if it says something."""
    found = _LENGTH.fullmatch(path.absolute().parent.name)
    length = int(found[1] or found[2]) if found else 0
    if length not in LENGTHS:
        return
    known, other = named.setdefault(code, (length, path))
    if known != length:
        raise HistoryError(
            f"{path}: its folder is named after bars of {length} minutes, that of {other} after those of {known}; "
            "a code has bars of one length"
        )


def _check_length(path: Path, length: int, minutes: Rows) -> None:
    """Refuse a folder's name that its bars belie."""
    span = length * MINUTE
    for before, after in pairwise(minutes.stamps()):
        if before // span == after // span:
            raise HistoryError(
                f"{path}: its folder is named after bars of {length} minutes, and there are shorter ones: "
                f"{written(before)} and {written(after)}"
            )


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
