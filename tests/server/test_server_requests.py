"""Queries, orders, conditions and logins over a strict control: each gets its own answer, and gives everything back."""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import grpc
import pytest
from server_doubles import ACCOUNT, StrictControl

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb


def query(code: str = "005930", **changes: Any) -> pb.TransactionRequest:
    fields: dict[str, Any] = {
        "request_name": "주식기본정보요청",
        "transaction_code": "opt10001",
        "screen_no": "0001",
        "inputs": {"종목코드": code},
    }
    return pb.TransactionRequest(**(fields | changes))


def order(**changes: Any) -> pb.OrderRequest:
    fields: dict[str, Any] = {
        "request_name": "산다",
        "screen_no": "0101",
        "account_no": ACCOUNT,
        "order_type": 1,
        "code": "005930",
        "quantity": 10,
        "price": 0,
        "quote_type": "03",
    }
    return pb.OrderRequest(**(fields | changes))


def texts(message: pb.ListenResponse) -> list[str]:
    return [argument.string_value for argument in message.arguments]


async def ended(stream: Any) -> tuple[grpc.StatusCode, str]:
    """How a stream that should fail has ended."""
    async with asyncio.timeout(10):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await _read_all(stream)
    return error.value.code(), error.value.details() or ""


async def _read_all(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass


async def waiting(gateway: Any, name: str, count: int = 1) -> list[tuple[Any, ...]]:
    return await asyncio.to_thread(gateway.control.wait_for, name, count)


async def test_forty_clients_with_one_name_and_one_screen_get_their_own_answers_only(strict: Any) -> None:
    """Answers come in another order than the questions, and each finds its asker."""
    strict.control.automatic = False
    clients = [strict.client() for _ in range(40)]
    streams = [client.TransactionCall(query(f"{number:06d}")) for number, client in enumerate(clients)]
    asked = await waiting(strict, "CommRqData", 40)
    assert len({call[1] for call in asked}) == len({call[4] for call in asked}) == 40
    for _, name, code, _, screen, inputs in random.Random(7).sample(asked, len(asked)):
        strict.control.answer(screen, name, code, data={"종목코드": inputs["종목코드"]})
    for number, stream in enumerate(streams):
        pages = [page async for page in stream]
        assert [page.single_data.values[0] for page in pages] == [f"{number:06d}"]
        assert texts(pages[0])[:2] == ["0001", "주식기본정보요청"]
    await strict.settled()


async def test_pages_follow_until_there_are_no_more(strict: Any) -> None:
    strict.control.automatic = False
    stream = strict.stub.TransactionCall(query())
    for page, following in enumerate(("2", "2", "0"), start=1):
        asked = (await waiting(strict, "CommRqData", page))[-1]
        assert asked[3] == (0 if page == 1 else 2)
        assert asked[5]["종목코드"] == "005930"
        strict.control.answer(asked[4], asked[1], asked[2], following)
        assert (await stream.read()).arguments[4].string_value == following
    assert await stream.read() is grpc.aio.EOF
    await strict.settled()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"transaction_code": ""}, "no transaction code"),
        ({"transaction_code": "opt1000l"}, "did you mean"),
        ({"screen_no": "12345"}, "bad screen number"),
        ({"inputs": {}}, "opt10001 needs 종목코드"),
        ({"inputs": {"종목코드": "999999"}}, "unknown 종목코드"),
        ({"inputs": {"종목코드": "005930;DROP"}}, "종목코드"),
        ({"transaction_code": "opw00001", "inputs": {}}, "opw00001 needs 계좌번호"),
        ({"transaction_code": "opw00001", "inputs": {"계좌번호": "8000000099"}}, "unknown 계좌번호"),
        ({"transaction_code": "OPTKWFID", "inputs": {"종목코드": ""}}, "needs 종목코드"),
        ({"stop_condition": pb.TransactionStopCondition(name="일자", comparator=9)}, "comparator"),
    ],
)
async def test_a_query_that_cannot_be_right_is_refused_before_the_control(
    strict: Any, changes: dict[str, Any], text: str
) -> None:
    status, details = await ended(strict.stub.TransactionCall(query(**changes)))
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert text in details
    assert not strict.control.named("CommRqData")
    await strict.settled()


