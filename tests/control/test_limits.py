"""Limits as waiting: never more than a window allows, fair between clients, refused where a deadline cannot be met."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.control.limits import LimitExceeded, RateLimit, Windows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def permit(limit: RateLimit, client: str, deadline: float | None = None) -> AsyncIterator[None]:
    await limit.begin(client, deadline)
    try:
        yield
    finally:
        limit.end()


@given(
    st.lists(st.tuples(st.integers(1, 6), st.floats(0.5, 20)), min_size=1, max_size=3),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_than_it_allows(windows: list[tuple[int, float]], gaps: list[float]) -> None:
    pure = Windows(windows)
    now, made = 0.0, []
    for gap in gaps:
        now = max(now + gap, pure.free_at(now + gap))
        pure.begin()
        pure.end(now)
        made.append(now)
    for calls, seconds in windows:
        for first, last in zip(made, made[calls:], strict=False):
            assert last - first >= seconds - 1e-6


@given(st.integers(0, 20))
def test_the_expected_start_grows_with_those_ahead(ahead: int) -> None:
    assert Windows([(5, 1.0)]).free_at(0.0, ahead) == pytest.approx(ahead // 5)


async def test_a_burst_passes_and_the_next_waits_for_the_window() -> None:
    limit = RateLimit("TR requests", [(2, 0.05)])
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(4):
        async with permit(limit, "a"):
            pass
    assert loop.time() - begun >= 0.05
    assert limit.waiting == 0


async def test_clients_take_turns() -> None:
    limit = RateLimit("TR requests", [(1, 0.01)])
    order: list[str] = []

    async def one(client: str) -> None:
        async with permit(limit, client):
            order.append(client)

    async with asyncio.TaskGroup() as group:
        for client in ("greedy",) * 6 + ("modest",):
            group.create_task(one(client))
    assert order.index("modest") <= 2


async def test_a_deadline_that_cannot_be_met_is_refused_at_once() -> None:
    limit = RateLimit("TR requests", [(1, 60.0)])
    async with permit(limit, "a"):
        pass
    with pytest.raises(LimitExceeded) as refused:
        async with permit(limit, "a", asyncio.get_running_loop().time() + 1):
            pass
    assert 59 < refused.value.wait <= 60
    assert limit.waiting == 0


async def test_a_call_that_runs_holds_its_place() -> None:
    limit = RateLimit("TR requests", [(1, 0.01)])
    async with permit(limit, "a"):
        await asyncio.sleep(0.03)
        assert not limit.try_begin()


async def test_cancelling_gives_the_place_back() -> None:
    limit = RateLimit("TR requests", [(1, 0.02)])
    async with permit(limit, "a"):
        pass

    async def wait() -> None:
        async with permit(limit, "b"):
            raise AssertionError("it was cancelled before")

    waiter = asyncio.create_task(wait())
    await asyncio.sleep(0)
    assert limit.waiting == 1
    waiter.cancel()
    await asyncio.wait([waiter])
    assert limit.waiting == 0
    async with permit(limit, "c"):
        pass


async def test_nothing_jumps_the_queue() -> None:
    limit = RateLimit("TR requests", [(1, 0.02)])
    assert limit.try_begin()
    limit.end()
    assert not limit.try_begin()


def test_a_limit_is_as_good_as_new_when_no_call_counts_any_more() -> None:
    """One that is forgotten then forgets nothing: what it allows is what a new one does."""
    pure = Windows([(2, 1.0), (3, 60.0)])
    assert pure.idle(0.0)
    pure.begin()
    assert not pure.idle(0.0)
    pure.end(5.0)
    assert not pure.idle(64.9)
    assert pure.idle(65.0)


async def test_a_limit_that_somebody_waits_for_is_in_use() -> None:
    limit = RateLimit("conditions", [(1, 0.02)])
    assert limit.idle
    async with permit(limit, "a"):
        waiting = asyncio.create_task(permit(limit, "b").__aenter__())
        await asyncio.sleep(0)
        assert not limit.idle
    await waiting
    assert not limit.idle
