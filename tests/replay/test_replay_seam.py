"""A recorder is a control as the one that it records: what that one brings besides functions, it brings too."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.control.outlook import Outlook
from koapy.control.seam import Submitting, Unread
from koapy.control.signals import Signal
from koapy.openapi.realtype import real_type, real_types
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2
from koapy.protocol.gateway_pb2_grpc import GatewayStub
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.replay import Recorder
from koapy.server import Server, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

CODE, KIND, OTHER = "005930", "주식체결", 9999
FIDS = real_type(KIND).fids


class Ahead:
    """Reads its ticks ahead, as OpenAPI+ in a process of its own does."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self.OnReceiveRealData, self.OnEventConnect = Signal("OnReceiveRealData"), Signal("OnEventConnect")
        self.fids: Mapping[str, Collection[int]] = {each.name: each.fids for each in real_types()}
        self.held: Collection[str] = ("OnReceiveRealData", "OnEventConnect")
        self.outlook = Outlook(notices=("a box is on the screen",))
        self.registered = threading.Event()

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        return self._pool.submit(function, *args)

    def close(self) -> None:
        self._pool.shutdown()

    @property
    def waits(self) -> bool:
        return "OnReceiveRealData" in self.held

    def read_ahead(self, fids: Mapping[str, Collection[int]], held: Collection[str]) -> None:
        self.fids, self.held = fids, held

    def GetConnectState(self) -> int:
        return 1

    def GetMasterCodeName(self, code: str) -> str:
        return "삼성전자"

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        self.registered.set()
        return 0

    def GetCommRealData(self, code: str, fid: int) -> str:
        if fid not in self.fids.get(KIND, self.fids.get("", ())):
            raise Unread(str(fid))
        return f"{fid}!"


@pytest.fixture
def ahead() -> Iterator[Ahead]:
    control = Ahead()
    yield control
    control.close()


@pytest.fixture
def recorder(ahead: Ahead, tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(ahead, tmp_path / "session.jsonl")
    yield recorder
    recorder.close()


async def test_a_stream_gets_what_it_wants_and_the_recording_all_without_that_the_control_waits(
    ahead: Ahead, recorder: Recorder, tmp_path: Path
) -> None:
    async with Server(recorder, port=0, settings=Settings()) as server, grpc.aio.insecure_channel(server.address) as to:
        assert (await GatewayStub(to).Status(gateway_pb2.StatusRequest())).notices == ["a box is on the screen"]
        assert not ahead.held
        real = KiwoomOpenApiPlusServiceStub(to).RealCall(pb.RealRequest(code_list=[CODE], fid_list=[10, OTHER]))
        await real.initial_metadata()
        assert ahead.registered.is_set()
        ahead.submit(ahead.OnReceiveRealData.tell, CODE, KIND, "").result(20)
        tick = await real.read()
        assert list(tick.single_data.values) == ["10!", f"{OTHER}!"]
        real.cancel()
    recorder.close()
    lines = map(json.loads, (tmp_path / "session.jsonl").read_text(encoding="utf-8").splitlines())
    (told,) = (each for each in lines if each.get("event") == "OnReceiveRealData")
    assert told["fields"] == {str(fid): f"{fid}!" for fid in FIDS}


def test_what_a_control_does_not_bring_its_recorder_does_not_either(ahead: Ahead, tmp_path: Path) -> None:
    class Plain:
        OnReceiveRealData = ahead.OnReceiveRealData
        GetCommRealData = ahead.GetCommRealData

    recorder = Recorder(Plain(), tmp_path / "plain.jsonl")
    assert not isinstance(recorder, Submitting)
    assert not any(hasattr(recorder, name) for name in ("submit", "outlook", "read_ahead", "waits"))
    recorder.close()
