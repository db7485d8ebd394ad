"""What goes wrong on purpose, and again when the same plan is used again."""

from __future__ import annotations

import textwrap
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from koapy.openapi.calendar import KST
from koapy.simulation.faults import KINDS, Fault, FaultError, FaultPlan, load_faults
from koapy.simulation.maintenance import next_check

CODE = "005930"
ORDER_EVENTS = ("OnReceiveMsg", "OnReceiveTrData", "OnReceiveChejanData")
USUAL = ["OnReceiveMsg", "OnReceiveTrData", "접수", "체결", "잔고"]


def plan(*faults, seed=1):
    return FaultPlan(tuple(faults), seed)


def buy(program, seconds=2.0, quantity=1):
    """Send a market order and name what is told of it."""
    account = program.account
    returned = program.call("SendOrder", "주문", "2000", account, 1, CODE, quantity, 0, "03", "")
    heard = [each for each in program.advance(seconds) if each.name in ORDER_EVENTS]
    return returned, [_named(each) for each in heard]


def _named(event):
    if event.name != "OnReceiveChejanData":
        return event.name
    return event.values[913] if event.arguments[0] == "0" else "잔고"


@pytest.mark.parametrize(
    ("kind", "returned", "told"),
    [
        ("code", -308, []),
        ("refused", 0, USUAL[:2]),
        ("delayed", 0, USUAL),
        ("early", 0, [*USUAL[2:], *USUAL[:2]]),
        ("transit", 0, USUAL),
        ("lost", 0, USUAL[2:]),
        ("silent", 0, []),
        ("frozen", 0, USUAL),
    ],
)
def test_an_order_goes_wrong_as_planned_and_the_next_does_not(start, kind, returned, told):
    wrong = Fault(kind=kind, on="order", which=(1,), seconds=(0.01, 0.01) if kind == "frozen" else (1.0, 1.0))
    program = start(faults=plan(wrong)).login()
    assert buy(program) == (returned, told)
    assert buy(program) == (0, USUAL)
    assert [(each.fault.kind, each.subject) for each in program.control.faults.happened] == [(kind, "주문")]
    filled = program.control.submit(lambda: len(program.world.exchange.fills(program.account))).result()
    assert filled == (1 if kind in ("code", "refused") else 2)


@pytest.mark.parametrize(
    ("kind", "moments"), [("delayed", (1.02, 1.02)), ("early", (1.02, 0.02)), ("transit", (1.02, 1.02))]
)
def test_what_comes_late_comes_when_it_was_planned(start, kind, moments):
    program = start(faults=plan(Fault(kind=kind, on="order", seconds=(1.0, 1.0)))).login()
    sent = program.clock.now()
    program.call("SendOrder", "주문", "2000", program.account, 1, CODE, 1, 0, "03", "")
    heard = {each.name: each.moment for each in program.advance(2) if each.name in ORDER_EVENTS}
    found = [(heard[name] - sent) / timedelta(seconds=1) for name in ("OnReceiveTrData", "OnReceiveChejanData")]
    assert found == [pytest.approx(each) for each in moments]


def test_a_silent_order_speaks_when_it_is_cancelled(start):
    program = start(faults=plan(Fault(kind="silent", on="order", which=(1,)))).login()
    low = program.control.submit(lambda: program.world.exchange.instruments[CODE].lower).result()
    program.call("SendOrder", "주문", "2000", program.account, 1, CODE, 1, low, "00", "")
    assert [each.name for each in program.advance(1) if each.name in ORDER_EVENTS] == []
    number = program.control.submit(lambda: program.world.exchange.orders(program.account)[0].number).result()
    told = [_named(each) for each in program.order(3, CODE, 1, 0, "00", f"{number:07d}") if each.name in ORDER_EVENTS]
    assert told == ["OnReceiveMsg", "OnReceiveTrData", "접수", "확인", "접수"]


def test_a_late_order_that_is_cancelled_meanwhile_tells_its_end_last(start):
    program = start(faults=plan(Fault(kind="delayed", on="order", which=(1,), seconds=(5.0, 5.0)))).login()
    low = program.control.submit(lambda: program.world.exchange.instruments[CODE].lower).result()
    program.call("SendOrder", "주문", "2000", program.account, 1, CODE, 1, low, "00", "")
    program.advance(1)
    number = program.control.submit(lambda: program.world.exchange.orders(program.account)[0].number).result()
    program.call("SendOrder", "취소", "2000", program.account, 3, CODE, 1, 0, "00", f"{number:07d}")
    told = [each.values for each in program.advance(9) if each.name == "OnReceiveChejanData"]
    of_first = [(each[913], each[902]) for each in told if each[9203] == f"{number:07d}"]
    assert (of_first, told[-1][9203], len(told)) == ([("접수", "1"), ("접수", "0")], f"{number:07d}", 4)


