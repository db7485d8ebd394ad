"""Return codes of OpenAPI+."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from koapy.openapi._table import rows


class OpenApiErrorInfo(NamedTuple):
    """A return code and what Kiwoom says of it."""

    code: int
    name: str | None
    """OP_ERR_...; None for the few codes without a published name."""
    message: str
    """Kiwoom's own Korean text."""

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), self.name, self.message)))


def error(code: int) -> OpenApiErrorInfo | None:
    """Return what is known of a return code, or None."""
    return _table().get(code)


def errors() -> tuple[OpenApiErrorInfo, ...]:
    """Return all catalogued return codes, 0 first, then downwards."""
    return tuple(_table().values())


@cache
def _table() -> dict[int, OpenApiErrorInfo]:
    return {int(code): OpenApiErrorInfo(int(code), name or None, message) for code, name, message in rows("error")}
