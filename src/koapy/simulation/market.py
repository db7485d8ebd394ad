"""What an exchange starts with: the issues, their past, and when the market's today begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Market:
    """Issues and their past, as `load_market` makes it."""

    opens: datetime | None
    """With a folder of real history: 09:00 of the first trading day after its newest row. None: the present."""


def load_market(seed: int = 1, folder: Path | None = None, size: int = 250) -> Market:
    """Choose the issues of the market.

    Args:
        seed: of the past that is made up.
        folder: of real daily history, one CODE.csv (date,open,high,low,close,volume, ascending) a code. Its codes join
            the market, and the market's today is the first trading day after the newest row of all files.
        size: issues of the listing to take, the largest of KOSPI, KOSDAQ and ETF.

    Raises:
        HistoryError: a file is not as it must be; the text names file, line and what is wrong.
    """
    raise NotImplementedError
