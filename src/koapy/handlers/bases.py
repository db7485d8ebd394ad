"""The bases of event handlers, as KOAPY 0.9 published them, and the observer that takes what a handler gives."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

from koapy.openapi.functions import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Sink(Protocol):
    """Where an observer passes things on to."""

    def on_next(self, response: Any) -> None:
        """One message for the client."""

    def on_end(self, error: BaseException | None) -> None:
        """No more, for this reason if there is one."""


class Observer:
    """Takes what a handler gives; what comes before the handler is connected waits until then."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[Sink], None]] = deque()
        self._sink: Sink | None = None

    def on_next(self, response: Any) -> None:
        """Send a ListenResponse to the client; waits while the client does not read."""
        self._tell(lambda sink: sink.on_next(response))

    def on_error(self, error: BaseException) -> None:
        """End the stream with an error."""
        self._tell(lambda sink: sink.on_end(error))

    def on_completed(self) -> None:
        """End the stream."""
        self._tell(lambda sink: sink.on_end(None))

    stop = on_completed

    def attach(self, sink: Sink) -> None:
        """From now on `sink` gets everything, first what waits."""
        while self._waiting:
            self._waiting.popleft()(sink)
        self._sink = sink

    def _tell(self, what: Callable[[Sink], None]) -> None:
        if self._sink is None:
            self._waiting.append(what)
        else:
            what(self._sink)


class KiwoomOpenApiPlusEventHandler:
    """Handles events by methods of the events' names; only those that a class defines are connected.

    Args:
        control: OpenAPI+'s functions and events.
    """

    def __init__(self, control: Any) -> None:
        self._begin(control)

    def _begin(self, control: Any) -> None:
        self._control = control
        self._observer = Observer()
        self._callbacks = ExitStack()

    @property
    def control(self) -> Any:
        """OpenAPI+'s functions and events, called as on the control itself."""
        return self._control

    @property
    def observer(self) -> Observer:
        """Takes the messages for the client."""
        return self._observer

    @classmethod
    def names(cls) -> list[str]:
        """The names of all events."""
        return list(EVENTS)

    def slots(self) -> list[tuple[str, Callable[..., Any]]]:
        """The events that the class handles, and the methods that do."""
        return [(name, getattr(self, name)) for name in self.names() if callable(getattr(self, name, None))]

    def connect(self) -> None:
        """Connect the slots."""
        for name, slot in self.slots():
            getattr(self.control, name).connect(slot)

    def disconnect(self) -> None:
        """Disconnect the slots."""
        for name, slot in self.slots():
            getattr(self.control, name).disconnect(slot)

    def on_enter(self) -> None:
        """Called once, when events are connected."""

    def on_exit(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Called once at the end, when events are disconnected, with the error that ended it."""

    def add_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Have `callback` called after `on_exit`, the last one added first."""
        self._callbacks.callback(callback, *args, **kwargs)

    def enter(self) -> None:
        """Begin: events first, then `on_enter`."""
        self.connect()
        self.on_enter()

    def exit(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """End: events first, then `on_exit`, then the callbacks."""
        with self._callbacks:
            self.disconnect()
            self.on_exit(exc_type, exc_value, traceback)

    def stop(self) -> None:
        """End the stream."""
        self.observer.stop()


class KiwoomOpenApiPlusEventHandlerForGrpc(KiwoomOpenApiPlusEventHandler):
    """A handler that stops when its RPC ends.

    Args:
        control: OpenAPI+'s functions and events.
        context: of the RPC.
    """

    def __init__(self, control: Any, context: Any) -> None:
        super().__init__(control)
        self._context = context
        context.add_callback(self.stop)

    @property
    def context(self) -> Any:
        """The RPC: `is_active`, `add_callback`, `cancel`, `abort`, `peer`, `time_remaining`."""
        return self._context