async def test_inputs_that_the_tr_lacks_are_dropped_and_named(strict: Any) -> None:
    stream = strict.stub.TransactionCall(query(inputs={"종목코드": "005930", "수량": "1"}))
    async for _ in stream:
        pass
    assert dict(await stream.trailing_metadata())["koapy-warning"].startswith("opt10001 has no input")
    assert [call[1] for call in strict.control.named("SetInputValue")] == ["종목코드"]


async def test_without_a_login_the_way_out_is_named(strict: Any) -> None:
    strict.control.connected = False
    for stream in (strict.stub.TransactionCall(query()), strict.stub.OrderCall(order())):
        status, details = await ended(stream)
        assert status is grpc.StatusCode.FAILED_PRECONDITION
        assert "LoginCall" in details


async def test_a_message_that_tells_of_an_error_ends_the_query(strict: Any) -> None:
    strict.control.automatic = False
    stream = strict.stub.TransactionCall(query())
    (asked,) = await waiting(strict, "CommRqData")
    strict.control.fire("OnReceiveMsg", asked[4], asked[1], asked[2], "서비스 TR을 확인바랍니다.(0006)")
    status, details = await ended(stream)
    assert status is grpc.StatusCode.ABORTED
    assert "서비스 TR을 확인바랍니다" in details
    await strict.settled()


async def test_a_message_that_names_nobody_reaches_the_one_who_asked(strict: Any) -> None:
    strict.control.automatic = False
    stream = strict.stub.TransactionCall(query())
    await waiting(strict, "CommRqData")
    strict.control.fire("OnReceiveMsg", "", "", "", "Fail to parse Request TR")
    status, details = await ended(stream)
    assert status is grpc.StatusCode.ABORTED
    assert "Fail to parse Request TR" in details


@pytest.mark.parametrize("wrong", ["March", ""])
async def test_a_message_that_names_nobody_reaches_the_one_whose_inputs_do_not_fit(strict: Any, wrong: str) -> None:
    """Several ask at once: the others are not told that they were refused, and this one does not wait in vain."""
    strict.control.automatic = False
    streams, asked = [], []
    for date in ("20260303", wrong, "20260304"):
        inputs = {"종목코드": "005930", "기준일자": date, "수정주가구분": "1"}
        streams.append(strict.stub.TransactionCall(query(transaction_code="opt10081", inputs=inputs)))
        asked = await waiting(strict, "CommRqData", len(streams))
    strict.control.fire("OnReceiveMsg", "", "", "", "Fail to parse Request TR")
    status, details = await ended(streams.pop(1))
    assert status is grpc.StatusCode.ABORTED
    assert f"기준일자={wrong!r}" in details
    for call in (asked[0], asked[2]):
        strict.control.answer(call[4], call[1], call[2], data={"종목코드": "005930"})
    for stream in streams:
        await _read_all(stream)
    await strict.settled()


async def test_a_lost_connection_ends_what_waits_for_it(strict: Any) -> None:
    strict.control.automatic = False
    streams = [
        strict.stub.TransactionCall(query()),
        strict.stub.OrderListen(pb.ListenRequest()),
        strict.stub.RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10])),
    ]
    await waiting(strict, "CommRqData")
    await waiting(strict, "SetRealReg")
    await strict.reached(streams=3)
    strict.control.fire("OnEventConnect", -106)
    for stream in streams:
        status, details = await ended(stream)
        assert status is grpc.StatusCode.UNAVAILABLE
        assert "-106" in details
    await strict.settled()


