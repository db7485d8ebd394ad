"""TransactionCall for OPTKWFID and OPTFOFID: many codes, 100 a request, all asked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from koapy.server.events import EventConnect, ReceiveMsg, ReceiveTrData
from koapy.server.failure import refused
from koapy.server.machines import Ask, Done, Limit, Send
from koapy.server.machines.endings import lost, negative, told
from koapy.server.machines.messages import parse
from koapy.server.machines.transaction import LAST, rows_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from koapy.server.events import Event
    from koapy.server.failure import Failure
    from koapy.server.machines import Effect

KINDS: Mapping[str, int] = {"OPTKWFID": 0, "OPTFOFID": 3}
"""CommKwRqData's kind of codes by the TR that answers: stocks, futures and options."""

CHUNK = 100
"""The most codes that one CommKwRqData takes."""


class Chunk(NamedTuple):
    """One CommKwRqData: at most CHUNK codes, and where its answer comes, as the control gets it."""

    codes: tuple[str, ...]
    request: str
    screen: str


def chunks(codes: Sequence[str]) -> list[tuple[str, ...]]:
    """The codes in requests of at most CHUNK, in order; none for no codes."""
    return [tuple(codes[at : at + CHUNK]) for at in range(0, len(codes), CHUNK)]


def ask_keywords(tr_code: str, chunk: Chunk) -> Ask:
    """The request for the quotes of some codes; `tr_code` is a key of KINDS."""
    codes = ";".join(chunk.codes)
    arguments = (codes, 0, len(chunk.codes), KINDS[tr_code], chunk.request, chunk.screen)
    return Ask((("CommKwRqData", arguments),), Limit.TR)


def answer(event: ReceiveTrData) -> list[Effect]:
    """Forward the answer to `ask_keywords`, which has one page only."""
    page = rows_only(event)
    if page.prev_next.strip() in LAST:
        return [Send(page)]
    text = f"{page.tr_code} says that more follows (prev_next {page.prev_next!r}), but CommKwRqData cannot continue"
    return [Send(page), Done(refused(text))]


class KeywordQuery:
    """Asks the quotes of all chunks at once and forwards each answer as it comes.

    Args:
        tr_code: OPTKWFID or OPTFOFID, in capitals.
        asked: at least one chunk, each on a screen of its own.
    """

    def __init__(self, tr_code: str, asked: Sequence[Chunk]) -> None:
        self._tr_code = tr_code
        self._chunks = tuple(asked)
        self._owed = len(self._chunks)

    @property
    def waiting_for(self) -> str:
        """The answers that have not come."""
        return f"{self._owed} of {len(self._chunks)} answers of {self._tr_code}"

    def start(self) -> list[Effect]:
        """Ask everything."""
        return [ask_keywords(self._tr_code, chunk) for chunk in self._chunks]

    def returned(self, ask: Ask, value: object) -> list[Effect]:
        """A negative return of CommKwRqData ends the query."""
        failure = negative(ask, value)
        return [Done(failure)] if failure else []

    def received(self, event: Event) -> list[Effect]:
        """Forward an answer; end with the last one, or with an error that a message or the connection tells."""
        failure: Failure | None = None
        match event:
            case ReceiveTrData():
                self._owed -= 1
                return answer(event) + ([] if self._owed else [Done()])
            case ReceiveMsg() if parse(event.text).is_error:
                failure = told(self._tr_code, event.text)
            case EventConnect():
                failure = lost(event, f"{self.waiting_for} were missing; log in again and repeat the query")
        return [Done(failure)] if failure else []

    def release(self) -> list[Ask]:
        """Give back what the answers have registered under their screens."""
        return [Ask(tuple(("DisconnectRealData", (chunk.screen,)) for chunk in self._chunks))]
