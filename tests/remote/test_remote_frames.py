"""Frames: what goes in comes out, and nothing that is no frame comes through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.control.reads import Answer, Fields, Nothing, Unreadable
from koapy.remote import frames
from koapy.remote.frames import FrameError, Kind, Splitter

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
events = st.builds(frames.event, number, text, st.lists(value, max_size=9), carried)
calls = st.builds(frames.call, number, number, st.lists(st.tuples(text, st.lists(value, max_size=12).map(tuple))))
every = (
    events
    | calls
    | st.builds(frames.result, number, value | rows.map(lambda found: list(map(list, found))))
    | st.builds(frames.failed, number, text, text)
    | st.builds(frames.hello, text)
    | st.builds(frames.welcome, text, *[st.dictionaries(cell, cell)] * 3)
    | st.builds(frames.told, st.sampled_from([Kind.REFUSED, Kind.BYE]), text)
)


def read(frame: bytes) -> object:
    """Whatever the frame says, read by what reads its kind."""
    what = frames.kind(frame)
    if what in {Kind.RESULT, Kind.FAILED}:
        return frames.outcome_of(frame), frames.read_outcome(frame)
    if what in {Kind.REFUSED, Kind.BYE}:
        return frames.read_told(frame, what)
    readers = {
        Kind.HELLO: frames.read_hello,
        Kind.WELCOME: frames.read_welcome,
        Kind.CALL: frames.read_call,
        Kind.EVENT: frames.read_event,
        Kind.DIALOG: frames.read_dialog,
        Kind.BUSY: frames.read_busy,
    }
    # What is left is read by hosts that hold events, which are not written in Python.
    return readers[what](frame) if what in readers else None


@given(number, text, st.lists(value, max_size=9).map(tuple), carried)
def test_an_event_comes_out_as_it_went_in(
    number: int, name: str, args: tuple[frames.Value, ...], carried: frames.Carried
) -> None:
    (frame,) = Splitter(frames.LARGEST).feed(frames.event(number, name, args, carried))
    assert frames.read_event(frame) == frames.Event(number, False, name, args, carried)


@given(number, number, st.lists(st.tuples(text, st.lists(value, max_size=12).map(tuple)), max_size=5).map(tuple))
def test_a_call_comes_out_as_it_went_in(number: int, context: int, functions: tuple[object, ...]) -> None:
    (frame,) = Splitter(frames.LARGEST).feed(frames.call(number, context, functions))  # type: ignore[arg-type]
    assert frames.read_call(frame) == frames.Call(number, context, functions)  # type: ignore[arg-type]


@given(st.lists(every, max_size=5), st.integers(1, 50))
def test_frames_are_found_however_the_bytes_are_cut(sent: list[bytes], size: int) -> None:
    joined = b"".join(sent)
    splitter = Splitter(frames.LARGEST)
    found = [frame for at in range(0, len(joined), size) for frame in splitter.feed(joined[at : at + size])]
    assert found == [each[4:] for each in sent]


@given(every, st.data())
def test_a_damaged_frame_is_refused_or_read_and_nothing_else(sent: bytes, data: st.DataObject) -> None:
    frame = bytearray(sent[4:])
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(frame[: data.draw(st.integers(1, len(frame)))])
    try:
        if frames.kind(cut) is not Kind.BEAT:
            read(cut)
    except FrameError:
        pass


@pytest.mark.parametrize(
    ("value", "says"),
    [(2**63, "64 bits"), (1.5, "float"), ([["a\0b"]], "zero byte"), ("\ud800", "UTF-8"), ("x" * 2**24, "does not fit")],
)
def test_what_no_frame_can_hold_is_said(value: object, says: str) -> None:
    with pytest.raises(FrameError, match=says):
        frames.result(1, value)  # type: ignore[arg-type]


def test_a_length_beyond_what_is_allowed_ends_it_before_anything_is_kept() -> None:
    with pytest.raises(FrameError, match="4294967295"):
        Splitter(1024).feed(b"\xff\xff\xff\xff")
    with pytest.raises(FrameError, match="0 bytes"):
        Splitter(1024).feed(bytes(4))
