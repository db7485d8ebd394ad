"""TR definitions of an installed OpenAPI+, read over the shipped ones.

OpenAPI+ keeps its TRs in the folder `data` of its installation: zip archives named *.enc, in each a text in Korean
encoding for each TR:

    [TRINFO]
    TRName=STOCK
    TRType=1
    GFID=1500

    [INPUT]
    @START_체결정보요청
        종목코드 = 0, 6, 9001
    @END_체결정보요청

    [OUTPUT]
    @START_체결정보=*,*,*
        체결시간 = 0, 20, 20
    @END_체결정보

A line of a record is `name = place, width, FID`, with -1 where there is no FID. What stands behind the name of a record
says whether it repeats: `*,*,*` does not, a number or the name of a counting field does.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from koapy.openapi.tr import Tr, TrField, TrInput, overlay, shipped, shipped_trs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RECORD = re.compile(r"@START_(?P<name>[^=]*)(?:=(?P<repeats>.*))?")


class InstalledDataError(ValueError):
    """A folder or a file of it holds no TR definitions that can be read; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that an installation defines otherwise than the shipped table."""

    code: str
    part: str
    """input, single or multi; tr for a TR that only one side has."""
    name: str
    change: str
    """added, removed, moved, or `fid 10 -> 11`."""

    def __str__(self) -> str:
        return f"{self.code} {self.part} {self.name}: {self.change}"


@dataclass(frozen=True, slots=True)
class Installation:
    """What was read from an installed OpenAPI+ and now lies over the shipped tables."""

    folder: Path
    trs: tuple[Tr, ...]
    differences: tuple[Difference, ...]
    """Against the shipped tables; TRs that the installation lacks keep their shipped definition."""
    unreadable: tuple[str, ...]
    """File and reason of every definition that was left out."""


def load_installed(path: str | Path) -> Installation:
    """Read the TR definitions of an installed OpenAPI+ and put them over the shipped ones, for the whole process.

    What only the shipped tables know of a TR's inputs (values, formats, notes) is kept.

    Args: path: the folder of the installation (`GetAPIModulePath()`), or its folder `data`.
    Raises: InstalledDataError when nothing there can be read; one bad file among others is told in `unreadable`.
    """
    folder = _data_folder(Path(path))
    read: dict[str, Tr] = {}
    unreadable: list[str] = []
    for where, text in _definitions(folder, unreadable):
        try:
            found = _parse(where, text)
        except InstalledDataError as error:
            unreadable.append(str(error))
        else:
            read[found.code.lower()] = found
    if not read:
        raise InstalledDataError(
            f"{folder}: no TR definition could be read" + "".join(f"\n{each}" for each in unreadable)
        )
    differences = tuple(_differences(read))
    overlay(read.values())
    return Installation(folder, tuple(read.values()), differences, tuple(unreadable))


def _data_folder(path: Path) -> Path:
    for folder in (path / "data", path):
        if folder.is_dir() and any(_archives(folder)):
            return folder
    raise InstalledDataError(
        f"{path}: no *.enc files there; give the folder of OpenAPI+ (C:\\OpenAPI) or its data folder"
    )


def _archives(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix.lower() == ".enc")


def _definitions(folder: Path, unreadable: list[str]) -> Iterator[tuple[str, str]]:
    """File names and texts of everything that looks like a TR definition; other data of OpenAPI+ is passed over."""
    for path in _archives(folder):
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    text = archive.read(member).decode("cp949")
                    if "[TRINFO]" in text:
                        yield f"{path.name}/{member}", text
        except UnicodeDecodeError as error:
            unreadable.append(f"{path.name}: not Korean text (CP949) at byte {error.start}")
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            unreadable.append(f"{path.name}: no zip archive that can be read ({error})")


@dataclass(slots=True)
class _Record:
    name: str
    repeats: str
    fields: list[TrField] = field(default_factory=list)

    @property
    def many(self) -> bool:
        return any(each.strip() not in ("", "*") for each in self.repeats.split(","))


@dataclass(slots=True)
class _Definition:
    """A text as it stands, before it is known which of its records is which."""

    info: dict[str, str] = field(default_factory=dict)
    inputs: list[_Record] = field(default_factory=list)
    outputs: list[_Record] = field(default_factory=list)


def _parse(where: str, text: str) -> Tr:
    definition = _sections(where, text)
    code = Path(where).stem.lower()
    known = shipped(code)
    single, multi = _sides(where, [each for each in definition.outputs if each.fields], known)
    taken = definition.inputs[0] if definition.inputs else _Record("", "")
    count_field = "" if multi is None else multi.repeats.split(",")[-1].strip()
    gfid = definition.info.get("GFID", "")
    return Tr(
        code=known.code if known else code,
        name=taken.name or (known.name if known else code),
        kind=definition.info.get("TRName", known.kind if known else ""),
        single_record=single.name if single else "",
        multi_record=multi.name if multi else "",
        max_rows=known.max_rows if known else None,
        gfid=int(gfid) if gfid.isdecimal() else None,
        count_field="" if count_field == "*" or count_field.isdecimal() else count_field,
        edition="installed",
        inputs=tuple(_input(each, known) for each in taken.fields),
        single=tuple(single.fields) if single else (),
        multi=tuple(multi.fields) if multi else (),
    )


def _sections(where: str, text: str) -> _Definition:
    """Sort the lines by section and record; blank lines and comments tell nothing."""
    definition = _Definition()
    section = ""
    record: _Record | None = None
    for number, line in enumerate((each.strip() for each in text.splitlines()), start=1):
        if not line or line.startswith((";", "//")):
            continue
        if line.startswith("["):
            section, record = line.strip("[]").upper(), None
        elif section == "TRINFO":
            key, _, value = line.partition("=")
            definition.info[key.strip()] = value.strip()
        elif line.startswith("@END"):
            record = None
        elif begun := _RECORD.match(line):
            record = _Record(begun["name"].strip(), begun["repeats"] or "")
            (definition.inputs if section == "INPUT" else definition.outputs).append(record)
        elif record is None:
            raise InstalledDataError(f"{where}, line {number}: {line!r} stands outside any record")
        else:
            record.fields.append(_field(f"{where}, line {number}", line))
    if not definition.inputs and not definition.outputs:
        raise InstalledDataError(f"{where}: neither inputs nor outputs")
    return definition


def _field(where: str, line: str) -> TrField:
    name, _, numbers = line.rpartition("=")
    cells = [each.strip() for each in numbers.split(",")]
    try:
        _, width, fid = (int(each) if each else None for each in cells)
    except ValueError:
        raise InstalledDataError(f"{where}: {line!r} is not `name = place, width, FID`") from None
    return TrField(name.strip(), None if fid is None or fid < 0 else fid, width)


def _sides(where: str, records: list[_Record], known: Tr | None) -> tuple[_Record | None, _Record | None]:
    """Which record is the single part and which the rows.

    The shipped table decides by the record's name, as some TRs have their rows in a record that does not look like it.
    """
    single: _Record | None = None
    multi: _Record | None = None
    for each in records:
        rows = each.many
        if known is not None and each.name in (known.single_record, known.multi_record):
            rows = each.name == known.multi_record and (known.single_record != each.name or single is not None)
        if rows and multi is None:
            multi = each
        elif not rows and single is None:
            single = each
        elif multi is None:
            multi = each
        else:
            raise InstalledDataError(f"{where}: more output records than a single part and rows: {each.name}")
    return single, multi


def _input(read: TrField, known: Tr | None) -> TrInput:
    described = next((each for each in known.inputs if each.name == read.name), None) if known else None
    if described:
        return described._replace(fid=read.fid, width=read.width)
    return TrInput(read.name, read.fid, read.width, "", (), None, "", "", "")


def _differences(read: dict[str, Tr]) -> Iterator[Difference]:
    for code, installed in read.items():
        known = shipped(code)
        if known is None:
            yield Difference(installed.code, "tr", installed.name, "added")
            continue
        yield from _compared(installed.code, "input", known.inputs, installed.inputs)
        yield from _compared(installed.code, "single", known.single, installed.single)
        yield from _compared(installed.code, "multi", known.multi, installed.multi)
    for each in shipped_trs():
        if each.code.lower() not in read:
            yield Difference(each.code, "tr", each.name, "removed")


def _compared(
    code: str, part: str, known: Iterable[TrField | TrInput], installed: Iterable[TrField | TrInput]
) -> Iterator[Difference]:
    before = {each.name: each.fid for each in known}
    after = {each.name: each.fid for each in installed}
    for name in before:
        if name not in after:
            yield Difference(code, part, name, "removed")
    for name, fid in after.items():
        if name not in before:
            yield Difference(code, part, name, "added")
        elif before[name] != fid:
            yield Difference(code, part, name, f"fid {before[name]} -> {fid}")
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield Difference(code, part, "", "moved")
