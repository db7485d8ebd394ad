"""What is foreseen to be read inside events, for a control that reads ahead because each way to it costs.

Such a control has ``read_ahead(fids, held)`` and ``waits``; any other is read when its events are there.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from koapy.control.seam import OTHERS
from koapy.openapi.realtype import real_types
from koapy.server.reading import View

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable

    from koapy.control.seam import Control


class Foresight:
    """What streams want of ticks, and the events in which clients read; told to the control as it changes.

    Belongs to the event loop, but for `waits`. What is no longer wanted is read no longer.
    """

    def __init__(self, control: Control) -> None:
        self._control: Any = control
        self._tell = getattr(control, "read_ahead", None)
        self._views = Counter[View]()
        self._held = Counter[str]()
        self._told_anew()

    @property
    def waits(self) -> bool:
        """Whether the control waits in the event that it is telling. On the control's thread."""
        return self._tell is None or self._control.waits

    def want(self, views: Collection[View], held: Collection[str] = ()) -> None:
        """Ticks are to be read as these views show them, and clients let into these events, until `forget`."""
        if _added(self._views, views) | _added(self._held, held):
            self._told_anew()

    def forget(self, views: Collection[View], held: Collection[str] = ()) -> None:
        """What `want` was given is wanted once less."""
        if _taken(self._views, views) | _taken(self._held, held):
            self._told_anew()

    def _told_anew(self) -> None:
        if self._tell is not None:
            self._tell(_fids(self._views), tuple(self._held))


def _added(counts: Counter[Any], given: Iterable[Hashable]) -> bool:
    before = len(counts)
    counts.update(given)
    return len(counts) > before


def _taken(counts: Counter[Any], given: Iterable[Hashable]) -> bool:
    before = len(counts)
    counts.subtract(given)
    for each in [each for each, count in counts.items() if count <= 0]:
        del counts[each]
    return len(counts) < before


def _fids(views: Iterable[View]) -> dict[str, tuple[int, ...]]:
    """The FIDs that these views show, by real type."""
    found: dict[str, dict[int, None]] = {OTHERS: {}}
    for view in views:
        if not view.raw:
            for kind in (OTHERS, *(each.name for each in real_types())) if view.kinds is None else view.kinds:
                found.setdefault(kind, {}).update(dict.fromkeys(view.columns(kind)[0]))
    return {kind: tuple(fids) for kind, fids in found.items()}
