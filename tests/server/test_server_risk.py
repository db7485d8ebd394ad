"""Limits of risk through a real server: what is refused never reaches the control, and the text says by how much."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from server_doubles import ACCOUNT, StrictControl

from koapy.orders.journal import Journal
from koapy.orders.risk import RiskLimits, RiskRules
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2 as v1
from koapy.protocol.gateway_pb2_grpc import GatewayStub
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.server import Server
from koapy.server.access import Role
from koapy.server.security import Security, tokens
from koapy.simulation.control import SimulatedControl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODE = "005930"
ORIGINAL = "0000001"


class PricedControl(StrictControl):
    """Knows one price, and counts who asks."""

    def __init__(self, price: str = "-70000") -> None:
        super().__init__()
        self.price = price

    def answer(
        self, screen: str, request: str, code: str, *_: Any, data: dict[str, str] | None = None, **__: Any
    ) -> Any:
        return super().answer(screen, request, code, data={"현재가": self.price})


class RefusingControl(PricedControl):
    """Says no to every query."""

    def CommRqData(self, request: str, code: str, prev_next: int, screen: str) -> int:
        self._note("CommRqData", request, code, prev_next, screen)
        return -202


def request(order_type: int = 1, quantity: int = 10, price: int = 70_000, quote: str = "00", code: str = CODE) -> Any:
    return pb.OrderRequest(
        request_name="주문",
        screen_no="0001",
        account_no=ACCOUNT,
        order_type=order_type,
        code=code,
        quantity=quantity,
        price=price,
        quote_type=quote,
        original_order_no="" if order_type < 3 else ORIGINAL,
    )


async def by_order_call(gateway: Any, order: pb.OrderRequest, **options: Any) -> None:
    async for _ in gateway.stub.OrderCall(order, **options):
        pass


async def by_call(gateway: Any, order: pb.OrderRequest, stub: Any = None) -> int:
    code: int = await gateway.call(
        "SendOrder", order.request_name, order.screen_no, order.account_no, order.order_type, order.code,
        order.quantity, order.price, order.quote_type, order.original_order_no, stub=stub,
    )  # fmt: skip
    return code


async def refused(sending: Any) -> tuple[str, str, dict[str, str]]:
    """Reason, text and details of an order that must be refused for a state that can be left."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await sending
    error = raised.value
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    (packed,) = (value for key, value in error.trailing_metadata() or () if key == "grpc-status-details-bin")
    info = error_details_pb2.ErrorInfo()
    status_pb2.Status.FromString(packed).details[0].Unpack(info)
    return info.reason, error.details() or "", dict(info.metadata)


@pytest.fixture
def limited(with_settings: Callable[..., Any]) -> Callable[..., Any]:
    """Settings with these limits for everybody."""
    return lambda **limits: with_settings(risk=RiskRules(everybody=RiskLimits(**limits)))


@pytest.mark.parametrize(
    ("limits", "order", "reason", "by", "told"),
    [
        ({"read_only": True}, request(), "RISK_READ_ONLY", None, "read_only is set for everybody"),
        ({"read_only": True}, request(3, price=0), "RISK_READ_ONLY", None, "no cancellation"),
        ({"allowed_accounts": frozenset({"8000000099"})}, request(), "RISK_ACCOUNT", None, "8000****11"),
        ({"allowed_codes": frozenset({"000660"})}, request(), "RISK_CODE", None, "005930 is not among"),
        ({"denied_codes": frozenset({CODE})}, request(), "RISK_CODE", None, "denies orders of 005930"),
        ({"max_quantity": 4}, request(), "RISK_QUANTITY", "6", "quantity 10 is 6 above max_quantity 4"),
        ({"max_quantity": 4}, request(5), "RISK_QUANTITY", "6", "quantity 10 is 6 above"),
        ({"max_notional": 600_000}, request(), "RISK_NOTIONAL", "100000", "is 100,000 won above max_notional 600,000"),
        ({"max_notional": 600_000}, request(price=0, quote="03"), "RISK_NOTIONAL", "100000", "(the last price)"),
        ({"price_collar": 10}, request(price=80_000), "RISK_COLLAR", "3000", "use 63,000 to 77,000"),
        ({"price_collar": 10}, request(6, price=60_000), "RISK_COLLAR", "3000", "-14.29 %"),
    ],
)
async def test_what_a_limit_forbids_is_told_and_never_sent(
    running: Any, limited: Any, limits: dict[str, Any], order: Any, reason: str, by: str | None, told: str
) -> None:
    control = PricedControl()
    async with running(control, limited(**limits)) as gateway:
        for send in (by_order_call, by_call):
            got, text, details = await refused(send(gateway, order))
            assert got == reason
            assert told in text
            assert details["limit"] in limits
            assert details["whose"] == "everybody"
            assert details.get("by") == by
            assert ACCOUNT not in text + str(details)
        await gateway.settled(screens=1)
    assert control.named("SendOrder") == []
    assert control.faults == []