async def test_a_request_name_is_kept_for_its_answer_and_so_not_of_any_length(strict: Any) -> None:
    for stream in (
        strict.stub.TransactionCall(query(request_name="질" * 1001)),
        strict.stub.OrderCall(order(request_name="산" * 1001)),
    ):
        status, details = await ended(stream)
        assert (status, "1,001 characters; at most 1,000" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert [
        page.arguments[1].string_value async for page in strict.stub.TransactionCall(query(request_name="질" * 1000))
    ] == ["질" * 1000]
    assert strict.control.named("SendOrder") == []
    await strict.settled()


async def test_a_silent_control_is_named_after_its_time(running: Any, with_settings: Any) -> None:
    from server_doubles import StrictControl

    control = StrictControl(automatic=False)
    async with running(control, with_settings(answer_seconds=0.2)) as gateway:
        status, details = await ended(gateway.stub.TransactionCall(query()))
        assert status is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "page 1 of opt10001" in details
        await gateway.settled()
    control.close()


async def test_what_is_no_answer_gives_a_silent_control_no_more_time(running: Any, with_settings: Any) -> None:
    from server_doubles import StrictControl

    control = StrictControl(automatic=False)
    async with running(control, with_settings(answer_seconds=0.2)) as gateway:
        query_ended = asyncio.ensure_future(ended(gateway.stub.TransactionCall(query())))
        while not query_ended.done():  # somebody logs in, again and again
            control.fire("OnEventConnect", 0)
            await asyncio.wait({query_ended}, timeout=0.02)
        status, details = await query_ended
        assert status is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "page 1 of opt10001" in details
    control.close()


@pytest.mark.parametrize("how", ["cancel", "deadline"])
async def test_a_query_given_up_gives_its_screen_back_and_its_late_answer_reaches_nobody(strict: Any, how: str) -> None:
    strict.control.automatic = False
    stream = strict.stub.TransactionCall(query(), timeout=1.0 if how == "deadline" else None)
    (asked,) = await waiting(strict, "CommRqData")
    if how == "cancel":
        stream.cancel()
    await strict.settled()
    strict.control.answer(asked[4], asked[1], asked[2])
    later = strict.stub.TransactionCall(query("000001"))
    again = (await waiting(strict, "CommRqData", 2))[-1]
    strict.control.answer(again[4], again[1], again[2], data={"종목코드": "000001"})
    assert [page.single_data.values[0] async for page in later] == ["000001"]


async def test_a_page_that_is_asked_ahead_is_not_asked_for_a_client_that_has_gone(strict: Any) -> None:
    strict.control.automatic, free = False, threading.Event()
    stream = strict.stub.TransactionCall(query())
    (asked,) = await waiting(strict, "CommRqData")
    strict.control.answer(asked[4], asked[1], asked[2], "2")
    held = strict.control.submit(free.wait, 20)
    await stream.read()
    stream.cancel()
    await strict.settled()
    free.set()
    await asyncio.wrap_future(held)
    await waiting(strict, "DisconnectRealData")
    assert strict.control.named("CommRqData") == [asked]


CHEJAN = {
    "9201": ACCOUNT,
    "9203": "0000001",
    "9001": "A005930",
    "913": "접수",
    "900": "10",
    "902": "10",
    "904": "0000000",
    "920": "1001",
    "911": "",
    "915": "",
    "819": "0",
}


def chejan(gateway: Any, gubun: str = "0", **changes: str) -> None:
    data = CHEJAN | {key.removeprefix("f"): value for key, value in changes.items()}
    gateway.control.fire("OnReceiveChejanData", gubun, len(data), ";".join(data), data=data)


async def sent(gateway: Any, count: int = 1) -> tuple[str, str]:
    call = (await waiting(gateway, "SendOrder", count))[-1]
    return call[2], call[1]


async def test_an_order_streams_its_life_and_ends_with_the_last_balance(strict: Any) -> None:
    listener = strict.client().OrderListen(pb.ListenRequest())
    await strict.reached(streams=1)
    stream = strict.stub.OrderCall(order())
    screen, name = await sent(strict)
    chejan(strict)  # overtakes the answer
    strict.control.fire("OnReceiveMsg", screen, name, "KOA_NORMAL_BUY_KP_ORD", "[100000] 모의투자 매수주문완료")
    strict.control.answer(screen, name, "KOA_NORMAL_BUY_KP_ORD", "", data={"주문번호": "0000001"})
    chejan(strict, f9203="0000009")  # another's
    chejan(strict, f913="체결", f902="4", f911="6", f915="6")
    chejan(strict, "1")
    chejan(strict, f913="체결", f902="0", f911="10", f915="4")
    chejan(strict, "1")
    messages = [message async for message in stream]
    assert [message.name for message in messages] == [
        "OnReceiveMsg",
        "OnReceiveTrData",
        *["OnReceiveChejanData"] * 5,
    ]
    assert messages[1].single_data.names == ["주문번호"]
    assert messages[1].single_data.values == ["0000001"]
    assert texts(messages[0])[:2] == ["0101", "산다"]
    by_name = dict(zip(messages[3].single_data.names, messages[3].single_data.values, strict=True))
    assert (by_name["주문상태"], by_name["미체결수량"]) == ("체결", "4")
    assert by_name["화면번호"] == "0101"
    heard = [await listener.read() for _ in range(8)]
    assert [message.name for message in heard].count("OnReceiveChejanData") == 6
    listener.cancel()
    await strict.settled()


async def test_a_refused_order_ends_with_the_reason(strict: Any) -> None:
    stream = strict.stub.OrderCall(order())
    screen, name = await sent(strict)
    text = "[RC4025] 모의투자 매수증거금이 부족합니다."
    strict.control.fire("OnReceiveMsg", screen, name, "KOA_NORMAL_BUY_KP_ORD", text)
    strict.control.answer(screen, name, "KOA_NORMAL_BUY_KP_ORD", "", data={"주문번호": ""})
    assert [(await stream.read()).name for _ in range(2)] == ["OnReceiveMsg", "OnReceiveTrData"]
    status, details = await ended(stream)
    assert status is grpc.StatusCode.ABORTED
    assert "매수증거금이 부족합니다" in details
    await strict.settled()


async def test_an_order_with_its_number_keeps_no_screen(strict: Any) -> None:
    stream = strict.stub.OrderCall(order(price=100, quote_type="00"))
    screen, name = await sent(strict)
    assert strict.state["screens"] == 1
    strict.control.answer(screen, name, "KOA_NORMAL_BUY_KP_ORD", "", data={"주문번호": "0000001"})
    await stream.read()
    await strict.settled(rpcs=1, streams=1, subscriptions=4)
    stream.cancel()
    await strict.settled()


async def test_shutdown_waits_for_an_order_to_get_its_number(running: Any) -> None:
    from server_doubles import StrictControl

    control = StrictControl()
    async with running(control) as gateway:
        stream = gateway.stub.OrderCall(order())
        screen, name = await sent(gateway)
        closing = asyncio.create_task(gateway.server._servicer.aclose())
        status, _ = await ended(gateway.stub.TransactionCall(query()))
        assert status is grpc.StatusCode.UNAVAILABLE
        control.answer(screen, name, "KOA_NORMAL_BUY_KP_ORD", "", data={"주문번호": "0000001"})
        assert (await stream.read()).single_data.values == ["0000001"]
        status, details = await ended(stream)
        assert status is grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in details
        await closing
    control.close()


async def test_login_ends_with_its_event(strict: Any) -> None:
    assert [m.arguments[0].long_value async for m in strict.stub.LoginCall(pb.LoginRequest())] == [0]
    assert not strict.control.named("CommConnect")
    strict.control.connected = False
    stream = strict.stub.LoginCall(pb.LoginRequest())
    await waiting(strict, "CommConnect")
    strict.control.fire("OnEventConnect", -101)
    status, details = await ended(stream)
    assert status is grpc.StatusCode.ABORTED
    assert "OP_ERR_CONNECT" in details


async def test_a_condition_is_searched_once_and_given_back(strict: Any) -> None:
    stream = strict.stub.ConditionCall(
        pb.ConditionRequest(screen_no="0500", condition_name="중소형 저평가주", condition_index=1, search_type=1)
    )
    (asked,) = await waiting(strict, "SendCondition")
    strict.control.fire("OnReceiveTrCondition", asked[1], "000001;000002;", "중소형 저평가주", 1, 0)
    assert texts(await stream.read())[:2] == ["0500", "000001;000002;"]
    strict.control.fire("OnReceiveRealCondition", "000003", "I", "중소형 저평가주", "001")
    strict.control.fire("OnReceiveRealCondition", "000004", "I", "대형 저평가 우량주", "000")
    strict.control.fire("OnReceiveRealCondition", "000001", "D", "중소형 저평가주", "001")
    assert [texts(await stream.read())[0] for _ in range(2)] == ["000003", "000001"]
    stream.cancel()
    await waiting(strict, "SendConditionStop")
    await strict.settled()


async def test_a_search_that_waits_for_the_limit_of_queries_does_not_count_as_one_before(
    running: Any, with_settings: Any
) -> None:
    control = StrictControl()
    settings = with_settings(tr_windows=((1, 0.2),), condition_windows=((1, 60.0),))
    async with running(control, settings) as gateway:
        query = pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})
        assert len([page async for page in gateway.stub.TransactionCall(query)]) == 1
        condition = pb.ConditionRequest(screen_no="0500", condition_name="중소형 저평가주", condition_index=1)
        search = gateway.stub.ConditionCall(condition, timeout=20)
        told = dict(await search.initial_metadata())
        assert (0 < float(told["koapy-wait"]) <= 0.2, told["koapy-wait-for"]) == (True, "TR requests")
        (asked,) = await asyncio.to_thread(control.wait_for, "SendCondition")
        control.fire("OnReceiveTrCondition", asked[1], "000001;", "중소형 저평가주", 1, 0)
        assert [texts(each)[1] async for each in search] == ["000001;"]
    control.close()


