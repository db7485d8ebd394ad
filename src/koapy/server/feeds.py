"""Which feeds a tick goes to, found by its code and type, whatever the number of streams.

Streams come and go on the loop; ticks come on the control's thread. What a tick needs (which FIDs to read, whom to give
what) is worked out once for each code and type, and anew when somebody's wishes have changed.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from koapy.control.seam import Unread
from koapy.server import events
from koapy.server.feed import Cursor, Feed, serial_of
from koapy.server.pace import Pace
from koapy.server.reading import PRICE, TRADES
from koapy.server.returns import checked_text
from koapy.server.ticks import Lane, Run, Tick

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping

    from koapy.control.seam import Control
    from koapy.server.foresight import Foresight
    from koapy.server.inbox import Inbox
    from koapy.server.reading import View
    from koapy.server.ticks import Judge

EVERY = ""
"""In place of a code: every one."""
MOST_CODES, MOST_TYPES = 50_000, 256
"""Plans are kept for no more; a control that makes up codes and types must not fill the memory."""

Wish = tuple["View", Feed]
Choose = Callable[[str, Sequence[str]], Sequence[str]]


class Plan(NamedTuple):
    """What to do with a tick of one code and type."""

    fids: tuple[int, ...]
    """What to read."""
    lanes: tuple[tuple[Lane, Choose | None, tuple[Callable[[Tick], None], ...]], ...]
    """Who gets what: what chooses from raw data and values that are read, where that is not all of them; the feeds."""
    price: int | None
    """Which value is a traded price that somebody wants to know."""


class Feeds:
    """All feeds. Those who follow belong to the loop; `tick` runs on the control's thread."""

    def __init__(self, control: Control, post: Callable[..., None], judge: Judge, foresight: Foresight) -> None:
        self._control = control
        self._foresight = foresight
        self._post = post
        self._judge = judge
        self._read = getattr(control, "read_tick", None) or partial(_one_by_one, control)
        self._shared: dict[object, Feed] = {}
        self._wishes: dict[str, tuple[Wish, ...]] = {}
        self._plans: dict[str, dict[str, Plan]] = {}
        self.serial = 0
        """How many ticks there have been that somebody wanted; the newest one's number."""
        self.on_trade: Callable[[str, str], None] | None = None
        """Gets code and price of each trade that is read, on the control's thread; None where nobody needs prices."""

    @property
    def subscriptions(self) -> int:
        """How many streams want how many codes, added up; a wish for every code counts as one."""
        return sum(len(feed.cursors) for wishes in self._wishes.values() for _, feed in wishes)

    @contextmanager
    def follow(self, inbox: Inbox, wish: Mapping[str, View]) -> Iterator[None]:
        """Give the stream of `inbox` the ticks of these codes, each as its view shows them, while the block lasts.

        Streams with the same wish, that let as many ticks wait, treat and take them alike, share a feed.
        """
        inbox.ticks = self._join(inbox, wish)
        inbox.wake()  # who waits already does not wait for ticks
        try:
            yield
        finally:
            inbox.ticks.close()
            inbox.ticks = None

    async def change(
        self, inbox: Inbox, wish: Mapping[str, View], run: Callable[[Callable[[], int]], Awaitable[int]]
    ) -> None:
        """Give a stream that follows something the ticks of these codes instead, from one tick to the next.

        Waits until the stream has taken what came before the last change, so that one that does not read can change
        its wishes as often as it likes, and has no more than two feeds.

        Args:
            run: runs a function on the control's thread, where no tick is being given to anybody meanwhile.
        """
        if isinstance(inbox.ticks, Handover):
            await inbox.ticks.is_over.wait()
        after = self._join(inbox, wish)
        try:
            last = await run(lambda: self.serial)
            assert inbox.ticks is not None
            inbox.ticks = Handover(inbox.ticks, last, after)
            inbox.wake()  # who waits already waits for the one before
        except BaseException:
            after.close()
            raise

    def _join(self, inbox: Inbox, wish: Mapping[str, View]) -> Shared:
        key = (frozenset(wish.items()), inbox.capacity, inbox.overflow, inbox.takes_all)
        feed = self._shared.get(key)
        if feed is None:
            feed = self._shared[key] = self._feed(inbox)
            self._foresight.want(set(wish.values()))
            for code, view in wish.items():
                self._want(code, view, feed)
        return Shared(feed, inbox, partial(self._leave, key, feed, dict(wish)))

    def _leave(self, key: object, feed: Feed, wish: Mapping[str, View]) -> None:
        """Give a feed up that nobody reads any more."""
        if not feed.cursors:
            del self._shared[key]
            for code in wish:
                self._forget(code, feed)
            self._foresight.forget(set(wish.values()))

    def tick(self, code: str, real_type: str, raw: str) -> None:
        """Read a tick and give it to those who want it. Runs on the control's thread, inside the event.

        Raises:
            TypeError: one of the arguments is no text.
            Failure: a price that is wanted here is no text.
        """
        try:
            plan = self._plans[code][real_type]
        except (KeyError, TypeError):
            events.check("OnReceiveRealData", (code, real_type, raw))
            plan = self._planned(code, real_type)
        if not plan.lanes:
            return
        if raw.__class__ is not str:
            events.check("OnReceiveRealData", (code, real_type, raw))
        try:
            values = self._read(code, plan.fids) if plan.fids else ()
        except Unread:
            # It was on its way when the newest of them wished; theirs begin with the next one.
            self._give_in_part(plan, code, raw)
            return
        if plan.price is not None and self.on_trade is not None:
            self.on_trade(code, checked_text("GetCommRealData", values[plan.price]))
        self.serial = serial = self.serial + 1
        for lane, choose, feeds in plan.lanes:
            tick = Tick(serial, lane, raw, values if choose is None else choose(raw, values))
            for put in feeds:
                put(tick)

    def _give_in_part(self, plan: Plan, code: str, raw: str) -> None:
        """Give a tick to those all of whose FIDs the control has read."""
        values: dict[int, str] = {}
        for fid in plan.fids:
            with suppress(Unread):
                values[fid] = self._control.GetCommRealData(code, fid)
        self.serial += 1
        for lane, choose, feeds in plan.lanes:
            if lane.view.raw or values.keys() >= set(lane.fids):
                chosen = choose(raw, ()) if lane.view.raw and choose else [values[fid] for fid in lane.fids]
                for put in feeds:
                    put(Tick(self.serial, lane, raw, chosen))

    def followed(self, code: str) -> Iterator[Cursor]:
        """The streams that want ticks of a code, or of every one, by that wish. May be asked on any thread."""
        for _, feed in self._wishes.get(code, ()):
            yield from feed.cursors

    def _feed(self, inbox: Inbox) -> Feed:
        pace = Pace(asyncio.get_running_loop()) if inbox.takes_all else None
        return Feed(inbox.capacity, inbox.overflow, self._post, self._judge, pace)

    def _want(self, code: str, view: View, feed: Feed) -> None:
        self._wish(code, feed, ((view, feed),))

    def _forget(self, code: str, feed: Feed) -> None:
        self._wish(code, feed, ())

    def _wish(self, code: str, feed: Feed, own: tuple[Wish, ...]) -> None:
        """Put a feed's wish for a code in place of what it has wished before, at one go: no tick falls in between."""
        wishes = (*(each for each in self._wishes.get(code, ()) if each[1] is not feed), *own)
        if wishes:
            self._wishes[code] = wishes
        else:
            self._wishes.pop(code, None)
        # A slot that is planning meanwhile, with the wishes as they were, puts its plan where nobody looks any more.
        if code == EVERY:
            self._plans = {}
        else:
            self._plans.pop(code, None)

    def _planned(self, code: str, real_type: str) -> Plan:
        """What to do with such ticks from now on. Runs on the control's thread."""
        plans = self._plans
        if len(plans) >= MOST_CODES:
            plans = self._plans = {}
        # In its place before the wishes are looked at: when they change, it is taken out.
        of_code = plans.setdefault(code, {})
        if len(of_code) >= MOST_TYPES:
            of_code.clear()
        plan = of_code[real_type] = self._plan(code, real_type)
        return plan

    def _plan(self, code: str, real_type: str) -> Plan:
        by_view: dict[View, list[Feed]] = {}
        for each in dict.fromkeys((code, EVERY)):
            for view, feed in self._wishes.get(each, ()):
                if view.kinds is None or real_type in view.kinds:
                    by_view.setdefault(view, []).append(feed)
        if not by_view:
            return NOBODY
        lanes = [(Lane(code, real_type, view), tuple(feed.put for feed in feeds)) for view, feeds in by_view.items()]
        read = dict.fromkeys(fid for lane, _ in lanes if not lane.view.raw for fid in lane.fids)
        if wants_price := self.on_trade is not None and real_type in TRADES:
            read[PRICE] = None
        fids = tuple(read)
        price = fids.index(PRICE) if wants_price else None
        return Plan(fids, tuple((lane, _choice(lane, fids), feeds) for lane, feeds in lanes), price)


