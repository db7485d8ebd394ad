"""Reading the package's own CSV tables."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

_TABLES = Path(__file__).parent / "tables"


def rows(name: str) -> list[list[str]]:
    """The rows of a table below its header, cells as text in the order of the file."""
    with (_TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        return list(reader)


def number(cell: str) -> int | None:
    """A cell that holds a whole number or nothing."""
    return int(cell) if cell else None


def day(cell: str) -> date | None:
    """A cell that holds YYYY-MM-DD, YYYYMMDD or nothing."""
    return date.fromisoformat(cell) if cell else None
