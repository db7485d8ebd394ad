"""The audit log: who did what, how it ended; and that nobody can push lines out of it or hold the server up by it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import queue
import stat
from datetime import datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from server_doubles import ACCOUNT

from koapy.openapi.calendar import KST
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import Server
from koapy.server.access import Role
from koapy.server.security import Security, SecurityError, audit, tokens
from koapy.server.security.audit import Audit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDER = pb.OrderRequest(
    request_name="매수",
    screen_no="0001",
    account_no=ACCOUNT,
    order_type=1,
    code="005930",
    quantity=3,
    price=70000,
    quote_type="00",
)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def call(name: str, *values: str | int) -> pb.CallRequest:
    arguments = [
        pb.Argument(long_value=each) if isinstance(each, int) else pb.Argument(string_value=each) for each in values
    ]
    return pb.CallRequest(name=name, arguments=arguments)


async def test_it_says_who_did_what_and_how_it_ended(place: Any, control: Any, secured: Any, connected: Any) -> None:
    token = place.token("bot", Role.MARKET_DATA, Role.ORDER, Role.ADMIN, Role.ACCOUNT)
    security = Security(tokens=place.tokens, audit=place.audit)
    async with secured(security, control) as server, connected(server, token=token) as client:
        order = client.call("OrderCall", ORDER)
        await asyncio.to_thread(control.wait_for, "SendOrder")
        order.cancel()
        async with asyncio.timeout(10):
            while server.statistics()["rpcs"]:
                await asyncio.sleep(0.005)
        sent = call("SendOrder", "매도", "0001", ACCOUNT, 2, "005930", 1, 0, "03", "")
        await client.call("Call", sent)
        await client.call("SetLogLevel", pb.SetLogLevelRequest(level=logging.WARNING, logger="koapy"))
        await client.call("Call", call("GetMasterCodeName", "005930"))  # a look-up
        [_ async for _ in client.call("LoginCall", pb.LoginRequest())]
        real = client.call("RealCall", pb.RealRequest(code_list=["005930", "000660"]))
        async with asyncio.timeout(10):
            while not server.statistics()["codes"]:
                await asyncio.sleep(0.005)
        tokens.revoke(place.tokens, "bot")
        with pytest.raises(grpc.aio.AioRpcError):
            await real.read()
        client.metadata = ()
        with pytest.raises(grpc.aio.AioRpcError):
            await client.call("Call", call("CommTerminate"))
    logging.getLogger("koapy").setLevel(logging.NOTSET)
    written = lines(place.audit)
    assert {each["peer"].split(":")[0] for each in written} == {"ipv4"}
    assert all(datetime.fromisoformat(each["time"]).utcoffset() == KST.utcoffset(None) for each in written)
    told = [
        (each["kind"], each["rpc"], each["principal"], each.get("phase"), each.get("status"), each.get("reason"))
        for each in written
    ]
    assert told == [
        ("order", "OrderCall", "bot", "begin", None, None),
        ("order", "OrderCall", "bot", "end", "CANCELLED", None),
        ("order", "Call", "bot", "begin", None, None),
        ("order", "Call", "bot", "end", "OK", None),
        ("admin", "SetLogLevel", "bot", "begin", None, None),
        ("admin", "SetLogLevel", "bot", "end", "OK", None),
        ("login", "LoginCall", "bot", None, "OK", None),
        ("stream", "RealCall", "bot", "begin", None, None),
        ("stream", "RealCall", "bot", "end", "UNAUTHENTICATED", "TOKEN_REVOKED"),
        ("refused", "Call", "", None, "UNAUTHENTICATED", "TOKEN_MISSING"),
    ]
    assert written[0]["id"] == written[1]["id"] != written[2]["id"]
    assert written[0]["what"] == {
        "account": "8000****11",
        "order_type": 1,
        "code": "005930",
        "quantity": 3,
        "price": 70000,
        "quote_type": "00",
        "original": "",
    }
    assert written[2]["what"] == written[0]["what"] | {
        "function": "SendOrder",
        "order_type": 2,
        "quantity": 1,
        "price": 0,
        "quote_type": "03",
    }
    assert written[7]["what"] == {"codes": ["005930", "000660"]}
    assert ACCOUNT not in place.audit.read_text()


async def test_what_is_denied_is_written_with_what_was_wanted(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any
) -> None:
    token = place.token("looker", Role.MARKET_DATA)
    async with (
        secured(Security(tokens=place.tokens, audit=place.audit), control) as server,
        connected(server, token=token) as client,
    ):
        await ending(client.call("OrderCall", ORDER))
    (line,) = lines(place.audit)
    assert (line["kind"], line["principal"], line["status"], line["reason"]) == (
        "refused",
        "looker",
        "PERMISSION_DENIED",
        "ROLE_MISSING",
    )
    assert line["what"]["code"] == "005930"


async def test_a_client_cannot_write_what_it_likes(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any
) -> None:
    token = place.token("bot", *Role)
    long = "x" * 5000 + '"\n{"kind": "forged"}'
    request = pb.OrderRequest(account_no=long, code=long, quote_type=long, original_order_no=long)
    codes = pb.RealRequest(code_list=[long] * 100)
    async with (
        secured(Security(tokens=place.tokens, audit=place.audit), control) as server,
        connected(server, token=token) as client,
    ):
        for rpc, sent in (("OrderCall", request), ("RealCall", codes), ("Call", call("SendOrder", *[long] * 9))):
            assert (await ending(client.call(rpc, sent))).code() is grpc.StatusCode.INVALID_ARGUMENT
    assert {each["kind"] for each in lines(place.audit)} == {"order", "stream"}
    assert max(map(len, place.audit.read_text().splitlines())) < 1500
    assert lines(place.audit)[2]["what"]["count"] == 100


async def test_a_server_without_tokens_writes_too(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any
) -> None:
    async with secured(Security(audit=place.audit), control) as server, connected(server) as client:
        await ending(client.call("OrderCall", pb.OrderRequest()))
    assert [(each["principal"], each.get("status")) for each in lines(place.audit)] == [
        ("local", None),
        ("local", "INVALID_ARGUMENT"),
    ]


async def test_a_log_that_others_can_read_or_that_cannot_be_written_is_refused(place: Any, control: Any) -> None:
    place.audit.touch(mode=0o600)
    place.audit.chmod(0o644)
    for path, text in ((place.audit, "chmod 600"), (place.audit / "below", "cannot write")):
        with pytest.raises(SecurityError, match=text):
            async with Server(control, port=0, security=Security(audit=path)):
                pass


def test_what_a_caller_causes_without_limit_is_counted(tmp_path: Path) -> None:
    seconds = [0.0]
    path = tmp_path / "audit.jsonl"
    log = Audit(path, clock=lambda: seconds[0])
    for _ in range(audit.LINES_PER_MINUTE + 50):
        log.write("refused", "", status="UNAUTHENTICATED")
    log.write("refused", "looker", status="PERMISSION_DENIED")
    for _ in range(audit.LINES_PER_MINUTE + 50):
        log.write("order", "bot")
    seconds[0] = 61.0
    log.write("refused", "", status="UNAUTHENTICATED")
    log.close()
    written = lines(path)
    assert sum(each["kind"] == "order" for each in written) == audit.LINES_PER_MINUTE + 50
    assert sum(each["principal"] == "looker" for each in written) == 1
    strangers = [each for each in written if each["principal"] == ""]
    assert len(strangers) == audit.LINES_PER_MINUTE + 1
    assert strangers[-1]["skipped"] == 50


def test_files_rotate_and_stay_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "FILE_BYTES", 1000)
    path = tmp_path / "audit.jsonl"
    log = Audit(path)
    for number in range(40):
        log.write("order", "bot", number=number)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) > 2
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert sorted(line["number"] for each in files for line in lines(each)) == list(range(40))


def test_a_disk_that_does_not_keep_up_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit, "QUEUE", 3)
    stuck: queue.Queue[None] = queue.Queue()
    written = audit._PrivateFile.emit

    def slow(self: Any, record: logging.LogRecord) -> None:
        stuck.get()
        written(self, record)

    monkeypatch.setattr(audit._PrivateFile, "emit", slow)
    log = Audit(tmp_path / "audit.jsonl")
    for _ in range(10):
        log.write("order", "bot")
    assert "lines of the audit log are lost" in caplog.text
    for _ in range(10):
        stuck.put(None)
    log.close()
    assert 3 <= len(lines(tmp_path / "audit.jsonl")) <= 4


def test_a_full_disk_is_told_and_so_is_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = [True]
    written = audit._PrivateFile.shouldRollover

    def failing(self: Any, record: logging.LogRecord) -> int:
        if full[0]:
            full[0] = False
            raise OSError(28, "No space left on device")
        return written(self, record)

    monkeypatch.setattr(audit._PrivateFile, "shouldRollover", failing)
    log = Audit(tmp_path / "audit.jsonl")
    log.write("order", "bot")
    log.write("order", "bot")
    log.close()
    assert "cannot be written" in caplog.text
    assert "can be written again" in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="Windows has other rules for files")
async def test_what_a_gateway_writes_is_its_owners_only(
    place: Any, control: Any, secured: Any, connected: Any, umask: None
) -> None:
    journal = place.folder / "state" / "orders.sqlite"
    security = Security(audit=place.folder / "state" / "audit.jsonl")
    async with Server(control, port=0, journal=journal, security=security) as server, connected(server) as client:
        order = client.call("OrderCall", ORDER)
        await asyncio.to_thread(control.wait_for, "SendOrder")
        order.cancel()
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in journal.parent.iterdir()}
    assert {"orders.sqlite", "orders.sqlite-wal", "audit.jsonl"} <= set(modes)
    assert set(modes.values()) == {0o600}


@pytest.fixture
def umask() -> Iterator[None]:
    """A careless one."""
    before = os.umask(0)
    yield
    os.umask(before)


async def test_a_client_that_does_not_read_is_let_go_all_the_same(
    place: Any, control: Any, secured: Any, connected: Any
) -> None:
    token = place.token("bot", Role.MARKET_DATA)
    async with secured(Security(tokens=place.tokens), control) as server, connected(server, token=token) as client:
        stuck = client.call("RealCall", pb.RealRequest(code_list=["005930"], fid_list=[10]))
        async with asyncio.timeout(10):
            while not server.statistics()["codes"]:
                await asyncio.sleep(0.005)
        async with asyncio.timeout(10):  # until the window of HTTP/2 is full, which grows with what passes through it
            while not server.statistics()["waiting_bytes"]:
                control.fire("OnReceiveRealData", "005930", "주식체결", "", data={"10": "7" * 100_000})
                await asyncio.sleep(0.005)
        tokens.revoke(place.tokens, "bot")
        async with asyncio.timeout(10):
            while any(server.statistics().values()):
                await asyncio.sleep(0.005)
        stuck.cancel()
