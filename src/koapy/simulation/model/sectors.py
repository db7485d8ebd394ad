"""Indices and their day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sector:
    """An index: of a market, of large issues, or of an industry."""

    code: str
    """Three digits as OpenAPI+ has them: 001, 101, 201, ..."""
    name: str
    market: str
    """KOSPI or KOSDAQ."""
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SectorQuote:
    """An index's day so far. Index values are in hundredths of a point."""

    code: str
    base: int
    """Yesterday's close."""
    last: int
    open: int
    high: int
    low: int
    volume: int
    """Shares of the members traded today."""
    value: int
    """Won of the members traded today."""
    rising: int
    """Members above their reference price, those at the upper limit included."""
    falling: int
    """Members below it, those at the lower limit included."""
    unchanged: int
    upper: int
    """Members at the upper limit."""
    lower: int
    """Members at the lower limit."""
    traded: int
    """Members that have traded today."""

    @property
    def change(self) -> int:
        """Against yesterday's close, in hundredths of a point."""
        return self.last - self.base

    @property
    def rate(self) -> float:
        """Change in percent."""
        return 100 * (self.last - self.base) / self.base if self.base else 0.0


@dataclass(frozen=True, slots=True)
class SectorMoment:
    """An index at one moment of the day."""

    time: datetime
    value: int
    """In hundredths of a point."""
    volume: int
    """Shares of the members traded today up to then."""
