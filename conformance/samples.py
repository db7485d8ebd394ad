"""Recorded values: what is kept of them in `samples.jsonl`, and the rules that follow from them."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conformance.forms import Form, Literal, Number, Rule, derive, parse, says_direction, with_signs
from koapy.openapi.fid import fid
from koapy.openapi.tr import is_tr, tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HERE = Path(__file__).parent
SAMPLES, RULES = HERE / "samples.jsonl", HERE / "rules.csv"

CONTROL, STRIPPED, TWIN, GUIDE = "control", "control, stripped", "twin", "guide"
"""How a value was read: from OpenAPI+ itself, the same with the blanks around it lost, from the REST API, which answers
the same questions with the same texts, from an example in that API's guide, which was edited by hand."""

_RANK = {CONTROL: 0, STRIPPED: 0, TWIN: 1, GUIDE: 2}


class Field(NamedTuple):
    """Which field: `kind` is tr, real, chejan, event, function, condition or phase."""

    kind: str
    name: str
    """TR, real type, gubun, event or function."""
    part: str
    """single or multi of a TR, 주문상태 of an order event."""
    field: str
    """Item name, `#2` behind it for the second one of that name; or FID, or argument."""

    @property
    def spoken(self) -> str:
        """What the field is called, a name for a FID."""
        if not self.field.isdigit():
            return self.field.partition("#")[0]
        known = fid(int(self.field))
        return known.name or known.rest_name or self.field


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one field that were read in one way."""

    field: Field
    server: str
    """mock, real, or empty where the recorder does not say."""
    read: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The rule of a field and where it comes from."""

    rule: Rule
    read: str
    server: str
    """Empty: for both."""


