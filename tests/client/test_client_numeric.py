"""The rules by which OpenAPI+'s texts become numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.client import numeric
from koapy.client.numeric import column, is_text, number, values


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("현재가", "-77000", 77000),
        ("현재가", "+77000", 77000),
        ("매도1차호가", "+1230", 1230),
        ("매도호가1", "-1230", 1230),
        ("250최저", "-68300", 68300),
        ("주문가격", "0", 0),
        ("예상체결가", "-0", 0),
        ("매입단가", "00000000070000", 70000),
        ("시간외단일가_현재가", "-77300", 77300),
        ("전일대비", "-500", -500),
        ("등락율", "-0.65", -0.65),
        ("거래량", "+3", 3),
        ("거래량", "-262", -262),
        ("거래량", " 9960", 9960),
        ("개인", "--56911", -56911),
        ("개인", "+-56911", -56911),
        ("개인", "-+56911", 56911),
        ("총평가손익금액", "-00000000433530", -433530),
        ("총수익률(%)", "-00000006.69", -6.69),
        ("비율", ".5", 0.5),
        ("조회건수", "0004", 4),
        ("현재가", "", None),
        ("현재가", "-", None),
        ("현재가", "1,000", None),
        ("현재가", "삼성전자", None),
        ("현재가", "1.", None),
    ],
)
def test_a_number(name, text, expected):
    assert number(name, text) == expected
    assert type(number(name, text)) is type(expected)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "종목코드",
            "계좌번호",
            "주문번호",
            "원주문번호",
            "종목번호",
            "일자",
            "기준일자",
            "체결시간",
            "주문/체결시간",
        ),
        *(
            "시간",
            "대비기호",
            "전일대비기호",
            "매매구분",
            "거래소구분명",
            "상장일",
            "250최고가일",
            "결산월",
            "관리사번",
        ),
        *("매도거래원코드1", "일자1", "시간n", "신용구분", "만기일", "대출일", "만기년월", "최종거래일"),
    ],
)
def test_what_names_something_stays_text(name):
    assert is_text(name)
    assert column(name, ["000123"]) is None


@pytest.mark.parametrize(
    "name",
    [
        *("현재가", "거래량", "등락율", "시간외단일가_현재가", "시간외매도잔량", "시간가치", "영업일기준잔존일"),
        *("당일매매수수료", "비차익거래당일", "매도호가", "예수금", "PER", "체결강도"),
    ],
)
def test_what_counts_or_measures_does_not(name):
    assert not is_text(name)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "-2"], [1, -2]),
        (["1", "2.5"], [1, 2.5]),
        (["", "2"], [None, 2]),
        (["", ""], None),
        ([], None),
        (["1", "정상"], None),
    ],
)
def test_a_column_is_numbers_or_text_as_a_whole(texts, expected):
    assert column("거래량", texts) == expected


def test_a_single_row_keeps_its_texts():
    row = {"종목코드": "005930", "종목명": "삼성전자", "현재가": "-77000", "PER": "20.05", "시가총액비중": ""}
    assert values(row) == row | {"현재가": 77000, "PER": 20.05}


@given(st.integers(-(10**15), 10**15), st.integers(0, 15))
def test_padding_changes_nothing(value, width):
    sign = "-" if value < 0 else ""
    text = f"{sign}{abs(value):0{width}}"
    assert number("평가손익", text) == value
    assert number("현재가", f" {text} ") == abs(value)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_none(text):
    for name in ("현재가", "거래량"):
        assert number(name, text) is None or isinstance(number(name, text), int | float)


def test_whole_numbers():
    assert numeric.whole([1, None, 3])
    assert not numeric.whole([1, 2.0])
