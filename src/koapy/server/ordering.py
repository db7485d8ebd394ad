"""The way of an order to the control: its key, OpenAPI+'s limit, the limits of risk, the journal, SendOrder, journal.

Whatever sends orders comes through `Ordering`: OrderCall, Call, the kill switch. A second call with the same key and
the same order joins the first one; nothing here or elsewhere sends an order twice.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.orders.journal import JournalFailed
from koapy.orders.model import OrderState
from koapy.server.events import OrderSettled
from koapy.server.failure import Failure, invalid, precondition, silent, unavailable
from koapy.server.machines import Limit
from koapy.server.recording import replayed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Calls = Sequence[tuple[str, tuple[str | int, ...]]]

    from koapy.orders.counts import Counted
    from koapy.orders.model import NewOrder, OrderRecord
    from koapy.server.core import Core
    from koapy.server.edge import Caller, Writer
    from koapy.server.events import Event
    from koapy.server.inbox import Inbox

logger = logging.getLogger(__name__)

KEY = "koapy-idempotency-key"
"""Call metadata: a text of the client's choice, the same for every try of the same order."""
EXPECTED_JOURNAL = "koapy-expect-journal"
"""Call metadata: the journal in which the key may stand; another one knows nothing of an earlier try."""
LONGEST_KEY = 128
TOO_MANY_ORDERS = -308
IN_DOUBT = "whether the order was sent is not known; ask again with the same key, or look at opt10075 and opt10076"


@dataclass(slots=True, eq=False)
class Placing:
    """One order, from the first call that names it until its outcome is on disk."""

    order: NewOrder
    client: str
    key: str | None
    request: str
    """Its request name at the control."""
    client_request: str
    client_screen: str
    outcome: asyncio.Future[int]
    """What SendOrder returned, or why that cannot be told; on disk before it is here."""
    recorded: asyncio.Future[OrderRecord]
    """The journal's record, once the intent is on disk."""
    begun: bool = False
    """Whether it is on its way to the journal, which no caller can stop any more."""


