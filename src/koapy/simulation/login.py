"""Login and what OpenAPI+ tells about the user."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from koapy.simulation.session import Session

CONNECTION_LOST = -106
"""OP_ERR_SOCKET_CLOSED."""
NO_SERVER = -101
"""OP_ERR_CONNECT."""


class Login:
    """CommConnect and its sisters."""

    def __init__(self, session: Session, delay: float) -> None:
        self._session = session
        self._delay = delay

    def CommConnect(self) -> int:
        """Log in; OnEventConnect follows: 0, also when connected already, or -101 while the server is not there."""
        # Each call has an event of its own: two programs that share a gateway may both be waiting for one.
        self._session.world.clock.call_later(self._delay, self._connected)
        return 0

    def _connected(self) -> None:
        if self._session.faults.out:
            self._session.events.OnEventConnect(NO_SERVER)
            return
        if not self._session.connected:
            self._session.connected = True
            self._session.logins += 1
        self._session.faults.barred = 0
        self._session.events.OnEventConnect(0)

    def lose(self) -> None:
        """Lose the connection: requests under way stay unanswered. Without one nothing happens."""
        if not self._session.connected:
            return
        self._session.lose()
        self._session.events.OnEventConnect(CONNECTION_LOST)

    def CommTerminate(self) -> None:
        """Do nothing, as OpenAPI+ does nowadays."""

    def GetConnectState(self) -> int:
        """1 when connected, else 0."""
        return int(self._session.connected)

    def GetAPIModulePath(self) -> str:
        """Where OpenAPI+ is installed by default."""
        return r"C:\OpenAPI"

    def SetInfoData(self, sInfoData: str) -> int:
        """Obsolete; chose the user of the automatic login."""
        return 0

    def GetLoginInfo(self, sTag: str) -> str:
        """A fact about the user; "" before the login and for an unknown tag."""
        if not self._session.connected:
            return ""
        world = self._session.world
        accounts = "".join(f"{number};" for number in world.user.accounts)
        match sTag.upper():
            case "ACCOUNT_CNT":
                return str(len(world.user.accounts))
            case "ACCLIST" | "ACCNO":
                return accounts
            case "ACCTLIST_DETAIL":
                return "".join(f"{number},{world.user.name},위탁종합;" for number in world.user.accounts)
            case "USER_ID":
                return world.user.id
            case "USER_NAME":
                return world.user.name
            case "GETSERVERGUBUN":
                return "1" if world.mock else "0"
            case "KEY_BSECGB" | "FIREW_SECGB":
                return "0"
            case _:
                return ""
