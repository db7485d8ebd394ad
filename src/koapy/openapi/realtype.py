"""Real types: the kinds of real-time data and the FIDs each carries."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from koapy.openapi._table import rows
from koapy.openapi.fid import fid_name
from koapy.openapi.nearest import did_you_mean


class RealType(NamedTuple):
    """A kind of real-time data."""

    name: str
    gidc: str
    """OpenAPI+'s own short code of it, or empty."""
    fids: tuple[int, ...]
    """The FIDs in the order of the tab-separated data."""
    delivered: bool
    """Whether OpenAPI+ itself delivers it; the others are known from its data files only."""

    @property
    def names(self) -> tuple[str, ...]:
        """The FIDs' names on the wire, in the same order."""
        return tuple(fid_name(each) for each in self.fids)


class UnknownRealType(KeyError):
    """No real type has this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = f"no real type {name!r} in the catalogue{did_you_mean(name, _table())}"
        super().__init__(self.text)

    def __str__(self) -> str:
        return self.text


def real_type(name: str) -> RealType:
    """Return a real type by its name, with the FIDs that OpenAPI+ delivers where that list is known.

    Raises: UnknownRealType, which names the nearest.
    """
    try:
        return _table()[name]
    except KeyError:
        raise UnknownRealType(name) from None


def real_types() -> tuple[RealType, ...]:
    """Return all real types: the 184 of the data files, then two that only OpenAPI+'s own list has."""
    return tuple(_table().values())


@cache
def _table() -> dict[str, RealType]:
    return {
        name: RealType(name, gidc, tuple(int(each) for each in (own or general).split()), bool(own))
        for name, gidc, general, own in rows("realtype")
    }
