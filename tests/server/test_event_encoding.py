"""Events as bytes: protobuf's own, whatever their arguments and data hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.events import EventConnect, ReceiveChejanData, ReceiveMsg, ReceiveTrCondition, ReceiveTrData, Table

if TYPE_CHECKING:
    from koapy.server.events import Event

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1)
ROW = st.lists(TEXTS, min_size=1, max_size=4).map(tuple)


def _chejan(gubun: str, count: int, row: tuple[str, ...]) -> ReceiveChejanData:
    fids = tuple(range(9201, 9201 + len(row)))
    names = tuple(f"이름{fid}" for fid in fids)
    return ReceiveChejanData(gubun, count, ";".join(map(str, fids)), names, dict(zip(fids, row, strict=True)))


def _answer(texts: list[str], row: tuple[str, ...] | None) -> ReceiveTrData:
    screen, request, tr_code, record, prev_next = texts
    single = None if row is None else Table(tuple(f"열{at}" for at in range(len(row))), (row,))
    return ReceiveTrData(screen, request, tr_code, record, prev_next, single)


EVENTS = st.one_of(
    st.lists(TEXTS, min_size=4, max_size=4).map(lambda texts: ReceiveMsg(*texts)),
    st.builds(_answer, st.lists(TEXTS, min_size=5, max_size=5), st.none() | ROW),
    st.builds(_chejan, TEXTS, NUMBERS, ROW),
    st.builds(EventConnect, NUMBERS),
    st.builds(ReceiveTrCondition, TEXTS, TEXTS, TEXTS, NUMBERS, NUMBERS),
)


def _expected(event: Event, *, with_data: bool) -> pb.ListenResponse:
    message = pb.ListenResponse(name=event.name, sequence=event.sequence)
    for value in event.arguments:
        message.arguments.append(
            pb.Argument(string_value=value) if isinstance(value, str) else pb.Argument(long_value=value)
        )
    if with_data and isinstance(event, ReceiveChejanData):
        message.single_data.CopyFrom(pb.SingleData(names=event.names, values=event.by_fid.values()))
    if with_data and isinstance(event, ReceiveTrData) and event.single is not None:
        message.single_data.CopyFrom(pb.SingleData(names=event.single.names, values=event.single.rows[0]))
    return message


@given(EVENTS, st.integers(0, 1 << 40))
def test_an_event_is_encoded_as_protobuf_does_it(event: Event, sequence: int) -> None:
    event = event.numbered(sequence, datetime(2026, 11, 23, tzinfo=UTC))
    expected = _expected(event, with_data=True)
    assert event.encoded == expected.SerializeToString()
    assert event.message == expected
    assert event.bare == _expected(event, with_data=False).SerializeToString()
