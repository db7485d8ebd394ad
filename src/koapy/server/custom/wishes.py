"""Which events a handler wants at the moment."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from koapy.server.feeds import EVERY
from koapy.server.reading import View
from koapy.server.router import REAL_DATA, every_key

if TYPE_CHECKING:
    from types import TracebackType

    from koapy.server.inbox import Inbox
    from koapy.server.router import Router

BY_FID = View(fids=None, readable=False)
"""All FIDs of a tick's type by their numbers, as GetCommRealData is asked for them."""


class Wishes:
    """A handler's subscriptions; they end with the block."""

    def __init__(self, router: Router, inbox: Inbox) -> None:
        self._router = router
        self._inbox = inbox
        self._held: dict[str, ExitStack] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.become(frozenset())

    def become(self, names: frozenset[str]) -> None:
        """Have these events, and no others, put into the inbox from now on."""
        for name in self._held.keys() - names:
            self._held.pop(name).close()
        for name in names - self._held.keys():
            self._held[name] = self._subscribed(name)

    def _subscribed(self, name: str) -> ExitStack:
        held = ExitStack()
        if name == REAL_DATA:
            held.enter_context(self._router.feeds.follow(self._inbox, {EVERY: BY_FID}))
        else:
            held.enter_context(self._router.subscribe(self._inbox, [every_key(name)]))
        return held
