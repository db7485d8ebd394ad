"""The frames of hosts that hold events: what they are to read and to wait for, and what they see on the screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from koapy.remote.frames import FrameError, Kind, frame
from koapy.remote.values import NUMBER, SHORT, Reader, text, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Plan:
    """What a host is to read inside ticks, and in which events it is to wait."""

    fids: Mapping[str, Sequence[int]]
    """By real type; "": of types that are not here."""
    held: Collection[str]
    """Events that wait for DONE."""


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


def plan(wanted: Plan) -> bytes:
    """What is to be read inside ticks and waited for from now on, in place of the plan before."""
    types = (text(name) + texts(map(str, fids)) for name, fids in wanted.fids.items())
    return frame(Kind.PLAN, texts(wanted.held), NUMBER.pack(len(wanted.fids)), *types)


def trs(known: Sequence[TrPlan]) -> bytes:
    """What is to be read inside the answers of TRs from now on."""
    parts: list[bytes] = []
    for each in known:
        parts += map(text, (each.code, each.single_record, each.multi_record))
        parts += map(texts, (each.single, each.columns))
    return frame(Kind.TRS, NUMBER.pack(len(known)), *parts)


def done(event: int) -> bytes:
    """The gateway is through with an event that the control waits in."""
    return frame(Kind.DONE, NUMBER.pack(event))


def rules(known: Sequence[Rule]) -> bytes:
    """The boxes that are known from now on; the first that fits counts."""
    parts = (text(part) for each in known for part in (each.title, each.owner, each.text, each.action))
    return frame(Kind.RULES, SHORT.pack(len(known)), *parts)


def read_dialog(given: bytes) -> Dialog:
    """A box on the screen."""
    reader = Reader(given, Kind.DIALOG)
    window, step = reader.number(), reader.byte()
    if step not in set(Step):
        raise FrameError(f"a box of which {step} is said")
    found = Dialog(window, Step(step), *(reader.text() for _ in range(5)))
    reader.end()
    return found


def read_busy(given: bytes) -> tuple[str, float]:
    """What the control's thread has been in, and for how many seconds; "": in nothing that takes long."""
    reader = Reader(given, Kind.BUSY)
    what, milliseconds = reader.text(), reader.number()
    reader.end()
    return what, milliseconds / 1000
