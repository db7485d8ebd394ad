"""The failures that several machines end with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.error import error
from koapy.server.failure import Failure, refused, unavailable
from koapy.server.machines.messages import parse

if TYPE_CHECKING:
    from koapy.server.events import EventConnect
    from koapy.server.machines import Ask


def negative(ask: Ask, value: object) -> Failure | None:
    """The failure of a call that returned a negative code."""
    if isinstance(value, int) and value < 0:
        return refused(f"{ask.calls[-1][0]} was refused", code=value)
    return None


def lost(event: EventConnect, fate: str) -> Failure | None:
    """The failure that a negative OnEventConnect means for a request; `fate` says what became of it."""
    if event.code >= 0:
        return None
    known = error(event.code)
    details = {"code": str(event.code)}
    if known:
        details |= {"name": known.name or "", "message": known.message}
    text = f"the connection to OpenAPI+ was lost ({known or event.code}); {fate}"
    return unavailable(text, "CONNECTION_LOST", **details)


def told(what: str, text: str) -> Failure:
    """The failure that a text of OnReceiveMsg explains; `what` says what failed."""
    parsed = parse(text)
    return refused(f"{what}: {text.strip()}", code=None if parsed.code == "" else parsed.code, message=parsed.text)
