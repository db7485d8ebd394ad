"""What of the way to the OCX needs no Wine: the comparison with the catalogue, the plan, the doctor's judgement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from koapy.control.outlook import Closed
from koapy.ocx import boxes
from koapy.ocx.contract import differences
from koapy.ocx.control import CONTROL
from koapy.ocx.doctor import Finding, installed, judged, shareable
from koapy.ocx.logins import Logins
from koapy.ocx.nights import EVERY_NIGHT, Schedule
from koapy.ocx.plans import answers, everything
from koapy.ocx.process import HostNotFound, host_command
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS, FUNCTIONS
from koapy.openapi.realtype import real_type
from koapy.openapi.tr import trs
from koapy.remote.holding import Dialog, Rule, Step
from koapy.remote.messages import Welcome

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def until(now: str, *texts: str) -> str | None:
    found = Schedule(texts or EVERY_NIGHT).until(datetime.fromisoformat(f"{now}+09:00"))
    return found and found.isoformat(timespec="minutes").removesuffix("+09:00")


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-24T04:59:59", None),
        ("2026-11-24T05:00:00", "2026-11-24T05:10"),
        ("2026-11-28T05:09:59", "2026-11-28T05:10"),
        ("2026-11-28T05:10:00", None),
        ("2026-11-29T04:00:00", "2026-11-29T04:30"),
        ("2026-11-29T05:05:00", None),
    ],
)
def test_the_nightly_check_has_its_hours(now: str, ends: str | None) -> None:
    assert until(now) == ends


@pytest.mark.parametrize(
    ("text", "now", "ends"),
    [
        ("sat 22:00-08:00", "2026-11-28T21:59:59", None),
        ("sat 22:00-08:00", "2026-11-28T22:00:00", "2026-11-29T08:00"),
        ("sat 22:00-08:00", "2026-11-29T07:59:59", "2026-11-29T08:00"),
        ("sat 22:00-08:00", "2026-11-29T22:00:00", None),
        ("fri-mon 1:00-2:00", "2026-11-30T01:30:00", "2026-11-30T02:00"),
        ("fri-mon 1:00-2:00", "2026-12-01T01:30:00", None),
        ("2026-12-05 22:00 - 2026-12-06 09:00", "2026-12-06T08:00:00", "2026-12-06T09:00"),
        ("2026-12-05 22:00-23:00", "2026-12-05T22:59:00", "2026-12-05T23:00"),
        ("2026-12-05 22:00-23:00", "2026-12-12T22:59:00", None),
    ],
)
def test_maintenance_is_said_in_words(text: str, now: str, ends: str | None) -> None:
    assert until(now, text) == ends


def test_absences_that_follow_at_once_are_one_and_the_hour_is_korea_s() -> None:
    assert until("2026-12-06T03:59:00", "2026-12-05 22:00 - 2026-12-06 04:00", *EVERY_NIGHT) == "2026-12-06T04:30"
    found = Schedule().until(datetime(2026, 11, 23, 20, 5, tzinfo=UTC))
    assert found == datetime(2026, 11, 24, 5, 10, tzinfo=KST)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "at night",
        "sab 05:00-05:10",
        "mon 5-6",
        "mon 25:00-26:00",
        "2026-13-05 22:00-23:00",
        "2026-12-05 22:00-21:00",
        "2026-12-05 22:00 - 2026-12-04 23:00",
    ],
)
def test_what_says_no_time_is_refused_with_what_would(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time of the servers' maintenance.*sat 22:00-08:00.* is wanted"):
        Schedule([text])


class Clock:
    """Passes when it is told to."""

    def __init__(self, here: str) -> None:
        self._begin = datetime.fromisoformat(f"{here}+09:00")
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self._begin + timedelta(seconds=self.seconds - 1000.0)


def logins(here: str, *, again: bool = True) -> tuple[Clock, Logins]:
    clock = Clock(here)
    return clock, Logins(Schedule(), clock.now, again=again, clock=clock)


def test_a_lost_login_is_made_again_after_pauses_that_grow_until_it_lasts() -> None:
    clock, found = logins("2026-11-24T12:00:00")
    found.succeeded()
    pauses = []
    for _ in range(10):
        assert found.failed()
        assert found.failed()  # told once more, by the end of its process: nothing changes
        assert not found.due
        assert found.next
        pauses.append((found.next - clock.now()).total_seconds())
        clock.seconds += pauses[-1]
        assert found.due
        found.begun()
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    found.succeeded()
    clock.seconds += 61
    found.failed()
    assert found.next == clock.now() + timedelta(seconds=1)


def test_a_login_waits_for_the_end_of_the_check_and_is_then_made_once() -> None:
    clock, found = logins("2026-11-24T05:02:00")
    found.succeeded()
    assert found.outlook.notices == (
        "Kiwoom's servers are away for maintenance until 05:10, and may cut the connection",
    )
    found.failed()
    for _ in range(3):  # by clients
        found.put_off()
    assert (found.outlook.closed, found.outlook.until) == (Closed.MAINTENANCE, found.next)
    assert "made again at 05:10:00" in found.outlook.text
    clock.seconds += 8 * 60 - 1
    assert not found.due
    clock.seconds += 1
    assert found.due
    found.begun()
    assert not found.due
    assert found.outlook.closed is None
    assert found.under_way
    found.succeeded()
    assert (found.outlook.text, found.outlook.until, found.due) == ("log in again by LoginCall", None, False)


def test_nobody_is_logged_in_who_never_was_or_does_not_want_to_be() -> None:
    _, found = logins("2026-11-28T12:00:00")
    assert not found.failed()
    assert found.next is None
    _, found = logins("2026-11-28T12:00:00", again=False)
    found.succeeded()
    assert not found.failed()
    assert found.next is None


def test_at_weekends_it_is_said_why_a_login_may_fail() -> None:
    _, found = logins("2026-11-28T12:00:00")
    found.succeeded()
    found.failed()
    assert "at weekends Kiwoom may be working on its servers" in found.outlook.text


def test_an_operators_rules_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "boxes.toml"
    file.write_text(
        """
        [[box]]
        title = "안내"
        owner = "opstarter.exe"
        text = "점검"
        action = "press"
        button = "예"

        [[box]]
        text = "광고"
        action = "close"

        [[box]]
        owner = "*"
        title = "오류 보고"
        action = "press"
        """,
        encoding="utf-8",
    )
    assert boxes.load(file) == (
        Rule("안내", "opstarter.exe", "점검", "press:예"),
        Rule("", "", "광고", "close"),
        Rule("오류 보고", "*", "", "press:확인|OK"),
    )
    file.write_text("", encoding="utf-8")
    assert boxes.load(file) == ()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("box", "is no TOML file"),
        ("[[boxes]]\n", "has an unknown section 'boxes'; did you mean box"),
        ("[box]\ntitle = 'a'\n", r"each box is a table of its own, \[\[box\]\]"),
        ("[[box]]\ntitel = 'a'\naction = 'close'\n", r"\[\[box\]\] 1: has an unknown key 'titel'; did you mean title"),
        ("[[box]]\ntitle = 1\naction = 'close'\n", "title = 1: a text in quotes"),
        ("[[box]]\ntitle = ''\naction = 'close'\n", "title = '': a text in quotes"),
        ("[[box]]\ntitle = 'a'\n", "action = '': one of report, close"),
        ("[[box]]\ntitle = 'a'\naction = 'pres'\n", "action = 'pres': one of .* did you mean press"),
        ("[[box]]\naction = 'close'\n", "says of no box what it is"),
        ("[[box]]\nowner = '*'\naction = 'close'\n", "says of no box what it is"),
        ("[[box]]\ntitle = 'a'\naction = 'close'\nbutton = 'b'\n", "button = 'b' goes with action = 'press'"),
        ("[[box]]\ntitle = 'a'\naction = 'close'\n\n[[box]]\nfoo = 'b'\n", r"\[\[box\]\] 2: has an unknown key 'foo'"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_with_its_place(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "boxes.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=wrong) as error:
        boxes.load(file)
    assert str(error.value).startswith(f"{file}: ")


def test_a_file_of_rules_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        boxes.load(tmp_path / "none.toml")


def test_a_host_that_is_not_there_says_where_it_comes_from() -> None:
    with pytest.raises(HostNotFound, match=r"tools/build_ocx\.py"):
        host_command(Path("/no/such/file"))


FACTS = {
    "registered": "yes",
    "file": "C:\\OpenAPI\\khopenapi.ocx",
    "file is there": "yes",
    "version": "1.0.0.0",
    "bits": "32",
    "code page": "949",
    "folder is writable": "yes",
    "auto login": "yes",
}


def wrong(found: Iterable[Finding]) -> dict[str, bool]:
    return {each.what: each.grave for each in found if each.advice}


def test_a_sound_machine_needs_no_advice() -> None:
    assert wrong(installed(CONTROL, FACTS)) == {}
    assert wrong(judged((), ())) == {}


@pytest.mark.parametrize(
    ("changed", "grave"),
    [
        ({"registered": "no"}, {"registered": True}),
        ({"registered": "for 64-bit programs only"}, {"registered": True}),
        ({"file is there": "no"}, {"file": True}),
        ({"code page": "1252"}, {"code page": True}),
        ({"folder is writable": "no"}, {"folder is writable": True}),
        ({"auto login": "no"}, {"auto login": False}),
    ],
)
def test_what_is_the_matter_has_advice(changed: dict[str, str], grave: dict[str, bool]) -> None:
    assert wrong(installed(CONTROL, FACTS | changed)) == grave


def test_a_control_that_differs_and_boxes_have_advice() -> None:
    box = Dialog(1, Step.SEEN, "opstarter", "#32770", "opstarter.exe", "업그레이드", "report")
    page = list(judged(("function A is gone", "function B() -> int is new"), (box,)))
    assert [(each.found, each.grave) for each in page if each.advice] == [
        ("function A is gone", True),
        ("function B() -> int is new", False),
        ("'opstarter' of opstarter.exe: 업그레이드", False),
    ]


@pytest.mark.parametrize(
    ("found", "shared"),
    [
        (r"C:\Users\홍길동\OpenAPI\khopenapi.ocx", r"C:\Users\***\OpenAPI\khopenapi.ocx"),
        (r"c:\users\Hong Gil\x.exe is not there", r"c:\users\***\x.exe is not there"),
        ("/srv/home/홍길동/koapy/bin/host.exe", "/srv/home/***/koapy/bin/host.exe"),
        ("계좌비밀번호 8012345611의", "계좌비밀번호 ********의"),
        ("[8012-3456-11]", "[********]"),
        ("80123456;", "********;"),
        ("exception 0x80040154 in khopenapi.ocx 1.2.3.4567", "exception 0x80040154 in khopenapi.ocx 1.2.3.4567"),
        ("Windows-10-10.0.26100, 2026-11-24", "Windows-10-10.0.26100, 2026-11-24"),
        (r"C:\OpenAPI\khopenapi.ocx", r"C:\OpenAPI\khopenapi.ocx"),
    ],
)
def test_the_page_of_the_doctor_names_no_account_and_no_user(found: str, shared: str) -> None:
    assert shareable(found) == shared
