"""How much OpenAPI+ lets a program ask: calls in a time, screens, codes.

Two profiles of request windows: `guide`, what Kiwoom's guide promises, and `koapy`, the stricter ones that KOAPY keeps
because the server's real limit moves and cuts a program off until it logs in again.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi._table import number, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

Window = tuple[int, float]
"""At most so many calls in so many seconds."""


class Limit(NamedTuple):
    """One limit."""

    profile: str
    """guide or koapy."""
    subject: str
    """`tr`, `order`, `condition` (searches of the same one), or a constant of this module in lower case."""
    what: str
    scope: str
    """What it is counted by: process, condition, screen or request."""
    calls: int
    seconds: int | None
    """The length of the window; None for a limit that is not about time."""
    on_excess: str


LIMITS: tuple[Limit, ...] = tuple(
    Limit(profile, subject, what, scope, int(calls), number(seconds), on_excess)
    for profile, subject, what, scope, calls, seconds, on_excess in rows("limit")
)
"""All limits."""


def _windows(subject: str) -> Mapping[str, tuple[Window, ...]]:
    """The windows of a subject by profile; a profile without its own has the guide's."""
    by_profile = {
        profile: tuple(
            (each.calls, float(each.seconds))
            for each in LIMITS
            if (each.profile, each.subject) == (profile, subject) and each.seconds is not None
        )
        for profile in ("guide", "koapy")
    }
    return MappingProxyType({profile: windows or by_profile["guide"] for profile, windows in by_profile.items()})


def _count(subject: str) -> int:
    return next(each.calls for each in LIMITS if each.subject == subject)


TR_WINDOWS: Mapping[str, tuple[Window, ...]] = _windows("tr")
"""By profile: CommRqData, CommKwRqData and SendCondition together."""
ORDER_WINDOWS: Mapping[str, tuple[Window, ...]] = _windows("order")
"""By profile: SendOrder, SendOrderFO and SendOrderCredit together; counted apart from TRs."""
CONDITION_WINDOWS: Mapping[str, tuple[Window, ...]] = _windows("condition")
"""By profile: SendCondition of the same condition."""
SCREENS = _count("screens")
"""Screens of a process."""
CODES_PER_SCREEN = _count("codes_per_screen")
"""Codes registered under one screen."""
CODES_PER_REQUEST = _count("codes_per_request")
"""Codes of one CommKwRqData."""
REALTIME_CONDITIONS = _count("realtime_conditions")
"""Conditions searched in real time at once."""
CONDITION_HITS = _count("condition_hits")
"""Hits beyond which a condition brings no real-time signals."""
