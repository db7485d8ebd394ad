"""Numbers that look like chance and are always the same for the same key."""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from hashlib import blake2b, shake_128
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

COUNT = 16
"""Numbers to a key."""

_UNPACK = struct.Struct(f"<{COUNT}I").unpack
_SCALE = 2.0**-32
_TOGETHER = 32
"""Days whose bytes are drawn together."""


def draws(*key: object) -> tuple[float, ...]:
    """Return 16 numbers of 0 up to 1 for a key."""
    text = ":".join(map(str, key)).encode()
    return tuple(each * _SCALE for each in _UNPACK(blake2b(text, digest_size=4 * COUNT).digest()))


def day_bytes(what: str, code: str, day: date, count: int) -> bytes:
    """Return so many bytes for a code on a day; those of a month are drawn together, as most look at many days."""
    month, place = divmod(day.toordinal(), _TOGETHER)
    return _month(what, code, month, count)[place * count : (place + 1) * count]


@lru_cache(64)
def _month(what: str, code: str, month: int, count: int) -> bytes:
    return shake_128(f"{what}:{code}:{month}".encode()).digest(_TOGETHER * count)


def by_byte(number: Callable[[float], float]) -> tuple[float, ...]:
    """Return what becomes of a chance of 0 to 1, for each byte that may stand for it."""
    return tuple(number((byte + 0.5) / 256) for byte in range(256))


def picked(tables: Sequence[Sequence[float]], chances: bytes) -> list[float]:
    """Return a number of each table: the one that the byte in its place says."""
    return [table[chance] for table, chance in zip(tables, chances, strict=True)]


def part_of(total: int, weights: Sequence[float], places: Sequence[int]) -> int:
    """Return what some places have of a total that `apportion` splits."""
    if 0 in places:  # it has what rounding leaves
        parts = apportion(total, weights)
        return sum([parts[place] for place in places])
    share = total / sum(weights)
    return sum([int(share * weights[place]) for place in places])


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
    phases, at = _phases(key), day.toordinal()
    return 1 + sum(far * math.sin(at / long + math.tau * phases[place]) for place, (long, far) in enumerate(_WAVES))


@lru_cache(1 << 14)
def _phases(key: tuple[object, ...]) -> tuple[float, ...]:
    return draws(*key, "phase")[: len(_WAVES)]
