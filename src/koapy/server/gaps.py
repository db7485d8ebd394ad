"""Times in which a stream may have missed something, and how the streams that have outlived them are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from datetime import datetime

    from koapy.server.core import Core
    from koapy.server.edge import Caller

GAPS = "koapy-gaps"
"""Trailing metadata: all gaps of a stream's life, joined by commas."""


class Gap(NamedTuple):
    """A time without a connection to OpenAPI+, and until all was registered anew, in Korean time.

    It waits in the inboxes of streams in its place between what came before and what came after.
    """

    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.since.isoformat(timespec='seconds')}/{self.until.isoformat(timespec='seconds')}"


class Notice:
    """What one stream's next message says besides: a message cannot be empty for clients that know of no gaps."""

    __slots__ = ("_encoded",)

    def __init__(self) -> None:
        self._encoded = b""

    def take(self, gap: Gap) -> None:
        """This is to be told."""
        self._encoded += pb.ListenResponse(gaps=[str(gap)]).SerializeToString()

    def put_on(self, encoded: bytes) -> bytes:
        """A message, with all that is to be told."""
        if not self._encoded:
            return encoded
        told, self._encoded = self._encoded + encoded, b""
        return told


def tell_gaps(core: Core, caller: Caller, known: int) -> None:
    """Tell, as the stream ends, all gaps but the first `known`, which were before it."""
    if since := core.health.gaps_since(known):
        caller.tell(GAPS, ",".join(map(str, since)))
