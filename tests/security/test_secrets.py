"""Passwords and tokens go into a gateway and come out nowhere: no log, audit, journal, status or metadata has them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import grpc
import pytest
from server_doubles import ACCOUNT, StrictControl

from koapy.control.redaction import passwords_of_call, redacted
from koapy.openapi.functions import FUNCTIONS, HELPERS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2, gateway_pb2_grpc, streams_pb2, streams_pb2_grpc
from koapy.server import Server, Settings
from koapy.server.access import RPC_NEEDS, Role
from koapy.server.security import Security

MARKER = "Se'cret-비밀\\9183"
"""With what is written otherwise when Python shows it: a quote, a backslash, Hangul."""
INPUTS = {"계좌번호": ACCOUNT, "비밀번호": MARKER, "비밀번호입력매체구분": "00", "조회구분": "1"}


class Telltale(StrictControl):
    """A control that repeats what it was told in every error."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def SetInputValue(self, name: str, value: str) -> None:
        self.heard.append(value)
        super().SetInputValue(name, value)
        if len(self.heard) % 2:
            raise ValueError(f"I was told {value!r} by {name}, {value}, {self.heard}")

    def CommRqData(self, request: str, code: str, prev_next: int, screen: str) -> int:
        raise RuntimeError(f"I was told {self.inputs}, {self.heard!a}")


def call(name: str, *values: str | int) -> pb.CallRequest:
    arguments = [
        pb.Argument(long_value=each) if isinstance(each, int) else pb.Argument(string_value=each) for each in values
    ]
    return pb.CallRequest(name=name, arguments=arguments)


def requests() -> list[tuple[str, Any]]:
    """Every RPC of the published service, with the marker where a password may be."""
    credentials = pb.LoginCredentials(
        user_id="user", user_password=MARKER, cert_password=MARKER, account_passwords={ACCOUNT: MARKER}
    )
    told = call("SetInputValue", "비밀번호", MARKER)
    order = pb.OrderRequest(account_no=ACCOUNT, order_type=1, code="005930", quantity=1, quote_type="03")
    slots = pb.ListenRequest(slots=["OnReceiveRealData"])
    return [
        ("Call", told),
        ("Call", call("SetInputValue", "계좌번호", ACCOUNT)),
        ("Call", call("CommRqData", "잔고", "opw00018", 0, "0001")),
        ("Call", told),
        ("Call", call("CommRqData", "잔고", "opw00018", 0, "0001")),
        ("Call", call("SetInputValue", "비밀번호", MARKER, "one too many")),
        ("Call", call("SetInputValue", "계좌비밀번호", MARKER)),
        *(("Call", call(name)) for name in (*FUNCTIONS, *HELPERS)),
        ("LoginCall", pb.LoginRequest(credentials=credentials)),
        ("TransactionCall", pb.TransactionRequest(request_name="잔고", transaction_code="opw00018", inputs=INPUTS)),
        ("TransactionCall", pb.TransactionRequest(request_name="잔고", transaction_code="opw00018", inputs=INPUTS)),
        ("TransactionCall", pb.TransactionRequest(transaction_code="opt10001", inputs=INPUTS | {"종목코드": "005930"})),
        ("TransactionCall", pb.TransactionRequest(transaction_code="opw1", inputs=INPUTS)),
        ("OrderCall", order),
        ("RealCall", pb.RealRequest(code_list=["005930"])),
        ("LoadConditionCall", pb.LoadConditionRequest()),
        ("ConditionCall", pb.ConditionRequest(condition_name="대형 저평가 우량주")),
        ("Listen", slots),
        ("BidirectionalListen", [pb.BidirectionalListenRequest(listen_request=slots)]),
        ("BidirectionalRealCall", [pb.BidirectionalRealRequest()]),
        ("OrderListen", pb.ListenRequest()),
        ("CustomListen", pb.ListenRequest(class_name="X", code=f"password = {MARKER!r}")),
        ("CustomCallAndListen", pb.CallAndListenRequest(call_request=told)),
        ("SetLogLevel", pb.SetLogLevelRequest(level=logging.DEBUG, logger="koapy")),
        ("SetLogLevel", pb.SetLogLevelRequest(level=logging.DEBUG, logger="grpc")),
        ("SetLogLevel", pb.SetLogLevelRequest(level=logging.DEBUG, logger="asyncio")),
    ]


GATEWAY = [
    ("OrderEvents", gateway_pb2.OrderEventsRequest(from_sequence=1)),
    ("Orders", gateway_pb2.OrdersRequest()),
    ("Status", gateway_pb2.StatusRequest()),
    ("Halt", gateway_pb2.HaltRequest(reason="a test")),
    ("Release", gateway_pb2.ReleaseRequest()),
]
BATCHES = streams_pb2.EventsRequest(slots=["OnReceiveMsg", "OnReceiveRealData"], add=["005930"])


async def everything_said(begun: Any) -> str:
    """All that a client gets to see of an RPC: messages, status, metadata."""
    said: list[object] = []
    try:
        async with asyncio.timeout(0.3):
            said += [each async for each in begun] if hasattr(begun, "read") else [await begun]
    except TimeoutError:  # an open stream
        begun.cancel()
    except grpc.aio.AioRpcError as error:
        said += [error.code(), error.details(), error.debug_error_string(), error.trailing_metadata()]
        said += [value.decode("utf-8", "replace") for _, value in error.trailing_metadata() if isinstance(value, bytes)]
    return "\n".join(map(str, said))


