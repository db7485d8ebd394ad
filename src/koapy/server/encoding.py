"""How what is sent over and over becomes bytes: those that protobuf makes, with the constant parts made once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

STRING_VALUE, ARGUMENTS, SINGLE_DATA = b"\x0a", b"\x12", b"\x1a"
"""Argument.string_value, ListenResponse.arguments and ListenResponse.single_data: number and wire type."""
SEQUENCE, RECOVERED = b"\xa0\x06", b"\xa8\x06\x01"
"""ListenResponse.sequence: number and wire type; ListenResponse.recovered where it is so."""
_SHORT = tuple(bytes((each,)) for each in range(128))


def varint(number: int) -> bytes:
    """A number that is not negative."""
    if number < 128:
        return _SHORT[number]
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def length_delimited(tag: bytes, body: bytes) -> bytes:
    """A field that holds a message, a text or bytes."""
    return b"%b%b%b" % (tag, varint(len(body)), body)


@lru_cache(maxsize=1024)
def tick_head(code: str, real_type: str) -> bytes:
    """The beginning of each tick of a code and type: the event's name and the arguments before the raw data."""
    arguments = [pb.Argument(string_value=each) for each in (code, real_type)]
    head: bytes = pb.ListenResponse(name="OnReceiveRealData", arguments=arguments).SerializeToString()
    return head


def names(listed: Sequence[str]) -> bytes:
    """The beginning of a SingleData, up to its values."""
    encoded: bytes = pb.SingleData(names=listed).SerializeToString()
    return encoded


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
    return head + length_delimited(ARGUMENTS, length_delimited(STRING_VALUE, raw.encode()))


@lru_cache(maxsize=256)
def chejan_head(gubun: str, item_count: int, fid_list: str, listed: tuple[str, ...]) -> tuple[bytes, bytes]:
    """What does not change from one order event to another: all before its data, and the names in that."""
    arguments = [
        pb.Argument(string_value=gubun),
        pb.Argument(long_value=item_count),
        pb.Argument(string_value=fid_list),
    ]
    head: bytes = pb.ListenResponse(name="OnReceiveChejanData", arguments=arguments).SerializeToString()
    return head, names(listed)


def chejan(head: tuple[bytes, bytes], values: Sequence[str], sequence: int, *, recovered: bool) -> bytes:
    """An order event's ListenResponse, from `chejan_head`.

    Raises:
        TypeError, ValueError: something is no text, or none that can be encoded.
    """
    before, listed = head
    data = listed + pb.SingleData(values=values).SerializeToString()
    number = SEQUENCE + varint(sequence) if sequence else b""
    return b"%b%b%b%b%b%b" % (before, SINGLE_DATA, varint(len(data)), data, number, RECOVERED if recovered else b"")
