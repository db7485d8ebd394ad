"""Numbers out of OpenAPI+'s texts: padded with zeros, signed for a meaning that depends on the field. Pure, no pandas.

* A price's sign tells above (+) or below (-) the previous close: the number is the price without it.
* Any other sign is the number's own; of two signs the first is only a colour.
* Codes, numbers of orders and accounts, dates, times, kinds and names stay text, however numeric they look.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Number = int | float

_NUMBER = re.compile(r"[+-]?([+-]?)(\d+(?:\.\d+)?|\.\d+)")
_PRICE = re.compile(r"(가격?|단가|최[고저]|호가\d*|가[ns])$")
_NO_PRICE = re.compile(r"(소진율증가|국가|베가)$")
_TEXT = re.compile(
    r"((코드|번호|일자|기호|구분명?)[ns\d]*|종목명|사번|날짜|일시|월물|년월|결산월|(?<!단위)시간n?|화면번호"
    r"|(?<!당)(?<!전)(?<!손)(?<!존)일)$|^일자"
)


def is_text(name: str) -> bool:
    """Whether a field of this name holds a code, a number that names something, a date, a time or a kind."""
    return bool(_TEXT.search(name))


def is_price(name: str) -> bool:
    """Whether a field of this name holds a price, whose sign is a direction."""
    return bool(_PRICE.search(name)) and not _NO_PRICE.search(name)


def number(name: str, text: str) -> Number | None:
    """The number that a field's text stands for, or None when it stands for none."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    second, digits = match.groups()
    size = float(digits) if "." in digits else int(digits)
    if is_price(name):
        return size
    return -size if (second or text.strip()[0]) == "-" else size


def column(name: str, texts: list[str]) -> list[Number | None] | None:
    """A column's numbers, None for empty cells; None altogether when the column is text."""
    if is_text(name):
        return None
    numbers = [number(name, text) for text in texts]
    if any(each is None and text.strip() for each, text in zip(numbers, texts, strict=True)):
        return None
    return numbers if any(each is not None for each in numbers) else None


def values(single: Mapping[str, str]) -> dict[str, Any]:
    """A single row with its numbers as numbers."""
    return dict(_value(name, text) for name, text in single.items())


def _value(name: str, text: str) -> tuple[str, str | Number]:
    size = None if is_text(name) else number(name, text)
    return name, text if size is None else size


def whole(numbers: Iterable[Number | None]) -> bool:
    """Whether all numbers are integers."""
    return not any(isinstance(each, float) for each in numbers)
