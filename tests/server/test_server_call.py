"""Call: arguments, unknown names, what belongs to a client."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from server_doubles import ACCOUNT, StrictControl, TinyControl

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

ORDER = ("산다", "0101", ACCOUNT, 1, "005930", 10, 0, "03", "")


def order(**changes: str | int) -> tuple[str | int, ...]:
    names = ("request", "screen", "account", "type", "code", "quantity", "price", "quote", "original")
    return tuple((dict(zip(names, ORDER, strict=True)) | changes).values())


BAD = [
    ("", (), grpc.StatusCode.INVALID_ARGUMENT, "no function name"),
    ("GetConnectStat", (), grpc.StatusCode.UNIMPLEMENTED, "did you mean GetConnectState"),
    ("__class__", (), grpc.StatusCode.UNIMPLEMENTED, "no function"),
    ("submit", ("x",), grpc.StatusCode.UNIMPLEMENTED, "no function"),
    ("_pool", (), grpc.StatusCode.UNIMPLEMENTED, "no function"),
    ("GetCommDataEx", ("a", "b"), grpc.StatusCode.UNIMPLEMENTED, "no simple value"),
    ("GetThemeGroupList", (0,), grpc.StatusCode.UNIMPLEMENTED, "does not offer"),
    ("GetConnectState", ("x",), grpc.StatusCode.INVALID_ARGUMENT, "takes 0 arguments, 1 were given"),
    ("GetMasterCodeName", (), grpc.StatusCode.INVALID_ARGUMENT, "takes 1 arguments, 0 were given"),
    ("GetMasterCodeName", (5930,), grpc.StatusCode.INVALID_ARGUMENT, "must be a string_value, got long_value"),
    ("GetCommRealData", ("005930", "10"), grpc.StatusCode.INVALID_ARGUMENT, "must be a long_value"),
    ("GetCommRealData", ("005930", 2**31), grpc.StatusCode.INVALID_ARGUMENT, "32-bit"),
    ("CommRqData", ("a", "opt10001", 0, "0000"), grpc.StatusCode.INVALID_ARGUMENT, "bad screen number '0000'"),
    ("CommRqData", ("a", "opt10001", 0, "1"), grpc.StatusCode.INVALID_ARGUMENT, "0001 to 9999"),
    ("CommRqData", ("a", "opt10001", 0, "일이삼사"), grpc.StatusCode.INVALID_ARGUMENT, "four digits"),
    ("CommRqData", ("a", "opt1008l", 0, "0001"), grpc.StatusCode.INVALID_ARGUMENT, "did you mean"),
    ("CommRqData", ("a", "opt10001", 0, "0001"), grpc.StatusCode.INVALID_ARGUMENT, "needs 종목코드"),
    ("SetRealReg", ("0001", "005930", "10;x", "0"), grpc.StatusCode.INVALID_ARGUMENT, "strFidList"),
    ("SetRealReg", ("0001", "005930", "10", "2"), grpc.StatusCode.INVALID_ARGUMENT, "strOptType"),
    ("SetRealReg", ("0001", "999999", "10", "0"), grpc.StatusCode.INVALID_ARGUMENT, "unknown 종목코드"),
    ("SendOrder", order(account="8000000099"), grpc.StatusCode.INVALID_ARGUMENT, "unknown 계좌번호 8000****99"),
    ("SendOrder", order(account="80-0000001"), grpc.StatusCode.INVALID_ARGUMENT, "ten digits"),
    ("SendOrder", order(code="999999"), grpc.StatusCode.INVALID_ARGUMENT, "unknown 종목코드"),
    ("SendOrder", order(type=9), grpc.StatusCode.INVALID_ARGUMENT, "1 신규매수"),
    ("SendOrder", order(quote="99"), grpc.StatusCode.INVALID_ARGUMENT, "00 지정가"),
    ("SendOrder", order(quantity=0), grpc.StatusCode.INVALID_ARGUMENT, "at least 1"),
    ("SendOrder", order(quantity=-1), grpc.StatusCode.INVALID_ARGUMENT, "at least 1"),
    ("SendOrder", order(price=-1), grpc.StatusCode.INVALID_ARGUMENT, "price -1"),
    ("SendOrder", order(type=3), grpc.StatusCode.INVALID_ARGUMENT, "original order number"),
]


@pytest.mark.parametrize(("name", "args", "status", "text"), BAD)
async def test_bad_input_says_what_would_be_right_and_never_reaches_the_control(
    strict: Any, name: str, args: tuple[Any, ...], status: grpc.StatusCode, text: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await strict.call(name, *args)
    assert error.value.code() is status
    assert text in (error.value.details() or "")
    asked = {"GetConnectState", "GetMasterCodeName", "GetLoginInfo"}
    assert {call[0] for call in strict.control.calls} <= asked
    trailing = dict(error.value.trailing_metadata() or ())
    packed = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    assert packed.details[0].Unpack(info)
    assert (info.domain, packed.code) == ("koapy", status.value[0])


async def test_values_come_back_as_what_they_are(strict: Any) -> None:
    assert await strict.call("GetConnectState") == 1
    assert await strict.call("GetMasterCodeName", "005930") == "종목005930"
    assert await strict.call("GetMasterCodeName", "999999") == ""
    assert await strict.call("SetInputValue", "종목코드", "005930") is None
    assert await strict.call("IsConditionLoaded") is False
    assert await strict.call("EnsureConditionLoaded", False) == 1
    assert await strict.call("IsConditionLoaded") is True


async def test_inputs_belong_to_a_connection_and_go_out_in_one_piece(strict: Any) -> None:
    """Two clients that set inputs in turn do not mix them."""
    one, other = strict.stub, strict.client()
    await strict.call("SetInputValue", "종목코드", "000001", stub=one)
    await strict.call("SetInputValue", "종목코드", "000002", stub=other)
    await strict.call("CommRqData", "요청", "opt10001", 0, "0001", stub=one)
    await strict.call("CommRqData", "요청", "opt10001", 0, "0001", stub=other)
    sent = strict.control.wait_for("CommRqData", 2)
    assert [call[5] for call in sent] == [{"종목코드": "000001"}, {"종목코드": "000002"}]
    # The same name and screen of two clients are two at the control.
    assert len({call[1] for call in sent}) == len({call[4] for call in sent}) == 2


@pytest.mark.parametrize(
    ("value", "fit", "what"), [("1", 200, "201 values"), ("1" * 400_000, 2, "1,200,006 characters")]
)
async def test_inputs_that_no_request_takes_do_not_pile_up(strict: Any, value: str, fit: int, what: str) -> None:
    for _ in range(fit):
        await strict.call("SetInputValue", "일자", value)
    with pytest.raises(grpc.aio.AioRpcError, match=what) as error:
        await strict.call("SetInputValue", "일자", value)
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(grpc.aio.AioRpcError, match="needs 종목코드"):  # a request takes them, right or wrong
        await strict.call("CommRqData", "요청", "opt10081", 0, "0001")
    await strict.call("SetInputValue", "일자", value)


async def test_real_time_codes_of_two_clients_do_not_touch_each_other(strict: Any) -> None:
    other = strict.client()
    fids = "10"
    assert await strict.call("SetRealReg", "0001", "000001;000002", fids, "0") == 0
    assert await strict.call("SetRealReg", "0001", "000002", fids, "0", stub=other) == 0
    await strict.call("SetRealRemove", "ALL", "ALL")
    assert strict.state["codes"] == 1
    await strict.call("SetRealReg", "0001", "000003", fids, "0", stub=other)
    assert [codes for codes in strict.control.registered.values() if codes] == [{"000003"}]
    await strict.call("DisconnectRealData", "0001", stub=other)
    assert strict.state["codes"] == 0


async def test_a_control_of_ten_lines_is_enough(running: Any) -> None:
    control = TinyControl()
    async with running(control) as gateway:
        answers = gateway.stub.TransactionCall(
            pb.TransactionRequest(request_name="r", transaction_code="opt10001", inputs={"종목코드": "005930"})
        )
        pages = [page async for page in answers]
    assert [page.single_data.values[0] for page in pages] == ["005930"]
    assert len(control.threads) == 1


async def test_a_control_that_raises_tells_its_caller_and_goes_on(strict: Any) -> None:
    def broken() -> int:
        raise OSError("the window is gone")

    strict.control.CommConnect = broken
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await strict.call("CommConnect")
    assert error.value.code() is grpc.StatusCode.INTERNAL
    assert "CommConnect raised OSError in the control: the window is gone" in (error.value.details() or "")
    assert await strict.call("GetConnectState") == 1


async def test_a_deadline_that_a_limit_cannot_meet_is_refused_at_once(running: Any, with_settings: Any) -> None:
    control = StrictControl()
    async with running(control, with_settings(tr_windows=((1, 60.0),))) as gateway:
        query = pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})
        assert [page.name async for page in gateway.stub.TransactionCall(query, timeout=5)] == ["OnReceiveTrData"]
        begun = asyncio.get_running_loop().time()
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await gateway.stub.TransactionCall(query, timeout=5).read()
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "TR requests: next free slot in" in (error.value.details() or "")
        assert asyncio.get_running_loop().time() - begun < 4
    control.close()


async def test_a_client_sees_how_long_a_limit_holds_it_up(running: Any, with_settings: Any) -> None:
    control = StrictControl()
    async with running(control, with_settings(tr_windows=((1, 0.2),))) as gateway:
        query = pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})
        assert len([page async for page in gateway.stub.TransactionCall(query)]) == 1
        second = gateway.stub.TransactionCall(query)
        told = dict(await second.initial_metadata())
        assert (0 < float(told["koapy-wait"]) <= 0.2, told["koapy-wait-for"]) == (True, "TR requests")
        assert len([page async for page in second]) == 1
    control.close()
