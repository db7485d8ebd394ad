"""Tables stand straight: every column begins and ends at the same terminal cell in every line."""

import io
import json
import unicodedata
from datetime import time

import pytest
from rich.console import Console
from rich.text import Text

from koapy.cli.output import (
    FALLEN,
    RISEN,
    cell,
    change,
    console,
    record,
    show,
    signed,
    table,
    without_blank_columns,
    write_json,
)
from koapy.cli.streams import tick_line
from koapy.client import Tick
from koapy.openapi.listing import listing
from koapy.openapi.realtype import real_types
from koapy.openapi.tr import trs


def width(line: str) -> int:
    """Terminal cells of a line, by the rule of wcwidth: wide and full width 2, combining 0, the rest 1."""
    return sum(
        0 if unicodedata.combining(each) or unicodedata.category(each) in {"Mn", "Cf"} else
        2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in line
    )  # fmt: skip


def starts(line: str, words: list[str]) -> list[int]:
    """The cell at which each of `words` begins, looked for from left to right."""
    found, at = [], 0
    for word in words:
        at = line.index(word, at)
        found.append(width(line[:at]))
        at += len(word)
    return found


def plain(*parts: object) -> list[str]:
    stream = io.StringIO()
    show(*parts, to=console(stream))
    return stream.getvalue().splitlines()


def terminal(room: int) -> Console:
    return Console(file=io.StringIO(), width=room, force_terminal=True, color_system=None, highlight=False)


ROWS = [
    ["삼성전자", "KOSPI", "가"],
    ["KODEX 200선물인버스2X", "ETF", "나 다"],
    ["㈜한화·①±→∼", "코스닥", "라"],
    ["ＡＢＣ（전각）", "x", "é"],
    ["", "", "끝"],
]


def test_columns_begin_at_the_same_cell_in_every_line() -> None:
    lines = plain(*table(("종목명", "market", "비고"), ROWS))
    assert len(lines) == len(ROWS) + 2
    edges = starts(lines[0], ["종목명", "market", "비고"])
    for row, line in zip(ROWS, lines[2:], strict=True):
        if all(row):
            assert starts(line, row) == edges


def test_columns_of_numbers_end_at_the_same_cell() -> None:
    rows = [["삼성전자", "+71,500"], ["SK하이닉스", "-1,234,500"], ["카카오", ""]]
    lines = plain(*table(("종목명", "현재가"), rows))
    assert {width(line) for line in lines if line.endswith(("가", "0"))} == {
        width("SK하이닉스") + 2 + len("-1,234,500")
    }


def test_decomposed_hangul_and_control_characters_take_the_room_that_is_shown() -> None:
    decomposed = unicodedata.normalize("NFD", "삼성전자")
    lines = plain(*table(("a", "b"), [[decomposed, "x"], ["tab\there", "y"]]))
    assert lines[2] == "삼성전자  x"
    assert lines[3] == "tab here  y"


def test_output_that_is_no_terminal_has_no_colour_no_cut_and_no_blanks_at_the_end() -> None:
    rows = [["가" * 300, signed("+12"), "end"], ["나", signed("-3"), ""]]
    lines = plain(*table(("long", "number", "last"), rows))
    assert "가" * 300 in lines[2]
    assert "\x1b" not in "".join(lines)
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("room", [20, 40, 60, 80])
def test_a_table_too_wide_for_the_terminal_is_cut_into_blocks_of_columns(room: int) -> None:
    names = [f"항목{index:02}" for index in range(30)]
    target = terminal(room)
    parts = table(names, [[f"값{index}" for index in range(30)], ["줄"] + ["-"] * 29], to=target)
    show(*parts, to=target)
    shown = target.file.getvalue()  # type: ignore[attr-defined]
    assert len(parts) > 1
    assert all(width(line.rstrip()) <= room for line in shown.splitlines())
    assert all(name in shown for name in names)
    assert shown.count("항목00") == len([part for part in parts if part])


def test_every_name_of_the_catalogue_is_as_wide_as_it_is_measured() -> None:
    names = {name for tr in trs() for name in (tr.name, *tr.input_names, *tr.single_names, *tr.multi_names)}
    names |= {issue.name for issue in listing()} | {each.name for each in real_types()}
    assert [name for name in names if cell(name).cell_len != width(cell(name).plain)] == []


def test_one_value_wider_than_the_terminal_is_folded_not_cut() -> None:
    target = terminal(30)
    show(*table(("a", "b"), [["x", "긴" * 40]], to=target), to=target)
    assert target.file.getvalue().count("긴") == 40  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "style"),
    [("+71500", RISEN), ("-71500", FALLEN), ("71500", ""), ("+0.42", RISEN), ("-", ""), ("+매수", "")],
)  # fmt: skip
def test_sign_gives_the_colour(value: str, style: str) -> None:
    assert signed(value) == Text(value, style)
    assert signed(value).style == style


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(1200, "", "+1,200"), (-1200, "", "-1,200"), (0, "", "0"), (0.0, "%", "0.00%"), (-0.83, "%", "-0.83%")],
)  # fmt: skip
def test_change_has_a_sign_where_there_is_one(value: float, unit: str, shown: str) -> None:
    assert change(value, unit) == shown


def test_record_lines_up_its_values() -> None:
    lines = plain(*record([("종목명", "삼성전자"), ("PER", "12.3")], title="005930"))
    assert lines[0] == "005930"
    assert starts(lines[1], ["삼성전자"]) == starts(lines[2], ["12.3"])


def test_markup_in_a_value_is_no_markup() -> None:
    assert "[bold]x[/bold] [100000] 완료" in plain(cell("[bold]x[/bold] [100000] 완료"))[0]
    assert plain("[red]x")[0] == "[red]x"


def test_blank_columns_are_named_not_shown() -> None:
    assert without_blank_columns(["a", "b", "c"], [["1", " ", ""], ["2", "", "x"]]) == (
        ["a", "c"],
        [["1", ""], ["2", "x"]],
        ["b"],
    )


def test_json_is_korean_text_and_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"종목명": "삼성전자"})
    shown = capsys.readouterr().out
    assert "삼성전자" in shown
    assert json.loads(shown) == {"종목명": "삼성전자"}


@pytest.mark.parametrize(
    ("kind", "values", "shown"),
    [
        (
            "주식체결",
            {"현재가": "-71500", "전일대비": "-500", "등락율": "-0.69", "거래량": "+12"},
            "09:00:01  005930  삼성전자         71,500     -500   -0.69%       +12",
        ),
        (
            "주식호가잔량",
            {"매수호가1": "-71400", "매수수량1": "10", "매수호가총잔량": "100", "매도호가1": "-71500"},
            "09:00:01  005930  삼성전자    bid     71,400 x 10        of 100          ask     71,500 x 0         of 0",
        ),
        (
            "주식시세",
            {"현재가": "71500", "거래량": "0", "등락율": "0.00", "x": ""},
            "09:00:01  005930  삼성전자    주식시세  현재가=71500",
        ),
    ],
)  # fmt: skip
def test_a_tick_is_a_line(kind: str, values: dict[str, str], shown: str) -> None:
    tick = Tick("005930", kind, time(9, 0, 1), values)
    assert tick_line(tick, "삼성전자", 10).plain == shown
