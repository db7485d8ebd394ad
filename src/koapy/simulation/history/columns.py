"""What the columns of somebody's price table are called, and what may stand in them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAY = 86_400_000_000
"""Microseconds of a day. A stamp is `date.toordinal() * DAY` and the microseconds since midnight, in Korean time."""

MINUTE = 60_000_000
"""Microseconds of a minute."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "date": (
        *("datetime", "timestamp", "date", "일시", "일자", "날짜", "거래일자", "거래일", "영업일자", "stckbsopdate"),
        *("indexlevel0", "index", "unnamed:0", "", "level0"),
    ),
    "time": ("time", "체결시간", "체결시각", "시간", "시각", "stckcntghour"),
    "open": ("open", "시가", "openprice", "stckoprc"),
    "high": ("high", "고가", "highprice", "stckhgpr"),
    "low": ("low", "저가", "lowprice", "stcklwpr"),
    "close": ("close", "종가", "현재가", "체결가", "체결가격", "price", "last", "closeprice", "stckclpr", "stckprpr"),
    "volume": ("체결량", "volume", "거래량", "체결거래량", "quantity", "qty", "size", "vol", "cntgvol", "acmlvol"),
}
"""What each column may be called, compared without spaces, `_`, brackets and case; of two that are there the first."""

PRICES = ("open", "high", "low", "close")

_SIGNLESS = re.compile(r"[\s_()\[\]]")
_DATE = re.compile(r"(\d{4})(?:(\d\d)(\d\d)|([-/.])(\d\d?)\4(\d\d?))")
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
_CLOCK = re.compile(r"(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?")


def roles(names: Iterable[str]) -> dict[str, int]:
    """Where date, time, open, high, low, close and volume stand, as far as the names say it."""
    known = {_SIGNLESS.sub("", name).lower(): place for place, name in reversed(list(enumerate(names)))}
    return {
        role: known[next(name for name in called if name in known)]
        for role, called in NAMES.items()
        if any(name in known for name in called)
    }


def whole(cell: Any) -> int:
    """A whole number: `59800`, `+59,800`, `59800.0`.

    Raises: ValueError.
    """
    if type(cell) is str:
        try:
            return int(cell)
        except ValueError:
            cell = cell.strip().replace(",", "")
    try:
        number = float(cell)
        if number.is_integer():
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"whole numbers are needed, found {_shown(cell)}")


def stamp(cell: Any) -> int:
    """A day, or a moment of one: `20250610`, `2025-06-10 09:01:00`, `20250610090100`, or a date of Parquet.

    Raises: ValueError.
    """
    if isinstance(cell, date):
        return _stamp_of(cell)
    text = str(cell).strip()
    found = _DATE.match(text)
    if not found:
        raise ValueError(f"{_shown(cell)} is no date of the form YYYYMMDD or YYYY-MM-DD")
    midnight = _midnight(found[0])
    rest = text[found.end() :].lstrip("T ")
    if not rest:
        return midnight
    zone = _ZONE.search(rest)
    if zone is None:
        return midnight + clock(rest)
    moment = midnight + clock(rest[: zone.start()].rstrip())
    hours, minutes = (0, 0) if zone[0] == "Z" else (int(zone[0][1:3]), int(zone[0][-2:]))
    east = (hours * 60 + minutes) * (-1 if zone[0][0] == "-" else 1)
    return moment + (9 * 60 - east) * 60_000_000


def clock(cell: Any) -> int:
    """A time of day in microseconds: `090100`, `90100`, `0901`, `09:01`, `09:01:00.5`, or a time of Parquet.

    Raises: ValueError.
    """
    if isinstance(cell, time):
        return ((cell.hour * 60 + cell.minute) * 60 + cell.second) * 1_000_000 + cell.microsecond
    if isinstance(cell, timedelta):
        return cell // timedelta(microseconds=1)
    text = str(cell).strip()
    return _clock(text)


@lru_cache(maxsize=65536)
def _clock(text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found:
        hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
        part = int((found[4] or "").ljust(6, "0")[:6])
    elif text.isascii() and text.isdigit() and 3 <= len(text) <= 6:
        digits = text.zfill(4).ljust(6, "0") if len(text) <= 4 else text.zfill(6)
        hour, minute, second, part = int(digits[:2]), int(digits[2:4]), int(digits[4:]), 0
    else:
        hour = minute = second = part = 60
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"{text!r} is no time of the form HHMMSS or HH:MM:SS")
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + part


@lru_cache(maxsize=65536)
def _midnight(text: str) -> int:
    digits = re.sub(r"\D", " ", text).split()
    parts = digits if len(digits) == 3 else (text[:4], text[4:6], text[6:])
    try:
        return date(*map(int, parts)).toordinal() * DAY
    except ValueError:
        raise ValueError(f"{text!r} is no date") from None


def _stamp_of(day: date) -> int:
    if not isinstance(day, datetime):
        return day.toordinal() * DAY
    if day.tzinfo is not None:
        day = day.astimezone(KST)
    return day.toordinal() * DAY + clock(day.time())


def day_of(moment: int) -> date:
    """The day of a stamp."""
    return date.fromordinal(moment // DAY)


def moment_of(moment: int) -> datetime:
    """A stamp as a moment."""
    seconds, part = divmod(moment % DAY, 1_000_000)
    day = date.fromordinal(moment // DAY)
    return datetime(day.year, day.month, day.day, seconds // 3600, seconds // 60 % 60, seconds % 60, part, tzinfo=KST)


def written(moment: int) -> str:
    """A stamp as people write it: the day alone where there is no time."""
    if moment % DAY == 0:
        return f"{day_of(moment):%Y%m%d}"
    return f"{moment_of(moment):%Y-%m-%d %H:%M:%S}"


def _shown(cell: Any) -> str:
    return "nothing" if cell is None or cell == "" else repr(cell if isinstance(cell, str) else str(cell))
