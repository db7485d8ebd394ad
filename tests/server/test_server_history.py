"""The whole way over a recorded day: charts, ticks and orders of a client are the file's."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from pathlib import Path

ROWS = (
    ("20250609152000", 59900, 60000, 59900, 60000, 700),
    ("20250610090100", 60000, 60200, 59800, 60100, 5000),
    ("20250610090200", 60100, 60300, 60100, 60300, 400),
    ("20250610090300", 60200, 60200, 59500, 59600, 900),
)


async def test_a_client_sees_and_trades_the_day_of_a_file(running: Any, tmp_path: Path) -> None:
    lines = ["datetime,open,high,low,close,volume", *(",".join(map(str, row)) for row in ROWS)]
    (tmp_path / "005930.csv").write_text("\n".join(lines), encoding="utf-8")
    clock = ManualClock(datetime(2025, 6, 10, 8, 59, tzinfo=KST))
    control = SimulatedControl(history=tmp_path, minute_label="end", date="2025-06-10", clock=clock, market_size=5)

    async def meanwhile(work: Any, seconds: float = 0.001) -> Any:
        """Let market time pass until something is done; slowly, for a machine on which that takes long."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.to_thread(control.advance, seconds)
        return await task

    async with running(control) as gateway:

        async def every(stream: Any) -> list[Any]:
            return [each async for each in stream]

        assert len(await meanwhile(every(gateway.stub.LoginCall(pb.LoginRequest())))) == 1

        async def chart() -> list[tuple[str, ...]]:
            request = pb.TransactionRequest(
                request_name="분봉",
                transaction_code="opt10080",
                screen_no="0001",
                inputs={"종목코드": "005930", "틱범위": "1", "수정주가구분": "1"},
            )
            pages = await meanwhile(every(gateway.stub.TransactionCall(request, timeout=30)))
            rows = [row.values for page in pages for row in page.multi_data.values]
            return [(row[2], *(row[at].lstrip("+- ") for at in (3, 4, 5, 0, 1))) for row in rows]

        assert await chart() == [("20250609151900", *map(str, ROWS[0][1:]))]
        ticks = gateway.client().RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10, 15]))
        first = asyncio.ensure_future(ticks.read())
        await gateway.reached(streams=1)
        order = pb.OrderRequest(
            request_name="산다",
            screen_no="0002",
            account_no=(await gateway.call("GetLoginInfo", "ACCNO")).split(";")[0],
            order_type=1,
            code="005930",
            quantity=7,
            price=59800,
            quote_type="00",
        )
        stream = aiter(gateway.client().OrderCall(order, timeout=60))
        events = [await meanwhile(anext(stream)) for _ in range(3)]  # to its 접수, which is to be in time
        events += await meanwhile(every(stream), 0.2)
        told = [dict(zip(each.single_data.names, each.single_data.values, strict=True)) for each in events]
        assert {each["체결가"] for each in told if each.get("체결가", "").strip("0")} == {"59800"}  # the first low
        assert (await first).name == "OnReceiveRealData"
        ticks.cancel()
        await asyncio.to_thread(control.advance, 300.0)
        starts = ("20250609151900", "20250610090000", "20250610090100", "20250610090200")
        shown = [(start, *map(str, row[1:])) for start, row in zip(starts, ROWS, strict=True)]
        assert (await chart())[::-1] == shown  # the order took its part of the file's shares
    control.close()
