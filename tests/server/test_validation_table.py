"""Bad requests to the streams: a status that says what is wrong and what would be right; no control hears of it."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from server_doubles import ACCOUNT, StrictControl

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

INVALID = grpc.StatusCode.INVALID_ARGUMENT
LOOK_UPS = {"GetConnectState", "GetMasterCodeName", "GetLoginInfo", "GetConditionLoad", "GetConditionNameList"}


def query(code: str, screen: str = "", stop: int | None = None, **inputs: str) -> pb.TransactionRequest:
    request = pb.TransactionRequest(request_name="조회", transaction_code=code, screen_no=screen, inputs=inputs)
    if stop is not None:
        request.stop_condition.MergeFrom(pb.TransactionStopCondition(name="일자", value="1"))
        # An open enum takes numbers without a name.
        request.stop_condition.comparator = stop  # type: ignore[assignment]
    return request


def order(**other: Any) -> pb.OrderRequest:
    good = {
        "request_name": "매수",
        "screen_no": "0001",
        "account_no": ACCOUNT,
        "order_type": 1,
        "code": "005930",
        "quantity": 1,
        "price": 0,
        "quote_type": "03",
    }
    return pb.OrderRequest(**(good | other))


def condition(name: str = "중소형 저평가주", index: int = 1, **other: Any) -> pb.ConditionRequest:
    return pb.ConditionRequest(condition_name=name, condition_index=index, **other)


def listen_first(**fields: Any) -> list[pb.BidirectionalListenRequest]:
    return [pb.BidirectionalListenRequest(**fields)]


def real_first(**fields: Any) -> list[pb.BidirectionalRealRequest]:
    return [pb.BidirectionalRealRequest(**fields)]


BAD = [
    ("TransactionCall", query(""), INVALID, "opt10001"),
    ("TransactionCall", query("opt1008"), INVALID, "opt1008"),
    ("TransactionCall", query("opt10081"), INVALID, "needs 종목코드"),
    ("TransactionCall", query("opt10081", 종목코드="999999"), INVALID, "unknown 종목코드"),
    ("TransactionCall", query("opw00001"), INVALID, "needs 계좌번호"),
    ("TransactionCall", query("opw00001", 계좌번호="80000000"), INVALID, "ten digits"),
    ("TransactionCall", query("opw00001", 계좌번호="8000000099"), INVALID, "unknown 계좌번호"),
    ("TransactionCall", query("OPTKWFID"), INVALID, "종목코드"),
    ("TransactionCall", query("opt10001", "12", 종목코드="005930"), INVALID, "four digits"),
    ("TransactionCall", query("opt10081", 종목코드="005930", stop=6), INVALID, "comparator"),
    ("OrderCall", pb.OrderRequest(), INVALID, ""),
    ("OrderCall", order(screen_no="0000"), INVALID, "four digits"),
    ("OrderCall", order(account_no=""), INVALID, "ten digits"),
    ("OrderCall", order(account_no="8000000099"), INVALID, "unknown 계좌번호"),
    ("OrderCall", order(code=""), INVALID, "005930"),
    ("OrderCall", order(code="A005930"), INVALID, "unknown 종목코드"),
    ("OrderCall", order(order_type=0), INVALID, "신규매수"),
    ("OrderCall", order(quote_type="3"), INVALID, "시장가"),
    ("OrderCall", order(quote_type=""), INVALID, "시장가"),
    ("OrderCall", order(quantity=0), INVALID, "at least 1"),
    ("OrderCall", order(quantity=-1), INVALID, "at least 1"),
    ("OrderCall", order(quantity=2**31), INVALID, "32-bit"),
    ("OrderCall", order(price=-1), INVALID, "in won"),
    ("OrderCall", order(order_type=3), INVALID, "original order number"),
    ("OrderCall", order(order_type=5, original_order_no="x"), INVALID, "original order number"),
    ("RealCall", pb.RealRequest(), INVALID, "005930"),
    ("RealCall", pb.RealRequest(code_list=["999999"]), INVALID, "unknown 종목코드"),
    ("RealCall", pb.RealRequest(code_list=["005930"], screen_no=["x"]), INVALID, "four digits"),
    ("RealCall", pb.RealRequest(code_list=["005930"], opt_type="2"), INVALID, "opt_type"),
    ("RealCall", pb.RealRequest(code_list=["005930"], fid_list=[-1]), INVALID, "FID"),
    ("RealCall", pb.RealRequest(code_list=["005930"], fid_list=range(1, 102)), INVALID, "at most 100"),
    ("ConditionCall", pb.ConditionRequest(), INVALID, "001^중소형 저평가주"),
    ("ConditionCall", condition("중소형 저평가"), INVALID, "did you mean 중소형 저평가주"),
    ("ConditionCall", condition(index=0), INVALID, "001^중소형 저평가주"),
    ("ConditionCall", condition(screen_no="abc"), INVALID, "four digits"),
    ("ConditionCall", condition(search_type=7), INVALID, "search_type"),
    ("Listen", pb.ListenRequest(), INVALID, "OnReceiveTrData"),
    ("Listen", pb.ListenRequest(slots=["OnReceiveTrDat"]), INVALID, "did you mean OnReceiveTrData"),
    ("Listen", pb.ListenRequest(slots=["calls"]), INVALID, "unknown event 'calls'"),
    ("BidirectionalListen", [], INVALID, "listen_request"),
    ("BidirectionalListen", listen_first(), INVALID, "listen_request"),
    ("BidirectionalListen", listen_first(handled_request=pb.HandledRequest()), INVALID, "listen_request"),
    ("BidirectionalListen", listen_first(listen_request=pb.ListenRequest()), INVALID, "OnReceiveTrData"),
    ("BidirectionalListen", listen_first(listen_request=pb.ListenRequest(slots=["x"])), INVALID, "unknown event 'x'"),
    ("BidirectionalRealCall", real_first(), INVALID, "initialize_request"),
    (
        "BidirectionalRealCall",
        real_first(register_request=pb.BidirectionalRealRegisterRequest(code_list=["005930"])),
        INVALID,
        "initialize_request",
    ),
    ("CustomListen", pb.ListenRequest(code="x", class_name="X"), grpc.StatusCode.PERMISSION_DENIED, "off"),
    ("CustomCallAndListen", pb.CallAndListenRequest(), INVALID, "name one"),
    ("SetLogLevel", pb.SetLogLevelRequest(level=-1), INVALID, "20 is INFO"),
]

WITHOUT_LOGIN = [
    ("TransactionCall", query("opt10001", 종목코드="005930")),
    ("OrderCall", order()),
    ("RealCall", pb.RealRequest(code_list=["005930"])),
    ("ConditionCall", condition()),
    ("LoadConditionCall", pb.LoadConditionRequest()),
]


def title(row: object) -> str:
    return " ".join(str(row).split())[:60] if not isinstance(row, grpc.StatusCode) else row.name


async def outcome(stub: Any, rpc: str, request: Any) -> grpc.aio.AioRpcError:
    """How the RPC fails."""
    call = getattr(stub, rpc)(iter(request) if isinstance(request, list) else request, timeout=5)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await (call if rpc == "SetLogLevel" else call.read())
    return raised.value


def reason(error: grpc.aio.AioRpcError) -> str:
    """What programs read: the reason of the google.rpc.ErrorInfo."""
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(packed)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, status.code, status.message) == ("koapy", error.code().value[0], error.details())
    return info.reason


def beyond_look_ups(control: StrictControl) -> list[tuple[Any, ...]]:
    """What has reached the control, but for the questions by which a request is checked."""
    return [call for call in control.calls if call[0] not in LOOK_UPS]


@pytest.mark.parametrize(("rpc", "request_", "status", "text"), BAD, ids=title)
async def test_bad_requests(strict: Any, rpc: str, request_: Any, status: grpc.StatusCode, text: str) -> None:
    error = await outcome(strict.stub, rpc, request_)
    assert error.code() is status
    assert text in (error.details() or "")
    assert reason(error)
    assert beyond_look_ups(strict.control) == []
    await strict.settled()


@pytest.mark.parametrize(("rpc", "request_"), WITHOUT_LOGIN, ids=title)
async def test_what_needs_a_login_first(strict: Any, rpc: str, request_: Any) -> None:
    strict.control.connected = False
    error = await outcome(strict.stub, rpc, request_)
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "LoginCall" in (error.details() or "")
    assert reason(error) == "NOT_LOGGED_IN"
    assert beyond_look_ups(strict.control) == []
    await strict.settled()
