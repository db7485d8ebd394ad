"""What an ETF follows, and what its parts are worth (NAV): from a table of words in names, else not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.simulation.figures.draws import draws
from koapy.simulation.figures.tables import rows

if TYPE_CHECKING:
    from datetime import date

    from koapy.simulation.model import Instrument

_APART = 0.004
"""How far a price may be from the NAV at the end of a day, both ways together."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a fund follows."""

    name: str
    """Of the index, "" when it is not known."""
    sector: str
    """The market's own index that it moves with, "" for none."""
    times: int
    """How many times it follows the index's day."""


UNKNOWN = Tracked("", "", 1)


def tracked(instrument: Instrument) -> Tracked:
    """Return what a fund follows, as its name says."""
    name = instrument.name.replace(" ", "")
    for word, index, sector, times in rows("fund"):
        if word.replace(" ", "") in name:
            return Tracked(index, sector, int(times))
    return UNKNOWN


def nav(instrument: Instrument, day: date, price: int) -> int:
    """Return what the parts of a fund are worth, in hundredths of a won, when it costs so much."""
    aside = _APART * (draws("nav", instrument.code, day)[0] - 0.5)
    return round(100 * price * (1 + aside))


def tracking_error(instrument: Instrument, day: date) -> int:
    """Return how much the fund's days differ from its index's, in hundredths of a percent."""
    return round(100 * (0.05 + 0.6 * draws("tracking", instrument.code, day.year, day.month)[0]))
