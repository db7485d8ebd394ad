"""Call: one OpenAPI+ function by name, with what belongs to a client kept apart from what belongs to others."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import chain
from typing import TYPE_CHECKING

from koapy.control.apartment import inside
from koapy.control.registrations import RegistrationRefused
from koapy.control.screens import ScreensExhausted
from koapy.openapi.functions import FUNCTIONS, HELPERS
from koapy.openapi.nearest import did_you_mean
from koapy.orders.model import NewOrder
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import checks
from koapy.server.conditions import load_conditions
from koapy.server.failure import exhausted, invalid, unimplemented
from koapy.server.lookups import LOOKUPS
from koapy.server.machines import Limit
from koapy.server.order_call import key_of
from koapy.server.router import MARKET_HOURS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from koapy.openapi.functions import Function, Parameter
    from koapy.server.bidirectional import Room
    from koapy.server.clients import Client
    from koapy.server.core import Core
    from koapy.server.edge import Caller

Value = str | int | bool
Calls = list[tuple[str, tuple[str | int, ...]]]

SCREEN_PARAMETERS = frozenset({"sScreenNo", "sScrNo", "strScreenNo", "strScrNo", "sScnNo"})
ALL = "ALL"
WAIT_FOR_AN_EVENT = frozenset({"LoadCondition", "EnsureConditionLoaded"})
MOST_INPUTS, LONGEST_INPUTS = 200, 2**20
"""Values, and characters in all, that SetInputValue keeps for the next request; the longest TR takes a dozen values."""
SEARCHING = 1
"""What SendCondition returns when the search has been sent."""

AT_ALL_TIMES = frozenset(
    {
        *("CommConnect", "CommTerminate", "GetConnectState", "GetAPIModulePath", "KOA_Functions", "SetInputValue"),
        *("DisconnectRealData", "SetRealRemove", "SendConditionStop"),
    }
)
"""Functions that are of use while OpenAPI+ is closed by plan: those around the login, and those that give back."""

TOO_MANY = {Limit.TR: -200, Limit.CONDITION: 0}
"""OpenAPI+'s own answers to too many requests, given where nothing may wait."""


async def call(core: Core, request: pb.CallRequest, caller: Caller) -> pb.CallResponse:
    """Serve one Call.

    Raises:
        Failure: wrong arguments, an unknown function, a limit that the deadline does not reach.
    """
    function = known_function(request.name)
    args = arguments(function, request.arguments)
    if function.name not in AT_ALL_TIMES:
        core.require_open()
    room = core.gates.room(caller.client)
    special = _SPECIAL.get(function.name)
    if special is None and room is None:
        if function.name in LOOKUPS:
            return response(function.name, await core.lookups.ask(function.name, *args))
        return response(function.name, await core.functions.run(((function.name, args),)))
    return response(function.name, await _Call(core, caller, room).make(function, special, args))


def known_function(name: str) -> Function:
    """A function that Call may be asked for."""
    function = FUNCTIONS.get(name) or HELPERS.get(name)
    if function is None:
        if not name:
            raise invalid("no function name; name one such as GetConnectState")
        near = did_you_mean(name, [*FUNCTIONS, *HELPERS])
        raise unimplemented(f"OpenAPI+ has no function {name!r}{near}", function=name)
    if function.returns == "array":
        raise unimplemented(f"{name} returns no simple value; TransactionCall and Listen read whole tables")
    return function


def arguments(function: Function, given: Sequence[pb.Argument]) -> tuple[Value, ...]:
    """The arguments as the function takes them."""
    if len(given) != len(function.parameters):
        raise invalid(f"{function} takes {len(function.parameters)} arguments, {len(given)} were given")
    if not given:
        return ()
    # By index: to come to the end of protobuf's list, an iterator raises and catches an IndexError.
    return tuple([_argument(function, each, given[at]) for at, each in enumerate(function.parameters)])


def _argument(function: Function, parameter: Parameter, given: pb.Argument) -> Value:
    kind = given.WhichOneof("value")
    if parameter.type == "str" and kind == "string_value":
        if parameter.name in SCREEN_PARAMETERS and not (function.name == "SetRealRemove" and given.string_value == ALL):
            return checks.screen(given.string_value, may_be_empty=False)
        return given.string_value
    if parameter.type == "bool" and kind in {"bool_value", "long_value"}:
        return bool(given.bool_value or given.long_value)
    if parameter.type == "int" and kind in {"long_value", "bool_value"}:
        return checks.long(given.long_value if kind == "long_value" else int(given.bool_value), parameter.name)
    wanted = {"str": "string_value", "int": "long_value", "bool": "bool_value"}[parameter.type]
    raise invalid(f"{parameter.name} of {function} must be a {wanted}, got {kind or 'an empty argument'}")


