"""Orders through a real port, with both clients: what is sent, what the events make of it, how it fails."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from koapy.client import (
    AsyncClient,
    InvalidArgument,
    OpenApiError,
    OrderFailed,
    OrderState,
    OrderUnknown,
    PreconditionFailed,
)
from koapy.client.requests import ORDER_TYPES
from koapy.openapi.order import order_types
from koapy.server.failure import refused

NEW = "0000000"


def test_order_types_are_those_of_the_catalogue():
    known = {(each.side, each.action): each.code for each in order_types() if each.mock}
    assert known == ORDER_TYPES


def own(
    wire, state, open_=0, filled="", amount="0", number="0163911", quantity="10", original=NEW, kind="+매수", **more
):
    return wire.chejan(
        "0",
        f9201="8000000011",
        f9203=number,
        f9001="A005930",
        f913=state,
        f900=quantity,
        f902=str(open_),
        f903=amount,
        f904=original,
        f905=kind,
        f911=filled,
        **more,
    )


def held(wire):
    return wire.chejan("1", f9201="8000000011", f9001="A005930", f930="10")


def begun(wire, number="0163911"):
    return [wire.says("[100000] 모의투자 매수주문완료"), wire.answers(number)]


async def test_a_market_order_until_it_is_filled(client, gateway, wire):
    fills = [own(wire, "체결", 4, "6", "420000"), held(wire), own(wire, "체결", 0, "10", "701000"), held(wire)]
    gateway.scripts["OrderCall"] = wire.playing(*begun(wire), own(wire, "접수", 10), *fills)
    stream = await client.buy("005930", 10)
    assert len(await stream.all()) == 7
    order = await stream.result()
    assert (order.number, order.state, order.filled, order.open) == ("0163911", "filled", 10, 0)
    assert (order.side, order.action, order.average_price) == ("buy", "new", 70100.0)
    assert order.message == "[100000] 모의투자 매수주문완료"
    assert len(order.events) == 7
    (request,) = gateway.asked("OrderCall")
    assert (request.account_no, request.order_type, request.code, request.quantity) == ("8000000011", 1, "005930", 10)
    assert (request.price, request.quote_type, request.original_order_no, request.screen_no) == (0, "03", "", "")


@pytest.mark.parametrize(
    ("method", "arguments", "options", "expected"),
    [
        ("sell", ("005930", 3), {}, (2, 3, 0, "03", "8000000011")),
        ("sell", ("005930", 3, 70000), {"account": "8000000022"}, (2, 3, 70000, "00", "8000000022")),
        ("buy", ("005930", 3, 70000), {"quote_type": "05"}, (1, 3, 70000, "05", "8000000011")),
        ("buy", ("005930", 3), {"quote_type": "06"}, (1, 3, 0, "06", "8000000011")),
    ],
)
async def test_what_is_sent(client, gateway, wire, method, arguments, options, expected):
    gateway.scripts["OrderCall"] = wire.playing()
    await (await getattr(client, method)(*arguments, **options)).all()
    (request,) = gateway.asked("OrderCall")
    sent = (request.order_type, request.quantity, request.price, request.quote_type, request.account_no)
    assert sent == expected


async def test_every_order_call_has_a_key_of_its_own(client, gateway, wire):
    gateway.scripts["OrderCall"] = wire.playing()
    gateway.functions |= {"SendOrder": 0}
    await (await client.buy("005930", 1)).all()
    await (await client.buy("005930", 1)).all()
    await client.SendOrder("rq", "0101", "8000000011", 1, "005930", 1, 0, "03", "")
    await client.connected()
    keys = [metadata.get("koapy-idempotency-key") for *_, metadata in gateway.requests]
    given = [key for key in keys if key]
    assert len(given) == len(set(given)) == 3
    assert keys[-1] is None


async def test_accepted_returns_as_soon_as_the_order_stands(client, gateway, wire):
    gateway.scripts["OrderCall"] = wire.playing(*begun(wire), own(wire, "접수", 10), forever=True)
    stream = await client.buy("005930", 10, 60000)
    order = await stream.accepted()
    assert (order.number, order.state, order.open, order.price) == ("0163911", OrderState.ACCEPTED, 10, 60000)
    await stream.close()
    await gateway.gone["OrderCall"].wait()
    assert (await stream.result()).state == OrderState.ACCEPTED


CANCELLING = {"number": "0163999", "original": "0163911", "kind": "매수취소"}
MODIFYING = {"number": "0163999", "original": "0163911", "kind": "+매수정정"}
CLOSING = {"f819": "1"}


@pytest.mark.parametrize(
    ("events", "state", "filled", "open_"),
    [
        ([], OrderState.SENT, 0, 0),
        ([("접수", 10)], OrderState.ACCEPTED, 0, 10),
        ([("접수", 10), ("체결", 4, "6")], OrderState.PARTLY_FILLED, 6, 4),
        ([("체결", 0, "10"), ("접수", 10)], OrderState.PARTLY_FILLED, 10, 10),
        ([("접수", 10), ("체결", 0, "10")], OrderState.FILLED, 10, 0),
        ([("접수", 10), CANCELLING, ("접수", 0, CLOSING)], OrderState.CANCELLED, 0, 0),
        ([("접수", 10), MODIFYING, ("접수", 0, CLOSING)], OrderState.MODIFIED, 0, 0),
        ([("접수", 10), ("체결", 4, "6"), CANCELLING, ("체결", 0, CLOSING)], OrderState.CANCELLED, 6, 0),
        ([("접수", 10), ("체결", 4, "6"), CANCELLING, ("체결", 0)], OrderState.CANCELLED, 6, 0),
        ([("접수", 10), ("체결", 0, "6")], OrderState.CANCELLED, 6, 0),
    ],
)
async def test_the_state_that_events_make(client, gateway, wire, events, state, filled, open_):
    def made(event):
        if isinstance(event, dict):
            return own(wire, "확인", 0, **event)
        name, quantity, *rest = event
        more = rest.pop() if rest and isinstance(rest[-1], dict) else {}
        return own(wire, name, quantity, *rest, **more)

    gateway.scripts["OrderCall"] = wire.playing(*begun(wire), *map(made, events))
    order = await (await client.buy("005930", 10, 60000)).result()
    assert (order.state, order.filled, order.open) == (state, filled, open_)


async def test_events_before_the_answer_count_too(client, gateway, wire):
    gateway.scripts["OrderCall"] = wire.playing(
        own(wire, "접수", 10), own(wire, "체결", 0, "10", "700000"), *begun(wire), held(wire)
    )
    order = await (await client.buy("005930", 10)).result()
    assert (order.number, order.state, order.average_price) == ("0163911", OrderState.FILLED, 70000.0)


async def test_a_refused_order(client, gateway, wire):
    reason = "[505217] 모의투자 매수증거금이 부족합니다."
    failure = refused("the order was refused", message=reason, reason="ORDER_REJECTED")
    gateway.scripts["OrderCall"] = wire.failing(
        failure.status,
        failure.text,
        [("grpc-status-details-bin", failure.packed())],
        after=[wire.says(reason), wire.answers("")],
    )
    stream = await client.buy("005930", 10)
    assert len(await stream.taken(2)) == 2
    with pytest.raises(OrderFailed, match="매수증거금이 부족") as caught:
        await anext(stream)
    for again in (stream.result, stream.accepted):
        with pytest.raises(OpenApiError):
            await again()
    order = caught.value.order
    assert (order.state, order.number, order.message) == (OrderState.REJECTED, "", reason)
    assert caught.value.reason == "ORDER_REJECTED"
    assert not order.standing


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidArgument),
        (grpc.StatusCode.FAILED_PRECONDITION, PreconditionFailed),
        (grpc.StatusCode.DEADLINE_EXCEEDED, OrderUnknown),
        (grpc.StatusCode.INTERNAL, OrderUnknown),
        (grpc.StatusCode.UNAVAILABLE, OrderUnknown),
    ],
)
async def test_only_what_may_have_been_sent_is_unknown(client, gateway, wire, status, kind):
    gateway.scripts["OrderCall"] = wire.failing(status, "so it is")
    with pytest.raises(kind, match="so it is") as caught:
        await (await client.buy("005930", 10)).result()
    assert type(caught.value) is kind


@pytest.fixture
def open_orders(gateway, wire):
    row = {"계좌번호": "8000000011", "종목코드": "005930", "미체결수량": "7", "주문상태": "접수"}
    gateway.scripts["TransactionCall"] = wire.playing(
        wire.page(
            "opt10075",
            [row | {"주문번호": "0163911", "주문구분": "+매수"}, row | {"주문번호": "0163912", "주문구분": "-매도"}],
        )
    )


@pytest.mark.usefixtures("open_orders")
@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("cancel", ("0163911",), (3, 7, 0, "0163911")),
        ("cancel", ("0163912", 2), (4, 2, 0, "0163912")),
        ("modify", ("0163911", 61000), (5, 7, 61000, "0163911")),
        ("modify", ("0163912", 61000, 3), (6, 3, 61000, "0163912")),
    ],
)
async def test_an_order_known_by_its_number(client, gateway, wire, method, arguments, expected):
    gateway.scripts["OrderCall"] = wire.playing()
    await (await getattr(client, method)(*arguments)).all()
    (request,) = gateway.asked("OrderCall")
    assert (request.order_type, request.quantity, request.price, request.original_order_no) == expected
    assert (request.account_no, request.code, request.quote_type) == ("8000000011", "005930", "00")


@pytest.mark.usefixtures("open_orders")
async def test_an_order_that_is_not_open(client, gateway):
    with pytest.raises(PreconditionFailed, match=r"no open order '0000001'.*0163911, 0163912"):
        await (await client.cancel("0000001")).result()
    assert not gateway.asked("OrderCall")


async def test_cancelling_what_was_just_placed(client, gateway, wire):
    gateway.scripts["OrderCall"] = wire.playing(*begun(wire), own(wire, "접수", 10), forever=True)
    placed = await (await client.sell("005930", 10, 90000)).accepted()
    gateway.scripts["OrderCall"] = wire.playing(
        *begun(wire, "0163999"),
        own(wire, "접수", 10, **CANCELLING),
        own(wire, "확인", 0, **CANCELLING),
        own(wire, "접수", 0, **CLOSING),
    )
    cancelled = await (await client.cancel(placed)).result()
    assert (cancelled.state, cancelled.number, cancelled.original) == (OrderState.CONFIRMED, "0163999", "0163911")
    request = gateway.asked("OrderCall")[1]
    assert (request.order_type, request.quantity) == (4, 10)
    assert not gateway.asked("TransactionCall")


class TestAwaited:
    async def test_an_order_is_sent_without_being_awaited(self, address, gateway, wire):
        sent = asyncio.Event()

        async def script(request, context):
            sent.set()

        gateway.scripts["OrderCall"] = script
        async with AsyncClient(address) as client:
            order = client.buy("005930", 1)
            with pytest.raises(AttributeError, match="not been sent yet"):
                _ = order.order
            await sent.wait()
            assert (await order).state == OrderState.SENT

    async def test_an_order_can_be_awaited(self, address, gateway, wire):
        gateway.scripts["OrderCall"] = wire.playing(*begun(wire), own(wire, "체결", 0, "10", "700000"), held(wire))
        async with AsyncClient(address) as client:
            assert (await client.buy("005930", 10)).state == OrderState.FILLED

    async def test_many_at_once(self, address, gateway, wire):
        gateway.scripts["OrderCall"] = wire.playing(*begun(wire), own(wire, "체결", 0, "10", "700000"), held(wire))
        async with AsyncClient(address) as client:
            orders = await asyncio.gather(*(client.buy(f"{number:06}", 10) for number in range(8)))
        assert {order.code for order in orders} == {f"{number:06}" for number in range(8)}
        assert len(gateway.asked("OrderCall")) == 8