async def test_a_minutes_orders_are_everybodys_together_and_cancellations_pass(running: Any, limited: Any) -> None:
    control = StrictControl()
    async with running(control, limited(orders_per_minute=2)) as gateway:
        assert await by_call(gateway, request()) == 0
        assert await by_call(gateway, request(5), gateway.client()) == 0
        reason, text, details = await refused(by_call(gateway, request(), gateway.client()))
        assert reason == "RISK_ORDERS_PER_MINUTE"
        assert "the next may go in " in text
        assert 0 < float(details["wait"]) <= 60
        assert [await by_call(gateway, request(3, price=0)) for _ in range(3)] == [0, 0, 0]
    assert len(control.named("SendOrder")) == 5


async def test_orders_that_come_at_once_share_what_is_left(running: Any, limited: Any) -> None:
    control = PricedControl()
    async with running(control, limited(orders_per_day=7, max_notional=10**9)) as gateway:
        sending = [by_call(gateway, request(price=0, quote="03"), gateway.client()) for _ in range(20)]
        done = await asyncio.gather(*sending, return_exceptions=True)
    assert done.count(0) == 7
    assert len(control.named("SendOrder")) == 7
    # They also share the query for the price.
    assert len(control.named("CommRqData")) == 1


async def test_an_order_that_openapi_did_not_take_is_not_counted(running: Any, limited: Any) -> None:
    class Full(StrictControl):
        def SendOrder(self, *args: Any) -> int:
            super().SendOrder(*args)
            return 0 if len(self.named("SendOrder")) > 2 else -308

    async with running(Full(), limited(orders_per_day=1)) as gateway:
        assert [await by_call(gateway, request()) for _ in range(3)] == [-308, -308, 0]
        assert (await refused(by_call(gateway, request())))[0] == "RISK_ORDERS_PER_DAY"


async def test_no_price_is_asked_where_no_limit_needs_one(running: Any, limited: Any) -> None:
    control = PricedControl()
    async with running(control, limited(max_notional=10**9, max_quantity=100)) as gateway:
        assert await by_call(gateway, request()) == 0
        assert await by_call(gateway, request(3, price=0)) == 0
    assert control.named("CommRqData") == []


async def test_a_price_is_asked_once_and_again_when_it_is_old(running: Any, with_settings: Any) -> None:
    rules = RiskRules(clients={"local": RiskLimits(price_collar=10)})
    control = PricedControl()
    async with running(control, with_settings(risk=rules)) as gateway:
        assert [await by_call(gateway, request()) for _ in range(3)] == [0, 0, 0]
        assert len(control.named("CommRqData")) == 1
        assert await by_call(gateway, request(code="000660")) == 0
        assert len(control.named("CommRqData")) == 2
        await gateway.settled(screens=1)
    control = PricedControl()
    async with running(control, with_settings(risk=rules, price_seconds=1e-9)) as gateway:
        # Too old by the time that it is here: what is not known cannot be judged.
        assert (await refused(by_call(gateway, request())))[0] == "RISK_NO_PRICE"
        assert (await refused(by_call(gateway, request())))[0] == "RISK_NO_PRICE"
        assert len(control.named("CommRqData")) == 2


