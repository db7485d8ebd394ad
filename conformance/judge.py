"""Judging what was told by the rules, and what is said of it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING

from conformance.described import described
from conformance.forms import Literal
from conformance.samples import GUIDE, HERE, Field, number_of, numbered, says_nothing, table
from koapy.openapi.chejan import chejan_fids
from koapy.openapi.realtype import real_types
from koapy.openapi.tr import trs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.forms import Rule
    from conformance.samples import Judged
    from conformance.scenario import Work

REASONS = HERE / "explained.toml"

CONFORMING, DEVIATING, EXPLAINED, UNSEEN, UNTOLD = "conforming", "deviating", "explained", "unseen", "untold"
"""A field follows its rule; breaks it; breaks it for a reason; was never recorded; was recorded, but not told here."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one field."""

    field: Field
    outcome: str
    rule: str = ""
    read: str = ""
    """How the values were read from which the rule comes."""
    values: tuple[str, ...] = ()
    """Some that were told; of a deviating field those that deviate."""
    reason: str = ""

    def __str__(self) -> str:
        told = ", ".join(repr(each) for each in self.values[:3])
        why = f"  # {self.reason}" if self.reason else ""
        rule = f"{self.rule} ({self.read})" if self.rule else ""
        where = "/".join(each for each in self.field if each)
        return f"{self.outcome:<10} {where:<60} {rule:<40} {told}{why}"


@dataclass(frozen=True, slots=True)
class Exemption:
    """Fields that may deviate, and why."""

    fields: str
    """A pattern over kind/name/part/field."""
    server: str
    """mock, real or empty for both."""
    only: tuple[str, ...]
    """The values that may; empty for all."""
    reason: str


def verdicts(work: Work, server: str) -> Iterator[Verdict]:
    """Judge every field of the catalogue, and whatever else was recorded or told."""
    rules = {(field, ""): judged for field, judged in described()} | table()
    everything = dict.fromkeys([*catalogue(), *sorted({field for field, _ in rules}), *sorted(work.told)])
    for field in everything:
        if field.kind not in ("phase", "message"):
            # Where only the other server was recorded, it serves.
            judged = next((rules[field, of] for of in (server, "", "mock", "real") if (field, of) in rules), None)
            yield _verdict(field, judged, work, server)
    yield from _phases(work)
    yield from _messages(work, server)
    for text in sorted(set(work.wrong)):
        yield Verdict(Field("event", text, "", ""), DEVIATING)


def _verdict(field: Field, judged: Judged | None, work: Work, server: str) -> Verdict:
    values = work.told.get(field, [])
    if judged is None:
        return Verdict(field, UNSEEN, values=tuple(values), reason=_unlike(field, values))
    rule, read = str(judged.rule), judged.read
    bad = tuple(value for value in values if not judged.rule.accepts(value))
    if not values:
        return Verdict(field, UNTOLD, rule, read)
    if not bad:
        return Verdict(field, CONFORMING, rule, read, tuple(values))
    return _explained(Verdict(field, DEVIATING, rule, read, bad), server)


def _unlike(field: Field, values: list[str]) -> str:
    """Say so when values of a field that was never recorded are unlike all recorded fields of its FID."""
    known = kin().get(number_of(field) or 0, ())
    if not known or all(not value or any(rule.accepts(value) for rule in known) for value in values):
        return ""
    return f"its FID is elsewhere written {' or '.join(sorted(set(map(str, known))))}"


@cache
def kin() -> dict[int, tuple[Rule, ...]]:
    """The rules of all recorded fields of a FID."""
    found: dict[int, list[Rule]] = defaultdict(list)
    for (field, _), judged in table().items():
        number = number_of(field)
        if number is not None and judged.read != GUIDE and not says_nothing(judged.rule):
            found[number].append(judged.rule)
    return {number: tuple(rules) for number, rules in found.items()}


def _explained(found: Verdict, server: str) -> Verdict:
    where = "/".join(found.field)
    reason = "an example of the REST guide, edited by hand, is all there is" if found.read == GUIDE else ""
    for each in exemptions():
        if (
            each.server in ("", server)
            and fnmatchcase(where, each.fields)
            and set(found.values) <= set(each.only or found.values)
        ):
            reason = each.reason
    return replace(found, outcome=EXPLAINED, reason=reason) if reason else found


