"""What the OpenAPI+ words of the simulation share: the exchange, its clock, the server's kind and who is logged in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from koapy.simulation.clock import Clock
    from koapy.simulation.exchange import Exchange
    from koapy.simulation.futures import Contracts
    from koapy.simulation.samples import Samples

_ROUTED = "routed"
"""What the numbers of orders by SOR are kept under."""

ServerKind = Literal["mock", "real"]
"""모의투자 or the real server."""


@dataclass(frozen=True, slots=True)
class User:
    """Who logs in."""

    id: str = "koapy"
    name: str = "홍길동"
    accounts: tuple[str, ...] = ("8000000011",)
    """Account numbers of 10 digits, the first one the default."""


@dataclass(slots=True)
class World:
    """One simulated world, owned by the control's thread."""

    exchange: Exchange
    clock: Clock
    server: ServerKind = "mock"
    user: User = field(default_factory=User)
    contracts: Contracts | None = None
    """Orders and positions in futures and options; None where there are none."""
    samples: Samples | None = None
    """How the market stood before; None where nobody looks."""
    order_screens: dict[int, str] = field(default_factory=dict)
    """Screen (화면번호) under which an order was sent, by order number."""
    routed: set[int] = field(default_factory=set)
    """Numbers of today's orders that leave the choice of a venue to the server (SOR); there is one."""

    def recall(self) -> None:
        """Take up what `route` has kept of today."""
        known = self.exchange.kept(_ROUTED)
        if known and known["day"] == self.exchange.today.isoformat():
            self.routed.update(known["orders"])

    def route(self, number: int) -> None:
        """Remember that an order is one by SOR, over a restart too."""
        self.routed.add(number)
        self.exchange.keep(_ROUTED, {"day": self.exchange.today.isoformat(), "orders": sorted(self.routed)})

    def now(self) -> datetime:
        """The simulated moment, KST."""
        return self.clock.now()

    @property
    def mock(self) -> bool:
        """Whether this is the mock server (모의투자)."""
        return self.server == "mock"
