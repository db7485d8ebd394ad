"""Forms: how a value is written, as a small language, and how it is derived from values that were recorded.

A rule is a list of alternatives, separated by ` | `:

    blank           nothing
    9               a whole number without a sign;  9.2  with two decimals;  0{12}  filled with zeros to 12 characters,
                    sign and point counted;  0{12}.2  the same with decimals
    -9              a minus where it is negative, nothing else
    ±9              plus or minus; what is neutral (zero, or as high as the reference) has neither
    ±_9             plus or minus; what is neutral has a blank in their place
    ±?9             plus or minus; nothing neutral was recorded: nothing or a blank
    ±±9             as ±9, with a second minus where it is negative: the first sign is a colour
    ±!9             plus or minus, zeros too
    ±±!9            the same with a second minus where it is negative
    ?9              a number of which no sign was recorded: zeros only, or negative ones only
    time, date, moment, hh:mm:ss, code, A+code, direction, account, screen
                    HHMMSS, YYYYMMDD, YYYYMMDDHHMMSS, ..., a code, a code with its kind in front, 1 to 5 (0: none),
                    ten digits, four digits
    text            words;  text{40}  filled with blanks to 40 bytes;  ±text  with a sign in front,
                    or a blank in its place
    each;(RULE)     a list, each item followed by ";";  join;(RULE)  a list with ";" between its items
    'x'             x itself
    ~               in front of all: the recorder had taken blanks off the ends, so they are not judged
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = re.compile(r"([ +-]*)(\d+)(?:\.(\d+))?")
_TEMPLATE = re.compile(r"(|-|±|±_|±\?|±±|±±!|±!|\?)(?:9|0\{(\d+)\})(?:\.(\d+))?")
_TEXT = re.compile(r"(±?)text(?:\{(\d+)\})?")

_SIGNS = {
    # Allowed of other numbers, of zeros.
    "": ({""}, {""}),
    "-": ({"-", ""}, {""}),
    "±": ({"+", "-", ""}, {""}),
    "±_": ({"+", "-", " "}, {" "}),
    "±?": ({"+", "-", "", " "}, {"", " "}),
    "±±": ({"+", "--", ""}, {"", " "}),
    "±!": ({"+", "-"}, {"+", "-"}),
    "±±!": ({"+", "--"}, {"+", "-"}),
    "?": ({"+", "-", "", " "}, {"", " "}),
}

_CLASSES = {
    "time": r"([01]\d|2[0-3])[0-5]\d[0-5]\d",
    "date": r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])",
    "moment": r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d",
    "hh:mm:ss": r"\d\d:\d\d:\d\d",
    "code": r"[0-9A-Z]{3}|[0-9A-Z]{6}(_AL|_NX)?|[0-9A-Z]{8}",
    "A+code": r"[AJQ][0-9A-Z]{6}",
    "direction": r"[0-5]",
    "screen": r"\d{4}",
    "account": r"\d{10}",
}

# What the name of a field says about its values.
_CODE = re.compile(r"코드$|^종목번호$")
_SCREEN = re.compile(r"^화면번호$|ScrNo$")
_ACCOUNT = re.compile(r"^계좌번호$")
_TIME = re.compile(r"시간(?!외)|시각")
_DIRECTION = re.compile(r"기호|부호|^sign$")
_PRICE = re.compile(r"가\d*$|호가|가n$|단위$|최고|최저")
_SHORT = 10
"""Width up to which zeros fill numbers and codes; wider are amounts, which may be negative."""
_BOTH_WAYS = re.compile(
    r"손익|순매수|순매도|대비|등락|증감|수익|괴리|순잔|이익|베이시스|변동|합계|순이익|정산|^(PER|EPS|ROE)$"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number; `fill` and `places` are 0 for none."""

    sign: str
    fill: int = 0
    places: int = 0

    def __str__(self) -> str:
        return f"{self.sign}{f'0{{{self.fill}}}' if self.fill else '9'}{f'.{self.places}' if self.places else ''}"

    def accepts(self, value: str) -> bool:
        """Whether a value has this form."""
        found = _NUMBER.fullmatch(value)
        if found is None:
            return False
        sign, whole, part = found[1], found[2], found[3] or ""
        if len(part) != self.places:
            return False
        zeros = whole.startswith("0") and len(whole) > 1
        if self.fill:
            if len(value) < self.fill or (len(value) > self.fill and zeros):
                return False
        elif zeros:
            return False
        others, zero = _SIGNS[self.sign]
        return sign in (others if int(whole + part) else zero)


