"""What a machine has of OpenAPI+, and what to do about what it lacks: one page that can be sent in."""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from koapy.ocx.control import CONTROL, OcxControl
from koapy.ocx.process import HostNotFound
from koapy.remote.keeper import ControlLost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from koapy.remote.holding import Dialog

KOREAN = "949"
INSTALLER = "https://www.kiwoom.com/h/customer/download/VOpenApiInfoView"
LOOK_SECONDS = 1.0
"""Time for boxes to appear that the control shows when it is made."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page."""

    what: str
    found: str
    advice: str = ""
    """What to do; empty where nothing is the matter."""


def examine(control: str = CONTROL) -> list[Finding]:
    """Start the control, look at it and at what it lives in, and let go of it. Nobody is logged in."""
    page = [
        Finding("python", f"{platform.python_version()}, {8 * struct.calcsize('P')} bits"),
        Finding("system", platform.platform()),
    ]
    try:
        with OcxControl(control, relogin=False, rules=()) as made:
            made.wait_for_boxes(LOOK_SECONDS)
            return [*page, *judged(made.about, made.differences, made.dialogs)]
    except HostNotFound as error:
        return [*page, Finding("host", "cannot be started", str(error))]
    except ControlLost as error:
        advice = f"install OpenAPI+ from {INSTALLER}" if "not registered" in str(error) else "see docs/windows.md"
        return [*page, Finding("control", str(error), advice)]


def judged(about: Mapping[str, str], differences: Iterable[str], boxes: Iterable[Dialog]) -> Iterator[Finding]:
    """What the host says about its control, with advice where something is the matter."""
    for what in ("control", "clsid", "file", "version", "bits"):
        yield Finding(what, about.get(what, "") or "not known")
    writable = about.get("folder is writable", "")
    yield Finding(
        "folder is writable", writable, "" if writable == "yes" else "let your user write there: it updates itself"
    )
    page = about.get("code page", "")
    korean = "set the language of programs without Unicode to Korean (Windows: Region, Administrative)"
    yield Finding("code page", page, "" if page == KOREAN else korean)
    auto = about.get("auto login", "")
    yield Finding(
        "auto login", auto, "" if auto == "yes" else "turn on AUTO in the account window, or log in by hand each time"
    )
    changed = tuple(differences)
    yield Finding("functions and events", "as known" if not changed else f"{len(changed)} differ", "")
    for each in changed:
        yield Finding("differs", each, "report it: this edition of OpenAPI+ is not known to koapy")
    for box in boxes:
        yield Finding("box on the screen", f"{box.title!r} of {box.owner}: {box.text}", "answer it")