@cache
def exemptions() -> tuple[Exemption, ...]:
    """What stands in `explained.toml`."""
    with REASONS.open("rb") as file:
        return tuple(
            Exemption(each["fields"], each.get("server", ""), tuple(each.get("only", ())), each["reason"])
            for each in tomllib.load(file)["deviation"]
        )


def catalogue() -> list[Field]:
    """All fields that OpenAPI+ of 2026 has, whether recorded or not."""
    found = []
    for what in trs():
        found += [Field("tr", what.code.lower(), "single", name) for name in what.single_names]
        found += [Field("tr", what.code.lower(), "multi", name) for name in numbered(what.multi_names)]
    for kind in real_types():
        if kind.delivered and kind.name not in _BY_CHEJAN:
            found += [Field("real", kind.name, "", str(each)) for each in kind.fids]
    for state in ("접수", "체결", "확인"):
        found += [Field("chejan", "0", state, str(each)) for each in chejan_fids("0")]
    return found + [Field("chejan", gubun, "", str(each)) for gubun in ("1", "4") for each in chejan_fids(gubun)]


_BY_CHEJAN = ("주문체결", "잔고", "파생잔고")
"""Real types that come as OnReceiveChejanData."""


def _phases(work: Work) -> Iterator[Verdict]:
    """The announcements of a day, in the order in which they were recorded."""
    recorded = _recorded("phase")
    for number in range(max(len(recorded), len(work.phases))):
        field = Field("phase", "장시작시간", "", f"{number:02d}")
        rule = recorded[number] if number < len(recorded) else ""
        told = work.phases[number] if number < len(work.phases) else ""
        outcome = CONFORMING if rule == told else UNTOLD if not told else DEVIATING if rule else UNSEEN
        yield Verdict(field, outcome, rule, "control", (told,) if told else ())


def _recorded(kind: str, *names: str) -> list[str]:
    """Texts that were recorded as such, in the order of their fields."""
    rules = [
        judged.rule
        for (field, _), judged in sorted(table().items(), key=itemgetter(0))
        if field.kind == kind and (not names or field.name in names)
    ]
    return [form.value for rule in rules for form in rule.forms if isinstance(form, Literal)]


_HEADS = {"mock": r"\[(\d{6}|RC\d{4}|00Z\d{3})\] 모의투자 ?\S", "real": r"\[\d{6}\] (?!모의투자)"}
"""How the servers begin what they say."""


def _messages(work: Work, server: str) -> Iterator[Verdict]:
    """What OnReceiveMsg said: a text that was recorded, or else one that begins as they do."""
    known = {_bare(text): text for text in _recorded("message", server, "any")}
    for text in sorted({each.text for each in work.messages}):
        field = Field("message", server, "", text)
        if _bare(text) in known:
            yield Verdict(field, CONFORMING, f"{known[_bare(text)]!r}", "control", (text,))
        elif text in _WITHOUT_CODE or re.match(_HEADS[server], text):
            yield Verdict(field, UNSEEN, values=(text,))
        else:
            yield _explained(Verdict(field, DEVIATING, _HEADS[server], "control", (text,)), server)


_WITHOUT_CODE = ("Fail to parse Request TR",)


def _bare(text: str) -> str:
    """A text without what recorders and editions do to it: the point at its end, blanks around a slash."""
    return text.replace(" / ", "/").rstrip(". ")


def report(found: list[Verdict], server: str, *, short: bool = False) -> str:
    """What to print: every field, or with `short` only what deviates, and the sums."""
    lines = [f"Conformance of --server {server}"]
    lines += [str(each) for each in found if not short or each.outcome in (DEVIATING, EXPLAINED)]
    sums = Counter(each.outcome for each in found)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        kinds[each.field.kind][each.outcome] += 1
    for kind, counts in kinds.items():
        lines.append(f"{kind:<10} " + ", ".join(f"{counts[each]} {each}" for each in _OUTCOMES))
    lines.append(f"{'all':<10} " + ", ".join(f"{sums[each]} {each}" for each in _OUTCOMES))
    return "\n".join(lines)


_OUTCOMES = (CONFORMING, DEVIATING, EXPLAINED, UNSEEN, UNTOLD)
