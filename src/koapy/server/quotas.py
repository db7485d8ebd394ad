"""How much one client may have open at once: streams, requests, and bytes that wait to be read.

A client is who it has shown to be, over all of its connections; where nobody has to show anything, a connection.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from koapy.server.access import LOCAL
from koapy.server.budget import Budget
from koapy.server.failure import exhausted, invalid
from koapy.server.feed import Overflow
from koapy.server.inbox import Inbox

if TYPE_CHECKING:
    from koapy.server.edge import Caller
    from koapy.server.settings import Settings

OVERFLOW, QUEUE = "koapy-overflow", "koapy-queue"
"""Call metadata of real-time streams: what becomes of ticks when too many wait, and how many messages may wait."""

REQUESTS = frozenset(
    {
        *("Call", "LoginCall", "TransactionCall", "LoadConditionCall", "SetLogLevel"),
        *("Orders", "Halt", "Release", "Status"),
    }
)
"""RPCs that end by themselves; all others count as streams."""

IDLE_ACCOUNTS = 1_000
"""Clients without an RPC that are remembered, because the next one often comes at once."""


class Places:
    """The RPCs of one kind that a client has open; each holds a place by `with`, in a task of its own."""

    __slots__ = ("_account", "open")

    def __init__(self, account: _Account) -> None:
        self._account = account
        self.open = 0

    def __enter__(self) -> None:
        self.open += 1
        _current.set(self._account)

    def __exit__(self, *_: object) -> None:
        self.open -= 1


class _Account:
    """What one client has open."""

    __slots__ = ("budget", "requests", "streams")

    def __init__(self, limit: int) -> None:
        self.budget = Budget(limit)
        self.requests = Places(self)
        self.streams = Places(self)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is open."""
        return not self.requests.open and not self.streams.open


class Queue(NamedTuple):
    """How a stream's inbox is made."""

    capacity: int
    overflow: Overflow = Overflow.CONFLATE


class Quotas:
    """What each client has open. Belongs to the event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._accounts: dict[str, _Account] = {}
        self._most = IDLE_ACCOUNTS

    @property
    def waiting(self) -> int:
        """Bytes that wait to be read, for all clients together; what several of them share counts for each."""
        return sum(account.budget.waiting for account in self._accounts.values())

    def admit(self, caller: Caller, *, is_request: bool) -> Places:
        """Where one more RPC of this client has its place; the inboxes that are made in there are the client's.

        Raises:
            Failure: RESOURCE_EXHAUSTED, the client has as many open as it may.
        """
        name = caller.client if caller.principal is LOCAL else caller.principal.name
        account = self._accounts.get(name) or self._opened(name)
        places = account.requests if is_request else account.streams
        limit = self.settings.client_requests if is_request else self.settings.client_streams
        if places.open >= limit:
            kind = "requests" if is_request else "streams"
            text = f"this client has {places.open} {kind} open, and may have {limit}; end some first"
            raise exhausted(text, f"CLIENT_{kind.upper()}", limit=str(limit), held=str(places.open))
        return places

    def _opened(self, name: str) -> _Account:
        """The account of a client that has none; of those without anything open no more than a number is kept."""
        if len(self._accounts) >= self._most:
            self._accounts = {each: account for each, account in self._accounts.items() if not account.is_idle}
            self._most = len(self._accounts) + IDLE_ACCOUNTS
        account = self._accounts[name] = _Account(self.settings.client_bytes)
        return account

    def inbox(self, among: set[Inbox], queue: Queue | None = None) -> Inbox:
        """An inbox of the client whose RPC this is; the gateway's own where it is none's. `among`: as `Inbox` says."""
        queue = queue or Queue(self.settings.queue)
        account = _current.get()
        return Inbox(queue.capacity, queue.overflow, account.budget if account is not None else None, among)

    def wanted(self, caller: Caller) -> Queue:
        """The queue that a real-time stream asks for in its metadata.

        Raises:
            Failure: INVALID_ARGUMENT that says what would be right.
        """
        overflow, size = caller.metadata(OVERFLOW), caller.metadata(QUEUE)
        most = self.settings.queue
        if overflow is not None and overflow not in set(Overflow):
            raise invalid(f"{OVERFLOW} {overflow!r}: {' or '.join(Overflow)}")
        if size is not None and not (size.isascii() and size.isdigit() and len(size) < 10 and 1 <= int(size) <= most):
            raise invalid(f"{QUEUE} {size!r}: messages that may wait, 1 to {most}")
        return Queue(int(size) if size else most, Overflow(overflow) if overflow else Overflow.CONFLATE)


_current: ContextVar[_Account | None] = ContextVar("_current", default=None)
