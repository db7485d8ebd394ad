"""Ticks as streams get them: read once, encoded once, shared by everybody who wants the same.

What is made on the control's thread is a `Tick` with what was read. All else that can be made of it is made on the
loop, when the first stream wants it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from koapy.server import encoding
from koapy.server.returns import checked_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.server.failure import Failure
    from koapy.server.reading import View

Judge = Callable[[Exception], "Failure"]
"""Tells the log that a tick could not be read, and makes what its streams end with."""

SAMPLES = 8
"""Ticks of a run whose sizes are looked at, to know about how large all of it is."""


class Lane:
    """What all ticks of one code, real type and view have in common."""

    __slots__ = ("code", "encoded_names", "fids", "head", "key", "names", "real_type", "view")

    def __init__(self, code: str, real_type: str, view: View) -> None:
        self.code = code
        self.real_type = real_type
        self.view = view
        self.fids, self.names = view.columns(real_type)
        self.key = (code, real_type)
        """A tick may take the place of an older one with the same."""
        self.head = encoding.tick_head(code, real_type)
        self.encoded_names = encoding.names(self.names)


class Tick:
    """A tick as one view shows it; never changed once made."""

    __slots__ = ("_encoded", "lane", "raw", "serial", "values")

    def __init__(self, serial: int, lane: Lane, raw: str, values: Sequence[str]) -> None:
        self.serial = serial
        """Rises by one with each tick of the control that anybody wants."""
        self.lane = lane
        self.raw = raw
        self.values = values
        """As long as the names; not stripped."""
        self._encoded = b""

    @property
    def code(self) -> str:
        """The code that it is about."""
        return self.lane.code

    @property
    def real_type(self) -> str:
        """What kind of tick it is."""
        return self.lane.real_type

    @property
    def fids(self) -> tuple[int, ...]:
        """The FIDs of the values."""
        return self.lane.fids[: len(self.values)]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values: the same object for all ticks of a view and type, unless values are missing."""
        return self.lane.names[: len(self.values)]

    @property
    def encoded(self) -> bytes:
        """The message as it goes to all streams that want it, made when the first one does."""
        if not self._encoded:
            lane, values = self.lane, self.values
            listed = lane.encoded_names if len(values) == len(lane.names) else encoding.names(self.names)
            self._encoded = encoding.tick(lane.head, listed, self.raw, values)
        return self._encoded

    def measured(self) -> int:
        """About how many bytes it takes.

        Raises:
            TypeError, ValueError: what the control gave is no text, or none that can be encoded.
        """
        return len("".join((self.raw, *self.values)).encode()) + len(self.lane.encoded_names)

    def check(self) -> None:
        """Make sure that it can be encoded.

        Raises:
            Exception: it cannot, and why.
        """
        try:
            self.measured()
        except TypeError:
            for value in self.values:
                checked_text("GetCommRealData", value)
            raise


_measured = Tick.measured


class Run:
    """Ticks that are handed to streams together, in order: what came between two wake-ups of the loop, or a part."""

    __slots__ = ("_failure", "_is_checked", "packed", "size", "ticks")

    def __init__(self, ticks: Sequence[Tick]) -> None:
        self.ticks = ticks
        """At least one."""
        self.packed: object = None
        """What a stream has made of it for all others that read the same feed."""
        sample = ticks[:: 1 + len(ticks) // SAMPLES]
        try:
            self.size = sum(map(_measured, sample)) * len(ticks) // len(sample)
            """About how many bytes it takes."""
            self._is_checked = len(sample) == len(ticks)
        except (TypeError, ValueError):  # told by `check`, to those who want the tick
            self.size = 0
            self._is_checked = False
        self._failure: Failure | None = None

    def check(self, judge: Judge) -> None:
        """Make sure, once for all streams, that all of it can be encoded.

        Raises:
            Failure: it cannot; `judge` makes the failure of the reason.
        """
        if not self._is_checked:
            self._is_checked = True
            try:
                for tick in self.ticks:
                    tick.check()
            except Exception as error:
                self._failure = judge(error)
        if self._failure is not None:
            raise self._failure
