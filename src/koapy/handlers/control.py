"""What a handler sees of the control and of its RPC."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from koapy.handlers import reading
from koapy.handlers.conveniences import Conveniences
from koapy.openapi.functions import EVENTS, FUNCTIONS, HELPERS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from koapy.openapi.functions import Function

Value = str | int | bool


class ControlRefused(RuntimeError):
    """The gateway refused a call, or the control did; the text says why, `reason` in a word for programs."""

    def __init__(self, text: str, status: str, reason: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason


class Aborted(Exception):
    """The handler has ended its RPC by `context.abort`, with the name of a status."""

    def __init__(self, status: str, details: str) -> None:
        super().__init__(details)
        self.status = status


class Signal:
    """An event with the slots that the handler has connected."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.slots: tuple[Callable[..., Any], ...] = ()

    def connect(self, slot: Callable[..., Any]) -> None:
        """Have `slot` called with the event's arguments, from this moment on."""
        self.slots = (*self.slots, slot)
        if len(self.slots) == 1:
            self._changed()

    def disconnect(self, slot: Callable[..., Any]) -> None:
        """The opposite; a slot that is not connected is none of our business."""
        if slot in self.slots:
            at = self.slots.index(slot)
            self.slots = self.slots[:at] + self.slots[at + 1 :]
            if not self.slots:
                self._changed()


class HandlerControl(Conveniences):
    """OpenAPI+'s functions and events for a handler: data of the event from here, everything else by the gateway.

    Args:
        call: makes one call in the gateway.
        listen: has the events of these names, and no others, sent from now on.
    """

    def __init__(self, call: Callable[[pb.CallRequest], pb.CallResponse], listen: Callable[[list[str]], None]) -> None:
        self._call = call
        self._listen = listen
        self._thread = threading.get_ident()
        self._signals = {name: Signal(self._changed) for name in EVENTS}
        self.current = reading.Reading()

    def __getattr__(self, name: str) -> Any:
        signals = self.__dict__.get("_signals", {})
        if name in signals:
            return signals[name]
        if name in reading.FUNCTIONS:
            return getattr(self.current, name)
        function = FUNCTIONS.get(name) or HELPERS.get(name)
        if function is None:
            raise AttributeError(f"OpenAPI+ has no function or event {name!r}")
        return partial(self._ask, function)

    def deliver(self, event: pb.ListenResponse) -> None:
        """Call the slots of an event; while they run, its data can be read."""
        self.current = reading.Reading(event)
        try:
            for slot in self._signals[event.name].slots:
                slot(*reading.arguments(event))
        finally:
            self.current = reading.Reading()

    def _changed(self) -> None:
        self._own_thread()
        self._listen([name for name, signal in self._signals.items() if signal.slots])

    def _ask(self, function: Function, *args: Value, **named: Value) -> Value | None:
        self._own_thread()
        names = [each.name for each in function.parameters]
        if unknown := sorted(set(named) - set(names[len(args) :])):
            raise TypeError(f"{function} takes no {', '.join(unknown)}")
        given = (*args, *(named[name] for name in names[len(args) :] if name in named))
        response = self._call(pb.CallRequest(name=function.name, arguments=map(_argument, given)))
        return reading.value(response.return_value) if response.HasField("return_value") else None

    def _own_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise RuntimeError("the control belongs to the thread on which events are handled, as OpenAPI+'s own does")


class Context:
    """A handler's RPC, as far as grpc's servicer context makes sense here."""

    def __init__(self, facts: Mapping[str, Any], cancel: Callable[[], None]) -> None:
        self._facts = facts
        remaining = facts["time_remaining"]
        self._deadline = None if remaining is None else time.monotonic() + remaining
        self._cancel = cancel
        self._callbacks: list[Callable[[], object]] | None = []

    def is_active(self) -> bool:
        """Whether the RPC goes on."""
        return self._callbacks is not None

    def add_callback(self, callback: Callable[[], object]) -> bool:
        """Have `callback` called when the RPC ends; False when it has ended already."""
        if self._callbacks is None:
            return False
        self._callbacks.append(callback)
        return True

    def cancel(self) -> None:
        """End the RPC."""
        self._cancel()

    def abort(self, code: Any, details: str) -> NoReturn:
        """End the RPC with a status (`grpc.StatusCode`) of the handler's own."""
        raise Aborted(getattr(code, "name", str(code)), details)

    def peer(self) -> str:
        """The client's connection."""
        return str(self._facts["peer"])

    def time_remaining(self) -> float | None:
        """Seconds until the client's deadline; None where it has set none."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def end(self) -> None:
        """The RPC has ended: call the callbacks, once."""
        callbacks, self._callbacks = self._callbacks or [], None
        for callback in callbacks:
            callback()


def _argument(value: Value) -> pb.Argument:
    if isinstance(value, bool):
        return pb.Argument(bool_value=value)
    if isinstance(value, int):
        return pb.Argument(long_value=value)
    if isinstance(value, str):
        return pb.Argument(string_value=value)
    raise TypeError(f"OpenAPI+'s functions take text and whole numbers, not {type(value).__name__}")
