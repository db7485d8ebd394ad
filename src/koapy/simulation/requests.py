"""CommRqData and its sisters: requests, their limits, and their answers a moment later."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.limit import CODES_PER_REQUEST
from koapy.openapi.tr import is_tr, tr
from koapy.simulation import messages
from koapy.simulation.answers import Reply
from koapy.simulation.session import NOT_LOGGED_IN, WRONG_INPUT
from koapy.simulation.tr import BadInput, answering

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from koapy.openapi.tr import Tr
    from koapy.simulation.answers import Answers
    from koapy.simulation.faults import Chance
    from koapy.simulation.realtime import RealTime
    from koapy.simulation.session import Session
    from koapy.simulation.tr import Answer

TOO_MANY_REQUESTS = -200
UNKNOWN_TR = -201
WRONG_STRING = -202
TOO_MANY_CODES = -204

_Query = tuple[str, str, tuple[tuple[str, str], ...]]
"""Request name, TR and inputs: what a continuation repeats."""
_CONTINUED = 1000

_STEPS = 10
"""Of an answer that looks at the whole market: issues at a time."""

_KEYWORD_TRS = {0: "OPTKWFID", 3: "OPTFOFID"}
"""CommKwRqData's type flag; these cannot be sent by CommRqData."""


class Requests:
    """Requests of one session. The inputs set so far go with the next CommRqData."""

    def __init__(self, session: Session, answers: Answers, real: RealTime) -> None:
        self._session = session
        self._answers = answers
        self._real = real
        self._inputs: dict[str, str] = {}
        self._continued: dict[_Query, int] = {}
        """Where the next page of a query begins, for queries that have one; the latest ones."""

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
        fault = self._session.faults.draw("query", sRQName)
        if sent := self._take(sScreenNo, fault):
            return sent
        asked = sScreenNo, sRQName, sTrCode
        if not _fits(inputs, what):
            self._deliver(fault, asked, self._refuse)
            return 0
        # The guide says that any other request in between breaks a continuation. Programs that keep several long
        # queries going under names of their own rely on the opposite, so name, TR and inputs say what is continued.
        known = self._continued.pop(_query(sRQName, what, inputs), None)
        after = known if nPrevNext == 2 else None
        self._deliver(fault, asked, self._answer, what, inputs, after, asked)
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
        fault = self._session.faults.draw("query", sRQName)
        if sent := self._take(sScreenNo, fault):
            return sent
        code = _KEYWORD_TRS[nTypeFlag]
        asked, inputs = (sScreenNo, sRQName, code), {"종목코드": ";".join(codes[:nCodeCount])}
        self._deliver(fault, asked, self._answer, tr(code), inputs, None, asked)
        return 0

    def CommInvestRqData(self, sMarketGb: str, sRQName: str, sScreenNo: str) -> int:
        """Refuse: OpenAPI+ does not support it."""
        return WRONG_INPUT

    def _take(self, screen: str, fault: Chance | None) -> int:
        """Use up one request and the screen; a negative code when there is none to use, or by a fault."""
        if fault is not None and fault.kind == "code":
            return fault.fault.returned
        if self._session.faults.barred:
            return self._session.faults.barred
        if not self._session.use_screen(screen):
            return WRONG_INPUT
        if not self._session.queries.take(self._session.world.now()):
            return TOO_MANY_REQUESTS
        self._real.end_screen(screen)
        return 0

    def _deliver(
        self, fault: Chance | None, asked: tuple[str, str, str], answer: Callable[..., object], *args: object
    ) -> None:
        """Answer after a while, unless a fault has it otherwise."""
        session = self._session
        if fault is None:
            session.later(answer, *args)
        elif fault.kind == "refused":
            session.later(session.events.OnReceiveMsg, *asked, fault.fault.message)
        elif fault.kind == "delayed":
            session.later(answer, *args, delay=session.answer_delay + fault.seconds())
        elif fault.kind == "frozen":
            session.faults.freeze(fault)
            session.later(answer, *args)

    def _refuse(self) -> None:
        self._session.events.OnReceiveMsg("", "", "", messages.WRONG_REQUEST)

    def _answer(self, what: Tr, inputs: dict[str, str], after: int | None, asked: tuple[str, str, str]) -> None:
        self._work(answering(what, inputs, after, self._session.world), what, inputs, asked)

    def _work(
        self,
        steps: Generator[None, None, Answer | None],
        what: Tr,
        inputs: dict[str, str],
        asked: tuple[str, str, str],
    ) -> None:
        """Work on an answer for some steps, then let the thread do other work in between."""
        try:
            for _ in range(_STEPS):
                next(steps)
        except StopIteration as done:
            self._tell(done.value, what, inputs, asked)
        except BadInput:
            self._refuse()
        else:
            self._session.later(self._work, steps, what, inputs, asked, delay=0)

    def _tell(self, found: Answer | None, what: Tr, inputs: dict[str, str], asked: tuple[str, str, str]) -> None:
        screen, request, code = asked
        if found is None:
            self._session.events.OnReceiveMsg(screen, request, code, messages.NOT_SERVED)
            return
        if found.after is not None:
            self._continued[_query(request, what, inputs)] = found.after
            if len(self._continued) > _CONTINUED:
                del self._continued[next(iter(self._continued))]
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


def _query(request: str, what: Tr, inputs: dict[str, str]) -> _Query:
    return request, what.code, tuple(inputs.items())


def _fits(inputs: dict[str, str], what: Tr) -> bool:
    """Whether the TR has these inputs, in this order; some may be left out."""
    names: Sequence[str] = what.input_names
    if not set(inputs) <= set(names):
        return False
    positions = [names.index(name) for name in inputs]
    return positions == sorted(positions)
