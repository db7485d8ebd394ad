"""ConditionCall: a condition search, its real-time signals, and the quotes of what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.server.events import EventConnect, ReceiveMsg, ReceiveRealCondition, ReceiveTrCondition, ReceiveTrData
from koapy.server.failure import refused
from koapy.server.machines import Ask, Done, Limit, Send
from koapy.server.machines.endings import lost, negative, told
from koapy.server.machines.keyword import Chunk, answer, ask_keywords, chunks
from koapy.server.machines.messages import parse

if TYPE_CHECKING:
    from koapy.server.events import Event
    from koapy.server.failure import Failure
    from koapy.server.machines import Effect

REAL_TIME = 1
"""The search type that goes on with signals until the client ends it."""

CONTINUATION = 2
"""The search type that asks for the rest of a list."""


def hits(codes: str) -> list[str]:
    """The codes of a list as OnReceiveTrCondition gives it: "code;code;", or "code^price;" with prices."""
    return [code for each in codes.split(";") if (code := each.partition("^")[0].strip())]


class Condition:
    """Searches by one condition of the user's.

    Args:
        name, index: the condition, as GetConditionNameList has it.
        search_type: 1 goes on with real-time signals; any other ends after the list.
        request, screen: as the control gets them.
        info: OPTKWFID or OPTFOFID to ask for the quotes of all hits, "" for none.
    """

    def __init__(self, name: str, index: int, search_type: int, request: str, screen: str, info: str = "") -> None:
        self._name = name
        self._index = index
        self._search_type = search_type
        self._request = request
        self._screen = screen
        self._info = info
        self._list_owed = True
        self._info_owed = 0

    @property
    def waiting_for(self) -> str:
        """The list, then the quotes; nothing while only signals may come."""
        if self._list_owed:
            return f"OnReceiveTrCondition of the condition {self._index} {self._name}"
        return f"{self._info_owed} answers of {self._info}" if self._info_owed else ""

    def start(self) -> list[Effect]:
        """Start the search."""
        return [self._search(self._search_type)]

    def returned(self, ask: Ask, value: object) -> list[Effect]:
        """SendCondition gives 1, anything less is an error; so is a negative return of CommKwRqData."""
        failure = negative(ask, value)
        if failure is None and value == 0 and ask.calls[-1][0] == "SendCondition":
            text = (
                f"SendCondition returned 0 for the condition {self._index} {self._name}: name and index do not belong "
                "together, it was searched within the last minute, or ten real-time conditions are running"
            )
            failure = refused(text, reason="CONDITION_REFUSED")
        return [Done(failure)] if failure else []

    def received(self, event: Event) -> list[Effect]:
        """Forward lists, signals and quotes, ask for what belongs to them, and end when nothing more is to come."""
        failure: Failure | None = None
        match event:
            case ReceiveTrCondition():
                return self._listed(event)
            case ReceiveRealCondition():
                return [Send(event), *self._ask_info([event.code])]
            case ReceiveTrData():
                self._info_owed -= 1
                return answer(event) + self._end()
            case ReceiveMsg() if parse(event.text).is_error:
                failure = told(f"the condition {self._index} {self._name}", event.text)
            case EventConnect():
                fate = f"the condition {self._index} {self._name} is no longer watched; log in again and repeat"
                failure = lost(event, fate)
        return [Done(failure)] if failure else []

    def release(self) -> list[Ask]:
        """Stop the search and give back what the quotes have registered."""
        stop = ("SendConditionStop", (self._screen, self._name, self._index))
        return [Ask((stop, ("DisconnectRealData", (self._screen,))))]

    def _search(self, search_type: int) -> Ask:
        call = ("SendCondition", (self._screen, self._name, self._index, search_type))
        return Ask((call,), Limit.CONDITION, f"{self._index}^{self._name}")

    def _listed(self, event: ReceiveTrCondition) -> list[Effect]:
        effects: list[Effect] = [Send(event), *self._ask_info(hits(event.codes))]
        if event.next:
            return [*effects, self._search(CONTINUATION)]
        self._list_owed = False
        return effects + self._end()

    def _ask_info(self, codes: list[str]) -> list[Effect]:
        if not self._info:
            return []
        asks = [ask_keywords(self._info, Chunk(each, self._request, self._screen)) for each in chunks(codes)]
        self._info_owed += len(asks)
        return list(asks)

    def _end(self) -> list[Effect]:
        over = self._search_type != REAL_TIME and not self._list_owed and not self._info_owed
        return [Done()] if over else []
