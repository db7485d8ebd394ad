"""What a FID says of something: the fields of most answers mean the same in every TR that has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from koapy.openapi.tr import TrField

S = TypeVar("S")

Words = Mapping[int, Callable[[S], str]]
"""How each FID is said of a subject."""


def spoken(fields: Iterable[TrField], words: Words[S], subject: S) -> dict[str, str]:
    """Return the values of those fields whose FIDs mean something of the subject, by name."""
    return {field.name: words[field.fid](subject) for field in fields if field.fid is not None and field.fid in words}
