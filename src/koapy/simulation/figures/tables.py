"""Reading the tables of the simulation's own."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

_TABLES = Path(__file__).parent / "tables"


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table below its header, cells as text in the order of the file."""
    with (_TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        return tuple(tuple(row) for row in reader)
