"""From a control's events to the streams that want them: by key, in time independent of the number of open streams.

The slots run on the control's thread: they read what can be read only there, once, make one immutable event of it and
hand it to the loop. Streams subscribe on the loop; the tables are replaced, never changed, so the slots need no lock.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.openapi.tr import is_tr
from koapy.server import events, reading
from koapy.server.events import (
    Event,
    EventConnect,
    ReceiveChejanData,
    ReceiveConditionVer,
    ReceiveMsg,
    ReceiveRealCondition,
    ReceiveRealData,
    ReceiveTrCondition,
    ReceiveTrData,
)
from koapy.server.failure import unreadable
from koapy.server.feeds import EVERY, Feeds
from koapy.server.foresight import Foresight
from koapy.server.recording import plain_code, recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from koapy.control.apartment import Apartment, Portal
    from koapy.control.screens import Screens
    from koapy.orders.journal import Journal
    from koapy.server.bidirectional import Gates
    from koapy.server.failure import Failure
    from koapy.server.inbox import Inbox
    from koapy.server.names import Origin, RequestNames
    from koapy.server.recording import OrderRelated
    from koapy.server.unanswered import Unanswered

logger = logging.getLogger(__name__)

Key = tuple["Hashable", ...]

REAL_DATA = "OnReceiveRealData"
ORDER_FID, SCREEN_FID, ACCOUNT_FID, CODE_FID = 9203, 920, 9201, 9001
MARKET_HOURS = "09"
"""The code under which 장시작시간 comes."""


def request_key(name: str) -> Key:
    """The answers and messages of one request, by its name at the control."""
    return ("request", name)


def screen_key(screen: str) -> Key:
    """Condition lists of one screen at the control."""
    return ("screen", screen)


def condition_key(index: int, name: str) -> Key:
    """Real-time signals of one condition."""
    return ("condition", index, name)


def order_key(account: str, code: str) -> Key:
    """Order and balance events of one account and code; the code without its prefix."""
    return ("order", account, code)


def every_key(event: str) -> Key:
    """Every event of one name."""
    return ("every", event)


PHASES: Key = ("phases",)
"""Phases of the trading day."""

ORDERS: Key = ("orders",)
"""Every order event of every order."""


class Subscription:
    """A stream's place among those that get the events of some keys, while its block lasts."""

    __slots__ = ("_inbox", "_keys", "_table")

    def __init__(self, table: dict[Key, tuple[Inbox, ...]], inbox: Inbox, keys: tuple[Key, ...]) -> None:
        self._table = table
        self._inbox = inbox
        self._keys = keys

    def __enter__(self) -> None:
        table = self._table
        for key in self._keys:
            table[key] = (*table.get(key, ()), self._inbox)

    def __exit__(self, *_: object) -> None:
        table = self._table
        for key in self._keys:
            row = table[key]
            at = row.index(self._inbox)
            # In one step: the control's thread may be looking.
            if len(row) > 1:
                table[key] = row[:at] + row[at + 1 :]
            else:
                del table[key]


