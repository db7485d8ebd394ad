"""What an exchange starts with: the issues, their past, and when the market's today begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST, next_trading_day
from koapy.openapi.listing import ListedIssue, issue
from koapy.simulation.history.files import RecordedDays, read_folder
from koapy.simulation.instruments import choose, unlisted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

SIZE = 250
"""Issues of the default market."""


@dataclass(frozen=True, slots=True)
class Market:
    """Issues and their past, as `load_market` makes it."""

    seed: int
    """Of the past that is made up."""
    issues: Mapping[str, ListedIssue]
    """By code, ascending."""
    recorded: Mapping[str, RecordedDays]
    """Real daily history by code; what is not here is made up."""
    opens: datetime | None
    """With real history: 09:00 of the first trading day after its newest row. None: the present."""


def load_market(
    seed: int = 1,
    folder: Path | None = None,
    size: int = SIZE,
    codes: Sequence[str] | None = None,
    also: Iterable[str] = (),
) -> Market:
    """Choose the issues of the market.

    Args:
        seed: of the past that is made up.
        folder: of real daily history, one CODE.csv (date,open,high,low,close,volume, ascending) a code. Its codes join
            the market, and the market's today is the first trading day after the newest row of all files.
        size: issues of the listing to take, the largest of KOSPI, KOSDAQ and ETF.
        codes: take these instead.
        also: codes that join in any case, as those that an account holds.

    Raises:
        HistoryError: a file is not as it must be; the text names file, line and what is wrong.
    """
    recorded = read_folder(folder) if folder is not None else {}
    issues = {each.code: each for each in choose(size)} if codes is None else {code: _issue(code) for code in codes}
    issues |= {code: _issue(code) for code in (*recorded, *also)}
    opens = None
    if recorded:
        day = next_trading_day(max(each.newest for each in recorded.values()))
        opens = datetime(day.year, day.month, day.day, 9, tzinfo=KST)
    return Market(seed, dict(sorted(issues.items())), recorded, opens)


def _issue(code: str) -> ListedIssue:
    return issue(code) or unlisted(code)
