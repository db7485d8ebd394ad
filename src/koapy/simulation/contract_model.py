"""What is known of orders and positions in futures and options. Snapshots: they never change once made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from koapy.simulation.model import Action, OrderKind, OrderState, Side


@dataclass(frozen=True, slots=True)
class ContractOrder:
    """An order as it stood. Prices are in the units of the contract: hundredths of a point, or won."""

    number: int
    account: str
    code: str
    side: Side
    kind: OrderKind
    price: int
    quantity: int
    open: int
    filled: int
    filled_value: int
    """Sum of price x quantity."""
    fee: int
    original: int | None
    action: Action
    state: OrderState
    time: datetime


@dataclass(frozen=True, slots=True)
class ContractFill:
    """A part of an order that traded."""

    number: int
    price: int
    quantity: int
    time: datetime


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account has of a contract; a negative quantity was sold."""

    code: str
    quantity: int = 0
    cost: int = 0
    """Sum of price x quantity of what is held, in the contract's units; never negative."""
    bought: int = 0
    sold: int = 0
    realised: int = 0
    """Won, today, before commission."""
    fees: int = 0

    def after(self, signed: int, price: int) -> tuple[Holding, int]:
        """The position after so many contracts were bought (or, negative, sold), and what that gained on those that it
        closed, in the contract's units; `realised` and `fees` are the caller's to add.
        """
        closing = min(abs(self.quantity), abs(signed)) if self.quantity * signed < 0 else 0
        part = self.cost * closing // abs(self.quantity) if closing else 0
        gain = (price * closing - part) * (1 if self.quantity > 0 else -1)
        after = replace(
            self,
            quantity=self.quantity + signed,
            cost=self.cost - part + price * (abs(signed) - closing),
            bought=self.bought + max(signed, 0),
            sold=self.sold + max(-signed, 0),
        )
        return after, gain


@dataclass(frozen=True, slots=True)
class ContractTold:
    """Something happened to an order."""

    what: Literal["accepted", "filled", "confirmed", "cleared"]
    order: ContractOrder
    fill: ContractFill | None = None


def order(values: dict[str, Any]) -> ContractOrder:
    """Make an order of the plain values of one."""
    made = {
        "side": Side(values["side"]),
        "kind": OrderKind(values["kind"]),
        "action": Action(values["action"]),
        "state": OrderState(values["state"]),
        "time": datetime.fromisoformat(values["time"]),
    }
    return ContractOrder(**values | made)


def fill(values: dict[str, Any]) -> ContractFill:
    """Make a fill of the plain values of one."""
    return ContractFill(**values | {"time": datetime.fromisoformat(values["time"])})
