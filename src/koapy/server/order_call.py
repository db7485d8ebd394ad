"""OrderCall: an order from its checks to its last event; a retry with the same key follows the order that there is."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from koapy.orders.model import NewOrder
from koapy.server import checks
from koapy.server.driver import drive
from koapy.server.edge import JOURNAL
from koapy.server.failure import Failure
from koapy.server.machines.order import EXPIRED, Order
from koapy.server.router import PHASES, every_key, order_key, request_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
    from koapy.server.core import Core
    from koapy.server.edge import Caller, Writer
    from koapy.server.inbox import Inbox
    from koapy.server.machines import Ask
    from koapy.server.placing import Placing

CONNECTION = every_key("OnEventConnect")


async def order(core: Core, request: pb.OrderRequest, caller: Caller) -> None:
    """Serve one OrderCall: an order is sent once its account, code and kind are known to be right."""
    checks.screen(request.screen_no)
    checks.order(request.order_type, request.quote_type, request.quantity, request.price, request.original_order_no)
    wanted = NewOrder(
        function="SendOrder",
        account=request.account_no,
        order_type=request.order_type,
        code=request.code,
        quantity=request.quantity,
        price=request.price,
        quote_type=request.quote_type,
        original=request.original_order_no,
    )
    key = await key_of(core, wanted, caller)
    await follow_order(core, wanted, caller, caller, key, request.request_name, request.screen_no)


async def key_of(core: Core, wanted: NewOrder, caller: Caller) -> str | None:
    """The key of a call that wants this order; one that is not known must be for an account and a code that there are.

    Raises:
        Failure: it is no key, nobody is logged in, or there is no such account or code.
    """
    key = core.ordering.key_of(caller)
    if key is not None:  # without one, no later try can be asked to expect this journal
        caller.announce(JOURNAL, core.journal.identity)
    if not core.ordering.knows(caller, key):  # what was sent already needs no leave any more
        await core.require_login()
        await checks.account(core, wanted.account)
        await checks.order_code(core, wanted.code)
    return key


async def follow_order(
    core: Core, wanted: NewOrder, caller: Caller, writer: Writer, key: str | None, request: str, screen_no: str
) -> None:
    """Send an order, or join the one that has this key, and write its events until it is through.

    Args:
        request, screen_no: as the client calls them.
    """
    with core.ordering.place(wanted, caller, key, request, screen_no) as (placing, is_new), core.inbox() as inbox:
        keys = [request_key(placing.request), order_key(wanted.account, wanted.code), CONNECTION, PHASES]
        with core.router.subscribe(inbox, keys):
            await core.session.begin()
            if is_new:
                await _send(core, placing, inbox, writer, screen_no)
                return
            await core.ordering.rejoin(placing, inbox)
            machine = Order(placing.request, "", wanted)

            def joined(_: Ask, told: Callable[[object], None]) -> bool:
                core.ordering.reply(placing, told)
                return True

            await drive(core, machine, inbox, writer, begin=joined)


async def _send(core: Core, placing: Placing, inbox: Inbox, writer: Writer, screen_no: str) -> None:
    """Send a new order and write its events.

    Once it has its number, neither a shutdown nor a screen has to wait for it.
    """
    ordering = core.ordering
    with ExitStack() as held:
        screen = held.enter_context(await core.short_screen("orders", screen_no))
        held.enter_context(core.unnumbered)
        machine = Order(placing.request, screen.number, placing.order)
        try:
            await drive(
                core,
                machine,
                inbox,
                writer,
                lambda ask: ordering.send(placing, writer, ask.calls),
                lambda ask, told: ordering.send_at_once(placing, ask.calls, told),
                held.close,
            )
        except Failure as failure:
            if failure.reason == EXPIRED:
                ordering.expired(placing)
            raise
