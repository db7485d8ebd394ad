"""The rules take what was recorded, and nothing that is written in another way."""

from __future__ import annotations

import json

import pytest
from conformance.forms import Class, Items, Literal, Number, Rule, Text, derive, parse
from conformance.recordings import collect
from conformance.samples import CONTROL, RULES, STRIPPED, Field, Sample, load, rules, says_nothing, table, write
from conformance.signs import disagreements
from hypothesis import given
from hypothesis import strategies as st

TEXTS = ("phase", "message")
"""Kinds whose rules are the recorded texts themselves."""


def judged(sample):
    """The rule of a sample's field on its server, whatever it was derived from."""
    known = table()
    return next(known[sample.field, of] for of in (sample.server, "", "mock", "real") if (sample.field, of) in known)


def proven():
    """Samples that are of the best reading of their field: others may differ from them."""
    return [each for each in load() if judged(each).read == each.read]


def test_rules_are_those_that_follow_from_the_samples():
    assert RULES.read_text(encoding="utf-8") == write(rules(load())), "run.py conformance rules"


def test_rules_accept_every_sample():
    samples = proven()
    assert len(samples) > 2000
    for each in samples:
        rule = judged(each).rule
        for value in each.values:
            # The blank of a neutral sign may have been lost.
            assert rule.accepts(value) or (each.read == STRIPPED and rule.accepts(f" {value}")), (each.field, value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: f"{value}.125",
        lambda value: f"+{value}" if value[0] in "+-" else f"*{value}",
        lambda value: f"{value},000",
        lambda value: f"{value}원",
        lambda value: f"0{value}" if value[0].isdigit() else f"{value[0]}0{value[1:]}",
        lambda value: f"{value} {value}",
    ],
)
def test_rules_refuse_numbers_that_are_written_in_another_way(spoil):
    """Decimals, a sign, a separator, a unit, a zero in front, a blank within."""
    spoilt = 0
    for each in proven():
        rule = judged(each).rule
        if each.field.kind in TEXTS or not all(isinstance(form, Number | Literal) for form in rule.forms):
            continue
        for value in filter(str.strip, each.values):
            if rule.accepts(value):
                spoilt += 1
                assert not rule.accepts(spoil(value)), (each.field, value, str(rule))
    assert spoilt > 1500


def test_rules_refuse_the_wrong_width_of_filled_numbers():
    filled = [
        (form, value)
        for each in proven()
        for form in judged(each).rule.forms
        for value in each.values
        if isinstance(form, Number) and form.fill and form.accepts(value)
    ]
    assert len(filled) > 150
    for form, value in filled:
        assert not form.accepts(value[1:])
        assert value.lstrip("-")[0] != "0" or not form.accepts(value.lstrip("-0") or "0")


NUMBERS = st.builds(
    Number,
    st.sampled_from(["", "-", "±", "±_", "±?", "±±", "±!", "±±!", "?"]),
    st.sampled_from([0, 4, 12, 15]),
    st.integers(0, 6),
)
SIMPLE = st.one_of(
    NUMBERS,
    st.builds(Text, st.booleans(), st.sampled_from([0, 40])),
    st.sampled_from([Class("time"), Class("A+code"), Literal(""), Literal("-0"), Literal("+0")]),
)
RULES_OF_ALL_KINDS = st.builds(Rule, st.lists(SIMPLE, min_size=1, max_size=4).map(tuple), st.booleans())


@given(st.one_of(RULES_OF_ALL_KINDS, st.builds(lambda rule: Rule((Items(True, rule),)), RULES_OF_ALL_KINDS)))
def test_a_rule_is_read_as_it_is_written(rule):
    if not any(isinstance(form, Items) and len(form.item.forms) > 1 for form in rule.forms):
        assert parse(str(rule)) == rule


@pytest.mark.parametrize(
    ("name", "values", "rule", "right", "wrong"),
    [
        ("현재가", ["-77000", "+77500", " 9960"], "±_9 | '-0'", [" 1", "-0"], ["1", "0", "+0", "+01", "1.0"]),
        ("전일대비", ["-500"], "?9", ["-1", "+1", " 0"], ["--1", "1.5"]),
        ("등락율", ["+0.12", "-1.50", "0.00"], "±9.2", ["0.00", "+1.00"], ["0", " 0.00", "1.000"]),
        ("거래량", ["123", "0"], "9", ["7"], ["-7", "+7", "007", "7 "]),
        ("기금순매수", ["+0", "-59"], "±!9", ["-0", "+59"], ["0", " 0", "59"]),
        ("누적순매수수량", ["--21707", "+5"], "±±9", ["+3", "--3"], ["-3", "- 3", "++3"]),
        (
            "평가손익",
            ["-00000000014867", "000000000072528"],
            "-0{15}",
            ["000000000000000"],
            ["72528", "+00000000072528"],
        ),
        ("손익율", ["-00000006.69"], "-0{12}.2", ["000000011.43"], ["11.43", "0000000011.43"]),
        ("체결시간", ["142905", "000000"], "time", ["235959"], ["1429", "246000"]),
        ("일자", ["20220118", "00000000"], "date | '00000000'", ["19850112"], ["20221301", "220118"]),
        ("종목코드", ["005930"], "code", ["0000J0"], ["A005930", "5930"]),
        ("종목번호", ["A005930"], "A+code", ["Q520009"], ["005930"]),
        ("종목명", ["삼성전자" + " " * 32], "text{40}", ["KD건설" + " " * 34], ["삼성전자"]),
        ("주문구분", ["+매수", "-매도"], "±text", ["+매수정정"], ["매수"]),
        ("전일대비기호", ["2"], "direction", ["5", "0"], ["6", "+"]),
        ("sScrNo", ["8686"], "screen", ["0540"], ["540"]),
        ("", ["005930;000660;"], "each;(code)", ["005930;"], ["005930", ""]),
        ("", ["100|a;101|b"], "join;(text)", ["1|c"], ["1|c;"]),
    ],
)
def test_deriving(name, values, rule, right, wrong):
    found = derive(name, values, stripped=False)
    assert str(found) == rule
    assert [value for value in [*values, *right] if not found.accepts(value)] == []
    assert [value for value in wrong if found.accepts(value)] == []


