"""When a price moves too far at once: the limits of 변동성완화장치 (VI), by the rules of the exchange since 2015.

Static: 10 % or more from the price of the last auction. Dynamic: so many percent or more from the last trade, fewer for
large issues and in the closing auction. Pure: no clock, no book.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from koapy.simulation.model import Side

if TYPE_CHECKING:
    from koapy.simulation.model import Instrument

SECONDS = 120.0
"""How long an interruption lasts at least."""

RANDOM_END = 30.0
"""Up to so many seconds more, by chance."""

STATIC = 10
"""Percent from the price of the last auction."""

Kind = Literal["static", "dynamic", "both"]
When = Literal["opening", "continuous", "closing"]
"""In which kind of trading; in the opening auction there is no last trade to be far from."""


class Dynamic(NamedTuple):
    """Percent from the last trade."""

    continuous: int
    closing: int
    """In the closing auction."""


LARGE, SMALL = Dynamic(3, 2), Dynamic(6, 4)
"""Members of the KOSPI 200 and funds without leverage; all others."""


class Watch:
    """The limits of one issue. `reference` is the price of its last auction, the reference price before the first."""

    __slots__ = ("_dynamic", "reference")

    def __init__(self, dynamic: Dynamic, reference: int) -> None:
        self._dynamic = dynamic
        self.reference = reference

    def bound(self, side: Side, limit: int, last: int) -> int:
        """The worst price, at most `limit`, that an order may trade at without an interruption."""
        percent = self._dynamic.continuous
        if side is Side.BUY:
            return min(limit, (self.reference * (100 + STATIC) - 1) // 100, (last * (100 + percent) - 1) // 100)
        return max(limit, self.reference * (100 - STATIC) // 100 + 1, last * (100 - percent) // 100 + 1)

    def judge(self, price: int, last: int, when: When = "continuous") -> Kind | None:
        """What a trade at this price would be too far from; None when it may happen."""
        static = _far(price, self.reference, STATIC)
        dynamic = when != "opening" and _far(price, last, getattr(self._dynamic, when))
        if static and dynamic:
            return "both"
        return "static" if static else "dynamic" if dynamic else None


def watch(issue: Instrument, large: bool) -> Watch | None:
    """The limits of an issue; None for KONEX, which has none.

    Args: large: a member of the KOSPI 200, or a fund without leverage.
    """
    return None if issue.market == "KONEX" else Watch(LARGE if large else SMALL, issue.base_price)


def _far(price: int, reference: int, percent: int) -> bool:
    return abs(price - reference) * 100 >= reference * percent
