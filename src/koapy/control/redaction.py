"""Passwords that go to a control, and texts without them.

What a control says when it fails may repeat what it was given, so the texts of its errors pass here before they reach
a log or a client.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from koapy.openapi.login import is_password

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"
REMEMBERED = 64


def passwords_of_call(function: str, args: Iterable[Any]) -> tuple[str, ...]:
    """The passwords among the arguments of a function: what SetInputValue gives for an input that holds one."""
    given = tuple(map(str, args))
    if function != "SetInputValue" or not (given and is_password(given[0])):
        return ()
    return tuple(value for value in given[1:] if value.strip())


class Passwords:
    """The last passwords that a control has been told; it may repeat one of them whenever it fails."""

    def __init__(self) -> None:
        self._told: dict[str, None] = {}

    def note(self, function: str, args: Iterable[Any]) -> None:
        """A function is called with these arguments."""
        if function == "SetInputValue":
            for password in passwords_of_call(function, args):
                self._told.pop(password, None)
                self._told[password] = None
                if len(self._told) > REMEMBERED:
                    del self._told[next(iter(self._told))]

    def redacted(self, text: str) -> str:
        """The text without them."""
        return redacted(text, tuple(self._told))

    def trace(self, error: BaseException) -> str:
        """The traceback of an error, for a log, without them."""
        return trace(error, tuple(self._told))


def redacted(text: str, passwords: Iterable[str]) -> str:
    """The text without these, as they are and as Python shows them."""
    forms = {form for each in passwords for form in (each, repr(each)[1:-1], ascii(each)[1:-1])}
    # The longest first, as one may be part of another.
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def trace(error: BaseException, passwords: Iterable[str]) -> str:
    """The traceback of an error, for a log, without these."""
    return redacted("".join(traceback.format_exception(error)).rstrip(), passwords)