def response(name: str, value: object) -> pb.CallResponse:
    """What the function returned, as the wire has it; a response without a value for None."""
    made = pb.CallResponse()
    if isinstance(value, str):
        made.return_value.string_value = value
    elif isinstance(value, bool):
        made.return_value.bool_value = value
    elif isinstance(value, int):
        made.return_value.long_value = value
    elif value is not None:
        raise unimplemented(f"{name} returned a {type(value).__name__}, which is no simple value")
    return made


class _Call:
    """One Call on its way; inside an event it runs there and nothing waits."""

    def __init__(self, core: Core, caller: Caller, room: Room | None) -> None:
        self._core = core
        self._caller = caller
        self._client: Client = core.clients.get(caller.client)
        self._room = room

    async def make(
        self, function: Function, special: Callable[..., Awaitable[Value | None]] | None, args: tuple[Value, ...]
    ) -> Value | None:
        """Make the call the way its function needs."""
        # What waits for another event cannot run inside one. It may come from another thread of a client that has an
        # event open just then, so it waits until that is over; in the handler itself it waits for the deadline.
        if function.name in WAIT_FOR_AN_EVENT:
            self._room = None
        with inside(self._room) if self._room is not None else nullcontext():
            if special is not None:
                return await special(self, *args)
            return await self._run([(function.name, args)])

    async def _run(self, calls: Calls) -> Value | None:
        """Make these calls in one piece."""
        value: Value | None = await self._core.functions.run(calls)
        return value

    async def _limited(self, limit: Limit, calls: Calls, key: str = "") -> Value | None:
        """Make these calls under a limit; inside an event OpenAPI+'s code for too many comes back instead."""
        limits = self._core.limits
        held = await limits.hold(limit, key, self._caller) if self._room is None else limits.begin(limit, key)
        if held is None:
            return TOO_MANY[limit]
        with held:
            return await self._run(calls)

    async def _screen(self, number: str) -> str:
        return (await self._core.clients.screen(self._client, number)).number

    def _name(self, screen: str, request: str) -> str:
        return self._core.names.issue(self._caller.client, screen, request)

    def _record(self, record: str) -> str:
        """A record name as the control knows it: where the client gives its request name, the control's."""
        room = self._room
        return room.request if room is not None and record == getattr(room.event, "request", None) else record

    async def _set_input_value(self, name: str, value: str) -> None:
        inputs = self._client.inputs
        characters = len(name) + len(value) + sum(map(len, chain.from_iterable(inputs)))
        for found, most, what in (len(inputs) + 1, MOST_INPUTS, "values"), (characters, LONGEST_INPUTS, "characters"):
            if found > most:
                text = f"with this, {found:,} {what} are set and no request has taken them; {most:,} are kept for one"
                raise exhausted(f"{text}. CommRqData takes those set before it", "INPUTS", limit=str(most))
        inputs.append((name, value))

    async def _comm_rq_data(self, request: str, code: str, prev_next: int, screen: str) -> Value | None:
        inputs, self._client.inputs = self._client.inputs, []
        known = checks.known_tr(code)
        await self._core.require_login()
        await checks.tr_inputs(self._core, known, dict(inputs))
        name = self._name(screen, request)
        calls: Calls = [("SetInputValue", pair) for pair in inputs]
        calls.append(("CommRqData", (name, code, prev_next, await self._screen(screen))))
        return await self._limited(Limit.TR, calls)

    async def _comm_kw_rq_data(
        self, codes: str, following: int, count: int, kind: int, request: str, screen: str
    ) -> Value | None:
        self._core.require_connection()
        name = self._name(screen, request)
        args = (codes, following, count, kind, name, await self._screen(screen))
        return await self._limited(Limit.TR, [("CommKwRqData", args)])

    async def _get_comm_data(self, code: str, record: str, index: int, item: str) -> Value | None:
        return await self._run([("GetCommData", (code, self._record(record), index, item))])

    async def _get_repeat_cnt(self, code: str, record: str) -> Value | None:
        return await self._run([("GetRepeatCnt", (code, self._record(record)))])

    async def _send_order(
        self,
        request: str,
        screen: str,
        account: str,
        order_type: int,
        code: str,
        quantity: int,
        price: int,
        quote_type: str,
        original: str,
    ) -> Value | None:
        checks.order(order_type, quote_type, quantity, price, original)
        order = NewOrder(
            function="SendOrder",
            account=account,
            order_type=order_type,
            code=code,
            quantity=quantity,
            price=price,
            quote_type=quote_type,
            original=original,
        )
        return await self._order(
            order, request, screen, (account, order_type, code, quantity, price, quote_type, original)
        )

    async def _send_order_credit(
        self,
        request: str,
        screen: str,
        account: str,
        order_type: int,
        code: str,
        quantity: int,
        price: int,
        quote_type: str,
        credit: str,
        loan_date: str,
        original: str,
    ) -> Value | None:
        order = NewOrder(
            function="SendOrderCredit",
            account=account,
            order_type=order_type,
            code=code,
            quantity=quantity,
            price=price,
            quote_type=quote_type,
            original=original,
            extra=(credit, loan_date),
        )
        rest = (account, order_type, code, quantity, price, quote_type, credit, loan_date, original)
        return await self._order(order, request, screen, rest)

    async def _send_order_fo(
        self,
        request: str,
        screen: str,
        account: str,
        code: str,
        kind: int,
        side: str,
        quote_type: str,
        quantity: int,
        price: str,
        original: str,
    ) -> Value | None:
        order = NewOrder(
            function="SendOrderFO",
            account=account,
            order_type=kind,
            code=code,
            quantity=quantity,
            price=0,
            quote_type=quote_type,
            original=original,
            extra=(side, price),
        )
        return await self._order(
            order, request, screen, (account, code, kind, side, quote_type, quantity, price, original)
        )

    async def _order(self, order: NewOrder, request: str, screen: str, rest: tuple[str | int, ...]) -> Value | None:
        core, caller = self._core, self._caller
        key = await key_of(core, order, caller)
        with core.ordering.place(order, caller, key, request, screen) as (placing, is_new):
            if not is_new:
                return await core.ordering.outcome(placing)
            calls = [(order.function, (placing.request, await self._screen(screen), *rest))]
            return await core.ordering.send(placing, caller, calls, wait=self._room is None)

    async def _set_real_reg(self, screen: str, codes: str, fids: str, option: str) -> Value | None:
        if option not in {"0", "1"}:
            raise invalid(f"strOptType {option!r}: 0 replaces the screen's codes, 1 adds to them")
        wanted = [code for code in codes.split(";") if code]
        numbers = _fids(fids)
        self._core.functions.require("SetRealReg")
        self._core.require_connection()
        for code in wanted:
            await checks.real_code(self._core, code)
        holder = self._client.holder(screen)
        try:
            if option == "0":
                await self._core.registrations.remove(holder)
            self._client.registered.add(screen)
            await self._core.registrations.add(holder, wanted or [MARKET_HOURS], numbers)
        except RegistrationRefused as error:
            return error.code
        except ScreensExhausted as error:
            raise exhausted(str(error), "SCREENS") from None
        return 0

    async def _set_real_remove(self, screen: str, code: str) -> None:
        codes = None if code == ALL else [code]
        screens = sorted(self._client.registered) if screen == ALL else [screen]
        for each in screens:
            await self._core.registrations.remove(self._client.holder(each), codes)

    async def _disconnect_real_data(self, screen: str) -> None:
        self._core.functions.require("DisconnectRealData")
        if (failure := await self._core.clients.give_back(self._client, screen)) is not None:
            raise failure

    async def _send_condition(self, screen: str, name: str, index: int, search: int) -> Value | None:
        self._core.require_connection()
        own = await self._screen(screen)
        result = await self._limited(
            Limit.CONDITION, [("SendCondition", (own, name, index, search))], f"{index}^{name}"
        )
        if result == SEARCHING:
            self._client.searches[screen, name, index] = search
        return result

    async def _send_condition_stop(self, screen: str, name: str, index: int) -> None:
        self._client.searches.pop((screen, name, index), None)
        await self._run([("SendConditionStop", (await self._screen(screen), name, index))])

    async def _load_condition(self) -> int:
        return await self._ensure_condition_loaded(force=True)

    async def _ensure_condition_loaded(self, force: bool) -> int:
        await load_conditions(self._core, self._caller.silent, force=force)
        return 1

    async def _is_condition_loaded(self) -> bool:
        return self._core.conditions_loaded


