"""What an issue may be bought for: the margin rate (증거금율), and whether on credit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.model import Instrument

LARGE, MIDDLE = 100, 300
"""Ranks by market value up to which an issue of KOSPI or KOSDAQ is large, middle."""

LOW, NORMAL, WHOLE = 20, 40, 100
"""Margin rates in percent."""

CREDIT_GROUPS = {"A": LOW, "C": NORMAL}
"""Groups of issues that may be bought on credit, and the margin rate of each."""


def margin_percent(instrument: Instrument, exchange: Exchange) -> int:
    """The margin rate of an issue: the large ones and ETFs the lowest, what is no share or ETF in full."""
    if instrument.kind not in ("stock", "preferred", "etf"):
        return WHOLE
    return LOW if instrument.kind == "etf" or rank(instrument, exchange) <= LARGE else NORMAL


def rank(instrument: Instrument, exchange: Exchange) -> int:
    """The issue's place by market value at the reference price among those of its market."""
    return _ranks(exchange.instruments)[instrument.market][instrument.shares * instrument.base_price]


def _ranks(instruments: Mapping[str, Instrument]) -> Mapping[str, Mapping[int, int]]:
    """By market and value. Remembered for the last market that was asked about, which an exchange keeps all day."""
    global _remembered
    if _remembered[0] is not instruments:
        values: dict[str, list[int]] = {}
        for each in instruments.values():
            values.setdefault(each.market, [])
            if not each.fund:
                values[each.market].append(each.shares * each.base_price)
        _remembered = instruments, {market: _places(sorted(group)) for market, group in values.items()}
    return _remembered[1]


def _places(ascending: list[int]) -> dict[int, int]:
    return {value: len(ascending) - place for place, value in enumerate(ascending)}


_remembered: tuple[Mapping[str, Instrument] | None, Mapping[str, Mapping[int, int]]] = None, {}
