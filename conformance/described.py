"""Forms that no recording shows, but that a description of the REST API's fields names: `described.csv`."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from conformance.forms import is_price, parse
from conformance.samples import HERE, Field, Judged, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DESCRIBED = HERE / "described.csv"
SAID = "described"
"""How a rule was read that comes from here."""

_MOMENTS = {"YYYYMMDD": "date | '00000000'", "YYYYMMDDHHmmss": "moment", "HHmmss": "time", "HH:mm:ss": "hh:mm:ss"}


def describe(fields: Path) -> str:
    """The text of `described.csv`: the rules of fields of TRs of which nothing was recorded.

    Args:
        fields: rest/field.csv of the facts, with a column `format`.
    """
    known = {field for field, _ in table()}
    found: dict[Field, str] = {}
    with fields.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            where = Field("tr", row["tr_code"].lower(), row["tr_record"], row["tr_field"])
            if row["direction"] == "response" and row["tr_field"] and where not in known:
                rule = _rule(row["format"].split(), where.spoken)
                if rule:
                    found.setdefault(where, rule)
    lines_of_it = [",".join((where.name, where.part, where.field, rule)) for where, rule in sorted(found.items())]
    return "\n".join(["name,part,field,rule", *lines_of_it]) + "\n"


def _rule(said: list[str], name: str) -> str:
    """A rule for what is said of a field, empty where that is nothing about its form."""
    words = {word: value for word, _, value in (each.partition("=") for each in said)}
    places = f".{words['decimals']}" if "decimals" in words else ""
    if moment := next((_MOMENTS[word] for word in said if word in _MOMENTS), ""):
        return f"blank | {moment}"
    if "zeropad" in words:
        return f"blank | -0{{{words['zeropad']}}}{places}"
    if "signed" in words:
        # What is neutral has no sign; of prices that is more than zero.
        zero = f"0{'.' + '0' * int(words['decimals']) if places else ''}"
        return (
            f"blank | ±?9{places} | '-0'"
            if is_price(name)
            else f"blank | ±!9{places} | ±±!9{places} | '{zero}' | ' {zero}'"
        )
    return f"blank | ±?9{places} | ±±9{places}" if places else ""


def described() -> Iterator[tuple[Field, Judged]]:
    """The rules as they stand in `described.csv`."""
    with DESCRIBED.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield Field("tr", row["name"], row["part"], row["field"]), Judged(parse(row["rule"]), SAID, "")
