"""Orders whose answer was lost: found by opt10075 and opt10076, or named as undetermined; never sent again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2 as v1
from koapy.protocol.gateway_pb2_grpc import GatewayStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

ACCOUNT, CODE = "8000000011", "005930"
ANSWER_SECONDS = 0.3
"""For so long the gateway waits for an answer that never comes, and for one that does."""
Row = dict[str, str]


class Exchange:
    """A strict control that never answers an order, and lists what the test says."""

    def __init__(self, control: Any) -> None:
        self.control = control
        self.opened: Sequence[Row] = ()
        self.traded: Sequence[Row] = ()
        self.rows: Sequence[Row] = ()
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens between the two lists."""
        control.CommRqData, control.GetRepeatCnt, control.GetCommData = self.ask, self.count, self.cell

    def ask(self, request: str, code: str, prev_next: int, screen: str) -> int:
        self.control.calls.append(("CommRqData", code))
        rows = self.opened if code == "opt10075" else self.traded
        if code == "opt10076":
            self.meanwhile()
        self.control.submit(self.answer, rows, screen, request, code)
        return 0

    def answer(self, rows: Sequence[Row], screen: str, request: str, code: str) -> None:
        self.rows = rows
        self.control._fire("OnReceiveTrData", (screen, request, code, "", "0", 0, "", "", ""), {})

    def count(self, code: str, record: str) -> int:
        return len(self.rows)

    def cell(self, code: str, record: str, index: int, item: str) -> str:
        return self.rows[index].get(item, "")


def listed(number: str, quantity: int, *, open: int | None = None, filled: int = 0, **changes: str) -> Row:  # noqa: A002
    return {
        "주문번호": number,
        "종목코드": CODE,
        "주문구분": "+매수",
        "주문수량": str(quantity),
        "주문가격": "70000",
        "미체결수량": str(quantity if open is None else open),
        "체결량": str(filled),
        "체결가": "70000" if filled else "",
        "원주문번호": "0000000",
    } | changes


@pytest.fixture
async def doubtful(running: Any, with_settings: Any) -> AsyncIterator[tuple[Any, Exchange]]:
    from server_doubles import StrictControl

    control = StrictControl(automatic=False)
    exchange = Exchange(control)
    settings = with_settings(answer_seconds=ANSWER_SECONDS, patience=(0.05, 0.05), drain_seconds=0.1)
    async with running(control, settings) as gateway:
        gateway.v1 = GatewayStub(gateway.channel)
        yield gateway, exchange
    control.close()


def order(quantity: int, **changes: Any) -> pb.OrderRequest:
    fields = {"account_no": ACCOUNT, "order_type": 1, "code": CODE, "quantity": quantity, "price": 70000}
    return pb.OrderRequest(**(fields | {"quote_type": "00"} | changes))


def key(text: str) -> tuple[tuple[str, str], ...]:
    return (("koapy-idempotency-key", text),)


async def ended(stream: Any) -> tuple[list[Any], grpc.StatusCode, str]:
    events = []
    async with asyncio.timeout(20):
        try:
            async for event in stream:
                events.append(event)  # noqa: PERF401  what came before an error counts
        except grpc.aio.AioRpcError as error:
            packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
            info = error_details_pb2.ErrorInfo()
            status_pb2.Status.FromString(packed).details[0].Unpack(info)
            return events, error.code(), info.reason
    return events, grpc.StatusCode.OK, ""


async def states(gateway: Any) -> list[tuple[int, str, str]]:
    orders = (await gateway.v1.Orders(v1.OrdersRequest())).orders
    return [(each.quantity, each.state, each.number) for each in orders]


async def settled(gateway: Any, expected: list[tuple[int, str, str]]) -> None:
    """Nobody is told when an order has been looked for, so the test asks."""
    async with asyncio.timeout(20):
        while await states(gateway) != expected:
            await asyncio.sleep(0.01)


def values(event: pb.ListenResponse) -> dict[str, str]:
    return dict(zip(event.single_data.names, event.single_data.values, strict=True))


async def test_an_order_whose_answer_was_lost_is_found_and_followed(doubtful: tuple[Any, Exchange]) -> None:
    gateway, exchange = doubtful
    exchange.opened = [listed("0000042", 10, open=6, filled=4), listed("0000041", 9)]
    _, status, reason = await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
    assert (status, reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "CONTROL_SILENT")
    stream = gateway.stub.OrderCall(order(10), metadata=key("k"))
    told = aiter(stream)
    answer, standing = [await anext(told) for _ in range(2)]
    assert values(answer) == {"주문번호": "0000042"}
    assert (values(standing)["미체결수량"], standing.recovered, answer.recovered) == ("6", True, True)
    assert await states(gateway) == [(10, "partly filled", "0000042")]
    fids = {"9201": ACCOUNT, "9203": "0000042", "9001": "A005930", "913": "체결", "902": "0", "911": "10"}
    balance = {"9201": ACCOUNT, "9001": "A005930", "930": "10"}
    exchange.control.fire("OnReceiveChejanData", "0", 6, ";".join(fids), data=fids)
    exchange.control.fire("OnReceiveChejanData", "1", 3, ";".join(balance), data=balance)
    events, status, _ = await ended(told)
    assert ([event.arguments[0].string_value for event in events], status) == (["0", "1"], grpc.StatusCode.OK)
    assert await states(gateway) == [(10, "filled", "0000042")]
    assert len(exchange.control.named("SendOrder")) == 1