async def test_an_unknown_condition_names_the_known_ones(strict: Any) -> None:
    status, details = await ended(
        strict.stub.ConditionCall(pb.ConditionRequest(condition_name="중소형 저평가", condition_index=1))
    )
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert "did you mean 중소형 저평가주" in details


async def test_ticks_go_to_those_who_asked_and_stop_with_the_last(strict: Any) -> None:
    flags = pb.RealRequestFlags(infer_fids=True, readable_names=True)
    named = strict.stub.RealCall(pb.RealRequest(code_list=["005930", "000660"], fid_list=[10], flags=flags))
    plain = strict.client().RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10, 999]))
    await waiting(strict, "SetRealReg")
    await strict.reached(subscriptions=5)
    await strict.heard()
    strict.control.fire(
        "OnReceiveRealData", "005930", "주식우선호가", "+1\t-2", data={"10": " 5", "27": "+1", "28": "-2"}
    )
    strict.control.fire("OnReceiveRealData", "000660", "주식우선호가", "", data={"27": "+3"})
    first, second = await named.read(), await named.read()
    assert list(first.single_data.names) == ["매도호가", "매수호가"]
    assert list(first.single_data.values) == ["+1", "-2"]
    assert texts(second)[0] == "000660"
    only = await plain.read()
    assert (list(only.single_data.names), list(only.single_data.values)) == (["10", "999"], [" 5", ""])
    named.cancel()
    await waiting(strict, "SetRealRemove")
    assert strict.state["codes"] == 1
    plain.cancel()
    await strict.settled()


