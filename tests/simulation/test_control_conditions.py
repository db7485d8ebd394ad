"""Condition search."""

from __future__ import annotations

import pytest

LARGE, SMALL, STRONG, WEAK = "대형 저평가 우량주", "중소형 저평가주", "당일 강세주", "당일 약세주"


@pytest.fixture
def loaded(start):
    program = start(market_size=120).login()
    assert program.call("GetConditionLoad") == 1
    assert [(each.name, each.arguments) for each in program.advance(1)] == [("OnReceiveConditionVer", (1, ""))]
    return program


def test_names_are_known_once_loaded(program):
    assert program.call("GetConditionNameList") == ""
    program.call("GetConditionLoad")
    program.advance(1)
    assert program.call("GetConditionNameList") == f"000^{LARGE};001^{SMALL};002^{STRONG};003^{WEAK};"


def test_a_search_must_wait_for_the_conditions(program):
    assert program.call("SendCondition", "4000", LARGE, 0, 0) == 0
    assert program.advance(1) == []


@pytest.mark.parametrize(("name", "index"), [(LARGE, 0), (SMALL, 1)])
def test_a_search_finds_codes_of_the_market(loaded, name, index):
    assert loaded.call("SendCondition", "4000", name, index, 0) == 1
    [hits] = loaded.advance(1)
    assert hits.name == "OnReceiveTrCondition"
    assert (hits.arguments[0], *hits.arguments[2:]) == ("4000", name, index, 0)
    codes = hits.arguments[1].removesuffix(";").split(";")
    assert len(codes) == 20
    assert codes == sorted(set(codes))
    assert all(loaded.call("GetMasterCodeName", code) for code in codes)
    assert loaded.advance(120) == []


def test_the_two_kinds_of_cheap_share_nothing(loaded):
    loaded.call("SendCondition", "4000", LARGE, 0, 0)
    loaded.call("SendCondition", "4001", SMALL, 1, 0)
    large, small = (set(each.arguments[1].split(";")) - {""} for each in loaded.advance(1))
    assert not large & small


@pytest.mark.parametrize(
    ("name", "index", "kind", "screen"),
    [
        (LARGE, 1, 0, "4000"),
        ("없는 조건", 0, 0, "4000"),
        (LARGE, 9, 0, "4000"),
        (LARGE, -1, 0, "4000"),
        (WEAK, -1, 0, "4000"),
        (LARGE, 0, 3, "4000"),
        (LARGE, 0, 0, "0000"),
    ],
)
def test_searches_that_cannot_be_made(loaded, name, index, kind, screen):
    assert loaded.call("SendCondition", screen, name, index, kind) == 0
    assert loaded.advance(1) == []


def test_the_same_condition_waits_a_minute(loaded):
    assert loaded.call("SendCondition", "4000", LARGE, 0, 0) == 1
    loaded.advance(59)
    assert loaded.call("SendCondition", "4000", LARGE, 0, 0) == 0
    assert loaded.call("SendCondition", "4000", SMALL, 1, 0) == 1
    loaded.advance(1)
    assert loaded.call("SendCondition", "4000", LARGE, 0, 0) == 1


def test_searches_count_as_requests(loaded):
    loaded.advance(1 - loaded.clock.now().microsecond / 1e6)
    for _ in range(5):
        assert loaded.ask("opt10001", 종목코드="005930") == 0
    assert loaded.call("SendCondition", "4000", LARGE, 0, 0) == -200


def test_hits_come_and_go_with_the_market(loaded):
    loaded.call("SendCondition", "4000", STRONG, 2, 1)
    [first] = loaded.advance(0.02)
    hits = set(first.arguments[1].split(";")) - {""}
    signals = [each for each in loaded.advance(120) if each.name == "OnReceiveRealCondition"]
    assert signals
    for each in signals:
        code, kind, name, index = each.arguments
        assert (name, index) == (STRONG, "002")
        # I only for what was out, D only for what was in.
        assert (code in hits) == (kind == "D")
        hits ^= {code}
    now = loaded.control.submit(
        lambda: {c for c in loaded.world.exchange.instruments if loaded.world.exchange.quote(c).rate >= 1}
    )
    loaded.advance(0)
    assert len(now.result() ^ hits) <= 5


def test_a_stopped_condition_is_silent(loaded):
    loaded.call("SendCondition", "4000", STRONG, 2, 1)
    loaded.advance(1)
    loaded.call("SendConditionStop", "4000", WEAK, 3)
    assert loaded.advance(120)
    loaded.call("SendConditionStop", "4000", STRONG, 2)
    assert loaded.advance(120) == []


def test_a_second_condition_on_a_screen_stops_the_first(loaded):
    loaded.call("SendCondition", "4000", STRONG, 2, 1)
    loaded.advance(1)
    loaded.call("SendCondition", "4000", WEAK, 3, 1)
    assert {each.arguments[2] for each in loaded.advance(120)} == {WEAK}


def test_prices_can_be_added_to_the_codes(loaded):
    loaded.call("KOA_Functions", "SetConditionSearchFlag", "AddPrice")
    loaded.call("SendCondition", "4000", LARGE, 0, 0)
    [hits] = loaded.advance(1)
    pairs = [each.split("^") for each in hits.arguments[1].removesuffix(";").split(";")]
    assert all(int(price) > 0 for _, price in pairs)
    loaded.call("KOA_Functions", "SetConditionSearchFlag", "DelPrice")
    loaded.call("SendCondition", "4000", SMALL, 1, 0)
    assert "^" not in loaded.advance(1)[0].arguments[1]
