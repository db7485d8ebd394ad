"""What the simulation answers TRs from."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from koapy.cli.app import CommandError
from koapy.cli.output import show, table, write_json
from koapy.openapi.tr import trs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from koapy.simulation.tr import Source

NOT_SERVED = "not served"
"""Of a TR that only an installed OpenAPI+ has."""


def print_coverage(word: str, as_json: bool) -> None:
    """What the simulation answers the TRs from whose code or name has `word` in it, and how many of each; "": all."""
    # The simulation is loaded by the commands that need it, and by no other.
    from koapy.simulation.tr import source

    answered = {each.code: source(each.code) for each in trs()}
    found = [
        (each, _named(answered[each.code])) for each in trs() if word.lower() in each.code.lower() or word in each.name
    ]
    if not found:
        raise CommandError(f"no TR has {word!r} in its code or name")
    if as_json:
        write_json([{"code": each.code, "name": each.name, "source": name} for each, name in found])
        return
    show(*table(("TR", "name", "answers from"), ((each.code, each.name, name) for each, name in found)))
    show(_sums(name for _, name in found))


def _named(known: Source | None) -> str:
    return known.value if known else NOT_SERVED


def _sums(sources: Iterable[str]) -> str:
    counts = Counter(sources)
    return f"{counts.total()} TRs: " + ", ".join(f"{count} {name}" for name, count in counts.most_common())