@dataclass(frozen=True, slots=True)
class Text:
    """Words that are no number."""

    signed: bool = False
    width: int = 0

    def __str__(self) -> str:
        return f"{'±' if self.signed else ''}text{f'{{{self.width}}}' if self.width else ''}"

    def accepts(self, value: str) -> bool:
        """Whether a value has this form."""
        if self.width and len(value.encode("cp949", "replace")) != self.width:
            return False
        words = value.rstrip() if self.width else value
        if self.signed:
            return words[:1] in ("+", "-", " ") and len(words) > 1 and words[1:] == words[1:].strip()
        # Names of issues may be all digits, or begin with a digit.
        return bool(words) and words == words.strip() and words[0] not in "+-"


@dataclass(frozen=True, slots=True)
class Class:
    """A kind of text with a pattern of its own."""

    name: str

    def __str__(self) -> str:
        return self.name

    def accepts(self, value: str) -> bool:
        """Whether a value has this form."""
        return re.fullmatch(_CLASSES[self.name], value) is not None


@dataclass(frozen=True, slots=True)
class Literal:
    """One value itself; "" is written `blank`."""

    value: str

    def __str__(self) -> str:
        return f"'{self.value}'" if self.value else "blank"

    def accepts(self, value: str) -> bool:
        """Whether a value is this one."""
        return value == self.value


@dataclass(frozen=True, slots=True)
class Items:
    """A list; with `closed` its last item is followed by the separator, too."""

    closed: bool
    item: Rule

    def __str__(self) -> str:
        return f"{'each' if self.closed else 'join'};({self.item})"

    def accepts(self, value: str) -> bool:
        """Whether a value has this form."""
        if self.closed != value.endswith(";"):
            return False
        return all(self.item.accepts(each) for each in value.removesuffix(";").split(";"))


Form = Number | Text | Class | Literal | Items


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field's values may look like."""

    forms: tuple[Form, ...]
    stripped: bool = False
    """Whether blanks at the ends are left out of account."""

    def __str__(self) -> str:
        return ("~ " if self.stripped else "") + " | ".join(map(str, self.forms))

    def accepts(self, value: str) -> bool:
        """Whether a value has one of the forms."""
        given = value.strip() if self.stripped else value
        return any(form.accepts(given) for form in self.forms)


@cache
def parse(text: str) -> Rule:
    """Read a rule as `str` writes it.

    Raises: ValueError for what is none.
    """
    stripped = text.startswith("~ ")
    return Rule(tuple(_form(each) for each in text.removeprefix("~ ").split(" | ")), stripped)


def _form(text: str) -> Form:
    if text == "blank":
        return Literal("")
    if text in _CLASSES:
        return Class(text)
    if len(text) > 1 and text[0] == text[-1] == "'":
        return Literal(text[1:-1])
    if text[:6] in ("each;(", "join;(") and text.endswith(")"):
        return Items(text.startswith("each"), parse(text[6:-1]))
    if number := _TEMPLATE.fullmatch(text):
        return Number(number[1], int(number[2] or 0), int(number[3] or 0))
    if words := _TEXT.fullmatch(text):
        return Text(bool(words[1]), int(words[2] or 0))
    raise ValueError(f"no form: {text!r}")


def derive(name: str, values: Iterable[str], *, stripped: bool) -> Rule:
    """Derive the rule of a field from values that were recorded of it.

    One value proves more than itself: a plus that there are minuses, too; a number filled with zeros its width; a price
    that one that is missing is written -0, as it is wherever one was recorded.

    Args:
        name: of the field, as TRs call it: it tells 153000 the time from 153000 won.
        stripped: whether the recorder took blanks off.
    """
    given = {value.strip() if stripped else value for value in values}
    forms: list[Form] = [Literal(value) for value in sorted(given) if not value.strip()]
    given = {value for value in given if value.strip()}
    if given:
        forms += _by_name(name, given) or _by_looks(name, given)
    return Rule(tuple(dict.fromkeys(forms)), stripped)


def with_signs(rule: Rule) -> Rule:
    """Let whole numbers have a sign that were only recorded without one: they were neutral then."""
    forms = (
        Number("±?", 0, form.places)
        if isinstance(form, Number) and form.sign in ("", "-", "?") and not form.fill
        else form
        for form in rule.forms
    )
    return Rule(tuple(dict.fromkeys(forms)), rule.stripped)


def is_price(name: str) -> bool:
    """Whether a field of this name is a price."""
    return _PRICE.search(name) is not None


def says_direction(name: str) -> bool:
    """Whether a field of this name says whether a price has risen or fallen."""
    return _DIRECTION.search(name) is not None


