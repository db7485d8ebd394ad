"""The simulation writes every field as it was recorded, on both servers."""

from __future__ import annotations

from functools import cache

import pytest
from conformance.__main__ import main
from conformance.judge import CONFORMING, DEVIATING, EXPLAINED, UNSEEN, catalogue, exemptions, report, verdicts
from conformance.samples import Field
from conformance.scenario import Work, work

from koapy.openapi.tr import trs

SERVERS = ("mock", "real")


OF_ACCOUNTS = frozenset(each.code.lower() for each in trs() if "계좌번호" in each.input_names)


@cache
def found(server):
    """What is said of the fields; of the real server only accounts and orders, which it may write in its own way."""
    told = work(server) if server == "mock" else work(server, OF_ACCOUNTS, day=False)
    return list(verdicts(told, server))


@pytest.mark.parametrize("server", SERVERS)
def test_nothing_deviates_without_a_reason(server):
    assert [str(each) for each in found(server) if each.outcome == DEVIATING] == []


@pytest.mark.parametrize("server", SERVERS)
def test_the_report_lists_every_field_of_the_catalogue(server):
    listed = {each.field for each in found(server)}
    assert set(catalogue()) <= listed
    lines = report(found(server), server).splitlines()
    assert sum(each.outcome == CONFORMING for each in found(server)) > (2200 if server == "mock" else 500)
    assert len(lines) > len(catalogue())


def test_every_exemption_is_needed():
    used = {each.reason for server in SERVERS for each in found(server) if each.outcome == EXPLAINED}
    assert {each.reason for each in exemptions()} - used == set()


def judge(field, *values):
    told = Work()
    told.told[field] = list(values)
    return next(each for each in verdicts(told, "mock") if each.field == field)


def test_a_wrong_value_deviates():
    field = Field("real", "주식체결", "", "10")
    assert judge(field, "-77000", " 9960").outcome == CONFORMING
    wrong = judge(field, "-77000", "77000.0")
    assert (wrong.outcome, wrong.values) == (DEVIATING, ("77000.0",))


def test_what_was_never_recorded_is_compared_with_its_fid_elsewhere():
    field = Field("tr", "opt10070", "single", "매도거래원수량1")
    assert judge(field, "500").outcome == UNSEEN
    assert judge(field, "500").reason == ""
    assert "elsewhere" in judge(field, "-500").reason


def test_what_was_never_recorded_is_judged_by_what_is_said_of_it():
    field = Field("tr", "opt10063", "multi", "순매수수량")
    assert judge(field, "+213472", "0").outcome == CONFORMING
    assert judge(field, "213472").outcome == DEVIATING


def test_messages_and_phases_are_judged():
    told = Work()
    told.phases = ["1 x 0 083000 003000", "1 x 3 090000 000000"]
    outcomes = [each.outcome for each in verdicts(told, "mock") if each.field.kind == "phase"]
    assert outcomes[:2] == [CONFORMING, DEVIATING]


def test_the_report_of_one_tr(capsys):
    assert main(["opt10004", "--server", "mock"]) == 0
    printed = capsys.readouterr().out
    assert "tr/opt10004/multi/매도최우선호가" in printed
    assert "opt10001" not in printed
