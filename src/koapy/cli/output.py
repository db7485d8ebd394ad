"""How commands print: tables by rich for people, JSON for machines, plain text where stdout is no terminal."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from typing import TYPE_CHECKING, Any, TextIO

from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

# Nothing is cut where nobody looks at a screen; rich needs a number.
UNBOUNDED = 100_000
GAP = 2
"""Cells between two columns, one of which is the box's own divider."""

# Lines of box drawing are two columns wide on some Korean terminals; a file or pipe may be looked at there later.
PLAIN_HEAD = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)

# Shades that can be read on black and on white; a terminal with fewer colours gets its own red and blue.
RISEN = "#f04452"
FALLEN = "#3182f6"
"""Korean convention: what rose is red, what fell is blue."""

_NUMBER = re.compile(r"[+-]{0,2}[\d,]+(\.\d+)?%?")
_CODE = re.compile(r"0\d+")


def console(stream: TextIO | None = None) -> Console:
    """A console on `stream`, stdout unless given: as wide as the terminal, or without bound where there is none."""
    stream = stream or sys.stdout
    width = None if stream.isatty() else UNBOUNDED
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def show(*parts: RenderableType, to: Console | None = None) -> None:
    """Print `parts`, one below the other; plain output has no blanks at the ends of its lines."""
    to = to or console()
    for part in parts:
        if to.is_terminal:
            to.print(part)
            continue
        with to.capture() as captured:
            to.print(part)
        to.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def write_json(data: object) -> None:
    """Print one JSON document."""
    _write(json.dumps(data, ensure_ascii=_escapes(), indent=2, default=str))


def write_json_line(data: object) -> None:
    """Print one line of a stream of JSON documents, at once."""
    _write(json.dumps(data, ensure_ascii=_escapes(), separators=(",", ":"), default=str))
    sys.stdout.flush()


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")


def _escapes() -> bool:
    return not (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def cell(value: object, style: str = "") -> Text:
    """One cell: composed Hangul and no control characters, so that its width is what the terminal shows."""
    raw = "" if value is None else unicodedata.normalize("NFC", str(value))
    return Text("".join(" " if unicodedata.category(each) == "Cc" else each for each in raw), style)


def signed(value: object) -> Text:
    """A cell whose colour follows its sign: red above, blue below."""
    raw = "" if value is None else str(value).strip()
    number = _NUMBER.fullmatch(raw)
    return cell(raw, RISEN if number and raw.startswith("+") else FALLEN if number and raw.startswith("-") else "")


def won(value: int) -> str:
    """A price or an amount, with thousands separated."""
    return f"{value:,}"


def change(value: float, unit: str = "") -> str:
    """A difference with its sign, none where there is none: +1,200, -0.83%."""
    shown = f"{value:+,.2f}" if isinstance(value, float) else f"{value:+,}"
    return (shown.lstrip("+-") if not value else shown) + unit


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", to: Console | None = None
) -> list[RenderableType]:
    """A table that fits the terminal: one too wide is cut into blocks of columns, each beginning with the first one.

    Columns of numbers are aligned right. Cells are texts, or anything that `str` shows; a name may have two lines.
    """
    cells = [[each if isinstance(each, Text) else cell(each) for each in row] for row in rows]
    to = to or console()
    widths = [
        max(cell_len(each) for each in [*name.splitlines(), "", *(row[index].plain for row in cells)])
        for index, name in enumerate(columns)
    ]
    parts: list[RenderableType] = [Text(title, "bold")] if title else []
    for place, block in enumerate(_blocks(widths, to.width)):
        grid = Table(box=SIMPLE_HEAD if to.is_terminal else PLAIN_HEAD, show_edge=False, padding=(0, GAP - 1, 0, 0))
        grid.pad_edge = False
        grid.header_style, grid.border_style = "bold", "dim"
        for index in block:
            numeric = _numeric(row[index].plain for row in cells)
            grid.add_column(Text(columns[index]), justify="right" if numeric else "left", overflow="fold")
        for row in cells:
            grid.add_row(*(row[index] for index in block))
        parts.extend(["", grid] if place else [grid])
    return parts


def record(
    pairs: Iterable[tuple[str, object]], *, title: str = "", meanings: Mapping[str, str] | None = None
) -> list[RenderableType]:
    """Names and values, one pair a line, with what a name means behind them."""
    lines = [(cell(name), value if isinstance(value, Text) else cell(value)) for name, value in pairs]
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold", justify="right" if _numeric(value.plain for _, value in lines) else "left")
    grid.add_column(style="dim")
    for name, value in lines:
        grid.add_row(name, value, (meanings or {}).get(name.plain, ""))
    return [Text(title, "bold"), grid] if title else [grid]


def without_blank_columns(
    columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]], list[str]]:
    """The columns that hold anything, their rows, and the names of those that do not: OpenAPI+ leaves many blank."""
    held = [index for index in range(len(columns)) if any(row[index].strip() for row in rows)]
    blank = [name for index, name in enumerate(columns) if index not in held]
    return [columns[index] for index in held], [[row[index] for index in held] for row in rows], blank


def _numeric(values: Iterable[str]) -> bool:
    shown = [value for value in values if value.strip()]
    return bool(shown) and all(_NUMBER.fullmatch(value) and not _CODE.fullmatch(value) for value in shown)


def _blocks(widths: Sequence[int], available: int) -> Iterator[list[int]]:
    """Indexes of the columns that go side by side."""
    block, used = ([0], widths[0]) if widths else ([], 0)
    for index in range(1, len(widths)):
        if len(block) > 1 and used + GAP + widths[index] > available:
            yield block
            block, used = [0], widths[0]
        block.append(index)
        used += GAP + widths[index]
    yield block


def pretty(data: Any) -> RenderableType:
    """A value that is neither table nor record, as text."""
    return cell(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))
