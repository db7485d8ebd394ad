"""Recordings leave the house: account numbers and who they belong to are exchanged, passwords are left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from koapy.control.redaction import HIDDEN
from koapy.openapi.login import is_password

if TYPE_CHECKING:
    from koapy.control.reads import Value

NUMBER, KIND = 8, 2
"""Digits of an account's number, and of its kind behind it (11: shares, 31: futures), which stays."""
ACCOUNTS = frozenset({"ACCNO", "ACCLIST"})
PERSONS = {"USER_ID": "user", "USER_NAME": "사용자"}
ORDERS = {"SendOrder": 2, "SendOrderCredit": 2, "SendOrderFO": 2}
"""Where the arguments of these functions name the account."""


def without_password(function: str, args: tuple[Value, ...]) -> tuple[Value, ...]:
    """The arguments of a call, its password hidden."""
    if function == "SetInputValue" and len(args) > 1 and is_password(str(args[0])) and str(args[1]).strip():
        return (args[0], HIDDEN, *args[2:])
    return args


class Mask:
    """Exchanges the account numbers that it has come to know, the same one for the same one."""

    def __init__(self) -> None:
        self._others: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None

    def learn(self, text: object) -> None:
        """These are account numbers, joined by ";"."""
        for number in str(text).split(";"):
            if len(number) == NUMBER + KIND and number.isdigit() and number[:NUMBER] not in self._others:
                self._others[number[:NUMBER]] = f"{90_000_000 + len(self._others) + 1}"
                known = "|".join(self._others)
                self._known = re.compile(rf"(?<!\d)({known})(?=(\d{{{KIND}}})?(?!\d))")

    def called(self, function: str, args: tuple[Value, ...]) -> None:
        """Learn the account that a call names."""
        if (at := ORDERS.get(function)) is not None and len(args) > at:
            self.learn(args[at])

    def returned(self, function: str, args: tuple[Value, ...], value: Value) -> Value:
        """What a call has returned, as it may be written down."""
        if function == "GetLoginInfo" and args:
            if args[0] in ACCOUNTS:
                self.learn(value)
            elif value:
                return PERSONS.get(str(args[0]), value)
        return value

    def line(self, text: str) -> str:
        """A line of the recording without the accounts' own numbers."""
        return text if self._known is None else self._known.sub(lambda found: self._others[found[1]], text)
