"""Batches: whatever ticks and events a server puts in come out again, value for value and in their order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from koapy.client import InvalidArgument, frames, parse
from koapy.client.batches import Batch, Decoder, single
from koapy.client.columns import Column
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import streams_pb2 as v1
from koapy.server.batching import MOST_SCHEMAS, Schemas, event, missed
from koapy.server.events import ReceiveMsg
from koapy.server.reading import View
from koapy.server.ticks import Lane, Tick

KINDS = {
    "주식체결": (20, 10, 15),
    "주식호가잔량": (21, 41),
    "알 수 없음": (),
}
OTHER = View(fids=(10,), readable=True)
NUMBERS = st.from_regex(r"\A[+-]{0,2}[0-9]{0,6}(\.[0-9]{0,2})?\Z")
TEXTS = st.one_of(st.sampled_from(["", "+71500", "093000", " 5", "-0.53"]), NUMBERS, st.text(max_size=6))
CODES = st.one_of(st.sampled_from(["005930", "000660"]), st.text(max_size=3))


def tick(real_type: str, code: str, *values: str, raw: str = "") -> Tick:
    return Tick(1, Lane(code, real_type, View(KINDS[real_type], readable=True)), raw, values)


@st.composite
def ticks(draw: Any) -> Tick:
    real_type = draw(st.sampled_from(sorted(KINDS)))
    view = draw(st.sampled_from([View(KINDS[real_type], readable=True), OTHER]))
    lane = Lane(draw(CODES), real_type, view)
    return Tick(1, lane, draw(st.text(max_size=5)), draw(st.tuples(*[TEXTS for _ in lane.fids])))


EVENTS = st.builds(ReceiveMsg, CODES, CODES, CODES, st.text(max_size=300))
HISTORIES = st.lists(st.one_of(st.lists(ticks(), min_size=1, max_size=30), EVENTS), max_size=6)


def batch_of(history: list[Any], **how: Any) -> Batch:
    """Runs of ticks and events: encoded, joined as for a slow stream, and decoded."""
    schemas = Schemas()
    message = b""
    for each in history:
        if isinstance(each, ReceiveMsg):
            message += event(each.encoded)
        else:
            for piece in schemas.pieces(each, **how):
                message += b"".join((*(schema.encoded for schema in piece.schemas), piece.encoded))
    return Decoder().batch(v1.EventBatch.FromString(message))


def flat(history: list[Any]) -> list[Any]:
    return [one for each in history for one in (each if isinstance(each, list) else [each])]


def compatible(each: Any) -> pb.ListenResponse:
    """What the published service tells of it."""
    return pb.ListenResponse.FromString(each.encoded)


def as_listened(history: list[Any]) -> list[parse.Event]:
    return [event for each in history for event in parse.event(compatible(each))]


def as_real(history: list[Any]) -> list[Any]:
    of = {True: parse.event, False: parse.tick}
    return [told for each in history for told in of[isinstance(each, ReceiveMsg)](compatible(each))]


@settings(max_examples=60)
@given(HISTORIES)
@example([[tick("주식체결", "005930", "\t", "", "\t\t", raw="a\tb"), tick("주식체결", "\t", "", "", "")]])
@example([[tick("주식체결", "005930", "093000", "+1", "2"), tick("주식체결", "005930", "093000", "+1", "2")]])
def test_what_goes_in_comes_out_as_the_published_service_tells_it(history: list[Any]) -> None:
    batch = batch_of(history, raw=True)
    assert len(batch) == len(flat(history))
    assert list(batch.as_events()) == as_listened(flat(history))
    assert list(batch) == as_real(flat(history))


@settings(max_examples=40)
@given(st.lists(ticks(), min_size=1, max_size=40))
def test_large_runs_come_in_pieces_that_join(run: list[Tick]) -> None:
    assert list(batch_of([run], raw=True, largest=200).as_events()) == as_listened(run)
    for piece in Schemas().pieces(run, raw=True, largest=200):
        (segment,) = v1.EventBatch.FromString(piece.encoded).segments
        assert len(piece.encoded) <= 200 or sum(table.rows for table in segment.tables) == 1


def test_a_run_of_more_kinds_than_a_byte_can_tell() -> None:
    run = [Tick(1, Lane("005930", f"종류 {number}", OTHER), "", (str(number),)) for number in range(600)]
    assert [each.real_type for each in batch_of([run])] == [each.real_type for each in run]


@settings(max_examples=40)
@given(st.lists(st.lists(ticks(), min_size=1, max_size=20), min_size=1, max_size=3), st.sampled_from([200, 2**20]))
def test_columns_are_those_of_the_ticks(history: list[list[Tick]], largest: int) -> None:
    batch = batch_of(history, largest=largest)
    given = flat(history)
    assert sum(map(len, batch.ticks)) == len(given)
    for table in batch.ticks:
        own = [given[position] for position in table.positions]
        assert table.codes.values == [each.code for each in own]
        assert list(table) == as_real(own)
        expected = frames.frame(("code", *table.names), [(each.code, *each.values) for each in own], as_numbers=True)
        expected["code"] = pd.Series([each.code for each in own], dtype=object)
        found = table.to_pandas()
        assert list(found.index) == list(table.positions)
        pd.testing.assert_frame_equal(found.reset_index(drop=True), expected)


@given(st.lists(TEXTS, min_size=1, max_size=8), st.sampled_from(["현재가", "거래량", "체결시간"]))
@example(["1", "1"], "현재가")
@example(["+-5", "-3"], "거래량")
@example(["-9223372036854775", "1"], "거래량")
@example(["5."], "거래량")
@example(["", "-3"], "현재가")
def test_arrays_are_what_frames_say(texts: list[str], name: str) -> None:
    clean = [each.replace("\t", "") for each in texts]
    text = clean[0] if len(set(clean)) == 1 else "\t".join(clean)
    column = Column(name, len(clean), text)
    assert column.values == clean
    series = frames.frame([name], [[each] for each in clean], as_numbers=True)[name]
    pd.testing.assert_series_equal(column.series(as_numbers=True), series, check_names=False)
    array, plain = column.array(as_numbers=True), column.array(as_numbers=False)
    assert list(plain) == clean
    if series.dtype == object:
        assert list(array) == clean
    else:
        np.testing.assert_array_equal(array.astype(float), series.astype(float).to_numpy(dtype=float, na_value=np.nan))
    arrow = column.arrow(as_numbers=True).to_pylist()
    assert arrow == [None if pd.isna(each) else each for each in series.tolist()]


def test_schemas_are_numbered_once_and_not_kept_without_end() -> None:
    schemas = Schemas()
    first = schemas.of(tick("주식체결", "005930", "", "", ""))
    assert schemas.of(tick("주식체결", "000660", "", "", "")) is first
    numbers = {schemas.of(Tick(1, Lane("005930", f"{each}", OTHER), "", ("",))).number for each in range(MOST_SCHEMAS)}
    again = schemas.of(tick("주식체결", "005930", "", "", ""))
    assert again.number not in {first.number, *numbers}


def test_ticks_of_one_kind_are_one_table_and_others_must_be_named() -> None:
    trade, quote = (
        tick("주식체결", "005930", "093000", "-71500", "+3"),
        tick("주식호가잔량", "005930", "093000", "+71600"),
    )
    batch = batch_of([[trade, quote], [trade]])
    assert repr(batch) == "<Batch of 3: 2 x 주식체결, 1 x 주식호가잔량>"
    assert batch.to_pandas("주식체결").to_dict("list") == {
        "code": ["005930"] * 2,
        "체결시간": ["093000"] * 2,
        "현재가": [71500] * 2,
        "거래량": [3] * 2,
    }
    assert list(batch.to_numpy("주식호가잔량")["매도호가1"]) == [71600]
    assert batch.to_arrow("주식체결").to_pydict()["position"] == [0, 2]
    with pytest.raises(InvalidArgument, match=r"there are: 주식체결, 주식호가잔량"):
        batch.to_pandas()
    with pytest.raises(InvalidArgument, match="none"):
        Batch(()).to_pandas()


def test_a_batch_says_what_it_has_not() -> None:
    batch = Decoder().batch(v1.EventBatch.FromString(missed({"005930": 3, "000660": 2})))
    assert (batch.missed, len(batch)) == ({"005930": 3, "000660": 2}, 0)


@settings(max_examples=40)
@given(st.one_of(ticks(), EVENTS))
def test_an_event_of_a_server_without_batches_is_a_batch_of_its_own(each: Any) -> None:
    batch = single(compatible(each))
    assert list(batch.as_events()) == as_listened([each])
    assert list(batch) == as_real([each])


DOCS = Path(__file__).parents[2] / "docs" / "streams.md"


@settings(max_examples=30)
@given(st.lists(ticks(), min_size=1, max_size=10))
def test_the_function_of_the_documentation_reads_tables(run: list[Tick]) -> None:
    (program,) = re.findall(r"^```python\n(from koapy.protocol.*?)^```$", DOCS.read_text("utf-8"), re.M | re.S)
    namespace: dict[str, Any] = {}
    exec(program, namespace)
    schemas = Schemas()
    for piece in schemas.pieces(run):
        told = [each for schema in piece.schemas for each in v1.EventBatch.FromString(schema.encoded).schemas]
        (segment,) = v1.EventBatch.FromString(piece.encoded).segments
        read = [iter(namespace["rows"](schema, table)) for schema, table in zip(told, segment.tables, strict=True)]
        order = segment.order or bytes(len(run))
        assert [next(read[number]) for number in order] == [
            (each.code, dict(zip(each.names, each.values, strict=True))) for each in run
        ]
