"""RemoteControl: a control that a host offers on a socket of this machine."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from koapy.remote.keeper import ControlLost
from koapy.remote.link import SocketStream, loopback
from koapy.remote.proxy import CONNECTED, LOGGED_IN, Proxy

if TYPE_CHECKING:
    from koapy.remote.link import Pace, Stream

__all__ = ["ControlLost", "RemoteControl"]

logger = logging.getLogger(__name__)


class RemoteControl(Proxy):
    """The functions and events of a control that `koapy.remote.host` offers in another process, which goes on without.

    `Proxy` says how it is used. Once a connection that was lost is back, and the control says that it is logged in,
    OnEventConnect(0) is told. What the control told in between is lost: ask for it.

    Args:
        address: of the host, a loopback address.
        name: what the host calls this gateway when another one comes.
        wait: seconds in which the first connection must be made.
        pace: when the host is taken to be dead.

    Raises:
        ValueError: the address is not this machine's own.
        ControlLost: nobody offers a control there in time, or the host has another gateway.
    """

    def __init__(self, address: str, *, name: str = "koapy", wait: float = 10.0, pace: Pace | None = None) -> None:
        loopback(address)
        self.address = address
        super().__init__(f"the control at {address}", name=name, wait=wait, pace=pace)

    def _open(self) -> Stream:
        return SocketStream(socket.create_connection(loopback(self.address), timeout=self.greeting_seconds))

    def _returned(self) -> None:
        if "GetConnectState" not in self._functions:
            return
        try:
            state = self._call("GetConnectState")
        except Exception as error:
            logger.warning("the control is back, and does not say whether it is logged in: %s", error)
            return
        if state == LOGGED_IN:
            self._tell("OnEventConnect", (CONNECTED,))
