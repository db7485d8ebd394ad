"""What all RPCs of one servicer share: the apartment, the router, the limits and everything that is lent out."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from koapy.control.apartment import Apartment, Frozen, Portal
from koapy.control.registrations import Registrations
from koapy.control.screens import Screen, Screens, ScreensExhausted
from koapy.openapi.calendar import KST
from koapy.orders.risk import Risk
from koapy.server.bidirectional import Gates
from koapy.server.clients import Clients
from koapy.server.failure import Failure, exhausted, precondition, raised, unavailable
from koapy.server.functions import Functions
from koapy.server.health import Health, State
from koapy.server.inbox import Froze
from koapy.server.limiting import Limits
from koapy.server.lookups import Lookups
from koapy.server.names import RequestNames
from koapy.server.ordering import Ordering
from koapy.server.prices import LastPrices
from koapy.server.quotas import Quotas
from koapy.server.reading import TRADED
from koapy.server.recovery import Recovery
from koapy.server.restoration import Restoration
from koapy.server.router import Router
from koapy.server.security.guard import Guard
from koapy.server.session import SessionWatch
from koapy.server.unanswered import Unanswered
from koapy.server.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from koapy.control.seam import Control
    from koapy.orders.journal import Journal
    from koapy.server.inbox import Inbox
    from koapy.server.quotas import Queue
    from koapy.server.settings import Settings

logger = logging.getLogger(__name__)

LOGGED_IN_SECONDS = 1.0
"""How long a control that is logged in is not asked again; OnEventConnect tells when that has changed."""


class Underway:
    """What a shutdown waits for: each holds it by `with`."""

    __slots__ = ("_none", "open")

    def __init__(self) -> None:
        self.open = 0
        self._none = asyncio.Event()

    def __enter__(self) -> None:
        self.open += 1

    def __exit__(self, *_: object) -> None:
        self.open -= 1
        if not self.open:
            self._none.set()

    async def ended(self) -> None:
        """Return when none is left."""
        while self.open:
            self._none.clear()
            await self._none.wait()


class Core:
    """Made at the first RPC, on the loop that serves it."""

    def __init__(self, control: Control, settings: Settings, journal: Journal, guard: Guard | None = None) -> None:
        self.settings = settings
        self.journal = journal
        self.health = Health()
        self.quotas = Quotas(settings)
        self.guard = guard or Guard()
        """Who may come in."""
        self.apartment = Apartment(control)
        self.portal = Portal(asyncio.get_running_loop())
        self.names = RequestNames()
        self.screens = Screens()
        unanswered = Unanswered()
        self.functions = Functions(self.apartment, unanswered)
        self.registrations = Registrations(
            self.apartment, self.screens, lambda name, *args: self.functions.make(((name, args),))
        )
        self.gates = Gates()
        self.router = Router(self.apartment, self.portal, self.names, self.screens, self.gates, journal, unanswered)
        self.lookups = Lookups(self.functions.call, lambda: self.router.logins)
        self.limits = Limits(settings, self.functions)
        self.clients = Clients(self)
        self.session = SessionWatch(self)
        self._restoration = Restoration(self)
        self.router.when_connected = self._connected
        self._watchdog = Watchdog(self)
        self.risk = Risk(settings.risk)
        self.risk.restore(journal.orders(), datetime.now(KST))
        self.prices = LastPrices(self)
        if self.risk.wants_prices:
            self.router.feeds.on_trade = self.prices.seen
            self.router.foresight.want({TRADED})
        self.ordering = Ordering(self)
        self.recovery = Recovery(self)
        self.router.when_missed = self.recovery.everything
        self.router.when_answered = self.recovery.answered
        self.conditions_of: int | None = None
        """The login in which conditions were loaded, as the router counts them."""
        self.conditions_loading = asyncio.Lock()
        self.gathering = asyncio.Lock()
        """Held by who takes several screens for one request."""
        self.rpcs = Underway()
        self.closing: Failure | None = None
        self._logged_in = (-1, 0.0)
        """The login, as the router counts them, that the control has confirmed, and until when it is believed."""
        self._inboxes: set[Inbox] = set()
        self.handlers = 0
        """Event handlers of clients that are running."""
        self.unnumbered = Underway()
        """Orders on their way to their number."""

    async def start(self) -> None:
        """Connect to the control's events, and watch its thread."""
        self._watchdog.start()
        try:
            await self.apartment.run(self.router.connect)
            await self._restoration.begin()
            self.journal.on_trouble = partial(self.portal.post, self._journal_trouble)
            self._recall()
            self.recovery.start()
        except BaseException as error:
            await self._watchdog.aclose()
            self.apartment.close()
            if isinstance(error, Exception) and not isinstance(error, Frozen | Failure):
                raise raised("connect", error, self.apartment.passwords) from error
            raise

    def _recall(self) -> None:
        """What the journal knows of orders that are not through: how their clients called them."""
        for record in self.journal.unsettled():
            self.names.recall(record.request, record.client_screen, record.client_request)
            if record.number:
                self.names.ordered(record.number, record.client_screen)

    def _connected(self, code: int) -> None:
        """OnEventConnect has come."""
        self._restoration.connected(code)
        if code >= 0:
            self.recovery.everything()

    def _journal_trouble(self, trouble: str | None) -> None:
        """The journal cannot be written, or can be again."""
        if trouble is None:
            self.health.clear(State.JOURNAL_FAILED)
            return
        text = f"the journal cannot be written ({trouble}); orders are refused until it can"
        self.health.set(State.JOURNAL_FAILED, text)
        failure = unavailable(f"{text}; ask again with the same key or from the last sequence", "JOURNAL_FAILED")
        for inbox in self.router.order_inboxes():
            inbox.fail(failure)

    def statistics(self) -> dict[str, int]:
        """What is taken at this moment."""
        codes, screens = self.registrations.kept_for(self.session)
        return {
            "rpcs": self.rpcs.open,
            "streams": len(self._inboxes),
            "screens": self.screens.in_use - screens,
            "codes": self.registrations.codes - codes,
            "subscriptions": self.router.subscriptions,
            "gates": self.gates.count,
            "handlers": self.handlers,
            "waiting_bytes": self.quotas.waiting,
        }

    def tell_frozen(self) -> None:
        """Tell all streams that the control's thread does not answer; those end that wait for an answer."""
        self.tell_all(Froze(self.health.text))

    def tell_all(self, item: object) -> None:
        """Put this into the inboxes of all streams, behind what they have; whom it does not concern passes it by."""
        for inbox in tuple(self._inboxes):
            inbox.put(item)

    def fail_streams(self, holders: Iterable[Hashable], failure: Failure) -> None:
        """End the streams that wait for what is not registered, or searched, any more for these."""
        gone = set(holders)
        for inbox in tuple(self._inboxes):
            if not inbox.holders.isdisjoint(gone):
                inbox.fail(failure)

    @property
    def conditions_loaded(self) -> bool:
        """Whether conditions have been loaded in this login."""
        return self.conditions_of == self.router.logins

    async def connected(self) -> bool | None:
        """Whether the control is logged in; None where it cannot say.

        After a lost connection it is not before OnEventConnect says so, whatever the control says.
        """
        if self.health.away() is not None:
            return False
        if not self.apartment.has("GetConnectState"):
            return None
        return bool(await self.functions.call("GetConnectState") == 1)

    async def require_login(self) -> None:
        """Refuse what needs a login while there is none; a control that cannot say is taken to be logged in."""
        self.require_connection()
        now, logins = asyncio.get_running_loop().time(), self.router.logins
        known_in, until = self._logged_in
        if known_in == logins and now < until:
            return
        if await self.connected() is False:
            raise precondition("not logged in to OpenAPI+; log in by LoginCall or CommConnect first", "NOT_LOGGED_IN")
        self._logged_in = (logins, now + LOGGED_IN_SECONDS)

    def require_open(self) -> None:
        """Refuse what is of no use while OpenAPI+ is closed by plan: its servers are away, or it is upgraded."""
        if (failure := self.health.closed()) is not None:
            raise failure

    def require_connection(self) -> None:
        """Refuse what needs the connection to OpenAPI+ while that is lost."""
        if (failure := self.health.away()) is not None:
            raise failure

    def inbox(self, queue: Queue | None = None, holders: Iterable[Hashable] = ()) -> Inbox:
        """A stream's queue for the block of a `with` statement, which a shutdown reaches.

        Args:
            queue: where the stream asks for one of its own.
            holders: whose codes and condition searches the stream waits for, as `clients.waits_for` says.
        """
        if self.closing is not None:
            raise self.closing
        inbox = self.quotas.inbox(self._inboxes, queue)
        inbox.holders.update(holders)
        return inbox

    def long_screen(self, what: str, client: str = "") -> Screen:
        """A screen for as long as a stream lives, for a `with` statement; RESOURCE_EXHAUSTED where there is none."""
        try:
            return self.screens.take(what, client)
        except ScreensExhausted as error:
            raise exhausted(str(error), "SCREENS") from None

    async def short_screen(self, what: str, client: str = "") -> Screen:
        """A screen for one request, for a `with` statement; waits for one that is given back."""
        return self.screens.take_free(what, client) or await self._wait_for_screen(what, client)

    async def _wait_for_screen(self, what: str, client: str) -> Screen:
        try:
            async with self.functions.patience(), asyncio.timeout(self.settings.answer_seconds):
                return await self.screens.wait(what, client)
        except TimeoutError:
            return self.long_screen(what, client)

    async def aclose(self) -> None:
        """Refuse new requests, wait a little for orders that have no number yet, and end all streams."""
        self.closing = unavailable("the gateway is shutting down; reconnect when it is back", "SHUTTING_DOWN")
        self.health.set(State.SHUTTING_DOWN)
        await self._restoration.aclose()
        await self.recovery.aclose()
        try:
            async with asyncio.timeout(self.settings.drain_seconds):
                await self.unnumbered.ended()
        except TimeoutError:
            logger.warning("%d orders have no number yet; ask opt10075 and opt10076 for them", self.unnumbered.open)
        for inbox in tuple(self._inboxes):
            inbox.fail(self.closing)
        try:
            async with asyncio.timeout(self.settings.drain_seconds):
                await self.rpcs.ended()
                await self.ordering.idle()
                await self.clients.aclose()
                await self.session.aclose()
                await self.apartment.settle(self.router.disconnect)
        except (TimeoutError, Frozen):
            logger.warning("%d requests have not ended, or the control's thread does not answer", self.rpcs.open)
        await self._watchdog.aclose()
        self.apartment.close()
