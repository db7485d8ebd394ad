"""Conditions that a user writes in a small file, in place of those of the HTS.

    [[condition]]
    name = "급등주"
    where = ["change >= 5", "volume > 2 * volume_average(20)"]

    [[condition]]
    name = "신고가"
    market = "KOSDAQ"
    where = ["price >= high(60)", "price > average(5)", "average(5) > average(20)"]
    order = "-value"
    first = 20

All lines of `where` must hold. A line compares two sides by `>`, `>=`, `<` or `<=`; a side is a number, or one of
`NAMES`, with `NUMBER *` before it where it is to be multiplied. Averages, highs and lows take a number of days.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from koapy.simulation.screening import Condition
from koapy.simulation.toml import read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Bar, Quote

DAYS = 700
"""Most days that an average, a high or a low may look back."""

_NOW: Mapping[str, Callable[[Quote], int | float]] = {
    "price": lambda quote: quote.last,
    "open": lambda quote: quote.open,
    "high": lambda quote: quote.high,
    "low": lambda quote: quote.low,
    "base": lambda quote: quote.base_price,
    "change": lambda quote: quote.rate,
    "volume": lambda quote: quote.volume,
    "value": lambda quote: quote.value,
    "ask": lambda quote: quote.best_ask,
    "bid": lambda quote: quote.best_bid,
}
"""현재가, 시가, 고가, 저가, 기준가, 등락율 in percent, 거래량, 거래대금 in won, best prices."""

_PAST: Mapping[str, Callable[[Sequence[Bar], Quote], int | float]] = {
    # Of today and the days before it.
    "average": lambda bars, quote: (sum(bar.close for bar in bars[1:]) + quote.last) / len(bars),
    # Of the days before today: what is compared with them is today's.
    "volume_average": lambda bars, _: sum(bar.volume for bar in bars) / len(bars),
    "high": lambda bars, _: max(bar.high for bar in bars),
    "low": lambda bars, _: min(bar.low for bar in bars),
    "close": lambda bars, _: bars[0].close,
}
"""Moving average of so many days, today's price among them; average volume, highest and lowest price of so many days
before today; the close so many days ago."""

NAMES = (*_NOW, *(f"{name}(DAYS)" for name in _PAST))
"""What a side of a comparison may be."""

MARKETS = ("KOSPI", "KOSDAQ", "KONEX")
ISSUE_KINDS = ("stock", "preferred", "spac", "foreign", "dr", "reit", "fund", "etf", "etn")
"""What `market` and `kind` may be."""

_COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_LINE = re.compile(r"\s*(.+?)\s*(>=|<=|>|<)\s*(.+?)\s*")
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_SIDE = re.compile(rf"(?:({_NUMBER})\s*\*\s*)?([a-z_]+)(?:\(\s*(\d+)\s*\))?")
_KEYS = {"name", "where", "market", "kind", "order", "first"}


class ConditionError(ValueError):
    """A file of conditions is not as it must be; the text says where, and what would be right."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a factor, exact so that 1.1 * 100 is 110, and what it multiplies, if anything."""

    factor: Fraction
    name: str = ""
    days: int = 0

    def of(self, exchange: Exchange, quote: Quote) -> float | Fraction | None:
        """What it comes to for an issue; None where its past is too short."""
        if not self.name:
            return self.factor
        if not self.days:
            return _times(self.factor, _NOW[self.name](quote))
        bars = exchange.daily(quote.code)[-self.days :]
        return _times(self.factor, _PAST[self.name](bars, quote)) if len(bars) == self.days else None


def _times(factor: Fraction, value: float) -> float | Fraction:
    return value if factor == 1 else factor * Fraction(value)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line."""

    left: Side
    compare: Callable[[Any, Any], bool]
    right: Side

    def holds(self, exchange: Exchange, quote: Quote) -> bool:
        """Whether it holds for an issue."""
        left, right = self.left.of(exchange, quote), self.right.of(exchange, quote)
        return left is not None and right is not None and self.compare(left, right)


def load_conditions(path: Path) -> tuple[Condition, ...]:
    """Read the conditions of a file, in its order.

    Raises: ConditionError: the file cannot be read, or says what it cannot say.
    """
    said = read_toml(path, ConditionError)
    listed = said.get("condition")
    if said.keys() != {"condition"} or not isinstance(listed, list):
        raise ConditionError(f"{path}: [[condition]] is wanted, and nothing else")
    found = []
    for number, each in enumerate(listed, 1):
        try:
            found.append(_condition(each))
        except ConditionError as error:
            raise ConditionError(f"{path}: condition {number}: {error}") from None
    names = [each.name for each in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConditionError(f"{path}: two conditions are called {', '.join(sorted(twice))}")
    return tuple(found)


def _condition(said: Any) -> Condition:
    if not isinstance(said, dict):
        raise ConditionError(f"{said!r}: [[condition]], twice in brackets, is wanted")
    if unknown := said.keys() - _KEYS:
        raise ConditionError(f"{', '.join(sorted(unknown))}: only {', '.join(sorted(_KEYS))} are wanted")
    name = said.get("name", "")
    if not name or not isinstance(name, str) or set(name) & {"^", ";"}:
        raise ConditionError(f"name = {name!r}: a name without ^ and ; is wanted")
    where, order, first = said.get("where", []), said.get("order", ""), said.get("first")
    if not isinstance(where, list):
        raise ConditionError(f"where = {where!r}: a list of comparisons is wanted")
    if not isinstance(order, str):
        raise ConditionError(f"order = {order!r}: a text is wanted")
    if first is not None and not (type(first) is int and first > 0):
        raise ConditionError(f"first = {first!r}: a number from 1 on is wanted")
    lines = [comparison(line) for line in where]
    side = _side(order.removeprefix("-")) if order else None
    market, kind = _one_of("market", said, MARKETS), _one_of("kind", said, ISSUE_KINDS)

    def find(exchange: Exchange) -> list[str]:
        quotes = [exchange.quote(code) for code, each in exchange.instruments.items()
                  if market in (None, each.market) and kind in (None, each.kind)]  # fmt: skip
        hits = [quote for quote in quotes if all(line.holds(exchange, quote) for line in lines)]
        if side is not None:
            sign = -1 if order.startswith("-") else 1
            hits.sort(key=lambda quote: (sign * (side.of(exchange, quote) or 0.0), quote.code))
        return sorted(quote.code for quote in hits[:first])

    return Condition(name, find)


def _one_of(name: str, said: Mapping[str, Any], choices: Sequence[str]) -> str | None:
    value = said.get(name)
    if value is not None and value not in choices:
        raise ConditionError(f"{name} = {value!r}: one of {', '.join(choices)} is wanted")
    return value


def comparison(text: str) -> Comparison:
    """Read a line of `where`.

    Raises: ConditionError.
    """
    found = _LINE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ConditionError(f"{text!r}: two sides with >, >=, < or <= between them are wanted")
    return Comparison(_side(found[1]), _COMPARISONS[found[2]], _side(found[3]))


def _side(text: str) -> Side:
    if re.fullmatch(_NUMBER, text):
        return Side(Fraction(text))
    found = _SIDE.fullmatch(text)
    if found is None or found[2] not in (_PAST if found[3] else _NOW):
        raise ConditionError(f"{text!r}: a number or one of {', '.join(NAMES)} is wanted")
    days = int(found[3] or 0)
    if found[3] and not 0 < days <= DAYS:
        raise ConditionError(f"{text!r}: 1 to {DAYS} days are wanted")
    return Side(Fraction(found[1] or 1), found[2], days)
