"""Who calls, and what that one may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller may do; a caller may have several."""

    MARKET_DATA = "market-data"
    """Prices, codes, conditions."""
    ACCOUNT = "account"
    """Balances, orders and what becomes of them."""
    ORDER = "order"
    """Sending, modifying and cancelling orders."""
    ADMIN = "admin"
    """The kill switch, log levels, logging in."""
    CUSTOM_CODE = "custom-code"
    """Running code of its own next to the gateway, where the operator allows that at all."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls."""

    name: str
    """Of the token or the certificate."""
    roles: frozenset[Role]


LOCAL = Principal("local", frozenset(Role))
"""Everybody, on a server without authentication."""
