"""Texts of OnReceiveMsg taken apart."""

from __future__ import annotations

import pytest

from koapy.server.machines.messages import Told, parse

ERRORS = [
    ("서비스 TR을 확인바랍니다.(0006)", "0006", "서비스 TR을 확인바랍니다."),
    ("[570001] 서비스 TR을 확인바랍니다.(0006)", "0006", "서비스 TR을 확인바랍니다."),
    ("시세조회 과부하 (-200)", -200, "시세조회 과부하"),
    (" 시세조회 과부하(-200) ", -200, "시세조회 과부하"),
    ("(-200)", -200, ""),
    ("Fail to parse Request TR", -202, "Fail to parse Request TR"),
]

FINE = [
    ("[100000] 모의투자 조회완료", "100000", "모의투자 조회완료"),
    ("[100000] 조회가 완료되었습니다.", "100000", "조회가 완료되었습니다."),
    ("[00Z310] 모의투자 조회가 완료되었습니다", "00Z310", "모의투자 조회가 완료되었습니다"),
    ("[RC4025] 모의투자 매수증거금이 부족합니다.", "RC4025", "모의투자 매수증거금이 부족합니다."),
    ("(RC4003:모의투자 호가단위 오류입니다.)", "RC4003", "모의투자 호가단위 오류입니다."),
    ("RC9000: 모의투자에서는 해당업무가 제공되지 않습니다", "RC9000", "모의투자에서는 해당업무가 제공되지 않습니다"),
    ("조회할 자료가 없습니다.", "", "조회할 자료가 없습니다."),
    ("", "", ""),
    # The number must be alone in the first parenthesis of the text, and the text must end with it.
    ("연속조회(2) 가능합니다", "", "연속조회(2) 가능합니다"),
    ("종목(주식)을 확인하세요(0006)", "", "종목(주식)을 확인하세요(0006)"),
    ("수수료(0.015%)", "", "수수료(0.015%)"),
    ("수량(10주)", "", "수량(10주)"),
    ("코드 -200", "", "코드 -200"),
    ("()", "", "()"),
]


@pytest.mark.parametrize(("text", "code", "told"), ERRORS)
def test_errors(text: str, code: int | str, told: str) -> None:
    assert parse(text) == Told(code, told, is_error=True)


@pytest.mark.parametrize(("text", "code", "told"), FINE)
def test_no_errors(text: str, code: str, told: str) -> None:
    assert parse(text) == Told(code, told, is_error=False)
