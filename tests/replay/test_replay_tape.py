"""The file of a recording: any lines, any kill, any account number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.control.reads import Answer, Fields, Nothing, Unreadable
from koapy.replay.mask import Mask, without_password
from koapy.replay.tape import Called, Raised, Returned, Run, TapeError, Told, line, read

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUE = st.one_of(TEXT, st.integers(-(2**31), 2**31), st.none(), st.lists(st.lists(TEXT, max_size=3), max_size=3))
ARGS = st.lists(st.one_of(TEXT, st.integers(-(2**31), 2**31)), max_size=5).map(tuple)
TIME = st.floats(0, 1e6).map(lambda each: round(each, 6))
CARRIED = st.one_of(
    st.just(Nothing()),
    st.builds(Unreadable, TEXT),
    st.builds(Fields, st.dictionaries(st.integers(0, 99999), TEXT, max_size=4)),
    st.builds(
        Answer,
        TEXT,
        st.frozensets(TEXT, max_size=3),
        st.one_of(st.none(), st.integers(0, 900)),
        st.dictionaries(TEXT, TEXT, max_size=3),
        st.lists(TEXT, max_size=3).map(tuple),
        st.lists(TEXT, max_size=3).map(tuple),
        st.one_of(st.none(), st.lists(st.lists(TEXT, max_size=2).map(tuple), max_size=2).map(tuple)),
    ),
)
NUMBER = st.integers(1, 10**9)
ITEM = st.one_of(
    st.builds(Called, TIME, NUMBER, TEXT, ARGS),
    st.builds(Returned, TIME, NUMBER, VALUE),
    st.builds(Raised, TIME, NUMBER, TEXT),
    st.builds(Told, TIME, TEXT, ARGS, CARRIED),
)
RUN = Run("2026-01-05T09:00:00.000+09:00", ("CommConnect",), ("OnEventConnect",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tape")


@given(items=st.lists(ITEM, max_size=8))
def test_what_was_written_is_read(folder: Path, items: list[Any]) -> None:
    file = folder / "whole.jsonl"
    file.write_bytes("".join(map(line, [RUN, *items])).encode())
    assert list(read(file)) == [RUN, *items]


@given(items=st.lists(ITEM, min_size=1, max_size=6), data=st.data())
def test_a_kill_at_any_byte_loses_no_whole_line_and_the_next_run_goes_on(
    folder: Path, items: list[Any], data: st.DataObject
) -> None:
    file = folder / "torn.jsonl"
    lines = [line(each).encode() for each in [RUN, *items]]
    first = len(lines[0])
    cut = data.draw(st.integers(first, sum(map(len, lines))))
    kept = b"".join(lines)[:cut]
    whole = kept.count(b"\n")
    file.write_bytes(kept)
    assert list(read(file)) == [RUN, *items][:whole]
    # The next run begins behind the end of the torn line.
    ended = kept + (b"" if kept.endswith(b"\n") else b"\n")
    whole = sum(
        b"".join(lines[: count + 1]) == ended[: sum(map(len, lines[: count + 1]))] for count in range(len(lines))
    )
    file.write_bytes(ended + lines[0] + lines[1])
    assert list(read(file)) == [*[RUN, *items][:whole], RUN, items[0]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing has been recorded"),
        ("date,open\n", ":1: is no line of a recording"),
        ('{"t":0,"call":1,"function":"CommConnect","args":[]}\n', "begins with a line that has 'koapy'"),
        ('{"koapy":99,"started":"","functions":[],"events":[]}\n', "version 99, this koapy reads 1"),
        (line(RUN) + "broken\n" + line(Returned(0.0, 1, 0)), ":2: is no line of a recording"),
    ],
)
def test_what_is_no_recording_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "session.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TapeError, match=said):
        list(read(file))


def test_no_file_is_said() -> None:
    with pytest.raises(TapeError, match="cannot be read"):
        list(read(Path("nowhere.jsonl")))


def test_an_account_is_exchanged_wherever_it_stands_alone() -> None:
    mask = Mask()
    mask.learn("1234567811;1234567831;7654321011;")
    shown = mask.line('"1234567811","1234567831","12345678","7654321011","0123456781100","99123456781"')
    assert shown == '"9000000111","9000000131","90000001","9000000211","0123456781100","99123456781"'
    assert mask.returned("GetLoginInfo", ("USER_NAME",), "홍길동") == "사용자"
    assert mask.returned("GetLoginInfo", ("ACCOUNT_CNT",), "2") == "2"


def test_a_password_is_hidden_and_its_medium_is_not() -> None:
    assert without_password("SetInputValue", ("비밀번호", "1234")) == ("비밀번호", "***")
    assert without_password("SetInputValue", ("비밀번호", "")) == ("비밀번호", "")
    assert without_password("SetInputValue", ("비밀번호입력매체구분", "00")) == ("비밀번호입력매체구분", "00")


def test_a_line_is_json_for_every_other_program() -> None:
    told = Told(1.5, "OnReceiveRealData", ("005930", "주식체결", "raw"), Fields({10: "+71500"}))
    assert json.loads(line(told)) == {
        "t": 1.5,
        "event": "OnReceiveRealData",
        "args": ["005930", "주식체결", "raw"],
        "fields": {"10": "+71500"},
    }
