"""Chejan: the FIDs of OnReceiveChejanData, in order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from koapy.openapi._table import rows
from koapy.openapi.fid import fid_name


@dataclass(frozen=True, slots=True)
class ChejanField:
    """One FID of a chejan event and what it holds."""

    fid: int
    edition: str
    """The edition that brought it: 2022 or 2026. An older OpenAPI+ sends fewer."""
    first: str
    """What it holds at 접수, and in a balance event."""
    filled: str
    """What it holds at 체결; empty in a balance event."""
    confirmed: str
    """What it holds at 확인; empty in a balance event."""

    @property
    def name(self) -> str:
        """The name on the wire."""
        return fid_name(self.fid)


def chejan_fields(gubun: str) -> tuple[ChejanField, ...]:
    """Return the fields of a kind of chejan event: "0" order, "1" stock balance, "4" derivatives balance.

    Raises: KeyError for any other kind.
    """
    return _table()[gubun]


def chejan_fids(gubun: str) -> tuple[int, ...]:
    """Return the FIDs of a kind of chejan event, in the order of the 2026 edition; see chejan_fields."""
    return tuple(field.fid for field in chejan_fields(gubun))


@cache
def _table() -> dict[str, tuple[ChejanField, ...]]:
    grouped: dict[str, list[ChejanField]] = {}
    for gubun, fid, edition, first, filled, confirmed in rows("chejan"):
        grouped.setdefault(gubun, []).append(ChejanField(int(fid), edition, first, filled, confirmed))
    return {gubun: tuple(fields) for gubun, fields in grouped.items()}