def assert_no_secret(text: str, token: str, where: str) -> None:
    for secret in (MARKER, repr(MARKER)[1:-1], ascii(MARKER)[1:-1], "cret-", token, token.removeprefix("koapy_")):
        assert secret not in text, f"{where}: {text}"


async def test_no_secret_comes_out_of_any_rpc(
    place: Any, secured: Any, connected: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    control = Telltale()
    token = place.token("bot", *Role)
    journal = place.folder / "orders.sqlite"
    settings = Settings(tr_windows=(), order_windows=(), condition_windows=(), answer_seconds=0.2)
    security = Security(tokens=place.tokens, audit=place.audit)
    tried = set()
    async with (
        Server(control, port=0, settings=settings, journal=journal, security=security) as server,
        connected(server, token=token) as client,
    ):
        gateway = gateway_pb2_grpc.GatewayStub(client.channel)
        for number, (rpc, request) in enumerate(requests()):
            said = await everything_said(client.call(rpc, request))
            assert_no_secret(said, token, f"{number} {rpc}")
            tried.add(rpc)
        for rpc, request in GATEWAY:
            said = await everything_said(getattr(gateway, rpc)(request, metadata=client.metadata, timeout=20))
            assert_no_secret(said, token, rpc)
            tried.add(rpc)
        events = streams_pb2_grpc.StreamsStub(client.channel).Events
        assert_no_secret(await everything_said(events(iter([BATCHES]), metadata=client.metadata)), token, "Events")
        tried.add("Events")
        client.metadata = (("authorization", f"Bearer {MARKER.encode().hex()}"),)
        assert MARKER.encode().hex() not in await everything_said(client.call("Call", call("GetConnectState")))
    control.close()
    logging.getLogger("koapy").setLevel(logging.NOTSET)
    assert tried == set(RPC_NEEDS) - {"ServerReflectionInfo"}
    assert control.heard.count(MARKER) >= 3  # it did arrive where it was meant to
    assert "raised" in caplog.text
    shown = capfd.readouterr()
    assert_no_secret(caplog.text + shown.out + shown.err, token, "the log")
    assert_no_secret(str([vars(record) for record in caplog.records]), token, "the log's records")
    for path in place.folder.iterdir():
        assert_no_secret(path.read_bytes().decode("utf-8", "replace"), token, path.name)
    assert {"audit.jsonl", "orders.sqlite"} <= {path.name for path in place.folder.iterdir()}


async def test_a_bug_in_the_gateway_does_not_log_passwords(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    async def broken(core: object, request: pb.TransactionRequest, caller: object) -> None:
        raise KeyError(dict(request.inputs))

    monkeypatch.setattr("koapy.server.requests.transaction", broken)
    request = pb.TransactionRequest(transaction_code="opw00018", inputs=INPUTS)
    async with secured(Security(), control) as server, connected(server) as client:
        failed = await ending(client.call("TransactionCall", request))
    assert failed.code() is grpc.StatusCode.INTERNAL
    assert "KeyError" in caplog.text
    assert ACCOUNT in caplog.text
    assert_no_secret(caplog.text + failed.details(), "no token", "the log")


@pytest.mark.parametrize("logger", ["grpc", "asyncio", "root", "koapyx", "koapy.", "koapy.A" * 9, "koapy\n", "urllib3"])
async def test_only_the_gateways_own_loggers_can_be_set(
    logger: str, control: Any, secured: Any, connected: Any, ending: Any
) -> None:
    async with secured(Security(), control) as server, connected(server) as client:
        refused = await ending(client.call("SetLogLevel", pb.SetLogLevelRequest(level=10, logger=logger)))
        assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert logger not in logging.root.manager.loggerDict or not logging.getLogger(logger).level


async def test_the_empty_logger_is_the_gateways_root(control: Any, secured: Any, connected: Any) -> None:
    root = logging.getLogger().level
    async with secured(Security(), control) as server, connected(server) as client:
        await client.call("SetLogLevel", pb.SetLogLevelRequest(level=logging.ERROR))
    assert logging.getLogger("koapy").level == logging.ERROR
    assert logging.getLogger().level == root
    logging.getLogger("koapy").setLevel(logging.NOTSET)


async def test_no_level_silences_the_audit_log(
    place: Any, control: Any, secured: Any, connected: Any, ending: Any
) -> None:
    async with secured(Security(audit=place.audit), control) as server, connected(server) as client:
        for logger in ("koapy", "koapy.audit", "koapy.server.security.audit"):
            await client.call("SetLogLevel", pb.SetLogLevelRequest(level=logging.CRITICAL, logger=logger))
        await ending(client.call("OrderCall", pb.OrderRequest()))
    for logger in ("koapy", "koapy.audit", "koapy.server.security.audit"):
        logging.getLogger(logger).setLevel(logging.NOTSET)
    assert '"order"' in place.audit.read_text()


def test_what_is_a_password() -> None:
    assert passwords_of_call("SetInputValue", ("비밀번호", "0000")) == ("0000",)
    assert passwords_of_call("SetInputValue", ("비밀번호", " ")) == ()
    assert passwords_of_call("SetInputValue", ("비밀번호입력매체구분", "00")) == ()
    assert passwords_of_call("SetInputValue", ("종목코드", "005930")) == ()
    assert passwords_of_call("CommRqData", ("비밀번호", "opt10001", 0, "0001")) == ()
    assert redacted("abc ab", ["ab", "abc"]) == "*** ***"
