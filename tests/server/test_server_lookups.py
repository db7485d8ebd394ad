"""Look-ups that are constant for a day: the control is asked once, until a login or midnight."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.control.apartment import inside
from koapy.control.jobs import Visit
from koapy.server.lookups import LONGEST_ARGUMENTS, MOST, Lookups

CONSTANT = [
    ("GetMasterCodeName", ("005930",)),
    ("GetMasterListedStockCnt", ("005930",)),
    ("GetCodeListByMarket", ("0",)),
    ("GetMarketType", ("005930",)),
    ("GetLoginInfo", ("ACCNO",)),
    ("KOA_Functions", ("GetMasterStockInfo", "005930")),
    ("GetBranchCodeName", ()),
]
CHANGING = [
    ("GetConnectState", ()),
    ("GetMasterLastPrice", ("005930",)),
    ("GetMasterStockState", ("005930",)),
    ("GetMasterConstruction", ("005930",)),
    ("GetLoginInfo", ("FIREW_SECGB",)),
    ("KOA_Functions", ("IsOrderWarningStock", "005930")),
    ("KOA_Functions", ("SetConditionSearchFlag", "AddPrice")),
    ("GetOptionATM", ()),
]


class World:
    """A control that answers, and what decides how long its answers hold."""

    def __init__(self) -> None:
        self.logins = self.day = 0
        self.asked: list[tuple[Any, ...]] = []
        self.answer: Any = "값"
        self.lookups = Lookups(self.call, lambda: self.logins, lambda: self.day)

    async def call(self, name: str, *args: str | int) -> Any:
        self.asked.append((name, *args))
        await asyncio.sleep(0)
        return self.answer


@pytest.mark.parametrize(("name", "args"), CONSTANT)
async def test_what_is_constant_is_asked_once(name: str, args: tuple[str, ...]) -> None:
    world = World()
    for _ in range(3):
        assert await world.lookups.ask(name, *args) == "값"
    assert world.asked == [(name, *args)]


@pytest.mark.parametrize(("name", "args"), CHANGING)
async def test_what_may_change_is_asked_each_time(name: str, args: tuple[str, ...]) -> None:
    world = World()
    for _ in range(3):
        await world.lookups.ask(name, *args)
    assert len(world.asked) == 3
    assert len(world.lookups) == 0


@pytest.mark.parametrize("answer", ["", 0, -1, -200, None])
async def test_what_the_control_does_not_know_is_asked_again(answer: str | int | None) -> None:
    world = World()
    world.answer = answer
    assert await world.lookups.ask("GetMasterCodeName", "005930") == answer
    world.answer = "삼성전자"
    assert await world.lookups.ask("GetMasterCodeName", "005930") == "삼성전자"


@pytest.mark.parametrize("change", ["logins", "day"])
async def test_an_answer_from_before_a_change_is_not_kept(change: str) -> None:
    world = World()
    under_way = asyncio.ensure_future(world.lookups.ask("GetMasterCodeName", "005930"))
    await asyncio.sleep(0)
    setattr(world, change, 1)
    assert await under_way == "값"
    world.answer = "새 이름"
    assert await world.lookups.ask("GetMasterCodeName", "005930") == "새 이름"
    setattr(world, change, 2)
    world.answer = "더 새 이름"
    assert await world.lookups.ask("GetMasterCodeName", "005930") == "더 새 이름"


steps = st.lists(st.sampled_from(["login", "midnight"]) | st.sampled_from(["A", "B", "C"]), max_size=40)


@given(steps=steps)
def test_every_answer_is_of_the_present_login_and_day(steps: list[str]) -> None:
    async def run() -> None:
        world = World()
        fresh: set[str] = set()
        for step in steps:
            if step in ("login", "midnight"):
                world.logins += step == "login"
                world.day += step == "midnight"
                fresh.clear()
                continue
            world.answer = f"{step} {world.logins} {world.day}"
            world.asked.clear()
            assert await world.lookups.ask("GetMasterCodeName", step) == world.answer
            assert bool(world.asked) is (step not in fresh)
            fresh.add(step)

    asyncio.run(run())


async def test_answers_are_bounded_in_number_and_the_oldest_goes() -> None:
    world = World()
    for number in range(MOST + 10):
        await world.lookups.ask("GetMasterCodeName", f"{number:06}")
    assert len(world.lookups) == MOST
    world.asked.clear()
    await world.lookups.ask("GetMasterCodeName", "000010")
    assert not world.asked
    await world.lookups.ask("GetMasterCodeName", "000009")
    assert world.asked


async def test_what_is_too_long_for_a_code_is_not_kept() -> None:
    world = World()
    await world.lookups.ask("GetMasterCodeName", " " * LONGEST_ARGUMENTS + "5")
    assert len(world.lookups) == 0


async def test_inside_an_event_the_control_is_asked() -> None:
    world = World()
    await world.lookups.ask("GetMasterCodeName", "005930")
    with inside(Visit(1)):
        for _ in range(2):
            await world.lookups.ask("GetMasterCodeName", "005930")
    await world.lookups.ask("GetMasterCodeName", "005930")
    assert len(world.asked) == 3


async def test_a_failure_is_not_kept() -> None:
    async def fail(name: str, *args: str | int) -> Any:
        raise RuntimeError(name)

    lookups = Lookups(fail, lambda: 0, lambda: 0)
    with pytest.raises(RuntimeError):
        await lookups.ask("GetMasterCodeName", "005930")
    assert len(lookups) == 0


# Through the server


async def test_calls_and_checks_share_the_answer_until_the_next_login(strict: Any) -> None:
    control = strict.control
    for _ in range(3):
        assert await strict.call("GetMasterCodeName", "005930") == "종목005930"
    await strict.call("SetRealReg", "0101", "005930", "10", "0")
    assert len(control.named("GetMasterCodeName")) == 1
    await asyncio.wrap_future(control.fire("OnEventConnect", 0))
    assert await strict.call("GetMasterCodeName", "005930") == "종목005930"
    assert len(control.named("GetMasterCodeName")) == 2
    assert await strict.call("GetMasterCodeName", "999999") == ""
    assert await strict.call("GetMasterCodeName", "999999") == ""
    assert len(control.named("GetMasterCodeName")) == 4
    await strict.call("DisconnectRealData", "0101")
