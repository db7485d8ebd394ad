"""A client in a process of its own, on the far side of a network that fails: sends orders, follows events and ticks.

    python net_client.py stubs|library ADDRESS ACCOUNT CODE ORDERS

Says on standard output, a JSON object a line, what it has done (`order`: so many have come to an end, `ticks`: so many
were heard), waits for a line on standard input before each order, and in the end gives the numbers of all order events.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from typing import Any

import grpc

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2
from koapy.protocol.gateway_pb2_grpc import GatewayStub
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

OPTIONS = [
    ("grpc.keepalive_time_ms", 1000),
    ("grpc.keepalive_timeout_ms", 1000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
]
LOST = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


def say(**facts: Any) -> None:
    """One line."""
    print(json.dumps(facts), flush=True)


async def told_to_go_on() -> None:
    """The test decides when the next order is sent."""
    if not await asyncio.to_thread(sys.stdin.readline):
        raise SystemExit("the test is gone")


class Stubs:
    """What a client has to do that has nothing but the stubs: try again with the same key, ask on from a number."""

    def __init__(self, address: str, account: str, code: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self._stub = KiwoomOpenApiPlusServiceStub(self._channel)
        self._gateway = GatewayStub(self._channel)
        self._order = pb.OrderRequest(
            request_name="주문", account_no=account, order_type=1, code=code, quantity=1, quote_type="03"
        )
        self._code = code
        self.sequences: list[int] = []

    async def order(self) -> int:
        """One order, however often it has to be tried; how often that was."""
        key, tries = uuid.uuid4().hex, 0
        while True:
            tries += 1
            call = self._stub.OrderCall(self._order, metadata=(("koapy-idempotency-key", key),), timeout=4)
            try:
                async for _ in call:
                    pass
            except grpc.aio.AioRpcError as error:
                if error.code() not in LOST:
                    raise
                await asyncio.sleep(0.1)
            else:
                return tries

    async def follow_orders(self) -> None:
        """Every order event, each once."""
        while True:
            since = (self.sequences[-1] if self.sequences else 0) + 1
            try:
                async for event in self._stub.OrderListen(
                    pb.ListenRequest(), metadata=(("koapy-from-sequence", str(since)),)
                ):
                    self.sequences.append(event.sequence)
            except grpc.aio.AioRpcError as error:
                if error.code() not in LOST:
                    raise
                await asyncio.sleep(0.1)

    async def follow_ticks(self) -> None:
        """Ticks, those that come while the network is there."""
        heard = 0
        while True:
            try:
                async for _ in self._stub.RealCall(pb.RealRequest(code_list=[self._code], fid_list=[10])):
                    heard += 1
                    if heard % 5 == 0:
                        say(ticks=heard)
            except grpc.aio.AioRpcError as error:
                if error.code() not in LOST:
                    raise
                await asyncio.sleep(0.1)

    async def last_sequence(self) -> int:
        """The number of the newest event."""
        return int((await self._gateway.Status(gateway_pb2.StatusRequest(), timeout=10)).last_sequence)


class Library:
    """The same by koapy's own client, which does all of that by itself."""

    def __init__(self, address: str, account: str, code: str) -> None:
        from koapy.client import AsyncClient

        self._client = AsyncClient(address)
        self._account = account
        self._code = code
        self.sequences: list[int] = []

    async def order(self) -> int:
        """One order."""
        async for _ in self._client.buy(self._code, 1, account=self._account):
            pass
        return 1

    async def follow_orders(self) -> None:
        """Every order event, each once."""
        async for event in self._client.order_events(1):
            self.sequences.append(event.sequence)

    async def follow_ticks(self) -> None:
        """Ticks."""
        heard = 0
        async for _ in self._client.realtime(self._code, fids=[10]):
            heard += 1
            if heard % 5 == 0:
                say(ticks=heard)

    async def last_sequence(self) -> int:
        """The number of the newest event."""
        return (await self._client.status()).last_sequence


async def main(kind: str, address: str, account: str, code: str, count: int) -> None:
    """Run until everything has come to its end."""
    client = Stubs(address, account, code) if kind == "stubs" else Library(address, account, code)
    following = [asyncio.create_task(each) for each in (client.follow_orders(), client.follow_ticks())]
    tries = 0
    for number in range(1, count + 1):
        await told_to_go_on()
        tries += await client.order()
        say(order=number)
    last = await client.last_sequence()
    async with asyncio.timeout(30):
        while not client.sequences or client.sequences[-1] < last:
            for task in following:
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)
    for task in following:
        task.cancel()
    say(sequences=client.sequences, tries=tries, last=last)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], int(sys.argv[5])))
