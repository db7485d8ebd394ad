"""Streams that stay open: real-time data, order events, condition searches, any events."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from koapy.client import batches, parse, requests
from koapy.client.batches import Batch
from koapy.client.errors import InvalidArgument, Unimplemented
from koapy.client.plan import Ask, Source, done, streams, ticks
from koapy.client.session import chosen
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2 as gateway
from koapy.protocol import streams_pb2 as v1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from koapy.client.errors import KoapyError
    from koapy.client.parse import Event, Hit, OrderEvent, Tick
    from koapy.client.plan import Plan

T = TypeVar("T")

TRADES = ("주식체결",)
"""What `realtime` gives unless it is told otherwise."""


class Streams:
    """Streams are iterators and context managers; `close` ends them at the server too, from any thread.

    When the connection breaks they are opened again, for as long as the client tries (`reconnect`), and
    `interruptions` tells of it. Order events go on where they were; of the others, what was told meanwhile is lost.
    """

    @ticks
    def realtime(
        self, codes: str | Iterable[str], real_types: str | Iterable[str] = TRADES, *, fids: Iterable[int] = ()
    ) -> Plan[Source[Tick]]:
        """Real-time data of codes, until it is closed. Codes may be added and removed while it is open.

        Args:
            real_types: which kinds of ticks, with all their values. OpenAPI+ sends every kind of a code that it
                registers; the others are left out.
            fids: instead: ticks of any kind, with the values of these FIDs.
        """
        return done(_real(several(codes), real_types, fids, Batch.as_ticks))

    @ticks
    def realtime_batches(
        self, codes: str | Iterable[str], real_types: str | Iterable[str] = TRADES, *, fids: Iterable[int] = ()
    ) -> Plan[Source[Batch]]:
        """The same as batches: what came in one message, to be had as DataFrame, arrays or Arrow table.

        Batches are large when there is much to tell, and hold a single tick when there is not.
        """
        return done(_real(several(codes), real_types, fids, lambda batch: (batch,)))

    @streams
    def order_events(self, since: int | None = None, *, journal: str = "") -> Plan[Source[OrderEvent]]:
        """Every event of every order of this login, those of other programs too, until it is closed; each once.

        Args:
            since: the number of the first event that is wanted, as `event.sequence` of one that was read, plus 1;
                from now on unless given.
            journal: the journal that the number is of, `stream.journal`. Another one has other numbers and is
                refused: PreconditionFailed with the reason JOURNAL_CHANGED.

        A gateway that keeps no journal tells them too, from now on, and what it tells during an interruption is lost.
        Raises, when the stream is read: Unimplemented, for `since` where there is no journal.
        """
        if since is not None and since < 1:
            raise InvalidArgument(f"no event has the number {since}; they begin with 1")
        try:
            status = yield Ask("Status", gateway.StatusRequest(), repeatable=True)
        except Unimplemented:
            if since is not None:
                raise
            return Source("OrderListen", pb.ListenRequest(), parse.order_event)
        # Numbered from the start, so that a break before the first event loses nothing either.
        return _numbered(status.last_sequence + 1 if since is None else since, journal or status.journal)

    @streams
    def condition_stream(self, which: str | int) -> Plan[Source[Hit]]:
        """Codes that come into (I) or go out of (D) a condition search, first those that are in, until it is closed.

        After an interruption those that are in come again.
        """
        wanted = yield from chosen(which)
        return Source("ConditionCall", requests.condition(wanted.index, wanted.name, 1), parse.hits)

    @streams
    def listen(self, *names: str) -> Plan[Source[Event]]:
        """Events by their OpenAPI+ names (OnReceiveMsg, ...), with what can be read inside them, until it is closed."""
        return done(_listen(names, Batch.as_events))

    @streams
    def listen_batches(self, *names: str) -> Plan[Source[Batch]]:
        """The same as batches, in which ticks come column by column."""
        return done(_listen(names, lambda batch: (batch,)))


def _real(
    codes: tuple[str, ...],
    real_types: str | Iterable[str],
    fids: Iterable[int],
    items: Callable[[Batch], Iterable[T]],
) -> Source[T]:
    wanted = tuple(fids)
    kinds = frozenset() if wanted else frozenset(several(real_types))

    def otherwise(request: v1.EventsRequest) -> Source[T]:
        def told(message: pb.ListenResponse) -> Iterable[T]:
            batch = batches.single(message)
            return items(batch) if not kinds or batch.ticks[0].real_type in kinds else ()

        return Source("RealCall", requests.real(request.add, wanted, kinds), told)

    return _batched(requests.batched(codes, wanted, kinds), items, otherwise, more=True)


def _listen(names: tuple[str, ...], items: Callable[[Batch], Iterable[T]]) -> Source[T]:
    def otherwise(request: v1.EventsRequest) -> Source[T]:
        return Source("Listen", pb.ListenRequest(slots=names), lambda message: items(batches.single(message)))

    return _batched(v1.EventsRequest(slots=names, raw=True), items, otherwise, more=False)


def _batched(
    request: v1.EventsRequest,
    items: Callable[[Batch], Iterable[T]],
    otherwise: Callable[[v1.EventsRequest], Source[T]],
    *,
    more: bool,
) -> Source[T]:
    decoder = batches.Decoder()

    def told(message: v1.EventBatch) -> Iterable[T]:
        return items(decoder.batch(message))

    return Source("Events", request, told, more=more, otherwise=otherwise)


def _numbered(first: int, journal: str) -> Source[OrderEvent]:
    """Order events from a number on."""

    def again(error: KoapyError, sequence: int) -> Source[OrderEvent] | None:
        return None if error.reason == "JOURNAL_CHANGED" else _numbered(sequence + 1, journal)

    request = gateway.OrderEventsRequest(from_sequence=first, journal=journal)
    return Source(
        *("OrderEvents", request, parse.journal_event),
        again=again,
        sequence=first - 1,
        ascending=True,
        journal=journal,
    )


def several(one_or_more: str | Iterable[str]) -> tuple[str, ...]:
    """One text, or many, as many."""
    return (one_or_more,) if isinstance(one_or_more, str) else tuple(one_or_more)
