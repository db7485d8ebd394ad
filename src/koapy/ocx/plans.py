"""What the host is to read inside events: by default everything that the catalogue knows of."""

from __future__ import annotations

from functools import cache

from koapy.openapi.functions import EVENTS
from koapy.openapi.realtype import real_types
from koapy.openapi.tr import trs
from koapy.remote.frames import Plan, TrPlan

FLOODS = frozenset({"OnReceiveRealData"})
"""Events that the control does not wait in: there may be thousands a second, and what they carry is all they have."""
MOST_FIDS = 100
"""FIDs beyond the catalogue that are read with each tick; a program that asks for more asks for nonsense."""


class Reading:
    """The plan, which grows with what slots ask for that it does not have."""

    def __init__(self) -> None:
        self._more: dict[int, None] = {}

    def add(self, *fids: int) -> bool:
        """Have these read with every tick; whether that changes anything."""
        before = len(self._more)
        for fid in fids:
            if len(self._more) < MOST_FIDS:
                self._more[fid] = None
        return len(self._more) > before

    @property
    def plan(self) -> Plan:
        """What the host is to do."""
        known = {each.name: each.fids for each in real_types()}
        fids = {name: tuple(dict.fromkeys((*listed, *self._more))) for name, listed in known.items()}
        held = tuple(name for name in EVENTS if name not in FLOODS)
        return Plan(held=held, fids=fids | {"": tuple(self._more)}, trs=_trs())


@cache
def _trs() -> tuple[TrPlan, ...]:
    return tuple(
        TrPlan(each.code, each.single_record, each.multi_record, each.single_names, each.multi_names) for each in trs()
    )
