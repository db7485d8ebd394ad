"""Batches take the roles that the published streams take for the same events and codes, at any time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc
import pytest

from koapy.protocol import streams_pb2 as v1
from koapy.protocol.streams_pb2_grpc import StreamsStub
from koapy.server.access import Role
from koapy.server.security import Security

TICKS, ORDERS = {"slots": ["OnReceiveRealData"]}, {"slots": ["OnReceiveChejanData"]}
CODES = {"add": ["005930"]}


@pytest.mark.parametrize(
    ("role", "asked", "missing"),
    [
        (Role.ACCOUNT, [ORDERS], ""),
        (Role.ACCOUNT, [TICKS], "market-data"),
        (Role.ACCOUNT, [CODES], "market-data"),
        (Role.ACCOUNT, [{}], "market-data"),
        (Role.ACCOUNT, [ORDERS, CODES], "market-data"),
        (Role.ACCOUNT, [ORDERS, {"remove": ["005930"]}], ""),
        (Role.MARKET_DATA, [TICKS], ""),
        (Role.MARKET_DATA, [CODES], ""),
        (Role.MARKET_DATA, [{}, CODES], ""),
        (Role.MARKET_DATA, [TICKS | ORDERS], "account"),
        (Role.MARKET_DATA, [{"slots": [*TICKS["slots"], *ORDERS["slots"]]}], "account"),
    ],
)
async def test_what_is_asked_for_decides(
    role: Role,
    asked: list[dict[str, Any]],
    missing: str,
    place: Any,
    control: Any,
    secured: Any,
    connected: Any,
    reason: Any,
) -> None:
    token = place.token("bot", role)
    async with (
        secured(Security(tokens=place.tokens, audit=place.audit), control) as server,
        connected(server, token=token) as client,
    ):
        stream = StreamsStub(client.channel).Events(metadata=client.metadata, timeout=20)
        for request in asked:
            await stream.write(v1.EventsRequest(**request))
        if missing:
            with pytest.raises(grpc.aio.AioRpcError) as denied:
                await stream.read()
            assert denied.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert reason(denied.value) == ("ROLE_MISSING", {"role": missing, "principal": "bot"})
        else:
            async with asyncio.timeout(10):
                await stream.initial_metadata()
            stream.cancel()
    audit = [json.loads(line) for line in place.audit.read_text(encoding="utf-8").splitlines()]
    assert [each.get("rpc") for each in audit if "rpc" in each][:1] == ["Events"]
