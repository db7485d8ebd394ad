"""Offers a control to a gateway in another process; the control outlives every gateway.

One gateway is connected at a time. When its connection ends, the control goes on, its events are told to nobody, and
the next gateway may connect. Events are never held for the gateway: what a slot may read is read at once and goes with
the event, so the control's thread waits for nobody.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from koapy.control.apartment import Worker
from koapy.control.reads import Wanted
from koapy.control.redaction import Passwords
from koapy.control.seam import Submitting
from koapy.openapi.functions import EVENTS, FUNCTIONS
from koapy.remote import messages
from koapy.remote.frames import LARGEST_GREETING, VERSION, FrameError, Kind, kind
from koapy.remote.link import Link, Pace, SocketStream, loopback
from koapy.remote.messages import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.control.reads import Value
    from koapy.control.seam import Control
    from koapy.remote.messages import Call

logger = logging.getLogger(__name__)

GREETING_SECONDS = 5.0
"""A connection that has not said HELLO by then is closed."""
STRANGERS = 16
"""Connections that may be silent at once."""

SCREEN = {"SetRealReg": 0, "CommRqData": 3, "CommKwRqData": 5}
"""Functions that register under a screen, and where their arguments name it."""


class Host:
    """Offers `control` on a socket of this machine.

    Args:
        control: any object with OpenAPI+'s functions and events; its functions are called on its own thread, or on one
            that the host makes.
        address: a loopback address; port 0 chooses a free one.
        pace: when a gateway is taken to be dead.

    Raises:
        ValueError: the address is not this machine's own.
        OSError: it cannot be listened on.
    """

    def __init__(self, control: Control, address: str = "127.0.0.1:0", *, pace: Pace | None = None) -> None:
        where = loopback(address)
        self._control = control
        self._worker = None if isinstance(control, Submitting) else Worker()
        self._pace = pace or Pace()
        self._session = secrets.token_hex(8)
        self._listener = socket.create_server(where, family=socket.AF_INET6 if ":" in where[0] else socket.AF_INET)
        self._listener.settimeout(min(self._pace.beat_seconds / 2, 0.5))
        self._lock = threading.Lock()
        self._guests: set[_Guest] = set()
        self._gateway: _Guest | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._accept, name="koapy-host", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where a gateway finds the control, as host:port."""
        host, port = self._listener.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def gateway(self) -> str | None:
        """The name of the gateway that is connected."""
        gateway = self._gateway
        return gateway.name if gateway else None

    def disconnect(self, reason: str) -> None:
        """End the gateway's connection, if there is one; it may come back."""
        gateway = self._gateway
        if gateway is not None:
            gateway.link.finish(messages.told(Kind.BYE, reason), reason)

    def close(self) -> None:
        """Say good-bye to the gateway and end; the control is the caller's."""
        self._closed = True
        for guest in tuple(self._guests):
            guest.link.finish(messages.told(Kind.BYE, "the host is shutting down"), "the host is shutting down")
        with suppress(OSError):  # wakes the thread, where the system does that
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        if self._worker is not None:
            self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connected, _ = self._listener.accept()
            except TimeoutError:
                pass
            except OSError:
                if not self._closed:
                    logger.exception("the host cannot accept connections")
                    time.sleep(0.1)
            else:
                self._greet(connected)
            for guest in tuple(self._guests):
                guest.watch()

    def _greet(self, connected: socket.socket) -> None:
        with self._lock:
            strangers = len(self._guests) - (self._gateway is not None)
            if strangers >= STRANGERS:
                connected.close()
                return
            guest = _Guest(self, SocketStream(connected), self._pace)
            self._guests.add(guest)
        guest.link.start()

    def admit(self, guest: _Guest) -> str | None:
        """Let this gateway in; the name of the one that is there already, if there is."""
        with self._lock:
            if self._gateway is not None:
                return self._gateway.name
            self._gateway = guest
        logger.info("gateway %s is connected", guest.name)
        return None

    def gone(self, guest: _Guest, reason: str) -> None:
        """This connection has ended."""
        with self._lock:
            self._guests.discard(guest)
            if self._gateway is not guest:
                return
            # Submitted before the next gateway may be let in, so its calls come after this one's things are put away.
            self._submit(guest.detach)
            self._gateway = None
        logger.info("gateway %s is gone: %s", guest.name, reason)

    def welcome(self) -> bytes:
        """What the control offers."""
        offered = self._control
        functions = {name: str(known) for name, known in FUNCTIONS.items() if getattr(offered, name, None) is not None}
        events = {name: str(known) for name, known in EVENTS.items() if getattr(offered, name, None) is not None}
        return messages.welcome(self._session, functions, events, {"process": str(os.getpid())})

    def attach(self, guest: _Guest) -> None:
        """Have the control's events told to this gateway from now on."""
        self._submit(guest.attach, self._control)

    def perform(self, guest: _Guest, call: Call) -> None:
        """Make a gateway's call on the control's thread."""
        self._submit(guest.perform, call)

    def _submit(self, function: Callable[..., None], *args: Any) -> None:
        try:
            (self._worker or self._control).submit(function, *args)
        except RuntimeError:
            logger.warning("the control has been closed; %s is not done", function.__name__)


