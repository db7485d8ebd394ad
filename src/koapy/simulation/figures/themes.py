"""Themes: groups of issues that tell of one thing, from a table of the simulation's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from koapy.simulation.figures.tables import rows


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme."""

    code: str
    """Three digits."""
    name: str
    members: tuple[str, ...]
    """Codes of issues; a market may lack some."""


@cache
def themes() -> tuple[Theme, ...]:
    """All themes, by code."""
    return tuple(Theme(code, name, tuple(members.split())) for code, name, members in rows("theme"))


def theme(code: str) -> Theme | None:
    """A theme by its code, None for an unknown one."""
    return next((each for each in themes() if each.code == code), None)