async def test_an_order_that_was_filled_meanwhile_ends(doubtful: tuple[Any, Exchange]) -> None:
    gateway, exchange = doubtful
    exchange.traded = [listed("0000042", 10, open=0, filled=10)]
    await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
    events, status, _ = await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
    assert (values(events[-1])["체결량"], status) == ("10", grpc.StatusCode.OK)
    await settled(gateway, [(10, "filled", "0000042")])


async def test_an_order_that_is_not_listed_is_named_as_undetermined(doubtful: tuple[Any, Exchange]) -> None:
    gateway, exchange = doubtful
    await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
    await settled(gateway, [(10, "undetermined", "")])
    for _ in range(2):
        _, status, reason = await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
        assert (status, reason) == (grpc.StatusCode.ABORTED, "ORDER_UNDETERMINED")
    assert exchange.control.named("CommRqData").count(("CommRqData", "opt10075")) == 3
    assert len(exchange.control.named("SendOrder")) == 1


@pytest.mark.parametrize(("open_", "state"), [(10, "accepted"), (0, "filled")])
async def test_an_order_that_was_given_up_is_looked_for_again_when_its_answer_comes(
    doubtful: tuple[Any, Exchange], open_: int, state: str
) -> None:
    """What became of it before its answer may have been told to nobody."""
    gateway, exchange = doubtful
    await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
    await settled(gateway, [(10, "undetermined", "")])
    found = [listed("0000042", 10, open=open_, filled=10 - open_)]
    exchange.opened, exchange.traded = (found, []) if open_ else ([], found)
    name, screen = exchange.control.named("SendOrder")[0][1:3]
    exchange.rows = [{"주문번호": "0000042"}]
    exchange.control.answer(screen, name, "KOA_NORMAL_BUY_KP_ORD", data=exchange.rows[0])
    await settled(gateway, [(10, state, "0000042")])
    assert len(exchange.control.named("SendOrder")) == 1


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["0000042", "0000043"], [(10, "accepted", "0000042"), (10, "accepted", "0000043")]),
        (["0000042"], [(10, "undetermined", ""), (10, "undetermined", "")]),
    ],
)
async def test_orders_that_are_alike_are_told_apart_only_where_that_is_sure(
    doubtful: tuple[Any, Exchange], numbers: list[str], expected: list[tuple[int, str, str]]
) -> None:
    gateway, exchange = doubtful
    exchange.opened = [listed(number, 10) for number in numbers]
    calls = [ended(gateway.stub.OrderCall(order(10), metadata=key(each))) for each in "ab"]
    await asyncio.gather(*calls)
    await settled(gateway, expected)


@pytest.mark.parametrize("filled", [0, 10])
async def test_an_order_that_is_accepted_after_the_lists_were_made_is_looked_for_again(
    doubtful: tuple[Any, Exchange], filled: int
) -> None:
    """It is not closed, as it seems by these lists, and its fill may have been told to nobody."""
    gateway, exchange = doubtful

    def accepted() -> None:
        exchange.meanwhile = lambda: None
        lists = [], [listed("0000042", 10, open=0, filled=10)]
        exchange.opened, exchange.traded = lists if filled else ([listed("0000042", 10)], [])
        exchange.rows = []
        request, screen = exchange.control.named("SendOrder")[0][1:3]
        exchange.rows = [{"주문번호": "0000042"}]
        exchange.control._fire("OnReceiveTrData", (screen, request, "KOA_NORMAL_BUY_KP_ORD", "", "", 0, "", "", ""), {})

    exchange.meanwhile = accepted
    await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
    state = "filled" if filled else "accepted"
    await settled(gateway, [(10, state, "0000042")])
    # Another one is looked for after it, so that all has been told by then.
    await ended(gateway.stub.OrderCall(order(11), metadata=key("l")))
    await settled(gateway, [(10, state, "0000042"), (11, "undetermined", "")])
    assert (await gateway.v1.Status(v1.StatusRequest())).last_sequence == (2 if filled else 1)


