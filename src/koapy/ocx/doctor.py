"""What a machine has of OpenAPI+, and what to do about what it lacks: one page that can be sent in."""

from __future__ import annotations

import platform
import re
import struct
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from koapy.ocx.boxes import KNOWN, REPORT, WHILE_UPGRADING
from koapy.ocx.contract import is_grave
from koapy.ocx.control import CONTROL, OcxControl
from koapy.ocx.process import HostNotFound, HostProcess, host_command
from koapy.remote import messages
from koapy.remote.frames import LARGEST, Kind, kind
from koapy.remote.keeper import ControlLost
from koapy.remote.link import Link, Pace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from koapy.remote.holding import Dialog

KOREAN = "949"
INSTALLER = "https://www.kiwoom.com/h/customer/download/VOpenApiInfoView"
LOOK = "--look"
LOOK_SECONDS = 1.0
"""Time for boxes to appear that the control shows when it is made."""
ANSWER_SECONDS = 20.0
"""A host that has said nothing for so long will not."""


_SECRETS = (
    (re.compile(r"(?<![\dA-Za-z])\d{4}-?\d{4}(-?\d{2})?(?![\dA-Za-z])"), "********"),  # account numbers, in boxes
    (re.compile(r"(?i)([\\/](?:users|home)[\\/])[^\\/]+"), r"\1***"),  # user names, in paths
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page."""

    what: str
    found: str
    advice: str = ""
    """What to do; empty where nothing is the matter."""
    grave: bool = False
    """Whether OpenAPI+ cannot work like this."""


def examine(control: str = CONTROL) -> list[Finding]:
    """Look at the control and at what it lives in, then make it, and let go of it. Nobody is logged in.

    Numbers of accounts and names of users are left out of what is found.
    """
    return [replace(each, found=shareable(each.found)) for each in _examined(control)]


def shareable(text: str) -> str:
    """The text without account numbers and without the user names in paths."""
    for secret, instead in _SECRETS:
        text = secret.sub(instead, text)
    return text


def _examined(control: str) -> Iterator[Finding]:
    yield Finding("python", f"{platform.python_version()}, {8 * struct.calcsize('P')} bits")
    yield Finding("system", platform.platform())
    try:
        command = host_command()
        about = _about([*command, LOOK, control])
    except (HostNotFound, ControlLost) as error:
        yield Finding("host", f"cannot be started: {error}", "see docs/windows.md", grave=True)
        return
    yield from installed(control, about)
    if about.get("registered") == "yes":
        yield from _made(control, command)


def installed(control: str, about: Mapping[str, str]) -> Iterator[Finding]:
    """What the machine says, with advice where something is the matter."""
    registered = about.get("registered", "")
    install = "" if registered == "yes" else f"install OpenAPI+ from {INSTALLER}"
    yield Finding("control", control)
    yield Finding("registered", registered, install, grave=bool(install))
    if not install:
        where = about.get("file", "")
        gone = "" if about.get("file is there") == "yes" else f"the file is gone: install OpenAPI+ anew, {INSTALLER}"
        yield Finding("file", where, gone, grave=bool(gone))
        yield Finding("version", about.get("version") or "not known")
    yield Finding("bitness", f"{about.get('bits', '?')} bits, as OpenAPI+ takes; those of Python do not matter")
    page = about.get("code page", "")
    korean = "" if page == KOREAN else "set the language of programs without Unicode to Korean: Region, Administrative"
    read = f"{page}, Korean" if not korean else f"{page}, not {KOREAN}: what OpenAPI+ says in Korean cannot be read"
    yield Finding("code page", read, korean, grave=bool(korean))
    if not install:
        writable = about.get("folder is writable", "")
        write = "" if writable == "yes" else "let your user write there: OpenAPI+ keeps its files in it"
        yield Finding("folder is writable", writable, write, grave=bool(write))
        auto = about.get("auto login", "")
        turn = "" if auto == "yes" else "turn on AUTO in the account window, or somebody has to log in each time"
        yield Finding("auto login", auto, turn)
    rights = about.get("administrator", "")
    yield Finding("administrator", f"{rights}, koapy has {'' if rights == 'yes' else 'not '}been started as one")


def judged(differences: Iterable[str], boxes: Iterable[Dialog]) -> Iterator[Finding]:
    """What the control is like now that it is there."""
    changed = tuple(differences)
    yield Finding("functions and events", f"{len(changed)} differ" if changed else "as koapy knows them")
    for each in changed:
        advice = "report it: this edition of OpenAPI+ is not the one that koapy knows"
        yield Finding("differs", each, advice, grave=is_grave(each))
    shown = tuple(boxes)
    if not shown:
        yield Finding("boxes on the screen", "none")
    for box in shown:
        text = f": {box.text}" if box.text else ""
        yield Finding("box on the screen", f"{box.title!r} of {box.owner}{text}", "answer it")


class _Looked(OcxControl):
    """Keeps the boxes, also where it does not come to be."""

    greeting_seconds = ANSWER_SECONDS

    def __init__(self, control: str, command: Sequence[str], boxes: dict[int, Dialog]) -> None:
        self._boxes = boxes
        rules = tuple(replace(each, action=REPORT) for each in (*KNOWN, *WHILE_UPGRADING))
        super().__init__(control, command=command, relogin=False, rules=rules)

    def _noticed(self, box: Dialog) -> None:
        super()._noticed(box)
        self._boxes[box.window] = box


def _made(control: str, command: Sequence[str]) -> Iterator[Finding]:
    boxes: dict[int, Dialog] = {}
    try:
        with _Looked(control, command, boxes) as made:
            made.wait_for_boxes(LOOK_SECONDS)
            yield Finding("can be started", "yes")
            yield from judged(made.differences, boxes.values())
    except ControlLost as error:
        advice = "answer the box below" if boxes else "install OpenAPI+ anew, or report this page"
        why = str(error).removeprefix(f"the control {control} is not there: ")
        yield Finding("can be started", f"no: {why}", advice, grave=True)
        yield from list(judged((), boxes.values()))[1:]


def _about(command: Sequence[str]) -> Mapping[str, str]:
    """What a host says that makes no control. Raises: HostNotFound, ControlLost."""
    told = Future[dict[str, str]]()

    def received(frames: list[bytes]) -> None:
        for frame in frames:
            if kind(frame) is Kind.WELCOME:
                told.set_result(messages.read_welcome(frame).about)

    def ended(reason: str) -> None:
        with suppress(Exception):  # it has said all that it had to
            told.set_exception(ControlLost(reason))

    process = HostProcess(command)
    link = Link(process, received, ended, largest=LARGEST, pace=Pace())
    link.start()
    link.send(messages.hello("doctor"))
    try:
        return told.result(ANSWER_SECONDS)
    except TimeoutError:
        raise ControlLost("it does not answer") from None
    finally:
        link.end("it has been looked at")
        process.close()
