"""An order on its way: journal, SendOrder, journal. From here on nobody can stop it, so nobody's task carries it.

What is next is done where the last thing has ended: when the intent is on disk, the journal's thread sends the order to
the control's, which gives what SendOrder returned to the journal before the events that it causes, so that they share a
transaction. The event loop hears of it when that is on disk, and not before.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from koapy.control.apartment import Frozen
from koapy.orders.model import OrderRecord
from koapy.server.failure import Failure, frozen, unavailable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    Calls = Sequence[tuple[str, tuple[str | int, ...]]]

    from koapy.orders.counts import Counted
    from koapy.server.core import Core
    from koapy.server.placing import Placing


class Sending:
    """Sends one order. Made, begun and ended on the event loop.

    Args:
        counted: how the order counts against the limits of risk; taken back where it is not sent.
        ended: called at the end, with why the order was not sent, or why that is not known; None: it was.

    Raises:
        Failure: the control's thread is frozen.
    """

    def __init__(
        self,
        core: Core,
        placing: Placing,
        calls: Calls,
        counted: Counted | None,
        ended: Callable[[Placing, Failure | None], None],
    ) -> None:
        self._core = core
        self._placing = placing
        self._calls = calls
        self._counted = counted
        self._ended = ended
        self._intent: OrderRecord | Exception | None = None
        """The order as it is on disk, or why it is not there; None: neither is known yet."""
        try:
            self._job = core.apartment.prepare(self._make)
        except Frozen as error:
            raise frozen(begun=error.begun) from None

    def begin(self) -> None:
        """Give the order to the journal, and all else follows."""
        placing = self._placing
        self._job.waiter.add_done_callback(self._made)
        self._core.journal.intend(
            placing.order,
            key=placing.key,
            client=placing.client,
            request=placing.request,
            client_request=placing.client_request,
            client_screen=placing.client_screen,
            then=self._intended,
        )

    def _intended(self, intent: OrderRecord | Exception) -> None:
        """The intent is on disk, or cannot be. Runs on the journal's thread."""
        core = self._core
        self._intent = intent
        if isinstance(intent, Exception):
            failure = unavailable(f"{intent}; the order was not sent", "JOURNAL_FAILED", sent="no")
            core.portal.post(self._refused, failure)
            return
        self._placing.record = intent
        core.apartment.send(self._job)
        if self._placing.key is not None:  # another call may wait for it
            core.portal.post(self._placing.tell_recorded)

    def _make(self) -> int:
        """Call SendOrder and give what it returned to the journal. Runs on the control's thread."""
        record = self._placing.record
        assert record is not None
        value: int = self._core.functions.make(self._calls)
        self._core.journal.returned(record.id, value, partial(self._kept, value))
        return value

    def _kept(self, value: int, _: OrderRecord | Exception) -> None:
        """What SendOrder returned is on disk. Runs on the journal's thread."""
        self._job.value = value  # the control's thread may not have come to that yet
        # The same way as the events behind it: the loop is woken once.
        self._core.portal.post(self._job.tell)

    def _refused(self, failure: Failure) -> None:
        if self._job.claim():  # else the thread has been found frozen in the meantime
            self._job.error = failure
        self._job.tell()

    def _made(self, made: asyncio.Future[Any]) -> None:
        """SendOrder has returned, or failed, or the control's thread is frozen."""
        core, placing = self._core, self._placing
        core.limits.orders.end()
        placing.tell_recorded()
        error = made.exception()
        if error is None:
            self._returned(made.result())
            return
        failure = frozen(begun=error.begun) if isinstance(error, Frozen) else error
        assert isinstance(failure, Failure)
        if failure.details.get("sent") != "no":
            assert placing.record is not None
            core.recovery.doubt(placing.record.id)
            self._ended(placing, failure)
            return
        core.risk.withdraw(self._counted)
        take_back = partial(self._take_back, failure)
        if self._intent is None:
            core.journal.after(take_back)  # behind the intent
        else:
            take_back()

    def _take_back(self, failure: Failure) -> None:
        """The order was certainly not sent: the journal is to know, if it has the intent. On any thread."""
        core = self._core
        if not isinstance(self._intent, OrderRecord):
            core.portal.post(self._ended, self._placing, failure)
            return
        unsent = core.journal.unsent(self._intent.id, failure.text)
        unsent.add_done_callback(lambda _: core.portal.post(self._ended, self._placing, failure))

    def _returned(self, value: int) -> None:
        core, placing = self._core, self._placing
        assert placing.record is not None
        if value < 0:
            core.risk.withdraw(self._counted)
        placing.end(value)
        self._ended(placing, None)
        core.recovery.look_after(placing.record.id)