async def test_codes_come_and_go_on_an_open_stream(strict: Any) -> None:
    stream = strict.stub.BidirectionalRealCall()

    async def say(**request: Any) -> None:
        await stream.write(pb.BidirectionalRealRequest(**request))

    fids = pb.BidirectionalRealInitializeRequest(fid_list=[10])
    await say(initialize_request=fids)
    await say(register_request=pb.BidirectionalRealRegisterRequest(code_list=["000001", "000002"]))
    await say(remove_request=pb.BidirectionalRealRemoveRequest(code_list=["000001", "000009"]))
    await waiting(strict, "SetRealRemove")
    await stream.done_writing()
    strict.control.fire("OnReceiveRealData", "000001", "주식체결", "", data={"10": "1"})
    strict.control.fire("OnReceiveRealData", "000002", "주식체결", "", data={"10": "2"})
    assert list((await stream.read()).single_data.values) == ["2"]
    stream.cancel()
    await strict.settled()


async def test_stop_ends_the_stream_well(strict: Any) -> None:
    stream = strict.stub.BidirectionalRealCall()
    await stream.write(pb.BidirectionalRealRequest(stop_request=pb.BidirectionalRealStopRequest()))
    assert await stream.read() is grpc.aio.EOF
    await strict.settled()


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (pb.RealRequest(), "no code"),
        (pb.RealRequest(code_list=["999999"]), "unknown 종목코드"),
        (pb.RealRequest(code_list=["XXXX"]), "unknown code"),
        (pb.RealRequest(code_list=["005930"], screen_no=["1"]), "bad screen"),
        (pb.RealRequest(code_list=["005930"], opt_type="9"), "opt_type"),
        (pb.RealRequest(code_list=["005930"], fid_list=range(101)), "101 FIDs"),
        (pb.RealRequest(code_list=["005930"], fid_list=[-1]), "bad FID"),
    ],
)
async def test_a_wrong_real_request_registers_nothing(strict: Any, request_: Any, text: str) -> None:
    status, details = await ended(strict.stub.RealCall(request_))
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert text in details
    await strict.settled()


