"""Finding things in the catalogue by a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from koapy.openapi.error import errors
from koapy.openapi.fid import fids
from koapy.openapi.functions import EVENTS, FUNCTIONS
from koapy.openapi.listing import listing
from koapy.openapi.realtype import real_types
from koapy.openapi.tr import trs

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["tr", "realtype", "fid", "field", "function", "event", "error", "issue"]


@dataclass(frozen=True, slots=True)
class Hit:
    """Something whose name or code holds the word."""

    kind: Kind
    key: str
    """What a look-up of that kind takes: a TR code, a FID, a function's name, ...; of a field its name."""
    text: str
    """One line about it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    hit: Hit
    words: tuple[str, ...]
    """What it is found by, folded; the first ones matter most."""


def search(word: str) -> list[Hit]:
    """Return what a word finds, best first, letter case ignored.

    A whole name or code comes before one that begins with the word, and that before one that only holds it; among
    equals, TRs come before real types, FIDs, fields, functions, events, errors and listed issues. Of several words,
    each must occur. An empty word finds nothing.
    """
    wanted = word.casefold().split()
    if not wanted:
        return []
    whole = " ".join(wanted)
    ranked = [
        (rank, place, entry.hit)
        for place, entry in enumerate(_entries())
        if (rank := _rank(whole, wanted, entry.words)) is not None
    ]
    return [hit for _, _, hit in sorted(ranked, key=lambda each: each[:2])]


def _rank(whole: str, wanted: list[str], words: tuple[str, ...]) -> int | None:
    """0 for a whole name, 1 for its beginning, 2 for any other place, 3 if only all words occur somewhere."""
    if whole in words:
        return 0
    if any(each.startswith(whole) for each in words):
        return 1
    if any(whole in each for each in words):
        return 2
    if len(wanted) > 1 and all(any(part in each for each in words) for part in wanted):
        return 3
    return None


def _entry(kind: Kind, key: str, text: str, *words: str) -> _Entry:
    return _Entry(Hit(kind, key, text), tuple(each.casefold() for each in (key, *words) if each))


def _entries() -> Iterator[_Entry]:
    """Everything, in the order of kinds that a reader looks for first; made anew, as an installation may change it."""
    for tr in trs():
        yield _entry("tr", tr.code, tr.name, tr.name, tr.single_record, tr.multi_record)
    for real in real_types():
        yield _entry("realtype", real.name, f"real type with {len(real.fids)} FIDs", real.gidc)
    for fid in fids():
        yield _entry("fid", str(fid.fid), fid.name or "|".join(fid.names_in_trs), fid.name or "", *fid.names_in_trs)
    for name, codes in _fields().items():
        yield _entry("field", name, _where(codes))
    for function in FUNCTIONS.values():
        yield _entry("function", function.name, str(function))
    for event in EVENTS.values():
        yield _entry("event", event.name, str(event))
    for error in errors():
        yield _entry("error", str(error.code), str(error), error.name or "", error.message)
    for issue in listing():
        yield _entry("issue", issue.code, f"{issue.name} ({issue.market} {issue.kind})", issue.name)


def _fields() -> dict[str, list[str]]:
    """Inputs and fields of all TRs: name to the codes of the TRs that have it."""
    found: dict[str, list[str]] = {}
    for tr in trs():
        for name in dict.fromkeys((*tr.input_names, *tr.single_names, *tr.multi_names)):
            found.setdefault(name, []).append(tr.code)
    return found


def _where(codes: list[str]) -> str:
    shown = ", ".join(codes[:5])
    return f"in {shown} and {len(codes) - 5} other TRs" if len(codes) > 5 else f"in {shown}"