def load() -> Iterator[Sample]:
    """Read what is kept of the recorded values."""
    with SAMPLES.open(encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            for name, values in line["fields"].items():
                where = Field(line["kind"], line["name"], line["part"], name)
                yield Sample(where, line["server"], line["read"], tuple(values))


def kept(field: Field, values: Iterable[str]) -> list[str]:
    """Choose the values to keep: two of each shape."""
    shapes: dict[str, list[str]] = defaultdict(list)
    for value in values:
        shapes[str(derive(field.spoken, [value], stripped=False))].append(value)
    return [value for same in shapes.values() for value in list(dict.fromkeys(same))[:2]]


def by_server(field: Field) -> bool:
    """Whether the two servers may write a field differently: what is about an account, not what is about the market."""
    if field.kind == "tr":
        return is_tr(field.name) and "계좌번호" in tr(field.name).input_names
    return field.kind == "chejan" and field.field == "921"


def rules(samples: Iterable[Sample]) -> dict[tuple[Field, str], Judged]:
    """Derive the rule of each field, by field and server; the server is empty where both write alike."""
    grouped: dict[Field, list[Sample]] = defaultdict(list)
    for each in samples:
        grouped[each.field].append(each)
    found = {}
    for field, group in sorted(grouped.items()):
        servers = {each.server for each in group if each.server} if by_server(field) else set()
        for server in sorted(servers) or [""]:
            of_it = [each for each in group if not servers or each.server in ("", server)]
            found[field, server] = _judged(field, server, of_it)
    shared = _together(found)
    return {
        (field, server): shared[field, server] if _fits(shared[field, server], grouped[field]) else own
        for (field, server), own in found.items()
    }


def _fits(judged: Judged, group: Iterable[Sample]) -> bool:
    """Whether a rule takes what was recorded of a field: else what looked like a series is none."""
    values = {value for each in group if each.read == judged.read for value in each.values}
    return all(judged.rule.accepts(value) or judged.rule.accepts(f" {value}") for value in values)


_INVESTOR = re.compile(
    r"개인|내국인대우외국인|외국인|외인|기관계|기관|금융투자|증권|보험|투신|은행|연기금|기금|사모펀드|사모|국가"
    r"|기타법인|기타금융|종신금"
)


def _together(found: dict[tuple[Field, str], Judged]) -> dict[tuple[Field, str], Judged]:
    """Let fields that are a series (매도호가1, 매도호가2), or the same of other investors, have one rule."""
    series: dict[tuple[str, ...], list[tuple[Field, str]]] = defaultdict(list)
    for field, server in found:
        name = re.sub(r"\d+", "#", field.spoken)
        if name == "#":  # a FID without a name: alike in all types that have it
            if field.kind == "real":
                series["real", field.field].append((field, server))
            continue
        if _INVESTOR.search(name) and all(
            isinstance(form, Number | Literal) for form in found[field, server].rule.forms
        ):
            name = _INVESTOR.sub("", name)
        elif "#" not in name:
            continue
        if field.kind in ("tr", "real"):
            series[field.kind, field.name, field.part, server, name].append((field, server))
    shared = dict(found)
    for members in series.values():
        best = min(_RANK[found[each].read] for each in members)
        forms = [form for each in members if _RANK[found[each].read] == best for form in found[each].rule.forms]
        for each in members:
            own = found[each]
            mine = (*own.rule.forms, *sorted(set(forms) - set(own.rule.forms), key=str))
            shared[each] = replace(own, rule=replace(own.rule, forms=_certain(mine)))
    return shared


_VAGUE = (("?", ""), ("±?",))
"""Signs of which less was seen than of others, the vaguest first."""


def _certain(forms: tuple[Form, ...]) -> tuple[Form, ...]:
    """Leave numbers out of whose sign less was seen than of others like them."""
    kept = list(dict.fromkeys(forms))
    for vague in _VAGUE:
        sure = {(form.fill, form.places) for form in kept if isinstance(form, Number) and form.sign not in vague}
        kept = [
            form
            for form in kept
            if not (isinstance(form, Number) and form.sign in vague and (form.fill, form.places) in sure)
        ]
    return tuple(kept)


def _judged(field: Field, server: str, group: list[Sample]) -> Judged:
    """The best readings count; the next best say what the best have only blank."""
    if field.kind in ("phase", "message"):  # texts themselves, not how they are written
        return Judged(Rule(tuple(Literal(value) for each in group for value in each.values)), group[0].read, server)
    rule: Rule | None = None
    read = ""
    for rank in sorted({_RANK[each.read] for each in group}):
        of_rank = [each for each in group if _RANK[each.read] == rank]
        found = _of_rank(field, of_rank)
        if rule is None:
            rule, read = found, min(each.read for each in of_rank)
        elif says_nothing(rule):
            rule, read = (
                Rule((*rule.forms, *(each for each in found.forms if each not in rule.forms)), rule.stripped),
                of_rank[0].read,
            )
    assert rule is not None
    return Judged(with_signs(rule) if _signed(field) else rule, read, server)


_SIGNED = {"10", "16", "17", "18", "27", "28", "10010", "10016", "10017", "10018", "10027", "10028"}
"""Prices of ticks."""


def _signed(field: Field) -> bool:
    """Whether a field is a price that has a sign wherever one beside it says which way it went."""
    if field.kind == "real":
        return field.field in _SIGNED or (field.field.isdigit() and 41 <= int(field.field) <= 60)
    if field.kind != "tr" or not field.spoken.endswith("현재가"):
        return False
    what = tr(field.name)
    return any(says_direction(name) for name in (what.multi_names if field.part == "multi" else what.single_names))


def says_nothing(rule: Rule) -> bool:
    """Whether a rule was derived from blanks and bare zeros only."""
    return all(isinstance(each, Literal) or each == Number("?") for each in rule.forms)


def _of_rank(field: Field, group: list[Sample]) -> Rule:
    raw = [value for each in group if each.read != STRIPPED for value in each.values]
    bare = [value for each in group if each.read == STRIPPED for value in each.values]
    if not raw:
        return derive(field.spoken, bare, stripped=True)
    rule = derive(field.spoken, raw, stripped=False)
    # What lost its blanks says the more only where no blank could have been.
    more = derive(
        field.spoken,
        [value for value in bare if not rule.accepts(value) and not rule.accepts(f" {value}")],
        stripped=False,
    )
    return Rule((*rule.forms, *(each for each in more.forms if each not in rule.forms)))


def write(found: dict[tuple[Field, str], Judged]) -> str:
    """The rules as the text of `rules.csv`."""
    lines = ["kind,name,part,field,server,read,rule"]
    lines += [
        ",".join(_quoted(each) for each in (*field, server, judged.read, str(judged.rule)))
        for (field, server), judged in found.items()
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text else text


@cache
def table() -> dict[tuple[Field, str], Judged]:
    """The rules as they stand in `rules.csv`."""
    with RULES.open(encoding="utf-8", newline="") as lines:
        return {
            (Field(row["kind"], row["name"], row["part"], row["field"]), row["server"]): Judged(
                parse(row["rule"]), row["read"], row["server"]
            )
            for row in csv.DictReader(lines)
        }


@cache
def number_of(field: Field) -> int | None:
    """The FID of a field."""
    if field.field.isdigit():
        return int(field.field)
    if field.kind != "tr":
        return None
    what = tr(field.name)
    fields = what.multi if field.part == "multi" else what.single
    names = numbered([each.name for each in fields])
    return fields[names.index(field.field)].fid if field.field in names else None


def numbered(names: Iterable[str]) -> list[str]:
    """Tell fields of one name apart by their number."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return result
