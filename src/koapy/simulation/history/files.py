"""Real daily history from a folder: one CODE.csv (date,open,high,low,close,volume, ascending) a code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST
from koapy.simulation.model import Bar

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "date,open,high,low,close,volume"

Row = tuple[int, int, int, int, int, int]
"""Date as the number YYYYMMDD, open, high, low, close, volume."""


class HistoryError(ValueError):
    """A folder or file of history is not as it must be; the text names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class RecordedDays:
    """The days of one code as its file has them."""

    rows: tuple[Row, ...]

    @property
    def newest(self) -> date:
        """The last day."""
        return _day(self.rows[-1][0])

    def bars(self) -> list[Bar]:
        """All days, ascending, exactly as recorded; won traded, which files lack, by `estimated_value`."""
        return [
            Bar(_midnight(day), opened, high, low, close, volume, estimated_value(high, low, close, volume))
            for day, opened, high, low, close, volume in self.rows
        ]


def estimated_value(high: int, low: int, close: int, volume: int) -> int:
    """Won traded in a day of which only prices and volume are known: volume x (high + low + 2 x close) / 4, cut."""
    return volume * (high + low + 2 * close) // 4


def read_folder(folder: Path) -> dict[str, RecordedDays]:
    """Read every *.csv of a folder, by code.

    Raises: HistoryError.
    """
    if not folder.is_dir():
        raise HistoryError(f"{folder}: no such folder of price history")
    found = {path.stem.upper(): read_file(path) for path in sorted(folder.glob("*.csv"))}
    if not found:
        raise HistoryError(f"{folder}: no price history; one file CODE.csv a code is expected, such as 005930.csv")
    return found


def read_file(path: Path) -> RecordedDays:
    """Read one code's days.

    Raises: HistoryError.
    """
    if not re.fullmatch(r"[0-9A-Za-z]{6}", path.stem):
        raise HistoryError(f"{path}: the name must be a code of six characters, such as 005930.csv")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HistoryError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    if not lines or lines[0].strip() != HEADER:
        raise HistoryError(f"{path}:1: the first line must be {HEADER!r}")
    rows: list[Row] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        try:
            rows.append(_row(line, rows[-1][0] if rows else 0))
        except ValueError as error:
            raise HistoryError(f"{path}:{number}: {error}") from None
    if not rows:
        raise HistoryError(f"{path}:2: at least one day is needed")
    return RecordedDays(tuple(rows))


def _row(line: str, previous: int) -> Row:
    """One day, checked against itself and the day before it."""
    cells = line.split(",")
    if len(cells) != 6:
        raise ValueError(f"6 values are needed ({HEADER}), found {len(cells)}")
    try:
        day, opened, high, low, close, volume = map(int, cells)
    except ValueError:
        raise ValueError(f"whole numbers are needed, found {line.strip()!r}") from None
    _check_date(cells[0].strip(), day, previous)
    if low <= 0:
        raise ValueError(f"prices must be positive, found low {low}; leave out days without trading")
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError(f"open {opened} and close {close} must lie between low {low} and high {high}")
    if volume < 0:
        raise ValueError(f"the volume must not be negative, found {volume}")
    return day, opened, high, low, close, volume


def _check_date(text: str, day: int, previous: int) -> None:
    try:
        if len(text) != 8:
            raise ValueError
        _day(day)
    except ValueError:
        raise ValueError(f"{text!r} is no date of the form YYYYMMDD") from None
    if day <= previous:
        raise ValueError(f"dates must ascend, found {day} after {previous}")


def _day(number: int) -> date:
    return date(number // 10000, number // 100 % 100, number % 100)


def _midnight(number: int) -> datetime:
    return datetime(number // 10000, number // 100 % 100, number % 100, tzinfo=KST)
