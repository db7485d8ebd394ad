"""A control that plays a recording: the same events in the same order, as fast as it is told."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from koapy.control.jobs import fulfil
from koapy.control.owner import Owner
from koapy.control.reads import ELSEWHERE, READING, Answer, Reads
from koapy.control.signals import Signal
from koapy.openapi.functions import FUNCTIONS
from koapy.replay import tape
from koapy.replay.script import (
    ACCOUNT_FID,
    CODE_FID,
    NAMED,
    ORDER_FID,
    ORDERS,
    Answering,
    Call,
    Inputs,
    Script,
    chejan_value,
)
from koapy.replay.tape import Called, Run, Told

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from koapy.control.reads import Value

logger = logging.getLogger(__name__)

PATIENCE = 2.0
CODE_LENGTH = 6
SEND_FAILED = -307
"""OP_ERR_SEND_FAIL, for an order that is not in the recording."""
NOTHING: dict[str, Value] = {"int": 0, "str": "", "array": [], "none": None, "bool": False}


class ReplayControl(Owner):
    """The functions and events of a recorded control.

    The recording is played from its first line to its last. Where a login, a query, an order, a condition search or a
    registration of codes was asked, it stands still until that is asked again, so that answers and all that followed
    come in the order in which they came, at any speed. The first such call is waited for as long as it takes, each
    other one for `patience` seconds: then the recording goes on, without what answered it. A query that is asked after
    its place gets its answer at once; an order that the recording does not have is refused with -307. Look-ups get what
    they got; one that was never made gets "" or 0.

    It owns a thread, on which all functions must be called and all events are told; `submit` runs a callable there.

    Args:
        file: what `Recorder` has written.
        speed: seconds of the recording in a second; None or 0: no time between events.
        patience: seconds that the recording stands still for a call.

    Raises:
        TapeError: the file is no recording.
    """

    def __init__(self, file: Path, *, speed: float | None = 1.0, patience: float = PATIENCE) -> None:
        super().__init__("the replay")
        self._file = file
        self._speed = speed or None
        self._patience = patience
        self._script = Script(tape.read(file))
        self._signals = {name: Signal(name) for name in self._script.events}
        self._functions = {name: partial(self._call, name) for name in self._script.functions}
        self._over = threading.Event()
        # Of the control's thread only.
        self._connected = False
        self._inputs = Inputs()
        self._reads: Reads | None = None
        self._late: deque[tuple[Call, tuple[Value, ...]]] = deque()
        """Queries that came after their place, with the arguments of those who wait for the answer."""
        self._origin = 0.0
        """When, on this machine's clock, the run's recording began."""
        self._holdings: dict[tuple[str, str], bool] = {}
        """Whether the last order of an account and code was made here too, so that its balance is told."""
        self._thread = threading.Thread(target=self._run, name="koapy-replay", daemon=True)
        self._thread.start()

    def __getattr__(self, name: str, /) -> Any:
        """The functions and events that the recorded control offered."""
        if not name.startswith("_"):
            found = self._functions.get(name) or self._signals.get(name)
            if found is not None:
                return found
        raise AttributeError(f"the recorded control did not offer {name}", name=name, obj=self)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the recording has been played to its end; False when that takes longer."""
        return self._over.wait(seconds)

    # Functions.

    def _call(self, name: str, *args: Value) -> Value:
        self._require_own_thread(name)
        if name in READING:
            known = ELSEWHERE if self._reads is None else self._reads.answer(name, args)
            if known is not ELSEWHERE:
                return known  # type: ignore[return-value]
        if name == "GetConnectState":
            return int(self._connected)
        if (key := self._inputs.key(name, args)) is not None:
            return self._asked(name, key, args)
        recorded, value = self._script.lookup(name, args)
        return value if recorded else NOTHING[FUNCTIONS[name].returns]

    def _asked(self, name: str, key: Hashable, args: tuple[Value, ...]) -> Value:
        """A call that the recording waits for, has waited for, or does not have."""
        call, to_come = self._script.make(key, args)
        if call is None or (name in ORDERS and not to_come):
            if name in ORDERS:
                logger.warning("an order that is not in the recording, or not any more: %s", key)
                return SEND_FAILED
            return 0
        if not to_come:
            self._late.append((call, args))
        return call.outcome()

    # The recording.

    def _run(self) -> None:
        try:
            self._play()
        except tape.TapeError:
            logger.exception("the recording has changed while it was played")
        self._over.set()
        self._serve(until=None)
        for future, _, _ in self._jobs:
            future.cancel()

    def _play(self) -> None:
        answering, inputs = Answering(), Inputs()
        calls = iter(self._script.calls)
        for item in tape.read(self._file):
            match item:
                case Run():
                    answering, inputs = Answering(), Inputs()
                    self._origin = time.monotonic()
                case Called() if inputs.key(item.function, item.args) is not None:
                    call = next(calls)
                    answering.called(call)
                    self._stand_still(call, item.time)
                case Told():
                    self._serve(until=self._due(item.time))
                    self._tell(item, answering.call(item))
            if self._closed:
                return
        logger.info("%s has been played to its end", self._file)

    def _due(self, recorded: float) -> float:
        return 0.0 if self._speed is None else self._origin + recorded / self._speed

    def _stand_still(self, call: Call, recorded: float) -> None:
        """Wait for this call; meanwhile the recording's time stands still."""
        self._serve(until=self._due(recorded), or_made=call)
        began = time.monotonic()
        self._serve(until=began + self._patience if call.place else None, or_made=call)
        self._origin += time.monotonic() - began
        self._script.passed = call.place + 1

    def _serve(self, until: float | None, or_made: Call | None = None) -> None:
        """Run what is submitted, once at least, until a time, or until this call has been made."""
        while True:
            with self._changed:
                jobs, self._jobs = self._jobs, deque()
            for job in jobs:
                fulfil(*job)
            while self._late:
                self._answer(*self._late.popleft())
            if self._closed or (or_made is not None and or_made.made is not None):
                return
            with self._changed:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return
                if not self._jobs and not self._closed:
                    self._changed.wait(left)

    def _answer(self, call: Call, args: tuple[Value, ...]) -> None:
        """Answer a query that came after its place."""
        for told in call.answers:
            self._fire(_addressed(told, call, args))

    def _tell(self, told: Told, call: Call | None) -> None:
        """Tell an event at its time, unless it answers what nobody has asked here."""
        if told.event == "OnEventConnect" and told.args:
            self._connected = isinstance(told.args[0], int) and told.args[0] >= 0
        elif (told.event == "OnReceiveChejanData" and not self._concerns_us(told, call)) or (
            call is not None and call.made is None
        ):
            return
        self._fire(told if call is None or call.made is None else _addressed(told, call, call.made))

    def _concerns_us(self, told: Told, call: Call | None) -> bool:
        """Whether an order event is of an order that was made here, or that was never made through the gateway."""
        holding = chejan_value(told, ACCOUNT_FID), chejan_value(told, CODE_FID)[-CODE_LENGTH:]
        if chejan_value(told, ORDER_FID):
            self._holdings[holding] = call is None or call.made is not None
        return self._holdings.get(holding, True)

    def _fire(self, told: Told) -> None:
        signal = self._signals.get(told.event)
        if signal is None:
            return
        outer, self._reads = self._reads, Reads(told.carried)
        try:
            signal.tell(*told.args)
        finally:
            self._reads = outer


def _addressed(told: Told, call: Call, made: tuple[Value, ...]) -> Told:
    """The answer as those get it who have asked now, under their own screen and request name."""
    if call.function in NAMED and told.event in ("OnReceiveTrData", "OnReceiveMsg"):
        screen, request = NAMED[call.function]
        told = replace(told, args=(made[screen], made[request], *told.args[2:]))
        if isinstance(told.carried, Answer):
            records = told.carried.records - {str(call.args[request])} | {str(made[request])}
            told = replace(told, carried=replace(told.carried, records=records))
    elif told.event == "OnReceiveTrCondition":
        told = replace(told, args=(made[0], *told.args[1:]))
    return told
