"""What a control's functions return, held to what OpenAPI+ returns, so that nonsense ends where it comes from."""

from __future__ import annotations

from typing import Any

from koapy.openapi.functions import FUNCTIONS
from koapy.server.failure import nonsense

_WANTED: dict[str, tuple[type, str]] = {"int": (int, "number"), "str": (str, "text"), "bool": (int, "number")}
_RETURNS = {name: _WANTED[each.returns] for name, each in FUNCTIONS.items() if each.returns in _WANTED}


def checked(name: str, value: Any) -> Any:
    """The value, when it is of the kind that the function returns.

    Raises:
        Failure: it is not.
    """
    wanted = _RETURNS.get(name)
    if wanted is not None and not isinstance(value, wanted[0]):
        raise nonsense(name, value, wanted[1])
    return value


def checked_text(name: str, value: Any) -> str:
    """The value, when it is a text, whatever the function.

    Raises:
        Failure: it is not.
    """
    if not isinstance(value, str):
        raise nonsense(name, value, "text")
    return value
