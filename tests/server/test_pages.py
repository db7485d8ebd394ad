"""Pages that are encoded at once: protobuf's own bytes, whatever the cells hold."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import encoding, pages
from koapy.server.events import ReceiveTrData, Table
from koapy.server.pages import Page, page

TEXTS = st.one_of(
    st.from_regex(r"[ ]{0,9}[+-]?[0-9]{0,9}[ ]{0,3}", fullmatch=True),
    st.text(st.sampled_from(" \t\n\x01\x12\x1c\x7f가ㄱA0-\u00a0\u3000\u2003\u2010\u0085"), max_size=8),
    st.text(max_size=150),
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Some rows, repeated until they are worth an array; a row longer than its length's first byte among them."""
    width = draw(st.integers(1, 20))
    rows = draw(st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1, max_size=6))
    return rows * draw(st.sampled_from([1, pages.SMALL // len(rows) // width + 1]))


def names_of(rows: list[list[str]]) -> tuple[str, ...]:
    return tuple(f"열{number}" for number in range(len(rows[0])))


def is_utf8(rows: list[list[str]]) -> bool:
    try:
        "".join("".join(row) for row in rows).encode()
    except UnicodeEncodeError:
        return False
    return True


@settings(deadline=None)
@given(tables())
@example([[""] * 15] * 600)
@example([[f"{number:>12}" for number in range(15)]] * 600)
@example([["삼성 전자", " 1"]] * 300)
@example([["가" * 42 + "ab"]] * 600)
@example([["가" * 42 + "a"]] * 600)
@example([["a" * 123], ["a" * 125], ["a" * 126], ["a" * 127], ["a" * 128], ["a"]] * 100)
@example([["a" * 126]] * 600)
@example([["a" * 127] * 127] * 4)
@example([["a" * 127] * 128] * 4)
@example([["·", " 삼성전자", "㈜ "]] * 300)
@example([["\n", "\x12\x01\x01"]] * 300)
@example([["a\0b", "c"]] * 300)
def test_a_page_is_encoded_as_protobuf_does_it(rows: list[list[str]]) -> None:
    names, stripped = names_of(rows), tuple(tuple(cell.strip() for cell in row) for row in rows)
    if not is_utf8(rows):
        with pytest.raises(UnicodeEncodeError):
            page(names, rows)
        return
    read = page(names, rows)
    assert read is not None
    assert read.rows == stripped
    wanted = pb.MultiData(names=names, values=[pb.RepeatedString(values=row) for row in stripped])
    assert read.multi == pb.ListenResponse(multi_data=wanted).SerializeToString()


@pytest.mark.parametrize("size", [0, 2, 126, 128, 16382, 16384, 2_097_150, 2_097_152])
def test_a_field_is_framed_as_protobuf_does_it(size: int) -> None:
    body = b"\x0a\x00" * (size // 2)  # names without a letter
    message = pb.ListenResponse(multi_data=pb.MultiData.FromString(body))
    assert encoding.multi(body[: size // 4], body[size // 4 :]) == message.SerializeToString()


@pytest.mark.parametrize("rows", [[["a", "b"], ["c"]], [["a", 1]], [["a"], ["b", "c"]]])
def test_what_is_no_table_of_texts_is_no_page(rows: list[list[str]]) -> None:
    assert page(("하나", "둘"), rows) is None


@pytest.mark.parametrize("single", [None, Table(("종목코드",), (("005930",),))])
def test_an_answer_with_a_page_is_the_message_that_a_table_makes(single: Table | None) -> None:
    rows = [[f" {number}", "+71500"] for number in range(400)]
    read = page(("일자", "현재가"), rows)
    assert isinstance(read, Page)
    given = ("0101", "일봉", "opt10081", "", "2", single)
    paged = ReceiveTrData(*given, read)
    tabled = ReceiveTrData(*given, Table(read.names, read.rows))
    assert paged.encoded == tabled.encoded == tabled.message.SerializeToString()
