"""The way of an order to the control: its key, OpenAPI+'s limit, the limits of risk, the journal, SendOrder, journal.

Whatever sends orders comes through `Ordering`: OrderCall, Call, the kill switch. A second call with the same key and
the same order joins the first one; nothing here or elsewhere sends an order twice.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST
from koapy.orders.model import OrderState
from koapy.orders.state import ORDER
from koapy.server.events import OrderSettled
from koapy.server.failure import Failure, invalid, precondition, silent, unavailable
from koapy.server.placing import Placing
from koapy.server.recording import replayed
from koapy.server.sending import Sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.orders.counts import Counted
    from koapy.orders.model import NewOrder, OrderRecord
    from koapy.server.core import Core
    from koapy.server.edge import Caller, Writer
    from koapy.server.events import Event
    from koapy.server.inbox import Inbox
    from koapy.server.sending import Calls

    Told = Callable[[int | BaseException], object]

logger = logging.getLogger(__name__)

KEY = "koapy-idempotency-key"
"""Call metadata: a text of the client's choice, the same for every try of the same order."""
EXPECTED_JOURNAL = "koapy-expect-journal"
"""Call metadata: the journal in which the key may stand; another one knows nothing of an earlier try."""
LONGEST_KEY = 128
TOO_MANY_ORDERS = -308
IN_DOUBT = "whether the order was sent is not known; ask again with the same key, or look at opt10075 and opt10076"


class Place:
    """One call's part in the order that it names, and whether that is new, while a `with` statement lasts."""

    __slots__ = ("_is_new", "_ordering", "_placing")

    def __init__(self, ordering: Ordering, placing: Placing, *, is_new: bool) -> None:
        self._ordering = ordering
        self._placing = placing
        self._is_new = is_new

    def __enter__(self) -> tuple[Placing, bool]:
        return self._placing, self._is_new

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._is_new and not self._placing.begun:  # its key is free again, and those who joined are told
            ended = unavailable("the first call of this order ended before it was sent", "NOT_SENT")
            self._ordering.forget(self._placing, error if isinstance(error, Failure) else ended)


