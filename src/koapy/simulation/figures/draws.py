"""Numbers that look like chance and are always the same for the same key."""

from __future__ import annotations

import math
import struct
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

COUNT = 16
"""Numbers to a key."""

_UNPACK = struct.Struct(f"<{COUNT}I").unpack
_SCALE = 2.0**-32
_UNPACK_MANY = struct.Struct(f"<{2 * COUNT}H").unpack
_COARSE = 2.0**-16


def draws(*key: object) -> tuple[float, ...]:
    """Return 16 numbers of 0 up to 1 for a key."""
    text = ":".join(map(str, key)).encode()
    return tuple(each * _SCALE for each in _UNPACK(blake2b(text, digest_size=4 * COUNT).digest()))


def many_draws(*key: object) -> tuple[float, ...]:
    """Return 32 coarser numbers of 0 up to 1 for a key."""
    text = ":".join(map(str, key)).encode()
    return tuple(each * _COARSE for each in _UNPACK_MANY(blake2b(text, digest_size=4 * COUNT).digest()))


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split a total by weights; the parts add up to it, and what rounding leaves goes to the first."""
    share = total / sum(weights)
    parts = [int(share * weight) for weight in weights]
    parts[0] += total - sum(parts)
    return parts


_WAVES = ((37.0, 0.12), (11.0, 0.015))
"""Days of a swing / 2 pi, and how far it goes."""


def swing(day: date, *key: object) -> float:
    """Return a factor about 1 that changes slowly from day to day."""
    phases, at = draws(*key, "phase"), day.toordinal()
    return 1 + sum(far * math.sin(at / long + math.tau * phases[place]) for place, (long, far) in enumerate(_WAVES))
