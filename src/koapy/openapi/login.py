"""What GetLoginInfo and KOA_Functions take and return."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi._table import day, rows

if TYPE_CHECKING:
    from datetime import date


class LoginTag(NamedTuple):
    """A tag of GetLoginInfo."""

    tag: str
    meaning: str
    format: str


class KoaFunction(NamedTuple):
    """A function behind KOA_Functions; one that takes different words has a row for each."""

    function: str
    argument: str
    result: str
    format: str
    since: date | None


@cache
def login_tags() -> tuple[LoginTag, ...]:
    """Return the tags of GetLoginInfo."""
    return tuple(LoginTag(*row) for row in rows("login_info"))


@cache
def koa_functions() -> tuple[KoaFunction, ...]:
    """Return the functions behind KOA_Functions."""
    return tuple(
        KoaFunction(function, argument, result, form, day(since))
        for function, argument, result, form, since in rows("koa_functions")
    )


def masked(account: str) -> str:
    """An account number that may stand in a message or a log: its first four digits and its last two."""
    return f"{account[:4]}{'*' * max(0, len(account) - 6)}{account[-2:]}" if len(account) > 6 else account


def is_password(name: str) -> bool:
    """Whether an input of this name (비밀번호 and its like) holds a password, which stands in no message or log."""
    return "비밀번호" in name and name != "비밀번호입력매체구분"
