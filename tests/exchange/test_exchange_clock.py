from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from koapy.openapi.calendar import KST
from koapy.simulation.clock import ManualClock, RealTimeClock

START = datetime(2026, 11, 23, 9, tzinfo=KST)


def test_timers_run_in_order_of_time_then_of_setting_and_see_their_own_time():
    clock = ManualClock(START)
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, (clock.now() - START).total_seconds()))

    clock.call_later(2, note, "b")
    clock.call_later(1, note, "a")
    clock.call_later(2, note, "c")
    clock.call_at(START - timedelta(hours=1), note, "past")
    clock.call_later(1, lambda: clock.call_later(0.5, note, "nested"))
    clock.call_later(5, note, "later")
    clock.advance(2)
    assert seen == [("past", 0), ("a", 1), ("nested", 1.5), ("b", 2), ("c", 2)]
    assert clock.now() == START + timedelta(seconds=2)


def test_a_cancelled_timer_does_not_run():
    clock = ManualClock(START)
    seen: list[int] = []
    handle = clock.call_later(1, seen.append, 1)
    handle.cancel()
    handle.cancel()
    clock.advance(2)
    assert seen == []


@pytest.fixture
def running():
    """Runs clocks on threads of their own."""
    threads = []

    def run(clock):
        thread = threading.Thread(target=clock.run)
        thread.start()
        threads.append((clock, thread))
        return clock

    yield run
    for clock, thread in threads:
        clock.stop()
        thread.join(5)
        assert not thread.is_alive()


def test_work_is_done_on_the_thread_of_the_clock(running):
    clock = running(ManualClock(START))
    assert clock.submit(lambda: clock.on_thread).result(5)
    assert not clock.on_thread
    with pytest.raises(ZeroDivisionError):
        clock.submit(lambda: 1 / 0).result(5)


def test_time_that_is_advanced_from_outside_passes_on_the_thread(running):
    clock = running(ManualClock(START))
    seen: list[bool] = []
    clock.submit(clock.call_later, 30, lambda: seen.append(clock.on_thread)).result(5)
    clock.advance(60)
    assert seen == [True]


def test_timers_of_the_moment_run_by_themselves(running):
    clock = running(ManualClock(START))
    done = threading.Event()
    clock.submit(clock.call_later, 0, done.set)
    assert done.wait(5)


def test_real_time_runs_at_its_speed(running):
    clock = running(RealTimeClock(START, speed=1000))
    done = threading.Event()
    clock.submit(clock.call_later, 30, done.set)
    assert done.wait(5)
    assert clock.now() >= START + timedelta(seconds=30)


def test_a_failing_timer_does_not_stop_the_others(running, caplog):
    clock = running(ManualClock(START))
    done = threading.Event()

    def fail() -> None:
        raise ValueError("of a timer")

    clock.submit(clock.call_later, 0, fail)
    clock.submit(clock.call_later, 0, done.set)
    assert done.wait(5)
    assert "of a timer" in caplog.text


def test_what_waits_when_the_clock_stops_is_cancelled_and_new_work_refused():
    clock = ManualClock(START)
    waiting = clock.submit(clock.now)
    clock.stop()
    clock.run()
    assert waiting.cancelled()
    with pytest.raises(RuntimeError):
        clock.submit(clock.now)


@pytest.mark.parametrize("speed", [0, -1])
def test_time_does_not_stand_still_or_go_back(speed):
    with pytest.raises(ValueError, match="speed"):
        RealTimeClock(START, speed)
