"""Which issues the market has, and what they are on a given day."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from koapy.openapi.listing import ListedIssue, listing
from koapy.openapi.market import price_limits
from koapy.simulation.model import Instrument

if TYPE_CHECKING:
    from collections.abc import Iterable

LISTED_UNTIL = date(2022, 12, 31)
"""The default market takes issues that were listed by then, so that each has a past of three years. No SPAC
lives so long."""

_PARTS = {("KOSPI", False): 0.5, ("KOSDAQ", False): 0.3, ("KOSPI", True): 0.2}
"""Part of the market's size that each market has; True: ETFs and ETNs."""

LARGE = 100
"""Companies of a market that count as large."""

_ON_MARGIN = ("stock", "preferred", "etf")
"""Kinds of issue that may be bought on margin and on credit."""

_OF_EACH_KIND = 2
"""Issues of each market and kind that are there in any case."""


def choose(size: int) -> list[ListedIssue]:
    """Take the issues with the largest value (reference price x shares) of KOSPI, KOSDAQ and the ETFs and ETNs, and at
    least two of every kind; by code.

    Args: size: how many; parts are rounded up. From the size of the listing on, all are taken, whenever listed; those
        without a reference price begin at 1,000 won.
    """
    if size >= len(listing()):
        return list(listing())
    priced = [each for each in listing() if each.reference_price and each.shares]
    seasoned = [each for each in priced if each.listed is None or each.listed <= LISTED_UNTIL]
    chosen: dict[str, ListedIssue] = {}
    for (market, fund), part in _PARTS.items():
        group = [each for each in seasoned if each.market == market and _is_fund(each.kind) == fund]
        chosen |= {each.code: each for each in _largest(group, math.ceil(size * part))}
    return [chosen[code] for code in sorted(chosen)]


def unlisted(code: str) -> ListedIssue:
    """What is assumed of a code that the listing lacks: a KOSPI share of that name."""
    return ListedIssue(code, code, "KOSPI", 10_000_000, "", None, None, "stock")


def instrument(issue: ListedIssue, base: int, on: date) -> Instrument:
    """The issue on a day, with the limits of its reference price. Issues without limits get 1 to 10 x that."""
    limits = price_limits(issue.market, issue.kind, base, on, leverage(issue))
    lower, upper = limits or (1, 10 * base)
    return Instrument(
        issue.code, issue.name, issue.market, issue.kind, issue.shares, issue.sector, issue.listed, base, lower, upper
    )


def margins(issues: Iterable[Instrument]) -> dict[str, int]:
    """Percent of a buy that has to be there at once, by code.

    20 for the hundred largest companies of each market and for ETFs, 40 for other shares, 100 for what is not sold
    on credit at all.
    """
    ranked = sorted(issues, key=lambda each: (-each.shares * each.base_price, each.code))
    seen = Counter[str]()
    found = {}
    for each in ranked:
        large = each.kind == "etf" or seen[each.market] < LARGE
        seen[each.market] += not each.fund
        found[each.code] = (20 if large else 40) if each.kind in _ON_MARGIN else 100
    return found


def leverage(issue: ListedIssue) -> int:
    """How many times an ETF or ETN follows its index, as its name says."""
    return 2 if _is_fund(issue.kind) and ("레버리지" in issue.name or "2X" in issue.name) else 1


def _is_fund(kind: str) -> bool:
    return kind in ("etf", "etn")


def _worth(issue: ListedIssue) -> int:
    return (issue.reference_price or 0) * issue.shares


def _largest(group: list[ListedIssue], count: int) -> list[ListedIssue]:
    """The largest ones, but first the largest two of every kind."""
    ranked = sorted(group, key=lambda each: (-_worth(each), each.code))
    of_kind = Counter[str]()
    leaders = []
    for each in ranked:
        of_kind[each.kind] += 1
        if of_kind[each.kind] <= _OF_EACH_KIND:
            leaders.append(each)
    rest = [each for each in ranked if each not in leaders]
    return (leaders + rest)[:count]