async def test_five_hundred_streams_are_open_and_a_call_still_answers(strict: Any) -> None:
    streams = [strict.stub.OrderListen(pb.ListenRequest()) for _ in range(200)]
    streams += [strict.stub.Listen(pb.ListenRequest(slots=["OnEventConnect"])) for _ in range(200)]
    streams += [strict.stub.RealCall(pb.RealRequest(code_list=["005930"], fid_list=[10])) for _ in range(100)]
    await strict.reached(streams=500)
    assert await strict.call("GetMasterCodeName", "005930") == "종목005930"
    assert strict.state["codes"] == 1
    strict.control.fire("OnEventConnect", 0)
    for stream in streams[200:400]:
        assert (await stream.read()).arguments[0].long_value == 0
    for stream in streams:
        stream.cancel()
    await strict.settled()


async def test_custom_handlers_are_off(strict: Any) -> None:
    request = pb.ListenRequest(code="class A: pass", class_name="A")
    status, _ = await ended(strict.stub.CustomListen(request))
    assert status is grpc.StatusCode.PERMISSION_DENIED
    both = strict.stub.CustomCallAndListen(pb.CallAndListenRequest(call_request=pb.CallRequest(name="GetConnectState")))
    assert (await both.read()).call_response.return_value.long_value == 1
    await strict.settled(rpcs=1, streams=1, subscriptions=9)
    strict.control.fire("OnEventConnect", 0)
    assert (await both.read()).listen_response.name == "OnEventConnect"
    both.cancel()
    await strict.settled()


async def test_log_levels_are_checked(strict: Any) -> None:
    await strict.stub.SetLogLevel(pb.SetLogLevelRequest(level=20, logger="koapy.test"))
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await strict.stub.SetLogLevel(pb.SetLogLevelRequest(level=-3))
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(("quote_type", "phase"), [("00", "8"), ("00", "9"), ("81", "9")])
async def test_an_order_still_open_when_its_session_ends_has_expired(strict: Any, quote_type: str, phase: str) -> None:
    stream = strict.stub.OrderCall(order(price=100, quote_type=quote_type))
    screen, name = await sent(strict)
    strict.control.answer(screen, name, "KOA_NORMAL_BUY_KP_ORD", "", data={"주문번호": "0000001"})
    strict.control.fire("OnReceiveRealData", "09", "장시작시간", "2\t152000\t001000")
    strict.control.fire("OnReceiveRealData", "09", "장시작시간", f"{phase}\t888888\t000000")
    status, details = await ended(stream)
    assert status is grpc.StatusCode.ABORTED
    assert "expired with the session: 10 of 10 open" in details
    await strict.settled()
