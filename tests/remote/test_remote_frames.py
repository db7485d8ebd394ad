"""Frames: what goes in comes out, and nothing that is no frame comes through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.control.reads import Answer, Carried, Fields, Nothing, Unreadable, Value
from koapy.remote import holding, messages
from koapy.remote.frames import LARGEST, FrameError, Kind, Splitter, kind
from koapy.remote.messages import Call, Event, Outcome

text = st.text(st.characters(exclude_categories=["Cs"]))
cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
value = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | text
names = st.lists(cell, max_size=4, unique=True)
rows = st.lists(st.lists(cell, max_size=3).map(tuple), max_size=3).map(tuple)
carried = (
    st.just(Nothing())
    | st.builds(Fields, st.dictionaries(st.integers(-(2**31), 2**31), cell, max_size=5))
    | st.builds(Unreadable, text)
    | st.builds(
        Answer,
        text,
        names.map(frozenset),
        st.none() | st.integers(0, 1000),
        st.dictionaries(cell, cell, max_size=4),
        names.map(tuple),
        names.map(tuple),
        st.none() | rows,
    )
)
number = st.integers(0, 2**32 - 1)
events = st.builds(messages.event, number, text, st.lists(value, max_size=9), carried)
calls = st.builds(messages.call, number, number, st.lists(st.tuples(text, st.lists(value, max_size=12).map(tuple))))
returned = st.lists(value | rows.map(lambda found: list(map(list, found))), max_size=3).map(tuple)
outcomes = st.builds(Outcome, number, returned, st.none() | st.tuples(text, text))
every = (
    events
    | calls
    | outcomes.map(messages.result)
    | st.builds(messages.hello, text)
    | st.builds(messages.welcome, text, *[st.dictionaries(cell, cell)] * 3)
    | st.builds(messages.told, st.sampled_from([Kind.REFUSED, Kind.BYE]), text)
)


def read(frame: bytes) -> object:
    """Whatever the frame says, read by what reads its kind."""
    what = kind(frame)
    if what is Kind.RESULT:
        return messages.outcome_of(frame), messages.read_result(frame)
    if what in {Kind.REFUSED, Kind.BYE}:
        return messages.read_told(frame, what)
    readers = {
        Kind.HELLO: messages.read_hello,
        Kind.WELCOME: messages.read_welcome,
        Kind.CALL: messages.read_call,
        Kind.EVENT: messages.read_event,
        Kind.DIALOG: holding.read_dialog,
        Kind.BUSY: holding.read_busy,
    }
    # What is left is read by hosts that hold events, which are not written in Python.
    return readers[what](frame) if what in readers else None


@given(number, text, st.lists(value, max_size=9).map(tuple), carried)
def test_an_event_comes_out_as_it_went_in(number: int, name: str, args: tuple[Value, ...], carried: Carried) -> None:
    (frame,) = Splitter(LARGEST).feed(messages.event(number, name, args, carried))
    assert messages.read_event(frame) == Event(number, False, name, args, carried)


@given(number, number, st.lists(st.tuples(text, st.lists(value, max_size=12).map(tuple)), max_size=5).map(tuple))
def test_a_call_comes_out_as_it_went_in(number: int, context: int, functions: tuple[object, ...]) -> None:
    (frame,) = Splitter(LARGEST).feed(messages.call(number, context, functions))  # type: ignore[arg-type]
    assert messages.read_call(frame) == Call(number, context, functions)  # type: ignore[arg-type]


@given(outcomes)
def test_an_outcome_comes_out_as_it_went_in(outcome: Outcome) -> None:
    (frame,) = Splitter(LARGEST).feed(messages.result(outcome))
    assert messages.outcome_of(frame) == outcome.number
    assert messages.read_result(frame) == outcome


@given(st.lists(every, max_size=5), st.integers(1, 50))
def test_frames_are_found_however_the_bytes_are_cut(sent: list[bytes], size: int) -> None:
    joined = b"".join(sent)
    splitter = Splitter(LARGEST)
    found = [frame for at in range(0, len(joined), size) for frame in splitter.feed(joined[at : at + size])]
    assert found == [each[4:] for each in sent]


@given(every, st.data())
def test_a_damaged_frame_is_refused_or_read_and_nothing_else(sent: bytes, data: st.DataObject) -> None:
    frame = bytearray(sent[4:])
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(frame[: data.draw(st.integers(1, len(frame)))])
    try:
        if kind(cut) is not Kind.BEAT:
            read(cut)
    except FrameError:
        pass


@pytest.mark.parametrize(
    ("value", "says"),
    [(2**63, "64 bits"), (1.5, "float"), ([["a\0b"]], "zero byte"), ("\ud800", "UTF-8"), ("x" * 2**24, "does not fit")],
)
def test_what_no_frame_can_hold_is_said(value: object, says: str) -> None:
    with pytest.raises(FrameError, match=says):
        messages.result(Outcome(1, (value,), None))  # type: ignore[arg-type]


def test_a_length_beyond_what_is_allowed_ends_it_before_anything_is_kept() -> None:
    with pytest.raises(FrameError, match="4294967295"):
        Splitter(1024).feed(b"\xff\xff\xff\xff")
    with pytest.raises(FrameError, match="0 bytes"):
        Splitter(1024).feed(bytes(4))
