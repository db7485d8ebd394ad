"""Tokens and roles through a real server: let in, refused, revoked and expired while a stream is open."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from server_doubles import ACCOUNT

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import Server
from koapy.server.access import RPC_NEEDS, Role
from koapy.server.security import Security, SecurityError, tokens

if TYPE_CHECKING:
    from pathlib import Path

TAKEN = ("rpcs", "streams", "screens", "subscriptions", "gates")
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
DENIED = grpc.StatusCode.PERMISSION_DENIED


def call(name: str, *values: str | int) -> pb.CallRequest:
    arguments = [
        pb.Argument(long_value=each) if isinstance(each, int) else pb.Argument(string_value=each) for each in values
    ]
    return pb.CallRequest(name=name, arguments=arguments)


def asked_by_itself(control: Any) -> bool:
    """Whether the gateway has made no call but its own question at the start."""
    return {each[0] for each in control.calls} <= {"GetConnectState"}


def query(code: str, **inputs: str) -> pb.TransactionRequest:
    return pb.TransactionRequest(transaction_code=code, inputs=inputs)


ORDER = pb.OrderRequest(
    request_name="매수", screen_no="0001", account_no=ACCOUNT, order_type=1, code="005930", quantity=1, quote_type="03"
)
LISTEN = pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=["OnReceiveChejanData"]))

NEEDS = [
    ("Call", call("GetMasterCodeName", "005930"), {"market-data"}),
    ("Call", call("GetLoginInfo", "ACCNO"), {"account"}),
    ("Call", call("SendOrder", "매수", "0001", ACCOUNT, 1, "005930", 1, 0, "03", ""), {"order"}),
    ("Call", call("CommRqData", "잔고", "opw00018", 0, "0001"), {"account"}),
    ("Call", call("CommTerminate"), {"admin"}),
    ("Listen", pb.ListenRequest(slots=["OnReceiveRealData"]), {"market-data"}),
    ("Listen", pb.ListenRequest(slots=["OnReceiveChejanData", "OnReceiveRealData"]), {"market-data", "account"}),
    ("BidirectionalListen", [LISTEN], {"account"}),
    ("LoginCall", pb.LoginRequest(credentials=pb.LoginCredentials(user_id="x")), {"admin"}),
    (
        "TransactionCall",
        pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"}),
        {"market-data"},
    ),
    ("TransactionCall", pb.TransactionRequest(transaction_code="OPW00001", inputs={"계좌번호": ACCOUNT}), {"account"}),
    ("OrderCall", ORDER, {"order"}),
    ("RealCall", pb.RealRequest(code_list=["005930"]), {"market-data"}),
    ("LoadConditionCall", pb.LoadConditionRequest(), {"market-data"}),
    ("ConditionCall", pb.ConditionRequest(condition_name="대형 저평가 우량주"), {"market-data"}),
    ("BidirectionalRealCall", [], {"market-data"}),
    ("OrderListen", pb.ListenRequest(), {"account"}),
    ("CustomListen", pb.ListenRequest(code="class A: pass", class_name="A"), {"custom-code"}),
    ("CustomListen", pb.ListenRequest(), {"market-data", "account"}),
    (
        "CustomCallAndListen",
        pb.CallAndListenRequest(call_request=call("SendOrder"), listen_request=pb.ListenRequest(code="x")),
        {"order", "custom-code"},
    ),
    ("SetLogLevel", pb.SetLogLevelRequest(level=20, logger="koapy"), {"admin"}),
]


def _name(each: Any) -> str:
    return str(sorted(each) if isinstance(each, set) else each)[:40].replace("\n", " ")


@pytest.mark.parametrize(("rpc", "request_", "needs"), NEEDS, ids=_name)
async def test_each_role_opens_its_own_and_nothing_else(
    rpc: str, request_: Any, needs: set[str], place: Any, control: Any, secured: Any, connected: Any, reason: Any
) -> None:
    with_all_others = place.token("without", *(role for role in Role if role not in needs))
    with_these = place.token("with", *map(Role, needs))
    async with secured(Security(tokens=place.tokens), control) as server:
        async with connected(server, token=with_all_others) as client:
            with pytest.raises(grpc.aio.AioRpcError) as denied:
                await _first_answer(server, client, rpc, request_)
            assert denied.value.code() is DENIED
            told = {"role": ", ".join(sorted(needs)), "principal": "without"}
            assert reason(denied.value) == ("ROLE_MISSING", told)
            assert "SendOrder" not in str(control.calls)
        async with connected(server, token=with_these) as client:
            outcome = await asyncio.gather(_first_answer(server, client, rpc, request_), return_exceptions=True)
            if isinstance(outcome[0], grpc.aio.AioRpcError):  # refused for what it is, not for who asks
                assert outcome[0].code() is not UNAUTHENTICATED
                assert reason(outcome[0])[0] != "ROLE_MISSING"
            else:
                assert outcome[0] is None


async def _first_answer(server: Any, client: Any, rpc: str, request: Any) -> None:
    """How an RPC begins: by an answer, by its end, or by a stream that is open and silent."""
    begun = client.call(rpc, request)
    if not hasattr(begun, "read"):
        await begun
        return
    reading = asyncio.ensure_future(begun.read())
    async with asyncio.timeout(10):
        while not reading.done() and not server.statistics().get("streams"):
            await asyncio.sleep(0.005)
    if reading.done():
        reading.result()
    begun.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_no_method_of_the_server_is_open_but_health(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any
) -> None:
    token = place.token("bot", Role.MARKET_DATA)
    pool = descriptor_pool.Default()
    async with secured(Security(tokens=place.tokens), control) as server, connected(server, token=token) as client:
        reflection = reflection_pb2_grpc.ServerReflectionStub(client.channel)
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        answer = await reflection.ServerReflectionInfo(iter(asked), metadata=client.metadata).read()
        names = [each.name for each in answer.list_services_response.service]
        methods = [method for name in names for method in pool.FindServiceByName(name).methods]
        tried = {}
        for method in methods:
            path = f"/{method.containing_service.full_name}/{method.name}"
            if method.containing_service.full_name != "grpc.health.v1.Health":
                begun = client.channel.stream_stream(path)(iter([b""]), timeout=20)
                tried[method.name] = (await ending(begun)).code()
    assert set(tried.values()) == {UNAUTHENTICATED}
    assert set(tried) == set(RPC_NEEDS)


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ((), "TOKEN_MISSING"),
        ((("authorization", "Bearer wrong"),), "TOKEN_UNKNOWN"),
        ((("authorization", "Bearer "),), "TOKEN_UNKNOWN"),
        ((("authorization", "Basic {token}"),), "TOKEN_MISSING"),
        ((("authorization", "{token}"),), "TOKEN_MISSING"),
        ((("authorization", "Bearer {token}"), ("authorization", "Bearer {token}")), "TOKEN_MISSING"),
    ],
)
async def test_who_is_not_known_gets_no_further(
    metadata: Any, why: str, place: Any, control: Any, secured: Any, connected: Any, ending: Any, reason: Any
) -> None:
    token = place.token("bot", *Role)
    async with secured(Security(tokens=place.tokens), control) as server, connected(server) as client:
        client.metadata = tuple((key, value.format(token=token)) for key, value in metadata)
        for rpc, request, _ in NEEDS:
            refused = await ending(client.call(rpc, request))
            assert (refused.code(), reason(refused)[0]) == (UNAUTHENTICATED, why)
            assert token not in refused.details()
    assert asked_by_itself(control)


async def test_the_scheme_may_be_written_in_any_case(place: Any, control: Any, secured: Any, connected: Any) -> None:
    token = place.token("bot", Role.MARKET_DATA)
    async with secured(Security(tokens=place.tokens), control) as server, connected(server) as client:
        client.metadata = (("authorization", f"bearer {token}"),)
        await client.call("Call", call("GetConnectState"))


async def test_open_streams_of_a_revoked_token_end_and_others_go_on(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any, reason: Any
) -> None:
    roles = (Role.MARKET_DATA, Role.ACCOUNT, Role.ORDER)
    leaving, staying = place.token("leaving", *roles), place.token("staying", *roles)
    async with (
        secured(Security(tokens=place.tokens), control) as server,
        connected(server, token=leaving) as theirs,
        connected(server, token=staying) as ours,
    ):
        real = theirs.call("RealCall", pb.RealRequest(code_list=["005930"], fid_list=[10]))
        order = theirs.call("OrderCall", ORDER)
        both = theirs.stub.BidirectionalListen(metadata=theirs.metadata)
        await both.write(LISTEN)
        kept = ours.call("RealCall", pb.RealRequest(code_list=["005930"], fid_list=[10]))
        await asyncio.to_thread(control.wait_for, "SendOrder")
        async with asyncio.timeout(10):
            while server.statistics()["streams"] < 4:
                await asyncio.sleep(0.005)
        tokens.revoke(place.tokens, "leaving")
        async with asyncio.timeout(5):
            for stream in (real, order, both):
                ended = await ending(stream)
                assert (ended.code(), reason(ended)[0]) == (UNAUTHENTICATED, "TOKEN_REVOKED")
        assert (await ending(theirs.call("Call", call("GetConnectState")))).code() is UNAUTHENTICATED
        control.fire("OnReceiveRealData", "005930", "주식체결", "", data={"10": "70000"})
        assert (await kept.read()).single_data.values == ["70000"]
        kept.cancel()
        async with asyncio.timeout(10):
            while any(server.statistics()[name] for name in ("rpcs", "streams", "screens", "subscriptions", "gates")):
                await asyncio.sleep(0.005)
    assert not any(control.registered.values())


async def test_a_token_that_expires_ends_its_stream(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any, reason: Any
) -> None:
    token = place.token("short", Role.MARKET_DATA, days=1.5 / 86_400)
    async with secured(Security(tokens=place.tokens), control) as server, connected(server, token=token) as client:
        ended = await ending(client.call("RealCall", pb.RealRequest(code_list=["005930"])))
        assert (ended.code(), reason(ended)[0]) == (UNAUTHENTICATED, "TOKEN_EXPIRED")
        again = await ending(client.call("Call", call("GetConnectState")))
        assert (again.code(), reason(again)[0]) == (UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_roles_that_are_taken_away_end_streams_too(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any
) -> None:
    token = place.token("bot", Role.MARKET_DATA, Role.ACCOUNT)
    async with secured(Security(tokens=place.tokens), control) as server, connected(server, token=token) as client:
        stream = client.call("OrderListen", pb.ListenRequest())
        await stream.initial_metadata()  # it is being served
        stored = json.loads(place.tokens.read_text())
        stored["entries"][0]["roles"] = ["market-data"]
        place.tokens.write_text(json.dumps(stored))
        assert (await ending(stream)).code() is UNAUTHENTICATED
        assert (await ending(client.call("OrderListen", pb.ListenRequest()))).code() is DENIED


async def test_a_file_that_cannot_be_read_lets_nobody_in(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any, caplog: pytest.LogCaptureFixture
) -> None:
    token = place.token("bot", Role.MARKET_DATA)
    good = place.tokens.read_text()
    async with secured(Security(tokens=place.tokens), control) as server, connected(server, token=token) as client:
        place.tokens.write_text(good[:40])
        assert (await ending(client.call("Call", call("GetConnectState")))).code() is UNAUTHENTICATED
        assert "nobody can log in" in caplog.text
        place.tokens.unlink()
        assert (await ending(client.call("Call", call("GetConnectState")))).code() is UNAUTHENTICATED
        place.tokens.write_text(good)
        await client.call("Call", call("GetConnectState"))


async def test_health_is_open_and_reflection_is_not(place: Any, control: Any, secured: Any, connected: Any) -> None:
    token = place.token("bot", Role.MARKET_DATA)
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    async with secured(Security(tokens=place.tokens), control) as server, connected(server, token=token) as client:
        health = health_pb2_grpc.HealthStub(client.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(client.channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await reflection.ServerReflectionInfo(iter(asked)).read()
        assert refused.value.code() is UNAUTHENTICATED
        answer = await reflection.ServerReflectionInfo(iter(asked), metadata=client.metadata).read()
        assert len(answer.list_services_response.service) >= 3


async def test_without_tokens_everybody_is_local(place: Any, control: Any, secured: Any, connected: Any) -> None:
    async with secured(Security(), control) as server, connected(server) as client:
        await client.call("SetLogLevel", pb.SetLogLevelRequest(level=20, logger="koapy"))


async def test_a_tokens_file_that_others_can_read_is_refused(place: Any, control: Any) -> None:
    place.token("bot", Role.MARKET_DATA)
    place.tokens.chmod(0o644)
    with pytest.raises(SecurityError, match=f"chmod 600 {place.tokens}"):
        async with Server(control, port=0, security=Security(tokens=place.tokens)):
            pass


def test_what_is_stored_is_no_token(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    token = tokens.create(path, "bot", [Role.ORDER, Role.MARKET_DATA, Role.ORDER], days=90)
    stored = path.read_text()
    assert token.removeprefix("koapy_") not in stored
    assert hashlib.sha256(token.encode()).hexdigest() in stored
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (entry,) = tokens.load(path)
    assert entry.principal.roles == {Role.ORDER, Role.MARKET_DATA}
    assert timedelta(days=89) < datetime.fromisoformat(entry.expires) - datetime.now(UTC) <= timedelta(days=90)
    assert [each.name for each in tmp_path.iterdir()] == ["tokens.json"]


@pytest.mark.parametrize(
    ("name", "roles", "how", "text"),
    [
        ("", [Role.ORDER], {}, "bad name"),
        ("a b", [Role.ORDER], {}, "bad name"),
        ("local", [Role.ORDER], {}, "bad name"),
        ("bot", [], {}, "no role"),
        ("there", [Role.ORDER], {}, "already"),
        ("bot", [Role.ORDER], {"certificate": "shown"}, "already"),
        ("bot", [Role.ORDER], {"certificate": "c" * 65}, "at most 64"),
    ],
)
def test_entries_that_are_not_made(tmp_path: Path, name: str, roles: list[Role], how: Any, text: str) -> None:
    path = tmp_path / "tokens.json"
    tokens.create(path, "there", [Role.ADMIN])
    tokens.create(path, "shown", [Role.ADMIN], certificate="shown")
    before = path.read_bytes()
    with pytest.raises(SecurityError, match=text):
        tokens.create(path, name, roles, **how)
    assert path.read_bytes() == before


def test_two_commands_do_not_overwrite_each_other(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    tokens.create(path, "bot", [Role.ADMIN])
    with tokens.locked(path), pytest.raises(SecurityError, match="delete"):
        tokens.revoke(path, "bot")
    tokens.revoke(path, "bot")
    with pytest.raises(SecurityError, match="it has nobody"):
        tokens.revoke(path, "bot")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"entries": 1}',
        '{"entries": [{"name": "a"}]}',
        '{"entries": [{"name": "a", "roles": ["king"], "created": "", "digest": "0"}]}',
        '{"entries": [{"name": "local", "roles": ["admin"], "created": "", "digest": "0"}]}',
        '{"entries": [{"name": "a", "roles": ["admin"], "created": ""}]}',
        '{"entries": [{"name": "a", "roles": ["admin"], "created": "", "digest": 1}]}',
        '{"entries": [{"name": "a", "roles": [["admin"]], "created": "", "digest": "0"}]}',
        '{"entries": [{"name": ["a"], "roles": ["admin"], "created": "", "digest": "0"}]}',
        "[" * 100_000,
        '{"entries": [{"name": "a", "roles": ["admin"], "created": "", "digest": "0", "expires": "soon"}]}',
        '{"entries": [{"name": "a", "roles": ["admin"], "created": "", "digest": "0", "expires": "2030-01-01"}]}',
        '{"entries": [{"name": "a", "roles": ["admin"], "created": "", "digest": "0", "certificate": "a"}]}',
    ],
)
def test_files_that_are_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)
    with pytest.raises(SecurityError, match="no tokens file"):
        tokens.load(path)
