"""A tick while it is told: its values by FID, found in its raw data when somebody asks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from koapy.openapi.realtype import real_type

if TYPE_CHECKING:
    from collections.abc import Sequence


class Told:
    """One OnReceiveRealData.

    Args:
        kind: real type.
        raw: its values in order, with tabs in between.
    """

    __slots__ = ("_kind", "_raw", "_values")

    def __init__(self, kind: str, raw: str) -> None:
        self._kind = kind
        self._raw = raw
        self._values: list[str] = []

    def value(self, fid: int) -> str:
        """One value; "" for a FID that the type lacks."""
        place = _places(self._kind).get(fid)
        if place is None:
            return ""
        if not self._values:
            self._values = self._raw.split("\t")
        return self._values[place]

    def several(self, fids: Sequence[int]) -> list[str]:
        """Values of these FIDs, as `value` has them."""
        return [self.value(fid) for fid in fids]


@cache
def _places(kind: str) -> dict[int, int]:
    return {fid: place for place, fid in enumerate(real_type(kind).fids)} if kind else {}


NOTHING = Told("", "")
"""Outside of events."""
