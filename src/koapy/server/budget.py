"""The bytes that may wait to be read by one client."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from koapy.server.feed import Cursor, Feed

UNBOUNDED = 2**63
TICKS_SHARE, WRITING_SHARE = 2, 4
"""Ticks that wait may fill one in so many of a client's bytes, those that its streams have begun to write one in
so many more, so that there is room for what must not be dropped."""


class Budget:
    """What waits for one client, in all of its streams together. Belongs to the loop."""

    __slots__ = ("_cursors", "_streams", "_writing", "held", "limit")

    def __init__(self, limit: int = UNBOUNDED) -> None:
        self.limit = limit
        self._writing = limit // WRITING_SHARE
        self.held = 0
        """Of all that is no tick."""
        self._cursors: dict[Feed, set[Cursor]] = {}
        self._streams = 0

    @property
    def share(self) -> int:
        """How many bytes each of the feeds that the client reads may keep for it."""
        return self.limit // TICKS_SHARE // max(1, len(self._cursors))

    @property
    def run_share(self) -> int:
        """How many bytes each of its streams may be writing."""
        return self._writing // max(1, self._streams)

    @property
    def waiting(self) -> int:
        """About how many bytes wait; ticks that several of the client's streams share count once."""
        ticks = sum(feed.waiting(min(cursor.at for cursor in cursors)) for feed, cursors in self._cursors.items())
        runs = {cursor.run for cursors in self._cursors.values() for cursor in cursors if cursor.run is not None}
        return self.held + ticks + sum(run.size for run in runs)

    @property
    def is_full(self) -> bool:
        """Whether there is room for nothing more."""
        # Ticks take no more than their share, so that they need not be looked at before the rest is full.
        return self.held >= self._writing and self.waiting >= self.limit

    def follow(self, feed: Feed, cursor: Cursor) -> None:
        """One more of the client's streams reads this feed."""
        self._cursors.setdefault(feed, set()).add(cursor)
        self._streams += 1
        self._tell()

    def leave(self, feed: Feed, cursor: Cursor) -> None:
        """One less."""
        own = self._cursors[feed]
        own.remove(cursor)
        self._streams -= 1
        if not own:
            del self._cursors[feed]
        self._tell()

    def _tell(self) -> None:
        for feed in self._cursors:
            feed.limits_changed()
