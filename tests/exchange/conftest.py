from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from koapy.openapi.calendar import KST
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.market import load_market

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.model import Event

CODES = ("005930", "000660", "247540", "069500")
MORNING = datetime(2026, 11, 23, 10, tzinfo=KST)  # a Monday, a trading day


class Floor:
    """A small exchange on a clock that is moved by hand, and all that it has told."""

    def __init__(self, start: datetime = MORNING, codes: tuple[str, ...] = CODES, **options: Any) -> None:
        self.clock = ManualClock(start)
        self.exchange = Exchange(self.clock, load_market(codes=codes), **options)
        self.account = self.exchange.account_numbers[0] if self.exchange.account_numbers else ""
        self.events: list[Event] = []
        self.exchange.subscribe(self.events.append)

    def told(self, *kinds: type) -> list[Any]:
        return [each for each in self.events if isinstance(each, kinds)]


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture(scope="session")
def new_floor() -> Callable[..., Floor]:
    return Floor