@pytest.mark.parametrize(
    ("kind", "returned", "told"),
    [
        ("code", -200, []),
        ("refused", 0, ["OnReceiveMsg"]),
        ("lost", 0, []),
        ("delayed", 0, ["OnReceiveTrData"]),
        ("frozen", 0, ["OnReceiveTrData"]),
    ],
)
def test_a_query_goes_wrong_as_planned(start, kind, returned, told):
    seconds = (0.01, 0.01) if kind == "frozen" else (1.0, 1.0)
    wrong = Fault(kind=kind, on="query", which=(2,), seconds=seconds, code=-200, message="[RC7006] 모의투자 조회실패")
    program = start(faults=plan(wrong)).login()
    for number, expected in enumerate(((0, ["OnReceiveTrData"]), (returned, told), (0, ["OnReceiveTrData"]))):
        got = program.ask("opt10001", request=f"r{number}", 종목코드=CODE)
        heard = [each for each in program.advance(2) if each.name in ORDER_EVENTS]
        assert (got, [each.name for each in heard]) == expected
        if "OnReceiveMsg" in expected[1]:
            assert heard[0].arguments == ("1000", f"r{number}", "opt10001", "[RC7006] 모의투자 조회실패")


def test_a_hidden_limit_bars_queries_until_the_next_login(start):
    program = start(faults=plan(Fault(kind="barred", on="query", which=(2,)))).login()
    program.call("GetConditionLoad")
    program.advance(2)
    name = program.call("GetConditionNameList").split(";")[0].partition("^")[2]

    def asked():
        program.advance(1)
        return program.ask("opt10001", 종목코드=CODE)

    assert [asked() for _ in range(3)] == [0, -209, -209]
    assert program.call("SendCondition", "4000", name, 0, 0) == -209
    assert buy(program) == (0, USUAL)
    program.call("CommConnect")
    program.advance(1)
    assert asked() == 0


def test_what_a_fault_returns_is_what_it_would():
    assert [Fault(kind="code", on=on).returned for on in ("order", "query")] == [-308, -200]
    assert Fault(kind="code", on="query", code=-203).returned == -203


def test_ticks_are_dropped_by_share_and_by_number(start):
    programs = [start(faults=faults).login() for faults in (None, plan(Fault(kind="dropped", on="tick", share=0.5)))]
    counts = []
    for program in programs:
        program.call("SetRealReg", "3000", CODE, "10", "0")
        counts.append(len(program.named("OnReceiveRealData", 30)))
    assert 0.3 * counts[0] < counts[1] < 0.7 * counts[0]


def test_the_connection_is_lost_and_comes_back(start):
    program = start(faults=plan(Fault(kind="disconnect", after=10, seconds=(20.0, 20.0)))).login()
    assert [each.arguments for each in program.named("OnEventConnect", 10)] == [(-106,)]
    assert program.call("GetConnectState") == 0
    assert program.ask("opt10001", 종목코드=CODE) == -100
    program.call("CommConnect")
    assert [each.arguments for each in program.named("OnEventConnect", 2)] == [(-101,)]
    program.advance(20)
    program.call("CommConnect")
    assert [each.arguments for each in program.named("OnEventConnect", 2)] == [(0,)]


def test_moments_come_again(start):
    faults = plan(
        Fault(kind="frozen", after=5, every=10, until=30, seconds=(0.0, 0.0)),
        Fault(kind="frozen", at=time(10, 0, 7), seconds=(0.0, 0.0)),
    )
    program = start(faults=faults).login()
    program.advance(60)
    seconds = [(each.moment - each.moment.replace(hour=10, minute=0, second=0)).seconds for each in
               program.control.faults.happened]  # fmt: skip
    assert seconds == [5, 7, 15, 25]


def test_a_time_of_the_day_that_is_over_is_tomorrow_s(start):
    faults = plan(Fault(kind="frozen", at=time(0, 0, 5), seconds=(0.0, 0.0)))
    program = start(faults=faults, start=datetime(2026, 3, 10, 23, 59, 50, tzinfo=KST)).login()
    program.advance(30)
    assert [each.moment.isoformat() for each in program.control.faults.happened] == ["2026-03-11T00:00:05+09:00"]


def test_a_fault_has_its_time(start):
    program = start(faults=plan(Fault(kind="code", on="order", after=5, until=10))).login()
    assert [buy(program, 3)[0] for _ in range(4)] == [0, 0, -308, 0]


def test_the_same_seed_has_the_same_faults(start):
    wrong = [Fault(kind=kind, on="order", share=0.3) for kind in ("early", "refused", "code")]

    def story(seed):
        program = start(faults=plan(*wrong, seed=seed)).login()
        return [buy(program, 1) for _ in range(12)]

    assert story(3) == story(3)
    assert story(3) != story(4)


def test_a_new_plan_takes_the_place_of_the_old(start):
    program = start(faults=plan(Fault(kind="code", on="order"), Fault(kind="disconnect", after=5))).login()
    assert buy(program, 1)[0] == -308
    program.control.submit(program.control.faults.use, FaultPlan()).result()
    assert buy(program, 10) == (0, USUAL)


