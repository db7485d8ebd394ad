"""The candle chart: where a candle stands, and in which colour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from koapy.cli.chart import PITCH, Candle, candle_chart
from koapy.cli.output import FALLEN, RISEN


def styles(chart: Text) -> set[str]:
    return {str(span.style) for span in chart.spans}


@pytest.mark.parametrize(("opened", "closed", "colour"), [(100, 110, RISEN), (110, 100, FALLEN), (105, 105, "")])
def test_red_rises_and_blue_falls(opened: int, closed: int, colour: str) -> None:
    chart = candle_chart([Candle("01-02", opened, 120, 90, closed, 10)], height=4)
    assert styles(chart) - {"dim"} == ({colour} if colour else set())


def test_one_candle_fills_its_column() -> None:
    lines = candle_chart([Candle("01-02", 10, 80, 10, 50, 10)], height=4).plain.splitlines()
    assert [line.split("0 ")[-1].strip() for line in lines[:4]] == ["│", "╽", "┃", "┃"]
    assert lines[4].split() == ["volume", "█"]
    assert lines[5].strip() == "01-02"


def test_no_bars_is_said() -> None:
    assert candle_chart([]).plain == "no bars"


prices = st.integers(1, 3_000_000)
candles = st.builds(
    lambda four, volume: Candle("11-20", four[1], four[3], four[0], four[2], volume),
    st.lists(prices, min_size=4, max_size=4).map(sorted),
    st.integers(0, 10**9),
)


@given(st.lists(candles, min_size=1, max_size=40), st.integers(2, 20))
def test_any_bars_give_a_full_picture(bars: list[Candle], height: int) -> None:
    lines = candle_chart(bars, height).plain.splitlines()
    assert len(lines) == height + 2
    assert len({len(line) for line in lines[: height + 1]}) == 1
    margin = len(lines[0]) - PITCH * len(bars)
    for index in range(len(bars)):
        column = [line[margin + PITCH * index + 1] for line in lines[:height]]
        drawn = "".join(column).strip()
        assert drawn
        assert " " not in drawn
        assert set(drawn) & set("┃╻╹╽╿")
