"""koapy.v1.Streams: ticks and events in batches, in one message all that has happened since the last one was taken.

Nothing waits for a batch to become large: what there is goes out, and while it goes out, more gathers. Where ticks come
faster than that, they are given the time to gather that `Pace` says.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from koapy.control.registrations import FIDS_PER_CALL
from koapy.openapi.realtype import UnknownRealType, real_type
from koapy.protocol import streams_pb2 as pb
from koapy.protocol import streams_pb2_grpc as pb_grpc
from koapy.server import batching, checks
from koapy.server.access import MARKET_DATA, require
from koapy.server.batching import LARGEST, Piece, Schemas
from koapy.server.clients import waits_for
from koapy.server.edge import rpc
from koapy.server.events import Event, EventConnect
from koapy.server.failure import Failure, invalid
from koapy.server.feeds import EVERY
from koapy.server.gaps import Gap, tell_gaps
from koapy.server.machines.endings import lost
from koapy.server.reading import View
from koapy.server.realtime import Ticks, fids_of, until_stopped
from koapy.server.router import REAL_DATA, every_key
from koapy.server.ticks import Run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence

    from koapy.server.core import Core
    from koapy.server.edge import Caller
    from koapy.server.inbox import Inbox
    from koapy.server.servicer import KiwoomOpenApiPlusServiceServicer

CONNECTION = "OnEventConnect"


class StreamsServicer(pb_grpc.StreamsServicer):
    """Serves koapy.v1.Streams over what another servicer has."""

    def __init__(self, servicer: KiwoomOpenApiPlusServiceServicer) -> None:
        self.core = servicer.core
        self._schemas = Schemas()

    @rpc
    async def Events(self, core: Core, request: AsyncIterator[pb.EventsRequest], caller: Caller) -> None:
        """Stream events by name and ticks of codes, in batches."""
        first = await anext(aiter(request))
        names = checks.events(first.slots) if first.slots else frozenset[str]()
        keys = [every_key(name) for name in (names | {CONNECTION}) - {REAL_DATA}]
        gaps = core.health.gap_count
        holders = waits_for(caller.client, names)
        with core.inbox(core.quotas.wanted(caller), holders) as inbox, core.router.subscribe(inbox, keys):
            inbox.takes_all = True
            codes = _Codes(core, caller, inbox, first, everything=REAL_DATA in names)
            batches = _Batches(inbox, self._schemas, names, codes.lost, raw=first.raw)
            try:
                added = await codes.wanted(first.add)
                with core.router.feeds.follow(inbox, codes.wish):
                    await codes.register(added)
                    await until_stopped(batches.forward(caller), codes.steer(request))
            finally:
                caller.tell_overflow(inbox)
                tell_gaps(core, caller, gaps)
                await codes.release()


class _Codes:
    """The codes whose ticks one stream wants."""

    def __init__(self, core: Core, caller: Caller, inbox: Inbox, first: pb.EventsRequest, *, everything: bool) -> None:
        self._core = core
        self._caller = caller
        self._inbox = inbox
        fids, kinds = fids_of(first.fids), tuple(dict.fromkeys(first.real_types))
        self._fids = fids or _fids_of_types(kinds)
        self._view = View(fids or None, readable=True, kinds=frozenset(kinds) or None)
        self._everything = everything
        self._registered = Ticks(core, caller, inbox)
        self._codes: dict[str, None] = {}

    @property
    def wish(self) -> Mapping[str, View]:
        """What the stream follows: these codes, or whatever ticks there are."""
        return {EVERY: self._view} if self._everything else dict.fromkeys(self._codes, self._view)

    async def wanted(self, codes: Sequence[str]) -> Sequence[str]:
        """Want these codes too; give them, each once."""
        if not codes:
            return ()
        self._core.functions.require("SetRealReg")
        await self._core.require_login()
        added = await self._registered.checked(codes)
        self._codes.update(dict.fromkeys(added))
        return added

    async def register(self, codes: Sequence[str]) -> None:
        """Have the control tick for these codes, which the stream follows."""
        if codes:
            await self._registered.register(codes, self._fids)

    async def steer(self, requests: AsyncIterator[pb.EventsRequest]) -> bool:
        """Add and remove codes as the client asks; its half-close does not end the stream."""
        async for request in requests:
            if request.slots or request.fids or request.real_types or request.raw:
                raise invalid("slots, fids, real_types and raw belong into the first request; open another stream")
            if not request.add and not request.remove:
                raise invalid("empty request; name codes in add or remove")
            if request.add:
                require(self._caller.principal, MARKET_DATA, "add")
            gone = [code for code in dict.fromkeys(request.remove) if code in self._codes]
            for code in gone:
                del self._codes[code]
            added = await self.wanted(request.add)
            if not self._everything:
                await self._registered.change(self.wish)
            if gone:
                await self._registered.remove(gone)
            await self.register(added)
        return False

    async def release(self) -> None:
        """Have the control tick for none of them any more."""
        await self._registered.remove(None)

    def lost(self, event: EventConnect) -> Failure | None:
        """What the stream ends with where the connection to OpenAPI+ is lost, and its codes with that."""
        return lost(event, "ask for the codes again after the next login") if self._codes else None


class _Batches:
    """The messages of one stream."""

    def __init__(
        self,
        inbox: Inbox,
        schemas: Schemas,
        names: frozenset[str],
        ending: Callable[[EventConnect], Failure | None],
        *,
        raw: bool,
    ) -> None:
        self._inbox = inbox
        self._schemas = schemas
        self._names = names
        self._ending = ending
        self._raw = raw
        self._told: set[int] = set()
        self._missed: Counter[str] = Counter()
        self._failure: Failure | None = None

    async def forward(self, caller: Caller) -> None:
        """Write what waits, as often as something does, until the stream ends."""
        write = await caller.ready(pb.EventBatch)
        while True:
            parts = self._gathered(await self._inbox.get())
            if parts:
                await write(parts[0] if len(parts) == 1 else b"".join(parts))
            if self._failure is not None:
                raise self._failure

    def _gathered(self, item: object) -> list[bytes]:
        """A message's parts: this item and what waits behind it, as long as it is not too much."""
        parts: list[bytes] = []
        size = 0
        while item is not None and self._failure is None:
            for part in self._parts(item):
                parts.append(part)
                size += len(part)
            if size >= LARGEST or isinstance(item, Gap):
                break
            try:
                item = self._inbox.get_nowait()
            except Failure as failure:  # after what has been gathered
                self._failure = failure
        if self._inbox.missed:
            missed = self._inbox.missed - self._missed
            if missed:
                self._missed += missed
                parts.append(batching.missed(missed))
        return parts

    def _parts(self, item: object) -> Iterator[bytes]:
        if isinstance(item, Run):
            for piece in self._pieces(item):
                for schema in piece.schemas:
                    if schema.number not in self._told:
                        self._told.add(schema.number)
                        yield schema.encoded
                yield piece.encoded
        elif isinstance(item, Event):
            if item.name in self._names:
                yield batching.event(item.encoded)
            if isinstance(item, EventConnect):
                self._failure = self._ending(item)
        elif isinstance(item, Gap):
            yield batching.gap(str(item))

    def _pieces(self, run: Run) -> tuple[Piece, ...]:
        """The run encoded, once for all streams that read the same feed and want the raw data alike."""
        if run.packed is None:
            run.packed = {}
        assert isinstance(run.packed, dict)
        pieces: tuple[Piece, ...] | None = run.packed.get(self._raw)
        if pieces is None:
            pieces = run.packed[self._raw] = tuple(self._schemas.pieces(run.ticks, raw=self._raw))
        return pieces


def _fids_of_types(kinds: Iterable[str]) -> tuple[int, ...]:
    """FIDs that register these real types; every type has a part in them."""
    try:
        lists = [real_type(name).fids for name in kinds]
    except UnknownRealType as unknown:
        raise invalid(str(unknown)) from None
    share = FIDS_PER_CALL // max(len(lists), 1)
    return tuple(dict.fromkeys(fid for fids in lists for fid in fids[:share]))
