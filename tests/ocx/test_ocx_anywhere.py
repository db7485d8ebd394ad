"""What of the way to the OCX needs no Wine: the comparison with the catalogue, the plan, the doctor's judgement."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from koapy.ocx.contract import differences
from koapy.ocx.doctor import judged
from koapy.ocx.nights import away_until
from koapy.ocx.plans import answers, everything
from koapy.ocx.process import HostNotFound, host_command
from koapy.openapi.functions import EVENTS, FUNCTIONS
from koapy.openapi.realtype import real_type
from koapy.openapi.tr import trs
from koapy.remote.holding import Dialog, Step
from koapy.remote.messages import Welcome

KNOWN_FUNCTIONS = {name: str(each) for name, each in FUNCTIONS.items()}
KNOWN_EVENTS = {name: str(each) for name, each in EVENTS.items()}


def welcome(functions: dict[str, str], events: dict[str, str]) -> Welcome:
    return Welcome(2, "s", functions, events, {})


def test_the_control_as_it_was_known_differs_in_nothing() -> None:
    assert differences(welcome(KNOWN_FUNCTIONS, KNOWN_EVENTS)) == ()


def test_names_of_parameters_do_not_count() -> None:
    renamed = {name: text.replace("sTrCode:", "other:") for name, text in KNOWN_FUNCTIONS.items()}
    assert renamed != KNOWN_FUNCTIONS
    assert differences(welcome(renamed, KNOWN_EVENTS)) == ()


def test_each_difference_is_one_sentence() -> None:
    functions = KNOWN_FUNCTIONS | {"SendOrder": "SendOrder(sRQName: str) -> int", "NewOne": "NewOne() -> str"}
    del functions["CommTerminate"]
    events = KNOWN_EVENTS | {"OnEventConnect": "OnEventConnect(nErrCode: str)"}
    assert differences(welcome(functions, events)) == (
        "function CommTerminate is gone",
        f"function SendOrder is now SendOrder(sRQName: str) -> int, was {FUNCTIONS['SendOrder']}",
        "function NewOne() -> str is new",
        "event OnEventConnect is now OnEventConnect(nErrCode: str), was OnEventConnect(nErrCode: int)",
    )


def test_the_plan_of_those_who_want_nothing_in_particular_has_all_that_the_catalogue_knows() -> None:
    assert set(everything().held) == set(EVENTS)
    assert everything().fids["주식체결"] == real_type("주식체결").fids
    assert len(answers()) == len(trs())


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-24T04:59:59", None),
        ("2026-11-24T05:00:00", "05:10"),
        ("2026-11-28T05:09:59", "05:10"),
        ("2026-11-28T05:10:00", None),
        ("2026-11-29T04:00:00", "04:30"),
        ("2026-11-29T05:05:00", None),
    ],
)
def test_the_nightly_check_has_its_hours(now: str, until: str | None) -> None:
    found = away_until(datetime.fromisoformat(f"{now}+09:00"))
    assert (found and found.isoformat(timespec="minutes")) == (until and f"{now[:10]}T{until}+09:00")


def test_a_host_that_is_not_there_says_where_it_comes_from() -> None:
    with pytest.raises(HostNotFound, match=r"tools/build_ocx\.py"):
        host_command(Path("/no/such/file"))


def test_what_is_the_matter_has_advice() -> None:
    about = {"folder is writable": "no", "code page": "1252", "auto login": "yes"}
    box = Dialog(1, Step.SEEN, "opstarter", "#32770", "opstarter.exe", "업그레이드", "report")
    told = {each.what: each.advice for each in judged(about, ("function A is gone",), (box,))}
    assert {what for what, advice in told.items() if advice} == {
        "folder is writable",
        "code page",
        "differs",
        "box on the screen",
    }
