"""Every TR of the catalogue answers through a served TransactionCall, with exactly the catalogue's names."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.openapi.tr import trs
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl
from koapy.simulation.tr import Source, source

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from koapy.openapi.tr import Tr

MORNING = datetime(2026, 3, 10, 10, 0, tzinfo=KST)
FORMATS = {"code6": "005930", "fo8": "10100000", "member3": "050", "codes;": "005930;000660", "theme": "320"}
CODE, WARRANT = "005930", "57KJ01"
ODD = re.compile(r"None|nan|inf|e[+-]|[\x00-\x1f]|0x")
"""What a value that was forgotten or reckoned wrong looks like."""

NOTHING_TODAY = {
    *("opt10016", "opt10017", "opt10018", "opt10019", "opt10021", "opt10022", "opt10023", "opt10024", "opt10025"),
    *("opt10029", "opt10035", "opt10054", "opt10062", "opt10098", "opt30001", "opt30009", "opt10040"),
    *("opt10072", "opt10073", "opt10074", "opt10075", "opt10076", "opt10077", "opt10085", "opt10088", "opt10170"),
    *("opw00001", "opw00005", "opw00007", "opw00008", "opw00009", "opw00015", "opt50026", "opt50027"),
    *("opt50031", "opt50032", "opw20003", "opw20004", "opw20005", "opw20006", "opw20007", "opw20014"),
}
"""TRs whose lists may be empty at a quiet moment, of an account that has not traded, or always."""


async def heard(control: SimulatedControl, asked: Coroutine[Any, Any, Any]) -> Any:
    """Let the control's time pass until the answer is there."""
    task = asyncio.create_task(asked)
    async with asyncio.timeout(60):
        while not task.done():
            await asyncio.to_thread(control.advance, 0.25)
    return await task


async def first_page(stub: Any, what: Tr, account: str) -> Any:
    inputs = {each.name: value(what, each, account) for each in what.inputs}
    request = pb.TransactionRequest(
        request_name="질의", transaction_code=what.code, screen_no="0001", inputs={k: v for k, v in inputs.items() if v}
    )
    stream = stub.TransactionCall(request)
    page = await stream.read()
    stream.cancel()
    return page if isinstance(page, pb.ListenResponse) else None


def value(what: Tr, each: Any, account: str) -> str:
    if each.format == "account10":
        return account
    if each.format == "code6" and ("ELW" in what.name or what.code == "opt10041"):
        return WARRANT
    if each.format == "code6" and "ETF" in what.name:
        return "069500"
    if what.code == "optfofid":
        return FORMATS["fo8"]
    if each.name == "업종코드":
        return "001"
    return FORMATS.get(each.format, each.values[0][0] if each.values else "")


async def test_every_tr_answers_with_the_catalogue_s_names(running: Any) -> None:
    control = SimulatedControl(clock=ManualClock(MORNING), market_size=30)
    async with running(control) as gateway:
        stub = gateway.stub
        await heard(control, collect(stub.LoginCall(pb.LoginRequest())))
        account = (await gateway.call("GetLoginInfo", "ACCNO")).split(";")[0]
        await heard(control, collect(stub.OrderCall(order(account))))
        amiss = {}
        for what in trs():
            found = await heard(control, first_page(stub, what, account))
            if wrong := list(faults(what, found)):
                amiss[what.code] = wrong
        assert amiss == {}
    control.close()


async def collect(stream: Any) -> list[Any]:
    return [each async for each in stream]


def order(account: str) -> Any:
    return pb.OrderRequest(
        request_name="산다",
        screen_no="0002",
        account_no=account,
        order_type=1,
        code="005930",
        quantity=1,
        quote_type="03",
    )


def faults(what: Tr, page: Any) -> Iterator[str]:
    if page is None:
        yield "no answer"
        return
    rows = [list(row.values) for row in page.multi_data.values]
    if what.single and tuple(page.single_data.names) != what.single_names:
        yield f"single has {list(page.single_data.names)}"
    if rows and tuple(page.multi_data.names) != what.multi_names:
        yield f"multi has {list(page.multi_data.names)}"
    if any(len(row) != len(what.multi) for row in rows):
        yield f"rows of {sorted({len(row) for row in rows})} values, {len(what.multi)} columns"
    if what.max_rows and len(rows) > what.max_rows:
        yield f"{len(rows)} rows, {what.max_rows} a page"
    if odd := [each for row in [page.single_data.values, *rows] for each in row if ODD.search(each)]:
        yield f"odd values {odd[:5]}"
    told = any(map(any, rows)) if what.multi else any(page.single_data.values)
    if source(what.code) is not Source.EMPTY and not told and what.code not in NOTHING_TODAY:
        yield "nothing in it"
