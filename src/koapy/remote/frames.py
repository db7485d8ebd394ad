"""The frames between a gateway and a control in another process, as bytes: no socket, no thread, no clock.

`docs/remote.md` describes every byte; this module is the only one that knows them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from koapy.control.reads import Answer, Fields, Nothing, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from koapy.control.reads import Carried, Value

MAGIC = b"KOAPYCTL"
VERSION = 2
LARGEST = 16 * 1024 * 1024
"""Bytes of a frame, without its length. A page of 600 rows and 30 columns takes a third of one."""
LARGEST_GREETING = 1024
"""The same until the gateway has said HELLO: a stranger makes nobody keep more."""


class Kind(IntEnum):
    """What a frame is: its first byte."""

    HELLO = 1
    WELCOME = 2
    REFUSED = 3
    CALL = 4
    RESULT = 5
    FAILED = 6
    EVENT = 7
    BEAT = 8
    BYE = 9
    PLAN = 10
    DONE = 11
    RULES = 12
    DIALOG = 13
    BUSY = 14


class FrameError(ValueError):
    """These bytes are no frame, or this cannot be put into one."""


class Splitter:
    """Cuts what comes over a connection into frames."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        """Bytes that a frame may have; may be changed between two calls of `feed`."""
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that are complete now, each from its kind on.

        Raises:
            FrameError: a frame is empty or larger than may be; the connection cannot be used any more.
        """
        rest = self._rest
        rest += data
        frames, start = [], 0
        while len(rest) - start >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(rest, start)
            if not 0 < size <= self.largest:
                raise FrameError(f"a frame of {size} bytes; 1 to {self.largest} are possible")
            end = start + _LENGTH.size + size
            if len(rest) < end:
                break
            frames.append(bytes(rest[start + _LENGTH.size : end]))
            start = end
        del rest[:start]
        return frames


