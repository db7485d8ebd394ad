"""How much one client may have open at once: streams, requests, and bytes that wait to be read.

A client is who it has shown to be, over all of its connections; where nobody has to show anything, a connection.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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


@dataclass(slots=True)
class _Account:
    """What one client has open."""

    name: str
    budget: Budget
    streams: int = 0
    requests: int = 0


class Admission:
    """One RPC's place among those of its client, while its block lasts."""

    __slots__ = ("_account", "_accounts", "_requests", "_token")

    def __init__(self, accounts: dict[str, _Account], account: _Account, requests: int) -> None:
        self._accounts = accounts
        self._account = account
        self._requests = requests

    def __enter__(self) -> None:
        account = self._account
        account.requests += self._requests
        account.streams += 1 - self._requests
        self._token = _current.set(account)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
        account = self._account
        account.requests -= self._requests
        account.streams -= 1 - self._requests
        if not account.streams and not account.requests:
            self._accounts.pop(account.name, None)


@dataclass(frozen=True, slots=True)
class Queue:
    """How a stream's inbox is made."""

    capacity: int
    overflow: Overflow = Overflow.CONFLATE


@dataclass(slots=True)
class Quotas:
    """What each client has open. Belongs to the event loop."""

    settings: Settings
    _accounts: dict[str, _Account] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Bytes that wait to be read, for all clients together; what several of them share counts for each."""
        return sum(account.budget.waiting for account in self._accounts.values())

    def admit(self, caller: Caller, method: str) -> Admission:
        """One RPC of this client, for a `with` statement; the inboxes made in the block are the client's.

        Raises:
            Failure: RESOURCE_EXHAUSTED, the client has as many open as it may.
        """
        name = caller.client if caller.principal is LOCAL else caller.principal.name
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = _Account(name, Budget(self.settings.client_bytes))
        if method in REQUESTS:
            limit, held, kind = self.settings.client_requests, account.requests, "requests"
        else:
            limit, held, kind = self.settings.client_streams, account.streams, "streams"
        if held >= limit:
            text = f"this client has {held} {kind} open, and may have {limit}; end some first"
            raise exhausted(text, f"CLIENT_{kind.upper()}", limit=str(limit), held=str(held))
        return Admission(self._accounts, account, 1 if kind == "requests" else 0)

    def inbox(self, queue: Queue | None = None) -> Inbox:
        """An inbox of the client whose RPC this is; the gateway's own where it is none's."""
        queue = queue or Queue(self.settings.queue)
        account = _current.get()
        return Inbox(queue.capacity, queue.overflow, account.budget if account is not None else None)

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
