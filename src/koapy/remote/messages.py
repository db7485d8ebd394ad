"""The frames that every host and every gateway understands: the greeting, calls and their outcomes, events."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.remote.carried import carried as written
from koapy.remote.carried import read_carried
from koapy.remote.frames import MAGIC, VERSION, FrameError, Kind, frame
from koapy.remote.values import BYTE, NUMBER, SHORT, Reader, table, text, value, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.control.reads import Carried, Value

Function = tuple[str, tuple["Value", ...]]
"""A function to be called, and its arguments."""

MOST_FUNCTIONS = 65535
"""Of one call."""

_CALL = struct.Struct("<IIH")
_RESULT = struct.Struct("<IHB")
_HELD_AT = 1 + NUMBER.size
"""Where an EVENT says so: after its kind and its number."""


@dataclass(frozen=True, slots=True)
class Call:
    """Functions to be called one after the other, in one piece."""

    number: int
    context: int
    """The event inside which the gateway calls, by number; 0: none."""
    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call."""

    number: int
    values: tuple[Value, ...]
    """What its functions returned, in their order, up to the one that failed."""
    error: tuple[str, str] | None
    """What the next one raised, by name and words; the functions behind it have not been called."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the control."""

    number: int
    held: bool
    """Whether the control waits in it for DONE."""
    name: str
    args: tuple[Value, ...]
    carried: Carried


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the host offers."""

    version: int
    session: str
    """Differs from that of every other host process."""
    functions: dict[str, str]
    """By name: parameters and what is returned, as text."""
    events: dict[str, str]
    about: dict[str, str]
    """Facts of the host and its control, for people."""


def hello(name: str) -> bytes:
    """The gateway's first frame."""
    return frame(Kind.HELLO, MAGIC, SHORT.pack(VERSION), text(name))


def read_hello(given: bytes) -> tuple[int, str]:
    """The gateway's version and name.

    Raises:
        FrameError: this is no HELLO.
    """
    reader = Reader(given, Kind.HELLO)
    if reader.take(len(MAGIC)) != MAGIC:
        raise FrameError("not a gateway: the first frame does not begin as HELLO does")
    # Another version's HELLO may go on where this one ends.
    return reader.short(), reader.text()


def welcome(session: str, functions: dict[str, str], events: dict[str, str], about: dict[str, str]) -> bytes:
    """The host's first frame."""
    return frame(Kind.WELCOME, SHORT.pack(VERSION), text(session), *map(table, (functions, events, about)))


def read_welcome(given: bytes) -> Welcome:
    """What the host says of itself."""
    reader = Reader(given, Kind.WELCOME)
    version = reader.short()
    if version != VERSION:
        raise FrameError(f"the host speaks version {version} of the protocol, this is {VERSION}")
    found = Welcome(version, reader.text(), reader.table(), reader.table(), reader.table())
    reader.end()
    return found


def told(what: Kind, words: str) -> bytes:
    """REFUSED or BYE: the last frame, and why."""
    return frame(what, text(words))


def read_told(given: bytes, what: Kind) -> str:
    """Why."""
    reader = Reader(given, what)
    words = reader.text()
    reader.end()
    return words


def call(number: int, context: int, functions: Sequence[Function]) -> bytes:
    """A call."""
    if len(functions) > MOST_FUNCTIONS:
        raise FrameError(f"{len(functions)} functions in one call; at most {MOST_FUNCTIONS}")
    parts = [_CALL.pack(number, context, len(functions))]
    for name, args in functions:
        parts += (text(name), values(args))
    return frame(Kind.CALL, *parts)


def read_call(given: bytes) -> Call:
    """A call."""
    reader = Reader(given, Kind.CALL)
    number, context, count = reader.number(), reader.number(), reader.short()
    functions = tuple((reader.text(), reader.values()) for _ in range(count))
    reader.end()
    return Call(number, context, functions)


def result(outcome: Outcome) -> bytes:
    """What came of a call."""
    head = _RESULT.pack(outcome.number, len(outcome.values), outcome.error is not None)
    return frame(Kind.RESULT, head, *map(value, outcome.values), *map(text, outcome.error or ()))


def outcome_of(given: bytes) -> int:
    """The call whose outcome this frame is."""
    return Reader(given, Kind.RESULT).number()


def read_result(given: bytes) -> Outcome:
    """What came of a call."""
    reader = Reader(given, Kind.RESULT)
    number, count, failed = reader.number(), reader.short(), reader.byte()
    returned = tuple([reader.value() for _ in range(count)])
    error = (reader.text(), reader.text()) if failed else None
    reader.end()
    return Outcome(number, returned, error)


def event(number: int, name: str, args: Sequence[Value], carried: Carried) -> bytes:
    """An event that the control does not wait in."""
    return frame(Kind.EVENT, NUMBER.pack(number), BYTE.pack(False), text(name), values(args), written(carried))


def is_held(event: bytes) -> bool:
    """Whether the control waits in this event, by its frame."""
    return len(event) > _HELD_AT and bool(event[_HELD_AT])


def read_event(given: bytes) -> Event:
    """An event."""
    reader = Reader(given, Kind.EVENT)
    found = Event(reader.number(), bool(reader.byte()), reader.text(), reader.values(), read_carried(reader))
    reader.end()
    return found
