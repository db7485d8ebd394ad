"""주식호가잔량 of one issue: ten levels a side, and what changed since the last time.

Of its 163 values a change of the book moves a few: levels are kept as they were told, and only what has moved is
written anew.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.model import Depth, Level

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

BOOK = "주식호가잔량"

_LEVELS = 10
_EMPTY = Depth((), (), 0, 0)
_NOTHING = Level(0, 0, 0)

_OF_OTHER_VENUES = "\t".join(["0"] * 20)  # 621 to 640
_LONE_BLANKS = " \t "  # 215 and 216, as recorded
_REST = "\t".join(["0"] * 38)  # 6066 to 6115
_NOT_NOW = " 0\t0\t3\t 0\t0.00"  # 291 to 295
_NO_AUCTION = ("-0\t0", f" 0\t0.00\t3\t{_NOT_NOW}", "0.00")

Auctions = tuple[tuple[int, int], tuple[int, int]]
_NOTHING_TRADED: Auctions = ((0, 0), (0, 0))


class BookWriter:
    """Writes the book of one issue on one day, always in the order of the real type.

    Args:
        base: reference price.
        previous_volume: shares traded on the day before.
    """

    __slots__ = ("_auctioned", "_auctions", "_base", "_depth", "_levels", "_moved", "_own", "_previous_volume")

    def __init__(self, base: int, previous_volume: int) -> None:
        self._base = base
        self._previous_volume = previous_volume
        self._depth = _EMPTY
        self._levels = ["-0\t0\t0"] * (2 * _LEVELS)
        """Price, quantity and its change: of the best ask, the best bid, the next ask, ..."""
        self._own = ["\t".join(["0"] * _LEVELS)] * 2
        """Quantities of asks and of bids on the exchange itself, where all of them are."""
        self._moved: list[tuple[int, Level]] = []
        """Where a change was told, which is told once."""
        self._auctions = _NOTHING_TRADED
        self._auctioned = _NO_AUCTION

    def text(self, depth: Depth, before: Depth | None, volume: int, auctions: Auctions, moment: datetime) -> str:
        """The event's raw data.

        Args:
            before: the book that changes are against; None: none are told.
            volume: of the day.
            auctions: price and quantity at which one would trade now, and those of the last one; (0, 0) for none.
        """
        if before is not self._depth:
            self._see(before or _EMPTY)
        self._see(depth)
        if auctions != self._auctions:
            self._auctions, self._auctioned = auctions, self._write_auction(*auctions)
        price, moved, growth = self._auctioned
        ask, bid = depth.total_ask, depth.total_bid
        asks, bids = self._own
        return "\t".join(
            (
                forms.clock(moment),
                *self._levels,
                str(ask),
                forms.delta(ask - before.total_ask if before else 0),
                str(bid),
                forms.delta(bid - before.total_bid if before else 0),
                price,
                forms.delta(bid - ask),
                forms.decimal(100 * bid, ask),
                forms.delta(ask - bid),
                forms.decimal(100 * ask, bid),
                moved,
                _OF_OTHER_VENUES,
                str(volume),
                growth,
                _LONE_BLANKS,
                asks,
                bids,
                str(ask),
                str(bid),
                _REST,
            )
        )

    def _see(self, depth: Depth) -> None:
        """Take a book over, and what is different from the one before."""
        for at, level in self._moved:
            self._levels[at] = self._write(level)
        self._moved.clear()
        self._side(0, depth.asks, self._depth.asks)
        self._side(1, depth.bids, self._depth.bids)
        self._depth = depth

    def _side(self, side: int, levels: Sequence[Level], before: Sequence[Level]) -> None:
        """Write the levels of one side that have changed; a price that was not seen before has no change."""
        if levels is before:
            return
        texts = self._levels[side::2]
        places: dict[int, int] | None = None
        for place, (now, old) in enumerate(zip_longest(levels, before, fillvalue=_NOTHING)):
            if now is old:
                continue
            at = 2 * place + side
            if now.price != old.price:
                if places is None:
                    places = {each.price: earlier for earlier, each in enumerate(before)}
                earlier = places.get(now.price, -1)
                old = before[earlier] if earlier >= 0 else now
                if now is old and earlier >= 0:  # its neighbours came or went: it stands elsewhere
                    self._levels[at] = texts[earlier]
                    continue
            self._levels[at] = self._write(now, now.quantity - old.quantity)
            if now.quantity != old.quantity:
                self._moved.append((at, now))
        blanks = ["0"] * (_LEVELS - len(levels))
        self._own[side] = "\t".join([str(each.quantity) for each in levels] + blanks)

    def _write(self, level: Level, moved: int = 0) -> str:
        """A level; one that is not there reads as -0."""
        price, quantity, _ = level
        base = self._base
        sign = " " if price == base else "+" if price > base else "-"
        return f"{sign}{price}\t{quantity}\t{moved:+d}" if moved else f"{sign}{price}\t{quantity}\t0"

    def _write_auction(self, now: tuple[int, int], last: tuple[int, int]) -> tuple[str, str, str]:
        """Price and quantity, how far the price has moved, and the quantity against the day before.

        In an auction this is where that would trade; afterwards a part of it goes on to say where the last one has.
        """
        price, quantity = now if now[0] else last
        if not price:
            return _NO_AUCTION
        base = self._base
        at = f"{forms.price(price, base)}\t{quantity}"
        move, sign = f"{forms.change(price - base)}\t{forms.percent(price - base, base)}", forms.sign(price, base)
        again = f"{at}\t{sign}\t{move}" if now[0] else _NOT_NOW
        return at, f"{move}\t{sign}\t{again}", forms.growth(quantity, self._previous_volume)
