"""Who may run a handler, and that it may no more than who sent it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.handlers.limits import HandlerLimits
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.server import Server, Settings
from koapy.server.access import Role
from koapy.server.security import Security, tokens

if TYPE_CHECKING:
    from pathlib import Path

LISTENS = "def OnReceiveChejanData(self, *args): pass"
ORDERS = """
def on_enter(self):
    self.control.SendOrder("주문", "1000", "8000000011", 1, "005930", 1, 0, "03", "")
    self.stop()
"""
HEAD = "class Handler:\n    def __init__(self, control, request, context): pass\n"


def code(methods: str) -> str:
    return HEAD + "\n".join(f"    {line}" for line in methods.strip().splitlines())


@pytest.mark.parametrize(
    ("roles", "methods", "missing"),
    [
        ([Role.MARKET_DATA, Role.ACCOUNT, Role.ORDER, Role.ADMIN], LISTENS, "custom-code"),
        ([Role.CUSTOM_CODE, Role.MARKET_DATA], LISTENS, "account"),
        ([Role.CUSTOM_CODE, Role.ACCOUNT, Role.MARKET_DATA], ORDERS, "order"),
        ([Role.CUSTOM_CODE, Role.ORDER], ORDERS, None),
    ],
)
async def test_a_handler_may_what_its_sender_may(
    marker: str, server_doubles: Any, tmp_path: Path, roles: list[Role], methods: str, missing: str | None
) -> None:
    secret = tokens.create(tmp_path / "tokens.json", "robot", roles)
    control = server_doubles.StrictControl()
    settings = replace(Settings(), custom_handlers=HandlerLimits(start_seconds=60, event_seconds=60))
    security = Security(tokens=tmp_path / "tokens.json", audit=tmp_path / "audit.jsonl")
    async with (
        Server(control, port=0, settings=settings, security=security) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        stream = KiwoomOpenApiPlusServiceStub(channel).CustomListen(
            pb.ListenRequest(code=code(methods), class_name="Handler"),
            metadata=(("authorization", f"Bearer {secret}"),),
        )
        if missing is None:
            assert await stream.read() is grpc.aio.EOF
        else:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stream.read()
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert missing in (caught.value.details() or "")
    assert len(control.named("SendOrder")) == (missing is None)
    control.close()
    written = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text("utf-8").splitlines()]
    orders = [line for line in written if line["kind"] == "order"]
    assert bool(orders) == (missing is None)
    assert all("handler" in line["peer"] and line["principal"] == "robot" for line in orders)
