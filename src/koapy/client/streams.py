"""Streams that stay open: real-time data, order events, condition searches, any events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.client import parse, requests
from koapy.client.plan import Source, done, streams
from koapy.client.session import chosen
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from koapy.client.parse import Event, Hit, OrderEvent, Tick
    from koapy.client.plan import Plan

TRADES = ("주식체결",)
"""What `realtime` gives unless it is told otherwise."""


class Streams:
    """Streams are iterators and context managers; `close` ends them at the server too, from any thread."""

    @streams
    def realtime(
        self, codes: str | Iterable[str], real_types: str | Iterable[str] = TRADES, *, fids: Iterable[int] = ()
    ) -> Plan[Source[Tick]]:
        """Real-time data of codes, until it is closed.

        Args:
            real_types: which kinds of ticks, with all their values. OpenAPI+ sends every kind of a code that it
                registers; the others are left out.
            fids: instead: ticks of any kind, with the values of these FIDs.
        """
        wanted = tuple(fids)
        kinds = frozenset() if wanted else frozenset(_several(real_types))

        def ticks(message: pb.ListenResponse) -> Iterator[Tick]:
            return parse.matching(parse.tick(message), kinds)

        return done(Source("RealCall", requests.real(_several(codes), wanted, kinds), ticks))

    @streams
    def order_events(self) -> Plan[Source[OrderEvent]]:
        """Every event of every order of this login, those of other programs too, until it is closed."""
        return done(Source("OrderListen", pb.ListenRequest(), parse.order_event))

    @streams
    def condition_stream(self, which: str | int) -> Plan[Source[Hit]]:
        """Codes that come into (I) or go out of (D) a condition search, first those that are in, until it is closed."""
        wanted = yield from chosen(which)
        return Source("ConditionCall", requests.condition(wanted.index, wanted.name, 1), parse.hits)

    @streams
    def listen(self, *names: str) -> Plan[Source[Event]]:
        """Events by their OpenAPI+ names (OnReceiveMsg, ...), with what can be read inside them, until it is closed."""
        return done(Source("Listen", pb.ListenRequest(slots=names), parse.event))


def _several(one_or_more: str | Iterable[str]) -> tuple[str, ...]:
    return (one_or_more,) if isinstance(one_or_more, str) else tuple(one_or_more)
