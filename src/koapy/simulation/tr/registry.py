"""Which TRs the simulation answers, the function that answers each, and what the answers come from."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from koapy.simulation.tr.request import Answer, Request

    Steps = Generator[None, None, Answer]
    """An answer that takes long, in steps: the control's thread has other work between two of them."""

    Responder = Callable[[Request], Answer | Steps]


class Source(Enum):
    """What an answer comes from."""

    MODEL = "model"
    """The exchange, its history and the accounts."""
    OWN = "own tables"
    """Figures and tables of the simulation's own, derived from the market where they can be."""
    EMPTY = "always empty"
    """Nothing: the simulation has no such thing."""


RESPONDERS: dict[str, Responder] = {}
"""By TR code in lower case."""

SOURCES: dict[str, Source] = {}
"""By TR code in lower case."""

PAST: dict[str, int] = {}
"""By TR code in lower case: daily bars of the whole market that an answer looks at, where it does."""


MINUTES: set[str] = set()
"""TR codes in lower case: their answers look at today's minutes of the whole market, unless 시간구분 is 2 (일)."""


def responder(
    *codes: str, source: Source = Source.MODEL, past: int = 0, minutes: bool = False
) -> Callable[[Responder], Responder]:
    """Register a function as the answer to these TRs.

    Args:
        past: daily bars of every issue that it looks at at once; what it comes to in steps of its own is made then.
        minutes: whether it looks at every issue's minutes of today, unless 시간구분 is 2.
    """

    def register(function: Responder) -> Responder:
        RESPONDERS.update(dict.fromkeys(codes, function))
        SOURCES.update(dict.fromkeys(codes, source))
        if past:
            PAST.update(dict.fromkeys(codes, past))
        if minutes:
            MINUTES.update(codes)
        return function

    return register
