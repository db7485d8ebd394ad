"""TRs: the requests of OpenAPI+, what they take and what they answer."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi._table import number, rows
from koapy.openapi.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

BLANK = "blank"
"""The format of an input that is to be left blank."""
DIGITS = {"date8": 8, "date6": 6}
"""How many digits values of a format have."""


class TrField(NamedTuple):
    """One value of an answer."""

    name: str
    fid: int | None
    """Number of the field; None where OpenAPI+ gives none."""
    width: int | None
    """Bytes that OpenAPI+ reserves for it."""


class TrInput(NamedTuple):
    """One value that a TR takes."""

    name: str
    fid: int | None
    width: int | None
    format: str
    """`code6`, `date8`, `account10` and the like; empty where `values` says it all or nothing is known."""
    values: tuple[tuple[str, str], ...]
    """The values it takes and what each means, where they are a closed list."""
    required: bool | None
    """None where nobody says."""
    default: str
    """What leaving it blank means."""
    example: str
    note: str

    def takes(self, value: str) -> bool:
        """Whether a value is of the kind that it takes, as far as that is known; blanks around it do not count."""
        text = value.strip()
        if not text:
            return self.required is False or bool(self.default) or self.format == BLANK
        if self.values:
            return any(text == each or _number(text) == _number(each) is not None for each, _ in self.values)
        if self.format in DIGITS:
            return len(text) == DIGITS[self.format] and _number(text) is not None
        return True


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


class Tr(NamedTuple):
    """A TR: inputs, the fields of its single part and the columns of its multi part, in OpenAPI+'s order."""

    code: str
    """As catalogued: lower case, except some that OpenAPI+ itself writes in capitals."""
    name: str
    kind: str
    single_record: str
    multi_record: str
    max_rows: int | None
    """Rows of a page; 0 where no repeat count is defined (one row was seen), None where a field gives the number."""
    gfid: int | None
    count_field: str
    """The field of the single part that holds the number of rows, or empty."""
    edition: str
    """both, changed (fields were added between 2022 and 2026), 2022, 2026, or installed (read from an installation)."""
    inputs: tuple[TrInput, ...]
    single: tuple[TrField, ...]
    multi: tuple[TrField, ...]
    """Names may repeat: then only the position tells them apart."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return tuple(field.name for field in self.inputs)

    @property
    def single_names(self) -> tuple[str, ...]:
        """Names of the single part, in order."""
        return tuple(field.name for field in self.single)

    @property
    def multi_names(self) -> tuple[str, ...]:
        """Columns of the multi part, in order."""
        return tuple(field.name for field in self.multi)


class UnknownTr(KeyError):
    """No TR has this code."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.text = f"no TR {code!r} in the catalogue{did_you_mean(code.lower(), _rows())}"
        super().__init__(self.text)

    def __str__(self) -> str:
        return self.text


def is_tr(code: str) -> bool:
    """Whether the catalogue has a TR of this code, in any case."""
    key = code.lower()
    return key in _overlay or key in _rows()


def tr(code: str) -> Tr:
    """Return the TR of a code, in any case.

    Raises: UnknownTr, which names the nearest codes.
    """
    found = _overlay.get(code.lower()) or shipped(code)
    if found is None:
        raise UnknownTr(code)
    return found


def trs() -> tuple[Tr, ...]:
    """Return all TRs, in the order of the catalogue; those that only an installation has come last."""
    return tuple(tr(key) for key in dict.fromkeys((*_rows(), *_overlay)))


def shipped(code: str) -> Tr | None:
    """Return a TR as koapy ships it, whatever an installation says; None if it ships none of this code."""
    key = code.lower()
    return _unpacked(key) if key in _rows() else None


def shipped_trs() -> tuple[Tr, ...]:
    """Return all TRs as koapy ships them."""
    return tuple(_unpacked(key) for key in _rows())


def overlay(installed: Iterable[Tr]) -> None:
    """Let TRs of an installed OpenAPI+ take the place of the shipped ones, and of any laid over before; none: undo it.

    koapy.openapi.install reads them.
    """
    _overlay.clear()
    _overlay.update((each.code.lower(), each) for each in installed)


_overlay: dict[str, Tr] = {}


@cache
def _rows() -> dict[str, list[str]]:
    return {row[0].lower(): row for row in rows("tr")}


@cache
def _inputs() -> dict[str, list[list[str]]]:
    grouped: dict[str, list[list[str]]] = {}
    for row in rows("tr_input"):
        grouped.setdefault(row[0].lower(), []).append(row)
    return grouped


@cache
def _unpacked(key: str) -> Tr:
    code, name, kind, single_record, multi_record, most, gfid, count_field, edition, inputs, single, multi = _rows()[
        key
    ]
    taken = zip(_fields(inputs), _inputs().get(key, ()), strict=True)
    return Tr(
        code,
        name,
        kind,
        single_record,
        multi_record,
        number(most),
        number(gfid),
        count_field,
        edition,
        tuple(_input(field, row) for field, row in taken),
        _fields(single),
        _fields(multi),
    )


def _fields(packed: str) -> tuple[TrField, ...]:
    """Unpack `name:fid:width|name:fid:width`."""
    cells = (each.split(":") for each in packed.split("|") if each)
    return tuple(TrField(name, number(fid), number(width)) for name, fid, width in cells)


def _input(field: TrField, row: list[str]) -> TrInput:
    _, _, values, form, required, default, example, note = row
    pairs = (each.partition("=") for each in values.split("|") if each)
    return TrInput(
        field.name,
        field.fid,
        field.width,
        form,
        tuple((value, label) for value, _, label in pairs),
        {"Y": True, "N": False}.get(required),
        default,
        example,
        note,
    )
