"""주식체결 and 주식시세 of one issue: its trades, and its prices when they change without one.

Much of both follows from the price and from the day's extremes alone, which are the same again and again: that is
written once. Volumes against the previous day are against its whole, as in recorded data, but for FID 851, which is
against what is usually traded by the same time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi.market import commission_rate, sale_tax_rate
from koapy.simulation import forms
from koapy.simulation.model import Side

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from koapy.simulation.model import Instrument, Quote, Trade
    from koapy.simulation.tape import Tape

TRADE, QUOTE = "주식체결", "주식시세"

BEFORE_HOURS, DURING_HOURS, AFTER_HOURS = "1", "2", "3"
"""장구분 of a trade."""

_PPM = 1_000_000
_SHORT_MARGIN, _SHORT_MAINTENANCE = (2, 5), (8, 25)
_CFD_COST, _LOAN_COST = 5020, 4014
"""Of the price, in millionths: what recorded ticks of 2026 show."""

_PRICES_KEPT = 8
"""Of an issue, with what follows from each: trades go back and forth between a few."""


class _OfPrice(NamedTuple):
    """What follows from a price."""

    moved: str
    """FIDs 10, 11 and 12."""
    sign: str
    cost: str
    market_value: str
    short: str
    """1497 and 1498."""
    borrowed: str
    """732 and 852."""


class DayWriter:
    """Writes what one issue trades on one day, always in the order of the real type.

    Args:
        before: shares and won that were traded on the day before.
        usual_part: what part of a day's shares is usually traded by a moment.
    """

    __slots__ = (
        "_before", "_extremes", "_extremes_of", "_instrument", "_limit_hits", "_minute", "_prices", "_same_time",
        "_times", "_today", "_usual_part",
    )  # fmt: skip

    def __init__(
        self, instrument: Instrument, today: date, before: tuple[int, int], usual_part: Callable[[datetime], float]
    ) -> None:
        self._usual_part = usual_part
        self._minute = -1
        self._same_time = 0
        """Shares that were traded by this minute of the day before, as far as days are alike."""
        self._instrument = instrument
        self._today = today
        self._before = before
        self._prices: dict[int, _OfPrice] = {}
        self._extremes_of: tuple[int, int, int, datetime | None, datetime | None] | None = None
        self._extremes = self._times = self._limit_hits = ""

    def trade(self, trade: Trade, day: Tape, hours: str = DURING_HOURS) -> str:
        """주식체결: one trade of a day as it stands."""
        _, price, size, side, best_ask, best_bid, volume, value = trade
        base, bought, sold = self._instrument.base_price, day.buy_volume, day.sell_volume
        buys = side is Side.BUY
        signed = f"+{size}" if buys else f"-{size}"
        of = self._of_price(price)
        self._see_extremes(day)
        return "\t".join(
            (
                forms.clock(trade.time),
                of.moved,
                forms.price(best_ask, base),
                forms.price(best_bid, base),
                signed,
                str(volume),
                str(forms.millions(value)),
                self._extremes,
                of.sign,
                self._against_yesterday(volume, value),
                of.cost,
                forms.strength(bought, sold),
                of.market_value,
                hours,
                "0",
                self._limit_hits,
                str(forms.rounded(10_000 * volume, self._yesterday_by(trade.time))),
                self._times,
                str(sold),
                str(bought),
                _share(bought, sold),
                str(day.sell_count),
                str(day.buy_count),
                f"{(1 if buys else -1) * (price * size // 1000):+d}",
                " 0" if buys else signed,
                signed if buys else " 0",
                signed,
                of.short,
                str(forms.rounded(value, volume)),
                of.borrowed,
                "KRX",
            )
        )

    def quote(self, quote: Quote) -> str:
        """주식시세: the prices of the day, told when they change without a trade."""
        base, of = quote.base_price, self._of_price(quote.last)
        self._see_extremes(quote)
        return "\t".join(
            (
                of.moved,
                forms.price(quote.best_ask, base),
                forms.price(quote.best_bid, base),
                str(quote.volume),
                str(forms.millions(quote.value)),
                self._extremes,
                of.sign,
                self._against_yesterday(quote.volume, quote.value),
                of.cost,
                of.market_value,
                self._limit_hits,
            )
        )

    def _against_yesterday(self, volume: int, value: int) -> str:
        """FIDs 26, 29, 30 and 31."""
        before, value_before = self._before
        return (
            f"{forms.change(volume - before)}\t{forms.change(value - value_before)}\t"
            f"{forms.growth(volume, before)}\t{forms.decimal(100 * volume, self._instrument.shares)}"
        )

    def _of_price(self, price: int) -> _OfPrice:
        found = self._prices.get(price)
        if found is None:
            if len(self._prices) == _PRICES_KEPT:
                self._prices.clear()
            found = self._prices[price] = _of_price(price, self._instrument, self._today)
        return found

    def _see_extremes(self, day: Tape | Quote) -> None:
        seen = day.open, day.high, day.low, day.high_time, day.low_time
        if seen != self._extremes_of:
            base, times = self._instrument.base_price, (day.open_time, day.high_time, day.low_time)
            self._extremes_of = seen
            self._extremes = "\t".join([forms.price(each, base) for each in seen[:3]])
            self._times = "\t".join(map(forms.clock, times))
            high_hit = day.high_time if day.high == self._instrument.upper else None
            low_hit = day.low_time if day.low == self._instrument.lower else None
            self._limit_hits = f"{forms.clock(high_hit)}\t{forms.clock(low_hit)}"

    def _yesterday_by(self, moment: datetime) -> int:
        minute = 60 * moment.hour + moment.minute
        if minute != self._minute:
            self._minute, self._same_time = minute, int(self._before[0] * self._usual_part(moment))
        return self._same_time


def _of_price(price: int, it: Instrument, today: date) -> _OfPrice:
    base = it.base_price
    margin, maintenance = (price * part // whole for part, whole in (_SHORT_MARGIN, _SHORT_MAINTENANCE))
    return _OfPrice(
        f"{forms.price(price, base)}\t{forms.change(price - base)}\t{forms.percent(price - base, base)}",
        forms.sign(price, base, it.upper, it.lower),
        str(_cost(price, it.market, it.kind, today)),
        str(forms.market_value(it.shares, price)),
        f"{margin}\t{maintenance}",
        f"{price * _CFD_COST // _PPM}\t{price * _LOAN_COST // _PPM}",
    )


def _share(bought: int, sold: int) -> str:
    """매수비율: what part of the trades were buys, signed by whether they are the greater part."""
    text = forms.decimal(100 * bought, bought + sold)
    return f"{'+' if bought >= sold else '-'}{text}" if text.strip("0.") else text


def _cost(price: int, market: str, kind: str, today: date) -> int:
    """거래비용: how far a price has to rise until a sale brings what the purchase has cost, by the real server's rates.

    Raised to a won; so the recorded ones of 2018 to 2026 were reckoned.
    """
    commission, tax = _rates(market, kind, today)
    return -(-price * (2 * commission + tax) // (100 * _PPM - commission - tax))


@cache
def _rates(market: str, kind: str, today: date) -> tuple[int, int]:
    """Commission and tax in hundred-millionths."""
    return int(commission_rate("real") * _PPM), int(sale_tax_rate(market, kind, today) * _PPM)
