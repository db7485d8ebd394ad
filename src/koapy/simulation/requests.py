"""CommRqData and its sisters: requests, their limits, and their answers a moment later."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.limit import CODES_PER_REQUEST
from koapy.openapi.tr import is_tr, tr
from koapy.simulation import messages
from koapy.simulation.answers import Reply
from koapy.simulation.session import NOT_LOGGED_IN, WRONG_INPUT
from koapy.simulation.tr import BadInput, answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.openapi.tr import Tr
    from koapy.simulation.answers import Answers
    from koapy.simulation.realtime import RealTime
    from koapy.simulation.session import Session

TOO_MANY_REQUESTS = -200
UNKNOWN_TR = -201
WRONG_STRING = -202
TOO_MANY_CODES = -204

_KEYWORD_TRS = {0: "OPTKWFID", 3: "OPTFOFID"}
"""CommKwRqData's type flag; these cannot be sent by CommRqData."""


class Requests:
    """Requests of one session. The inputs set so far go with the next CommRqData."""

    def __init__(self, session: Session, answers: Answers, real: RealTime) -> None:
        self._session = session
        self._answers = answers
        self._real = real
        self._inputs: dict[str, str] = {}
        self._last: tuple[str, dict[str, str]] | None = None
        """TR and inputs of the last request, which may be continued."""
        self._after: int | None = None
        """Where its next page begins; None: nowhere, or nobody knows yet."""

    def SetInputValue(self, sID: str, sValue: str) -> None:
        """Set an input of the next CommRqData."""
        self._inputs[sID.strip()] = sValue.strip()

    def CommRqData(self, sRQName: str, sTrCode: str, nPrevNext: int, sScreenNo: str) -> int:
        """Send a request with the inputs that were set. 0: sent; negative: an OpenAPI+ error, no answer comes."""
        inputs, self._inputs = self._inputs, {}
        if not self._session.connected:
            return NOT_LOGGED_IN
        if not is_tr(sTrCode) or sTrCode.upper() in _KEYWORD_TRS.values():
            return UNKNOWN_TR
        what = tr(sTrCode)
        if sent := self._take(sScreenNo):
            return sent
        asked = sScreenNo, sRQName, sTrCode
        if not _fits(inputs, what):
            self._last = None
            self._session.later(self._refuse)
            return 0
        # Any other request in between breaks a continuation: it begins anew.
        after = self._after if nPrevNext == 2 and self._last == (what.code, inputs) else None
        self._last, self._after = (what.code, inputs), None
        self._session.later(self._answer, what, inputs, after, asked)
        return 0

    def CommKwRqData(
        self, sArrCode: str, bNext: int, nCodeCount: int, nTypeFlag: int, sRQName: str, sScreenNo: str
    ) -> int:
        """Ask for up to 100 codes at once, type 0 stocks, 3 futures and options; `bNext` is not supported."""
        codes = [code for code in sArrCode.split(";") if code]
        if not self._session.connected:
            return NOT_LOGGED_IN
        if max(len(codes), nCodeCount) > CODES_PER_REQUEST:
            return TOO_MANY_CODES
        if not codes or nTypeFlag not in _KEYWORD_TRS:
            return WRONG_STRING
        if sent := self._take(sScreenNo):
            return sent
        self._last = None
        code = _KEYWORD_TRS[nTypeFlag]
        self._session.later(
            self._answer, tr(code), {"종목코드": ";".join(codes[:nCodeCount])}, None, (sScreenNo, sRQName, code)
        )
        return 0

    def CommInvestRqData(self, sMarketGb: str, sRQName: str, sScreenNo: str) -> int:
        """Refuse: OpenAPI+ does not support it."""
        return WRONG_INPUT

    def _take(self, screen: str) -> int:
        """Use up one request and the screen; a negative code when there is none to use."""
        if not self._session.use_screen(screen):
            return WRONG_INPUT
        if not self._session.queries.take(self._session.world.now()):
            return TOO_MANY_REQUESTS
        self._real.end_screen(screen)
        return 0

    def _refuse(self) -> None:
        self._session.events.OnReceiveMsg("", "", "", messages.WRONG_REQUEST)

    def _answer(self, what: Tr, inputs: dict[str, str], after: int | None, asked: tuple[str, str, str]) -> None:
        screen, request, code = asked
        try:
            found = answer(what, inputs, after, self._session.world)
        except BadInput:
            self._refuse()
            return
        if found is None:
            self._session.events.OnReceiveMsg(screen, request, code, messages.NOT_SERVED)
            return
        if self._last is not None and self._last == (what.code, inputs):
            self._after = found.after
        if found.message:
            self._session.events.OnReceiveMsg(screen, request, code, found.message)
        self._real.register_asked(screen, what, inputs)
        self._answers.tell(
            Reply(
                screen,
                request,
                code,
                "2" if found.more else "0",
                found.single,
                what.multi_names,
                found.rows,
                what.single_record,
                what.multi_record,
            )
        )


def _fits(inputs: dict[str, str], what: Tr) -> bool:
    """Whether the TR has these inputs, in this order; some may be left out."""
    names: Sequence[str] = what.input_names
    if not set(inputs) <= set(names):
        return False
    positions = [names.index(name) for name in inputs]
    return positions == sorted(positions)
