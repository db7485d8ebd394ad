"""The OpenAPI+ events of the simulated control."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from koapy.openapi.functions import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class Signal:
    """One event. Slots run on the control's thread, one at a time, in the order in which they were connected."""

    __slots__ = ("_slots", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        # A tuple that is replaced, never changed: a slot may connect and disconnect while the event is being told.
        self._slots: tuple[Callable[..., Any], ...] = ()

    def connect(self, slot: Callable[..., Any], /) -> None:
        """Have `slot` called with the event's arguments each time it occurs; connected twice, it is called twice."""
        self._slots = (*self._slots, slot)

    def disconnect(self, slot: Callable[..., Any], /) -> None:
        """Stop calling `slot`; one that is not connected is no error."""
        slots = list(self._slots)
        if slot in slots:
            slots.remove(slot)
        self._slots = tuple(slots)

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._slots)

    def __call__(self, *arguments: str | int) -> None:
        """Tell the event. What a slot raises is logged; the other slots still hear of it."""
        for slot in self._slots:
            try:
                slot(*arguments)
            except Exception:
                logger.exception("%s: a slot failed: %r", self.name, slot)


class Signals:
    """All events of OpenAPI+, each under its own name."""

    OnReceiveTrData: Signal
    OnReceiveRealData: Signal
    OnReceiveMsg: Signal
    OnReceiveChejanData: Signal
    OnEventConnect: Signal
    OnReceiveInvestRealData: Signal
    OnReceiveRealCondition: Signal
    OnReceiveTrCondition: Signal
    OnReceiveConditionVer: Signal

    def __init__(self) -> None:
        for name in EVENTS:
            setattr(self, name, Signal(name))
