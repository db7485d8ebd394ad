"""The end of an error message about an unknown name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean A, B?` with the names nearest to an unknown one, or nothing.

    Names that begin alike come first: a code is more often cut short than mistyped.
    """
    from difflib import get_close_matches  # only ever needed on the way to an error

    names = list(known)
    longer = [each for each in names if name and each.startswith(name)]
    near = list(dict.fromkeys([*longer, *get_close_matches(name, names, n=3)]))[:3]
    return f"; did you mean {', '.join(near)}?" if near else ""
