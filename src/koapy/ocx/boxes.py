"""The boxes that OpenAPI+ is known to show, and what is done about each; an operator's own rules come before these.

The titles, hours and texts of OpenAPI+'s own boxes are those that KOAPY 0.9 has dealt with; whose program shows them is
not known of all. What no rule knows is reported and left to the operator, and nothing is ever typed into a box.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from koapy.openapi.nearest import did_you_mean
from koapy.remote.holding import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

REPORT, CLOSE, PRESS, END, RELOGIN, UPGRADE = "report", "close", "press", "end", "relogin", "upgrade"
ACTIONS = (REPORT, CLOSE, PRESS, END, RELOGIN, UPGRADE)
"""Say it and leave it alone; close it; press a button; end the host, and start another; log in again in another host;
end the host until OpenAPI+ has been upgraded."""
FIELDS = ("title", "owner", "text", "action", "button")
EVERYBODY = "*"
"""In place of an owner: the box is looked for in every program. Without an owner it is OpenAPI+'s host's, or that of a
program which the host has started."""

OK = f"{PRESS}:확인|OK"
ACCOUNT_WINDOW = "계좌비밀번호 입력"
LOGIN_WINDOW = "Open API Login"

KNOWN: tuple[Rule, ...] = (
    # The C++ library's own last words: the process behind such a box is dead, and only the box keeps it.
    Rule("Microsoft Visual C++ Runtime Library", "", "", END),
    # 04:45: the servers will be checked, as every night.
    Rule("안녕하세요. 키움증권", "", "", OK),
    # When the connection has ended: to be started again. OnEventConnect says so as well, unless the box keeps it.
    Rule("KHOpenAPI", "", "통신 연결이 끊겼습니다", RELOGIN),
    # 06:50: whoever logged in before has yesterday's masters.
    Rule("[HTS 재접속 안내]", "", "", RELOGIN),
    # A new version: its programs wait until nobody has the control.
    Rule("", "opstarter", "", UPGRADE),
    Rule("", "opversionup", "", UPGRADE),
)
"""The first that fits counts."""

WHILE_UPGRADING: tuple[Rule, ...] = (
    Rule("opstarter", EVERYBODY, "", OK),
    Rule("업그레이드 확인", EVERYBODY, "", OK),
    # So it says when somebody else has the control.
    Rule("opversionup", EVERYBODY, "", OK),
    Rule("", "opstarter", "", REPORT),
    Rule("", "opversionup", "", REPORT),
)
"""The same once the upgrade goes on, and no host is there that a box could be in the way of."""


def load(file: Path) -> tuple[Rule, ...]:
    """An operator's own rules: [[box]] tables with title, owner and text, of which each must occur in the box's, and
    with an action.

    Raises:
        ValueError: the file cannot be used; the text says where, and what would be right.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: is no TOML file: {error}") from error
    _only(tables, ("box",), f"{file}: ", "section")
    boxes = tables.get("box", [])
    if not isinstance(boxes, list) or not all(isinstance(each, dict) for each in boxes):
        raise ValueError(f"{file}: box is no list of tables: each box is a table of its own, [[box]]")
    return tuple(_rule(each, f"{file}: [[box]] {number}: ") for number, each in enumerate(boxes, 1))


def _rule(table: dict[str, Any], at: str) -> Rule:
    _only(table, FIELDS, at, "key")
    for name, value in table.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f'{at}{name} = {value!r}: a text in quotes such as "확인" is wanted')
    if not any(table.get(name) for name in ("title", "text")) and table.get("owner", EVERYBODY) == EVERYBODY:
        raise ValueError(f"{at}says of no box what it is: title, text or a program's owner is wanted")
    action = table.get("action", "")
    if action not in ACTIONS:
        raise ValueError(
            f"{at}action = {action!r}: one of {', '.join(ACTIONS)} is wanted{did_you_mean(action, ACTIONS)}"
        )
    button = table.get("button")
    if button is not None and action != PRESS:
        raise ValueError(f"{at}button = {button!r} goes with action = {PRESS!r}, this is {action!r}")
    if action == PRESS:
        action = f"{PRESS}:{button}" if button else OK
    return Rule(table.get("title", ""), table.get("owner", ""), table.get("text", ""), action)


def _only(table: Iterable[str], known: tuple[str, ...], at: str, what: str) -> None:
    for name in table:
        if name not in known:
            meant = did_you_mean(name, known) or f"; only {', '.join(known)}"
            raise ValueError(f"{at}has an unknown {what} {name!r}{meant}")
