"""A word finds what a reader looks for, best first."""

from __future__ import annotations

import pytest

from koapy.openapi.search import search


@pytest.mark.parametrize(
    ("word", "kind", "key"),
    [
        ("주식일봉차트조회요청", "tr", "opt10081"),
        ("주식일봉", "tr", "opt10081"),
        ("OPT10081", "tr", "opt10081"),
        ("주식체결", "realtype", "주식체결"),
        ("현재가", "fid", "10"),
        ("10", "fid", "10"),
        ("추정예탁자산", "field", "추정예탁자산"),
        ("sendorder", "function", "SendOrder"),
        ("onreceivemsg", "event", "OnReceiveMsg"),
        ("-200", "error", "-200"),
        ("op_err_sise_overflow", "error", "-200"),
        ("과부하", "error", "-200"),
        ("삼성전자", "issue", "005930"),
        ("005930", "issue", "005930"),
        ("kodex 200", "issue", "069500"),
    ],
)
def test_best_hit(word: str, kind: str, key: str) -> None:
    best = search(word)[0]
    assert (best.kind, best.key) == (kind, key)
    assert best.text


def test_whole_names_before_beginnings_before_the_rest() -> None:
    keys = [hit.key for hit in search("주식체결") if hit.kind == "realtype"]
    assert keys[0] == "주식체결"
    assert "ECN주식체결" in keys


def test_every_word_must_occur() -> None:
    hits = search("예수금 요청")
    assert hits[0].key == "opw00001"
    assert all("예수금" in hit.text and "요청" in hit.text for hit in hits)


@pytest.mark.parametrize("word", ["", "   ", "없는말없는말"])
def test_nothing_found(word: str) -> None:
    assert search(word) == []
