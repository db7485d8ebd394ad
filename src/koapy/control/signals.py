"""An event of a control that is made of Python: those that live in another process, or play a recording."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.control.reads import Value

logger = logging.getLogger(__name__)


class Signal:
    """One event. Slots run on the control's thread, in the order in which they were connected."""

    def __init__(self, name: str) -> None:
        self._name = name
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

    def tell(self, *args: Value) -> None:
        """Call the slots. What one raises is logged; the others still hear of it."""
        for slot in self._slots:
            try:
                slot(*args)
            except Exception:
                logger.exception("%s: a slot failed: %r", self._name, slot)
