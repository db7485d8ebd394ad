"""What OnReceiveMsg says, by situation and server.

Situations: buy_accepted, sell_accepted, cancel_accepted, modify_buy_accepted, cancel_buy_accepted (only the real
server tells the last two from the first three), query_done, no_rows, tr_not_offered, parse_failure, and for refusals
before_open, after_close, holiday, no_such_code, not_orderable, kind_not_offered, best_not_offered, kind_not_now,
price_with_market, price_after_hours, bad_quantity, bad_tick, outside_limits, below_limits, no_cash, not_held,
no_such_order, nothing_open, cancel_too_many, same_price, bad_account, bad_password, service_delay; `messages()` lists
them all. `{}` in a text stands for a number of shares. Codes in brackets may change at any time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from koapy.openapi._table import rows
from koapy.openapi.nearest import did_you_mean

Server = Literal["mock", "real"]


@dataclass(frozen=True, slots=True)
class Message:
    """A text that was seen."""

    server: Literal["mock", "real", "any"]
    situation: str
    text: str


class UnknownSituation(KeyError):
    """No text is known for this situation."""

    def __init__(self, situation: str) -> None:
        self.situation = situation
        self.text = f"no message for situation {situation!r}{did_you_mean(situation, _situations())}"
        super().__init__(self.text)

    def __str__(self) -> str:
        return self.text


@cache
def messages() -> tuple[Message, ...]:
    """Return all texts."""
    return tuple(
        Message(cast('Literal["mock", "real", "any"]', server), situation, text)
        for server, situation, text in rows("message")
    )


def message(situation: str, server: Server = "mock") -> str:
    """Return the text of a situation on a server.

    Where only the other server's text was ever seen, that one serves, without its code and its 모의투자.

    Raises: UnknownSituation.
    """
    texts = _situations().get(situation)
    if texts is None:
        raise UnknownSituation(situation)
    own = texts.get(server) or texts.get("any")
    return own or _neutral(next(iter(texts.values())))


@cache
def _situations() -> dict[str, dict[str, str]]:
    grouped: dict[str, dict[str, str]] = {}
    for each in messages():
        grouped.setdefault(each.situation, {})[each.server] = each.text
    return grouped


def _neutral(text: str) -> str:
    """A text without `[RC4027] `, `(RC4003:...)` or `RC9000: ` around it and without 모의투자."""
    bare = re.sub(r"^\((\w+:.*)\)$", r"\1", text)
    bare = re.sub(r"^(?:\[\w+\]|\w+:)\s*", "", bare)
    return bare.replace("모의투자에서는 ", "").replace("모의투자 ", "")
