"""How requests wait for OpenAPI+'s limits: fairly between clients, who are told how long, and not in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.control.limits import Held, LimitExceeded, RateLimit
from koapy.server.failure import exhausted
from koapy.server.machines import Limit

if TYPE_CHECKING:
    from koapy.server.edge import Writer
    from koapy.server.functions import Functions
    from koapy.server.settings import Settings

CONDITIONS_REMEMBERED = 256
"""More than anybody has; those whose limit matters no more are then forgotten."""
NOTICEABLE_SECONDS = 0.05


class Limits:
    """All of them. Belongs to the event loop."""

    def __init__(self, settings: Settings, functions: Functions) -> None:
        self._settings = settings
        self._functions = functions
        self.tr = RateLimit("TR requests", settings.tr_windows)
        self.orders = RateLimit("orders", settings.order_windows)
        self._conditions: dict[str, RateLimit] = {}

    async def hold(self, limit: Limit | None, key: str, writer: Writer) -> Held:
        """Take the places that a call needs under the limits, waiting for them fairly; `writer` is told how long.

        Raises:
            Failure: RESOURCE_EXHAUSTED at once, when the deadline would pass first; UNAVAILABLE, when the control's
                thread freezes.
        """
        held = Held()
        try:
            for each in self._of(limit, key):
                await self.take_place(each, writer)
                held.add(each)
        except BaseException:
            held.withdraw()
            raise
        return held

    async def take_place(self, limit: RateLimit, writer: Writer) -> None:
        """Take a place under one limit, waiting for it fairly; pair it with the limit's `end`. Raises: as `hold`."""
        if limit.try_begin():
            return
        wait = limit.expected_wait(writer.client)
        if wait > NOTICEABLE_SECONDS:
            await writer.will_wait(limit.name, wait)
        try:
            async with self._functions.patience():
                await limit.begin(writer.client, writer.deadline)
        except LimitExceeded as error:
            raise exhausted(str(error), "RATE_LIMIT", limit=error.limit, wait=f"{error.wait:.3f}") from None

    def begin(self, limit: Limit | None, key: str) -> Held | None:
        """As `hold`, for those who cannot wait: None, and nothing is held, where they would have to."""
        held = Held()
        for each in self._of(limit, key):
            if not each.try_begin():
                held.withdraw()
                return None
            held.add(each)
        return held

    def _of(self, limit: Limit | None, key: str) -> tuple[RateLimit, ...]:
        """The limits that a call counts against."""
        if limit is None:
            return ()
        if limit is Limit.CONDITION:
            return self._of_condition(key), self.tr
        return (self.orders if limit is Limit.ORDER else self.tr,)

    def _of_condition(self, key: str) -> RateLimit:
        """The limit of one condition, by index and name."""
        limit = self._conditions.get(key)
        if limit is None:
            if len(self._conditions) >= CONDITIONS_REMEMBERED:  # whatever clients may call conditions
                self._conditions = {key: each for key, each in self._conditions.items() if not each.idle}
            limit = RateLimit(f"searches of the condition {key}", self._settings.condition_windows)
            self._conditions[key] = limit
        return limit