class Ordering:
    """All orders on their way. Belongs to the event loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._by_key: dict[tuple[str, str], Placing] = {}
        self._doubts: dict[int, Placing] = {}
        self._sending: set[Placing] = set()
        self._outgoing: list[Sending] = []
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

    def place(self, order: NewOrder, caller: Caller, key: str | None, request: str, screen: str) -> Place:
        """The order that a call names, for a `with` statement; a new one is to be given to `send` in there.

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
            return Place(self, known, is_new=False)
        name = self._core.names.issue(caller.client, screen, request)
        placing = Placing(order, client, key, name, request, screen)
        if key is not None:
            self._by_key[client, key] = placing
        return Place(self, placing, is_new=True)

    async def send(self, placing: Placing, caller: Writer, calls: Calls, *, wait: bool = True) -> int:
        """Send a new order and give what SendOrder returned; that is on disk then.

        Once the order is on its way to the journal it is sent, whatever becomes of its caller.

        Args:
            wait: for OpenAPI+'s limit; without, its own code for too many orders comes back.

        Raises:
            Failure: it was refused, the journal cannot be written, or the control is silent; the text says which.
        """
        core, limit = self._core, self._core.limits.orders
        self._require(calls)
        # Before it has a place among the orders, which a query for the price would keep from others.
        price = await self._price(placing, caller)
        if wait:
            await core.limits.take_place(limit, caller)
        elif not limit.try_begin():
            return TOO_MANY_ORDERS
        self._send(placing, calls, price)
        return await self.outcome(placing)

    def send_at_once(self, placing: Placing, calls: Calls, told: Told) -> bool:
        """As `send`, where the order has to wait for nothing before it goes to the journal; False where it has.

        `told` is called with what `reply` gives.
        """
        core = self._core
        if core.risk.needs_price(placing.order, placing.client) or not core.limits.orders.try_begin():
            return False
        try:
            self._require(calls)
        except Failure as failure:
            core.limits.orders.withdraw()
            placing.fail(failure)
        else:
            try:
                self._send(placing, calls, None)
            except Failure as failure:
                placing.fail(failure)
        self.reply(placing, told)
        return True

    def reply(self, placing: Placing, told: Told) -> None:
        """Call `told`, soon, with what SendOrder returned for an order that somebody has given to `send`.

        Or with the failure that `outcome` names.
        """
        core = self._core

        def is_known(outcome: asyncio.Future[int]) -> None:
            late.cancel()
            told(outcome.exception() or outcome.result())

        def is_late() -> None:
            placing.outcome.remove_done_callback(is_known)
            if placing.record is not None:
                core.recovery.doubt(placing.record.id)
            told(silent(f"{placing.order.function}; {IN_DOUBT}", core.settings.answer_seconds))

        late = asyncio.get_running_loop().call_later(core.settings.answer_seconds, is_late)
        placing.outcome.add_done_callback(is_known)

    async def outcome(self, placing: Placing) -> int:
        """Wait for `reply`.

        Raises:
            Failure: it was not sent, or nothing is known of it within the time that the control has.
        """
        reply: asyncio.Future[int | BaseException] = asyncio.get_running_loop().create_future()
        self.reply(placing, lambda value: None if reply.done() else reply.set_result(value))
        value = await reply
        if isinstance(value, BaseException):
            raise value
        return value

    def _require(self, calls: Calls) -> None:
        """The control must have the function, and the gateway not be closing."""
        self._core.functions.require(calls[-1][0])
        if self._core.closing is not None:
            raise self._core.closing

    def _send(self, placing: Placing, calls: Calls, price: int | None) -> None:
        """Give an order that has its place under OpenAPI+'s limit to the journal, if the limits of risk admit it."""
        core, counted = self._core, None
        try:
            counted = self._admitted(placing, price)
            sending = Sending(core, placing, calls, counted, self._ended)
        except BaseException:
            core.limits.orders.withdraw()
            core.risk.withdraw(counted)
            raise
        placing.begun = True
        self._sending.add(placing)
        # All that come at once, so that the journal finds them all when it wakes.
        self._outgoing.append(sending)
        if len(self._outgoing) == 1:
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        for sending in outgoing:
            sending.begin()

    async def rejoin(self, placing: Placing, inbox: Inbox) -> None:
        """Put all that has been told of a known order before what comes; `inbox` must be subscribed to it already."""
        journal = self._core.journal
        # First how it stands, then its events: what makes it stand otherwise in between comes to the inbox.
        record = journal.order((await placing.recorded()).id)
        kept = await asyncio.to_thread(journal.events_of, record)
        told: list[Event] = [replayed(each) for each in kept]
        # What an earlier process was told last may be missing; of the others no event of their own tells the end.
        is_own = any(each.gubun == ORDER and each.number == record.number for each in kept)
        untold = not is_own or record.state in (OrderState.EXPIRED, OrderState.UNDETERMINED)
        if record.state.settled and (untold or record.id < self.first_id):
            told.append(OrderSettled(record.state, record.message))
        inbox.precede(told)

    def expired(self, placing: Placing) -> None:
        """The order's day ended while it was open, which no event of its own tells."""
        assert placing.record is not None
        self._core.journal.settle(placing.record.id, OrderState.EXPIRED, "its session is over")

    def resolved(self, record: OrderRecord) -> None:
        """It is known, or known to be unknowable, what became of an order in doubt."""
        placing = self._doubts.pop(record.id, None)
        if placing is not None:
            placing.end(0)

    async def idle(self) -> None:
        """Wait until nothing is being sent; the caller bounds the wait."""
        while self._sending:
            await asyncio.wait([placing.outcome for placing in self._sending])

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

    def _ended(self, placing: Placing, failure: Failure | None) -> None:
        """The order is no longer on its way."""
        self._sending.discard(placing)
        if failure is not None:
            self.forget(placing, failure)
        elif placing.key is not None:
            self._by_key.pop((placing.client, placing.key), None)

    def _known(self, client: str, key: str) -> Placing | None:
        placing = self._by_key.get((client, key))
        if placing is not None:
            return placing
        record = self._core.journal.find(client, key)
        if record is None:
            return None
        if record.id in self._doubts:
            return self._doubts[record.id]
        names = (record.request, record.client_request, record.client_screen)
        placing = Placing(record.order, client, key, *names, record)
        if record.in_doubt:
            self._doubts[record.id] = placing
            self._core.recovery.doubt(record.id)
        else:
            placing.end(record.returned or 0)
        return placing

    def forget(self, placing: Placing, failure: Failure) -> None:
        """The order is not sent."""
        key = (placing.client, placing.key or "")
        if self._by_key.get(key) is placing:
            del self._by_key[key]
        placing.fail(failure)
