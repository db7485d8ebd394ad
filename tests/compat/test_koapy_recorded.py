"""What KOAPY 0.9.0's client and server say to each other, recorded once by record.py, replayed against our server.

The client's messages are sent as they are, byte by byte, at their places; the server's give the shape of what must come
back.
"""

from __future__ import annotations

import base64
import json
import os
import queue
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import message_factory

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
RECORDING = HERE / "recorded" / "koapy-0.9.jsonl"
SERVICE = pb.DESCRIPTOR.services_by_name["KiwoomOpenApiPlusService"]
ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Step:
    """One step of a recorded scene."""

    call: int
    rpc: str
    direction: str
    content: str

    @classmethod
    def of(cls, text: str) -> Step:
        call, rpc, direction, content = text.split(" ", 3)
        return cls(int(call), rpc, direction, content)

    @property
    def message(self) -> Any:
        """The message of this step."""
        method = SERVICE.methods_by_name[self.rpc]
        kind = method.input_type if self.direction == ">" else method.output_type
        return message_factory.GetMessageClass(kind).FromString(self.raw)

    @property
    def raw(self) -> bytes:
        """The message's bytes."""
        return base64.b64decode(self.content)


def read(text: str) -> dict[str, list[Step]]:
    """The scenes of a recording."""
    lines = map(json.loads, text.splitlines())
    return {line["shows"]: [Step.of(step) for step in line["steps"]] for line in lines}


SCENES = read(RECORDING.read_text(encoding="utf-8"))
MESSAGES = [step for steps in SCENES.values() for step in steps if step.direction in "<>"]


def chejan_names(message: Any) -> dict[str, str]:
    """The name of each FID of an order event; the lists of FIDs differ by the year of OpenAPI+, their names do not."""
    return dict(zip(message.arguments[2].string_value.split(";"), message.single_data.names, strict=True))


def shape(message: Any) -> tuple[object, ...]:
    """What a client relies on without knowing the values: names and kinds."""
    if isinstance(message, pb.CallResponse):
        return (message.HasField("return_value"), message.return_value.WhichOneof("value"))
    if not isinstance(message, pb.ListenResponse):
        return ()
    single, multi = message.single_data, message.multi_data
    assert len(single.values) == len(single.names)
    assert all(len(row.values) == len(multi.names) for row in multi.values)
    kinds = tuple(argument.WhichOneof("value") for argument in message.arguments)
    if message.name == "OnReceiveChejanData":
        assert message.arguments[1].long_value == len(chejan_names(message))
        return (message.name, kinds, message.arguments[0].string_value)
    if message.name == "OnReceiveRealData":
        by_number = all(name.isdigit() for name in single.names)
        return (message.name, kinds, tuple(single.names) if by_number else "by name")
    return (message.name, kinds, tuple(single.names), tuple(multi.names))


class Replay:
    """The calls of one scene."""

    def __init__(self, channel: grpc.Channel, steps: list[Step]) -> None:
        self._channel = channel
        self._last_sent = {step.call: step for step in steps if step.direction == ">"}
        self._requests: dict[int, queue.SimpleQueue[bytes | None]] = {}
        self._calls: dict[int, Any] = {}

    def send(self, step: Step) -> None:
        """Open the call if this is its first message; its side is closed after its last."""
        if step.call not in self._calls:
            self._requests[step.call] = requests = queue.SimpleQueue()
            method = self._channel.stream_stream(f"/{SERVICE.full_name}/{step.rpc}")
            self._calls[step.call] = method(iter(requests.get, None), timeout=ANSWER_SECONDS)
        self._requests[step.call].put(step.raw)
        if self._last_sent[step.call] is step:
            self._requests[step.call].put(None)

    def receive(self, step: Step) -> Any:
        """The next message of the call, parsed."""
        return type(step.message).FromString(next(self._calls[step.call]))

    def end(self, step: Step) -> None:
        """The call ends as recorded, if need be by our cancelling it."""
        call = self._calls[step.call]
        if step.content == "CANCELLED":
            call.cancel()
        else:
            for _ in call:
                pass
        assert call.code().name == step.content, call.details()


@pytest.fixture(scope="module")
def channel(server: int) -> Iterator[grpc.Channel]:
    """A channel to a server of ours that is logged in, so that each scene can be played alone."""
    with grpc.insecure_channel(f"localhost:{server}") as channel:
        stub = KiwoomOpenApiPlusServiceStub(channel)
        list(stub.LoginCall(pb.LoginRequest(), wait_for_ready=True, timeout=ANSWER_SECONDS))
        yield channel


@pytest.mark.parametrize("step", MESSAGES, ids=lambda step: f"{step.call}-{step.rpc}")
def test_every_recorded_byte_is_known(step: Step) -> None:
    message = step.message
    message.DiscardUnknownFields()
    assert message.ByteSize() == len(step.raw)


@pytest.mark.parametrize("shows", SCENES)
def test_our_server_answers_in_the_same_shape(channel: grpc.Channel, shows: str) -> None:
    steps = SCENES[shows]
    replay = Replay(channel, steps)
    for step in steps:
        if step.direction == ">":
            replay.send(step)
        elif step.direction == "<":
            assert shape(replay.receive(step)) == shape(step.message)
        else:
            replay.end(step)


def said(steps: list[Step]) -> list[tuple[str, str]]:
    """What KOAPY's client sends in a scene, without the times that it sends along, sorted as its calls overlap."""
    messages = []
    for step in steps:
        if step.direction == ">":
            message = step.message
            for part in ("handled_request", "stop_listen_request"):
                if step.rpc == "BidirectionalListen" and message.HasField(part):
                    getattr(message, part).ClearField("time")
            messages.append((step.rpc, str(message)))
    return sorted(messages)


def test_the_recording_is_what_koapy_says(koapy: Any, tmp_path: Path) -> None:
    """KOAPY's client still says this to KOAPY's server; KOAPY_RECORD=1 writes the recording anew."""
    player = koapy.start(tmp_path / "record", 0, HERE / "record.py")
    assert player.wait(60) == 0, (tmp_path / "record" / "err").read_text(encoding="utf-8")
    told = (tmp_path / "record" / "out").read_text(encoding="utf-8")
    if os.environ.get("KOAPY_RECORD"):
        RECORDING.write_text(told, encoding="utf-8", newline="\n")
    now = read(told)
    assert {name: said(steps) for name, steps in now.items()} == {name: said(steps) for name, steps in SCENES.items()}
