"""What a recording says of the calls in it: which of them it waits for, what they returned, what answered them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from koapy.control.reads import Answer, Fields
from koapy.openapi.login import is_password
from koapy.replay.tape import Called, Raised, Returned, Run, Told

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from koapy.control.reads import Value
    from koapy.replay.tape import Item

QUERIES: Mapping[str, tuple[int, int]] = {"CommRqData": (3, 0), "CommKwRqData": (5, 4)}
"""Where these functions have the screen and the request's name."""
ORDERS: Mapping[str, tuple[int, int]] = {"SendOrder": (1, 0), "SendOrderCredit": (1, 0), "SendOrderFO": (1, 0)}
NAMED = {**QUERIES, **ORDERS}
ORDER_FID, ACCOUNT_FID, CODE_FID = 9203, 9201, 9001


def key_of(function: str, args: tuple[Value, ...], inputs: Mapping[str, str]) -> Hashable | None:
    """What makes two calls the same one, whatever names and screens they have; None: nothing waits for such a call."""
    match function, args:
        case "CommRqData", (_, code, prev_next, _):
            given = frozenset((name, value) for name, value in inputs.items() if value and not is_password(name))
            return function, str(code).upper(), prev_next, given
        case "CommKwRqData", (codes, following, count, kind, *_):
            return function, codes, following, count, kind
        case (("SendOrder" | "SendOrderCredit" | "SendOrderFO"), (_, _, *rest)):
            return function, *map(str, rest)
        case "SendCondition", (_, name, index, search):
            return function, name, index, search
        case "SetRealReg", (_, codes, *_):
            return function, frozenset(str(codes).split(";"))
        case (("CommConnect" | "GetConditionLoad"), ()):
            return (function,)
    return None


class Inputs:
    """What SetInputValue has given for the next CommRqData."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def key(self, function: str, args: tuple[Value, ...]) -> Hashable | None:
        """The key of a call, with the inputs that go with it."""
        if function == "SetInputValue" and len(args) > 1:
            self._given[str(args[0]).strip()] = str(args[1]).strip()
            return None
        given = self._given
        if function == "CommRqData":
            self._given = {}
        return key_of(function, args, given)


@dataclass(slots=True)
class Call:
    """A call that the recording waits for."""

    place: int
    """The how manieth of them."""
    key: Hashable
    function: str
    args: tuple[Value, ...]
    value: Value = 0
    error: str | None = None
    made: tuple[Value, ...] | None = None
    """The arguments with which it has been made again; None: not yet."""
    answers: list[Told] = field(default_factory=list)
    """Events that answer it; not those of orders, which are told at their time only."""

    def outcome(self) -> Value:
        """What it has returned, then as now.

        Raises:
            RuntimeError: it failed.
        """
        if self.error is not None:
            raise RuntimeError(f"{self.function} failed when it was recorded: {self.error}")
        return self.value


class Script:
    """The calls of a recording, and what look-ups returned."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.functions: dict[str, None] = {}
        self.events: dict[str, None] = {}
        self.calls: list[Call] = []
        self._by_key: dict[Hashable, list[Call]] = {}
        self._lookups: dict[tuple[Any, ...], list[tuple[int, Value]]] = {}
        self.passed = 0
        """How many of the calls have been played."""
        self._read(items)

    def _read(self, items: Iterable[Item]) -> None:
        inputs = Inputs()
        open_calls: dict[int, Call] = {}
        open_lookups: dict[int, tuple[Any, ...]] = {}
        answering = Answering()
        for item in items:
            match item:
                case Run():
                    self.functions.update(dict.fromkeys(item.functions))
                    self.events.update(dict.fromkeys(item.events))
                    inputs, answering = Inputs(), Answering()
                    open_calls.clear()
                    open_lookups.clear()
                case Called():
                    key = inputs.key(item.function, item.args)
                    if key is None:
                        open_lookups[item.number] = (item.function, *item.args)
                    else:
                        call = Call(len(self.calls), key, item.function, item.args)
                        self.calls.append(call)
                        self._by_key.setdefault(key, []).append(call)
                        open_calls[item.number] = call
                        answering.called(call)
                case Returned() | Raised():
                    returned = open_calls.pop(item.number, None)
                    looked_up = open_lookups.pop(item.number, None)
                    if returned is not None and isinstance(item, Returned):
                        returned.value = item.value
                    elif returned is not None and isinstance(item, Raised):
                        returned.error = item.error
                    elif looked_up is not None and isinstance(item, Returned):
                        self._lookups.setdefault(looked_up, []).append((len(self.calls), item.value))
                case Told():
                    answered = answering.call(item)
                    if answered is not None and answered.function not in ORDERS:
                        answered.answers.append(item)

    def make(self, key: Hashable, args: tuple[Value, ...]) -> tuple[Call | None, bool]:
        """The call of the recording that this one is, and whether its place is still to come; None: there is none."""
        known = self._by_key.get(key, [])
        for call in known:
            if call.made is None and call.place >= self.passed:
                call.made = args
                return call, True
        past = [call for call in known if call.place < self.passed]
        return (past[-1], False) if past else (None, False)

    def lookup(self, function: str, args: tuple[Value, ...]) -> tuple[bool, Value]:
        """Whether it has been recorded, and what the last one until now returned, or else the first one to come."""
        found = self._lookups.get((function, *args))
        if not found:
            return False, None
        return True, next((value for place, value in reversed(found) if place <= self.passed), found[0][1])


class Answering:
    """Which call an event answers."""

    def __init__(self) -> None:
        self._by_request: dict[Value, Call] = {}
        self._by_screen: dict[Value, Call] = {}
        self._by_order: dict[str, Call] = {}
        self._last: dict[str, Call] = {}

    def called(self, call: Call) -> None:
        """This call comes next."""
        if call.function in NAMED:
            self._by_request[call.args[NAMED[call.function][1]]] = call
        elif call.function == "SendCondition":
            self._by_screen[call.args[0]] = call
        else:
            self._last[call.function] = call

    def call(self, told: Told) -> Call | None:
        """The call that this event answers, or whose order it tells of; None: it comes by itself."""
        match told.event, told.args:
            case "OnReceiveTrData", (_, request, *_):
                call = self._by_request.get(request)
                if call is not None and call.function in ORDERS and (number := order_number(told)):
                    self._by_order[number] = call
                return call
            case "OnReceiveMsg", (_, request, *_):
                return self._by_request.get(request)
            case "OnReceiveChejanData", _:
                return self._by_order.get(chejan_value(told, ORDER_FID))
            case "OnReceiveTrCondition", (screen, *_):
                return self._by_screen.get(screen)
            case "OnReceiveConditionVer", _:
                return self._last.pop("GetConditionLoad", None)
            case "OnEventConnect", (int(code),) if code >= 0 or "CommConnect" in self._last:
                return self._last.pop("CommConnect", None)
        return None


def chejan_value(told: Told, fid: int) -> str:
    """A value of an order event, "" where it has none."""
    return told.carried.values.get(fid, "").strip() if isinstance(told.carried, Fields) else ""


def order_number(told: Told) -> str:
    """The number that an order's answer gives it, "" where it was refused."""
    return told.carried.single.get("주문번호", "").strip() if isinstance(told.carried, Answer) else ""
