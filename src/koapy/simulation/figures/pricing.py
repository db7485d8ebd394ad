"""What an option is worth: Black and Scholes without dividends."""

from __future__ import annotations

import math
from dataclasses import dataclass

RATE = 0.03
"""Interest for a year."""
YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Greeks:
    """What moves an option's worth: per unit of the underlying, per unit twice, per year, per 1 of volatility, rate."""

    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


def forward(level: float, days: float) -> float:
    """What is paid on a day to come."""
    return level * math.exp(RATE * days / YEAR)


def worth(level: float, strike: float, days: float, volatility: float, *, call: bool) -> float:
    """The worth of a European option."""
    near, far = _distances(level, strike, days, volatility)
    present = strike * math.exp(-RATE * days / YEAR)
    if call:
        return level * _normal(near) - present * _normal(far)
    return present * _normal(-far) - level * _normal(-near)


def greeks(level: float, strike: float, days: float, volatility: float, *, call: bool) -> Greeks:
    """What moves the worth."""
    near, far = _distances(level, strike, days, volatility)
    years = days / YEAR
    density = math.exp(-near * near / 2) / math.sqrt(2 * math.pi)
    present, side = strike * math.exp(-RATE * years), 1 if call else -1
    decay = -level * density * volatility / (2 * math.sqrt(years))
    return Greeks(
        _normal(near) if call else _normal(near) - 1,
        density / (level * volatility * math.sqrt(years)),
        decay - side * RATE * present * _normal(side * far),
        level * density * math.sqrt(years),
        side * present * years * _normal(side * far),
    )


def _distances(level: float, strike: float, days: float, volatility: float) -> tuple[float, float]:
    spread = volatility * math.sqrt(days / YEAR)
    near = (math.log(level / strike) + RATE * days / YEAR) / spread + spread / 2
    return near, near - spread


def _normal(value: float) -> float:
    return 0.5 * (1 + math.erf(value / math.sqrt(2)))
