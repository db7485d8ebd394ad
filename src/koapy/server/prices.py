"""Last traded prices, for the limits of risk: from ticks that pass anyway, else from opt10001.

Ticks are looked at only where some limit needs prices; then one more FID of each is read, and nothing is registered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import grpc

from koapy.openapi.tr import tr
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.driver import drive
from koapy.server.failure import Failure
from koapy.server.machines.transaction import Transaction
from koapy.server.router import every_key, request_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.server.core import Core
    from koapy.server.edge import Writer

logger = logging.getLogger(__name__)

CONNECTION = every_key("OnEventConnect")
QUERY, NAME, CODE = "opt10001", "현재가", "종목코드"
OWNER = "koapy"
"""Whose the query is: no client's, so that none is let into its answer."""

UNANSWERABLE = frozenset({grpc.StatusCode.ABORTED, grpc.StatusCode.UNIMPLEMENTED})
"""OpenAPI+ said no, or the control has no queries: there is no price, and asking again would change nothing."""


class LastPrices:
    """The last price of each code. `seen` runs on the control's thread, all else on the event loop."""

    def __init__(self, core: Core, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._core = core
        self._clock = clock
        self._known: dict[str, tuple[int, float]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    def seen(self, code: str, price: str) -> None:
        """Take the price of a trade whose tick is being read. Runs in the slot."""
        self._keep(code, price)

    async def last(self, code: str, caller: Writer) -> int | None:
        """The last price of `code` in won, not older than `Settings.price_seconds`; None where nobody tells.

        A query counts against the limit of TRs, in the caller's turn. None is made for a caller inside an event, which
        the control would have to leave first.

        Raises: Failure, where the query cannot start or is not answered.
        """
        # Orders of the same code that come together share one query. Codes have been checked, so the locks are few.
        async with self._asking.setdefault(code, asyncio.Lock()):
            if self._fresh(code) is None and self._core.gates.room(caller.client) is None:
                await self._ask(code, caller)
            return self._fresh(code)

    def _fresh(self, code: str) -> int | None:
        price, at = self._known.get(code, (None, 0.0))
        return price if self._clock() - at <= self._core.settings.price_seconds else None

    def _keep(self, code: str, text: str) -> None:
        # The sign tells whether it rose or fell.
        digits = text.strip().lstrip("+-")
        if digits.isdecimal() and int(digits):
            self._known[code] = int(digits), self._clock()

    async def _ask(self, code: str, caller: Writer) -> None:
        core, answer = self._core, _Answer(caller)
        name = core.names.issue(OWNER, "", NAME)
        try:
            with await core.short_screen("queries") as screen:
                machine = Transaction(tr(QUERY), QUERY, {CODE: code}, name, screen.number)
                with core.inbox() as inbox, core.router.subscribe(inbox, [request_key(name), CONNECTION]):
                    await drive(core, machine, inbox, answer)
        except Failure as failure:
            if failure.status not in UNANSWERABLE:
                raise
            logger.warning("no last price of %s: %s", code, failure.text)
        self._keep(code, answer.price)


class _Answer:
    """Keeps the price of an answer; asks in the turn and within the deadline of the order that needs it."""

    def __init__(self, caller: Writer) -> None:
        self._caller = caller
        self.price = ""

    @property
    def client(self) -> str:
        return self._caller.client

    @property
    def deadline(self) -> float | None:
        return self._caller.deadline

    async def will_wait(self, limit: str, seconds: float) -> None:
        await self._caller.will_wait(limit, seconds)

    async def write(self, message: object, /) -> None:
        assert isinstance(message, bytes)
        single = pb.ListenResponse.FromString(message).single_data
        self.price = dict(zip(single.names, single.values, strict=True)).get(NAME, "")
