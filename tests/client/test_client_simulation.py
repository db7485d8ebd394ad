"""Both clients against the gateway itself, with the embedded exchange behind it."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from koapy.client import (
    AsyncClient,
    InvalidArgument,
    KoapyWarning,
    OpenApiError,
    OrderFailed,
    OrderState,
    Unimplemented,
)
from koapy.server.serving import Server
from koapy.simulation.control import SimulatedControl

SAMSUNG = "005930"


@pytest.fixture
async def address():
    control = SimulatedControl(login_delay=0.0)
    async with Server(control, port=0) as server:
        yield server.address
    control.close()


@pytest.fixture
async def session(client):
    await client.ready()
    await client.login()
    return client


async def test_login(client):
    assert not await client.connected()
    await client.login()
    assert await client.connected()
    assert len(await client.accounts()) == 1
    assert await client.GetMasterCodeName(SAMSUNG) == "삼성전자"
    assert len(await client.codes()) >= 200


async def test_queries(session):
    whole = await session.transaction("opt10081", 종목코드=SAMSUNG, 수정주가구분=1, numeric=True)
    assert whole.pages >= 2
    assert len(whole.multi) > 600
    assert whole.multi["일자"].is_monotonic_decreasing
    assert (whole.multi["고가"] >= whole.multi["저가"]).all()
    since = whole.multi["일자"][9]
    year, month, day = int(since[:4]), int(since[4:6]), int(since[6:])
    assert (await session.daily(SAMSUNG, since=date(year, month, day)))["일자"].iloc[-1] == since
    assert (await session.stock(SAMSUNG))["종목명"] == "삼성전자"
    assert (await session.deposit())["예수금"] > 0
    assert (await session.depth(SAMSUNG))["매도최우선호가"] > 0


async def test_an_order_placed_modified_and_cancelled(session):
    low = (await session.stock(SAMSUNG))["하한가"]
    first = await session.buy(SAMSUNG, 10, low)
    placed = await first.accepted()
    assert (placed.state, placed.open) == (OrderState.ACCEPTED, 10)
    assert (await session.open_orders())["주문번호"].tolist() == [placed.number]
    modified = await (await session.modify(placed, low + 100)).result()
    assert (modified.state, modified.original) == (OrderState.CONFIRMED, placed.number)
    assert (await first.result()).state == OrderState.MODIFIED
    cancelled = await (await session.cancel(modified.number)).result()
    assert (cancelled.state, cancelled.original) == (OrderState.CONFIRMED, modified.number)
    assert (await session.open_orders()).empty


async def test_an_order_until_it_is_filled(session):
    order = await (await session.buy(SAMSUNG, 3)).result()
    assert (order.state, order.filled, order.open) == (OrderState.FILLED, 3, 0)
    assert order.average_price > 0
    assert (await session.fills())["주문번호"].tolist() == [order.number]


async def test_a_refused_order_says_why(session):
    stream = await session.buy(SAMSUNG, 1, 12_345)
    with pytest.raises(OrderFailed) as caught:
        await stream.result()
    assert caught.value.order.state == OrderState.REJECTED
    assert caught.value.order.message.endswith(caught.value.message)
    assert caught.value.code


async def test_ticks_and_conditions(session):
    stream = await session.realtime(SAMSUNG)
    ticks = await stream.taken(2)
    assert {tick.code for tick in ticks} == {SAMSUNG}
    assert all(tick.price and tick.time for tick in ticks)
    await stream.close()
    conditions = await session.conditions()
    assert "대형 저평가 우량주" in [each.name for each in conditions]
    assert await session.condition("대형 저평가 우량주")


async def test_what_goes_wrong(session):
    with pytest.raises(InvalidArgument, match="종목코드"):
        await session.tr("opt10081")
    with pytest.raises(Unimplemented, match="GetMasterCodeName"):
        await session.call("GetMasterCodeNam", SAMSUNG)
    with pytest.raises(OpenApiError):
        await session.tr("opt10081", 종목코드=SAMSUNG, 기준일자="soon")
    with pytest.warns(KoapyWarning, match="종목번호"):
        await session.tr("opt10001", 종목코드=SAMSUNG, 종목번호=SAMSUNG)


@pytest.mark.filterwarnings("ignore::koapy.client.KoapyWarning")
async def test_an_order_goes_on_when_the_login_was_lost_and_is_back() -> None:
    control = SimulatedControl(seed=5, login_delay=0.01)
    async with Server(control, port=0) as server, AsyncClient(server.address) as client:
        await client.login()
        low = int(await client.GetMasterLastPrice("005930")) * 3 // 4 // 1000 * 1000
        events = client.order_events()
        stream = client.buy("005930", 10, low)
        order = await stream.accepted()
        following = asyncio.ensure_future(stream.result())
        await asyncio.wrap_future(control.lose_connection())
        async with asyncio.timeout(20):
            while (await client.status()).state != "CONNECTION_LOST":
                await asyncio.sleep(0.01)
            await client.login()
            await client.cancel(order.number)
            assert (await following).state == "cancelled"
            heard = [(await anext(events)).sequence for _ in following.result().events]
        assert heard == sorted(set(heard))
        assert [each.lost for each in stream.interruptions] == [False]
    control.close()
