"""Answers to TRs, in the forms of OpenAPI+'s own.

Each TR of the catalogue has a responder in the module of its family. A FID means the same in most TRs, so a responder
says which issues, days or contracts, in which order, and the vocabularies (`stocks.STOCK`, `days.DAY`, ...) say the
rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from koapy.simulation.tr import (  # noqa: F401  they register themselves
    accounts,
    charts,
    contract_accounts,
    contract_charts,
    contract_deposits,
    contract_ledger,
    contracts,
    crowds,
    deposits,
    evening,
    firms,
    foreign,
    funds,
    intraday,
    investor_rankings,
    investors,
    loans,
    market_programs,
    orders,
    positions,
    profits,
    programs,
    quotes,
    rankings,
    sectors,
    settlements,
    surges,
    themes,
    warrants,
)
from koapy.simulation.tr.fundamentals import Fundamentals, fundamentals
from koapy.simulation.tr.registry import MINUTES, PAST, RESPONDERS, SOURCES, Source
from koapy.simulation.tr.request import Answer, BadInput, Request

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from koapy.openapi.tr import Tr
    from koapy.simulation.world import World

__all__ = ["Answer", "BadInput", "Fundamentals", "Source", "answer", "answering", "fundamentals", "source"]


def answer(tr: Tr, inputs: Mapping[str, str], after: int | None, world: World) -> Answer | None:
    """Answer a query with what the market and the accounts are now. Belongs to the thread of the simulation.

    Args:
        inputs: as SetInputValue had them; missing ones count as blank.
        after: `Answer.after` of the page before, for a continuation; None for a first query.

    Returns: None when the TR is not offered.
    Raises: BadInput when an input cannot be what OpenAPI+ sends.
    """
    steps = answering(tr, inputs, after, world)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return cast("Answer | None", done.value)


def answering(
    tr: Tr, inputs: Mapping[str, str], after: int | None, world: World
) -> Generator[None, None, Answer | None]:
    """Answer as `answer` does, in steps of some milliseconds: only what looks at the whole market has more than one.

    The first look at an issue's past makes it up, so that is done before, an issue a step.
    """
    code = tr.code.lower()
    respond = RESPONDERS.get(code)
    if respond is None:
        return None
    count, minutes = PAST.get(code, 0), code in MINUTES and inputs.get("시간구분") != "2"
    for issue in world.exchange.instruments if count or minutes else ():
        world.exchange.recent(issue, count)
        if minutes:
            world.exchange.today_minutes(issue)
        yield
    found = respond(Request(tr, inputs, after, world))
    return found if isinstance(found, Answer) else (yield from found)


def source(code: str) -> Source | None:
    """Return what the answers to a TR come from; None for one that is not offered."""
    return SOURCES.get(code.lower())
