"""After a crash, a lost connection or a lost answer: opt10075 and opt10076 say what became of orders.

What they say is told as events of its own kind (`recovered`), through the journal like any other, so that whoever
follows an order learns it the same way. What they do not say is named as undetermined; nothing is ever sent again.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from typing import TYPE_CHECKING

from koapy.control.apartment import Frozen
from koapy.openapi.login import masked
from koapy.openapi.tr import tr
from koapy.orders.model import OrderState
from koapy.orders.verdict import action
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import listing
from koapy.server.driver import drive
from koapy.server.events import OrderSettled
from koapy.server.failure import Failure
from koapy.server.listing import Listed, closed, confirmed, numbered, standing
from koapy.server.machines.transaction import Transaction
from koapy.server.router import every_key, order_key, request_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from koapy.orders.model import OrderRecord
    from koapy.server.core import Core
    from koapy.server.recording import OrderRelated
    from koapy.server.router import Key

logger = logging.getLogger(__name__)

CONNECTION = every_key("OnEventConnect")
RETRY_SECONDS = 5.0
"""Seconds until a query that failed is made again."""
TOGETHER = 0.1
"""Orders that are sent within this share of the time for an answer are looked at together."""


class Recovery:
    """Looks after orders whose end, or beginning, is not known. Belongs to the event loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._due: dict[int, int] = {}
        """Orders to be looked for, and how often they have not been found."""
        self._sent: list[int] = []
        """Orders that are to be looked at together."""
        self._given_up: set[int] = set()
        """Orders of today that are named as undetermined."""
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what an earlier process has left."""
        self._given_up = {each.id for each in self._core.journal.orders() if each.state is OrderState.UNDETERMINED}
        self.everything()
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Look for nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def everything(self) -> None:
        """Events may have been missed: look for every order that is not through."""
        self._due |= {record.id: 0 for record in self._core.journal.unsettled()}
        self._wanted.set()

    def doubt(self, order_id: int) -> None:
        """This order may stand at the exchange under a number that is not known."""
        self._due.setdefault(order_id, 0)
        self._wanted.set()

    def answered(self, order_id: int) -> None:
        """The answer to an order has come; where it had been given up, the events after it may have been missed."""
        if order_id in self._given_up:
            self._given_up.remove(order_id)
            self.doubt(order_id)

    def look_after(self, order_id: int) -> None:
        """An order has been sent: look for it where it has no number yet when it has had all the time for an answer.

        Those that are sent at about the same time are looked at together.
        """
        if not self._sent:
            asyncio.get_running_loop().call_later(self._core.settings.answer_seconds * TOGETHER, self._all_sent)
        self._sent.append(order_id)

    def _all_sent(self) -> None:
        sent, self._sent = self._sent, []
        seconds = self._core.settings.answer_seconds
        asyncio.get_running_loop().call_later(seconds, self._all_answered, min(sent), max(sent))

    def _all_answered(self, first: int, last: int) -> None:
        if self._task is None or self._task.done():
            return  # the gateway has closed meanwhile, and its journal
        for record in self._core.journal.unnumbered(first, last):
            self.doubt(record.id)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            seconds = RETRY_SECONDS
            try:
                seconds = await self._look()
            except (Failure, Frozen) as failure:
                logger.warning("orders in doubt could not be looked for: %s", failure)
            except Exception:
                logger.exception("orders in doubt could not be looked for")
            if self._due:
                asyncio.get_running_loop().call_later(seconds, self._wanted.set)

    async def _look(self) -> float:
        """Look for all that are due; seconds until the next time."""
        core = self._core
        records = [core.journal.order(order_id) for order_id in self._due]
        today = {record.id for record in core.journal.orders()}
        for record in records:
            if record.state.settled:
                self._due.pop(record.id)
            elif record.id not in today:
                await self._settle(record, OrderState.EXPIRED, "its day is over")
        records = [record for record in records if record.id in self._due]
        if not records or await core.connected() is False:
            return RETRY_SECONDS  # the next login asks for everything
        all_listed = True
        for account in sorted({record.order.account for record in records}):
            try:
                listed = await self._listed(account)
            except Failure as failure:  # an account of another kind; the others are to be looked for all the same
                logger.warning("the orders of the account %s are not listed: %s", masked(account), failure.text)
                all_listed = False
                continue
            await self._flushed()
            await self._compare([each for each in records if each.order.account == account], listed)
        # The exchange may be slower than we are.
        return core.settings.patience[max(min(self._due.values(), default=0) - 1, 0)] if all_listed else RETRY_SECONDS

    async def _compare(self, records: Sequence[OrderRecord], listed: Sequence[Listed]) -> None:
        """Settle what can be, of one account."""
        journal = self._core.journal
        by_number = {each.number: each for each in listed}
        numbered_before = {record.id for record in records if record.number}
        records = [journal.order(record.id) for record in records]
        known = {each.number for each in journal.orders() if each.number}
        free = [each for each in listed if each.number not in known]
        for record in records:
            if record.state.settled:
                self._due.pop(record.id, None)
            elif action(record.order) == "cancel":
                await self._cancellation(record, by_number)
            elif record.number:
                found = by_number.get(record.number)
                if found is not None and not found.fits(record.order):
                    found = None
                # One that was accepted while the lists were made may only not be in them yet.
                if found is not None or record.id in numbered_before:
                    await self._numbered(record, found, listed)
            else:
                await self._unnumbered(record, free)

    async def _numbered(self, record: OrderRecord, found: Listed | None, listed: Iterable[Listed]) -> None:
        if found is None:
            if any(each.original == record.number and "정정" in each.kind for each in listed):
                await asyncio.wrap_future(self._core.journal.settle(record.id, OrderState.MODIFIED, record.message))
            await self._tell(record, closed(record))
        elif found.filled > record.filled or found.open < record.open:
            await self._tell(record, standing(record, found))
        # Through, or it stands: then its events come from here on.
        self._due.pop(record.id)

    async def _unnumbered(self, record: OrderRecord, free: list[Listed]) -> None:
        """An order without a number: the listed one that is like it, where there is no doubt which."""
        orders = self._core.journal.orders()
        # One that was given up may stand at the exchange no less than one that is still looked for.
        twins = [each for each in orders if each.order == record.order and each.may_stand_unknown]
        alike = sorted((each for each in free if each.like(record.order)), key=lambda each: each.number)
        if not alike:
            await self._missed(record, "opt10075 and opt10076 do not list it; most probably it was never accepted")
        elif len(alike) != len(twins) or any(each.id not in self._due for each in twins):
            # One that is not due is only on its way, and may be what is listed.
            numbers = ", ".join(each.number for each in alike)
            await self._missed(
                record, f"{len(twins)} orders like it are in doubt, and {len(alike)} are listed: {numbers}"
            )
        else:
            found = alike[[each.id for each in twins].index(record.id)]
            self._core.names.ordered(found.number, record.client_screen)
            await self._tell(record, numbered(record, found.number))
            known = self._core.journal.order(record.id)  # with the events of its number that came before
            if found.filled >= known.filled and found.open <= known.open:
                await self._tell(record, standing(record, found))
            self._core.ordering.resolved(record)
            self._due.pop(record.id)
            logger.info("order %d has been found: it is %s", record.id, found.number)

    async def _cancellation(self, record: OrderRecord, by_number: dict[str, Listed]) -> None:
        """No list has cancellations: what is left of the original tells."""
        original = by_number.get(record.order.original)
        if original is not None and original.filled >= original.ordered:
            await self._settle(record, OrderState.REFUSED, f"the order {original.number} was filled")
        elif original is None or original.open + original.filled < original.ordered:
            if record.number:
                await self._tell(record, confirmed(record))
                self._due.pop(record.id)
            else:
                await self._settle(record, OrderState.CONFIRMED, f"the order {record.order.original} is cancelled")
        else:
            await self._missed(record, f"the order {original.number} is still open")

    async def _missed(self, record: OrderRecord, why: str) -> None:
        """It was not found; after some patience it is named as undetermined."""
        self._due[record.id] += 1
        if self._due[record.id] > len(self._core.settings.patience):
            logger.warning("order %d cannot be determined: %s", record.id, why)
            self._given_up.add(record.id)
            await self._settle(record, OrderState.UNDETERMINED, why)

    async def _settle(self, record: OrderRecord, state: OrderState, why: str) -> None:
        """Say what became of it where no event can."""
        core = self._core
        self._due.pop(record.id, None)
        settled = await asyncio.wrap_future(core.journal.settle(record.id, state, why))
        core.ordering.resolved(record)
        core.router.tell(OrderSettled(settled.state, settled.message), request_key(record.request))

    async def _tell(self, record: OrderRecord, event: OrderRelated) -> None:
        """Have an event told as the control's own ones are, on its thread, which numbers them."""
        order = record.order
        keys: tuple[Key, ...] = (request_key(record.request),)
        request = record.request
        if event.name != "OnReceiveTrData":  # an answer is its order's alone: others would take the number for theirs
            keys, request = (*keys, order_key(order.account, order.code)), ""
        await self._core.apartment.run(self._core.router.told, event, request, *keys)
        await self._flushed()

    async def _flushed(self) -> None:
        """Wait until everything that has been told is in the journal."""
        written: Future[None] = Future()
        self._core.journal.after(lambda: written.set_result(None))
        await asyncio.shield(asyncio.wrap_future(written))

    async def open_orders(self, account: str) -> list[Listed]:
        """What of an account's orders is open, by whichever program it was sent. Raises: Failure."""
        return listing.merged(account, await self._asked(listing.OPEN_ORDERS, listing.open_inputs(account)), ())

    async def _listed(self, account: str) -> list[Listed]:
        """The account's orders of today that are open or have traded, as the exchange lists them."""
        opened = await self._asked(listing.OPEN_ORDERS, listing.open_inputs(account))
        traded = await self._asked(listing.TRADED_ORDERS, listing.traded_inputs(account))
        return listing.merged(account, opened, traded)

    async def _asked(self, code: str, inputs: dict[str, str]) -> list[dict[str, str]]:
        core, answer = self._core, _Rows(f"recovery {code}")
        name = core.names.issue(answer.client, "", code)
        keys = [request_key(name), CONNECTION]
        with await core.short_screen("queries") as screen, core.inbox() as inbox, core.router.subscribe(inbox, keys):
            await drive(core, Transaction(tr(code), code, inputs, name, screen.number), inbox, answer)
        return answer.rows


class _Rows:
    """Keeps the rows of all pages."""

    deadline: float | None = None

    def __init__(self, client: str) -> None:
        self.client = client
        self.rows: list[dict[str, str]] = []

    async def will_wait(self, limit: str, seconds: float) -> None:
        """Nobody to tell."""

    async def write(self, message: object, /) -> None:
        """Take a page."""
        assert isinstance(message, bytes)
        page = pb.ListenResponse.FromString(message).multi_data
        self.rows += [dict(zip(page.names, row.values, strict=True)) for row in page.values]
