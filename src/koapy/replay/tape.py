"""The file of a recording: JSON Lines, one line for each thing that crossed the seam, in the order in which it did.

A line is written whole or, where a process was killed, torn; what is torn at the end of a run is left out. Runs follow
one another in the same file, each behind a line of its own that begins it. docs/replay.md has the lines.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from koapy.control.reads import Answer, Fields, Nothing, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from koapy.control.reads import Carried, Value

VERSION = 1


class TapeError(ValueError):
    """A file is no recording, or of another version; the text names the file and the line."""


@dataclass(frozen=True, slots=True)
class Run:
    """A gateway began to record."""

    started: str
    """The time, ISO 8601 with its offset."""
    functions: tuple[str, ...]
    """Of the control, as are the events."""
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Called:
    """A function is called."""

    time: float
    """Seconds since the run began; so everywhere."""
    number: int
    function: str
    args: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """What the call of this number has returned."""

    time: float
    number: int
    value: Value


@dataclass(frozen=True, slots=True)
class Raised:
    """The call of this number has failed."""

    time: float
    number: int
    error: str


@dataclass(frozen=True, slots=True)
class Told:
    """An event, with what could be read in it."""

    time: float
    event: str
    args: tuple[Value, ...]
    carried: Carried


Item = Run | Called | Returned | Raised | Told


def line(item: Item) -> str:
    """The item as a line, its end included."""
    return json.dumps(_table(item), ensure_ascii=False, separators=(",", ":")) + "\n"


def _table(item: Item) -> dict[str, Any]:
    match item:
        case Run():
            return {
                "koapy": VERSION,
                "started": item.started,
                "functions": list(item.functions),
                "events": list(item.events),
            }
        case Called():
            return {"t": item.time, "call": item.number, "function": item.function, "args": item.args}
        case Returned():
            return {"t": item.time, "returned": item.number, "value": item.value}
        case Raised():
            return {"t": item.time, "raised": item.number, "error": item.error}
        case Told():
            return {"t": item.time, "event": item.event, "args": item.args} | _carried(item.carried)


def _carried(carried: Carried) -> dict[str, Any]:
    match carried:
        case Fields():
            return {"fields": {str(fid): value for fid, value in carried.values.items()}}
        case Answer():
            answer: dict[str, Any] = {"tr": carried.code, "records": sorted(carried.records), "single": carried.single}
            asked: dict[str, Any] = {"repeat": carried.repeat, "array": carried.array}
            found: dict[str, Any] = {"columns": carried.columns, "cells": carried.cells}
            # What was not asked is None; an empty table is an answer.
            answer |= {key: value for key, value in asked.items() if value is not None}
            return {"answer": answer | {key: value for key, value in found.items() if value}}
        case Unreadable():
            return {"unreadable": carried.text}
    return {}


def read(file: Path) -> Iterator[Item]:
    """The items of a recording, one after the other; what a kill has torn at the end of a run is left out.

    Raises:
        TapeError: the file cannot be read, or is no recording.
    """
    try:
        with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            yield from _items(file, lines)
    except OSError as error:
        raise TapeError(f"{file}: cannot be read: {error.strerror}") from error


def _items(file: Path, lines: Iterator[str]) -> Iterator[Item]:
    torn: TapeError | None = None
    empty = True
    for number, text in enumerate(lines, 1):
        try:
            item = _item(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if torn is not None:
                raise torn from None
            torn = TapeError(f"{file}:{number}: is no line of a recording: {error}")
            continue
        if empty and not isinstance(item, Run):
            raise TapeError(f"{file}:{number}: a recording begins with a line that has 'koapy', its version")
        # A torn line is the last one of its run, or somebody has been at the file.
        if torn is not None and not isinstance(item, Run):
            raise torn
        empty, torn = False, None
        yield item
    if empty:
        raise torn or TapeError(f"{file}: nothing has been recorded")


def _item(text: str) -> Item:
    if not text.endswith("\n"):
        raise ValueError("the line has no end")
    table = json.loads(text)
    if "event" in table and "t" in table:
        return Told(table["t"], table["event"], tuple(table["args"]), _read_carried(table))
    if "call" in table and "t" in table:
        return Called(table["t"], table["call"], table["function"], tuple(table["args"]))
    if "returned" in table:
        return Returned(table["t"], table["returned"], table["value"])
    if "raised" in table:
        return Raised(table["t"], table["raised"], table["error"])
    if table["koapy"] != VERSION:
        raise ValueError(f"version {table['koapy']!r}, this koapy reads {VERSION}")
    return Run(table["started"], tuple(table["functions"]), tuple(table["events"]))


def _read_carried(table: dict[str, Any]) -> Carried:
    if (fields := table.get("fields")) is not None:
        return Fields({int(fid): value for fid, value in fields.items()})
    if (answer := table.get("answer")) is not None:
        array = answer.get("array")
        return Answer(
            answer["tr"],
            frozenset(answer["records"]),
            answer.get("repeat"),
            answer["single"],
            tuple(answer.get("columns", ())),
            tuple(answer.get("cells", ())),
            None if array is None else tuple(map(tuple, array)),
        )
    if (text := table.get("unreadable")) is not None:
        return Unreadable(text)
    return Nothing()