async def test_an_order_that_waits_for_its_price_holds_no_other_up(running: Any, with_settings: Any) -> None:
    rules = RiskRules(everybody=RiskLimits(max_notional=10**9))
    control = PricedControl()
    settings = with_settings(risk=rules, tr_windows=((1, 3600.0),), order_windows=((1, 0.01),))
    async with running(control, settings) as gateway:
        assert await by_call(gateway, request(price=0, quote="03")) == 0
        waiting = asyncio.create_task(by_call(gateway, request(price=0, quote="03", code="000660"), gateway.client()))
        await gateway.reached(rpcs=1, screens=3)
        assert [await by_call(gateway, request()) for _ in range(3)] == [0, 0, 0]
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await by_order_call(gateway, request(price=0, quote="03", code="035720"), timeout=5)
        assert late.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "TR requests" in (late.value.details() or "")
        waiting.cancel()
        await gateway.settled(screens=2)
    assert len(control.named("SendOrder")) == 4


async def test_an_order_that_was_waiting_when_the_switch_was_thrown_is_refused(running: Any, limited: Any) -> None:
    control = PricedControl()
    control.automatic = False
    async with running(control, limited(price_collar=10)) as gateway:
        waiting = asyncio.create_task(by_call(gateway, request()))
        ((_, name, code, _, screen, _),) = await asyncio.to_thread(control.wait_for, "CommRqData")
        await GatewayStub(gateway.channel).Halt(v1.HaltRequest())
        control.answer(screen, name, code)
        assert (await refused(waiting))[0] == "HALTED"
    assert control.named("SendOrder") == []


async def test_a_tick_that_passes_spares_the_query(running: Any, limited: Any) -> None:
    control = PricedControl("1")
    async with running(control, limited(price_collar=10)) as gateway:
        stream = gateway.stub.RealCall(pb.RealRequest(code_list=[CODE], fid_list=[20]))
        await gateway.reached(codes=1)
        await gateway.heard()
        control.fire("OnReceiveRealData", CODE, "주식체결", "", data={"10": "-71000", "20": "2"})
        control.fire("OnReceiveRealData", CODE, "주식예상체결", "", data={"10": "+999999", "20": "1"})
        (await stream.read(), await stream.read())
        assert await by_call(gateway, request(price=78_100)) == 0
        _, text, _ = await refused(by_call(gateway, request(price=78_101)))
        assert "the last price 71,000" in text
        stream.cancel()
    assert control.named("CommRqData") == []


async def test_a_control_that_tells_no_price_has_what_needs_one_refused(running: Any, limited: Any) -> None:
    for control in (RefusingControl(), PricedControl(""), PricedControl("0")):
        async with running(control, limited(price_collar=10)) as gateway:
            reason, text, _ = await refused(by_call(gateway, request()))
            assert reason == "RISK_NO_PRICE"
            assert "the last price of 005930, which is not known" in text
            assert await by_call(gateway, request(price=0, quote="03")) == 0
            await gateway.settled(screens=1)
        assert len(control.named("SendOrder")) == 1


async def test_inside_an_event_nobody_waits_for_a_price(running: Any, limited: Any) -> None:
    """The query's answer would come when the event is over, which waits for the order."""
    control = PricedControl()
    async with running(control, limited(price_collar=10)) as gateway:
        stream = gateway.stub.BidirectionalListen()
        await stream.write(
            pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=["OnReceiveChejanData"]))
        )
        await gateway.reached(gates=1)
        await gateway.heard()
        told = control.fire("OnReceiveChejanData", "0", 0, "")
        await stream.read()
        assert (await refused(by_call(gateway, request())))[0] == "RISK_NO_PRICE"
        assert await by_call(gateway, request(price=0, quote="03")) == 0
        handled = pb.HandledRequest(time=0.0)
        await stream.write(pb.BidirectionalListenRequest(handled_request=handled))
        await asyncio.wrap_future(told)
        assert await by_call(gateway, request()) == 0
        stream.cancel()


