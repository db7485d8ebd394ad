"""Whether the signs of one tick or row agree: with each other, and with the reference price that follows from them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.forms import Rule

LAST, CHANGE, RATE, DIRECTION = 10, 11, 12, 25
_PRICES = (16, 17, 18, 27, 28, 305, 306)
"""Open, high, low, best ask, best bid, limits."""
_SIGNS = {"1": "+", "2": "+", "3": " ", "4": "-", "5": "-"}


def disagreements(values: Mapping[int, str], rules: Mapping[int, Rule]) -> Iterator[str]:
    """Name the FIDs whose sign is not what the others say.

    Args: rules: of the FIDs; one that is written without signs is not judged.
    """
    direction = values.get(DIRECTION, "")
    if direction not in _SIGNS:
        return
    for number in (LAST, CHANGE, RATE):
        value = values.get(number, "")
        if (
            _signed(rules, number)
            and value.strip("-+ 0.")
            and (value[0] if value[0] in "+-" else " ") != _SIGNS[direction]
        ):
            yield f"FID {number} is {value!r} where the direction is {direction}"
    last, change = values.get(LAST, ""), values.get(CHANGE, "")
    if not (_signed(rules, LAST) and _signed(rules, CHANGE) and last.strip() and change.strip()):
        return
    base = abs(Decimal(last.strip())) - Decimal(change.strip())
    for number in _PRICES:
        value = values.get(number, "").strip()
        if not (_signed(rules, number) and value.strip("-+0.")):
            continue
        price = abs(Decimal(value))
        wanted = "+" if price > base else "-" if price < base else " "
        if (value[0] if value[0] in "+-" else " ") != wanted:
            yield f"FID {number} is {value!r} where the reference price is {base}"


def _signed(rules: Mapping[int, Rule], number: int) -> bool:
    rule = rules.get(number)
    return rule is not None and any(rule.accepts(value) for value in ("+1", "+1.00"))