def test_a_plan_is_read_from_a_file(tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text(
        'seed = 7\n[[fault]]\nkind = "early"\non = "order"\nshare = 0.1\nseconds = [0.2, 0.5]\n'
        '[[fault]]\nkind = "disconnect"\nat = 10:15:00\nseconds = 20\n'
        '[[fault]]\nkind = "code"\non = "query"\nwhich = [3]\ncode = -200\n',
        encoding="utf-8",
    )
    assert load_faults(file) == FaultPlan(
        (
            Fault(kind="early", on="order", share=0.1, seconds=(0.2, 0.5)),
            Fault(kind="disconnect", at=time(10, 15), seconds=(20, 20)),
            Fault(kind="code", on="query", which=(3,), code=-200),
        ),
        7,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[fault]]\nkind = 'dropt'", "fault 1: kind = 'dropt': one of 'barred', 'code', 'delayed'"),
        ("[[fault]]\nkind = 'early'", "kind = 'early' on '': it happens on 'order'"),
        ("[[fault]]\nkind = 'dropped'\non = 'tick'\nshare = 2", "share = 2: 0 to 1"),
        ("[[fault]]\nkind = 'frozen'\nseconds = [2, 1]", "seconds = [2, 1]: at least and at most"),
        ("[[fault]]\nkind = 'frozen'\nevery = 0", "every = 0: more than 0"),
        ("[[fault]]\non = 'order'", "kind"),
        ("[[fault]]\nkind = 'frozen'\nwhen = 3", "when: only after, at, code"),
        ("[[fault]]", "fault 1: a kind is wanted, one of barred, code"),
        ("[[fault]]\nkind = 'frozen'\nat = '10:15:00'", "at = '10:15:00': a time without quotes"),
        ("[[fault]]\nkind = 'frozen'\nat = 10:15:00\nafter = 3", "at is a time of each day: no after"),
        ("[[fault]]\nkind = 'code'\non = 'query'\nwhich = [0]", "which = [0]: a list of numbers from 1 on"),
        ("[[fault]]\nkind = 'code'\non = 'query'\ncode = '-200'", "code = '-200': a whole number"),
        ("[[fault]]\nkind = 'dropped'\non = 'tick'\nshare = true", "share = True: a number"),
        ("[[fault]]\nkind = 'frozen'\nseconds = [1]", "seconds = [1]: a number, or the least and the most"),
        ("seed = 'x'", "seed = 'x': a whole number"),
        ("[fault]\nkind = 'frozen'", "fault: [[fault]], twice in brackets"),
        ("faults = 3", "faults: seed and [[fault]] are wanted"),
        ("[[fault", "faults.toml:"),
    ],
)
def test_a_plan_that_cannot_be_says_what_would_be_right(tmp_path, text, said):
    file = tmp_path / "faults.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FaultError) as caught:
        load_faults(file)
    assert said in str(caught.value)
    with pytest.raises(FaultError, match="No such file"):
        load_faults(tmp_path / "none.toml")
    file.write_bytes("# 고장".encode("cp949"))
    with pytest.raises(FaultError, match=r"faults\.toml: 'utf-8' codec"):
        load_faults(file)
    file.write_text("seed = 3", encoding="utf-8-sig")  # as Windows' editors may
    assert load_faults(file) == FaultPlan(seed=3)


def test_the_plan_of_the_documentation_is_one(tmp_path):
    page = Path(__file__).parents[2].joinpath("docs/simulation.md").read_text(encoding="utf-8")
    shown = page[page.index("    seed = 1\n") :].partition("\n\n| kind")[0]
    file = tmp_path / "faults.toml"
    file.write_text(textwrap.dedent(shown), encoding="utf-8")
    assert [each.kind for each in load_faults(file).faults] == ["early", "code", "disconnect", "frozen"]


def test_every_kind_is_known_where_it_can_happen():
    for on, kinds in KINDS.items():
        for kind in kinds:
            assert Fault(kind=kind, on=on).on == on


@pytest.mark.parametrize(
    ("now", "begins", "ends"),
    [
        ("2026-03-10T04:00", "2026-03-10T05:05", "2026-03-10T05:10"),
        ("2026-03-10T05:05", "2026-03-11T05:05", "2026-03-11T05:10"),
        ("2026-03-14T12:00", "2026-03-15T04:00", "2026-03-15T04:30"),
    ],
)
def test_the_server_is_checked_every_night(now, begins, ends):
    moments = [datetime.fromisoformat(each).replace(tzinfo=KST) for each in (now, begins, ends)]
    assert next_check(moments[0]) == tuple(moments[1:])


def test_the_nightly_check_cuts_the_session_while_it_lasts(start):
    program = start(hours="krx", start=datetime(2026, 3, 10, 5, 4, tzinfo=KST)).login()
    assert [each.arguments for each in program.named("OnEventConnect", 60)] == [(-106,)]
    program.call("CommConnect")
    assert [each.arguments for each in program.named("OnEventConnect", 1)] == [(-101,)]
    program.advance(300)
    program.call("CommConnect")
    assert [each.arguments for each in program.named("OnEventConnect", 1)] == [(0,)]
