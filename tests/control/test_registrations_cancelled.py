"""Giving registrations back while the one who gives is cancelled, as happens when a client goes in the middle."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from koapy.control.apartment import Apartment
from koapy.control.registrations import Registrations
from koapy.control.screens import Screens


class SlowControl:
    """Waits in SetRealRemove until the test lets it go on."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)
        self.submit = self.pool.submit
        self.removing = threading.Event()
        self.go_on = threading.Event()
        self.registered: set[str] = set()

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        self.registered.update(codes.split(";"))
        return 0

    def SetRealRemove(self, screen: str, code: str) -> None:
        self.removing.set()
        assert self.go_on.wait(10)
        self.registered.discard(code)

    def DisconnectRealData(self, screen: str) -> None:
        """Nothing is left on it."""


@pytest.mark.parametrize("times", [1, 3])
async def test_a_removal_that_is_cancelled_is_made_all_the_same(times: int) -> None:
    control = SlowControl()
    screens = Screens()
    registrations = Registrations(Apartment(control), screens)
    await registrations.add("first", ["005930"], [10])
    await registrations.add("second", ["000660"], [10])
    first = asyncio.create_task(registrations.remove("first"))
    await asyncio.to_thread(control.removing.wait, 10)
    second = asyncio.create_task(registrations.remove("second"))  # waits for the first
    for _ in range(times):
        await asyncio.sleep(0)
        first.cancel()
        second.cancel()
    control.go_on.set()
    for task in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (registrations.codes, screens.in_use, control.registered) == (0, 0, set())
    assert registrations.held_by("first") == registrations.held_by("second") == frozenset()
    control.pool.shutdown()
