"""Which TRs the simulation offers, and the function that answers each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.tr.request import Answer, Request

    Responder = Callable[[Request], Answer]

RESPONDERS: dict[str, Responder] = {}
"""By TR code in lower case."""


def responder(*codes: str) -> Callable[[Responder], Responder]:
    """Register a function as the answer to these TRs."""

    def register(function: Responder) -> Responder:
        RESPONDERS.update(dict.fromkeys(codes, function))
        return function

    return register