class Router:
    """Subscriptions, and the slots that serve them."""

    def __init__(
        self,
        apartment: Apartment,
        portal: Portal,
        names: RequestNames,
        screens: Screens,
        gates: Gates,
        journal: Journal,
        unanswered: Unanswered,
    ) -> None:
        self._apartment = apartment
        self._control = apartment.control
        self._portal = portal
        self._names = names
        self._screens = screens
        self._gates = gates
        self._journal = journal
        self._unanswered = unanswered
        self._inboxes: dict[Key, tuple[Inbox, ...]] = {}
        self.foresight = Foresight(apartment.control)
        """What is to be read inside events."""
        self.feeds = Feeds(apartment.control, portal.post, partial(self._unreadable, REAL_DATA), self.foresight)
        """The ways of ticks."""
        self._nesting = threading.local()
        self._slots: dict[str, Callable[..., None]] = {
            "OnReceiveTrData": self._on_tr_data,
            "OnReceiveMsg": self._on_msg,
            "OnReceiveChejanData": self._on_chejan_data,
            "OnEventConnect": self._on_connect,
            "OnReceiveRealCondition": self._on_real_condition,
            "OnReceiveTrCondition": self._on_tr_condition,
            "OnReceiveConditionVer": self._on_condition_ver,
        }
        self.when_missed: Callable[[], None] | None = None
        """Told on the loop that an order event could not be read, so that nobody knows how its order stands."""
        self.when_answered: Callable[[int], None] | None = None
        """Told on the loop, by its id, that the answer to an order has come."""
        self.when_connected: Callable[[int], None] | None = None
        """Told of each OnEventConnect, on the loop, before the streams are."""
        self.logins = 0
        """How often the connection has changed; what was true of one login may not be of the next."""
        self._connected: list[tuple[str, Callable[..., None]]] = []

    @property
    def subscriptions(self) -> int:
        """How many streams are subscribed to how many keys, added up."""
        return sum(map(len, self._inboxes.values())) + self.feeds.subscriptions

    def order_inboxes(self) -> set[Inbox]:
        """Those of the streams that follow orders."""
        names = {"order", ORDERS[0]}
        return {inbox for key, inboxes in self._inboxes.items() if key[0] in names for inbox in inboxes}

    def connect(self) -> None:
        """Connect the slots of the events that the control offers. Runs on the control's thread."""
        slots = {name: self._guarded(name, slot) for name, slot in self._slots.items()}
        for name, slot in (slots | {REAL_DATA: self._tick_slot()}).items():
            signal = getattr(self._control, name, None)
            if signal is not None:
                signal.connect(slot)
                self._connected.append((name, slot))

    def disconnect(self) -> None:
        """Take the slots back. Runs on the control's thread."""
        while self._connected:
            name, slot = self._connected.pop()
            getattr(self._control, name).disconnect(slot)

    def subscribe(self, inbox: Inbox, keys: Iterable[Key]) -> Subscription:
        """Have the events of these keys put into `inbox` while the block of a `with` statement lasts."""
        return Subscription(self._inboxes, inbox, tuple(dict.fromkeys(keys)))

    def _guarded(self, name: str, slot: Callable[..., None]) -> Callable[..., None]:
        """A slot that counts how deep events are nested and never throws into the control.

        An event that cannot be read ends the streams that it was for: they are not to miss one without being told.
        """
        nesting = self._nesting

        def guarded(*args: Any) -> None:
            depth = getattr(nesting, "depth", 0)
            nesting.depth = depth + 1
            try:
                events.check(name, args)
                slot(*args)
            except (Exception, SystemExit) as error:  # an exit of the control's is no exit of the gateway's
                self._lose(name, args, error)
            finally:
                nesting.depth = depth

        return guarded

    def _tick_slot(self) -> Callable[..., None]:
        """The slot of ticks: guarded as the others are, and made for many of them."""
        give, wants, hold = self.feeds.tick, self._gates.want, self._guarded(REAL_DATA, self._hold_tick)

        def guarded(code: Any = None, kind: Any = None, raw: Any = None, *_: object) -> None:
            try:
                give(code, kind, raw)
            except (Exception, SystemExit) as error:
                self._lose(REAL_DATA, (code, kind, raw), error)
            else:
                if code == MARKET_HOURS and PHASES in self._inboxes:
                    # After the order events that came before it: an order that it ends must have had them.
                    self._post_in_turn(self._deliver_phase, ReceiveRealData(code, kind, raw))
                if wants(REAL_DATA):
                    hold(code, kind, raw)

        return guarded

    def _hold_tick(self, code: str, kind: str, raw: str) -> None:
        self._hold(ReceiveRealData(code, kind, raw), None)

    def _lose(self, name: str, args: tuple[Any, ...], error: BaseException) -> None:
        """End the streams that an event was for that cannot be read."""
        failure = self._unreadable(name, error)
        if name == "OnReceiveChejanData" and self.when_missed is not None:
            self._portal.post(self.when_missed)
        for inbox in self._concerned(name, args):
            self._portal.post(inbox.fail, failure)

    def _unreadable(self, name: str, error: BaseException) -> Failure:
        passwords = self._apartment.passwords
        logger.error("%s could not be delivered\n%s", name, passwords.trace(error))
        return unreadable(name, error, passwords)

    def _concerned(self, name: str, args: tuple[Any, ...]) -> Iterable[Inbox]:
        """The streams that an event may have been for, by what of its arguments can be understood."""
        keys: list[Key] = [every_key(name)]
        match name, args:
            case (("OnReceiveTrData" | "OnReceiveMsg"), (_, request, *_)):
                keys += [request_key(request), ORDERS]
            case "OnReceiveChejanData", _:
                # Whose order it was is what could not be read.
                keys += [ORDERS, *(key for key in tuple(self._inboxes) if key[0] == "order")]
            case "OnReceiveRealData", _:
                yield from self._concerned_by_tick(args)
            case "OnReceiveTrCondition", (screen, *_):
                keys += [screen_key(screen)]
            case "OnReceiveRealCondition", _:
                keys += [key for key in tuple(self._inboxes) if key[0] == "condition"]
        for key in keys:
            try:
                yield from self._inboxes.get(key, ())
            except TypeError:  # what should have been a text cannot be a key
                continue

    def _concerned_by_tick(self, args: tuple[Any, ...]) -> Iterable[Inbox]:
        code = args[0] if args and isinstance(args[0], str) else EVERY
        for each in {code, EVERY}:
            yield from (cursor.inbox for cursor in self.feeds.followed(each))

    def _publish(self, event: Event, *keys: Key) -> None:
        inboxes = self._wanting(event, keys)
        if inboxes:
            self._portal.post(_put, inboxes, event, self.feeds.serial)

    def _wanting(self, event: Event, keys: tuple[Key, ...]) -> tuple[Inbox, ...]:
        """The streams that are subscribed to any of these keys or to all events of its name, each of them once."""
        table = self._inboxes
        found = [row for key in (*keys, every_key(event.name)) if (row := table.get(key)) is not None]
        if len(found) == 1 and len(found[0]) == 1:
            return found[0]
        return tuple(dict.fromkeys(inbox for row in found for inbox in row))

    def told(self, event: OrderRelated, request: str, *keys: Key) -> None:
        """Publish an event about orders when it is in the journal. Runs on the control's thread.

        Who gets it is decided when it is passed on, so that a stream that reads the journal first and then
        subscribes, or the other way round, misses nothing. `request` is the name at the control of what it answers.
        """
        event = event.numbered(self._journal.last_sequence + 1, datetime.now(KST))
        deliver = partial(self._portal.post, self._deliver_of_order, event, keys, self.feeds.serial)
        self._journal.event(recorded(event, request), deliver)

    def _deliver_of_order(self, event: OrderRelated, keys: tuple[Key, ...], after: int, order_id: int) -> None:
        if order_id and self.when_answered is not None and isinstance(event, ReceiveTrData):
            self.when_answered(order_id)
        if ORDERS in self._inboxes:  # who follows all orders is told which one it is
            event, keys = event.of_order(order_id), (*keys, ORDERS)
        self._deliver(event, keys, after)

    def tell(self, event: Event, *keys: Key) -> None:
        """Give the streams of these keys an event of the gateway's own. Belongs to the loop."""
        self._deliver(event, keys, self.feeds.serial)

    def _deliver(self, event: Event, keys: tuple[Key, ...], after: int) -> None:
        _put(self._wanting(event, keys), event, after)

    def _deliver_phase(self, event: Event) -> None:
        _put(self._inboxes.get(PHASES, ()), event, self.feeds.serial)

    def _post_in_turn(self, function: Callable[..., object], *args: object) -> None:
        """As `Portal.post`, but not before the journal has taken what the control has told until now."""
        self._journal.after(partial(self._portal.post, function, *args))

    def _wanted(self, name: str, *keys: Key) -> bool:
        return any(key in self._inboxes for key in (*keys, every_key(name)))

    def _hold(
        self, event: Event, owner: str | None, request: str = "", post: Callable[..., object] | None = None
    ) -> None:
        """Let clients that listen in both directions into the event; a nested event waits for nobody."""
        if not self._gates.want(event.name):
            return
        if not self.foresight.waits:  # it was on its way when the first of them began to listen
            return
        # What the disk does not take is offered when it does; the control does not wait for that.
        wait = self._nesting.depth == 1 and (post is None or self._journal.trouble is None)
        self._gates.hold(event, owner, request, wait=wait, post=post or self._portal.post)

    def _client_view(self, screen: str, request: str) -> tuple[str, str, Origin | None]:
        origin = self._names.origin(request)
        if origin is not None:
            return origin.screen or screen, origin.request, origin
        return self._screens.client_number(screen), request, None

    def _on_tr_data(self, screen: str, request: str, code: str, record: str, prev_next: str, *_: object) -> None:
        self._unanswered.answered(request)
        own_screen, own_request, origin = self._client_view(screen, request)
        key = request_key(request)
        owner = origin.owner if origin else None
        head = (own_screen, own_request, code, record, prev_next)
        if not is_tr(code):
            event = ReceiveTrData(*head, *reading.tr_data(self._control, code, request, record))
            if event.order_number:
                self._names.ordered(event.order_number, own_screen)
            self.told(event, request, key)
            self._hold(event, owner, request, self._post_in_turn)
            return
        if self._wanted("OnReceiveTrData", key):
            read = reading.tr_data(self._control, code, request, record)
            self._publish(ReceiveTrData(*head, *read), key)
        self._hold(ReceiveTrData(*head), owner, request)

    def _on_msg(self, screen: str, request: str, code: str, text: str) -> None:
        if not (screen or request or code):  # "Fail to parse Request TR" names nobody
            request = self._unanswered.refused()
        own_screen, own_request, origin = self._client_view(screen, request)
        event = ReceiveMsg(own_screen, own_request, code, text)
        owner = origin.owner if origin else None
        if is_tr(code):
            self._publish(event, request_key(request))
            self._hold(event, owner, request)
        else:
            self.told(event, request, request_key(request))
            self._hold(event, owner, request, self._post_in_turn)

    def _on_chejan_data(self, gubun: str, item_count: int, fid_list: str) -> None:
        names, read = reading.chejan(self._control, fid_list)
        if (screen := read.get(SCREEN_FID)) is not None:
            own = self._names.order_screen(read.get(ORDER_FID, ""))
            read[SCREEN_FID] = own or self._screens.client_number(screen)
        event = ReceiveChejanData(gubun, item_count, fid_list, names, read)
        self.told(event, "", order_key(event[ACCOUNT_FID], plain_code(event[CODE_FID])))
        self._hold(event, None, "", self._post_in_turn)

    def _on_connect(self, code: int) -> None:
        self.logins += 1
        event = EventConnect(code, change=self.logins)
        if self.when_connected is not None:
            self._post_in_turn(self.when_connected, code)
        # After the order events that came before it: a stream that ends with the connection has had them.
        self._post_in_turn(self._deliver, event, (), self.feeds.serial)
        self._hold(event, None, "", self._post_in_turn)

    def _on_real_condition(self, code: str, kind: str, name: str, index: str) -> None:
        event = ReceiveRealCondition(code, kind, name, index)
        self._publish(event, condition_key(int(index), name))
        self._hold(event, None)

    def _on_tr_condition(self, screen: str, codes: str, name: str, index: int, following: int) -> None:
        event = ReceiveTrCondition(self._screens.client_number(screen), codes, name, index, following)
        self._publish(event, screen_key(screen))
        self._hold(event, None)

    def _on_condition_ver(self, code: int, text: str) -> None:
        event = ReceiveConditionVer(code, text)
        self._publish(event)
        self._hold(event, None)


def _put(inboxes: tuple[Inbox, ...], event: Event, after: int) -> None:
    for inbox in inboxes:
        inbox.put(event, after)
