"""From a control's events to the streams that want them: by key, in time independent of the number of open streams.

The slots run on the control's thread: they read what can be read only there, once, make one immutable event of it and
hand it to the loop. Streams subscribe on the loop; the tables are replaced, never changed, so the slots need no lock.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from koapy.openapi.tr import is_tr
from koapy.server import reading
from koapy.server.events import (
    Event,
    EventConnect,
    ReceiveConditionVer,
    ReceiveMsg,
    ReceiveRealCondition,
    ReceiveRealData,
    ReceiveTrCondition,
    ReceiveTrData,
)
from koapy.server.inbox import Tick
from koapy.server.names import REMEMBERED

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from koapy.control.apartment import Apartment, Portal
    from koapy.control.screens import Screens
    from koapy.server.bidirectional import Gates
    from koapy.server.inbox import Inbox
    from koapy.server.names import Origin, RequestNames
    from koapy.server.reading import View

logger = logging.getLogger(__name__)

Key = tuple["Hashable", ...]

ORDER_FID, SCREEN_FID = 9203, 920
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


def real_key(code: str) -> Key:
    """Ticks of one code."""
    return ("real", code)


def every_key(event: str) -> Key:
    """Every event of one name."""
    return ("every", event)


PHASES: Key = ("phases",)
"""Phases of the trading day."""

ORDERS: Key = ("orders",)
"""Every order event of every order."""


class Router:
    """Subscriptions, and the slots that serve them."""

    def __init__(
        self, apartment: Apartment, portal: Portal, names: RequestNames, screens: Screens, gates: Gates
    ) -> None:
        self._apartment = apartment
        self._control = apartment.control
        self._portal = portal
        self._names = names
        self._screens = screens
        self._gates = gates
        self._inboxes: dict[Key, tuple[Inbox, ...]] = {}
        self._views: dict[Key, tuple[tuple[View, tuple[Inbox, ...]], ...]] = {}
        self._nesting = threading.local()
        self._slots: dict[str, Callable[..., None]] = {
            "OnReceiveTrData": self._on_tr_data,
            "OnReceiveRealData": self._on_real_data,
            "OnReceiveMsg": self._on_msg,
            "OnReceiveChejanData": self._on_chejan_data,
            "OnEventConnect": self._on_connect,
            "OnReceiveRealCondition": self._on_real_condition,
            "OnReceiveTrCondition": self._on_tr_condition,
            "OnReceiveConditionVer": self._on_condition_ver,
        }
        self.logins = 0
        """How often the connection has changed; what was true of one login may not be of the next."""
        self._unanswered: dict[str, None] = {}
        """Requests that have been sent and not been answered, oldest first."""
        self._connected: list[tuple[str, Callable[..., None]]] = []

    @property
    def subscriptions(self) -> int:
        """How many streams are subscribed to how many keys, added up."""
        views = sum(len(inboxes) for by_view in self._views.values() for _, inboxes in by_view)
        return sum(map(len, self._inboxes.values())) + views

    def sent(self, name: str) -> None:
        """A query of this name has been sent. Runs on the control's thread, before the call."""
        self._unanswered[name] = None
        if len(self._unanswered) > REMEMBERED:
            del self._unanswered[next(iter(self._unanswered))]

    def connect(self) -> None:
        """Connect the slots of the events that the control offers. Runs on the control's thread."""
        for name, slot in self._slots.items():
            signal = getattr(self._control, name, None)
            if signal is not None:
                guarded = self._guarded(name, slot)
                signal.connect(guarded)
                self._connected.append((name, guarded))

    def disconnect(self) -> None:
        """Take the slots back. Runs on the control's thread."""
        while self._connected:
            name, slot = self._connected.pop()
            getattr(self._control, name).disconnect(slot)

    @contextmanager
    def subscribe(self, inbox: Inbox, keys: Iterable[Key]) -> Iterator[None]:
        """Have the events of these keys put into `inbox` while the block lasts."""
        wanted = tuple(dict.fromkeys(keys))
        for key in wanted:
            self._inboxes[key] = (*self._inboxes.get(key, ()), inbox)
        try:
            yield
        finally:
            for key in wanted:
                _without(self._inboxes, key, inbox)

    def subscribe_ticks(self, inbox: Inbox, key: Key, view: View) -> None:
        """Have ticks put into `inbox` as `view` shows them; the key is a code's or every tick's."""
        by_view = dict(self._views.get(key, ()))
        by_view[view] = (*by_view.get(view, ()), inbox)
        self._views[key] = tuple(by_view.items())

    def unsubscribe_ticks(self, inbox: Inbox, key: Key, view: View) -> None:
        """The opposite of `subscribe_ticks`."""
        by_view = dict(self._views.get(key, ()))
        _without(by_view, view, inbox)
        if by_view:
            self._views[key] = tuple(by_view.items())
        else:
            self._views.pop(key, None)

    def _guarded(self, name: str, slot: Callable[..., None]) -> Callable[..., None]:
        """A slot that counts how deep events are nested and never throws into the control."""
        nesting = self._nesting

        def guarded(*args: Any) -> None:
            depth = getattr(nesting, "depth", 0)
            nesting.depth = depth + 1
            try:
                slot(*args)
            except Exception:
                logger.exception("%s%r could not be delivered", name, args[:4])
            finally:
                nesting.depth = depth

        return guarded

    def _publish(self, event: Event, *keys: Key) -> None:
        every = every_key(event.name)
        inboxes = dict.fromkeys(inbox for key in (*keys, every) for inbox in self._inboxes.get(key, ()))
        if inboxes:
            self._portal.post(_put, tuple(inboxes), event)

    def _wanted(self, name: str, *keys: Key) -> bool:
        return any(key in self._inboxes for key in (*keys, every_key(name)))

    def _hold(self, event: Event, owner: str | None, request: str = "") -> None:
        """Let clients that listen in both directions into the event; a nested event waits for nobody."""
        self._gates.hold(event, owner, request, wait=self._nesting.depth == 1)

    def _client_view(self, screen: str, request: str) -> tuple[str, str, Origin | None]:
        origin = self._names.origin(request)
        if origin is not None:
            return origin.screen or screen, origin.request, origin
        return self._screens.client_number(screen), request, None

    def _on_tr_data(self, screen: str, request: str, code: str, record: str, prev_next: str, *_: object) -> None:
        self._unanswered.pop(request, None)
        own_screen, own_request, origin = self._client_view(screen, request)
        keys: tuple[Key, ...] = (request_key(request),)
        owner = origin.owner if origin else None
        bare = ReceiveTrData(own_screen, own_request, code, record, prev_next)
        # An order's answer interests everybody who follows orders.
        is_order = not is_tr(code)
        if self._wanted("OnReceiveTrData", *keys) or (is_order and ORDERS in self._inboxes):
            single, multi = reading.tr_data(self._control, code, request, record)
            event = ReceiveTrData(own_screen, own_request, code, record, prev_next, single, multi)
            if is_order and event.order_number:
                self._names.ordered(event.order_number, own_screen)
                keys = (*keys, ORDERS)
            self._publish(event, *keys)
        self._hold(bare, owner, request)

    def _on_msg(self, screen: str, request: str, code: str, text: str) -> None:
        if not (screen or request or code) and self._unanswered:
            # "Fail to parse Request TR" names nobody; it comes within milliseconds, so it is the newest request's.
            request, _ = self._unanswered.popitem()
        own_screen, own_request, origin = self._client_view(screen, request)
        event = ReceiveMsg(own_screen, own_request, code, text)
        keys: tuple[Key, ...] = (request_key(request),)
        if not is_tr(code):
            keys = (*keys, ORDERS)
        self._publish(event, *keys)
        self._hold(event, origin.owner if origin else None, request)

    def _on_chejan_data(self, gubun: str, item_count: int, fid_list: str) -> None:
        event = reading.chejan(self._control, gubun, item_count, fid_list)
        if SCREEN_FID in event.by_fid:
            own = self._names.order_screen(event[ORDER_FID]) or self._screens.client_number(event[SCREEN_FID])
            event = event.with_value(SCREEN_FID, own)
        code = event[9001]
        # 9001 carries a prefix (A stock, J ELW, Q ETN) that the code of an order does not.
        keys = [order_key(event[9201], code)]
        if code[1:]:
            keys.append(order_key(event[9201], code[1:]))
        self._publish(event, *keys, ORDERS)
        self._hold(event, None)

    def _on_real_data(self, code: str, kind: str, raw: str) -> None:
        every = every_key("OnReceiveRealData")
        by_view = (*self._views.get(real_key(code), ()), *self._views.get(every, ()))
        tick: ReceiveRealData | None = None
        if by_view:
            tick = ReceiveRealData(code, kind, raw)
            reader = reading.Reader(self._control, tick)
            for view, inboxes in by_view:
                message = tick.with_values(*reader.values(view))
                self._portal.post(_put, inboxes, Tick(code, kind, message))
        if code == MARKET_HOURS and PHASES in self._inboxes:
            self._portal.post(_put, self._inboxes[PHASES], tick or ReceiveRealData(code, kind, raw))
        if self._gates.want("OnReceiveRealData"):
            self._hold(tick or ReceiveRealData(code, kind, raw), None)

    def _on_connect(self, code: int) -> None:
        self.logins += 1
        event = EventConnect(code)
        self._publish(event)
        self._hold(event, None)

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


def _put(inboxes: tuple[Inbox, ...], item: object) -> None:
    for inbox in inboxes:
        inbox.put(item)


def _without(table: dict[Any, tuple[Inbox, ...]], key: object, inbox: Inbox) -> None:
    """Take one entry of `inbox` out of the row; an empty row goes."""
    row = list(table.get(key, ()))
    if inbox in row:
        row.remove(inbox)
    if row:
        table[key] = tuple(row)
    else:
        table.pop(key, None)