class Ordering:
    """All orders on their way. Belongs to the event loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._by_key: dict[tuple[str, str], Placing] = {}
        self._doubts: dict[int, Placing] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self.first_id = core.journal.last_order + 1
        """Orders with smaller ids were sent by an earlier process."""

    def key_of(self, caller: Caller) -> str | None:
        """The idempotency key of a call, if it has one.

        Raises:
            Failure: it is no key, or may stand in another journal.
        """
        own, expected = self._core.journal.identity, caller.metadata(EXPECTED_JOURNAL)
        if expected not in (None, own):
            text = (
                f"this gateway keeps the journal {own}, not {expected}, so it cannot know whether the order was sent; "
                "look for it by opt10075 and opt10076 before sending it again with a new key"
            )
            raise precondition(text, "JOURNAL_CHANGED", journal=own)
        key = caller.metadata(KEY)
        if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
            raise invalid(f"{KEY}: 1 to {LONGEST_KEY} printable characters, new ones for each order")
        return key

    def knows(self, caller: Caller, key: str | None) -> bool:
        """Whether a call with this key joins an order."""
        return key is not None and self._known(caller.principal.name, key) is not None

    @contextmanager
    def place(
        self, order: NewOrder, caller: Caller, key: str | None, request: str, screen: str
    ) -> Iterator[tuple[Placing, bool]]:
        """The order that a call names, and whether it is new; then it is to be given to `send` within the block.

        Args:
            key: the idempotency key.
            request, screen: as the client called them.

        Raises:
            Failure: the key was used for another order.
        """
        client = caller.principal.name
        known = self._known(client, key) if key is not None else None
        if known is not None:
            if known.order != order:
                raise invalid(f"the key {key!r} was used for another order; take a new key for each order")
            yield known, False
            return
        name = self._core.names.issue(caller.client, screen, request)
        placing = Placing(order, client, key, name, request, screen, *_unanswered())
        if key is not None:
            self._by_key[client, key] = placing
        try:
            yield placing, True
        except Failure as failure:
            self._give_up(placing, failure)
            raise
        finally:
            self._give_up(placing, unavailable("the first call of this order ended before it was sent", "NOT_SENT"))

    async def send(self, placing: Placing, caller: Writer, calls: Calls, *, wait: bool = True) -> int:
        """Send a new order and give what SendOrder returned; that is on disk then.

        Once the order is on its way to the journal it is sent, whatever becomes of its caller.

        Args:
            wait: for OpenAPI+'s limit; without, its own code for too many orders comes back.

        Raises:
            Failure: it was refused, the journal cannot be written, or the control is silent; the text says which.
        """
        core = self._core
        core.function(calls[-1][0])
        if core.closing is not None:
            raise core.closing
        # Before it has a place among the orders, which a query for the price would keep from others.
        price = await self._price(placing, caller)
        async with AsyncExitStack() as permit:
            if wait:
                await permit.enter_async_context(core.permit(Limit.ORDER, "", caller))
            elif not core.begin(permit, Limit.ORDER, ""):
                return TOO_MANY_ORDERS
            counted = self._admitted(placing, price)
            placing.begun = True
            sending = asyncio.create_task(self._commit(placing, calls, counted, permit.pop_all()))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
        return await self.outcome(placing)

    async def outcome(self, placing: Placing) -> int:
        """What SendOrder returned for an order that somebody has given to `send`.

        Raises:
            Failure: it was not sent, or nothing is known of it within the time that the control has.
        """
        seconds = self._core.settings.answer_seconds
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(placing.outcome)
        except TimeoutError:
            if placing.recorded.done():
                self._core.recovery.doubt(placing.recorded.result().id)
            raise silent(f"{placing.order.function}; {IN_DOUBT}", seconds) from None

    async def rejoin(self, placing: Placing, inbox: Inbox) -> None:
        """Put all that has been told of a known order before what comes; `inbox` must be subscribed to it already."""
        journal = self._core.journal
        # First how it stands, then its events: what makes it stand otherwise in between comes to the inbox.
        record = journal.order((await asyncio.shield(placing.recorded)).id)
        kept = await asyncio.to_thread(journal.events_of, record)
        told: list[Event] = [replayed(each) for each in kept]
        # What an earlier process was told last may be missing; of the others no event of their own tells the end.
        untold = not record.number or record.state in (OrderState.EXPIRED, OrderState.UNDETERMINED)
        if record.state.settled and (untold or record.id < self.first_id):
            told.append(OrderSettled(record.state, record.message))
        inbox.precede(told)

    def expired(self, placing: Placing) -> None:
        """The order's day ended while it was open, which no event of its own tells."""
        order_id = placing.recorded.result().id
        self._core.journal.settle(order_id, OrderState.EXPIRED, "its session is over")

    def resolved(self, record: OrderRecord) -> None:
        """It is known, or known to be unknowable, what became of an order in doubt."""
        placing = self._doubts.pop(record.id, None)
        if placing is not None and not placing.outcome.done():
            placing.outcome.set_result(0)

    async def idle(self) -> None:
        """Wait until nothing is being sent; the caller bounds the wait."""
        while self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _price(self, placing: Placing, caller: Writer) -> int | None:
        """The last price, where a limit of risk needs it."""
        core, order = self._core, placing.order
        return await core.prices.last(order.code, caller) if core.risk.needs_price(order, placing.client) else None

    def _admitted(self, placing: Placing, price: int | None) -> Counted | None:
        """Count the order against the limits of risk, or refuse it."""
        core, order, client = self._core, placing.order, placing.client
        now = datetime.now(KST)
        breach = core.risk.check(order, client, now, price, halted=core.journal.halted)
        if breach is not None:
            raise precondition(breach.text, breach.reason, **breach.details)
        return core.risk.admit(order, client, now)

    async def _commit(self, placing: Placing, calls: Calls, counted: Counted | None, permit: AsyncExitStack) -> None:
        """Journal, SendOrder, journal."""
        core = self._core
        async with permit:
            try:
                record = await asyncio.wrap_future(
                    core.journal.intend(
                        placing.order,
                        key=placing.key,
                        client=placing.client,
                        request=placing.request,
                        client_request=placing.client_request,
                        client_screen=placing.client_screen,
                    )
                )
            except JournalFailed as error:
                core.risk.withdraw(counted)
                self._forget(placing, unavailable(f"{error}; the order was not sent", "JOURNAL_FAILED"))
                return
            placing.recorded.set_result(record)
            try:
                value = await core.run(calls)
            except Failure as failure:
                await self._not_made(placing, record, counted, failure)
                return
        if value < 0:
            core.risk.withdraw(counted)
        await asyncio.wrap_future(core.journal.returned(record.id, value))
        self._by_key.pop((placing.client, placing.key or ""), None)
        if not placing.outcome.done():
            placing.outcome.set_result(value)
        # An order that still has no number then has lost its answer.
        asyncio.get_running_loop().call_later(core.settings.answer_seconds, core.recovery.look_after, record.id)

    async def _not_made(self, placing: Placing, record: OrderRecord, counted: Counted | None, failure: Failure) -> None:
        """SendOrder did not return."""
        core = self._core
        if failure.details.get("sent") == "no":
            core.risk.withdraw(counted)
            await asyncio.wrap_future(core.journal.unsent(record.id, failure.text))
        else:
            core.recovery.doubt(record.id)
        self._forget(placing, failure)

    def _known(self, client: str, key: str) -> Placing | None:
        placing = self._by_key.get((client, key))
        if placing is not None:
            return placing
        record = self._core.journal.find(client, key)
        if record is None:
            return None
        if record.id in self._doubts:
            return self._doubts[record.id]
        outcome, recorded = _unanswered()
        recorded.set_result(record)
        placing = Placing(
            record.order, client, key, record.request, record.client_request, record.client_screen, outcome, recorded
        )
        if record.in_doubt:
            self._doubts[record.id] = placing
            self._core.recovery.doubt(record.id)
        else:
            outcome.set_result(record.returned or 0)
        return placing

    def _give_up(self, placing: Placing, failure: Failure) -> None:
        """The call ended before the order was on its way: its key is free again, and those who joined are told."""
        if not placing.begun:
            self._forget(placing, failure)

    def _forget(self, placing: Placing, failure: Failure) -> None:
        key = (placing.client, placing.key or "")
        if self._by_key.get(key) is placing:
            del self._by_key[key]
        for future in (placing.outcome, placing.recorded):
            if not future.done():
                future.set_exception(failure)


def _unanswered() -> tuple[asyncio.Future[int], asyncio.Future[OrderRecord]]:
    """Futures that nobody needs to look at."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[int] = loop.create_future()
    recorded: asyncio.Future[OrderRecord] = loop.create_future()
    outcome.add_done_callback(_seen)
    recorded.add_done_callback(_seen)
    return outcome, recorded


def _seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
