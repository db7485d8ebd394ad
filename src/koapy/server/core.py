"""What all RPCs of one servicer share: the apartment, the router, the limits and everything that is lent out."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import grpc

from koapy.control.apartment import Apartment, Portal
from koapy.control.limits import LimitExceeded, RateLimit
from koapy.control.registrations import Registrations
from koapy.control.screens import Screen, Screens, ScreensExhausted
from koapy.server.bidirectional import Gates
from koapy.server.clients import Clients
from koapy.server.failure import Failure, exhausted, precondition, unavailable, unimplemented
from koapy.server.inbox import Inbox
from koapy.server.machines import Limit
from koapy.server.names import RequestNames
from koapy.server.router import Router
from koapy.server.session import SessionWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from koapy.control.seam import Control
    from koapy.server.edge import Writer
    from koapy.server.settings import Settings

logger = logging.getLogger(__name__)

NOTICEABLE_SECONDS = 0.05


class Core:
    """Made at the first RPC, on the loop that serves it."""

    def __init__(self, control: Control, settings: Settings) -> None:
        self.settings = settings
        self.apartment = Apartment(control)
        self.portal = Portal(asyncio.get_running_loop())
        self.names = RequestNames()
        self.screens = Screens()
        self.registrations = Registrations(self.apartment, self.screens)
        self.gates = Gates(self.portal)
        self.router = Router(self.apartment, self.portal, self.names, self.screens, self.gates)
        self.tr_limit = RateLimit("TR requests", settings.tr_windows)
        self.order_limit = RateLimit("orders", settings.order_windows)
        self._conditions: dict[str, RateLimit] = {}
        self.clients = Clients(self)
        self.session = SessionWatch(self)
        self.conditions_of: int | None = None
        """The login in which conditions were loaded, as the router counts them."""
        self.conditions_loading = asyncio.Lock()
        self.closing: Failure | None = None
        self._inboxes: set[Inbox] = set()
        self._tasks = 0
        self._idle = asyncio.Event()
        self._unnumbered = 0
        self._numbered = asyncio.Event()

    async def start(self) -> None:
        """Connect to the control's events."""
        await self.apartment.run(self.router.connect)

    def statistics(self) -> dict[str, int]:
        """What is taken at this moment."""
        return {
            "rpcs": self._tasks,
            "streams": len(self._inboxes),
            "screens": self.screens.in_use,
            "codes": self.registrations.codes,
            "subscriptions": self.router.subscriptions,
            "gates": self.gates.count,
        }

    def function(self, name: str) -> Callable[..., Any]:
        """A function of the control.

        Raises:
            Failure: this control does not offer it.
        """
        function: Callable[..., Any] | None = getattr(self.apartment.control, name, None)
        if function is None:
            raise unimplemented(f"this control does not offer {name}")
        return function

    def make(self, calls: Iterable[tuple[str, tuple[str | int, ...]]]) -> Any:
        """Make these calls, in one piece, and give the last one's value. Runs on the control's thread.

        Raises:
            Failure: this control does not offer one of them, or it raised.
        """
        value = None
        for name, args in calls:
            function = self.function(name)
            if name == "CommRqData":
                self.router.sent(str(args[0]))
            try:
                value = function(*args)
            except Exception as error:
                logger.exception("%s raised", name)
                text = f"{name} raised {type(error).__name__} in the control: {error}"
                raise Failure(grpc.StatusCode.INTERNAL, text, reason="CONTROL_RAISED") from error
        return value

    async def call(self, name: str, *args: str | int) -> Any:
        """Call one function of the control on its thread."""
        return await self.apartment.run(self.make, ((name, args),))

    async def settle(self, name: str, *args: str | int) -> None:
        """Call what gives something back, even when the waiting is cancelled, if the control has such a function."""
        if self.apartment.has(name):
            await self.apartment.settle(self.make, ((name, args),))

    @contextmanager
    def task(self) -> Iterator[None]:
        """An RPC that is being served; a shutdown waits for all of them."""
        self._tasks += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._tasks -= 1
            if not self._tasks:
                self._idle.set()

    @property
    def conditions_loaded(self) -> bool:
        """Whether conditions have been loaded in this login."""
        return self.conditions_of == self.router.logins

    async def connected(self) -> bool | None:
        """Whether the control is logged in; None where it cannot say."""
        if not self.apartment.has("GetConnectState"):
            return None
        return bool(await self.call("GetConnectState") == 1)

    async def require_login(self) -> None:
        """Refuse what needs a login while there is none; a control that cannot say is taken to be logged in."""
        if await self.connected() is False:
            raise precondition("not logged in to OpenAPI+; log in by LoginCall or CommConnect first", "NOT_LOGGED_IN")

    @contextmanager
    def inbox(self) -> Iterator[Inbox]:
        """A stream's queue, which a shutdown reaches."""
        if self.closing is not None:
            raise self.closing
        inbox = Inbox(self.settings.queue)
        self._inboxes.add(inbox)
        try:
            yield inbox
        finally:
            self._inboxes.discard(inbox)

    @asynccontextmanager
    async def permit(self, limit: Limit | None, key: str, writer: Writer) -> AsyncIterator[None]:
        """Hold the places that a call needs under the limits, waiting for them fairly; `writer` is told how long.

        Raises:
            Failure: RESOURCE_EXHAUSTED at once, when the deadline would pass first.
        """
        async with AsyncExitStack() as held:
            for each in self.limits(limit, key):
                wait = each.expected_wait(writer.client)
                if wait > NOTICEABLE_SECONDS:
                    await writer.will_wait(each.name, wait)
                try:
                    await held.enter_async_context(each.permit(writer.client, writer.deadline))
                except LimitExceeded as error:
                    raise exhausted(str(error), "RATE_LIMIT", limit=error.limit, wait=f"{error.wait:.3f}") from None
            yield

    def limits(self, limit: Limit | None, key: str) -> tuple[RateLimit, ...]:
        """The limits that a call counts against."""
        if limit is None:
            return ()
        if limit is Limit.CONDITION:
            return self.condition_limit(key), self.tr_limit
        return (self.order_limit if limit is Limit.ORDER else self.tr_limit,)

    def condition_limit(self, key: str) -> RateLimit:
        """The limit of one condition, by index and name."""
        limit = self._conditions.get(key)
        if limit is None:
            limit = RateLimit(f"searches of the condition {key}", self.settings.condition_windows)
            self._conditions[key] = limit
        return limit

    @contextmanager
    def long_screen(self, what: str, client: str = "") -> Iterator[Screen]:
        """A screen for as long as a stream lives; RESOURCE_EXHAUSTED where there is none."""
        try:
            screen = self.screens.take(what, client)
        except ScreensExhausted as error:
            raise exhausted(str(error), "SCREENS") from None
        try:
            yield screen
        finally:
            self.screens.give_back(screen)

    @asynccontextmanager
    async def short_screen(self, what: str, client: str = "") -> AsyncIterator[Screen]:
        """A screen for one request; waits for one that is given back."""
        try:
            async with asyncio.timeout(self.settings.answer_seconds):
                screen = await self.screens.wait(what, client)
        except TimeoutError:
            try:
                screen = self.screens.take(what, client)
            except ScreensExhausted as error:
                raise exhausted(str(error), "SCREENS") from None
        try:
            yield screen
        finally:
            self.screens.give_back(screen)

    @contextmanager
    def unnumbered_order(self) -> Iterator[Callable[[], None]]:
        """An order on its way to its number; shutdown waits a little for it. Call what it yields once there is one."""
        self._unnumbered += 1
        pending = True

        def settled() -> None:
            nonlocal pending
            if pending:
                pending = False
                self._unnumbered -= 1
                if not self._unnumbered:
                    self._numbered.set()

        self._numbered.clear()
        try:
            yield settled
        finally:
            settled()

    async def aclose(self) -> None:
        """Refuse new requests, wait a little for orders that have no number yet, and end all streams."""
        self.closing = unavailable("the gateway is shutting down; reconnect when it is back", "SHUTTING_DOWN")
        if self._unnumbered:
            try:
                async with asyncio.timeout(self.settings.drain_seconds):
                    await self._numbered.wait()
            except TimeoutError:
                logger.warning("%d orders have no number yet; ask opt10075 and opt10076 for them", self._unnumbered)
        for inbox in tuple(self._inboxes):
            inbox.fail(self.closing)
        try:
            async with asyncio.timeout(self.settings.drain_seconds):
                if self._tasks:
                    await self._idle.wait()
                await self.clients.aclose()
                await self.apartment.settle(self.router.disconnect)
        except TimeoutError:
            logger.warning("%d requests have not ended, or the control's thread does not answer", self._tasks)
        self.apartment.close()
