"""Screens and registrations: lent, counted, given back."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from koapy.control.apartment import Apartment
from koapy.control.registrations import RegistrationRefused, Registrations
from koapy.control.screens import Screens, ScreensExhausted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class RealtimeControl:
    """Keeps what is registered, as OpenAPI+ would."""

    def __init__(self, answer: int = 0) -> None:
        self.answer = answer
        self.registered: defaultdict[str, set[str]] = defaultdict(set)
        self.calls: list[tuple[str, ...]] = []

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        self.calls.append((screen, codes, fids, option))
        if self.answer < 0:
            return self.answer
        if option == "0":
            self.registered[screen].clear()
        self.registered[screen].update(codes.split(";"))
        assert len(self.registered[screen]) <= 100
        return 0

    def SetRealRemove(self, screen: str, code: str) -> None:
        self.registered[screen].discard(code)

    def DisconnectRealData(self, screen: str) -> None:
        self.registered.pop(screen, None)

    @property
    def codes(self) -> list[str]:
        return sorted(code for codes in self.registered.values() for code in codes)


def codes(count: int, start: int = 0) -> list[str]:
    return [f"{number:06d}" for number in range(start, start + count)]


async def test_the_screen_given_back_longest_ago_is_lent_first() -> None:
    screens = Screens()
    first, second = screens.take("a"), screens.take("b")
    screens.give_back(first)
    assert screens.take("c").number not in {first.number, second.number}


async def test_all_screens_in_use_says_who_has_them() -> None:
    screens = Screens()
    for _ in range(200):
        screens.take("real-time codes")
    with pytest.raises(ScreensExhausted, match="200 by real-time codes"):
        screens.take("condition searches")


async def test_waiting_for_a_screen_is_first_come_first_served() -> None:
    screens = Screens()
    lent = [screens.take("a") for _ in range(200)]
    got: list[str] = []

    async def wait(who: str) -> None:
        await screens.wait(who)
        got.append(who)

    waiters = [asyncio.create_task(wait(who)) for who in "abc"]
    await asyncio.sleep(0)
    waiters[0].cancel()
    for screen in lent[:2]:
        screens.give_back(screen)
    await asyncio.wait(waiters)
    assert got == ["b", "c"]
    assert screens.in_use == 200


@pytest.fixture
def apart() -> Iterator[Callable[[RealtimeControl], Apartment]]:
    """Makes apartments, whose threads end with the test."""
    with ExitStack() as made:

        def make(control: RealtimeControl) -> Apartment:
            apartment = Apartment(control)
            made.callback(apartment.close)
            return apartment

        yield make


async def test_a_code_is_registered_once_and_released_with_the_last(
    apart: Callable[[RealtimeControl], Apartment],
) -> None:
    control = RealtimeControl()
    registrations = Registrations(apart(control), Screens())
    await registrations.add("a", codes(3), [10])
    await registrations.add("b", codes(3), [10])
    assert len(control.calls) == 1
    await registrations.remove("a")
    assert control.codes == codes(3)
    await registrations.remove("b", codes(1))
    assert control.codes == codes(3)[1:]
    await registrations.remove("b")
    assert not control.registered
    assert registrations.codes == 0


async def test_codes_are_spread_a_hundred_to_a_screen_and_the_screens_come_back(
    apart: Callable[[RealtimeControl], Apartment],
) -> None:
    control, screens = RealtimeControl(), Screens()
    registrations = Registrations(apart(control), screens)
    await registrations.add("a", codes(250), [10])
    assert sorted(map(len, control.registered.values())) == [50, 100, 100]
    await registrations.add("b", codes(50, start=1000), [10])
    assert screens.in_use == 3
    await registrations.remove("a")
    assert control.codes == codes(50, start=1000)
    await registrations.remove("b")
    assert screens.in_use == 0


async def test_more_fids_register_the_code_again_with_all_of_them(
    apart: Callable[[RealtimeControl], Apartment],
) -> None:
    control = RealtimeControl()
    registrations = Registrations(apart(control), Screens())
    await registrations.add("a", codes(2), [10])
    await registrations.add("b", codes(1), [41, 10])
    assert control.calls[-1][1:] == ("000000", "41;10", "1")
    assert registrations.codes == 2


async def test_a_refusal_leaves_nothing_behind(apart: Callable[[RealtimeControl], Apartment]) -> None:
    control, screens = RealtimeControl(answer=-204), Screens()
    registrations = Registrations(apart(control), screens)
    with pytest.raises(RegistrationRefused):
        await registrations.add("a", codes(5), [10])
    assert (registrations.codes, screens.in_use, registrations.held_by("a")) == (0, 0, frozenset())


async def test_no_room_leaves_nothing_behind(apart: Callable[[RealtimeControl], Apartment]) -> None:
    control, screens = RealtimeControl(), Screens()
    for _ in range(199):
        screens.take("condition searches")
    registrations = Registrations(apart(control), screens)
    with pytest.raises(ScreensExhausted):
        await registrations.add("a", codes(101), [10])
    assert screens.in_use == 199
    await registrations.add("a", codes(100), [10])
