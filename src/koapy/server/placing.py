"""One order, from the first call that names it until its outcome is on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from koapy.orders.model import NewOrder, OrderRecord
    from koapy.server.failure import Failure


def _promised() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


class Placing:
    """What all calls that name the order share. Made on the event loop, and belongs to it.

    Args:
        request: its request name at the control.
        client_request, client_screen: as the client calls them.
        record: the journal's, of an order that is there already.
    """

    def __init__(
        self,
        order: NewOrder,
        client: str,
        key: str | None,
        request: str,
        client_request: str,
        client_screen: str,
        record: OrderRecord | None = None,
    ) -> None:
        self.order = order
        self.client = client
        self.key = key
        self.request = request
        self.client_request = client_request
        self.client_screen = client_screen
        self.record = record
        """From the moment on at which the intent is on disk; set on any thread."""
        self.begun = False
        """Whether it is on its way to the journal, which no caller can stop any more."""
        self.outcome: asyncio.Future[int] = _promised()
        """What SendOrder returned, or why that cannot be told; on disk before it is here. Nobody's to cancel."""
        self._recorded: asyncio.Future[None] | None = None
        """What those who join wait for."""

    async def recorded(self) -> OrderRecord:
        """Wait until the intent is on disk. Raises: Failure, it never will be."""
        if self.record is None and self.outcome.done():
            self.outcome.result()
        if self.record is None:
            self._recorded = self._recorded or _promised()
            await asyncio.shield(self._recorded)
        assert self.record is not None
        return self.record

    def tell_recorded(self) -> None:
        """Tell those who join that the intent is on disk, if it is."""
        if self.record is not None and self._recorded is not None and not self._recorded.done():
            self._recorded.set_result(None)

    def end(self, value: int) -> None:
        """SendOrder returned this, unless the outcome is known already."""
        if not self.outcome.done():
            self.outcome.set_result(value)

    def fail(self, failure: Failure) -> None:
        """The order is not sent, or it is not known whether it was, unless the outcome is known already."""
        for future in (self.outcome, self._recorded):
            if future is not None and not future.done():
                future.set_exception(failure)
                future.exception()  # nobody needs to look at it