def _by_name(name: str, values: set[str]) -> list[Form]:
    """Forms of values whose field says what they are."""
    kinds = []
    if _CODE.search(name):
        kinds = ["code", "A+code"]
    elif _SCREEN.search(name):
        kinds = ["screen"]
    elif _ACCOUNT.search(name):
        kinds = ["account"]
    elif _DIRECTION.search(name):
        kinds = ["direction"]
    elif all(re.fullmatch(r"\d{14}", value) for value in values):
        kinds = ["moment"]
    elif _TIME.search(name):
        kinds = ["time", "hh:mm:ss"]
    elif all(re.fullmatch(r"\d{8}", value) for value in values):
        kinds = ["date"]
    fitting = [Class(kind) for kind in kinds if any(Class(kind).accepts(value) for value in values)]
    rest = {value for value in values if not any(each.accepts(value) for each in fitting)}
    # 00000000 stands for a day that there is none of, 888888 for a time.
    blank = [Literal(value) for value in sorted(rest) if len(set(value)) == 1 and len(value) > 1]
    return [*fitting, *blank] if fitting and len(rest) == len(blank) else []


def _by_looks(name: str, values: set[str]) -> list[Form]:
    numbers = {value for value in values if _NUMBER.fullmatch(value)}
    words = sorted(values - numbers)
    if words and all(";" in value for value in words):
        return _lists(words)
    if words and numbers and not _PRICE.search(name):
        # Names, of which some are all digits.
        return _texts([*words, *(value for value in numbers if value[0] in "+-")])
    return _numbers(name, numbers) + _texts(words)


def _lists(values: list[str]) -> list[Form]:
    closed = all(value.endswith(";") for value in values)
    items = {item for value in values for item in value.removesuffix(";").split(";") if item != "…"}
    code = all(re.fullmatch(_CLASSES["code"], item) for item in items)
    return [Items(closed, derive("코드" if code else "", items, stripped=False))]


def _texts(words: list[str]) -> list[Form]:
    found: list[Form] = []
    for value in words:
        width = len(value.encode("cp949", "replace")) if value.endswith(" ") else 0
        found.append(Text(value[0] in "+- ", width))
    return list(dict.fromkeys(found))


def _numbers(name: str, values: set[str]) -> list[Form]:
    forms: list[Form] = []
    parsed = {value: _parts(value) for value in values}
    odd = sorted(value for value, (sign, _, _, zero) in parsed.items() if zero and sign not in ("", " "))
    if odd and not _PRICE.search(name) and all(sign in ("+", "-") for sign, _, _, _ in parsed.values()):
        return [Number("±!", 0, places) for places in sorted({places for _, _, places, _ in parsed.values()})]
    regular = {value: parts for value, parts in parsed.items() if value not in odd}
    for fill, places in sorted({(fill, places) for _, fill, places, _ in regular.values()}):
        group = [value for value, parts in regular.items() if parts[1:3] == (fill, places)]
        forms.append(Number(_sign(name, [parsed[value] for value in group], filled=bool(fill)), fill, places))
    if len(forms) > 1:
        forms = _merged(forms, regular)
    if not forms and odd:
        forms = [Number("±?", 0, parsed[odd[0]][2])]
    signed = any(isinstance(form, Number) and form.sign.startswith("±") and not form.places for form in forms)
    if signed and _PRICE.search(name):
        odd.append("-0")
    return forms + [Literal(value) for value in dict.fromkeys(odd)]


def _parts(value: str) -> tuple[str, int, int, bool]:
    """Sign, width if it is filled with zeros, decimals, whether it is zero."""
    found = _NUMBER.fullmatch(value)
    assert found is not None
    whole, part = found[2], found[3] or ""
    filled = whole.startswith("0") and len(whole) > 1
    return found[1], len(value) if filled else 0, len(part), not int(whole + part)


def _sign(name: str, parts: list[tuple[str, int, int, bool]], *, filled: bool) -> str:
    others, zeros = ({sign for sign, _, _, zero in parts if zero is which} for which in (False, True))
    if "--" in others:
        return "±±"
    if "+" in others or " " in others | zeros:
        blank, bare = " " in others | zeros, "" in others | zeros
        return "±_" if blank and not bare else "±" if bare and not blank else "±?"
    if filled:
        return "-" if "-" in others or (max(width for _, width, _, _ in parts) > _SHORT) else ""
    if _PRICE.search(name) and "-" in others:
        return "±?"
    if "" in others:
        return "-" if "-" in others or _BOTH_WAYS.search(name) else ""
    return "?"


def _merged(forms: list[Form], values: dict[str, tuple[str, int, int, bool]]) -> list[Form]:
    """Leave a form out that only numbers too wide to be filled, or zeros, have brought."""
    numbers = [form for form in forms if isinstance(form, Number)]
    filled = {form.places: form for form in numbers if form.fill}
    kept: list[Form] = []
    for form in numbers:
        of_it = [value for value, parts in values.items() if parts[1:3] == (form.fill, form.places)]
        wide = filled.get(form.places)
        if not form.fill and wide is not None and all(len(value) >= wide.fill for value in of_it):
            continue
        kept.append(form)
    return kept
