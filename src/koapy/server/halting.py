"""What the kill switch does to orders that are open: each is cancelled, through the way that every order goes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from koapy.openapi.order import order_types
from koapy.orders.model import NewOrder
from koapy.protocol import gateway_pb2 as pb
from koapy.server.failure import Failure
from koapy.server.order_call import follow_order

if TYPE_CHECKING:
    from koapy.server.core import Core
    from koapy.server.edge import Caller
    from koapy.server.listing import Listed

NAME = "halt"


async def cancel_open_orders(core: Core, caller: Caller) -> list[pb.Cancellation]:
    """Cancel every open order of every account of the login; says of each what came of it.

    Raises:
        Failure: the open orders cannot be asked for.
    """
    # One that was on its way when the switch was thrown would be open afterwards, and in no list before.
    with suppress(TimeoutError):
        async with asyncio.timeout(core.settings.answer_seconds):
            await core.ordering.idle()
    await core.require_login()
    accounts = [each for each in str(await core.lookups.ask("GetLoginInfo", "ACCNO")).split(";") if each]
    listed = [each for account in accounts for each in await core.recovery.open_orders(account)]
    return list(await asyncio.gather(*(_cancel(core, caller, each) for each in listed)))


async def _cancel(core: Core, caller: Caller, listed: Listed) -> pb.Cancellation:
    side = "sell" if "매도" in listed.kind else "buy"
    kind = next(each for each in order_types() if each.action == "cancel" and each.side == side)
    order = NewOrder(
        function="SendOrder",
        account=listed.account,
        order_type=kind.code,
        code=listed.code,
        quantity=listed.open,
        price=0,
        quote_type="00",
        original=listed.number,
    )
    error = ""
    try:
        await follow_order(core, order, caller, caller.silent, None, NAME, "")
    except Failure as failure:
        error = failure.text
    return pb.Cancellation(
        account=listed.account, code=listed.code, original=listed.number, quantity=listed.open, error=error
    )
