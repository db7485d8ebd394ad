"""The way to the control's thread: calls go over together, in order, and what becomes of each is told to its own."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koapy.control.apartment import CALLS_AT_ONCE, Apartment, Frozen, inside
from koapy.control.jobs import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Control:
    """A thread that runs what it is given, and counts how often it is sent for."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self.held = threading.Event()
        self.sent = 0

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        self.sent += 1
        return self._pool.submit(function, *args)

    def hold(self) -> threading.Event:
        """Keep the thread busy until the event is set; returns when it is."""
        begun, held = threading.Event(), threading.Event()
        self._pool.submit(lambda: (begun.set(), held.wait(20)))
        assert begun.wait(10)
        return held

    def close(self, *, cancel: bool = False) -> None:
        self._pool.shutdown(wait=False, cancel_futures=cancel)


@pytest.fixture
def control() -> Iterator[Control]:
    control = Control()
    yield control
    control.close(cancel=True)


async def turned() -> None:
    """Let the loop turn until what has been called is on its way."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_calls_of_one_turn_go_over_together_and_in_order(control: Control) -> None:
    apartment, made = Apartment(control), []
    told = await asyncio.gather(*(apartment.run(lambda n=n: made.append(n) or n * n) for n in range(50)))
    assert told == [n * n for n in range(50)]
    assert made == list(range(50))
    assert control.sent < 10
    assert apartment.done == 50


async def test_a_flood_is_made_whole_in_order_and_leaves_the_thread_to_others(control: Control) -> None:
    apartment, made, others = Apartment(control), [], []
    count = 20 * CALLS_AT_ONCE
    release = control.hold()
    calls = [asyncio.ensure_future(apartment.run(made.append, n)) for n in range(count)]
    await turned()
    # What the control itself has to do comes between the batches, not behind all of them.
    control.submit(lambda: others.append(len(made)))
    release.set()
    await asyncio.gather(*calls)
    assert made == list(range(count))
    assert others[0] <= 2 * CALLS_AT_ONCE
    assert control.sent >= count // CALLS_AT_ONCE


async def test_a_call_that_fails_fails_alone(control: Control) -> None:
    apartment = Apartment(control)

    def fail() -> None:
        raise ValueError("no")

    told = await asyncio.gather(
        apartment.run(int, "1"), apartment.run(fail), apartment.run(int, "2"), return_exceptions=True
    )
    assert told[0] == 1
    assert isinstance(told[1], ValueError)
    assert told[2] == 2


steps = st.lists(st.sampled_from(["make", "cancel", "settle", "fail"]), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_what_is_cancelled_before_it_begins_is_never_made(steps: list[str]) -> None:
    async def run() -> None:
        control = Control()
        apartment, made = Apartment(control), []

        def make(number: int, kind: str) -> int:
            made.append(number)
            if kind == "fail":
                raise ValueError(number)
            return number

        release = control.hold()
        calls = [
            asyncio.ensure_future((apartment.settle if kind == "settle" else apartment.run)(make, number, kind))
            for number, kind in enumerate(steps)
        ]
        await turned()
        for kind, call in zip(steps, calls, strict=True):
            if kind in ("cancel", "settle"):
                call.cancel()
        await turned()
        release.set()
        told = await asyncio.gather(*calls, return_exceptions=True)
        await apartment.run(int)  # behind all of them
        control.close()
        # A call that gives something back is made all the same.
        assert made == [number for number, kind in enumerate(steps) if kind != "cancel"]
        for number, (kind, outcome) in enumerate(zip(steps, told, strict=True)):
            if kind == "make":
                assert outcome == number
            else:
                assert isinstance(outcome, ValueError if kind == "fail" else asyncio.CancelledError)

    asyncio.run(run())


async def test_a_freeze_takes_back_what_has_not_begun(control: Control) -> None:
    apartment, made = Apartment(control), []
    begun, release = threading.Event(), threading.Event()

    def stuck() -> None:
        begun.set()
        release.wait(20)

    calls = [
        asyncio.ensure_future(apartment.run(stuck)),
        asyncio.ensure_future(apartment.run(made.append, "query")),
        asyncio.ensure_future(apartment.settle(made.append, "release")),
    ]
    assert await asyncio.to_thread(begun.wait, 10)
    apartment.freeze()
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert [(type(each), each.begun) for each in told] == [(Frozen, True), (Frozen, False), (Frozen, True)]  # type: ignore[union-attr]
    with pytest.raises(Frozen):
        await apartment.run(made.append, "later")
    release.set()
    apartment.thaw()
    await apartment.run(int)
    assert made == ["release"]


async def test_a_control_that_is_closed_leaves_nobody_waiting(control: Control) -> None:
    apartment = Apartment(control)
    release = control.hold()
    before = asyncio.ensure_future(apartment.run(int, "7"))
    await turned()
    control.close(cancel=True)
    for call in (before, apartment.run(int)):
        with pytest.raises(Frozen) as frozen:
            await asyncio.wait_for(call, 10)
        assert not frozen.value.begun
    release.set()


async def test_calls_inside_an_event_overtake_those_that_wait_for_its_end(control: Control) -> None:
    apartment, made = Apartment(control), []
    visit = Visit(1)
    holding = control.submit(visit.hold, time.monotonic() + 20.0)
    behind = asyncio.ensure_future(apartment.run(made.append, "outside"))
    await turned()
    with inside(visit):
        await apartment.run(made.append, "inside")
    assert made == ["inside"]
    visit.release()
    assert await asyncio.wrap_future(holding)
    await behind
    with inside(visit):  # it is over: what comes now goes the usual way
        await apartment.run(made.append, "after")
    assert made == ["inside", "outside", "after"]


async def test_a_control_that_runs_its_events_inside_a_function_makes_what_waits_there() -> None:
    """As a Qt or COM control does that shows a window in a call."""

    class Pumping:
        def __init__(self) -> None:
            self.jobs: list[tuple[Callable[..., Any], tuple[Any, ...], Future[Any]]] = []
            self.there = threading.Condition()
            self.thread = threading.Thread(target=self.pump, args=(lambda: False,), daemon=True)
            self.thread.start()

        def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
            future: Future[Any] = Future()
            with self.there:
                self.jobs.append((function, args, future))
                self.there.notify()
            return future

        def pump(self, until: Callable[[], bool]) -> None:
            while not until():
                with self.there:
                    if not self.there.wait_for(lambda: self.jobs, 20):
                        return
                    function, args, future = self.jobs.pop(0)
                future.set_result(function(*args))

    control = Pumping()
    apartment, made = Apartment(control), []

    shown = threading.Event()

    def window() -> str:
        shown.set()
        control.pump(lambda: "inner" in made)
        return "closed"

    showing = asyncio.ensure_future(apartment.run(window))
    assert await asyncio.to_thread(shown.wait, 10)
    await asyncio.wait_for(apartment.run(made.append, "inner"), 10)
    assert await asyncio.wait_for(showing, 10) == "closed"
