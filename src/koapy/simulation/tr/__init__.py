"""Answers to TRs, in the forms of OpenAPI+'s own.

Each TR of the catalogue has a responder in the module of its family. A FID means the same in most TRs, so a responder
says which issues, days or contracts, in which order, and the vocabularies (`stocks.STOCK`, `days.DAY`, ...) say the
rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation.tr import (  # noqa: F401  they register themselves
    accounts,
    charts,
    contract_accounts,
    contract_charts,
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
    orders,
    positions,
    profits,
    programs,
    quotes,
    rankings,
    sectors,
    surges,
    themes,
    warrants,
)
from koapy.simulation.tr.fundamentals import Fundamentals, fundamentals
from koapy.simulation.tr.registry import MINUTES, PAST, RESPONDERS, SOURCES, Source
from koapy.simulation.tr.request import Answer, BadInput, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from koapy.openapi.tr import Tr
    from koapy.simulation.exchange import Exchange
    from koapy.simulation.world import World

__all__ = ["Answer", "BadInput", "Fundamentals", "Source", "answer", "fundamentals", "preparation", "source"]


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


def preparation(tr: Tr, inputs: Mapping[str, str], exchange: Exchange) -> Iterator[None]:
    """Have at hand what an answer looks at, an issue a step: the first look at an issue's past makes it up."""
    code = tr.code.lower()
    count, minutes = PAST.get(code, 0), code in MINUTES and inputs.get("시간구분") != "2"
    for issue in exchange.instruments if count or minutes else ():
        exchange.recent(issue, count)
        if minutes:
            exchange.today_minutes(issue)
        yield


def source(code: str) -> Source | None:
    """Return what the answers to a TR come from; None for one that is not offered."""
    return SOURCES.get(code.lower())
