"""Answers to TRs, in the forms of OpenAPI+'s own.

A responder of a family (quotes, charts, sectors, rankings, accounts, orders) answers for each TR on offer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation.tr import accounts, charts, orders, quotes, rankings, sectors  # noqa: F401  they register themselves
from koapy.simulation.tr.fundamentals import Fundamentals, fundamentals
from koapy.simulation.tr.registry import RESPONDERS
from koapy.simulation.tr.request import Answer, BadInput, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from koapy.openapi.tr import Tr
    from koapy.simulation.world import World

__all__ = ["Answer", "BadInput", "Fundamentals", "answer", "fundamentals"]


def answer(tr: Tr, inputs: Mapping[str, str], after: int | None, world: World) -> Answer | None:
    """Answer a query with what the market and the accounts are now. Belongs to the thread of the simulation.

    Args:
        inputs: as SetInputValue had them; missing ones count as blank.
        after: `Answer.after` of the page before, for a continuation; None for a first query.

    Returns: None when the TR is not offered.
    Raises: BadInput when an input cannot be what OpenAPI+ sends.
    """
    respond = RESPONDERS.get(tr.code.lower())
    return respond(Request(tr, inputs, after, world)) if respond else None
