"""The limits of risk as they are configured: for everybody together, for accounts, for clients."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal, NamedTuple

from koapy.openapi.login import masked

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Limits of one account, one client, or everybody together; None: no limit.

    Raises: ValueError, with the name of the limit, for a number that is not above 0.
    """

    read_only: bool = False
    """Refuse every order, cancellations too."""
    allowed_accounts: frozenset[str] | None = None
    """The accounts that may be ordered for."""
    allowed_codes: frozenset[str] | None = None
    """The codes that may be ordered."""
    denied_codes: frozenset[str] = frozenset()
    """Codes that may not."""
    max_quantity: int | None = None
    """Shares or contracts of one order."""
    max_notional: int | None = None
    """Price x quantity of one order, in won; of an order without a price at the last price."""
    orders_per_minute: int | None = None
    orders_per_day: int | None = None
    """On a day in Korea."""
    price_collar: float | None = None
    """Per cent that the price of an order may be above or below the last price."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, int | float) and not isinstance(value, bool) and not value > 0:
                raise ValueError(f"{each.name} is {value}; a limit is above 0, and read_only refuses everything")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    """All limits."""

    everybody: RiskLimits = RiskLimits()
    """Held by all orders together."""
    accounts: Mapping[str, RiskLimits] = field(default_factory=dict)
    """By account number."""
    clients: Mapping[str, RiskLimits] = field(default_factory=dict)
    """By the name of a client: of its token or certificate."""


Kind = Literal["everybody", "account", "client"]


class Holder(NamedTuple):
    """Limits that concern an order, and whose they are."""

    kind: Kind
    name: str
    """The account number or the client's name; "" for everybody."""
    limits: RiskLimits

    @property
    def whose(self) -> str:
        """For people, without the account number."""
        shown = masked(self.name) if self.kind == "account" else self.name
        return f"{self.kind} {shown}".strip()

    @property
    def owner(self) -> tuple[Kind, str]:
        """What orders are counted under."""
        return self.kind, self.name
