"""What a control knows of itself beyond whether it is logged in: what is going on, until when, what waits for whom."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  whoever asks for the type of the field finds it
from enum import StrEnum
from typing import NamedTuple


class Closed(StrEnum):
    """Why a control takes nothing at the moment, though nothing is broken."""

    MAINTENANCE = "MAINTENANCE"
    """Kiwoom's servers are away, as every night or as announced."""
    UPGRADING = "UPGRADING"
    """A new version of OpenAPI+ is being installed."""


class Outlook(NamedTuple):
    """A control may bring one as ``outlook``, an attribute that any thread may read at any time."""

    closed: Closed | None = None
    """Set: what needs a login is refused meanwhile, and logins wait for the end."""
    text: str = ""
    """Where there is no login: what leads out of that."""
    until: datetime | None = None
    """When that is expected to be over, in Korean time."""
    notices: tuple[str, ...] = ()
    """What somebody should look at, such as a box on the screen; one sentence each."""