def _one_by_one(control: Control, code: str, fids: Sequence[int]) -> Sequence[str]:
    """As `read_tick` of a control that has one."""
    read = control.GetCommRealData
    return [read(code, fid) for fid in fids]


def _choice(lane: Lane, fids: Sequence[int]) -> Choose | None:
    """What chooses a lane's values from those that were read; None where it wants all of them."""
    if lane.view.raw:
        most = len(lane.names)  # another edition of the OCX sends fewer or more
        return lambda raw, values: raw.split("\t")[:most]
    if lane.fids == fids:
        return None
    where = tuple(fids.index(fid) for fid in lane.fids)
    return lambda raw, values: [values[at] for at in where]


NOBODY = Plan((), (), None)


class Shared(Cursor):
    """A cursor in a feed that is given up when the last stream has left it."""

    __slots__ = ("_left",)

    def __init__(self, feed: Feed, inbox: Inbox, left: Callable[[], None]) -> None:
        super().__init__(feed, inbox)
        self._left = left

    def close(self) -> None:
        """Read no more."""
        super().close()
        self._left()


class Handover:
    """A stream's way from one feed into another, between two ticks: none is missed and none comes twice.

    Args:
        before: what it reads up to a tick.
        last: the serial of that tick, at least: what `before` has been given until now is read there.
        after: what it reads behind it.
    """

    __slots__ = ("_after", "_before", "_last", "is_over")

    def __init__(self, before: Cursor | Handover, last: int, after: Cursor) -> None:
        self._before: Cursor | Handover | None = before
        # The stream may have taken ticks behind that one by now; all of them have been given to both.
        self._last = max(last, before.end())
        self._after = after
        self.is_over = asyncio.Event()
        """Whether all has been taken that came before."""

    @property
    def inbox(self) -> Inbox:
        """The stream's."""
        return self._after.inbox

    def close(self) -> None:
        """Read no more."""
        if self._before is not None:
            self._before.close()
        self._after.close()

    def wait(self) -> None:
        """As `Cursor.wait`; what it gets before it changes over is there already."""
        self._after.wait()

    def end(self) -> int:
        """The serial of the newest tick until now."""
        return max(self._after.end(), self._last)

    def take(self, until: int | None) -> Run | None:
        """As `Cursor.take`."""
        if self._before is not None:
            run = self._before.take(self._last if until is None else min(until, self._last))
            if run is not None or (until is not None and until < self._last):
                return run
            self._before.close()
            self._before = None
            self.is_over.set()
        while (run := self._after.take(until)) is not None:
            known = bisect_right(run.ticks, self._last, key=serial_of)
            if known < len(run.ticks):
                if self.inbox.ticks is self:
                    self.inbox.ticks = self._after
                return Run(run.ticks[known:]) if known else run
        return None
