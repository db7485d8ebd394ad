"""Whether a control has the functions and events that koapy was written for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from koapy.openapi.functions import EVENTS, FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from koapy.remote.messages import Welcome

_PARAMETER = re.compile(r"[^(,:]+: ?([^,)]+)")
_NEW = " is new"
_RETURNS = re.compile(r"\) -> (.+)$")


def differences(offered: Welcome) -> tuple[str, ...]:
    """One sentence for each function and event that differs from the catalogue; none for the control as it was known.

    Names of parameters do not count: a call does not tell them.
    """
    return (
        *_compared("function", offered.functions, {name: str(each) for name, each in FUNCTIONS.items()}),
        *_compared("event", offered.events, {name: str(each) for name, each in EVENTS.items()}),
    )


def is_grave(difference: str) -> bool:
    """Whether something that koapy counts on is not there, or is another thing; what is new is in nobody's way."""
    return not difference.endswith(_NEW)


def _compared(what: str, offered: Mapping[str, str], known: Mapping[str, str]) -> Iterator[str]:
    for name, signature in known.items():
        if name not in offered:
            yield f"{what} {name} is gone"
        elif _shape(offered[name]) != _shape(signature):
            yield f"{what} {name} is now {offered[name]}, was {signature}"
    for name in offered.keys() - known.keys():
        yield f"{what} {offered[name]}{_NEW}"


def _shape(signature: str) -> tuple[list[str], str]:
    returns = _RETURNS.search(signature)
    parameters = signature.partition("(")[2].rpartition(")")[0]
    return _PARAMETER.findall(parameters), returns[1] if returns else ""
