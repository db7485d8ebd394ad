"""Order types and quote types: what SendOrder and its sisters take."""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple, cast

from koapy.openapi._table import rows

Side = Literal["buy", "sell", "either"]
Action = Literal["new", "cancel", "modify"]
OrderFunction = Literal["SendOrder", "SendOrderFO"]


class OrderType(NamedTuple):
    """A value of SendOrder's nOrderType, or of SendOrderFO's lOrdKind."""

    code: int
    name: str
    side: Side
    """either: the side is that of the original order, or another argument says it."""
    action: Action
    mock: bool
    """Whether the mock server is known to take it."""
    note: str


class QuoteType(NamedTuple):
    """A value of SendOrder's sHogaGb, or of SendOrderFO's sOrdTp."""

    code: str
    name: str
    price: Literal["required", "0"]
    """Whether the order names a price, or must give 0."""
    phase: str
    """When it is taken, as text; empty where nobody says."""
    mock: bool
    """Whether the mock server is known to take it."""
    note: str


class CreditType(NamedTuple):
    """A value of SendOrderCredit's sCreditGb."""

    code: str
    name: str
    side: Side
    action: Action
    note: str


DERIVATIVE_SIDES: dict[str, Side] = {"1": "sell", "2": "buy"}
"""SendOrderFO's sSlbyTp, the other way round than nOrderType."""


def order_types(function: OrderFunction = "SendOrder") -> tuple[OrderType, ...]:
    """Return the order types of a function, by code."""
    return tuple(
        OrderType(int(code), name, cast("Side", side), cast("Action", action), mock == "1", note)
        for of, code, name, side, action, mock, note in _order_rows()
        if of == function
    )


def order_type(code: int, function: OrderFunction = "SendOrder") -> OrderType | None:
    """Return an order type, or None for a code that the function does not take."""
    return _order_types_by_code(function).get(code)


def quote_types(function: OrderFunction = "SendOrder") -> tuple[QuoteType, ...]:
    """Return the quote types of a function, by code."""
    return tuple(
        QuoteType(code, name, cast('Literal["required", "0"]', price), phase, mock == "1", note)
        for of, code, name, price, phase, mock, note in _quote_rows()
        if of == function
    )


def quote_type(code: str, function: OrderFunction = "SendOrder") -> QuoteType | None:
    """Return a quote type, or None for a code that the function does not take."""
    return _quote_types_by_code(function).get(code)


def credit_types() -> tuple[CreditType, ...]:
    """Return the kinds of credit order, by code."""
    return tuple(
        CreditType(code, name, cast("Side", side), cast("Action", action), note)
        for code, name, side, action, note in rows("credit_type")
    )


@cache
def _order_types_by_code(function: OrderFunction) -> dict[int, OrderType]:
    return {each.code: each for each in order_types(function)}


@cache
def _quote_types_by_code(function: OrderFunction) -> dict[str, QuoteType]:
    return {each.code: each for each in quote_types(function)}


@cache
def _order_rows() -> list[list[str]]:
    return rows("order_type")


@cache
def _quote_rows() -> list[list[str]]:
    return rows("quote_type")
