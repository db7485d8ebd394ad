"""A session is recorded over the simulation and served again: the same program sees the same."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.replay import Recorder, ReplayControl
from koapy.server import Server, Settings
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

UNLIMITED = Settings(tr_windows=(), order_windows=(), condition_windows=())
TICKS = 20
CODES = ("005930", "000660")
SECRET = "열려라-8642"


@asynccontextmanager
async def served(control: Any) -> AsyncIterator[KiwoomOpenApiPlusServiceStub]:
    async with Server(control, port=0, settings=UNLIMITED) as server, grpc.aio.insecure_channel(server.address) as to:
        yield KiwoomOpenApiPlusServiceStub(to)


async def call(stub: Any, name: str, *args: str) -> str:
    arguments = [pb.Argument(string_value=each) for each in args]
    answer = await stub.Call(pb.CallRequest(name=name, arguments=arguments))
    return str(answer.return_value.string_value)


def plain(message: Any) -> Any:
    """A message without what the journal of either gateway numbers."""
    copy = pb.ListenResponse()
    copy.CopyFrom(message)
    copy.ClearField("sequence")
    return copy


def query(code: str, account: str) -> pb.TransactionRequest:
    inputs = {"종목코드": code, "수정주가구분": "1"} if code else {"계좌번호": account, "비밀번호": SECRET}
    return pb.TransactionRequest(
        request_name="조회", transaction_code="opt10081" if code else "opw00001", inputs=inputs
    )


def order(account: str, kind: int, quantity: int) -> pb.OrderRequest:
    return pb.OrderRequest(
        request_name="주문", account_no=account, order_type=kind, code="005930", quantity=quantity, quote_type="03"
    )


async def program(stub: Any, quantity: int = 3) -> dict[str, list[Any]]:
    """What a small trading program does, and all that it is told."""
    told: dict[str, list[Any]] = {"login": [plain(each) async for each in stub.LoginCall(pb.LoginRequest())]}
    account = (await call(stub, "GetLoginInfo", "ACCLIST")).split(";")[0]
    told["lookups"] = [account, await call(stub, "GetMasterCodeName", "005930")]
    for name, code in (("days", "005930"), ("deposit", "")):
        told[name] = [plain(each) async for each in stub.TransactionCall(query(code, account))]
    told["ticks"] = []
    real = pb.RealRequest(code_list=CODES, fid_list=[10, 15], flags=pb.RealRequestFlags(readable_names=True))
    async for each in stub.RealCall(real):
        told["ticks"].append(plain(each))
        if len(told["ticks"]) == TICKS:
            break
    for name, kind in (("buy", 1), ("sell", 2)):
        told[name] = [plain(each) async for each in stub.OrderCall(order(account, kind, quantity))]
    told["after"] = [plain(each) async for each in stub.TransactionCall(query("", account))]
    return told


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Any]]]:
    """A recording, and what the program was told while it was made."""
    file = tmp_path_factory.mktemp("replay") / "session.jsonl"

    async def record() -> dict[str, list[Any]]:
        control = SimulatedControl(seed=3, login_delay=0.01)
        recorder = Recorder(control, file)
        try:
            async with served(recorder) as stub:
                return await program(stub)
        finally:
            control.close()
            recorder.close()

    return file, asyncio.run(asyncio.wait_for(record(), 60))


async def test_a_program_that_does_the_same_is_told_the_same(session: Any) -> None:
    file, recorded = session
    with ReplayControl(file, speed=0) as control:
        async with asyncio.timeout(60), served(control) as stub:
            again = await program(stub)
        assert control.wait(20)
    account, other = recorded["lookups"][0], again["lookups"][0]
    assert other != account
    for name, messages in recorded.items():
        expected = [str(each).replace(account, other) for each in messages]
        assert [str(each) for each in again[name]] == expected, name


async def test_neither_account_nor_password_nor_user_is_in_the_file(session: Any) -> None:
    file, recorded = session
    text = file.read_text(encoding="utf-8")
    assert recorded["lookups"][0] not in text
    assert SECRET not in text
    assert "9000000111" in text


async def test_an_order_that_was_never_sent_is_refused_and_another_one_not_told_of(session: Any) -> None:
    file, _ = session
    with ReplayControl(file, speed=None, patience=0.2) as control:
        async with asyncio.timeout(60), served(control) as stub:
            _ = [each async for each in stub.LoginCall(pb.LoginRequest())]
            account = (await call(stub, "GetLoginInfo", "ACCLIST")).split(";")[0]
            following = stub.Listen(pb.ListenRequest(slots=["OnReceiveChejanData"]))
            await following.initial_metadata()
            with pytest.raises(grpc.aio.AioRpcError, match="-307"):
                async for _ in stub.OrderCall(order(account, 1, 4)):
                    pass
            assert await asyncio.to_thread(control.wait, 30)
            days = [each async for each in stub.TransactionCall(query("005930", account))]
            assert days[0].multi_data.values[0].values
            following.cancel()
            assert [each async for each in _until_cancelled(following)] == []


async def _until_cancelled(stream: Any) -> AsyncIterator[Any]:
    try:
        async for each in stream:
            yield each
    except asyncio.CancelledError:
        return
