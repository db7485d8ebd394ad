"""Rows of one price table, checked: days, minutes or trades, ascending, in little memory."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from koapy.simulation.history import columns
from koapy.simulation.history.columns import DAY, MINUTE, PRICES, written
from koapy.simulation.history.sheets import HistoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from koapy.simulation.history.sheets import Sheet

Kind = Literal["days", "minutes", "ticks"]

Row = tuple[int, ...]
"""Of days and minutes: stamp, open, high, low, close, volume. Of ticks: stamp, price, quantity, side."""

WIDTHS: dict[Kind, int] = {"days": 6, "minutes": 6, "ticks": 4}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one kind, ascending by their stamps (see `columns`): those of trades all differ."""

    kind: Kind
    numbers: array[int]

    def __len__(self) -> int:
        return len(self.numbers) // WIDTHS[self.kind]

    def __iter__(self) -> Iterator[Row]:
        return self.between(0, len(self))

    def between(self, first: int, end: int) -> Iterator[Row]:
        """Some of the rows, by their places."""
        width, numbers = WIDTHS[self.kind], self.numbers
        return (tuple(numbers[at : at + width]) for at in range(first * width, end * width, width))

    def stamps(self) -> array[int]:
        """Of all rows."""
        return self.numbers[:: WIDTHS[self.kind]]

    def by_day(self) -> dict[date, tuple[int, int]]:
        """Where the rows of each day begin and end."""
        found: dict[int, list[int]] = {}
        for place, stamp in enumerate(self.stamps()):
            found.setdefault(stamp // DAY, [place, place])[1] = place + 1
        return {columns.day_of(day * DAY): (first, end) for day, (first, end) in found.items()}


def rows_of(kind: Kind, rows: Iterable[Row]) -> Rows:
    """Pack rows that ascend."""
    numbers = array("q")
    for row in rows:
        numbers.extend(row)
    return Rows(kind, numbers)


def read_rows(sheet: Sheet) -> Rows:
    """Make out what a table has, and check it.

    Raises: HistoryError.
    """
    roles = columns.roles(sheet.names)
    bars = all(name in roles for name in PRICES)
    missing = [name for name in (*(PRICES if "open" in roles else ("close",)), "volume") if name not in roles]
    if not {"date", "time"} & roles.keys():
        missing.insert(0, "date")
    if missing:
        called = ", ".join(f"{name} ({' or '.join(each for each in columns.NAMES[name][:3])})" for name in missing)
        raise HistoryError(
            f"{sheet.path}:1: the first line must name the columns, such as date,open,high,low,close,volume; "
            f"there is no {called} in {','.join(sheet.names) or 'it'}"
        )
    if not sheet.rows:
        raise HistoryError(f"{sheet.path}:2: at least one row is needed")
    rows = _parsed(sheet, _Reader(roles, bars=bars))
    if rows[0][1][0] > rows[-1][1][0]:
        rows.reverse()  # newest first, as OpenAPI+ tells them
    timed = any(row[0] % DAY for _, row in rows)
    if not timed and not bars:
        raise HistoryError(f"{sheet.path}:1: days need open, high, low and close; trades need the time of day")
    if timed and bars and _trades_as_bars(rows):
        rows = [(number, (stamp, close, volume, 0)) for number, (stamp, *_, close, volume) in rows]
        bars = False
    if bars:
        _check_bars(sheet, rows, timed=timed)
        return rows_of("minutes" if timed else "days", (row for _, row in rows))
    return rows_of("ticks", _apart(sheet, rows))


class _Reader:
    """Reads the rows of one table."""

    def __init__(self, roles: dict[str, int], *, bars: bool) -> None:
        self._stamp = _stamps(roles)
        self._prices = [roles[name] for name in (PRICES if bars else ("close",))]
        self._volume = roles["volume"]
        self._bars = bars

    def row(self, cells: Any) -> Row:
        """One row. Raises: ValueError."""
        volume = columns.whole(cells[self._volume])
        prices = [columns.whole(cells[place]) for place in self._prices]
        stamp = self._stamp(cells)
        if self._bars:
            return (stamp, *map(abs, prices), volume)  # a sign of OpenAPI+ tells where a price stands
        if not volume or not prices[0]:
            raise ValueError(f"a trade has a price and shares, found {prices[0]} and {volume}")
        side = 0 if self._unsigned(cells) else 1 if volume > 0 else -1
        return stamp, abs(prices[0]), abs(volume), side

    def _unsigned(self, cells: Any) -> bool:
        cell = cells[self._volume]
        return not (isinstance(cell, str) and cell.lstrip().startswith("+")) and columns.whole(cell) > 0


def _stamps(roles: dict[str, int]) -> Callable[[Any], int]:
    """How a row's moment is read: from one column, or from those of the day and the time together."""
    day, time = roles.get("date"), roles.get("time")
    if day is None or time is None:
        only = day if time is None else time
        return lambda cells: columns.stamp(cells[only])

    def joined(cells: Any) -> int:
        text = str(cells[time]).strip()
        if len(text) >= 12 and text[:4].isdigit():
            return columns.stamp(cells[time])  # the time has its day with it
        stamp = columns.stamp(cells[day])
        return stamp if stamp % DAY else stamp + columns.clock(cells[time])

    return joined


def _parsed(sheet: Sheet, reader: _Reader) -> list[tuple[int, Row]]:
    rows = []
    for number, cells in zip(sheet.numbers, sheet.rows, strict=True):
        try:
            rows.append((number, reader.row(cells)))
        except ValueError as error:
            raise sheet.error(number, error) from None
    return rows


def _trades_as_bars(rows: list[tuple[int, Row]]) -> bool:
    """Whether bars are those of a tick chart with one trade each: every second may come again, no bar has a range."""
    stamps = [row[0] for _, row in rows]
    apart = all(stamp % MINUTE == 0 for stamp in stamps) and len(set(stamps)) == len(stamps)
    return not apart and all(row[1] == row[2] == row[3] == row[4] and row[5] for _, row in rows)


def _check_bars(sheet: Sheet, rows: list[tuple[int, Row]], *, timed: bool) -> None:
    previous: int | None = None
    for number, (stamp, opened, high, low, close, volume) in rows:
        if previous is not None and stamp <= previous:
            raise sheet.error(
                number, f"dates must ascend (or all descend), found {written(stamp)} beside {written(previous)}"
            )
        if timed and stamp % MINUTE:
            raise sheet.error(
                number, f"{written(stamp)}: a bar begins or ends at a whole minute; trades have one price, not four"
            )
        if volume < 0:
            raise sheet.error(number, f"the volume must not be negative, found {volume}")
        halted = volume == opened == high == low == 0
        if close <= 0 or (low <= 0 and not halted):
            raise sheet.error(
                number,
                f"prices must be positive, found low {low} and close {close}; without trading, open, high, low and "
                "volume are all 0 and the close is the last one",
            )
        if not halted and not low <= min(opened, close) <= max(opened, close) <= high:
            raise sheet.error(number, f"open {opened} and close {close} must lie between low {low} and high {high}")
        previous = stamp


def _apart(sheet: Sheet, rows: list[tuple[int, Row]]) -> Iterator[Row]:
    """Trades in their order, those that share a second a millionth apart."""
    previous = shown = 0
    for number, (stamp, *rest) in rows:
        if stamp < shown:
            raise sheet.error(
                number, f"times must ascend (or all descend), found {written(stamp)} beside {written(shown)}"
            )
        shown, previous = stamp, max(stamp, previous + 1)
        yield (previous, *rest)
