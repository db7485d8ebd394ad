"""Cleaning up without being interrupted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await `work`, which must be bounded, to its end; who is cancelled meanwhile is so afterwards.

    A client may go while the gateway ends its stream, and the other way round: the RPC's task is cancelled while it
    gives back what it held.
    """
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