def test_blanks_are_not_judged_where_they_were_lost():
    rule = derive("현재가", ["+77600", "77500"], stripped=True)
    assert str(rule) == "~ ±9 | '-0'"
    assert rule.accepts(" 77500")


def test_a_price_of_a_tick_has_a_sign_though_only_neutral_ones_were_recorded():
    samples = [
        Sample(Field("real", "주식체결", "", "10"), "", CONTROL, ("13000",)),
        Sample(Field("real", "주식체결", "", "13"), "", CONTROL, ("13000",)),
        Sample(Field("tr", "opt10020", "multi", "현재가"), "", CONTROL, ("13000",)),
        Sample(Field("tr", "opt10081", "multi", "현재가"), "", CONTROL, ("13000",)),
    ]
    found = {(field.name, field.field): each.rule for (field, _), each in rules(samples).items()}
    signed = {key for key, rule in found.items() if rule.accepts("+13050")}
    assert signed == {("주식체결", "10"), ("opt10020", "현재가")}


def test_zeros_say_nothing_of_signs():
    assert says_nothing(derive("거래량", ["0", ""], stripped=False))
    assert not says_nothing(derive("거래량", ["3"], stripped=False))


SIGNED, PLAIN = parse("±_9 | '-0'"), parse("9")


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        ({}, 0),
        ({10: "77000"}, 1),
        ({11: "+500"}, 2),
        ({25: "2"}, 2),
        ({16: "-77600"}, 1),
        ({27: "-77500", 28: " 77600"}, 2),
    ],
)
def test_signs_must_agree(changed, count):
    values = {10: "-77000", 11: "-500", 25: "5", 16: "+77600", 27: "-77100", 28: " 77500"} | changed
    found = list(disagreements(values, dict.fromkeys(values, SIGNED)))
    # A wrong change makes another reference price, by which all prices beside it are wrong as well.
    assert bool(found) == bool(count)
    assert len(found) >= count
    assert list(disagreements(values, dict.fromkeys(values, PLAIN))) == []


def test_recordings_are_taken_in(tmp_path):
    """A folder as recordings come in; the blank row of an answer without rows says nothing."""
    (tmp_path / "rest").mkdir()
    lines = {
        "tr.jsonl": {
            "tr": "OPT10017", "kind": "multi", "note": "NOT stripped", "source": "",
            "rows": [{"종목코드": "000050", "현재가": " 9960"}, {"종목코드": "", "현재가": ""}],
        },
        "realtime.jsonl": {"realtype": "주식우선호가", "raw": "-77000\t+76900", "note": "raw", "source": ""},
        "chejan.jsonl": {"gubun": "0", "values": {"913": "접수", "902": "1"}, "note": "unstripped", "source": ""},
        "message.jsonl": {"msg": "[100000] 모의투자 매수주문완료", "note": "simulation server"},
        "rest/response.jsonl": {
            "api_id": "ka1", "host": "mock", "kind": "recorded", "body": {"rows": [{"nm": "가"}, {"nm": ""}]},
        },
        "rest/websocket.jsonl": {
            "host": "mock", "kind": "recorded",
            "frame": {"trnm": "REAL", "data": [{"type": "0B", "values": {"9081": "KRX"}}]},
        },
        "function.jsonl": {"function": "GetConnectState", "args": [], "returned": "1"},
        "condition.jsonl": {"event": "OnReceiveTrCondition", "args": {"nNext": "0"}},
        "sequence.jsonl": {"name": "day", "events": [["3\t090000\t000000", 1]]},
    }  # fmt: skip
    for name, line in lines.items():
        (tmp_path / name).write_text(json.dumps(line, ensure_ascii=False), encoding="utf-8")
    head = "api_id,direction,list,key,tr_code,tr_record,tr_field,match"
    (tmp_path / "rest/field.csv").write_text(f"{head}\nka1,response,rows,nm,opt10017,multi,종목명,name\n", "utf-8")
    head = "type,name,openapi_realtype,openapi_event"
    (tmp_path / "rest/realtime.csv").write_text(f"{head}\n0B,주식체결,주식체결,OnReceiveRealData\n", "utf-8")
    found = {
        Field(line["kind"], line["name"], line["part"], name): values
        for line in collect(tmp_path, tmp_path)
        for name, values in line["fields"].items()
    }
    assert found == {
        Field("tr", "opt10017", "multi", "종목코드"): ["000050"],
        Field("tr", "opt10017", "multi", "현재가"): [" 9960"],
        Field("tr", "opt10017", "multi", "종목명"): ["가"],
        Field("real", "주식우선호가", "", "27"): ["-77000"],
        Field("real", "주식우선호가", "", "28"): ["+76900"],
        Field("real", "주식체결", "", "9081"): ["KRX"],
        Field("chejan", "0", "접수", "913"): ["접수"],
        Field("chejan", "0", "접수", "902"): ["1"],
        Field("message", "mock", "", "text"): ["[100000] 모의투자 매수주문완료"],
        Field("function", "GetConnectState", "", "returned"): ["1"],
        Field("event", "OnReceiveTrCondition", "", "nNext"): ["0"],
        Field("phase", "장시작시간", "", "00"): ["1 x 3 090000 000000"],
    }
