"""What the host is to read inside events, and in which the control is to wait."""

from __future__ import annotations

from functools import cache

from koapy.openapi.functions import EVENTS
from koapy.openapi.realtype import real_types
from koapy.openapi.tr import trs
from koapy.remote.holding import Plan, TrPlan


@cache
def everything() -> Plan:
    """For those who do not say what they want: all that the catalogue knows of each tick, and all else by waiting."""
    return Plan({each.name: each.fids for each in real_types()}, tuple(EVENTS))


@cache
def answers() -> tuple[TrPlan, ...]:
    """What is read of the answers of TRs: all that the catalogue knows."""
    return tuple(
        TrPlan(each.code, each.single_record, each.multi_record, each.single_names, each.multi_names) for each in trs()
    )