async def test_each_client_has_limits_of_its_own_by_the_name_of_its_token(tmp_path: Path, with_settings: Any) -> None:
    file = tmp_path / "tokens.json"
    roles = [Role.MARKET_DATA, Role.ACCOUNT, Role.ORDER, Role.ADMIN]
    bearer = {name: (("authorization", f"Bearer {tokens.create(file, name, roles)}"),) for name in ("bot", "ann")}
    rules = RiskRules(clients={"bot": RiskLimits(max_quantity=3)})
    control = StrictControl()
    settings = with_settings(risk=rules)
    async with (
        Server(control, port=0, settings=settings, security=Security(tokens=file)) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        gateway, v1_stub = KiwoomOpenApiPlusServiceStub(channel), GatewayStub(channel)

        async def send(name: str) -> None:
            stream = gateway.OrderCall(request(), metadata=bearer[name])
            await stream.read()

        reason, text, _ = await refused(send("bot"))
        assert (reason, "7 above max_quantity 3 of the limits of client bot" in text) == ("RISK_QUANTITY", True)
        standing = gateway.OrderCall(request(), metadata=bearer["ann"])
        await asyncio.to_thread(control.wait_for, "SendOrder")
        standing.cancel()
        await v1_stub.Halt(v1.HaltRequest(reason="lunch"), metadata=bearer["bot"])
        reason, text, _ = await refused(send("ann"))
        assert (reason, "halted by bot" in text, "lunch" in text) == ("HALTED", True, True)
    assert len(control.named("SendOrder")) == 1
    control.close()


async def test_counts_and_the_kill_switch_survive_the_server(tmp_path: Path, limited: Any) -> None:
    settings, journal = limited(orders_per_day=2), tmp_path / "orders.sqlite"
    for sent, halted in ((1, False), (1, True), (0, True)):
        control = StrictControl()
        async with (
            Server(control, port=0, settings=settings, journal=journal) as server,
            grpc.aio.insecure_channel(server.address) as channel,
        ):
            stub, v1_stub = KiwoomOpenApiPlusServiceStub(channel), GatewayStub(channel)

            async def order(order_type: int = 1, stub: Any = stub) -> None:
                call = stub.OrderCall(request(order_type))
                await call.read()

            for _ in range(sent):
                sending = asyncio.create_task(order())
                await asyncio.to_thread(control.wait_for, "SendOrder")
                sending.cancel()
            if halted and sent:
                assert (await refused(order()))[0] == "RISK_ORDERS_PER_DAY"
                await v1_stub.Halt(v1.HaltRequest())
            elif halted:
                assert (await refused(order()))[0] == "HALTED"
                assert (await refused(order(5)))[0] == "HALTED"
                cancelling = asyncio.create_task(order(3))
                await asyncio.to_thread(control.wait_for, "SendOrder")
                cancelling.cancel()
                await v1_stub.Release(v1.ReleaseRequest())
                assert (await refused(order()))[0] == "RISK_ORDERS_PER_DAY"
        control.close()


async def test_an_order_on_its_way_when_the_switch_is_thrown_is_cancelled_too(
    with_settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = SimulatedControl(seed=5, login_delay=0.01)
    held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asked, intend = asyncio.Event(), Journal.intend

    def slowly(journal: Journal, *args: Any, **kwargs: Any) -> None:
        """A disk that takes the intent when it is told to."""
        asked.set()
        held.add_done_callback(lambda _: intend(journal, *args, **kwargs))

    settings = with_settings()
    async with (
        Server(control, port=0, settings=settings) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        stub, v1_stub = KiwoomOpenApiPlusServiceStub(channel), GatewayStub(channel)
        async for _ in stub.LoginCall(pb.LoginRequest()):
            pass
        account = (await called(stub, "GetLoginInfo", "ACCNO")).split(";")[0]
        floor = int(await called(stub, "GetMasterLastPrice", CODE)) * 3 // 4 // 1000 * 1000
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "intend", slowly)
            order = request(price=floor)
            order.account_no = account
            stream = stub.OrderCall(order)
            reading = asyncio.create_task(stream.read())
            await asked.wait()
        halting = asyncio.ensure_future(v1_stub.Halt(v1.HaltRequest(cancel_open=True)))
        # Enough for a gateway that does not wait for the order.
        await asyncio.wait([halting], timeout=0.5)
        held.set_result(None)
        (cancelled,) = (await halting).cancellations
        assert (cancelled.account, cancelled.quantity, cancelled.error) == (account, 10, "")
        await reading
        (first, second) = (await v1_stub.Orders(v1.OrdersRequest())).orders
        assert (first.state, second.state) == ("cancelled", "confirmed")
        stream.cancel()
    control.close()


async def called(stub: Any, name: str, *args: str) -> str:
    response = await stub.Call(pb.CallRequest(name=name, arguments=[pb.Argument(string_value=each) for each in args]))
    value: str = response.return_value.string_value
    return value
