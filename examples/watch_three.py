"""Watches three stocks and the orders of the account at once, for ten ticks: the asyncio client.

python examples/watch_three.py [HOST:PORT]
"""

import asyncio
import sys

from koapy import AsyncClient

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:5943"
CODES = ["005930", "000660", "069500"]


async def watch(client: AsyncClient) -> None:
    async with client.realtime(CODES) as ticks:
        for _ in range(10):
            tick = await anext(ticks)
            print(tick.time, tick.code, tick.price)


async def follow_orders(client: AsyncClient) -> None:
    async with client.order_events() as events:
        async for event in events:
            print(type(event).__name__, getattr(event, "state", ""))


async def main() -> None:
    async with AsyncClient(ADDRESS) as client:
        await client.login()
        orders = asyncio.create_task(follow_orders(client))
        async with client.buy(CODES[0], 1) as order:
            print("filled:", (await order.result()).filled)
        await watch(client)
        orders.cancel()


asyncio.run(main())
