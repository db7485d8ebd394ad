"""OcxControl: the OpenAPI+ control in a host process of its own."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from koapy.control.outlook import Closed, Outlook
from koapy.ocx import boxes
from koapy.ocx.contract import differences, is_grave
from koapy.ocx.logins import LONGEST_PAUSE, STEADY_SECONDS, Logins
from koapy.ocx.nights import EVERY_NIGHT, Schedule
from koapy.ocx.plans import answers, everything
from koapy.ocx.process import HostProcess, host_command
from koapy.ocx.upgrades import Vigil
from koapy.openapi.calendar import KST
from koapy.remote import holding
from koapy.remote.frames import Kind, kind
from koapy.remote.holding import Plan, Step
from koapy.remote.keeper import ControlLost
from koapy.remote.link import Pace
from koapy.remote.proxy import CONNECTED, LOGGED_IN, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from koapy.control.reads import Value
    from koapy.remote.holding import Dialog, Rule
    from koapy.remote.link import Link, Stream
    from koapy.remote.messages import Welcome

logger = logging.getLogger(__name__)

CONTROL = "KHOPENAPI.KHOpenAPICtrl.1"

VERSION_FAILED = -102
"""OnEventConnect: OP_ERR_VERSION, what OpenAPI+ itself tells when it could not be upgraded."""
BUSY_SECONDS = 5.0
"""A call that takes longer is worth a line in the log, and another each time that it takes twice as long."""


NAMED = 3
"""Differences of a control from the known one that a notice has; the log has all."""


class OcxControl(Proxy):
    """The functions and events of the OpenAPI+ control, which a 32-bit host process has; `Proxy` says how it is used.

    The control waits in every event until its slots have returned, as it does for a program that has it in its own
    process; what slots read comes with the event where it is foreseen. `read_ahead` says what is wanted instead.

    The host is started here and ends with this object, and with this process however that ends. When it dies, or hangs
    in a call for `hang_seconds` without a box on the screen, OnEventConnect(-106) is told, and another one is started.
    OpenAPI+ takes one login a process, so CommConnect after a login takes a new host too. A login that is lost, or that
    a box asks to be made anew, is made again by itself, in pauses that grow to five minutes; CommConnect while Kiwoom's
    servers are away is carried out when they are back. For logins by itself OpenAPI+'s automatic login has to be on;
    otherwise its window waits for somebody. When OpenAPI+ is to be upgraded, the host is ended, the programs that do it
    run, and then another host is started, and logged in where the one before was, or was to be.

    Args:
        control: ProgID or CLSID.
        command: what starts the host, without the control; by default the host of this package, elsewhere than on
            Windows through Wine.
        relogin: whether to log in again by itself.
        hang_seconds: how long a call may take before the host is given up.
        maintenance: when Kiwoom's servers are away, as `koapy.ocx.nights` says it.
        rules: what to do about boxes that are known.
        now: the time in Korea; what it says decides about nothing but the servers' maintenance.
        pace: when the host is taken to be dead.

    Raises:
        HostNotFound: the host, or what could run it, is not on this machine.
        ControlLost: there is no such control; the text says why.
        ValueError: a text of `maintenance` says no time.
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
        maintenance: Iterable[str] = EVERY_NIGHT,
        rules: Sequence[Rule] = boxes.KNOWN,
        now: Callable[[], datetime] = lambda: datetime.now(KST),
        pace: Pace | None = None,
    ) -> None:
        self.command = (*(command or host_command()), control)
        """What starts a host."""
        self._relogin = relogin
        self._hang_seconds = hang_seconds
        self._rules = tuple(rules)
        self._now = now
        self._logins = Logins(Schedule(maintenance), now, again=relogin)
        self._pace = pace or Pace()
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
        self._worth_telling = BUSY_SECONDS
        self._upgrading: datetime | None = None
        """Since when OpenAPI+ is being upgraded."""
        self._upgraded: bool | None = None
        """What came of it, until the control's thread has heard."""
        self._used = False
        """Whether this host has been asked to log in. Of the control's thread."""
        super().__init__(f"the control {control}", name="koapy", wait=0.0, pace=self._pace)
        self._upgraded = None  # of one that came before: nobody waits for it

    @property
    def dialogs(self) -> tuple[Dialog, ...]:
        """The boxes on the screen that somebody has to deal with."""
        return tuple(self._dialogs.copy().values())

    @property
    def outlook(self) -> Outlook:
        """What is going on, until when, and what waits for somebody."""
        notices = (*_another(self.differences), *map(_notice, self.dialogs))
        if self._upgrading is not None:
            text = f"a new version of OpenAPI+ is being installed since {self._upgrading:%H:%M:%S}; logins wait for it"
            return Outlook(closed=Closed.UPGRADING, text=text, notices=notices)
        found = self._logins.outlook
        return found._replace(notices=(*found.notices, *notices))

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
        if self._upgrading is not None:
            self._upgraded = not Vigil(self.command[:-1], self._noticed, self._pace).keep(self._keeper.wake)
            self._upgrading, self._delay = None, 0.0
        elif time.monotonic() - self._started < STEADY_SECONDS:
            self._keeper.wake.wait(self._delay)
            self._delay = min(max(0.5, self._delay * 2), LONGEST_PAUSE)
        else:
            self._delay = 0.0
        self._host = HostProcess(self.command)
        self._started = time.monotonic()
        self._dialogs.clear()
        self._used = False
        return self._host

    def _introduced(self, link: Link) -> None:
        # Before there is a control: it may show boxes while it is made.
        link.send(holding.rules(self._rules))

    def _adopted(self, link: Link, welcome: Welcome) -> None:
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
        elif not what:
            self._worth_telling = BUSY_SECONDS
        elif seconds >= self._worth_telling:
            self._worth_telling = 2 * seconds
            logger.warning("the control has been in %s for %.0f s", what, seconds)

    def _excused(self) -> bool:
        return self._upgrading is not None

    def _returned(self) -> None:
        upgraded, self._upgraded = self._upgraded, None
        if upgraded is False:
            self._tell("OnEventConnect", (VERSION_FAILED,))
        elif upgraded and (self._logins.asked or (self._relogin and self._logins.wanted)):
            self._logins.put_off()

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
            logger.warning("%s", _notice(box))
            if box.action == boxes.UPGRADE:
                self._upgrade()
            elif box.action == boxes.RELOGIN:
                self._give_up_login(box)

    def _upgrade(self) -> None:
        """End the host, which keeps OpenAPI+'s files from being replaced; `_open` waits until they have been."""
        if self._upgrading is None:
            self._upgrading = self._now()
            # A login that is under way goes on afterwards, so nothing is lost with its host but time.
            self._keeper.drop("OpenAPI+ is being upgraded", silently=self._logins.since is None)

    def _give_up_login(self, box: Dialog) -> None:
        """End the host whose login is not good any more, and in which the box is in the way of another; that is made in
        the next one. Where a login is due already, OnEventConnect has told of the loss before the box came."""
        if self._relogin and self._logins.wanted:
            is_told = self._logins.next is not None
            self._keeper.drop(f"OpenAPI+ asks to be logged in again: {box.title}", silently=is_told)

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
        """CommConnect: later, while the servers are away or OpenAPI+ is upgraded; in a new host, where this one has
        been used, unless somebody is just about to log in."""
        logins = self._logins
        if logins.since is None:
            if self._upgrading is not None or logins.away_until is not None:
                logins.put_off()
                logger.warning("a login is asked for; %s", self.outlook.text)
                return 0
            # A box that says that the login is over keeps the host from answering anything.
            is_over = any(box.action == boxes.RELOGIN for box in self.dialogs)
            if self._used and (is_over or super()._call("GetConnectState") != LOGGED_IN):
                if not is_over and (logins.under_way or (logins.asked and self._dialogs)):
                    return 0
                self._delay = 0.0
                self._replace("a new login takes a new host")
            logins.begun()
        self._used = True
        code = super()._call("CommConnect")
        if isinstance(code, int) and code < 0:
            self._connected(code)
        return code

    def _tell(self, name: str, args: tuple[Value, ...], *rest: Any) -> None:
        if name == "OnEventConnect":
            self._connected(args[0])
        super()._tell(name, args, *rest)

    def _connected(self, code: Value) -> None:
        if code == CONNECTED:
            self._logins.succeeded()
        elif self._logins.failed():
            logger.warning("the login is lost; %s", self.outlook.text)

    def _watched(self) -> None:
        if self._logins.due:
            self.submit(self._log_in_again)

    def _log_in_again(self) -> None:
        if not self._logins.due:
            return
        try:
            if super()._call("GetConnectState") == LOGGED_IN:
                self._tell("OnEventConnect", (CONNECTED,))
            else:
                self._connect_anew()
        except (ControlLost, RuntimeError) as error:
            logger.warning("the login could not be tried: %s", error)
            self._logins.begun()
            self._connected(-1)


def _another(differences: Sequence[str]) -> Iterator[str]:
    """What is said of a control that is not the one that koapy was written for."""
    grave = [each for each in differences if is_grave(each)]
    if grave:
        more = f"; and {len(grave) - NAMED} more" if len(grave) > NAMED else ""
        yield f"the control is not the one that koapy knows, see `koapy ocx doctor`: {'; '.join(grave[:NAMED])}{more}"


def _notice(box: Dialog) -> str:
    """What is said of a box."""
    if boxes.ACCOUNT_WINDOW in box.title:
        return f"the account password window {box.title!r} is open and waits for somebody; koapy types nothing into it"
    return f"the box {box.title!r} of {box.owner} is on the screen: {box.text}"