async def test_a_list_is_not_told_after_an_event_that_knows_more(doubtful: tuple[Any, Exchange]) -> None:
    """The order is filled between the lists and what is told of them."""
    gateway, exchange = doubtful
    exchange.opened = [listed("0000042", 10, open=6, filled=4)]
    fids = {"9201": ACCOUNT, "9203": "0000042", "9001": "A005930", "913": "체결", "902": "0", "911": "10"}

    def filled() -> None:
        exchange.meanwhile = lambda: None
        exchange.control._fire("OnReceiveChejanData", ("0", 6, ";".join(fids)), fids)

    exchange.meanwhile = filled
    await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
    await settled(gateway, [(10, "filled", "0000042")])
    # Another one is looked for after it, so that all has been told by then.
    await ended(gateway.stub.OrderCall(order(11), metadata=key("l")))
    await settled(gateway, [(10, "filled", "0000042"), (11, "undetermined", "")])
    last = (await gateway.v1.Status(v1.StatusRequest())).last_sequence
    told = aiter(gateway.v1.OrderEvents(v1.OrderEventsRequest(from_sequence=1)))
    events = [(await anext(told)).event for _ in range(last)]
    assert [(each.name, values(each).get("미체결수량")) for each in events] == [
        ("OnReceiveChejanData", "0"),
        ("OnReceiveTrData", None),
    ]


async def test_an_order_event_that_cannot_be_read_has_its_order_looked_for(doubtful: tuple[Any, Exchange]) -> None:
    gateway, exchange = doubtful
    stream = gateway.stub.OrderCall(order(10), metadata=key("k"))
    request, screen = (await asyncio.to_thread(exchange.control.wait_for, "SendOrder"))[0][1:3]
    exchange.rows = [{"주문번호": "0000042"}]
    exchange.control.fire("OnReceiveTrData", screen, request, "KOA_NORMAL_BUY_KP_ORD", "", "", 0, "", "", "")
    await stream.read()
    exchange.traded = [listed("0000042", 10, open=0, filled=10)]

    def broken(fid: int) -> str:
        raise OSError("no data")

    exchange.control.GetChejanData = broken
    exchange.control.fire("OnReceiveChejanData", "0", 1, "9203")
    await settled(gateway, [(10, "filled", "0000042")])


async def test_a_call_that_raises_leaves_the_order_in_doubt_and_not_lost(doubtful: tuple[Any, Exchange]) -> None:
    gateway, exchange = doubtful
    exchange.opened = [listed("0000042", 10)]
    sent = []

    def broken(*args: Any) -> int:
        sent.append(args)
        raise OSError("the pipe is broken")

    exchange.control.SendOrder = broken
    _, status, reason = await ended(gateway.stub.OrderCall(order(10), metadata=key("k")))
    assert (status, reason) == (grpc.StatusCode.INTERNAL, "CONTROL_RAISED")
    stream = gateway.stub.OrderCall(order(10), metadata=key("k"))
    assert values(await stream.read()) == {"주문번호": "0000042"}
    stream.cancel()
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("opened", "traded", "state"),
    [
        ([], [], "confirmed"),
        ([listed("0000007", 10, open=4)], [], "confirmed"),
        ([], [listed("0000007", 10, open=0, filled=10)], "refused"),
        ([listed("0000007", 10)], [], "undetermined"),
    ],
)
async def test_a_cancellation_in_doubt_is_judged_by_its_original(
    doubtful: tuple[Any, Exchange], opened: list[Row], traded: list[Row], state: str
) -> None:
    gateway, exchange = doubtful
    exchange.opened, exchange.traded = opened, traded
    request = order(0, order_type=3, price=0, original_order_no="0000007")
    await ended(gateway.stub.OrderCall(request, metadata=key("k")))
    await settled(gateway, [(0, state, "")])
    _, status, _ = await ended(gateway.stub.OrderCall(request, metadata=key("k")))
    assert (status is grpc.StatusCode.OK) == (state == "confirmed")


@pytest.mark.parametrize(
    ("traded", "state"), [([], "confirmed"), ([listed("0000007", 10, open=0, filled=10)], "refused")]
)
async def test_what_the_lists_have_told_of_a_cancellation_stands_when_its_answer_comes_late(
    doubtful: tuple[Any, Exchange], traded: list[Row], state: str
) -> None:
    """Its chejan events came while nobody was there: without them nothing but the lists tells its end."""
    gateway, exchange = doubtful
    exchange.traded = traded
    request = order(0, order_type=3, price=0, original_order_no="0000007")
    await ended(gateway.stub.OrderCall(request, metadata=key("k")))
    await settled(gateway, [(0, state, "")])
    name, screen = exchange.control.named("SendOrder")[0][1:3]
    exchange.rows = [{"주문번호": "0000042"}]
    exchange.control.fire("OnReceiveTrData", screen, name, "KOA_NORMAL_BUY_KP_ORD", "", "", 0, "", "", "")
    await settled(gateway, [(0, state, "0000042")])
    events, status, _ = await ended(gateway.stub.OrderCall(request, metadata=key("k")))
    assert (values(events[0])["주문번호"], status is grpc.StatusCode.OK) == ("0000042", state == "confirmed")
