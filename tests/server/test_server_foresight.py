"""What is read of ticks ahead of their slots: what streams want, from when they do until they do no more."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from server_doubles import StrictControl

from koapy.control.seam import Unread
from koapy.openapi.realtype import real_type, real_types
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

KIND, CODE = "주식체결", "005930"
LISTEN = pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=["OnReceiveRealData"]))


class Ahead(StrictControl):
    """Reads its ticks ahead; each is read as it was wished when it was fired, or as `late` says."""

    def __init__(self) -> None:
        super().__init__()
        self.fids: Mapping[str, Collection[int]] = {}
        self.held: Collection[str] = ()
        self.late: deque[Collection[int]] = deque()
        self.waits = False

    def read_ahead(self, fids: Mapping[str, Collection[int]], held: Collection[str]) -> None:
        self.fids, self.held = fids, held

    def GetCommRealData(self, code: str, fid: int) -> str:
        if fid not in (self.late[0] if self.late else self.fids.get(KIND, self.fids.get("", ()))):
            raise Unread(str(fid))
        return f"{fid}!"

    def tick(self) -> asyncio.Future[Any]:
        return asyncio.wrap_future(self.fire("OnReceiveRealData", CODE, KIND, ""))


@pytest.fixture
async def gateway(running: Any, settings: Any) -> AsyncIterator[Any]:
    control = Ahead()
    async with running(control, settings) as gateway:
        yield gateway
    control.close()


def real(gateway: Any, *fids: int) -> Any:
    return gateway.stub.RealCall(pb.RealRequest(code_list=[CODE], fid_list=fids))


async def until_read(gateway: Any, fids: Mapping[str, Collection[int]], held: Collection[str] = ()) -> None:
    async with asyncio.timeout(20):
        while ({kind: set(each) for kind, each in gateway.control.fids.items()}, set(gateway.control.held)) != (
            {kind: set(each) for kind, each in fids.items()},
            set(held),
        ):
            await asyncio.sleep(0.005)


async def fallen(gateway: Any, **most: int) -> None:
    """Wait until no more than so much is taken."""
    async with asyncio.timeout(20):
        while any(gateway.state[name] > count for name, count in most.items()):
            await asyncio.sleep(0.005)


async def test_what_is_read_grows_with_streams_and_shrinks_with_them(gateway: Any) -> None:
    await until_read(gateway, {"": ()})
    whole = {each.name: each.fids for each in real_types()}
    few = {"": (10, 15), **dict.fromkeys(whole, (10, 15))}
    first = real(gateway, 10, 15)
    await until_read(gateway, few)
    again = real(gateway, 10, 15)
    more = real(gateway, 15, 9999)
    await until_read(gateway, {name: {*fids, 9999} for name, fids in few.items()})
    every = gateway.stub.Listen(pb.ListenRequest(slots=["OnReceiveRealData"]))
    await until_read(gateway, {name: {*whole.get(name, ()), 10, 15, 9999} for name in few})
    for stream in (more, every):
        stream.cancel()
    await until_read(gateway, few)
    both = gateway.state["subscriptions"]
    first.cancel()
    await fallen(gateway, subscriptions=both - 1)
    await until_read(gateway, few)
    again.cancel()
    await until_read(gateway, {"": ()})


async def test_events_are_held_for_those_who_listen_in_both_directions_alone(gateway: Any) -> None:
    one, other = (gateway.stub.BidirectionalListen() for _ in range(2))
    for stream in (one, other):
        await stream.write(LISTEN)
    await gateway.reached(gates=2)
    assert set(gateway.control.fids[KIND]) == set(real_type(KIND).fids)
    one.cancel()
    await fallen(gateway, gates=1)
    assert set(gateway.control.held) == {"OnReceiveRealData"}
    # The control did not wait in this one: it was on its way when the stream was opened.
    await gateway.control.tick()
    gateway.control.waits = True
    told = gateway.control.tick()
    await asyncio.wait_for(other.read(), 20)
    assert not told.done()
    await other.write(pb.BidirectionalListenRequest(handled_request=pb.HandledRequest()))
    await told
    other.cancel()
    await until_read(gateway, {"": ()})


async def test_a_tick_that_was_on_its_way_is_for_those_whose_wishes_it_knew(gateway: Any) -> None:
    first = real(gateway, 10)
    await until_read(gateway, {"": (10,), **{each.name: (10,) for each in real_types()}})
    second = real(gateway, 10, 11)
    await gateway.reached(subscriptions=4)
    gateway.control.late.append((10,))
    await gateway.control.tick()
    gateway.control.late.clear()
    await gateway.control.tick()
    told = [await asyncio.wait_for(first.read(), 20) for _ in range(2)]
    assert [list(each.single_data.values) for each in told] == [["10!"], ["10!"]]
    assert list((await asyncio.wait_for(second.read(), 20)).single_data.values) == ["10!", "11!"]
    for stream in (first, second):
        stream.cancel()
