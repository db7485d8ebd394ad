"""What an exchange starts with: the issues, their past, and when the market's today begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST, next_trading_day
from koapy.openapi.listing import ListedIssue, issue
from koapy.simulation.history import columns
from koapy.simulation.history.files import read_folder
from koapy.simulation.history.sheets import HistoryError
from koapy.simulation.hours import KRX, Timetable
from koapy.simulation.instruments import choose, unlisted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from koapy.simulation.history.record import Label, Record
    from koapy.simulation.hours import Hours

SIZE = 250
"""Issues of the default market."""


@dataclass(frozen=True, slots=True)
class Market:
    """Issues and their past, as `load_market` makes it."""

    seed: int
    """Of the past that is made up."""
    issues: Mapping[str, ListedIssue]
    """By code, ascending."""
    recorded: Mapping[str, Record]
    """Real history by code; what is not here is made up."""
    opens: datetime | None
    """When the market's clock begins. None: at present."""


def load_market(
    seed: int = 1,
    folder: Path | None = None,
    size: int = SIZE,
    codes: Sequence[str] | None = None,
    also: Iterable[str] = (),
    *,
    label: Label = "start",
    begin: str | None = None,
    hours: Hours = "always",
) -> Market:
    """Choose the issues of the market.

    Args:
        seed: of the past that is made up.
        folder: of real history, see `koapy.simulation.history.files`. Its codes join the market.
        size: issues of the listing to take, the largest of KOSPI, KOSDAQ and ETF.
        codes: take these instead.
        also: codes that join in any case, as those that an account holds.
        label: what the times of minute bars in the folder are.
        begin: when the market's clock begins, `2025-06-10` (a minute before the opening) or `2025-06-10 10:30`, on a
            day that the folder has, which is played. None: at 09:00 of the first trading day after all that it has.
        hours: of the exchange that is to play it.

    Raises:
        HistoryError: a file is not as it must be, the text names file, row and what is wrong; or no file has the day,
            or the exchange is closed on it.
    """
    recorded = read_folder(folder, label) if folder is not None else {}
    issues = {each.code: each for each in choose(size)} if codes is None else {code: _issue(code) for code in codes}
    issues |= {code: _issue(code) for code in (*recorded, *also)}
    opens = _opens(recorded, begin, hours) if recorded or begin else None
    return Market(seed, dict(sorted(issues.items())), recorded, opens)


def _opens(recorded: Mapping[str, Record], begin: str | None, hours: Hours) -> datetime | None:
    if begin is None:
        day = next_trading_day(max(each.newest for each in recorded.values()))
        return datetime(day.year, day.month, day.day, 9, tzinfo=KST)
    moment = moment_of(begin)
    if not recorded:
        raise HistoryError(f"date = {begin!r} is a day of a history: say where its files are, too (--history DIR)")
    day = moment.date()
    if not any((bar := each.day(day)) is not None and bar.volume for each in recorded.values()):
        first, last = min(each.oldest for each in recorded.values()), max(each.newest for each in recorded.values())
        raise HistoryError(f"date = {begin!r}: no file of the history has trading then; they have {first} to {last}")
    if not Timetable(hours).starts_session(day):
        raise HistoryError(
            f"date = {begin!r}: the files have trading on this {day:%A}, but the calendar of the exchange has no "
            'session then, and hours = "krx" keep to it; play it with hours = "always" (--hours always)'
        )
    return moment if moment.time() != time() else KRX.continuous(day)[0] - timedelta(minutes=1)


def moment_of(text: str) -> datetime:
    """A day, or a moment of one, as a setting has it.

    Raises: HistoryError.
    """
    try:
        return columns.moment_of(columns.stamp(text))
    except ValueError as error:
        raise HistoryError(f"date = {text!r}: {error}; 2025-06-10 or 2025-06-10T10:30 is wanted") from None


def _issue(code: str) -> ListedIssue:
    return issue(code) or unlisted(code)
