"""Risk: judges orders before they are sent, and counts those that are.

Limits are set for everybody together, for accounts and for clients; an order must pass all that concern it. Cancelling
takes risk away, so a cancellation passes everything but read-only, and is not counted. A modification is an order with
a quantity and a price of its own. What a limit cannot judge, because a price is missing, is refused.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from koapy.orders import verdict
from koapy.orders.counts import Counted, Counts
from koapy.orders.model import OrderState
from koapy.orders.rules import Holder, RiskLimits, RiskRules
from koapy.orders.verdict import Breach, Case, action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from koapy.orders.model import Halt, NewOrder, OrderRecord

__all__ = ["Breach", "Risk", "RiskLimits", "RiskRules", "action"]

JUDGES = (verdict.account, verdict.code, verdict.quantity, verdict.notional, verdict.collar)


class Risk:
    """The limits, and the book of what counts against them.

    Belongs to one thread. Nothing else may be admitted between a `check` that lets an order pass and its `admit`, or
    two orders could take the last place of a minute: a coroutine does not await in between.

    Args:
        rules: the limits.
        clock: seconds that only ever grow, for the minute; a day is that of the `now` given to each method.
    """

    def __init__(self, rules: RiskRules, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._everybody = [Holder("everybody", "", rules.everybody)] if rules.everybody != RiskLimits() else []
        self._counts = Counts(clock)

    def check(
        self, order: NewOrder, client: str, now: datetime, last_price: int | None, *, halted: Halt | None
    ) -> Breach | None:
        """What forbids this order, or None.

        Args:
            client: the name of who sends it.
            now: the wall clock, with its time zone.
            last_price: the last traded price in won; None where it is not known, or not needed (`needs_price`).
            halted: the kill switch; None where it is not thrown.
        """
        holders = self._holders(order, client)
        if not holders:
            return None if halted is None or action(order) == "cancel" else verdict.halted_by(halted)
        cases = [Case(order, holder, last_price) for holder in holders]
        if locked := _worst(map(verdict.read_only, cases)):
            return locked
        if action(order) == "cancel":
            return None
        if halted is not None:
            return verdict.halted_by(halted)
        for judge in JUDGES:
            if found := _worst(map(judge, cases)):
                return found
        sent = (verdict.of_day(each, self._counts.today(each.owner, now), now) for each in holders)
        return _worst(sent) or _worst(verdict.of_minute(each, self._wait(each)) for each in holders)

    def needs_price(self, order: NewOrder, client: str) -> bool:
        """Whether a limit of this order cannot be judged without the last price."""
        limits = [holder.limits for holder in self._holders(order, client)]
        if not limits or action(order) == "cancel" or order.function == verdict.DERIVATIVES:
            return False
        for_collar = verdict.has_price(order) and any(each.price_collar is not None for each in limits)
        for_value = not verdict.has_value(order) and any(each.max_notional is not None for each in limits)
        return for_collar or for_value

    @property
    def wants_prices(self) -> bool:
        """Whether any rule can ever need a last price."""
        rules = self._rules
        every = (rules.everybody, *rules.accounts.values(), *rules.clients.values())
        return any(each.max_notional is not None or each.price_collar is not None for each in every)

    def admit(self, order: NewOrder, client: str, now: datetime) -> Counted | None:
        """Count an order that is about to be sent; None for what is not counted."""
        return self._admit(order, client, now, 0.0)

    def withdraw(self, counted: Counted | None) -> None:
        """Take back, once, what `admit` has counted: the order was never sent."""
        if counted is not None:
            self._counts.remove(counted)

    def restore(self, orders: Iterable[OrderRecord], now: datetime) -> None:
        """Count the orders that were sent before the server started; once, before any order is admitted.

        One that the wall clock takes to be of the future counts as sent now.
        """
        for record in sorted(orders, key=lambda record: record.time):
            if record.state is OrderState.REFUSED and (record.returned is None or record.returned < 0):
                continue  # never sent: refused here, or by OpenAPI+ at once
            age = max(0.0, (now - record.time).total_seconds())
            self._admit(record.order, record.client, record.time, age)

    def _admit(self, order: NewOrder, client: str, at: datetime, age: float) -> Counted | None:
        holders = self._holders(order, client)
        if not holders or action(order) == "cancel":
            return None
        return self._counts.add([holder.owner for holder in holders], at, age)

    def _wait(self, holder: Holder) -> float:
        most = holder.limits.orders_per_minute
        return 0.0 if most is None else self._counts.wait(holder.owner, most)

    def _holders(self, order: NewOrder, client: str) -> list[Holder]:
        """Whose limits concern the order; a client's and an account's first, as they say more."""
        rules, account = self._rules, order.account.strip()
        found = [Holder("client", client, rules.clients[client])] if client in rules.clients else []
        if account in rules.accounts:
            found.append(Holder("account", account, rules.accounts[account]))
        return found + self._everybody


def _worst(breaches: Iterable[Breach | None]) -> Breach | None:
    """The one that is furthest off: who mends that has mended all."""
    return max(filter(None, breaches), key=lambda each: (float(each.by or 0), float(each.wait or 0)), default=None)
