"""What the texts of OnReceiveMsg say: the code in them, and whether a query has failed.

Kiwoom may change codes and wording at any time, so nothing else of a text is looked at.
"""

from __future__ import annotations

import re
from typing import NamedTuple

UNPARSED = "Fail to parse Request TR"
"""Told, without screen, request name and TR code, when the inputs do not fit the TR."""

RQ_STRING_FAIL = -202

# "서비스 TR을 확인바랍니다.(0006)": the first parenthesis of the text holds nothing but the number, and ends it.
_FAILED = re.compile(r"(?:\[\w+\])?(?P<text>[^(]*)\((?P<code>-?\d+)\)")
_CODED = (
    re.compile(r"\[(?P<code>\w+)\]\s*(?P<text>.*)", re.DOTALL),  # [RC4025] 모의투자 매수증거금이 부족합니다.
    re.compile(r"\((?P<code>\w+):\s*(?P<text>.*)\)", re.DOTALL),  # (RC4003:모의투자 호가단위 오류입니다.)
    re.compile(
        r"(?P<code>[A-Z0-9]{6}):\s*(?P<text>.*)", re.DOTALL
    ),  # RC9000: 모의투자에서는 해당업무가 제공되지 않습니다
)


class Told(NamedTuple):
    """One text of OnReceiveMsg, taken apart."""

    code: int | str
    """An OpenAPI+ return code as a number, any other code as the text it is, "" where there is none."""
    text: str
    """The text without its code."""
    is_error: bool
    """Whether it says that a query has failed; the text of a refused order says nothing of the kind."""


def parse(text: str) -> Told:
    """Take a text of OnReceiveMsg apart."""
    text = text.strip()
    if text == UNPARSED:
        return Told(RQ_STRING_FAIL, text, is_error=True)
    if failed := _FAILED.fullmatch(text):
        code = failed["code"]
        return Told(int(code) if code.startswith("-") else code, failed["text"].strip(), is_error=True)
    for pattern in _CODED:
        if coded := pattern.fullmatch(text):
            return Told(coded["code"], coded["text"], is_error=False)
    return Told("", text, is_error=False)
