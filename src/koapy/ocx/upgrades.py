"""Upgrades of OpenAPI+ (opstarter, opversionup): its own programs replace it, while no process may have it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from koapy.ocx.boxes import WHILE_UPGRADING
from koapy.ocx.process import HostProcess
from koapy.remote import holding, messages
from koapy.remote.frames import LARGEST, FrameError, Kind, kind
from koapy.remote.holding import Step
from koapy.remote.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from koapy.remote.holding import Dialog
    from koapy.remote.link import Pace

logger = logging.getLogger(__name__)

PROGRAMS = ("opstarter", "opversionup")
"""File names of the programs begin so, in small letters."""
FAILED = "opversionup"
"""Title of the box that says that the new version could not be put in place."""
WHILE = "--while"
BEAT_SECONDS = 0.5


class Vigil:
    """A host without a control: it sees the boxes of the upgrade and answers them, and ends with its programs.

    Args:
        command: what starts a host, without the control.
        noticed: told of boxes, on a thread of its own.
        pace: when it is taken to be dead.
    """

    def __init__(self, command: Sequence[str], noticed: Callable[[Dialog], object], pace: Pace) -> None:
        self._noticed = noticed
        self._over = threading.Event()
        self._failed = False
        self._process = HostProcess([*command, WHILE, *PROGRAMS])
        self._link = Link(self._process, self._received, self._ended, largest=LARGEST, pace=pace)

    def keep(self, closed: threading.Event) -> bool:
        """Wait until the upgrade is over, or until `closed`; whether it has failed."""
        self._link.start()
        self._link.send(messages.hello("koapy"))
        self._link.send(holding.rules(WHILE_UPGRADING))
        while not (self._over.wait(BEAT_SECONDS) or closed.is_set()):
            self._link.beat()
        self._link.end("closed")
        self._process.close()
        return self._failed

    def _received(self, received: list[bytes]) -> None:
        for frame in received:
            match kind(frame):
                case Kind.DIALOG:
                    box = holding.read_dialog(frame)
                    self._failed = self._failed or (box.step is Step.SEEN and box.title == FAILED)
                    self._noticed(box)
                case Kind.BYE | Kind.REFUSED:
                    self._link.end("the upgrade is over")
                case Kind.WELCOME | Kind.BEAT:
                    pass
                case other:
                    raise FrameError(f"{other.name} was not expected of a host without a control")

    def _ended(self, reason: str) -> None:
        logger.info("no program of the upgrade runs any more: %s", reason)
        self._over.set()
