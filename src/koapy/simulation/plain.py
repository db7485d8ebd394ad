"""Snapshots as plain values that JSON can hold, and back."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from koapy.simulation.model import (
    Action,
    Bar,
    Credit,
    Fill,
    Interruption,
    Order,
    OrderKind,
    OrderState,
    PastDay,
    Position,
    Side,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def plain(value: Any) -> Any:
    """A snapshot of `koapy.simulation.model`, or a part of one, as plain values."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Bar):
        return {name: plain(each) for name, each in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return _record(value)
    return value


def _record(value: DataclassInstance) -> dict[str, Any]:
    return {each.name: plain(getattr(value, each.name)) for each in fields(value)}


def day(text: str | None) -> date | None:
    """A day, None for none."""
    return date.fromisoformat(text) if text else None


def moment(text: str | None) -> datetime | None:
    """A moment, None for none."""
    return datetime.fromisoformat(text) if text else None


def bar(values: dict[str, Any]) -> Bar:
    """A bar."""
    return Bar(**values | {"start": datetime.fromisoformat(values["start"])})


def credit(values: dict[str, Any] | None) -> Credit | None:
    """What makes an order one on credit."""
    return Credit(day(values["loan_date"])) if values is not None else None


def order(values: dict[str, Any]) -> Order:
    """An order as it stood."""
    return Order(
        **values
        | {
            "side": Side(values["side"]),
            "kind": OrderKind(values["kind"]),
            "action": Action(values["action"]),
            "state": OrderState(values["state"]),
            "time": datetime.fromisoformat(values["time"]),
            "credit": credit(values["credit"]),
        }
    )


def fill(values: dict[str, Any]) -> Fill:
    """A fill."""
    return Fill(**values | {"order": order(values["order"]), "time": datetime.fromisoformat(values["time"])})


def position(values: dict[str, Any]) -> Position:
    """A position as it stood."""
    return Position(**values | {"loan_date": day(values["loan_date"])})


def past_day(values: dict[str, Any]) -> PastDay:
    """A day of an account."""
    positions = tuple(position(each) for each in values["positions"])
    days = {name: date.fromisoformat(values[name]) for name in ("day", "settles")}
    return PastDay(**values | days | {"positions": positions})


def interruption(values: dict[str, Any]) -> Interruption:
    """An interruption."""
    return Interruption(**values | {"began": datetime.fromisoformat(values["began"]), "ended": moment(values["ended"])})
