"""OcxControl: the OpenAPI+ control in a host process of its own."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from koapy.ocx import boxes
from koapy.ocx.contract import differences
from koapy.ocx.nights import away_until
from koapy.ocx.plans import answers, everything
from koapy.ocx.process import HostProcess, host_command
from koapy.openapi.calendar import KST
from koapy.remote import holding
from koapy.remote.frames import Kind, kind
from koapy.remote.holding import Plan, Step
from koapy.remote.keeper import ControlLost
from koapy.remote.proxy import CONNECTED, LOGGED_IN, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from koapy.control.reads import Value
    from koapy.remote.holding import Dialog, Rule
    from koapy.remote.link import Link, Pace, Stream
    from koapy.remote.messages import Welcome

logger = logging.getLogger(__name__)

CONTROL = "KHOPENAPI.KHOpenAPICtrl.1"

STEADY_SECONDS = 60.0
"""A host, or a login, that has lasted so long is taken to be sound: what fails next is a new failure."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
"""Seconds before a login is tried again; each pause is twice the one before."""
BUSY_SECONDS = 5.0
"""A call that takes longer is worth a line in the log."""


class OcxControl(Proxy):
    """The functions and events of the OpenAPI+ control, which a 32-bit host process has; `Proxy` says how it is used.

    The control waits in every event until its slots have returned, as it does for a program that has it in its own
    process; what slots read comes with the event where it is foreseen. `read_ahead` says what is wanted instead.

    The host is started here and ends with this object, and with this process however that ends. When it dies, or hangs
    in a call for `hang_seconds` without a box on the screen, OnEventConnect(-106) is told, and another one is started.
    OpenAPI+ takes one login a process, so CommConnect after a login takes a new host too. A login that is lost is made
    again by itself, in pauses that grow to five minutes and not while Kiwoom's servers are checked at night. For that
    OpenAPI+'s automatic login has to be on; otherwise its window waits for somebody.

    Args:
        control: ProgID or CLSID.
        command: what starts the host, without the control; by default the host of this package, elsewhere than on
            Windows through Wine.
        relogin: whether to log in again by itself.
        hang_seconds: how long a call may take before the host is given up.
        rules: what to do about boxes that are known.
        now: the time in Korea; what it says decides about nothing but logins at night.
        pace: when the host is taken to be dead.

    Raises:
        HostNotFound: the host, or what could run it, is not on this machine.
        ControlLost: there is no such control; the text says why.
    """

    # OpenAPI+ may look for a new version of itself before it is there.
    greeting_seconds = 60.0
    holds = True

    def __init__(
        self,
        control: str = CONTROL,
        *,
        command: Sequence[str] | None = None,
        relogin: bool = True,
        hang_seconds: float = 60.0,
        rules: Sequence[Rule] = boxes.KNOWN,
        now: Callable[[], datetime] = lambda: datetime.now(KST),
        pace: Pace | None = None,
    ) -> None:
        self._command = [*(command or host_command()), control]
        self._relogin = relogin
        self._hang_seconds = hang_seconds
        self._rules = tuple(rules)
        self._now = now
        self._plan = everything()
        self.about: Mapping[str, str] = {}
        """Facts about the control and its host: file, version, bits, code page and the like."""
        self.differences: tuple[str, ...] = ()
        """How the control differs from the catalogue, one sentence each."""
        self._host: HostProcess | None = None
        self._started = 0.0
        self._delay = 0.0
        self._dialogs: dict[int, Dialog] = {}
        self._box_seen = threading.Event()
        # Of the control's thread, but for the time of the next login, which the connection's thread looks at.
        self._used = False
        """Whether this host has been asked to log in."""
        self._wanted = False
        """Whether there was a login that is to be made again when it is lost."""
        self._logged_in_at = 0.0
        self._pause = FIRST_PAUSE
        self._login_at: float | None = None
        self._next_login: datetime | None = None
        super().__init__(f"the control {control}", name="koapy", wait=0.0, pace=pace)

    @property
    def dialogs(self) -> tuple[Dialog, ...]:
        """The boxes on the screen that somebody has to deal with."""
        return tuple(self._dialogs.values())

    @property
    def prospect(self) -> str:
        """What leads out of a lost login: a box that waits for somebody, the next try, or somebody who logs in."""
        if self._dialogs:
            box = next(iter(self._dialogs.values()))
            return f"the box {box.title!r} is on its screen: {box.text}"
        if self._next_login is None:
            return "log in again by LoginCall"
        night = ", when Kiwoom's servers have been checked" if away_until(self._now()) else ""
        return f"the login is made again at {self._next_login:%H:%M:%S}{night}"

    def wait_for_boxes(self, seconds: float) -> None:
        """Return when there is a box on the screen, or when `seconds` have passed. Not on the control's thread."""
        self._box_seen.wait(seconds)

    @property
    def host_pid(self) -> int | None:
        """The host's process, where there is one."""
        return self._host.pid if self._host and self.connected else None

    def close(self) -> None:
        """End the host and the threads, and wait until they are gone. Harmless twice."""
        super().close()
        if self._host is not None:
            self._host.close()

    # The host.

    def _open(self) -> Stream:
        if time.monotonic() - self._started < STEADY_SECONDS:
            self._keeper.wake.wait(self._delay)
            self._delay = min(max(0.5, self._delay * 2), LONGEST_PAUSE)
        else:
            self._delay = 0.0
        self._host = HostProcess(self._command)
        self._started = time.monotonic()
        self._dialogs.clear()
        self._used = False
        return self._host

    def _adopted(self, link: Link, welcome: Welcome) -> None:
        link.send(holding.rules(self._rules))
        link.send(holding.trs(answers()))
        link.send(holding.plan(self._plan))
        self.about, self.differences = welcome.about, differences(welcome)
        for each in self.differences:
            logger.error("the control is not the one that koapy knows: %s", each)

    def _remarked(self, frame: bytes) -> None:
        if kind(frame) is Kind.DIALOG:
            self._noticed(holding.read_dialog(frame))
            return
        what, seconds = holding.read_busy(frame)
        if seconds >= self._hang_seconds and not self._dialogs and (link := self._keeper.link) is not None:
            link.end(f"the control hung in {what} for {seconds:.0f} s")
        elif seconds >= BUSY_SECONDS:
            logger.warning("the control has been in %s for %.0f s", what, seconds)

    def _noticed(self, box: Dialog) -> None:
        words = f"{box.title!r} of {box.owner}: {box.text}"
        if box.step is Step.GONE:
            self._dialogs.pop(box.window, None)
            logger.info("the box is gone: %s", words)
        elif box.step is Step.HANDLED:
            logger.warning("the box is dealt with (%s): %s", box.action, words)
        else:
            self._dialogs[box.window] = box
            self._box_seen.set()
            logger.warning("a box is on the screen: %s", words)

    # Calls.

    def _call(self, name: str, *args: Value) -> Value:
        if name == "CommConnect":
            return self._connect_anew()
        return super()._call(name, *args)

    @property
    def waits(self) -> bool:
        """Whether the control waits for its slots in the event that is being told. On the control's thread."""
        return self._event is None or self._event.waits

    def read_ahead(self, fids: Mapping[str, Sequence[int]], held: Collection[str]) -> None:
        """Have these FIDs read with each tick from now on, and have the control wait in these events for their slots.

        Nothing else can be read of an event that the control does not wait in: it raises `Unread`. Until this is called
        the control waits in every event, as it does for a program that has it in its own process. May be called on any
        thread, and never waits.

        Args:
            fids: by real type; "": of types that are not here.
            held: names of events.
        """
        with self._changed:
            self._plan = Plan(fids, held)
            if (link := self._keeper.link) is not None:
                link.send(holding.plan(self._plan))

    # Logins.

    def _connect_anew(self) -> Value:
        """CommConnect, in a new host where this one has been used."""
        if self._used and super()._call("GetConnectState") != LOGGED_IN:
            self._delay = 0.0
            self._replace("a new login takes a new host")
        self._used = True
        self._login_at = self._next_login = None
        return super()._call("CommConnect")

    def _tell(self, name: str, args: tuple[Value, ...], *rest: Any) -> None:
        if name == "OnEventConnect":
            self._connected(args[0])
        super()._tell(name, args, *rest)

    def _connected(self, code: Value) -> None:
        now = time.monotonic()
        if code == CONNECTED:
            self._wanted, self._logged_in_at = True, now
            self._login_at = self._next_login = None
            return
        if not (self._wanted and self._relogin):
            return
        if self._logged_in_at and now - self._logged_in_at > STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        here = self._now()
        self._next_login = max(here + timedelta(seconds=self._pause), away_until(here) or here)
        self._login_at, self._logged_in_at = now + (self._next_login - here).total_seconds(), 0.0
        logger.warning("the login is lost; %s", self.prospect)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _watched(self) -> None:
        if self._login_at is not None and time.monotonic() >= self._login_at:
            self._login_at = None
            self.submit(self._log_in_again)

    def _log_in_again(self) -> None:
        try:
            if super()._call("GetConnectState") != LOGGED_IN and (code := self._connect_anew()) != 0:
                self._connected(code)
        except (ControlLost, RuntimeError) as error:
            logger.warning("the login could not be tried: %s", error)
            self._connected(-1)
