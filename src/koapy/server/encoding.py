"""How what is sent over and over becomes bytes: those that protobuf makes, with the constant parts made once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STRING_VALUE, LONG_VALUE = b"\x0a", b"\x10"
"""Fields of an Argument: number and wire type."""
NAME, ARGUMENTS, SINGLE_DATA, MULTI_DATA = b"\x0a", b"\x12", b"\x1a", b"\x22"
"""Fields of a ListenResponse: number and wire type."""
SEQUENCE, RECOVERED = b"\xa0\x06", b"\xa8\x06\x01"
"""ListenResponse.sequence: number and wire type; ListenResponse.recovered where it is so."""
_UNSIGNED = (1 << 64) - 1
_BEFORE_TEXT = tuple(ARGUMENTS + bytes((size + 2,)) + STRING_VALUE + bytes((size,)) for size in range(126))
"""All that stands before a short text, an event's argument, by its bytes."""
_SHORT = tuple(bytes((each,)) for each in range(128))


def varint(number: int) -> bytes:
    """A number that is not negative."""
    if number < 128:
        return _SHORT[number]
    if number < 1 << 14:
        return bytes((number & 127 | 128, number >> 7))
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def length_delimited(tag: bytes, body: bytes) -> bytes:
    """A field that holds a message, a text or bytes."""
    return tag + varint(len(body)) + body


@lru_cache(maxsize=64)
def _name(name: str) -> bytes:
    return length_delimited(NAME, name.encode())


def _argument(value: str | int) -> bytes:
    if not isinstance(value, str):
        return length_delimited(ARGUMENTS, LONG_VALUE + varint(value & _UNSIGNED))
    text = value.encode()
    if len(text) < len(_BEFORE_TEXT):
        return _BEFORE_TEXT[len(text)] + text
    size = varint(len(text))
    return b"".join((ARGUMENTS, varint(len(STRING_VALUE) + len(size) + len(text)), STRING_VALUE, size, text))


def head(name: str, arguments: Iterable[str | int]) -> bytes:
    """The beginning of an event's ListenResponse: its name and its arguments in the control's order.

    Raises:
        TypeError, ValueError: something is no text, or none that can be encoded.
    """
    return _name(name) + b"".join(map(_argument, arguments))


def event(begun: bytes, data: bytes, sequence: int, *, recovered: bool) -> bytes:
    """An event's ListenResponse, from its `head` and the fields with what was read inside it."""
    number = SEQUENCE + varint(sequence) if sequence else b""
    return begun + data + number + (RECOVERED if recovered else b"")


@lru_cache(maxsize=1024)
def tick_head(code: str, real_type: str) -> bytes:
    """The beginning of each tick of a code and type: the event's name and the arguments before the raw data."""
    return head("OnReceiveRealData", (code, real_type))


@lru_cache(maxsize=256)
def chejan_head(gubun: str, item_count: int, fid_list: str) -> bytes:
    """The beginning of each order event with this list of FIDs."""
    return head("OnReceiveChejanData", (gubun, item_count, fid_list))


@lru_cache(maxsize=1024)
def names(listed: tuple[str, ...]) -> bytes:
    """The beginning of a SingleData or a MultiData, up to its values."""
    encoded: bytes = pb.SingleData(names=listed).SerializeToString()
    return encoded


def single(listed: bytes, values: Iterable[str]) -> bytes:
    """The field of an event's single data, from `names`.

    Raises:
        TypeError, ValueError: something is no text, or none that can be encoded.
    """
    return length_delimited(SINGLE_DATA, listed + pb.SingleData(values=values).SerializeToString())


def multi(listed: bytes, rows: bytes) -> bytes:
    """The field of an event's multi data, from `names` and the rows, encoded."""
    return b"%b%b%b%b" % (MULTI_DATA, varint(len(listed) + len(rows)), listed, rows)


def tick(head: bytes, listed: bytes, raw: str, values: Sequence[str]) -> bytes:
    """A tick's ListenResponse, from `tick_head`, `names`, and what changes from tick to tick.

    Raises:
        TypeError, ValueError: something is no text, or none that can be encoded.
    """
    argument = length_delimited(STRING_VALUE, raw.encode())
    data = listed + pb.SingleData(values=values).SerializeToString()
    return b"%b%b%b%b%b%b%b" % (head, ARGUMENTS, varint(len(argument)), argument, SINGLE_DATA, varint(len(data)), data)


def bare_tick(head: bytes, raw: str) -> bytes:
    """A tick's ListenResponse without values, for who reads them inside the event.

    Raises:
        TypeError, ValueError: the raw data is no text, or none that can be encoded.
    """
    return head + _argument(raw)
