"""LoginCall and LoadConditionCall: one call, one event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.server.events import EventConnect, ReceiveConditionVer
from koapy.server.failure import refused
from koapy.server.machines import Ask, Done, Send
from koapy.server.machines.endings import lost, negative

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.server.events import Event
    from koapy.server.machines import Effect

_CONNECT = Ask((("CommConnect", ()),))
_LOAD = Ask((("GetConditionLoad", ()),))

LOADED = 1
"""What GetConditionLoad and OnReceiveConditionVer give when all is well."""


class Login:
    """Logs in, or says at once that this is done already.

    Args:
        connected: whether the control is known to be logged in.
        changes: how many changes of the connection there have been until now. What tells of those may still be on
            its way, and is not the end of this login.
        waits: whether the login is known to wait for something, so that silence means nothing.
    """

    def __init__(self, *, connected: bool, changes: int = 0, waits: Callable[[], bool] = lambda: False) -> None:
        self._connected = connected
        self._changes = changes
        self._waits = waits

    @property
    def waiting_for(self) -> str:
        """The end of the login."""
        return "" if self._waits() else "OnEventConnect of CommConnect"

    def start(self) -> list[Effect]:
        """Connect where there is no connection."""
        return [Send(EventConnect(0)), Done()] if self._connected else [_CONNECT]

    def returned(self, ask: Ask, value: object) -> list[Effect]:
        """A negative return of CommConnect is an error."""
        failure = negative(ask, value)
        return [Done(failure)] if failure else []

    def received(self, event: Event) -> list[Effect]:
        """End with OnEventConnect, a negative one as an error without a message."""
        if not isinstance(event, EventConnect) or 0 < event.change <= self._changes:
            return []
        if event.code < 0:
            return [Done(refused("the login failed", code=event.code))]
        return [Send(event), Done()]

    def release(self) -> list[Ask]:
        """Nothing was taken."""
        return []


class LoadCondition:
    """Loads the conditions of the user."""

    @property
    def waiting_for(self) -> str:
        """The end of the loading."""
        return "OnReceiveConditionVer of GetConditionLoad"

    def start(self) -> list[Effect]:
        """Ask for the conditions."""
        return [_LOAD]

    def returned(self, ask: Ask, value: object) -> list[Effect]:
        """Anything but 1 is an error."""
        if failure := negative(ask, value):
            return [Done(failure)]
        if isinstance(value, int) and value != LOADED:
            text = f"GetConditionLoad returned {value}: the conditions cannot be loaded now; log in again and try later"
            return [Done(refused(text, reason="CONDITIONS_NOT_LOADED"))]
        return []

    def received(self, event: Event) -> list[Effect]:
        """End with OnReceiveConditionVer; any code but 1 is an error with the event's text."""
        match event:
            case ReceiveConditionVer(code=code, text=text) if code != LOADED:
                what = f"the conditions were not loaded (OnReceiveConditionVer gave {code})"
                known = code if code < 0 else None
                return [Done(refused(what, code=known, message=text, reason="CONDITIONS_NOT_LOADED"))]
            case ReceiveConditionVer():
                return [Send(event), Done()]
            case EventConnect():
                failure = lost(event, "the conditions were not loaded; log in again and repeat")
                return [Done(failure)] if failure else []
        return []

    def release(self) -> list[Ask]:
        """Nothing was taken."""
        return []
