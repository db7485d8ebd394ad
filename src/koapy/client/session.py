"""Login, accounts and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.client import calls, parse, requests
from koapy.client.errors import InvalidArgument
from koapy.client.plan import Ask, Collect, waits
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from koapy.client.parse import Condition
    from koapy.client.plan import Plan
    from koapy.client.reconnect import Link
    from koapy.client.requests import Credentials, Value


class Session:
    """What belongs to the login."""

    _link: Link

    @waits
    def login(self, credentials: Credentials | None = None) -> Plan[None]:
        """Log in and wait until that is done; at once when the control is logged in already.

        A client that has logged in does so again, alike, when its streams find a restarted gateway not logged in.

        Raises: OpenApiError with the negative code of OnEventConnect.
        """
        request = requests.login(credentials)
        yield Collect("LoginCall", request, lambda message: False)
        self._link.login = request

    @waits
    def connected(self) -> Plan[bool]:
        """Whether the control is logged in. A missing server is ConnectionLost, not False."""
        state = yield from calls.number("GetConnectState")
        return state == 1

    @waits
    def accounts(self) -> Plan[list[str]]:
        """The account numbers of the login, 10 digits each; empty before it."""
        return calls.accounts()

    @waits
    def codes(self, market: str = "") -> Plan[list[str]]:
        """The codes of a market: "0" KOSPI with its ETFs, "10" KOSDAQ, "8" ETF, "" all."""
        listed = yield from calls.text("GetCodeListByMarket", market)
        return parse.items(listed)

    @waits
    def call(self, name: str, *arguments: Value) -> Plan[Value | None]:
        """Call a function of OpenAPI+ by its name, or a helper name of KOAPY's clients; None where nothing returns."""
        return calls.value(name, *arguments)

    @waits
    def conditions(self) -> Plan[list[Condition]]:
        """The condition searches of the login, loaded first if they are not."""
        return _conditions()

    @waits
    def condition(self, which: str | int) -> Plan[list[str]]:
        """The codes that a condition search finds now; `which` is its name or its index.

        OpenAPI+ runs the same one once a minute; a server waits for that. Raises: InvalidArgument for an unknown one.
        """
        wanted = yield from chosen(which)
        codes: list[str] = []

        def take(message: pb.ListenResponse) -> bool:
            codes.extend(parse.found(message))
            return False

        yield Collect("ConditionCall", requests.condition(wanted.index, wanted.name, 0), take)
        return codes

    @waits
    def set_log_level(self, level: int, logger: str = "") -> Plan[None]:
        """Set the level of a logger of the server, in the numbers of Python's logging; "" is the root."""
        yield Ask("SetLogLevel", pb.SetLogLevelRequest(level=level, logger=logger))


def chosen(which: str | int) -> Plan[Condition]:
    """The condition search of this name or index."""
    listed = yield from _conditions()
    found = next((each for each in listed if which in (each.index, each.name)), None)
    if found is None:
        names = ", ".join(f"{each.index} {each.name}" for each in listed) or "none"
        raise InvalidArgument(f"no condition search {which!r}; there are: {names}")
    return found


def _conditions() -> Plan[list[Condition]]:
    yield from calls.value("EnsureConditionLoaded", False)
    names = yield from calls.text("GetConditionNameList")
    return parse.conditions(names)
