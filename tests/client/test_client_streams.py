"""Streams through a real port, with both clients: what they carry, and how each kind of end is told."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import time

import grpc
import pytest

from koapy.client import AsyncClient, Client, ConnectionLost, InvalidArgument, KoapyWarning, LimitExceeded
from koapy.openapi.realtype import real_type

TRADE = {"체결시간": "142942", "현재가": "-77100", "거래량": "+3"}


def ticks(wire, *kinds, single=TRADE):
    return [wire.event("OnReceiveRealData", "005930", kind, "raw", single=single) for kind in kinds]


async def test_ticks(client, gateway, wire):
    gateway.scripts["RealCall"] = wire.playing(*ticks(wire, "주식체결", "주식호가잔량", "주식체결"))
    stream = await client.realtime("005930")
    first, second = await stream.all()
    assert first == second
    assert (first.code, first.real_type, first.time, first.price) == ("005930", "주식체결", time(14, 29, 42), 77100)
    assert first.values == TRADE
    (request,) = gateway.asked("RealCall")
    assert list(request.code_list) == ["005930"]
    assert tuple(request.fid_list) == real_type("주식체결").fids
    assert (request.flags.infer_fids, request.flags.readable_names) == (True, True)
    assert (list(request.screen_no), request.opt_type) == ([], "")


@pytest.mark.parametrize(
    ("single", "expected"),
    [({"호가시간": "090000"}, time(9)), ({"체결시간": "888888"}, None), ({"체결시간": ""}, None), ({}, None)],
)
async def test_the_time_of_a_tick(client, gateway, wire, single, expected):
    gateway.scripts["RealCall"] = wire.playing(*ticks(wire, "주식체결", single=single))
    (tick,) = await (await client.realtime(["005930"])).all()
    assert (tick.time, tick.price) == (expected, None)


async def test_several_real_types_share_the_hundred_fids(client, gateway, wire):
    gateway.scripts["RealCall"] = wire.playing(*ticks(wire, "주식체결", "주식호가잔량", "주식우선호가"))
    stream = await client.realtime(iter(["005930", "000660"]), ["주식체결", "주식호가잔량"])
    assert [tick.real_type for tick in await stream.all()] == ["주식체결", "주식호가잔량"]
    asked = list(gateway.asked("RealCall")[0].fid_list)
    assert len(asked) <= 100
    assert set(asked) & set(real_type("주식체결").fids)
    assert set(asked) & (set(real_type("주식호가잔량").fids) - set(real_type("주식체결").fids))


async def test_fids_instead(client, gateway, wire):
    gateway.scripts["RealCall"] = wire.playing(*ticks(wire, "주식체결", "주식우선호가"))
    stream = await client.realtime(["005930"], fids=[10, 15])
    assert len(await stream.all()) == 2
    (request,) = gateway.asked("RealCall")
    assert (list(request.fid_list), request.flags.infer_fids) == ([10, 15], False)


async def test_an_unknown_real_type_is_refused_here(client, gateway):
    with pytest.raises(InvalidArgument, match=r"'주식체졀'.*주식체결"):
        await anext(await client.realtime(["005930"], "주식체졀"))
    assert not gateway.requests


async def test_any_events(client, gateway, wire):
    gateway.scripts["Listen"] = wire.playing(
        wire.event("OnEventConnect", 0),
        wire.page("opt10081", [{"일자": "20261120"}], single={"종목코드": "005930"}),
    )
    login, answer = await (await client.listen("OnEventConnect", "OnReceiveTrData")).all()
    assert (login.name, login.arguments, login.single, login.rows) == ("OnEventConnect", (0,), {}, ())
    assert answer.arguments == ("2000", "opt10081", "opt10081", "", "0")
    assert (answer.single, answer.rows) == ({"종목코드": "005930"}, ({"일자": "20261120"},))
    assert list(gateway.asked("Listen")[0].slots) == ["OnEventConnect", "OnReceiveTrData"]


async def test_order_events(client, gateway, wire):
    gateway.scripts["OrderListen"] = wire.playing(
        wire.says("[100000] 모의투자 매수주문완료"),
        wire.answers("0163911"),
        wire.chejan("0", f9203="0163911", f9001="A005930", f913="접수", f902="10"),
        wire.chejan("1", f9201="8000000011", f9001="A005930", f930="2"),
    )
    said, answered, accepted, held = await (await client.order_events()).all()
    assert said.text == "[100000] 모의투자 매수주문완료"
    assert answered.number == accepted.order_number == "0163911"
    assert (accepted.gubun, accepted.code, accepted.state, accepted.number_of(902)) == ("0", "005930", "접수", 10)
    assert (held.gubun, held.account, held.state, held.number_of(930), held.number_of(9999)) == (
        *("1", "8000000011", "", 2, 0),
    )


@pytest.mark.parametrize("way", ["close", "with", "client"])
async def test_an_end_on_this_side_ends_the_stream_at_the_server(client, gateway, wire, way):
    gateway.scripts["RealCall"] = wire.playing(*ticks(wire, "주식체결"), forever=True)
    stream = await client.realtime("005930")
    await stream.taken(1)
    waiting = asyncio.ensure_future(stream.all())
    await asyncio.sleep(0)
    if way == "close":
        await stream.close()
        await stream.close()
    elif way == "with":
        with contextlib.ExitStack() as stack:
            if hasattr(stream.inner, "__enter__"):
                stack.enter_context(stream.inner)
            else:
                async with stream.inner:
                    pass
    elif isinstance(client.inner, Client):
        await client.close()
    else:
        await client.aclose()
    await gateway.gone["RealCall"].wait()
    assert await waiting == []
    assert await stream.all() == []


@pytest.mark.parametrize("forget", [True, False])
async def test_a_forgotten_stream_ends_at_the_server(address, gateway, wire, forget):
    gateway.scripts["RealCall"] = wire.playing(*ticks(wire, "주식체결"), forever=True)
    with Client(address) as client:
        stream = client.realtime("005930")
        await asyncio.to_thread(next, stream)
        if forget:
            del stream
            await gateway.gone["RealCall"].wait()
    await gateway.gone["RealCall"].wait()


async def test_cancelling_the_wait_ends_the_stream_at_the_server(address, gateway, wire):
    gateway.scripts["RealCall"] = wire.playing(*ticks(wire, "주식체결"), forever=True)
    async with AsyncClient(address) as client:
        stream = client.realtime("005930")
        await anext(stream)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        await gateway.gone["RealCall"].wait()
        assert [tick async for tick in stream] == []


async def test_cancelling_a_query_ends_it_at_the_server(address, gateway, wire):
    gateway.scripts["TransactionCall"] = wire.playing(wire.page("opt10081", [{"일자": "1"}]), forever=True)
    async with AsyncClient(address) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.tr("opt10081"), 0.05)
        await gateway.gone["TransactionCall"].wait()


async def test_a_stream_closed_before_it_was_opened(address, gateway):
    async with AsyncClient(address) as client:
        stream = client.realtime("005930")
        stream.close()
        assert [tick async for tick in stream] == []
        await client.connected()
    assert not gateway.asked("RealCall")


async def test_an_error_in_mid_stream_comes_after_what_came_before_it(client, gateway, wire):
    text = "the stream's queue is full: 1,000 events wait"
    gateway.scripts["RealCall"] = wire.failing(
        grpc.StatusCode.RESOURCE_EXHAUSTED, text, after=ticks(wire, "주식체결", "주식체결")
    )
    stream = await client.realtime("005930")
    assert len(await stream.taken(2)) == 2
    with pytest.raises(LimitExceeded, match="1,000 events wait"):
        await anext(stream)
    assert await stream.all() == []


async def test_merged_ticks_are_told_at_the_end(client, gateway, wire):
    async def script(request, context):
        context.set_trailing_metadata((("koapy-conflated", "total=3,005930=3"),))
        await context.write(*ticks(wire, "주식체결"))

    gateway.scripts["RealCall"] = script
    with pytest.warns(KoapyWarning, match="total=3,005930=3"):
        await (await client.realtime("005930")).all()


async def test_a_stream_from_another_thread(address, gateway, wire):
    """One thread reads while another one queries and then closes."""
    gateway.scripts["RealCall"] = wire.playing(*ticks(wire, "주식체결"), forever=True)
    with Client(address) as client:
        stream = client.realtime("005930")
        reading = asyncio.create_task(asyncio.to_thread(list, stream))
        assert await asyncio.to_thread(client.connected)
        stream.close()
        assert len(await reading) <= 1


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_a_closed_client_says_so(address, kind):
    client = kind(address)
    if kind is Client:
        client.close()
        client.close()
        with pytest.raises(ConnectionLost, match="has been closed"):
            client.connected()
        with pytest.raises(ConnectionLost, match="has been closed"):
            client.realtime("005930")
    else:
        await client.aclose()
        await client.aclose()
        with pytest.raises(ConnectionLost, match="has been closed"):
            await client.connected()
        with pytest.raises(ConnectionLost, match="has been closed"):
            await anext(client.realtime("005930"))
