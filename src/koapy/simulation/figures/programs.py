"""Program trading: the part of a volume that programs bought and sold, with futures (arbitrage) and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.simulation.figures.draws import draws
from koapy.simulation.figures.investors import Flow

if TYPE_CHECKING:
    from datetime import date

    from koapy.simulation.model import Instrument

_ARBITRAGE = 0.02
"""Arbitrage does up to so much of the trading of a KOSPI issue, and nothing elsewhere."""
_BASKETS = {"KOSPI": (0.10, 0.14), "KOSDAQ": (0.03, 0.06)}
"""Other programs: the least they do, and how much more they may do."""
_OWN = 0.3
"""Of arbitrage, what firms do on their own account."""


@dataclass(frozen=True, slots=True)
class Programs:
    """What programs did; shares and won."""

    arbitrage: Flow
    baskets: Flow

    @property
    def all(self) -> Flow:
        """Both together."""
        return self.arbitrage + self.baskets

    def __add__(self, other: Programs) -> Programs:
        return Programs(self.arbitrage + other.arbitrage, self.baskets + other.baskets)


NONE = Programs(Flow(), Flow())


def programs(instrument: Instrument, day: date, volume: int, value: int) -> Programs:
    """Return what programs did of so much trading, shares and won, of an issue on a day."""
    least, more = _BASKETS.get(instrument.market, (0.0, 0.0))
    if instrument.fund or not more:
        return NONE
    chance = draws("programs", instrument.code, day)
    most = _ARBITRAGE if instrument.market == "KOSPI" else 0.0
    return Programs(
        _part(volume, value, most * chance[0], most * chance[1]),
        _part(volume, value, least + more * chance[2], least + more * chance[3]),
    )


def own_account(value: int) -> int:
    """What firms did on their own account of an amount of arbitrage."""
    return int(_OWN * value)


def _part(volume: int, value: int, bought: float, sold: float) -> Flow:
    return Flow(int(volume * bought), int(volume * sold), int(value * bought), int(value * sold))
