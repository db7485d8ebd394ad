"""FIDs: the numbers of OpenAPI+'s fields and their names."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from koapy.openapi._table import rows


class Fid(NamedTuple):
    """A field by its number."""

    fid: int
    name: str | None
    """The name it has on the wire, or None: then the wire has the number as text."""
    names_in_trs: tuple[str, ...]
    """What the TRs that carry it call it."""
    rest_name: str
    """What Kiwoom's REST API calls it, or empty."""

    @property
    def wire_name(self) -> str:
        """The name on the wire: the name, or the number as text."""
        return self.name or str(self.fid)


def fid(number: int) -> Fid:
    """Return a field; one that the catalogue lacks has no names."""
    return _table().get(number) or Fid(number, None, (), "")


def fid_name(number: int) -> str:
    """Return the name on the wire: the number as text where the field has none."""
    found = _table().get(number)
    return found.wire_name if found else str(number)


def fids() -> tuple[Fid, ...]:
    """Return all catalogued fields, by number."""
    return tuple(_table().values())


@cache
def _table() -> dict[int, Fid]:
    cells = ((int(number), name, names, rest) for number, name, names, rest in rows("fid"))
    return {
        number: Fid(number, name or None, tuple(names.split("|")) if names else (), rest)
        for number, name, names, rest in sorted(cells)
    }
