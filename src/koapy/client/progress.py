"""A bar on long queries, for people at a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from koapy.client.frames import Pages

LONG = 1.0
"""Seconds after which a query is long; so is one of several pages."""


@contextmanager
def shown(wanted: bool | None, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[Pages], None]]:
    """Give a function that shows how far a query is: with True always, with None on a terminal when it is long."""
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        yield lambda pages: None
        return
    bar = _Bar(clock() if wanted is None else None, clock)
    try:
        yield bar.told
    finally:
        bar.stop()


class _Bar:
    """A rich bar that appears with the first page that makes the query long."""

    def __init__(self, started: float | None, clock: Callable[[], float]) -> None:
        self._started = started
        self._clock = clock
        self._stop: Callable[[], None] = lambda: None
        self._update: Callable[[Pages], None] | None = None

    def told(self, pages: Pages) -> None:
        if self._update is None and not pages.enough and self._long(pages):
            self._start(pages)
        if self._update is not None:
            self._update(pages)

    def stop(self) -> None:
        self._stop()

    def _long(self, pages: Pages) -> bool:
        return self._started is None or pages.count > 1 or self._clock() - self._started > LONG

    def _start(self, pages: Pages) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[pages]} pages, {task.completed:,.0f} rows"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        task = bar.add_task(pages.code, total=pages.most_rows, pages=0)
        bar.start()
        self._stop = bar.stop
        self._update = lambda pages: bar.update(task, completed=len(pages.rows), pages=pages.count)
