"""What the FIDs say of futures, options and warrants: now, and at a moment of today."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.contract import Kind
from koapy.simulation.figures.pricing import forward
from koapy.simulation.tr.derived import LEVELS, MONTH, Derived, Step, historical

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.tr.vocabulary import Words


def _offer(it: Derived, asks: bool, place: int, part: int) -> int:
    offers = it.offers(asks=asks)
    return offers[place][part] if place < len(offers) else 0


def _written(it: Derived, *, asks: bool, place: int, part: int) -> str:
    value = _offer(it, asks, place, part)
    return str(value) if part else it.write(value)


def _edge(it: Derived, which: str) -> str:
    return it.write(getattr(it.bar, which)) if it.bar else "0"


def _against_base(it: Derived, which: str) -> str:
    return forms.percent(getattr(it.bar, which) - it.base, it.base) if it.bar else "0.00"


def _fair(it: Derived) -> float:
    return it.contract.fair(it.day, it.level)


_UNITS = {"delta": 1.0, "gamma": 1.0, "theta": 1 / 365, "vega": 0.01, "rho": 0.01}
"""Of a day, of a percent of volatility, of a percent of interest."""
_POWERS = {"delta": 0, "gamma": 1, "theta": -1, "vega": -1, "rho": -1}
"""Of the units in a point: prices and levels are whole units, what is told is of points."""


def _greek(name: str) -> Callable[[Derived], str]:
    def said(it: Derived) -> str:
        if it.contract.kind is Kind.FUTURE:
            return {"delta": "1.0000"}.get(name, "0.0000")
        value = getattr(it.contract.greeks(it.day, it.level), name) * _UNITS[name] * it.contract.scale ** _POWERS[name]
        return forms.decimal(round(10_000 * value), 10_000, 4)

    return said


def _spot_forward(it: Derived) -> float:
    return forward(it.level, it.contract.days(it.day)) - it.level


_BOOK: dict[int, Callable[[Derived], str]] = {
    fid + place: partial(_written, asks=asks, place=place, part=part)
    for asks, fids in ((True, (41, 61)), (False, (51, 71)))
    for part, fid in enumerate(fids)
    for place in range(LEVELS)
}

DERIVED: Words[Derived] = _BOOK | {
    9001: lambda it: it.contract.code,
    301: lambda it: it.contract.code,
    389: lambda it: it.contract.code,
    302: lambda it: it.contract.name,
    10: lambda it: it.write(it.last),
    11: lambda it: it.moved(it.last - it.base),
    12: lambda it: forms.percent(it.last - it.base, it.base),
    25: lambda it: forms.sign(it.last, it.base),
    13: lambda it: str(it.volume),
    14: lambda it: str(forms.millions(it.bar.value if it.bar else 0)),
    15: lambda it: str(it.volume),
    16: lambda it: _edge(it, "open"),
    17: lambda it: _edge(it, "high"),
    18: lambda it: _edge(it, "low"),
    21: lambda it: forms.clock(it.exchange.clock.now()),
    22: lambda it: forms.day(it.day),
    26: lambda it: forms.change(it.volume - it.previous_volume),
    27: lambda it: it.write(_offer(it, True, 0, 0)),
    28: lambda it: it.write(_offer(it, False, 0, 0)),
    30: lambda it: forms.growth(it.volume, it.previous_volume),
    121: lambda it: str(it.total(asks=True)),
    125: lambda it: str(it.total(asks=False)),
    128: lambda it: str(it.total(asks=False) - it.total(asks=True)),
    137: lambda it: str(_offer(it, False, 0, 1) - _offer(it, True, 0, 1)),
    181: lambda it: forms.delta(it.open_interest - it.open_interest_before),
    182: lambda it: it.plain(_fair(it)),
    183: lambda it: it.plain(it.last - it.level),
    184: lambda it: it.plain(_spot_forward(it)),
    185: lambda it: it.plain(it.last - _fair(it)),
    186: lambda it: forms.percent(round(1000 * (it.last - _fair(it))), max(round(1000 * _fair(it)), 1)),
    187: lambda it: it.plain(it.contract.inner(it.level)),
    188: lambda it: it.plain(0 if it.contract.kind is Kind.FUTURE else it.last - it.contract.inner(it.level)),
    189: lambda it: forms.decimal(round(10_000 * it.contract.volatility(it.day)), 100),
    190: _greek("delta"),
    191: _greek("gamma"),
    192: _greek("vega"),
    193: _greek("theta"),
    194: _greek("rho"),
    195: lambda it: str(it.open_interest),
    196: lambda it: forms.delta(it.open_interest - it.open_interest_before),
    197: lambda it: it.underlying.write(it.level),
    **dict.fromkeys(range(240, 246), lambda it: forms.decimal(round(10_000 * it.contract.volatility(it.day)), 100)),
    246: lambda it: str(it.open_interest_before),
    247: lambda it: str(max(it.open_interest, it.open_interest_before)),
    248: lambda it: str(min(it.open_interest, it.open_interest_before)),
    269: lambda it: str(it.open_interest_before),
    304: lambda it: str(it.previous_volume),
    305: lambda it: it.write(it.limits()[1]),
    306: lambda it: it.write(it.limits()[0]),
    307: lambda it: it.plain(it.base),
    322: lambda it: forms.day(it.contract.expiry),
    323: lambda it: str((it.contract.expiry - it.day).days),
    324: lambda it: forms.decimal(it.contract.strike, it.contract.scale) if it.contract.strike else "0.00",
    327: lambda it: historical(it.days(), MONTH),
    338: lambda _: "3.00",
    361: lambda _: "0.00",
    402: lambda it: historical(it.days(), MONTH),
    346: lambda it: it.plain(it.base),
    391: lambda it: _against_base(it, "open"),
    392: lambda it: _against_base(it, "high"),
    393: lambda it: _against_base(it, "low"),
    396: lambda it: str(forms.millions(it.before.value if it.before else 0)),
}
"""A contract now. Prices of index contracts have two decimals, amounts are million won."""


MOMENT: Words[Step] = {
    20: lambda step: forms.clock(step.at.time),
    21: lambda step: forms.clock(step.at.time),
    22: lambda step: forms.day(step.at.time),
    10: lambda step: step.it.write(step.at.level),
    11: lambda step: step.it.moved(step.at.level - step.it.base),
    12: lambda step: forms.percent(step.at.level - step.it.base, step.it.base),
    25: lambda step: forms.sign(step.at.level, step.it.base),
    13: lambda step: str(step.at.volume),
    15: lambda step: str(step.traded),
    16: lambda step: step.it.write(step.at.level),
    17: lambda step: step.it.write(step.at.level),
    18: lambda step: step.it.write(step.at.level),
    27: lambda step: _at(step, True, 0),
    28: lambda step: _at(step, False, 0),
    61: lambda step: _at(step, True, 1),
    71: lambda step: _at(step, False, 1),
    121: lambda step: str(step.it.total(asks=True, at=step.at)),
    125: lambda step: str(step.it.total(asks=False, at=step.at)),
    128: lambda step: str(step.it.total(asks=False, at=step.at) - step.it.total(asks=True, at=step.at)),
    182: lambda step: step.it.plain(step.fair),
    183: lambda step: step.it.plain(step.at.level - step.at.source),
    186: lambda step: forms.percent(round(1000 * (step.at.level - step.fair)), max(round(1000 * step.fair), 1)),
    187: lambda step: step.it.plain(step.it.contract.inner(step.at.source)),
    189: lambda step: DERIVED[189](step.it),
    197: lambda step: step.it.underlying.write(step.at.source),
    327: lambda step: DERIVED[189](step.it),
    338: lambda _: "3.00",
    346: lambda step: step.it.plain(step.it.base),
    361: lambda _: "0.00",
    137: lambda step: str(int(_at(step, False, 1)) - int(_at(step, True, 1))),
    195: lambda step: str(step.it.open_interest),
    196: lambda step: forms.delta(step.it.open_interest - step.it.open_interest_before),
    302: lambda step: step.it.contract.name,
    304: lambda step: str(step.it.previous_volume),
    30: lambda step: forms.growth(step.at.volume, step.it.previous_volume),
    307: lambda step: step.it.plain(step.it.base),
}
"""A contract at a moment of today."""


def _at(step: Step, asks: bool, part: int) -> str:
    offers = step.it.offers(asks=asks, at=step.at)
    value = offers[0][part] if offers else 0
    return str(value) if part else step.it.write(value)