_SPECIAL: Mapping[str, Callable[..., Awaitable[Value | None]]] = {
    "SetInputValue": _Call._set_input_value,
    "CommRqData": _Call._comm_rq_data,
    "CommKwRqData": _Call._comm_kw_rq_data,
    "GetCommData": _Call._get_comm_data,
    "GetRepeatCnt": _Call._get_repeat_cnt,
    "SendOrder": _Call._send_order,
    "SendOrderCredit": _Call._send_order_credit,
    "SendOrderFO": _Call._send_order_fo,
    "SetRealReg": _Call._set_real_reg,
    "SetRealRemove": _Call._set_real_remove,
    "DisconnectRealData": _Call._disconnect_real_data,
    "SendCondition": _Call._send_condition,
    "SendConditionStop": _Call._send_condition_stop,
    "LoadCondition": _Call._load_condition,
    "EnsureConditionLoaded": _Call._ensure_condition_loaded,
    "IsConditionLoaded": _Call._is_condition_loaded,
    "RateLimitedCommRqData": _Call._comm_rq_data,
    "RateLimitedSendCondition": _Call._send_condition,
}
"""Functions that need more than to be called: what they are given or leave behind belongs to a client."""


def _fids(listed: str) -> list[int]:
    try:
        return [int(fid) for fid in listed.split(";") if fid]
    except ValueError:
        raise invalid(f'strFidList {listed!r}: numbers joined by ";", such as 9001;10') from None
