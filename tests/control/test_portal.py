"""The way from the control's thread to the loop."""

from __future__ import annotations

import asyncio
import threading
import time

from koapy.control.apartment import AT_ONCE, Portal


async def test_callbacks_run_in_their_order_all_of_them() -> None:
    portal, seen = Portal(asyncio.get_running_loop()), []
    done = asyncio.Event()
    for number in range(3 * AT_ONCE):
        portal.post(seen.append, number)
    portal.post(done.set)
    await asyncio.wait_for(done.wait(), 10)
    assert seen == list(range(3 * AT_ONCE))


async def test_a_flood_does_not_keep_the_loop_from_others() -> None:
    portal = Portal(asyncio.get_running_loop())
    enough = threading.Event()
    posted = 0

    def flood() -> None:
        nonlocal posted
        end = time.monotonic() + 20.0  # so that a loop that never turns ends this test too
        while not enough.is_set() and time.monotonic() < end:
            portal.post(sum, range(1000))
            posted += 1

    flooding = threading.Thread(target=flood)
    flooding.start()
    while posted <= 2 * AT_ONCE and flooding.is_alive():
        await asyncio.sleep(0)
    still = flooding.is_alive()
    enough.set()
    await asyncio.to_thread(flooding.join)
    assert still
