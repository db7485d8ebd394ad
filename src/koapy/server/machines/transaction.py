"""TransactionCall: one TR, page by page."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi.login import is_password
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server.events import EventConnect, ReceiveMsg, ReceiveTrData, Table
from koapy.server.failure import refused
from koapy.server.machines import Ask, Done, Limit, Send
from koapy.server.machines.endings import lost, negative, told
from koapy.server.machines.messages import UNPARSED, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from koapy.openapi.tr import Tr
    from koapy.server.events import Event
    from koapy.server.failure import Failure
    from koapy.server.machines import Effect
    from koapy.server.pages import Page

COMPARATORS: Mapping[int, Callable[[str, str], bool]] = {
    pb.LESS_THAN_OR_EQUAL_TO: operator.le,
    pb.LESS_THAN: operator.lt,
    pb.GREATER_THAN_OR_EQUAL_TO: operator.ge,
    pb.GREATER_THAN: operator.gt,
    pb.EQUAL_TO: operator.eq,
    pb.NOT_EQUAL_TO: operator.ne,
}
"""How a stop condition compares, by the wire's number."""

LAST = ("", "0")
"""What prev_next is when nothing follows."""


class StopCondition(NamedTuple):
    """The first row that meets it ends the query; that row and the rest are left out."""

    name: str
    """A column; one that the rows do not have makes no condition."""
    comparator: int
    """A key of COMPARATORS."""
    value: str
    """What the row's value is compared with, as text."""

    def first(self, rows: Table | Page) -> int | None:
        """The position of the first row that meets the condition, or None."""
        if self.name not in rows.names:
            return None
        column, met = rows.names.index(self.name), COMPARATORS[self.comparator]
        return next((at for at, row in enumerate(rows.rows) if met(row[column], self.value)), None)


class Transaction:
    """Asks a TR and continues until its last page or the stop condition.

    Args:
        tr: the TR of the catalogue.
        code: the TR code as the client sent it.
        inputs: values by the catalogue's input names; missing ones are sent as "", others are dropped.
        request, screen: as the control gets them.
        stop: None where the client gave none.
    """

    def __init__(
        self, tr: Tr, code: str, inputs: Mapping[str, str], request: str, screen: str, stop: StopCondition | None = None
    ) -> None:
        self._tr = tr
        self._code = code
        self._inputs = tuple((name, inputs.get(name, "")) for name in tr.input_names)
        self._request = request
        self._screen = screen
        self._stop = stop
        self._page = 0

    @property
    def waiting_for(self) -> str:
        """The page that is asked for."""
        return f"page {self._page} of {self._code}"

    def start(self) -> list[Effect]:
        """Ask the first page."""
        return [self._ask(0)]

    def returned(self, ask: Ask, value: object) -> list[Effect]:
        """A negative return of CommRqData ends the query."""
        failure = negative(ask, value)
        return [Done(failure)] if failure else []

    def received(self, event: Event) -> list[Effect]:
        """Forward a page; end with an error that a message or the connection tells."""
        match event:
            case ReceiveTrData():
                return self._received_page(event)
            case ReceiveMsg():
                failure = self._told(event.text)
            case EventConnect():
                failure = lost(event, f"{self.waiting_for} was not answered; log in again and repeat the query")
            case _:
                failure = None
        return [Done(failure)] if failure else []

    def release(self) -> list[Ask]:
        """Give back what the TR has registered under its screen."""
        return [Ask((("DisconnectRealData", (self._screen,)),))]

    def _ask(self, prev_next: int) -> Ask:
        self._page += 1
        inputs = tuple(("SetInputValue", pair) for pair in self._inputs)
        return Ask((*inputs, ("CommRqData", (self._request, self._code, prev_next, self._screen))), Limit.TR)

    def _received_page(self, event: ReceiveTrData) -> list[Effect]:
        page = rows_only(event)
        if self._stop and page.multi:
            at = self._stop.first(page.multi)
            if at is not None:
                kept = page.changed(multi=Table(page.multi.names, page.multi.rows[:at]))
                return [Send(kept), Done()]
        following = page.prev_next.strip()
        if following in LAST:
            return [Send(page), Done()]
        if not following.isdecimal():
            return [Send(page), Done(refused(f"{self._code} continues with {following!r}, which is no number"))]
        # Asked before this one is written, so that the control is not idle meanwhile; the next but one is not.
        return [self._ask(int(following)), Send(page)]

    def _told(self, text: str) -> Failure | None:
        parsed = parse(text)
        if not parsed.is_error:
            return None
        if parsed.text == UNPARSED:
            given = ", ".join(f"{name}={_shown(name, value)}" for name, value in self._inputs)
            return told(f"OpenAPI+ cannot read the inputs of {self._code} ({given})", text)
        return told(self._code, text)


def _shown(name: str, value: str) -> str:
    return "***" if is_password(name) and value else repr(value)


def rows_only(event: ReceiveTrData) -> ReceiveTrData:
    """The answer without its single part, where the rows have no names of their own and are read by the single ones."""
    if event.single and event.multi and event.multi.names == event.single.names:
        return event.changed(single=None)
    return event
