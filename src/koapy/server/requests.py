"""The RPCs that ask something and stream what comes of it: login, queries, conditions."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

from koapy.openapi.calendar import KST
from koapy.server import checks, pages
from koapy.server.conditions import known_condition, load_conditions
from koapy.server.driver import drive
from koapy.server.edge import WARNING
from koapy.server.failure import invalid
from koapy.server.machines.condition import Condition
from koapy.server.machines.keyword import KINDS, Chunk, KeywordQuery, chunks
from koapy.server.machines.login import Login
from koapy.server.machines.transaction import COMPARATORS, StopCondition, Transaction
from koapy.server.router import condition_key, every_key, request_key, screen_key

if TYPE_CHECKING:
    from koapy.openapi.tr import Tr
    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
    from koapy.server.core import Core
    from koapy.server.edge import Caller

CONNECTION = every_key("OnEventConnect")
MOST_CODES = 10_000
"""Of one keyword query: they take half of the screens."""
CONDITION_REQUEST = "관심종목정보요청"


async def login(core: Core, _: pb.LoginRequest, caller: Caller) -> None:
    """LoginCall. Credentials are the concern of controls that show a login window; they are never looked at here.

    While Kiwoom's servers are away it waits until they are back, unless its deadline comes before.
    """
    health = core.health
    if (closed := health.closed()) is not None and health.until is not None and caller.deadline is not None:
        remaining = caller.deadline - asyncio.get_running_loop().time()
        if remaining < (health.until - datetime.now(KST)).total_seconds():
            raise closed
    with core.inbox() as inbox, core.router.subscribe(inbox, [CONNECTION]):
        changes = core.router.logins
        connected = bool(await core.connected())
        # Somebody may be about to type a password.
        waits = lambda: health.closed() is not None or bool(health.notices)  # noqa: E731
        await drive(core, Login(connected=connected, changes=changes, waits=waits), inbox, caller)


async def load_condition(core: Core, _: pb.LoadConditionRequest, caller: Caller) -> None:
    """LoadConditionCall: loads even when loaded, as it is asked for."""
    await load_conditions(core, caller, force=True)


async def transaction(core: Core, request: pb.TransactionRequest, caller: Caller) -> None:
    """TransactionCall."""
    known = checks.known_tr(request.transaction_code)
    checks.screen(request.screen_no)
    await core.require_login()
    unknown = await checks.tr_inputs(core, known, request.inputs)
    if unknown:
        caller.tell(WARNING, f"{known.code} has no input {', '.join(unknown)}; dropped")
    if known.code.upper() in KINDS:
        await _keywords(core, known, request, caller)
        return
    if known.multi_names and not pages.prepared.is_set():
        await asyncio.to_thread(pages.prepare)
    stop = _stop_condition(request)
    name = core.names.issue(caller.client, request.screen_no, request.request_name)
    code, own, keys = request.transaction_code, request.screen_no, [request_key(name), CONNECTION]
    with await core.short_screen("queries", own) as screen, core.inbox() as inbox, core.router.subscribe(inbox, keys):
        machine = Transaction(known, code, dict(request.inputs), name, screen.number, stop)
        await drive(core, machine, inbox, caller)


def _stop_condition(request: pb.TransactionRequest) -> StopCondition | None:
    if not request.HasField("stop_condition"):
        return None
    stop = request.stop_condition
    if stop.comparator not in COMPARATORS:
        raise invalid(f"unknown comparator {stop.comparator} of the stop condition; 0 to {max(COMPARATORS)}")
    return StopCondition(stop.name, stop.comparator, stop.value)


async def _keywords(core: Core, known: Tr, request: pb.TransactionRequest, caller: Caller) -> None:
    """OPTKWFID and OPTFOFID: any number of codes, each hundred on a screen of its own."""
    codes = [code for code in request.inputs.get(checks.CODE, "").split(";") if code]
    if not codes:
        raise invalid(f"{known.code} needs {checks.CODE}: codes joined by ;")
    if len(codes) > MOST_CODES:
        raise invalid(f"{len(codes)} codes; at most {MOST_CODES} at a time, as each hundred needs one of the screens")
    with ExitStack() as held:
        asked: list[Chunk] = []
        # One at a time: those who each held some and waited for more would wait for one another.
        async with core.gathering:
            for chunk in chunks(codes):
                # The client's screen is the first chunk's; the others show the control's.
                own = "" if asked else request.screen_no
                screen = held.enter_context(await core.short_screen("queries", own))
                name = core.names.issue(caller.client, own, request.request_name)
                asked.append(Chunk(chunk, name, screen.number))
        inbox = held.enter_context(core.inbox())
        keys = [*(request_key(chunk.request) for chunk in asked), CONNECTION]
        held.enter_context(core.router.subscribe(inbox, keys))
        await drive(core, KeywordQuery(known.code.upper(), asked), inbox, caller)


async def condition(core: Core, request: pb.ConditionRequest, caller: Caller) -> None:
    """ConditionCall: loads the conditions first if they are not."""
    checks.screen(request.screen_no)
    if request.search_type not in {0, 1, 2}:
        raise invalid(f"unknown search_type {request.search_type}: 0 once, 1 with real-time signals, 2 continuation")
    await load_conditions(core, caller.silent, force=False)
    await known_condition(core, request.condition_name, request.condition_index)
    info = ""
    if request.flags.with_info:
        info = "OPTFOFID" if request.flags.is_future_option else "OPTKWFID"
    name = core.names.issue(caller.client, request.screen_no, request.request_name or CONDITION_REQUEST)
    with core.long_screen("condition searches", request.screen_no) as screen, core.inbox() as inbox:
        keys = [screen_key(screen.number), request_key(name), CONNECTION]
        if request.search_type == 1:
            keys.append(condition_key(request.condition_index, request.condition_name))
        with core.router.subscribe(inbox, keys):
            machine = Condition(
                request.condition_name, request.condition_index, request.search_type, name, screen.number, info
            )
            await drive(core, machine, inbox, caller)
