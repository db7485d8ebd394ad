"""Rules of the market by date: tick sizes, daily price limits, fees and taxes, phases, market codes.

Prices and amounts are whole won. A market is KOSPI, KOSDAQ, KONEX, ETF, ETN or ELW. Functions that also take a `kind`
(as in koapy.openapi.listing) let it decide where the ETFs, ETNs and ELWs of KOSPI have rules of their own. A day before
the oldest known rule gets that oldest one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import cache
from typing import Literal, NamedTuple

from koapy.openapi._table import day, number, rows

Server = Literal["mock", "real"]


@dataclass(frozen=True, slots=True)
class MarketCode:
    """A code of the look-up functions, or a mark on issue codes."""

    code: str
    name: str
    used_by: str
    """The function that takes or returns it; or `code prefix`, `code suffix`."""
    note: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of the day as FID 215 of 장시작시간 tells it."""

    value: str
    meaning: str
    begins: time | None
    """Usual time, KST; None where a notice of the exchange decides."""
    ends: time | None
    """Until when it is announced again and again; None where it is told once."""
    venue: str


class UnknownMarket(KeyError):
    """No rules are known for a market of this name."""

    def __init__(self, market: str) -> None:
        self.market = market
        self.text = f"no rules for market {market!r}: KOSPI, KOSDAQ, KONEX, ETF, ETN and ELW have some"
        super().__init__(self.text)

    def __str__(self) -> str:
        return self.text


@cache
def market_codes() -> tuple[MarketCode, ...]:
    """Return the market codes of all look-up functions, and the prefixes and suffixes of issue codes."""
    return tuple(MarketCode(*row) for row in rows("market"))


@cache
def phases() -> tuple[Phase, ...]:
    """Return the phases of FID 215: KRX in the order of its day, then derivatives, then Nextrade."""
    return tuple(
        Phase(value, meaning, _clock(begins), _clock(ends), venue)
        for value, meaning, begins, ends, venue in rows("session")
    )


def tick_size(market: str, price: int, on: date, kind: str = "stock") -> int:
    """Return the tick of a price on a day, in won.

    Raises: UnknownMarket.
    """
    market = _ruled_by(market, kind)
    editions = _ticks().get(market)
    if editions is None:
        raise UnknownMarket(market)
    bands = next((bands for first, bands in editions if first <= on), editions[-1][1])
    return next(tick for lowest, tick in bands if lowest <= price or not lowest)


def round_to_tick(market: str, price: int, on: date, kind: str = "stock", *, up: bool = False) -> int:
    """Return the nearest price on a tick that is not above the price; with `up`, not below it.

    Raises: UnknownMarket.
    """
    tick = tick_size(market, price, on, kind)
    return -(-price // tick) * tick if up else price // tick * tick


def price_limits(market: str, kind: str, base: int, on: date, leverage: int = 1) -> tuple[int, int] | None:
    """Return the lowest and the highest price that a day allows, or None where nothing limits them.

    The width is the percentage of the base, cut to the base's tick; the upper limit is cut to its own tick, the lower
    one raised to its own, and no lower than one tick.

    Args: base: 기준가, won. leverage: of an ETF or ETN; multiplies the percentage, its sign does not matter.
    Raises: UnknownMarket.
    """
    percent = _limit_percent(market, kind, on)
    if percent is None:
        return None
    tick = tick_size(market, base, on, kind)
    width = base * percent * abs(leverage) // 100 // tick * tick
    lower = round_to_tick(market, max(base - width, 1), on, kind, up=True)
    return lower, round_to_tick(market, base + width, on, kind)


def commission_rate(server: Server) -> Decimal:
    """Return the commission of an order in percent of its value; buys and sells alike."""
    return Decimal(next(each.percent for each in _rates() if each.market == server))


def commission(server: Server, value: int) -> int:
    """Return the commission of a value in won, cut to 10 won as the server does it."""
    return int(commission_rate(server) * value / 1000) * 10


def sale_tax_rate(market: str, kind: str, on: date) -> Decimal:
    """Return all taxes on a sale together, in percent of its value; buys are not taxed.

    Raises: UnknownMarket.
    """
    return sum((each.percent for each in _taxes(market, kind, on)), Decimal(0))


def sale_tax(market: str, kind: str, value: int, on: date) -> int:
    """Return the taxes on a sale in won; each tax is cut to 1 won by itself.

    Raises: UnknownMarket.
    """
    return sum(sale_taxes(market, kind, value, on).values())


def sale_taxes(market: str, kind: str, value: int, on: date) -> dict[str, int]:
    """Return the taxes on a sale in won by their names (증권거래세, 농어촌특별세), each cut to 1 won.

    Raises: UnknownMarket.
    """
    return {each.item: int(each.percent * value / 100) for each in _taxes(market, kind, on)}


class _Rate(NamedTuple):
    market: str
    item: str
    percent: Decimal
    first: date
    last: date


def _ruled_by(market: str, kind: str) -> str:
    """The market whose rules an issue follows."""
    return kind.upper() if kind in ("etf", "etn", "elw") else market.upper()


def _clock(cell: str) -> time | None:
    return time.fromisoformat(cell) if cell else None


def _markets(cell: str) -> list[str]:
    """`ETF/ETN` stands for both."""
    return cell.split("/")


@cache
def _ticks() -> dict[str, list[tuple[date, list[tuple[int, int]]]]]:
    """By market, newest edition first: its first day and its bands (lowest price, tick), highest first."""
    grouped: dict[str, dict[date, list[tuple[int, int]]]] = {}
    for cell, first, _, lowest, tick in rows("tick_size"):
        for market in _markets(cell):
            bands = grouped.setdefault(market, {}).setdefault(day(first) or date.min, [])
            bands.append((int(lowest), int(tick)))
    return {
        market: sorted(((first, sorted(bands, reverse=True)) for first, bands in editions.items()), reverse=True)
        for market, editions in grouped.items()
    }


@cache
def _limits() -> dict[str, list[tuple[date, int | None]]]:
    """By market, newest first: first day and percentage."""
    grouped: dict[str, list[tuple[date, int | None]]] = {}
    for cell, percent, first, _ in rows("price_limit"):
        for market in _markets(cell):
            grouped.setdefault(market, []).append((day(first) or date.min, number(percent)))
    return {market: sorted(editions, key=lambda each: each[0], reverse=True) for market, editions in grouped.items()}


def _limit_percent(market: str, kind: str, on: date) -> int | None:
    ruled_by = _ruled_by(market, kind)
    editions = _limits().get(ruled_by)
    if editions is None:
        raise UnknownMarket(ruled_by)
    if on < editions[-1][0] and ruled_by in ("ETF", "ETN"):
        editions = _limits()["KOSPI"]  # they had the limits of shares before they got their own
    return next((percent for first, percent in editions if first <= on), editions[-1][1])


@cache
def _rates() -> tuple[_Rate, ...]:
    return tuple(
        _Rate(market, item, Decimal(percent), day(first) or date.min, day(last) or date.max)
        for market, item, percent, first, last in rows("fee_tax")
    )


def _taxes(market: str, kind: str, on: date) -> list[_Rate]:
    ruled_by = _ruled_by(market, kind)
    known = [each for each in _rates() if each.market == ruled_by and each.market not in ("mock", "real")]
    if not known:
        raise UnknownMarket(ruled_by)
    oldest = min(each.first for each in known)
    return [each for each in known if each.first <= max(on, oldest) <= each.last]
