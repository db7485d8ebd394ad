"""A control that writes down everything that crosses the seam to another one."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import datetime
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from koapy.control.reads import ELSEWHERE, READING, Reads, Wanted
from koapy.control.redaction import Passwords
from koapy.control.seam import OTHERS, Submitting
from koapy.control.signals import Signal
from koapy.openapi.calendar import KST
from koapy.openapi.functions import EVENTS, FUNCTIONS
from koapy.openapi.realtype import real_types
from koapy.replay.mask import ACCOUNTS, Mask, without_password
from koapy.replay.tape import Called, Raised, Returned, Run, Told, line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from koapy.control.reads import Value
    from koapy.control.seam import Control
    from koapy.replay.tape import Item

logger = logging.getLogger(__name__)

SAID = frozenset({"outlook", "waits"})
"""What a control may say of itself, which is passed on as it is."""


class Recorder:
    """The functions and events of `control`, and a file that says what became of them.

    A thread of its own writes, so the control's thread waits for no disk. What cannot be written ends the recording,
    with an error in the log, and nothing else. What a slot may read of an event is read once, before the slots run, and
    answered from there.

    Args:
        control: any object with OpenAPI+'s functions and events.
        file: a recording that is there already is continued.
        masked: exchange account numbers and the user's name by others; passwords are never written.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, control: Control, file: Path, *, masked: bool = True) -> None:
        self._control = control
        self._mask = Mask() if masked else None
        self._wanted = Wanted(control)
        self._passwords = Passwords()
        self._reads: Reads | None = None
        self._calls = 0
        self._began = time.monotonic()
        self._writer = _Writer(file, self._mask)
        self._signals = {name: Signal(name) for name in EVENTS if getattr(control, name, None) is not None}
        offered = tuple(name for name in FUNCTIONS if getattr(control, name, None) is not None)
        self._functions = {name: self._function(name) for name in offered}
        self._writer.put(Run(datetime.now(KST).isoformat(timespec="milliseconds"), offered, tuple(self._signals)))
        for name in self._signals:
            getattr(control, name).connect(partial(self._heard, name))
        if isinstance(control, Submitting):
            self.submit = control.submit
        if hasattr(control, "read_ahead"):
            self.read_ahead = self._read_ahead

    def __getattr__(self, name: str, /) -> Any:
        """The functions and events of the control, and what it says of itself."""
        if not name.startswith("_"):
            found = self._functions.get(name) or self._signals.get(name)
            if found is not None:
                return found
            if name in SAID:
                return getattr(self._control, name)
        raise AttributeError(f"this control does not offer {name}", name=name, obj=self)

    def read_tick(self, code: str, fids: Sequence[int]) -> Sequence[Value]:
        """GetCommRealData of each FID, at once where the event has been read with all of them."""
        known = None if self._reads is None else self._reads.fields(fids)
        return known or [self._functions["GetCommRealData"](code, fid) for fid in fids]

    def _read_ahead(self, fids: Mapping[str, Collection[int]], held: Collection[str]) -> None:
        """As the control's own; but of each tick all is read that the catalogue knows, whoever wants it."""
        known = {each.name: each.fids for each in real_types()}
        others = fids.get(OTHERS, ())
        kinds = dict.fromkeys((OTHERS, *known, *fids))
        read = {kind: tuple(dict.fromkeys((*known.get(kind, ()), *fids.get(kind, others)))) for kind in kinds}
        self._control.read_ahead(read, held)

    def close(self) -> None:
        """Write what has been recorded, and end; the control is the caller's."""
        self._writer.close()

    def _function(self, name: str) -> Callable[..., Any]:
        function = getattr(self._control, name)

        def read(*args: Any) -> Any:
            known = ELSEWHERE if self._reads is None else self._reads.answer(name, args)
            return call(*args) if known is ELSEWHERE else known

        def call(*args: Any) -> Any:
            self._calls += 1
            number = self._calls
            self._passwords.note(name, args)
            if self._mask is not None:
                self._mask.called(name, args)
            self._writer.put(Called(self._now(), number, name, without_password(name, args)))
            try:
                value = function(*args)
            except BaseException as error:
                told = self._passwords.redacted(f"{type(error).__name__}: {error}")
                self._writer.put(Raised(self._now(), number, told))
                raise
            told_value = value if self._mask is None else self._mask.returned(name, args, value)
            self._writer.put(Returned(self._now(), number, told_value))
            return value

        return read if name in READING else call

    def _heard(self, name: str, *args: Any) -> None:
        if name == "OnEventConnect" and self._mask is not None and args and args[0] == 0:
            self._learn_accounts(self._mask)
        carried = self._wanted.read(name, args)
        self._writer.put(Told(self._now(), name, args, carried))
        outer, self._reads = self._reads, Reads(carried)
        try:
            self._signals[name].tell(*args)
        finally:
            self._reads = outer

    def _learn_accounts(self, mask: Mask) -> None:
        """Know the accounts before an event shows one."""
        asked = getattr(self._control, "GetLoginInfo", None)
        if asked is not None:
            for tag in ACCOUNTS:
                mask.learn(asked(tag))

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 6)


class _Writer:
    """A thread that appends lines; each is written in one piece."""

    def __init__(self, file: Path, mask: Mask | None) -> None:
        self._file = file
        self._mask = mask
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._output = open(file, "a+b", buffering=0, opener=partial(os.open, mode=0o600))  # noqa: SIM115  closed by `close`
        self._finish_line()
        self._thread = threading.Thread(target=self._run, name="koapy-recorder", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        self._queue.put(item)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._output.close()

    def _finish_line(self) -> None:
        """A kill may have torn the last line of an earlier run; ours begins behind its end."""
        if self._output.seek(0, os.SEEK_END):
            self._output.seek(-1, os.SEEK_END)
            if self._output.read(1) != b"\n":
                self._output.write(b"\n")

    def _run(self) -> None:
        failed = False
        while (item := self._queue.get()) is not None:
            if failed:
                continue
            try:
                self._write(item)
            except (OSError, TypeError, ValueError):
                failed = True
                logger.exception("recording to %s has ended", self._file)

    def _write(self, item: Item) -> None:
        text = line(item)
        data = (self._mask.line(text) if self._mask is not None else text).encode("utf-8", "surrogatepass")
        while data:
            data = data[self._output.write(data) or 0 :]