class _Guest:
    """One connection: a gateway, or somebody who has not said so yet."""

    def __init__(self, host: Host, stream: SocketStream, pace: Pace) -> None:
        self.link = Link(stream, self._received, self._ended, largest=LARGEST_GREETING, pace=pace)
        self.name = ""
        self._host = host
        self._until = time.monotonic() + GREETING_SECONDS
        self._admitted = False
        self._greeting = threading.RLock()
        # From here on: the control's thread only.
        self._control: Any = None
        self._passwords = Passwords()
        self._wanted: Wanted | None = None
        self._slots: list[tuple[Any, Callable[..., None]]] = []
        self._events = 0
        self._screens: dict[str, None] = {}
        self._searches: dict[tuple[Any, ...], None] = {}

    def watch(self) -> None:
        """Look whether this connection is alive."""
        if not self._admitted and time.monotonic() > self._until:
            self.link.end("no HELLO came")
        elif self._admitted:
            self.link.beat()

    def _ended(self, reason: str) -> None:
        self._host.gone(self, reason)

    def _received(self, received: list[bytes]) -> None:
        for frame in received:
            if self.link.over:
                return
            if not self._admitted:
                self._greeted(frame)
            elif (what := kind(frame)) is Kind.CALL:
                self._host.perform(self, messages.read_call(frame))
            elif what is Kind.BYE:
                self.link.end(messages.read_told(frame, Kind.BYE))
            elif what is not Kind.BEAT:
                raise FrameError(f"{what.name} is not for a gateway to send")

    def _greeted(self, frame: bytes) -> None:
        version, self.name = messages.read_hello(frame)
        if version != VERSION:
            self._refuse(f"the gateway speaks version {version} of the protocol, this host {VERSION}")
        elif (other := self._host.admit(self)) is not None:
            self._refuse(f"the gateway {other!r} is connected already; one at a time")
        else:
            self._admitted = True
            self.link.admit()
            with self._greeting:
                # What happens once the gateway knows that it is in is not to be missed, nor told before the greeting.
                self._host.attach(self)
                self.link.send(self._host.welcome())

    def _refuse(self, reason: str) -> None:
        self.link.finish(messages.told(Kind.REFUSED, reason), f"refused: {reason}")

    # On the control's thread.

    def attach(self, control: Any) -> None:
        """Connect to the control's events."""
        if self.link.over:  # it was faster to go; `detach` has been and will not come again
            return
        self._control, self._wanted = control, Wanted(control)
        with self._greeting:
            for name in EVENTS:
                signal = getattr(control, name, None)
                if signal is not None:
                    slot = self._slot(name)
                    signal.connect(slot)
                    self._slots.append((signal, slot))

    def detach(self) -> None:
        """Let go of the events, and put away what the gateway had registered and cannot release any more."""
        for signal, slot in self._slots:
            signal.disconnect(slot)
        self._slots.clear()
        for search in self._searches:
            self._quietly("SendConditionStop", *search)
        for screen in self._screens:
            self._quietly("DisconnectRealData", screen)

    def _quietly(self, name: str, *args: Any) -> None:
        function = getattr(self._control, name, None)
        if function is not None:
            try:
                function(*args)
            except Exception:
                logger.exception("%s%r after the gateway had gone", name, args)

    def _slot(self, name: str) -> Callable[..., None]:
        def slot(*args: Any) -> None:
            if self.link.over or self._wanted is None:
                return
            self._events += 1
            number = self._events & 0xFFFFFFFF
            try:
                self.link.send(messages.event(number, name, args, self._wanted.read(name, args)))
            except FrameError as error:
                # An event must not be lost in silence: the gateway asks anew when it is back.
                logger.exception("%s cannot be sent", name)
                self.link.end(f"{name} cannot be sent: {error}")

        return slot

    def perform(self, call: Call) -> None:
        """Make a call, unless nobody is there any more who could learn what came of it."""
        if self.link.over:
            return
        outcome = self._outcome(call)
        try:
            self.link.send(messages.result(outcome))
        except FrameError as error:
            failed = "FrameError", f"{call.functions[-1][0]}: {error}"
            self.link.send(messages.result(Outcome(call.number, (), failed)))

    def _outcome(self, call: Call) -> Outcome:
        values: list[Value] = []
        error: tuple[str, str] | None = None
        for name, args in call.functions:
            function = getattr(self._control, name, None) if name in FUNCTIONS else None
            if function is None:
                error = "AttributeError", f"this control does not offer {name}"
                break
            self._note(name, args)
            self._passwords.note(name, args)
            try:
                values.append(function(*args))
            except Exception as raised:
                logger.warning("%s raised\n%s", name, self._passwords.trace(raised))
                error = type(raised).__name__, self._passwords.redacted(str(raised))
                break
        return Outcome(call.number, tuple(values), error)

    def _note(self, name: str, args: tuple[Any, ...]) -> None:
        """Keep in mind what has to be put away, and which FIDs are wanted."""
        if (at := SCREEN.get(name)) is not None and len(args) > at:
            self._screens[str(args[at])] = None
        if name == "SetRealReg" and len(args) > 2 and self._wanted is not None:
            self._wanted.name(str(args[2]))
        if name == "SendCondition":
            self._searches[args[:3]] = None
        elif name == "SendConditionStop":
            self._searches.pop(args, None)
        elif name == "DisconnectRealData" and args:
            self._screens.pop(str(args[0]), None)