@dataclass(frozen=True, slots=True)
class Call:
    """Functions to be called one after the other, in one piece."""

    number: int
    context: int
    """The event inside which the gateway calls, by number; 0: none."""
    functions: tuple[tuple[str, tuple[Value, ...]], ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a host that holds events is to read inside them, and in which it is to wait."""

    held: tuple[str, ...]
    """Events that wait for DONE."""
    fids: dict[str, tuple[int, ...]]
    """By real type; "": of types that are not here."""
    trs: tuple[TrPlan, ...]


@dataclass(frozen=True, slots=True)
class TrPlan:
    """What is read of a TR's answer."""

    code: str
    single_record: str
    multi_record: str
    single: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a host is to do about a box on the screen that it knows; each text must occur in the box's."""

    title: str
    owner: str
    text: str
    action: str
    """report, close, end (the host), or press: and the words on the button."""


class Step(IntEnum):
    """What has become of a box."""

    SEEN = 1
    HANDLED = 2
    GONE = 3


@dataclass(frozen=True, slots=True)
class Dialog:
    """A box on the screen of the host's machine that somebody has to deal with."""

    window: int
    step: Step
    title: str
    kind: str
    """Its window class."""
    owner: str
    """File name of the program whose it is."""
    text: str
    action: str
    """What the rules say about it."""


def kind(frame: bytes) -> Kind:
    """What this frame is.

    Raises:
        FrameError: nothing known.
    """
    try:
        return Kind(frame[0])
    except ValueError:
        raise FrameError(f"a frame of the unknown kind {frame[0]}") from None


def hello(name: str) -> bytes:
    """The gateway's first frame."""
    return _frame(Kind.HELLO, MAGIC, _SHORT.pack(VERSION), _text(name))


def read_hello(frame: bytes) -> tuple[int, str]:
    """The gateway's version and name.

    Raises:
        FrameError: this is no HELLO.
    """
    reader = _Reader(frame, Kind.HELLO)
    if reader.bytes(len(MAGIC)) != MAGIC:
        raise FrameError("not a gateway: the first frame does not begin as HELLO does")
    # Another version's HELLO may go on where this one ends.
    return reader.short(), reader.text()


def welcome(session: str, functions: dict[str, str], events: dict[str, str], about: dict[str, str]) -> bytes:
    """The host's first frame."""
    tables = (_texts(part) for table in (functions, events, about) for part in (table.keys(), table.values()))
    return _frame(Kind.WELCOME, _SHORT.pack(VERSION), _text(session), *tables)


def read_welcome(frame: bytes) -> Welcome:
    """What the host says of itself."""
    reader = _Reader(frame, Kind.WELCOME)
    found = Welcome(reader.short(), reader.text(), reader.table(), reader.table(), reader.table())
    reader.end()
    return found


def told(what: Kind, text: str) -> bytes:
    """REFUSED or BYE: the last frame, and why."""
    return _frame(what, _text(text))


def read_told(frame: bytes, what: Kind) -> str:
    """Why."""
    reader = _Reader(frame, what)
    text = reader.text()
    reader.end()
    return text


def call(number: int, context: int, functions: Sequence[tuple[str, tuple[Value, ...]]]) -> bytes:
    """A call."""
    parts = [_CALL.pack(number, context, len(functions))]
    for name, args in functions:
        parts += (_text(name), _values(args))
    return _frame(Kind.CALL, *parts)


def read_call(frame: bytes) -> Call:
    """A call."""
    reader = _Reader(frame, Kind.CALL)
    number, context, count = reader.unpack(_CALL)
    functions = tuple((reader.text(), reader.values()) for _ in range(count))
    reader.end()
    return Call(number, context, functions)


def result(number: int, value: Value) -> bytes:
    """What the last function of a call returned."""
    return _frame(Kind.RESULT, _NUMBER.pack(number), _value(value))


def failed(number: int, error: str, text: str) -> bytes:
    """A function of a call raised."""
    return _frame(Kind.FAILED, _NUMBER.pack(number), _text(error), _text(text))


def outcome_of(frame: bytes) -> int:
    """The call whose outcome this frame is."""
    if len(frame) < 1 + _NUMBER.size:
        raise FrameError("an outcome without the number of its call")
    (number,) = _NUMBER.unpack_from(frame, 1)
    return int(number)


def read_outcome(frame: bytes) -> tuple[Value, tuple[str, str] | None]:
    """The value that was returned, or the name and the text of what was raised."""
    if frame[0] == Kind.FAILED:
        reader = _Reader(frame, Kind.FAILED, 1 + _NUMBER.size)
        error = reader.text(), reader.text()
        reader.end()
        return None, error
    reader = _Reader(frame, Kind.RESULT, 1 + _NUMBER.size)
    value = reader.value()
    reader.end()
    return value, None


def event(number: int, name: str, args: Sequence[Value], carried: Carried) -> bytes:
    """An event that the control does not wait in."""
    return _frame(Kind.EVENT, _NUMBER.pack(number), _BYTE.pack(False), _text(name), _values(args), *_carried(carried))


def is_held(event: bytes) -> bool:
    """Whether the control waits in this event, by its frame."""
    return len(event) > _HELD_AT and bool(event[_HELD_AT])


def read_event(frame: bytes) -> Event:
    """An event."""
    reader = _Reader(frame, Kind.EVENT)
    (number,) = reader.unpack(_NUMBER)
    found = Event(number, bool(reader.byte()), reader.text(), reader.values(), _read_carried(reader))
    reader.end()
    return found


def done(event: int) -> bytes:
    """The gateway is through with an event that the control waits in."""
    return _frame(Kind.DONE, _NUMBER.pack(event))


def plan(wanted: Plan) -> bytes:
    """What is to be read inside events from now on, in place of the plan before."""
    types = (_text(name) + _texts(map(str, fids)) for name, fids in wanted.fids.items())
    trs = (
        b"".join(
            (*map(_text, (each.code, each.single_record, each.multi_record)), *map(_texts, (each.single, each.columns)))
        )
        for each in wanted.trs
    )
    counts = map(_LENGTH.pack, (len(wanted.fids), len(wanted.trs)))
    return _frame(Kind.PLAN, _texts(wanted.held), next(counts), *types, next(counts), *trs)


def rules(known: Sequence[Rule]) -> bytes:
    """The boxes that are known from now on; the first that fits counts."""
    texts = (_text(part) for each in known for part in (each.title, each.owner, each.text, each.action))
    return _frame(Kind.RULES, _SHORT.pack(len(known)), *texts)


def read_dialog(frame: bytes) -> Dialog:
    """A box on the screen."""
    reader = _Reader(frame, Kind.DIALOG)
    (window,), step = reader.unpack(_NUMBER), reader.byte()
    if step not in set(Step):
        raise FrameError(f"a box of which {step} is said")
    found = Dialog(window, Step(step), *(reader.text() for _ in range(5)))
    reader.end()
    return found


def read_busy(frame: bytes) -> tuple[str, float]:
    """What the control's thread has been in, and for how many seconds; "": in nothing that takes long."""
    reader = _Reader(frame, Kind.BUSY)
    what, (milliseconds,) = reader.text(), reader.unpack(_NUMBER)
    reader.end()
    return what, milliseconds / 1000


_LENGTH = struct.Struct("<I")
_NUMBER = struct.Struct("<I")
_SHORT = struct.Struct("<H")
_BYTE = struct.Struct("<B")
_INTEGER = struct.Struct("<q")
_CALL = struct.Struct("<IIB")
_SIZES = struct.Struct("<II")

_NONE, _INT, _STR, _BOOL, _ROWS = range(5)
_NOTHING, _FIELDS, _ANSWER, _UNREADABLE = range(4)
_ENDED = "\0"
_HELD_AT = 1 + _NUMBER.size
"""Where an EVENT says so: after its kind and its number."""


def _frame(what: Kind, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = 1 + len(body)
    if size > LARGEST:
        raise FrameError(f"{what.name} of {size} bytes does not fit a frame: at most {LARGEST}")
    return _LENGTH.pack(size) + _BYTE.pack(what) + body


BEAT = _frame(Kind.BEAT)


def _text(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise FrameError(f"text that UTF-8 cannot hold: {error}") from None
    return _LENGTH.pack(len(data)) + data


def _texts(texts: Iterable[str]) -> bytes:
    """Many short texts, each ended by a zero byte: one piece to decode, however many there are."""
    listed = list(texts)
    joined = "".join(f"{each}{_ENDED}" for each in listed)
    if joined.count(_ENDED) != len(listed):
        raise FrameError("a zero byte in a text of a list")
    data = joined.encode()
    return _SIZES.pack(len(listed), len(data)) + data


def _value(value: Value) -> bytes:
    # A bool is an int as well, so it comes first.
    if value is None:
        return _BYTE.pack(_NONE)
    if isinstance(value, bool):
        return _BYTE.pack(_BOOL) + _BYTE.pack(value)
    if isinstance(value, int):
        try:
            return _BYTE.pack(_INT) + _INTEGER.pack(value)
        except struct.error:
            raise FrameError(f"{value} does not fit 64 bits") from None
    if isinstance(value, str):
        return _BYTE.pack(_STR) + _text(value)
    if isinstance(value, list | tuple):
        return _BYTE.pack(_ROWS) + _rows(value)
    raise FrameError(f"a {type(value).__name__} cannot be sent: integers, texts, booleans and rows of texts can")


def _rows(rows: Sequence[Sequence[str]]) -> bytes:
    return _LENGTH.pack(len(rows)) + b"".join(_texts(map(str, row)) for row in rows)


def _values(values: Sequence[Value]) -> bytes:
    if len(values) > 255:  # their number is one byte
        raise FrameError(f"{len(values)} arguments; at most 255")
    return _BYTE.pack(len(values)) + b"".join(map(_value, values))


def _carried(carried: Carried) -> tuple[bytes, ...]:
    match carried:
        case Nothing():
            return (_BYTE.pack(_NOTHING),)
        case Fields(values):
            return _BYTE.pack(_FIELDS), _texts(map(str, values)), _texts(values.values())
        case Unreadable(text):
            return _BYTE.pack(_UNREADABLE), _text(text)
    rows = carried.array
    return (
        _BYTE.pack(_ANSWER),
        _text(carried.code),
        _texts(sorted(carried.records)),
        _INTEGER.pack(-1 if carried.repeat is None else carried.repeat),
        _texts(carried.single),
        _texts(carried.single.values()),
        _texts(carried.columns),
        _texts(carried.cells),
        _value(None if rows is None else [list(row) for row in rows]),
    )


def _read_carried(reader: _Reader) -> Carried:
    form = reader.byte()
    if form == _NOTHING:
        return Nothing()
    if form == _FIELDS:
        return Fields({_fid(name): value for name, value in reader.table().items()})
    if form == _UNREADABLE:
        return Unreadable(reader.text())
    if form != _ANSWER:
        raise FrameError(f"an event with data of the unknown form {form}")
    code, records = reader.text(), frozenset(reader.texts())
    (repeat,) = reader.unpack(_INTEGER)
    single, columns, cells, rows = reader.table(), tuple(reader.texts()), tuple(reader.texts()), reader.value()
    if not (rows is None or isinstance(rows, list)):
        raise FrameError("the rows of an answer are no rows")
    array = None if rows is None else tuple(map(tuple, rows))
    return Answer(code, records, None if repeat < 0 else repeat, single, columns, cells, array)


def _fid(name: str) -> int:
    try:
        return int(name)
    except ValueError:
        raise FrameError(f"{name!r} is no FID") from None


class _Reader:
    """Reads a frame from its kind on; each method raises FrameError where the frame is too short or says nonsense."""

    def __init__(self, frame: bytes, expected: Kind, start: int = 1) -> None:
        if frame[0] != expected:
            raise FrameError(f"{kind(frame).name} where {expected.name} was expected")
        self._frame = frame
        self._at = start

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        try:
            found = form.unpack_from(self._frame, self._at)
        except struct.error:
            raise FrameError("a frame ends in the middle of a number") from None
        self._at += form.size
        return found

    def byte(self) -> int:
        return self.unpack(_BYTE)[0]

    def short(self) -> int:
        return self.unpack(_SHORT)[0]

    def bytes(self, size: int) -> bytes:
        found = self._frame[self._at : self._at + size]
        if len(found) != size:
            raise FrameError("a frame ends in the middle of a text")
        self._at += size
        return found

    def text(self) -> str:
        return self._decoded(self.unpack(_LENGTH)[0])

    def texts(self) -> list[str]:
        count, size = self.unpack(_SIZES)
        joined = self._decoded(size)
        found = joined.split(_ENDED)
        if found.pop() or len(found) != count:
            raise FrameError(f"a list of {count} texts has {len(found)}")
        return found

    def table(self) -> dict[str, str]:
        names, values = self.texts(), self.texts()
        if len(names) != len(values):
            raise FrameError(f"{len(values)} values for {len(names)} names")
        return dict(zip(names, values, strict=True))

    def value(self) -> Value:
        tag = self.byte()
        if tag == _NONE:
            return None
        if tag == _INT:
            return self.unpack(_INTEGER)[0]
        if tag == _STR:
            return self.text()
        if tag == _BOOL:
            return bool(self.byte())
        if tag == _ROWS:
            return [self.texts() for _ in range(self.unpack(_LENGTH)[0])]
        raise FrameError(f"a value of the unknown kind {tag}")

    def values(self) -> tuple[Value, ...]:
        return tuple(self.value() for _ in range(self.byte()))

    def end(self) -> None:
        if self._at != len(self._frame):
            raise FrameError(f"{len(self._frame) - self._at} bytes too many in a frame")

    def _decoded(self, size: int) -> str:
        try:
            return self.bytes(size).decode()
        except UnicodeDecodeError as error:
            raise FrameError(f"text that is no UTF-8: {error}") from None
